"""EcGFp5: a group of prime order n on the curve y^2 = x^3 + 2x^2 + 263·z·x over GF(p^5).

The group is the set of curve points that are not of odd order: the n-torsion shifted by the
point N = (0, 0) of order two. N is the neutral element and the law is P ⊕ Q = P + Q + N. Every
element has affine coordinates, its x is not a square (or is 0 for the neutral), and the slope
w = y/x (0 for the neutral) identifies it: w is the encoding.

A point is held as fractions: x = X/Z and u = x/y = 1/w = U/T (u = 0 for the neutral). With these
the addition formulas are complete: they hold for every pair of elements, equal, opposite or
neutral. Not constant-time: for public data and for the definition only.
Source: Pornin, "EcGFp5: a Specialized Elliptic Curve", eprint 2022/274, sections 3 and 4.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from novate.spec.crypto import quintic
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.quintic import ONE, ZERO, Quintic, add, mul, scale, square, sub
from novate.spec.crypto.scalar import N
from novate.spec.rounding import div_up


class Point(NamedTuple):
    """A group element as fractions: x = X/Z and x/y = U/T; Z and T are never zero."""

    X: Quintic
    Z: Quintic
    U: Quintic
    T: Quintic


A: Final = 2
"""The curve's x^2 coefficient."""

B_OVER_Z: Final = 263
"""The curve's x coefficient is b = 263·z."""

B: Final[Quintic] = (0, B_OVER_Z, 0, 0, 0)

NEUTRAL: Final = Point(ZERO, ONE, ZERO, ONE)

GENERATOR: Final = Point(
    X=(
        12883135586176881569,
        4356519642755055268,
        5248930565894896907,
        2165973894480315022,
        2448410071095648785,
    ),
    Z=ONE,
    U=ONE,
    T=(4, 0, 0, 0, 0),
)
"""The conventional generator: the point whose encoding is w = 4."""

WINDOW_BITS: Final = 4
SCALAR_WINDOWS: Final = div_up(N.bit_length(), WINDOW_BITS)


def mul_by_b(a: Quintic) -> Quintic:
    """b · a with b = 263·z: the coefficients move up one place, the last folds with z^5 = 3."""
    a0, a1, a2, a3, a4 = a
    return (
        3 * B_OVER_Z * a4 % P,
        B_OVER_Z * a0 % P,
        B_OVER_Z * a1 % P,
        B_OVER_Z * a2 % P,
        B_OVER_Z * a3 % P,
    )


def is_neutral(point: Point) -> bool:
    """Whether the point is the neutral element (u = 0)."""
    return point.U == ZERO


def equal(left: Point, right: Point) -> bool:
    """Whether two points are the same element: u alone identifies it."""
    return mul(left.U, right.T) == mul(right.U, left.T)


def negate(point: Point) -> Point:
    """The opposite element: same x, opposite y and so opposite u."""
    return point._replace(U=quintic.neg(point.U))


def add_points(left: Point, right: Point) -> Point:
    """left ⊕ right, by the complete addition formulas (10 multiplications)."""
    xx = mul(left.X, right.X)
    zz = mul(left.Z, right.Z)
    uu = mul(left.U, right.U)
    tt = mul(left.T, right.T)
    xz = sub(sub(mul(add(left.X, left.Z), add(right.X, right.Z)), xx), zz)
    ut = sub(sub(mul(add(left.U, left.T), add(right.U, right.T)), uu), tt)
    b_zz = mul_by_b(zz)
    total = add(xx, b_zz)
    even = mul(tt, total)
    odd = mul(uu, scale(add(mul_by_b(xz), total), 2))
    cross = mul(add(tt, scale(uu, A)), add(xz, total))
    return Point(
        X=mul_by_b(sub(cross, even)),
        Z=sub(even, odd),
        U=mul(ut, sub(b_zz, xx)),
        T=add(even, odd),
    )


def double(point: Point) -> Point:
    """point ⊕ point (5 multiplications and 4 squarings); complete too."""
    zt = mul(point.Z, point.T)
    ztt = mul(zt, point.T)
    denominator = mul(zt, point.U)
    slope = sub(ztt, mul(scale(add(point.X, point.Z), 2), square(point.U)))
    denominator_squared = square(denominator)
    slope_squared = square(slope)
    return Point(
        X=mul_by_b(scale(denominator_squared, 4)),
        Z=slope_squared,
        U=scale(mul(slope, denominator), 2),
        T=sub(scale(sub(square(ztt), scale(denominator_squared, 2)), 2), slope_squared),
    )


def window(point: Point) -> tuple[Point, ...]:
    """The 16 multiples 0·point, 1·point, ..., 15·point."""
    multiples = [NEUTRAL]
    for _ in range((1 << WINDOW_BITS) - 1):
        multiples.append(add_points(multiples[-1], point))
    return tuple(multiples)


def digit(scalar: int, place: int) -> int:
    """Digit `place` of a scalar >= 0 written in base 16."""
    return (scalar >> (WINDOW_BITS * place)) & ((1 << WINDOW_BITS) - 1)


def multiply(scalar: int, point: Point) -> Point:
    """scalar · point for any integer scalar >= 0, by windows of four bits from the top."""
    multiples = window(point)
    result = NEUTRAL
    for place in range(div_up(scalar.bit_length(), WINDOW_BITS) - 1, -1, -1):
        for _ in range(WINDOW_BITS):
            result = double(result)
        result = add_points(result, multiples[digit(scalar, place)])
    return result


@cache
def generator_windows() -> tuple[tuple[Point, ...], ...]:
    """For each base-16 place of a scalar the window of 16^place · G; computed once."""
    windows = []
    base = GENERATOR
    for _ in range(SCALAR_WINDOWS):
        windows.append(window(base))
        base = add_points(windows[-1][-1], base)
    return tuple(windows)


def multiply_generator(scalar: int) -> Point:
    """scalar · G for a scalar in [0, n): one addition per base-16 digit, no doubling."""
    result = NEUTRAL
    for place, multiples in enumerate(generator_windows()):
        result = add_points(result, multiples[digit(scalar, place)])
    return result


def encode(point: Point) -> Quintic:
    """The encoding w = y/x = T/U, 0 for the neutral; the same for every form of one element."""
    return mul(point.T, quintic.inverse_or_zero(point.U))


def decode(w: Quintic) -> Point | None:
    """The element encoded by w; None if a coefficient is >= p or no element has this encoding.

    With y = w·x the curve becomes x^2 - (w^2 - 2)·x + b = 0. The product of the two roots is b,
    not a square, so exactly one root is not a square: it is the x of a group element.
    """
    if not quintic.is_canonical(w):
        return None
    if w == ZERO:
        return NEUTRAL
    roots_sum = sub(square(w), (A, 0, 0, 0, 0))
    discriminant = sub(square(roots_sum), scale(B, 4))
    difference = quintic.sqrt(discriminant)
    if difference is None:
        return None
    x = quintic.half(add(roots_sum, difference))
    if quintic.is_square(x):
        x = sub(roots_sum, x)
    return Point(X=x, Z=ONE, U=ONE, T=w)
