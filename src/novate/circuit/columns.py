"""Columns of a table: where a value comes from, and what bounds it.

A *primary* column is filled from the journal; everything else follows from it by the witness
program, which is data that the Rust core runs. `derived` columns carry their own rule: the column
equals the expression. Hints (limbs, bits, quotients, inverses) do not: other rules must pin them
down. `scan` columns follow from the row above.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from novate.circuit.expressions import Expression, Interval, Operator, lift

LIMB_BITS: Final = 16
"""Range checks look limbs of this width up in one table."""
CHECKED_BITS_MAX: Final = 63
"""Wider values need a canonical check against p, which a table writes as rules of its own."""


class Origin(IntEnum):
    """How a column's values come to be; the numbers are those of the compiled form."""

    PRIMARY = 0
    EXPRESSION = 1
    """The value of an expression in this row."""
    LIMB = 2
    """Bits `shift` to `shift + bits` of an expression's canonical value."""
    QUOTIENT = 3
    """Of the canonical values of two expressions, rounded down; 0 if the divisor is 0."""
    REMAINDER = 4
    INVERSE = 5
    """1 / expression; 0 of 0."""
    SCAN = 6
    """In the first row one expression; in any other the second one, read in the row above."""
    MULTIPLICITY = 7
    """How often other rows send the message that this row receives."""


@dataclass(frozen=True)
class Source:
    """An origin with its operands."""

    origin: Origin
    operands: tuple[Expression, ...] = ()
    shift: int = 0
    bits: int = 0


class Column(Expression):
    """A column, read in this row."""

    operator = Operator.COLUMN
    degree = 1

    def __init__(self, source: Source, bits: int | None, checked: bool) -> None:
        """`bits`: the value is below 2^bits; `checked`: by a rule or lookups of this column."""
        if bits is not None and not 1 <= bits <= 64:
            raise ValueError(f"bits = {bits}, 1 to 64")
        if checked and bits is not None and bits > CHECKED_BITS_MAX:
            raise ValueError(f"bits = {bits}, a checked column has at most {CHECKED_BITS_MAX}")
        self.name = ""
        self.source = source
        self.bits = bits
        self.checked = checked
        self.interval = None if bits is None else Interval(0, (1 << bits) - 1)
        self.padding = 0
        self._next: Next | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        """A column is called as the attribute it is bound to first."""
        self.name = self.name or name

    @property
    def next(self) -> Next:
        """The column in the row below."""
        if self._next is None:
            self._next = Next(self)
        return self._next


class Next(Expression):
    """A column, read in the row below."""

    operator = Operator.NEXT
    degree = 1

    def __init__(self, column: Column) -> None:
        """Bounds are the column's."""
        self.column = column
        self.interval = column.interval


class Columns(tuple[Column, ...]):
    """Columns of one kind under one name: `state` names `state_0`, `state_1`, …"""

    def __set_name__(self, owner: type, name: str) -> None:
        """Name each by its place."""
        for place, column in enumerate(self):
            column.name = column.name or f"{name}_{place}"


def column(bits: int | None = None, padding: int = 0) -> Column:
    """A primary column. With `bits`, every row is checked to be below 2^bits.

    `padding` is its value in the rows that the journal does not fill.
    """
    made = Column(Source(Origin.PRIMARY), bits, bits is not None)
    made.padding = padding
    return made


def columns(count: int, bits: int | None = None) -> Columns:
    """`count` primary columns."""
    return Columns(column(bits) for _ in range(count))


def flag(padding: int = 0) -> Column:
    """A primary column of zeros and ones."""
    return column(1, padding)


def derived(expression: Expression | int, check_bits: int | None = None) -> Column:
    """A column equal to an expression, by its own rule.

    Its bound is the expression's; where that says too little (a difference, say), `check_bits` has
    every row checked to be below 2^check_bits.
    """
    value = lift(expression)
    bits = check_bits
    if bits is None and value.interval is not None and value.interval.fits(64):
        bits = max(1, value.interval.high.bit_length())
    return Column(Source(Origin.EXPRESSION, (value,)), bits, check_bits is not None)


def derive_all(expressions: Iterable[Expression]) -> Columns:
    """A derived column for each expression."""
    return Columns(derived(expression) for expression in expressions)


def limb(value: Expression, shift: int, bits: int) -> Column:
    """Hint: bits `shift` to `shift + bits` of a value, checked to be below 2^bits."""
    return Column(Source(Origin.LIMB, (value,), shift, bits), bits, True)


def bits_of(value: Expression, count: int) -> Columns:
    """Hints: the lowest `count` bits of a value, each checked to be a bit."""
    return Columns(limb(value, place, 1) for place in range(count))


def quotient(dividend: Expression, divisor: Expression, bits: int) -> Column:
    """Hint: dividend / divisor rounded down, checked to be below 2^bits."""
    return Column(Source(Origin.QUOTIENT, (dividend, divisor)), bits, True)


def remainder(dividend: Expression, divisor: Expression, bits: int) -> Column:
    """Hint: what the division leaves, checked to be below 2^bits."""
    return Column(Source(Origin.REMAINDER, (dividend, divisor)), bits, True)


def inverse(value: Expression) -> Column:
    """Hint: 1 / value, or 0 of 0."""
    return Column(Source(Origin.INVERSE, (value,)), None, False)


def multiplicity() -> Column:
    """Hint: how often the message that this row receives is sent."""
    return Column(Source(Origin.MULTIPLICITY), None, False)


def scan(
    first: Expression | int, step: Callable[[Column], Expression], bits: int | None = None
) -> Column:
    """A column that starts at `first` and goes on to `step(itself)`, both by its own rules.

    `step` is read in the row above: it says what stands in the row below from the columns of this
    row and, with `.next`, of the row below. `bits` is what the table's author shows to hold.
    """
    made = Column(Source(Origin.SCAN, (lift(first),)), bits, False)
    made.source = Source(Origin.SCAN, (lift(first), step(made)))
    return made


def limbs_below(bits: int) -> Iterator[tuple[int, int]]:
    """(shift, width) of the limbs of a value below 2^bits, from the lowest."""
    for shift in range(0, bits, LIMB_BITS):
        yield shift, min(LIMB_BITS, bits - shift)
