"""The quintic extension GF(p^5) = GF(p)[z] / (z^5 - 3).

An element is a tuple (a0, ..., a4) of Goldilocks elements, meaning a0 + a1·z + ... + a4·z^4.
Source of the field and of the norm methods: Pornin, eprint 2022/274, section 2.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from novate.spec.crypto import goldilocks
from novate.spec.crypto.goldilocks import ELEMENT_BYTES, HALF, MINUS_ONE, P
from novate.spec.errors import DecodeError
from novate.spec.rounding import div_down

Quintic: TypeAlias = tuple[int, int, int, int, int]

ZERO: Final[Quintic] = (0, 0, 0, 0, 0)
ONE: Final[Quintic] = (1, 0, 0, 0, 0)
QUINTIC_BYTES: Final = 5 * ELEMENT_BYTES

FIFTH_ROOT_OF_UNITY: Final = pow(3, div_down(P - 1, 5), P)
"""z^p = FIFTH_ROOT_OF_UNITY · z, because z^(p - 1) = (z^5)^((p - 1)/5) = 3^((p - 1)/5)."""


def is_canonical(a: Quintic) -> bool:
    """Whether all five coefficients are in [0, p)."""
    return all(goldilocks.is_canonical(coefficient) for coefficient in a)


def add(a: Quintic, b: Quintic) -> Quintic:
    """a + b."""
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (a0 + b0) % P, (a1 + b1) % P, (a2 + b2) % P, (a3 + b3) % P, (a4 + b4) % P


def sub(a: Quintic, b: Quintic) -> Quintic:
    """a - b; p is added before reducing so that no operand of % is negative."""
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (
        (a0 - b0 + P) % P,
        (a1 - b1 + P) % P,
        (a2 - b2 + P) % P,
        (a3 - b3 + P) % P,
        (a4 - b4 + P) % P,
    )


def neg(a: Quintic) -> Quintic:
    """-a."""
    return sub(ZERO, a)


def scale(a: Quintic, factor: int) -> Quintic:
    """a times a base-field factor, an int >= 0."""
    a0, a1, a2, a3, a4 = a
    return a0 * factor % P, a1 * factor % P, a2 * factor % P, a3 * factor % P, a4 * factor % P


def half(a: Quintic) -> Quintic:
    """a / 2."""
    return scale(a, HALF)


def mul(a: Quintic, b: Quintic) -> Quintic:
    """a · b: the schoolbook product, with z^(5+i) folded to 3·z^i. Sums are below 2^132."""
    a0, a1, a2, a3, a4 = a
    b0, b1, b2, b3, b4 = b
    return (
        (a0 * b0 + 3 * (a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1)) % P,
        (a0 * b1 + a1 * b0 + 3 * (a2 * b4 + a3 * b3 + a4 * b2)) % P,
        (a0 * b2 + a1 * b1 + a2 * b0 + 3 * (a3 * b4 + a4 * b3)) % P,
        (a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + 3 * (a4 * b4)) % P,
        (a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0) % P,
    )


def square(a: Quintic) -> Quintic:
    """a · a, each cross product taken once."""
    a0, a1, a2, a3, a4 = a
    return (
        (a0 * a0 + 6 * (a1 * a4 + a2 * a3)) % P,
        (2 * a0 * a1 + 3 * (2 * a2 * a4 + a3 * a3)) % P,
        (2 * a0 * a2 + a1 * a1 + 6 * a3 * a4) % P,
        (2 * (a0 * a3 + a1 * a2) + 3 * a4 * a4) % P,
        (2 * (a0 * a4 + a1 * a3) + a2 * a2) % P,
    )


def power(a: Quintic, exponent: int) -> Quintic:
    """a^exponent for exponent >= 0, by square and multiply from the top bit; a^0 = 1."""
    result = ONE
    for position in range(exponent.bit_length() - 1, -1, -1):
        result = square(result)
        if (exponent >> position) & 1:
            result = mul(result, a)
    return result


def frobenius(a: Quintic, times: int) -> Quintic:
    """a^(p^times): coefficient i is multiplied by FIFTH_ROOT_OF_UNITY^(i · times)."""
    root = pow(FIFTH_ROOT_OF_UNITY, times, P)
    a0, a1, a2, a3, a4 = a
    root_2 = root * root % P
    root_3 = root_2 * root % P
    root_4 = root_3 * root % P
    return a0, a1 * root % P, a2 * root_2 % P, a3 * root_3 % P, a4 * root_4 % P


def conjugates_product(a: Quintic) -> Quintic:
    """a^(p + p^2 + p^3 + p^4), the product of the four other conjugates of a."""
    first_two = mul(frobenius(a, 1), frobenius(a, 2))
    return mul(first_two, frobenius(first_two, 2))


def norm(a: Quintic) -> int:
    """a^(1 + p + p^2 + p^3 + p^4), which lies in the base field; it is 0 only for a = 0."""
    return mul(a, conjugates_product(a))[0]


def inverse_or_zero(a: Quintic) -> Quintic:
    """The multiplicative inverse; 0 for 0. The product of the other conjugates over the norm."""
    conjugates = conjugates_product(a)
    return scale(conjugates, goldilocks.inverse_or_zero(mul(a, conjugates)[0]))


def legendre(a: Quintic) -> int:
    """0 for zero, 1 for another square, p - 1 for a non-square: the Legendre symbol of the norm."""
    return goldilocks.legendre(norm(a))


def is_square(a: Quintic) -> bool:
    """Whether a has a square root (zero has)."""
    return legendre(a) != MINUS_ONE


def sqrt(a: Quintic) -> Quintic | None:
    """A square root of a (either one), or None if it has none.

    With r = 1 + p + ... + p^4, which is odd: b = a^((r + 1)/2) has b^2 = a · norm(a), so
    b / sqrt(norm(a)) is a root. The exponent splits as (r + 1)/2 = 1 + (p + p^3)·(p + 1)/2.
    """
    norm_root = goldilocks.sqrt(norm(a))
    if norm_root is None:
        return None
    core = power(a, div_down(P + 1, 2))
    b = mul(a, mul(frobenius(core, 1), frobenius(core, 3)))
    return scale(b, goldilocks.inverse_or_zero(norm_root))


def to_bytes(a: Quintic) -> bytes:
    """The 40 bytes of an element: its five coefficients, 8 little-endian bytes each."""
    return b"".join(goldilocks.to_bytes(coefficient) for coefficient in a)


def from_bytes(data: bytes) -> Quintic:
    """The element of 40 bytes; DecodeError on another length or a coefficient >= p."""
    if len(data) != QUINTIC_BYTES:
        raise DecodeError("quintic_length", f"{len(data)} bytes, must be {QUINTIC_BYTES}")
    a0, a1, a2, a3, a4 = (
        goldilocks.from_bytes(data[start : start + ELEMENT_BYTES])
        for start in range(0, QUINTIC_BYTES, ELEMENT_BYTES)
    )
    return a0, a1, a2, a3, a4
