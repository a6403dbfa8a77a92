"""EcGFp5 in expressions: elements of GF(p^5), and the complete addition of the group.

A group element is affine, (x, u) with u = x/y; the neutral is (0, 0). The addition formulas are
complete for all pairs of group elements (Pornin, eprint 2022/274, section 4), so no case is left
out and no operands have to be shown different. Mirrors `spec/crypto/curve.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from novate.circuit.columns import Column
from novate.circuit.expressions import Expression, lift, select, total
from novate.spec.crypto import curve, quintic

DEGREE: Final = 5
Quintic = Sequence[Expression]
"""Five expressions: an element of GF(p^5) = GF(p)[z] / (z^5 − 3)."""


class Affine(NamedTuple):
    """A group element in a row."""

    x: Quintic
    u: Quintic


NEUTRAL: Final = Affine([lift(0)] * DEGREE, [lift(0)] * DEGREE)
B: Final = [lift(value) for value in curve.B]


def plus(a: Quintic, b: Quintic) -> list[Expression]:
    """a + b."""
    return [left + right for left, right in zip(a, b, strict=True)]


def minus(a: Quintic, b: Quintic) -> list[Expression]:
    """a − b."""
    return [left - right for left, right in zip(a, b, strict=True)]


def times(a: Quintic, b: Quintic) -> list[Expression]:
    """a · b, with z^5 = 3."""
    result = []
    for place in range(DEGREE):
        low = [a[k] * b[place - k] for k in range(place + 1)]
        high = [a[k] * b[place + DEGREE - k] for k in range(place + 1, DEGREE)]
        result.append(total(low) + total(high) * 3 if high else total(low))
    return result


def times_b(a: Quintic) -> list[Expression]:
    """b · a with b = 263·z."""
    factor = curve.B_OVER_Z
    return [a[4] * (3 * factor), *(value * factor for value in a[:4])]


def scaled(a: Quintic, factor: Expression | int) -> list[Expression]:
    """a times a base-field factor."""
    return [value * factor for value in a]


def addition(left: Affine, right: Affine, result: Affine) -> list[Expression]:
    """Zero exactly if left ⊕ right = result: ten rules of degree 5."""
    xx, uu = times(left.x, right.x), times(left.u, right.u)
    sums = plus(left.x, right.x)
    even = plus(xx, B)
    odd = times(scaled(uu, 2), plus(times_b(sums), even))
    both = plus(sums, even)
    cross = plus(both, times(scaled(uu, 2), both))
    # Z = even − odd and T = even + odd are never zero for group elements.
    x = minus(times(result.x, minus(even, odd)), times_b(minus(cross, even)))
    slopes = times(plus(left.u, right.u), minus(B, xx))
    return [*x, *minus(times(result.u, plus(even, odd)), slopes)]


def choose(condition: Expression, yes: Affine, no: Affine) -> Affine:
    """`yes` where the condition is 1, `no` where it is 0."""
    x = [select(condition, a, b) for a, b in zip(yes.x, no.x, strict=True)]
    u = [select(condition, a, b) for a, b in zip(yes.u, no.u, strict=True)]
    return Affine(x, u)


def differences(left: Affine, right: Affine) -> list[Expression]:
    """Zero exactly if both are the same."""
    return [*minus(left.x, right.x), *minus(left.u, right.u)]


def below(columns: Sequence[Column]) -> list[Expression]:
    """Columns in the row below."""
    return [column.next for column in columns]


def named(prefix: str, values: Quintic) -> dict[str, Expression | int]:
    """Fields of a message for a quintic."""
    return {f"{prefix}_{place}": value for place, value in enumerate(values)}


def fields(*prefixes: str) -> dict[str, int | None]:
    """Fields of a bus for quintics."""
    return {f"{prefix}_{place}": None for prefix in prefixes for place in range(DEGREE)}


class Element(NamedTuple):
    """A group element in numbers."""

    x: quintic.Quintic
    u: quintic.Quintic


def affine(point: curve.Point) -> Element:
    """The affine form of a point."""
    x = quintic.mul(point.X, quintic.inverse_or_zero(point.Z))
    return Element(x, quintic.mul(point.U, quintic.inverse_or_zero(point.T)))


def point_of(element: Element) -> curve.Point:
    """The point with this affine form."""
    return curve.Point(element.x, quintic.ONE, element.u, quintic.ONE)


def sum_of(left: Element, right: Element) -> Element:
    """left ⊕ right."""
    return affine(curve.add_points(point_of(left), point_of(right)))


def put(columns: dict[str, list[int]], prefix: str, values: Sequence[int]) -> None:
    """Append a quintic (or any few values) to the columns `prefix_0`, `prefix_1`, …"""
    for place, value in enumerate(values):
        columns.setdefault(f"{prefix}_{place}", []).append(value)
