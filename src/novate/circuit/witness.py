"""The witness program, run readably: from primary columns to a whole trace.

The Rust core runs the same program on large traces; this runner defines what it computes and is
what small tests use. A trace is a list of columns of elements, all of one power-of-two length.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from novate.circuit.columns import Origin
from novate.circuit.expressions import Operator, P
from novate.circuit.form import CircuitError, TableForm

Trace = list[list[int]]
"""By column, then row."""
Message = tuple[str, tuple[int, ...]]
"""A bus and the fields."""
ROWS_LOG_MAX: Final = 26


class Values:
    """Values of the nodes of one table, a node at a time over all rows."""

    def __init__(self, form: TableForm, trace: Trace, rows: int, publics: Sequence[int]) -> None:
        """Columns not yet computed are empty lists."""
        self.form = form
        self.trace = trace
        self.rows = rows
        self.publics = publics
        self._kept: dict[int, list[int]] = {}

    def of(self, place: int) -> list[int]:
        """The value of a node in every row."""
        if place not in self._kept:
            self._kept[place] = self._compute(place)
        return self._kept[place]

    def _compute(self, place: int) -> list[int]:
        """`of`, computed."""
        operator, left, right = self.form.nodes[place]
        rows = self.rows
        if operator == Operator.COLUMN:
            return self.trace[left]
        if operator == Operator.NEXT:
            column = self.trace[left]
            return [*column[1:], column[-1]]
        if operator == Operator.PUBLIC:
            return [self.publics[left] % P] * rows
        if operator == Operator.CONSTANT:
            return [left] * rows
        if operator == Operator.FIRST:
            return [1] + [0] * (rows - 1)
        if operator == Operator.LAST:
            return [0] * (rows - 1) + [1]
        if operator == Operator.TRANSITION:
            return [1] * (rows - 1) + [0]
        pairs = zip(self.of(left), self.of(right), strict=True)
        if operator == Operator.ADD:
            return [(a + b) % P for a, b in pairs]
        if operator == Operator.SUBTRACT:
            return [(a - b) % P for a, b in pairs]
        return [a * b % P for a, b in pairs]

    def at(self, place: int, row: int, above: int) -> int:
        """The value of a node read in row `above` with the row below it being `row`."""
        operator, left, right = self.form.nodes[place]
        if operator == Operator.COLUMN:
            return self.trace[left][above]
        if operator == Operator.NEXT:
            return self.trace[left][row]
        if operator < Operator.ADD:
            return self.of(place)[above]
        a, b = self.at(left, row, above), self.at(right, row, above)
        if operator == Operator.ADD:
            return (a + b) % P
        return (a - b) % P if operator == Operator.SUBTRACT else a * b % P


def fill(
    form: TableForm,
    primary: Mapping[str, Sequence[int]],
    log_rows: int,
    publics: Mapping[str, int] | None = None,
) -> Trace:
    """The trace of one table; multiplicities are left 0 (`count_lookups` fills them).

    CircuitError unless exactly the primary columns are given, of one length up to the height.
    """
    rows = _require_shape(form, primary, log_rows)
    given = [(publics or {})[name] for name in form.publics]
    trace: Trace = [[] for _ in form.columns]
    values = Values(form, trace, rows, given)
    for number in form.order:
        column = form.columns[number]
        if column.origin == Origin.PRIMARY:
            filled = [value % P for value in primary[column.name]]
            trace[number] = filled + [column.padding % P] * (rows - len(filled))
        elif column.origin == Origin.MULTIPLICITY:
            trace[number] = [0] * rows
        elif column.origin == Origin.SCAN:
            _scan(values, number)
        else:
            operands = [values.of(place) for place in column.operands]
            shape = (column.shift, column.bits)
            rows_of = zip(*operands, strict=True)
            trace[number] = [_hint(column.origin, row, *shape) for row in rows_of]
    return trace


def _require_shape(form: TableForm, primary: Mapping[str, Sequence[int]], log_rows: int) -> int:
    """The number of rows. CircuitError if what is given does not fit."""
    names = {c.name for c in form.columns if c.origin == Origin.PRIMARY}
    if set(primary) != names:
        raise CircuitError(f"{form.name}: columns given {sorted(primary)}, primary {sorted(names)}")
    if not 0 <= log_rows <= ROWS_LOG_MAX:
        raise CircuitError(f"{form.name}: log_rows = {log_rows}, 0 to {ROWS_LOG_MAX}")
    lengths = {len(values) for values in primary.values()}
    if len(lengths) > 1 or max(lengths, default=0) > 1 << log_rows:
        raise CircuitError(f"{form.name}: rows given {sorted(lengths)}, max {1 << log_rows}")
    return 1 << log_rows


def _hint(origin: Origin, row: Sequence[int], shift: int, bits: int) -> int:
    """One value of a derived or hint column from the operands' canonical values."""
    if origin == Origin.EXPRESSION:
        return row[0]
    if origin == Origin.LIMB:
        return row[0] >> shift & (1 << bits) - 1
    if origin == Origin.INVERSE:
        return pow(row[0], P - 2, P)
    dividend, divisor = row
    if divisor == 0:
        return 0 if origin == Origin.QUOTIENT else dividend
    return dividend // divisor if origin == Origin.QUOTIENT else dividend % divisor


def _scan(values: Values, number: int) -> None:
    """A column that follows from the row above."""
    first, step = values.form.columns[number].operands
    column = values.trace[number]
    column.append(values.at(first, 0, 0))
    for row in range(1, values.rows):
        column.append(values.at(step, row, row - 1))


def messages(
    form: TableForm, trace: Trace, publics: Mapping[str, int] | None = None
) -> list[tuple[Message, int]]:
    """Every message of a table with its signed count, zero counts left out, row by row."""
    rows = len(trace[0])
    values = Values(form, trace, rows, [(publics or {})[name] for name in form.publics])
    found = []
    for interaction in form.interactions:
        fields = [values.of(place) for place in interaction.fields]
        counts = values.of(interaction.times)
        for row, count in enumerate(counts):
            if count:
                signed = count if count <= P // 2 else count - P
                found.append(((interaction.bus, tuple(field[row] for field in fields)), signed))
    return found


def count_lookups(
    forms: Sequence[TableForm], traces: Sequence[Trace], publics: Mapping[str, int] | None = None
) -> None:
    """Fill every multiplicity column: how often the message its row receives is sent.

    Of rows that receive equal messages the first takes all.
    """
    sent: Counter[Message] = Counter()
    for form, trace in zip(forms, traces, strict=True):
        for message, count in messages(form, trace, publics):
            sent[message] += count
    for form, trace in zip(forms, traces, strict=True):
        for number, column in enumerate(form.columns):
            if column.origin == Origin.MULTIPLICITY:
                _count_rows(form, trace, number, sent, publics)


def _count_rows(
    form: TableForm,
    trace: Trace,
    number: int,
    sent: Counter[Message],
    publics: Mapping[str, int] | None,
) -> None:
    """One multiplicity column: found by setting it to one and reading what is then received."""
    rows = len(trace[0])
    trace[number] = [1] * rows
    values = Values(form, trace, rows, [(publics or {})[name] for name in form.publics])
    for interaction in form.interactions:
        if interaction.weight or not _reads(form, interaction.times, number):
            continue
        fields = [values.of(place) for place in interaction.fields]
        counts = values.of(interaction.times)
        for row in range(rows):
            message = (interaction.bus, tuple(field[row] for field in fields))
            trace[number][row] = sent.pop(message, 0) if counts[row] else 0


def _reads(form: TableForm, place: int, column: int) -> bool:
    """Whether a node depends on a column."""
    operator, left, right = form.nodes[place]
    if operator == Operator.COLUMN:
        return left == column
    return operator >= Operator.ADD and (_reads(form, left, column) or _reads(form, right, column))
