"""Forged proofs: honest runs of the protocol on witnesses that violate one rule or one bus."""
