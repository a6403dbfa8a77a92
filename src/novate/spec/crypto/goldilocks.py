"""The Goldilocks field GF(p), p = 2^64 - 2^32 + 1.

An element is an int in [0, p). Its bytes are 8, little-endian, canonical.
"""

from __future__ import annotations

from typing import Final

from novate.spec.errors import DecodeError
from novate.spec.rounding import div_down

P: Final = 2**64 - 2**32 + 1
ELEMENT_BYTES: Final = 8

TWO_ADICITY: Final = 32
"""p - 1 = 2^32 · (2^32 - 1), and 2^32 - 1 is odd."""

ODD_PART: Final = 2**32 - 1
NON_SQUARE: Final = 7
"""The least generator of the multiplicative group, so not a square."""

HALF: Final = div_down(P + 1, 2)
"""The inverse of 2."""

MINUS_ONE: Final = P - 1


def is_canonical(element: int) -> bool:
    """Whether the integer is an element: 0 <= element < p."""
    return 0 <= element < P


def inverse_or_zero(element: int) -> int:
    """The multiplicative inverse of an element; 0 for 0."""
    return pow(element, P - 2, P)


def legendre(element: int) -> int:
    """0 for zero, 1 for another square, p - 1 for a non-square (Euler's criterion)."""
    return pow(element, div_down(P - 1, 2), P)


def sqrt(element: int) -> int | None:
    """A square root of an element (either one), or None if it has none.

    Tonelli-Shanks. Throughout, root^2 = element · excess; round k leaves an excess whose order
    divides 2^(k - 1), until the excess is 1.
    """
    if legendre(element) == MINUS_ONE:
        return None
    root = pow(element, div_down(ODD_PART + 1, 2), P)
    excess = pow(element, ODD_PART, P)
    unity = pow(NON_SQUARE, ODD_PART, P)  # of order 2^(k + 1) in round k
    for k in range(TWO_ADICITY - 1, 0, -1):
        unity_squared = unity * unity % P
        if pow(excess, 1 << (k - 1), P) != 1:
            root = root * unity % P
            excess = excess * unity_squared % P
        unity = unity_squared
    return root


def to_bytes(element: int) -> bytes:
    """The 8 little-endian bytes of an element in [0, p)."""
    if not is_canonical(element):
        raise ValueError(f"element {element} is not in [0, {P})")
    return element.to_bytes(ELEMENT_BYTES, "little")


def from_bytes(data: bytes) -> int:
    """The element of 8 little-endian bytes; DecodeError on another length or a value >= p."""
    if len(data) != ELEMENT_BYTES:
        raise DecodeError("element_length", f"{len(data)} bytes, must be {ELEMENT_BYTES}")
    element = int.from_bytes(data, "little")
    if not is_canonical(element):
        raise DecodeError("element_not_canonical", f"{element} >= {P}")
    return element
