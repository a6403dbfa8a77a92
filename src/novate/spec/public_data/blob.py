"""Bytes as polynomials over the BLS12-381 scalar field, and polynomials as blobs (EIP-4844).

31 bytes, big-endian, are one coefficient, so every coefficient is below r whatever the bytes; chunk
i of a polynomial is the coefficient of X^i. A calldata batch carries coefficients; a blob carries
the values of the polynomial at the 4,096th roots of unity in bit-reversed order, each canonical,
and readers interpolate. Sources: EIP-4844; consensus specifications, Deneb, polynomial commitments.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from novate.spec.errors import DecodeError
from novate.spec.rounding import div_down, div_up

MODULUS: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
"""r, the order of the BLS12-381 group."""
PRIMITIVE_ROOT: Final = 7
"""A generator of the multiplicative group, as EIP-4844 fixes it."""
COEFFICIENT_BYTES: Final = 31
SIZE: Final = 4096
"""Coefficients of a polynomial, field elements of a blob."""
SIZE_BITS: Final = 12
ELEMENT_BYTES: Final = 32
POLYNOMIAL_BYTES: Final = SIZE * COEFFICIENT_BYTES
"""126,976 bytes of data fit one polynomial."""


def coefficients(data: bytes) -> list[int]:
    """The coefficients of at most 126,976 bytes, the last chunk filled with zero bytes.

    DecodeError `too_long` if they do not fit one polynomial. The length is bound elsewhere.
    """
    if len(data) > POLYNOMIAL_BYTES:
        raise DecodeError("too_long", f"{len(data)} bytes, at most {POLYNOMIAL_BYTES}")
    count = div_up(len(data), COEFFICIENT_BYTES)
    padded = data + bytes(count * COEFFICIENT_BYTES - len(data))
    return [
        int.from_bytes(padded[start : start + COEFFICIENT_BYTES], "big")
        for start in range(0, len(padded), COEFFICIENT_BYTES)
    ]


def data_of(polynomial: Sequence[int], length: int) -> bytes:
    """The bytes of a polynomial, given how many.

    DecodeError `coefficient_too_large` if a coefficient is no chunk, `nonzero_tail` if anything
    but zero follows the data.
    """
    count = div_up(length, COEFFICIENT_BYTES)
    if len(polynomial) < count:
        raise DecodeError("truncated", f"{len(polynomial)} coefficients, {length} bytes")
    for coefficient in polynomial:
        if not 0 <= coefficient < 1 << 8 * COEFFICIENT_BYTES:
            raise DecodeError("coefficient_too_large", f"{coefficient:#x}, below 2^248")
    padded = b"".join(c.to_bytes(COEFFICIENT_BYTES, "big") for c in polynomial)
    if any(padded[length:]):
        raise DecodeError("nonzero_tail", f"after {length} bytes of data")
    return padded[:length]


def split(data: bytes) -> list[bytes]:
    """The data of each polynomial: as many full ones as there are, then the rest; one if empty."""
    starts = range(0, max(1, len(data)), POLYNOMIAL_BYTES)
    return [data[start : start + POLYNOMIAL_BYTES] for start in starts]


def evaluate(polynomial: Sequence[int], point: int) -> int:
    """P(z) mod r by Horner's rule, from the highest coefficient down."""
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * point + coefficient) % MODULUS
    return value


@cache
def roots_of_unity() -> tuple[int, ...]:
    """The powers 0 to 4095 of the primitive 4,096th root of unity 7^((r − 1)/4096)."""
    root = pow(PRIMITIVE_ROOT, div_down(MODULUS - 1, SIZE), MODULUS)
    powers = [1]
    for _ in range(SIZE - 1):
        powers.append(powers[-1] * root % MODULUS)
    return tuple(powers)


def reverse_bits(index: int) -> int:
    """A 12-bit index with its bits in reverse order."""
    reversed_index = 0
    for _ in range(SIZE_BITS):
        reversed_index = reversed_index << 1 | index & 1
        index >>= 1
    return reversed_index


def bit_reversed(values: Sequence[int]) -> list[int]:
    """4,096 values with entry i moved to the place of its reversed bits. Its own inverse."""
    return [values[reverse_bits(index)] for index in range(SIZE)]


def transform(values: Sequence[int], roots: Sequence[int]) -> list[int]:
    """Number-theoretic transform of 4,096 values: entry i is Σ values[j] · roots[i]^j, mod r."""
    result = bit_reversed(values)
    half = 1
    while half < SIZE:
        stride = div_down(SIZE, 2 * half)
        for start in range(0, SIZE, 2 * half):
            for k in range(start, start + half):
                odd = result[k + half] * roots[(k - start) * stride] % MODULUS
                even = result[k]
                result[k] = (even + odd) % MODULUS
                result[k + half] = (even + MODULUS - odd) % MODULUS
        half *= 2
    return result


def blob_values(polynomial: Sequence[int]) -> list[int]:
    """The 4,096 field elements of the blob of a polynomial of at most 4,096 coefficients."""
    filled = [*polynomial, *[0] * (SIZE - len(polynomial))]
    return bit_reversed(transform(filled, roots_of_unity()))


def polynomial_of_values(values: Sequence[int]) -> list[int]:
    """All 4,096 coefficients of the polynomial with these blob values."""
    roots = roots_of_unity()
    inverse_roots = (roots[0], *reversed(roots[1:]))
    scale = pow(SIZE, MODULUS - 2, MODULUS)
    summed = transform(bit_reversed(values), inverse_roots)
    return [value * scale % MODULUS for value in summed]


def blob_bytes(values: Sequence[int]) -> bytes:
    """The 131,072 bytes of a blob: big-endian field elements."""
    return b"".join(value.to_bytes(ELEMENT_BYTES, "big") for value in values)


def values_of_blob(blob: bytes) -> list[int]:
    """The field elements of a blob; DecodeError on another length or an element >= r."""
    if len(blob) != SIZE * ELEMENT_BYTES:
        raise DecodeError("blob_length", f"{len(blob)} bytes, must be {SIZE * ELEMENT_BYTES}")
    values = [
        int.from_bytes(blob[start : start + ELEMENT_BYTES], "big")
        for start in range(0, len(blob), ELEMENT_BYTES)
    ]
    if any(value >= MODULUS for value in values):
        raise DecodeError("blob_element", "an element is not below r")
    return values
