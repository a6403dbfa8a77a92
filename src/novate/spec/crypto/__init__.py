"""The cryptography of the law, readable: this package defines what every result is.

`SpecPrimitives` offers it as the batches that the law asks for, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence

from novate.spec.crypto.schnorr import verify
from novate.spec.crypto.sponge import compress, hash_elements
from novate.spec.primitives import Digest, SignatureCheck

__all__ = ["SpecPrimitives"]


class SpecPrimitives:
    """The defining implementation of `novate.spec.primitives.Primitives`; it has no state."""

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """Sponge digest of each row of elements in [0, p) under one tag; ValueError otherwise."""
        return [hash_elements(tag, row) for row in rows]

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """Parent digest of each pair of digests of elements in [0, p); ValueError otherwise."""
        return [compress(left, right) for left, right in pairs]

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """Whether each signature is valid; malformed keys and signatures are just False."""
        return [verify(*check) for check in checks]
