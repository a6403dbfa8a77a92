"""One changed cell of a valid trace: what the checker reports, found from what depends on the cell.

`novate.circuit.checker` runs every rule in every row. A changed cell can only matter to nodes that
read its column, in its row and in the row above (which reads it as the row below). `Table` computes
just those, so that thousands of cells take seconds, and reports in the checker's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from novate.circuit.checker import BusFailure, Failure, RuleFailure
from novate.circuit.columns import Origin
from novate.circuit.expressions import Operator, P
from novate.circuit.form import TableForm, columns_read
from novate.circuit.witness import Trace

Cell = tuple[int, int]
"""A column and a row."""
Told = dict[tuple[str, tuple[int, ...]], int]
"""Messages with their signed counts."""


class TableTrace:
    """A table with a valid trace, its cells to be changed one at a time."""

    def __init__(self, form: TableForm, trace: Trace, publics: Mapping[str, int]) -> None:
        """The trace is read, never written."""
        self.form = form
        self.trace = trace
        self.rows = len(trace[0])
        self.publics = [publics[name] for name in form.publics]
        self.below = frozenset(form.next_columns)
        """Columns that are read in the row below."""
        self.reads = {rule.node: sorted(columns_read(form, (rule.node,))) for rule in form.rules}
        """Columns of each rule, by its node."""
        told = [(i, columns_read(form, (*i.fields, i.times))) for i in form.interactions]
        every = range(len(form.columns))
        self._rules = [[r for r in form.rules if c in self.reads[r.node]] for c in every]
        self._interactions = [[i for i, columns in told if c in columns] for c in every]
        self._dependent = _dependent_nodes(form)
        self._valid: dict[int, dict[int, int]] = {}

    def report(self, cell: Cell, value: int) -> list[Failure]:
        """What fails with another value in a cell: rules, and messages without their match."""
        column, row = cell
        changed = {cell: value}
        failures: list[Failure] = []
        told: Told = {}
        for at in (row - 1, row) if row and column in self.below else (row,):
            failures += self._broken(column, at, changed)
            for sign, cells in ((-1, {}), (1, changed)):
                for message, count in self._told(column, at, cells):
                    told[message] = told.get(message, 0) + sign * count
        for (bus, fields), count in sorted(told.items()):
            if count:
                failures.append(BusFailure(bus, fields, max(count, 0), max(-count, 0)))
        return failures

    def is_free(self, cell: Cell, values: Iterable[int]) -> bool:
        """Whether no value of a cell can fail. `values`: more distinct ones than any degree.

        Rules and counts are polynomials of a degree below the number of values in the cell alone:
        zero at all of them, they are zero everywhere.
        """
        return not any(self.report(cell, value) for value in values)

    def _broken(self, column: int, row: int, changed: Mapping[Cell, int]) -> list[Failure]:
        """Rules that do not hold in a row."""
        look = self._look(column, row, changed)
        return [
            RuleFailure(self.form.name, row, rule.label, look.seen(rule.node))
            for rule in self._rules[column]
            if look.value(rule.node)
        ]

    def _told(
        self, column: int, row: int, changed: Mapping[Cell, int]
    ) -> list[tuple[tuple[str, tuple[int, ...]], int]]:
        """Messages of a row that depend on a column, with their counts unless these are zero."""
        look = self._look(column, row, changed)
        found = []
        for interaction in self._interactions[column]:
            count = look.value(interaction.times)
            if count:
                fields = tuple(look.value(field) for field in interaction.fields)
                signed = count if count <= P // 2 else count - P
                found.append(((interaction.bus, fields), signed))
        return found

    def _look(self, column: int, row: int, changed: Mapping[Cell, int]) -> Look:
        """A row of the trace, changed or not. Nodes that do not read the column are kept."""
        valid = Look(self, row, {}, self._valid.setdefault(row, {}), None)
        if not changed:
            return valid
        return Look(self, row, changed, {}, (valid, self._dependent[column]))


class Look(NamedTuple):
    """The nodes of a table in one row."""

    table: TableTrace
    row: int
    changed: Mapping[Cell, int]
    known: dict[int, int]
    rest: tuple[Look, set[int]] | None
    """Where the nodes outside of a set are looked up."""

    def seen(self, node: int) -> dict[str, int]:
        """The columns that a rule reads, as the checker shows them."""
        below = min(self.row + 1, self.table.rows - 1)
        found = {}
        for column in self.table.reads[node]:
            name = self.table.form.columns[column].name
            found[name] = self.cell(column, self.row)
            if column in self.table.below:
                found[f"{name}'"] = self.cell(column, below)
        return found

    def cell(self, column: int, row: int) -> int:
        """A cell."""
        return self.changed.get((column, row), self.table.trace[column][row])

    def value(self, place: int) -> int:
        """A node; operands stand before it, so recursion ends."""
        if self.rest is not None and place not in self.rest[1]:
            return self.rest[0].value(place)
        if place not in self.known:
            self.known[place] = self._compute(place)
        return self.known[place]

    def _compute(self, place: int) -> int:
        """`value`, computed."""
        operator, left, right = self.table.form.nodes[place]
        last = self.row == self.table.rows - 1
        if operator == Operator.COLUMN:
            return self.cell(left, self.row)
        if operator == Operator.NEXT:
            return self.cell(left, self.row if last else self.row + 1)
        if operator == Operator.PUBLIC:
            return self.table.publics[left] % P
        if operator == Operator.CONSTANT:
            return left
        if operator < Operator.ADD:
            selectors = {Operator.FIRST: self.row == 0, Operator.LAST: last}
            return int(selectors.get(operator, not last))
        a, b = self.value(left), self.value(right)
        if operator == Operator.ADD:
            return (a + b) % P
        return (a - b) % P if operator == Operator.SUBTRACT else a * b % P


def _dependent_nodes(form: TableForm) -> list[set[int]]:
    """Of each column, the nodes that read it."""
    found: list[set[int]] = [set() for _ in form.columns]
    read: list[frozenset[int]] = []
    for place, (operator, left, right) in enumerate(form.nodes):
        if operator in (Operator.COLUMN, Operator.NEXT):
            read.append(frozenset((left,)))
        elif operator >= Operator.ADD:
            read.append(read[left] | read[right])
        else:
            read.append(frozenset())
        for column in read[place]:
            found[column].add(place)
    return found


def filled_rows(form: TableForm, primary: Mapping[str, list[int]], rows: int) -> int:
    """Rows that are no padding: those given, or all where nothing is."""
    given = [len(primary[c.name]) for c in form.columns if c.origin == Origin.PRIMARY]
    return max(given, default=rows)
