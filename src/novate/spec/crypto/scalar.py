"""Scalars: integers modulo n, the prime order of EcGFp5 (319 bits).

A scalar is an int in [0, n). Its bytes are 40, little-endian, canonical.
Source: Pornin, eprint 2022/274, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.spec.errors import DecodeError

N: Final = 0x7FFFFFFD800000077FFFFFF1000000167FFFFFE6CFB80639E8885C39D724A09CE80FD996948BFFE1
SCALAR_BYTES: Final = 40


def is_canonical(scalar: int) -> bool:
    """Whether the integer is a scalar: 0 <= scalar < n."""
    return 0 <= scalar < N


def reduce(integer: int) -> int:
    """integer mod n, for integer >= 0."""
    return integer % N


def from_elements(elements: Sequence[int]) -> int:
    """Elements as digits in base 2^64, least significant first, reduced mod n.

    Eight uniform elements give a scalar within 2^-190 of uniform.
    """
    return reduce(sum(element << (64 * place) for place, element in enumerate(elements)))


def to_bytes(scalar: int) -> bytes:
    """The 40 little-endian bytes of a scalar in [0, n)."""
    if not is_canonical(scalar):
        raise ValueError(f"scalar {scalar} is not in [0, {N})")
    return scalar.to_bytes(SCALAR_BYTES, "little")


def from_bytes(data: bytes) -> int:
    """The scalar of 40 little-endian bytes; DecodeError on another length or a value >= n."""
    if len(data) != SCALAR_BYTES:
        raise DecodeError("scalar_length", f"{len(data)} bytes, must be {SCALAR_BYTES}")
    scalar = int.from_bytes(data, "little")
    if not is_canonical(scalar):
        raise DecodeError("scalar_not_canonical", f"{scalar} >= {N}")
    return scalar
