"""What the contract that verifies proofs is given of a key: code parts, pinned by one digest."""
