"""A table: typed columns, labelled rules, messages on buses. One rule family a table.

class Product(Table):
    "One row a product."
    name = "product"
    left, right = column(31), column(31)
    result = derived(left * right)

    @rule()
    def not_too_large(self) -> Expression: ...

    def messages(self) -> list[Interaction]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

from novate.circuit.buses import RANGE, Interaction, send
from novate.circuit.columns import (
    LIMB_BITS,
    Column,
    Columns,
    Origin,
    limb,
    limbs_below,
)
from novate.circuit.expressions import FIRST, TRANSITION, Expression, Selector, total

RuleMethod = Callable[[Any], Expression | Iterable[Expression]]


class Rule(NamedTuple):
    """Expressions that are zero in every row."""

    label: str
    """`table/rule`: what an error, a tamper test and the page of the table call it."""
    expression: Expression
    text: str
    """Why, in a sentence."""


def rule(on: Selector | None = None) -> Callable[[RuleMethod], RuleMethod]:
    """Marks a method that returns what must be zero: in every row, or only on a selector's."""

    def mark(method: RuleMethod) -> RuleMethod:
        """The method, marked."""
        method.__dict__["rule_on"] = on
        method.__dict__["is_rule"] = True
        return method

    return mark


class Table:
    """Base of all tables. A subclass is its definition; an instance holds nothing more."""

    name: ClassVar[str]

    def messages(self) -> list[Interaction]:
        """What each row sends and receives."""
        return []

    def declared(self) -> Iterator[Column]:
        """Columns in the order of the class body."""
        seen: set[str] = set()
        for value in vars(type(self)).values():
            for found in _columns_in(value):
                if found.name not in seen:
                    seen.add(found.name)
                    yield found

    def rules(self) -> list[Rule]:
        """The rules of columns, then those written out, in the order of the class body."""
        found = [rule for column in self.declared() for rule in column_rules(self.name, column)]
        for name, method in vars(type(self)).items():
            if getattr(method, "is_rule", False):
                found += _method_rules(self, name, method)
        return found


def _columns_in(value: object) -> Iterable[Column]:
    """The columns of one attribute of a table."""
    if isinstance(value, Columns):
        return value
    return (value,) if isinstance(value, Column) else ()


def _method_rules(table: Table, name: str, method: RuleMethod) -> list[Rule]:
    """The rules of one marked method; several share a label and are told apart by number."""
    result = method(table)
    expressions = [result] if isinstance(result, Expression) else list(result)
    on = method.__dict__["rule_on"]
    text = (method.__doc__ or "").strip()
    label = f"{table.name}/{name}"
    many = len(expressions) > 1
    return [
        Rule(f"{label}_{place}" if many else label, value if on is None else on * value, text)
        for place, value in enumerate(expressions)
    ]


def column_rules(table: str, column: Column) -> list[Rule]:
    """The rules a column brings along: its expression, its steps, that a bit is one."""
    label = f"{table}/{column.name}"
    origin, operands = column.source.origin, column.source.operands
    bit = Rule(f"{label}_bit", column * (column - 1), "is 0 or 1")
    bits = [bit] if column.checked and column.bits == 1 else []
    if origin == Origin.EXPRESSION:
        return [Rule(label, column - operands[0], "equals its expression"), *bits]
    if origin == Origin.SCAN:
        first, step = operands
        return [
            Rule(f"{label}_first", FIRST * (column - first), "starts so"),
            Rule(f"{label}_step", TRANSITION * (column.next - step), "goes on so"),
        ]
    return bits


def range_check(column: Column) -> tuple[list[Column], list[Interaction]]:
    """Limb columns and lookups that show a checked column to be below 2^bits.

    The lowest limb is no column but what the others leave. A top limb of w < 16 bits is looked up
    twice, as it is and times 2^(16 − w): only a value below 2^w passes both.
    """
    if not column.checked or column.bits is None or column.bits == 1:
        return [], []
    extra: list[Column] = []
    values: list[tuple[Expression, int]] = []
    for place, (shift, width) in enumerate(limbs_below(column.bits)):
        if place:
            high = limb(column, shift, width)
            high.name = f"{column.name}_limb_{place}"
            extra.append(high)
            values.append((high, width))
        else:
            values.append((column, width))
    if extra:
        weighted = [high * (1 << LIMB_BITS * (place + 1)) for place, high in enumerate(extra)]
        values[0] = (column - total(list(weighted)), LIMB_BITS)
    lookups = []
    for value, width in values:
        lookups.append(look_up(value))
        if width < LIMB_BITS:
            lookups.append(look_up(value * (1 << (LIMB_BITS - width))))
    return extra, lookups


def look_up(value: Expression) -> Interaction:
    """Ask the range table whether a value is below 2^16. The bus cannot know it: that is asked."""
    return Interaction(RANGE, (value,), send(RANGE, value=0).times, 1)
