"""What the law asks of cryptography: batches of hashes, node compressions and signature checks.

`spec.crypto` implements it readably and defines the results; `novate.native` implements it fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeAlias

Digest: TypeAlias = tuple[int, int, int, int]
"""Four Goldilocks elements, each in [0, p)."""

PublicKey: TypeAlias = tuple[int, int, int, int, int]
"""The w = y/x encoding of an EcGFp5 point: five Goldilocks elements, each in [0, p)."""

ZERO_DIGEST: Digest = (0, 0, 0, 0)
ZERO_KEY: PublicKey = (0, 0, 0, 0, 0)


class Signature(NamedTuple):
    """A Schnorr signature: the challenge e = e0 + 2^64 · e1 and the response s < group order."""

    e0: int
    e1: int
    s: int


class SignatureCheck(NamedTuple):
    """One question to `verify_many`: did this key sign this digest?"""

    key: PublicKey
    digest: Digest
    signature: Signature


class Primitives(Protocol):
    """Batches of cryptography. Every method is a pure function of its arguments."""

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """Sponge digest of each row of elements under one domain tag (1 to 7 ASCII bytes)."""

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """Parent digest of each (left, right) pair of a binary tree."""

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """Whether each signature is valid; malformed keys and signatures are just False."""
