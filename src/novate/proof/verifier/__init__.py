"""Parts of the independent verifier `novate.proof.verify`; they import only each other."""
