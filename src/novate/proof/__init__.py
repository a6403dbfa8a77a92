"""Proofs that tables hold: profiles, the prover's door, and an independent verifier."""
