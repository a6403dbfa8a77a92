"""A node played with: the specification behind its port, seeded users, lives that are cut off."""
