"""What L1 is given of a batch: header, data in one of two forms, requests and withdrawals.

Bytes come from `codec` (how values become bytes) and one file a part; `blob` and `opening` turn the
bytes into polynomials and into the values (D, z, y) that bind a proof to them.
"""
