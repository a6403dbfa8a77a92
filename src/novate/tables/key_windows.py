"""All d · Q of a signing key Q, d = 0 … 15: sixteen rows a key, shared by all its signatures.

The first row shows Q to be a group element: w = 1/u, x on the curve with that slope, x no square.
"""

from __future__ import annotations

from typing import Final

from novate.circuit.buses import Bus, Interaction, receive
from novate.circuit.columns import Column, columns, flag, multiplicity, scan
from novate.circuit.expressions import FIRST, TRANSITION, Expression, lift, select
from novate.circuit.tables import Table, rule
from novate.spec.crypto import curve, quintic
from novate.spec.primitives import PublicKey
from novate.tables.curve import (
    DEGREE,
    Affine,
    B,
    Element,
    addition,
    affine,
    below,
    differences,
    fields,
    minus,
    named,
    plus,
    put,
    scaled,
    sum_of,
    times,
)

WINDOW_BITS: Final = 4
DIGITS: Final = 1 << WINDOW_BITS
NON_SQUARE: Final = 7
"""No square in GF(p), and so none in an extension of odd degree."""

KEY: Final = Bus("key", number=None, **fields("w"))
"""A key's number in this table, and its encoding."""
KEY_WINDOW: Final = Bus("key_window", number=None, digit=None, **fields("x", "u"))
"""(number, digit) and digit · Q."""


def key_number(starts: Column) -> Column:
    """Keys are numbered from 1 in the order they start: no two have one number."""
    return scan(starts, lambda above: above + starts.next)


def digit_of(starts: Column) -> Column:
    """From 0 at a key's start."""
    return scan(0, lambda above: select(starts.next, 0, above + 1))


class KeyWindows(Table):
    """Row d of a key's sixteen holds d · Q."""

    name = "key_windows"
    starts = flag()
    """The first row of a key."""
    key_x, key_u = columns(DEGREE), columns(DEGREE)
    w = columns(DEGREE)
    root = columns(DEGREE)
    """x = 7 · root²: no square."""
    x, u = columns(DEGREE), columns(DEGREE)
    continues = flag()
    """Any other row of a key."""
    number = key_number(starts)
    digit = digit_of(starts)
    named_times = multiplicity()
    times = multiplicity()

    @rule()
    def starts_or_continues(self) -> Expression:
        """Not both."""
        return self.starts * self.continues

    @rule(on=TRANSITION)
    def continues_a_key(self) -> Expression:
        """Only a row of a key can be continued."""
        return self.continues.next * (1 - self.starts - self.continues)

    @rule(on=FIRST)
    def continues_nothing(self) -> Expression:
        """There is no row above the first."""
        return self.continues

    @rule()
    def starts_at_the_neutral(self) -> list[Expression]:
        """0 · Q."""
        return [self.starts * value for value in (*self.x, *self.u)]

    @rule()
    def slope(self) -> list[Expression]:
        """w = 1/u: the key is not the neutral, and w is its encoding."""
        one = [lift(1), *[lift(0)] * (DEGREE - 1)]
        return scaled(minus(times(self.w, self.key_u), one), self.starts)

    @rule()
    def on_the_curve(self) -> list[Expression]:
        """x² − (w² − 2)·x + b = 0."""
        two = [lift(curve.A), *[lift(0)] * (DEGREE - 1)]
        inner = minus(self.key_x, minus(times(self.w, self.w), two))
        return scaled(plus(times(inner, self.key_x), B), self.starts)

    @rule()
    def no_square(self) -> list[Expression]:
        """Of the two x with this slope the group's is the one that is no square."""
        square = scaled(times(self.root, self.root), NON_SQUARE)
        return scaled(minus(self.key_x, square), self.starts)

    @rule(on=TRANSITION)
    def keeps_the_key(self) -> list[Expression]:
        """In all rows of a key."""
        kept = differences(
            Affine(below(self.key_x), below(self.key_u)), Affine(self.key_x, self.key_u)
        )
        return [self.continues.next * difference for difference in kept]

    @rule(on=TRANSITION)
    def adds_the_key(self) -> list[Expression]:
        """The next multiple."""
        after = Affine(below(self.x), below(self.u))
        rules = addition(Affine(self.x, self.u), Affine(self.key_x, self.key_u), after)
        return [self.continues.next * zero for zero in rules]

    def messages(self) -> list[Interaction]:
        """The key by number, once a first row says it is one; the multiple."""
        point = named("x", self.x) | named("u", self.u)
        rows = self.starts + self.continues
        return [
            receive(KEY, self.starts * self.named_times, number=self.number, **named("w", self.w)),
            receive(KEY_WINDOW, rows * self.times, number=self.number, digit=self.digit, **point),
        ]


def window(key: Element) -> list[Element]:
    """0 · Q to 15 · Q."""
    found = [Element(quintic.ZERO, quintic.ZERO)]
    while len(found) < DIGITS:
        found.append(sum_of(found[-1], key))
    return found


def element_of(key: PublicKey) -> Element:
    """The affine form of a key. ValueError if it is none."""
    point = curve.decode(key)
    if point is None or curve.is_neutral(point):
        raise ValueError(f"key {key} is no group element, or the neutral one")
    return affine(point)


def fill(keys: list[PublicKey]) -> dict[str, list[int]]:
    """The primary columns for keys; key k is number k + 1."""
    found: dict[str, list[int]] = {"starts": [], "continues": []}
    for key in keys:
        element = element_of(key)
        seventh = quintic.inverse_or_zero((NON_SQUARE, 0, 0, 0, 0))
        root = quintic.sqrt(quintic.mul(element.x, seventh))
        if root is None:
            raise ValueError(f"key {key}: x is a square")
        for digit, point in enumerate(window(element)):
            found["starts"].append(int(digit == 0))
            found["continues"].append(int(digit > 0))
            put(found, "key_x", element.x)
            put(found, "key_u", element.u)
            put(found, "w", key)
            put(found, "root", root)
            put(found, "x", point.x)
            put(found, "u", point.u)
    return found
