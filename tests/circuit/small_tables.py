"""Three small tables that use every kind of column; the range table completes them."""

from __future__ import annotations

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import (
    bits_of,
    column,
    derived,
    flag,
    inverse,
    multiplicity,
    quotient,
    remainder,
    scan,
)
from novate.circuit.expressions import LAST, Expression, P, Public, total
from novate.circuit.tables import Table, rule

SQUARE = Bus("square", value=31, square=62)


class Squares(Table):
    """One row a number and its square, offered on a bus."""

    name = "squares"
    value = column(31)
    square = derived(value * value)
    times = multiplicity()

    def messages(self) -> list[Interaction]:
        """The pair."""
        return [receive(SQUARE, self.times, value=self.value, square=self.square)]


class Sums(Table):
    """Running sum of squares of the active rows; the last one is public."""

    name = "sums"
    active = flag()
    value = column(31)
    square = column(62)
    added = derived(active * square)
    running = scan(added, lambda above, added=added: above + added.next)

    @rule(on=LAST)
    def published(self) -> Expression:
        """The sum is what the statement says."""
        return self.running - Public("sum")

    def messages(self) -> list[Interaction]:
        """Ask for the square."""
        return [send(SQUARE, self.active, value=self.value, square=self.square)]


class Division(Table):
    """Quotient and remainder, and whether the value is zero."""

    name = "division"
    value = column(40)
    divisor = column(16, padding=1)
    ratio = quotient(value, divisor, 40)
    rest = remainder(value, divisor, 16)
    room = derived(divisor - rest - 1, check_bits=16)
    inverted = inverse(value)
    is_zero = derived(1 - value * inverted)
    low = bits_of(divisor, 16)

    @rule()
    def divides(self) -> Expression:
        """value = ratio · divisor + rest, below 2^57: no wrap."""
        return self.value - self.ratio * self.divisor - self.rest

    @rule()
    def zero_or_inverse(self) -> list[Expression]:
        """Where the flag is set the value and its inverse are 0."""
        return [self.value * self.is_zero, self.inverted * self.is_zero]

    @rule()
    def low_bits(self) -> Expression:
        """The bits are the divisor's."""
        return self.divisor - total([bit * (1 << k) for k, bit in enumerate(self.low)])


VALUES = [3, 2**31 - 1, 3, 0, 77_777]
"""What `Sums` sums the squares of."""
PUBLICS = {"sum": sum(value * value for value in VALUES) % P}
PRIMARY: dict[str, dict[str, list[int]]] = {
    "squares": {"value": sorted(set(VALUES))},
    "sums": {
        "active": [1] * len(VALUES),
        "value": VALUES,
        "square": [value * value for value in VALUES],
    },
    "division": {"value": [10**12, 0, 17], "divisor": [65_535, 7, 17]},
    "range16": {},
}
