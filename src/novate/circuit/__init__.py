"""The language in which tables are written, and a checker that tries them without proving."""
