"""Where every field of a proof lies."""

from novate.proof.contract.fields import COUNT, DIGEST, F, Field, K, fields_of

__all__ = ["COUNT", "DIGEST", "F", "Field", "K", "fields_of"]
