"""What users, oracles, L1 and the operator say: fields, domains and digests. No rules of money."""
