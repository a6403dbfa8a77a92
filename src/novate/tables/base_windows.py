"""All d · 256^k · G: what a response is multiplied out of. Shown by addition from G, not hashed.

One row a (place k, digit d). Within a place each row adds the place's base; the sum of the last row
is the base of the next place. The content is a constant, but no constant is needed to compare it
with: the rules admit exactly this content. Digits of 8 bits rather than 4 halve the rows of
`multiply_base` for 344,064 cells more once a proof: they are won back from 216 signatures on.
"""

from __future__ import annotations

from functools import cache

from novate.circuit.buses import Bus, Interaction, receive
from novate.circuit.columns import Column, columns, flag, multiplicity, scan
from novate.circuit.expressions import FIRST, TRANSITION, Expression, lift, select
from novate.circuit.tables import Table, rule
from novate.spec.crypto import curve, quintic
from novate.tables.curve import (
    DEGREE,
    NEUTRAL,
    Affine,
    Element,
    addition,
    affine,
    below,
    choose,
    differences,
    fields,
    named,
    sum_of,
)

WINDOW_BITS = 8
DIGITS = 1 << WINDOW_BITS
PLACES = 40
"""Of 8 bits: 320 bits hold every scalar below n."""
LOG_ROWS = 14
"""40 places of 256 digits; the rows after them go on with 256^40 · G."""
BASE_WINDOW = Bus("base_window", place=None, digit=None, **fields("x", "u"))
"""(place, digit) and digit · 256^place · G."""


def digit_of(last: Column) -> Column:
    """From 0 at the start of a place."""
    return scan(0, lambda above: select(last, 0, above + 1))


def place_of(last: Column) -> Column:
    """Places so far."""
    return scan(0, lambda above: above + last)


class BaseWindows(Table):
    """Row 256·k + d holds d · 256^k · G, and 256^k · G to add."""

    name = "base_windows"
    base_x, base_u = columns(DEGREE), columns(DEGREE)
    x, u = columns(DEGREE), columns(DEGREE)
    last = flag()
    """The row of the place's last digit."""
    digit = digit_of(last)
    place = place_of(last)
    times = multiplicity()

    @rule()
    def last_digit(self) -> Expression:
        """Only digit 255 ends a place. One that goes on past it is still a true multiple."""
        return self.last * (self.digit - (DIGITS - 1))

    @rule(on=FIRST)
    def starts_at_the_generator(self) -> list[Expression]:
        """Place 0 adds G, from the neutral on."""
        generator = affine(curve.GENERATOR)
        base = Affine([lift(v) for v in generator.x], [lift(v) for v in generator.u])
        start = differences(Affine(self.x, self.u), NEUTRAL)
        return [*differences(Affine(self.base_x, self.base_u), base), *start]

    @rule(on=TRANSITION)
    def adds_the_base(self) -> list[Expression]:
        """The sum is the next multiple, or after the last one the next place's base."""
        after = choose(self.last, self._base_below(), self._point_below())
        return addition(Affine(self.x, self.u), Affine(self.base_x, self.base_u), after)

    @rule(on=TRANSITION)
    def keeps_the_base(self) -> list[Expression]:
        """Within a place."""
        kept = differences(self._base_below(), Affine(self.base_x, self.base_u))
        return [(1 - self.last) * difference for difference in kept]

    @rule(on=TRANSITION)
    def starts_a_place(self) -> list[Expression]:
        """Each place starts at the neutral."""
        return [self.last * value for value in (*self._point_below().x, *self._point_below().u)]

    def _base_below(self) -> Affine:
        """The base of the row below."""
        return Affine(below(self.base_x), below(self.base_u))

    def _point_below(self) -> Affine:
        """The multiple of the row below."""
        return Affine(below(self.x), below(self.u))

    def messages(self) -> list[Interaction]:
        """The multiple, as often as it is looked up."""
        point = named("x", self.x) | named("u", self.u)
        return [receive(BASE_WINDOW, self.times, place=self.place, digit=self.digit, **point)]


def fill() -> dict[str, list[int]]:
    """The primary columns, which are the same in every proof."""
    return {name: list(values) for name, values in zip(PRIMARY, content(), strict=True)}


@cache
def content() -> tuple[tuple[int, ...], ...]:
    """The values of the columns `PRIMARY`; seconds to compute, once."""
    base, point = affine(curve.GENERATOR), NEUTRAL_ELEMENT
    rows = []
    for row in range(1 << LOG_ROWS):
        last = row % DIGITS == DIGITS - 1
        rows.append((*base.x, *base.u, *point.x, *point.u, int(last)))
        after = sum_of(point, base)
        base, point = (after, NEUTRAL_ELEMENT) if last else (base, after)
    return tuple(zip(*rows, strict=True))


NEUTRAL_ELEMENT = Element(quintic.ZERO, quintic.ZERO)
PRIMARY = [f"{n}_{k}" for n in ("base_x", "base_u", "x", "u") for k in range(DEGREE)] + ["last"]
