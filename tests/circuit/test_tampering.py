"""Every column of every table of `signed_updates`, changed in every kind of row, is noticed.

A changed cell is reported by a rule, with table, row, label and values, or by a message that is no
longer sent as often as received. What is not noticed is in `FREE`, exactly: cells that a row has no
use for, shown to be free of any consequence whatever they hold. So padding rows are inert: they
send nothing but look-ups of what they hold in checked columns, and take nothing from anyone.
"""

from __future__ import annotations

import re
from random import Random
from typing import NamedTuple

import pytest

from novate.circuit.checker import BusFailure, RuleFailure, check_rules
from novate.circuit.expressions import P
from novate.circuit.form import DEGREE_MAX
from novate.circuit.witness import Trace, messages
from novate.proof.prover import Prover
from novate.tables.signed_updates import Witness, witness
from tests.circuit.tampering import TableTrace, filled_rows
from tests.tables.test_signed_updates import DOMAIN, PROFILE, RELATION, updates_of

NAMES = [form.name for form in RELATION.forms]
COLUMNS = 595
"""Of all tables."""


class Free(NamedTuple):
    """Columns that hold anything in rows without some flags."""

    without: tuple[str, ...]
    columns: tuple[str, ...]
    reason: str


FREE: dict[str, tuple[Free, ...]] = {
    "key_windows": (
        Free(
            ("starts",), ("w", "root", "named_times"), "a key is shown to be one in its first row"
        ),
        Free(
            ("starts", "continues"),
            ("key_x", "key_u", "x", "u", "times"),
            "no key's row: offers nothing, and the row below adds nothing to it",
        ),
    ),
    "multiply_key": (
        Free(
            ("steps",),
            ("x2", "u2", "x4", "u4", "x8", "u8", "x16", "u16", "multiple_x", "multiple_u"),
            "nothing is doubled or added",
        ),
        Free(("ends",), ("times",), "only the end of a run offers a result"),
        Free(("starts", "steps", "ends"), ("number", "x", "u"), "no run's row"),
    ),
    "multiply_base": (
        Free(("steps",), ("multiple_x", "multiple_u"), "nothing is added"),
        Free(("ends",), ("times",), "only the end of a run offers a result"),
        Free(("starts", "steps", "ends"), ("x", "u"), "no run's row"),
    ),
    "signature": (
        Free(
            ("active",),
            ("number", "key", "digest", "w", "capacity", "unused", "times"),
            "no signature: nothing is asked for or offered",
        ),
    ),
    "merkle_update": (
        Free(("active",), ("level", "index", "old", "new"), "no node: nothing is hashed or sent"),
    ),
    "cancel_all": (
        Free(
            ("active",),
            (
                *("account", "owner", "key", "cash", "allowed", "forced", "old", "new", "digest"),
                *("old_capacity", "new_capacity", "message_capacity"),
            ),
            "no message: nothing is hashed, signed or changed",
        ),
    ),
}
"""Of tables that are not here, no cell is free."""


@pytest.fixture(name="made", scope="module")
def _made() -> tuple[Witness, list[Trace]]:
    """Three messages, two of one key, in tables of more rows than they take."""
    found = witness(DOMAIN, *updates_of(3))
    traces = Prover(RELATION, PROFILE).fill(found.primary, found.publics)
    return found, [trace.tolist() for trace in traces]


def tampered(made: tuple[Witness, list[Trace]], name: str) -> tuple[TableTrace, list[int], int]:
    """A table, the rows to change: first, interior, last filled, padding, last; rows filled."""
    place = NAMES.index(name)
    (primary, publics), traces = made
    table = TableTrace(RELATION.forms[place], traces[place], publics)
    filled = filled_rows(table.form, primary[name], table.rows)
    rows = {0, filled // 2, filled - 1, min(filled, table.rows - 1), table.rows - 1}
    return table, sorted(rows), filled


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_is_noticed_or_free(made: tuple[Witness, list[Trace]], name: str) -> None:
    table, rows, _ = tampered(made, name)
    random = Random(name)
    for row in rows:
        found = set()
        for number, column in enumerate(table.form.columns):
            cell = number, row
            kept = table.trace[number][row]
            failures = table.report(cell, (kept + random.randrange(1, P)) % P)
            for failure in failures:
                if isinstance(failure, RuleFailure):
                    assert failure.table == name and failure.row in (row - 1, row)
                    assert column.name in failure.values or f"{column.name}'" in failure.values
            if not failures:
                values = [(kept + step) % P for step in range(1, DEGREE_MAX + 2)]
                assert table.is_free(cell, values), column.name
                found.add(column.name)
        assert found == listed(table, row), f"row {row}"


def listed(table: TableTrace, row: int) -> set[str]:
    """The columns of a row that `FREE` lists."""
    numbers = {column.name: number for number, column in enumerate(table.form.columns)}
    found = set()
    for entry in FREE.get(table.form.name, ()):
        if not any(table.trace[numbers[flag]][row] for flag in entry.without):
            found |= {name for name in numbers if re.sub(r"_\d+$", "", name) in entry.columns}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_padding_tells_nothing(made: tuple[Witness, list[Trace]], name: str) -> None:
    """Its messages are look-ups in the range table."""
    table, _, filled = tampered(made, name)
    publics = made[0].publics
    padding = [values[filled:] for values in table.trace]
    if padding[0]:
        assert {bus for (bus, _), _ in messages(table.form, padding, publics)} <= {"range16"}


@pytest.mark.parametrize("name", NAMES)
def test_reports_are_the_checkers(made: tuple[Witness, list[Trace]], name: str) -> None:
    """The same rules in the same words, and the same messages, as from checking whole traces."""
    table, rows, _ = tampered(made, name)
    publics = made[0].publics
    before = told(table, table.trace, publics)
    random = Random(name)
    for number in random.sample(range(len(table.form.columns)), min(2, len(table.form.columns))):
        row = random.choice(rows)
        value = random.randrange(P)
        changed = [list(values) for values in table.trace]
        changed[number][row] = value
        after = told(table, changed, publics)
        unmatched = {
            message: after.get(message, 0) - before.get(message, 0)
            for message in before.keys() | after.keys()
            if after.get(message, 0) != before.get(message, 0)
        }
        failures = table.report((number, row), value)
        rules = [failure for failure in failures if isinstance(failure, RuleFailure)]
        buses = [failure for failure in failures if isinstance(failure, BusFailure)]
        assert sorted(rules) == sorted(check_rules(table.form, changed, publics))
        assert {(f.bus, f.fields): f.sent - f.received for f in buses} == unmatched


def told(
    table: TableTrace, trace: Trace, publics: dict[str, int]
) -> dict[tuple[str, tuple[int, ...]], int]:
    """The messages of a whole table with their counts."""
    found: dict[tuple[str, tuple[int, ...]], int] = {}
    for message, count in messages(table.form, trace, publics):
        found[message] = found.get(message, 0) + count
    return found


def test_no_table_is_left_out() -> None:
    assert sum(len(form.columns) for form in RELATION.forms) == COLUMNS
    assert set(FREE) < set(NAMES)
