"""Expressions over the columns of a table: what rules say and what derived columns are.

An expression is a polynomial over the field p = 2^64 − 2^32 + 1 in the columns of a row, of the row
below it, in public values and in the row selectors. Nodes are immutable and compared by identity;
`compile` merges equal ones.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

P: Final = 2**64 - 2**32 + 1
"""The Goldilocks prime."""


class Operator(IntEnum):
    """What a node does; the numbers are those of the compiled form."""

    COLUMN = 0
    """The column in this row."""
    NEXT = 1
    """The column in the row below; in the last row, the column itself."""
    PUBLIC = 2
    """A public value."""
    CONSTANT = 3
    FIRST = 4
    """1 in the first row, else 0."""
    LAST = 5
    TRANSITION = 6
    """1 in every row but the last."""
    ADD = 7
    SUBTRACT = 8
    MULTIPLY = 9


class Interval(NamedTuple):
    """Integers that an expression lies between, if its columns keep their bounds."""

    low: int
    high: int

    def fits(self, bits: int) -> bool:
        """Whether all of it is in [0, 2^bits)."""
        return self.low >= 0 and self.high < 1 << bits


class Expression:
    """A node. `interval` is None where nothing is known: an element of the field."""

    operator: Operator
    interval: Interval | None
    degree: int
    """Degree in columns and selectors, as the prover counts it."""

    def __add__(self, other: Expression | int) -> Expression:
        """The sum."""
        return Binary(Operator.ADD, self, lift(other))

    def __radd__(self, other: int) -> Expression:
        """The sum."""
        return Binary(Operator.ADD, lift(other), self)

    def __sub__(self, other: Expression | int) -> Expression:
        """The difference."""
        return Binary(Operator.SUBTRACT, self, lift(other))

    def __rsub__(self, other: int) -> Expression:
        """The difference."""
        return Binary(Operator.SUBTRACT, lift(other), self)

    def __mul__(self, other: Expression | int) -> Expression:
        """The product."""
        return Binary(Operator.MULTIPLY, self, lift(other))

    def __rmul__(self, other: int) -> Expression:
        """The product."""
        return Binary(Operator.MULTIPLY, lift(other), self)

    def __neg__(self) -> Expression:
        """Zero minus this."""
        return lift(0) - self

    def __pow__(self, exponent: int) -> Expression:
        """A small positive power, by squaring."""
        if exponent < 1:
            raise ValueError(f"exponent = {exponent}, at least 1")
        if exponent == 1:
            return self
        half = self ** (exponent // 2)
        square = half * half
        return square * self if exponent % 2 else square


class Constant(Expression):
    """A number."""

    operator = Operator.CONSTANT
    degree = 0

    def __init__(self, value: int) -> None:
        """The value as written; the field element is `value % P`."""
        self.value = value
        self.interval = Interval(value, value)


class Public(Expression):
    """A public value of the statement."""

    operator = Operator.PUBLIC
    degree = 0

    def __init__(self, name: str, bits: int | None = None) -> None:
        """The verifier checks nothing but that it is an element; `bits` is the caller's promise."""
        self.name = name
        self.interval = None if bits is None else Interval(0, (1 << bits) - 1)


class Selector(Expression):
    """First row, last row, or every row but the last."""

    degree = 1
    interval = Interval(0, 1)

    def __init__(self, operator: Operator) -> None:
        """FIRST, LAST or TRANSITION."""
        self.operator = operator


class Binary(Expression):
    """A sum, difference or product."""

    def __init__(self, operator: Operator, left: Expression, right: Expression) -> None:
        """Bounds and degree follow from the operands'."""
        self.operator = operator
        self.left = left
        self.right = right
        self.interval = _combine(operator, left.interval, right.interval)
        product = operator == Operator.MULTIPLY
        degrees = left.degree, right.degree
        self.degree = sum(degrees) if product else max(degrees)


def _combine(operator: Operator, left: Interval | None, right: Interval | None) -> Interval | None:
    """The interval of a sum, difference or product; None if either is unknown."""
    if left is None or right is None:
        return None
    if operator == Operator.ADD:
        return Interval(left.low + right.low, left.high + right.high)
    if operator == Operator.SUBTRACT:
        return Interval(left.low - right.high, left.high - right.low)
    corners = [a * b for a in left for b in right]
    return Interval(min(corners), max(corners))


def lift(value: Expression | int) -> Expression:
    """An expression for a number; an expression as it is."""
    return value if isinstance(value, Expression) else Constant(value)


FIRST: Final = Selector(Operator.FIRST)
LAST: Final = Selector(Operator.LAST)
TRANSITION: Final = Selector(Operator.TRANSITION)


def total(terms: list[Expression]) -> Expression:
    """The sum of one term or more."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def select(condition: Expression, yes: Expression | int, no: Expression | int) -> Expression:
    """`yes` where the condition is 1, `no` where it is 0."""
    return lift(no) + condition * (lift(yes) - no)
