"""Arithmetic of the verifier: a deliberate second writing of field, points and multilinears.

F: p = 2^64 − 2^32 + 1. K = F[X] / (X^3 − X − 1), a tuple of three integers. A point lists its
coordinates from the most significant bit of an index on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

P = 2**64 - 2**32 + 1
ROOT_OF_UNITY = 1753635133440165772
"""Of order 2^32."""
ELEMENT_BYTES = 8
K = tuple[int, int, int]
ZERO: K = (0, 0, 0)
ONE: K = (1, 0, 0)


def add(a: K, b: K) -> K:
    """a + b."""
    return (a[0] + b[0]) % P, (a[1] + b[1]) % P, (a[2] + b[2]) % P


def sub(a: K, b: K) -> K:
    """a − b."""
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P, (a[2] - b[2]) % P


def mul(a: K, b: K) -> K:
    """a · b, with X^3 = X + 1 and X^4 = X^2 + X."""
    d3 = a[1] * b[2] + a[2] * b[1]
    d4 = a[2] * b[2]
    return (
        (a[0] * b[0] + d3) % P,
        (a[0] * b[1] + a[1] * b[0] + d3 + d4) % P,
        (a[0] * b[2] + a[1] * b[1] + a[2] * b[0] + d4) % P,
    )


def scale(a: K, factor: int) -> K:
    """a times an element of F."""
    return a[0] * factor % P, a[1] * factor % P, a[2] * factor % P


def lift(value: int) -> K:
    """An element of F as one of K."""
    return value % P, 0, 0


def total(values: Iterator[K]) -> K:
    """The sum."""
    result = ZERO
    for value in values:
        result = add(result, value)
    return result


def product(values: Iterator[K]) -> K:
    """The product."""
    result = ONE
    for value in values:
        result = mul(result, value)
    return result


def eq(a: Sequence[K], b: Sequence[K]) -> K:
    """Π (2·a·b − a − b + 1): 1 where two corners are the same, 0 where they differ."""
    return product(add(sub(scale(mul(x, y), 2), add(x, y)), ONE) for x, y in zip(a, b, strict=True))


def corner(index: int, bits: int) -> list[K]:
    """The coordinates of an index, most significant bit first."""
    return [lift(index >> place & 1) for place in range(bits - 1, -1, -1)]


def powers_point(z: K, variables: int) -> list[K]:
    """(z^(2^(n−1)), …, z^2, z): where a multilinear is the univariate with its coefficients."""
    point = [z]
    for _ in range(variables - 1):
        point.append(mul(point[-1], point[-1]))
    return point[:variables][::-1]


def successor(a: Sequence[K], y: Sequence[K]) -> K:
    """1 where corner y follows corner a (the last is followed by itself), else 0; multilinear."""
    carry, done, ones = ONE, ZERO, ONE
    for x, z in zip(reversed(a), reversed(y), strict=True):
        both = mul(x, z)
        done = add(mul(done, eq([x], [z])), mul(carry, sub(z, both)))
        carry = mul(carry, sub(x, both))
        ones = mul(ones, both)
    return add(done, ones)


def evaluate(values: Sequence[K], point: Sequence[K]) -> K:
    """The multilinear with these values at the corners, at a point."""
    row = list(values)
    for coordinate in point:
        half = len(row) // 2
        row = [
            add(low, mul(coordinate, sub(high, low)))
            for low, high in zip(row[:half], row[half:], strict=True)
        ]
    return row[0]


def interpolate(values: Sequence[K], x: K) -> K:
    """The polynomial of least degree with these values at 0, 1, 2, …, at x."""
    result = ZERO
    for place, value in enumerate(values):
        numerator, denominator = value, 1
        for other in range(len(values)):
            if other != place:
                numerator = mul(numerator, sub(x, lift(other)))
                denominator = denominator * (place - other) % P
        result = add(result, scale(numerator, pow(denominator, P - 2, P)))
    return result
