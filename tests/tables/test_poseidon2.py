"""The permutation tables against the specification, and every column of them tampered with."""

from __future__ import annotations

from random import Random

import pytest

from novate.circuit.checker import broken, check_buses
from novate.circuit.columns import Origin
from novate.circuit.expressions import P
from novate.circuit.form import TableForm, compile_table
from novate.circuit.witness import Trace, fill, messages
from novate.spec.crypto.poseidon2 import WIDTH_12, permute
from novate.spec.crypto.sponge import compress
from novate.tables.poseidon2 import Poseidon2Width8, Poseidon2Width12

WIDTH_8_FORM = compile_table(Poseidon2Width8())
WIDTH_12_FORM = compile_table(Poseidon2Width12())
ACTIVE, LOG_ROWS = 5, 3


def filled(form: TableForm, width: int) -> tuple[list[list[int]], Trace]:
    """Random inputs and their trace; each active row is asked for once."""
    random = Random(width)
    rows = [[random.randrange(P) for _ in range(width)] for _ in range(ACTIVE)]
    primary = {f"state_{k}": [row[k] for row in rows] for k in range(width)}
    trace = fill(form, primary, LOG_ROWS)
    for number, column in enumerate(form.columns):
        if column.origin == Origin.MULTIPLICITY:
            trace[number][:ACTIVE] = [1] * ACTIVE
    return rows, trace


def test_width_8_is_the_specifications_compression() -> None:
    rows, trace = filled(WIDTH_8_FORM, 8)
    for row, ((bus, fields), count) in zip(rows, messages(WIDTH_8_FORM, trace), strict=True):
        left, right = (row[0], row[1], row[2], row[3]), (row[4], row[5], row[6], row[7])
        assert (bus, count) == ("compress", -1)
        assert fields == (*row, *compress(left, right))


def test_width_12_is_the_specifications_permutation() -> None:
    rows, trace = filled(WIDTH_12_FORM, 12)
    found = dict(messages(WIDTH_12_FORM, trace))
    for row in rows:
        output = permute(row, WIDTH_12)
        assert found[("absorb", (*row, *output[8:]))] == -1
        assert found[("squeeze", (*row, *output[:4]))] == -1
    assert len(found) == 2 * ACTIVE


def test_columns_and_degree() -> None:
    """94 and 130 columns of the permutation, one of multiplicities a bus."""
    assert len(WIDTH_8_FORM.columns) == 95
    assert len(WIDTH_12_FORM.columns) == 132
    assert WIDTH_8_FORM.next_columns == WIDTH_12_FORM.next_columns == ()


@pytest.mark.parametrize("form, width", [(WIDTH_8_FORM, 8), (WIDTH_12_FORM, 12)])
def test_every_column_is_bound_in_every_kind_of_row(form: TableForm, width: int) -> None:
    """First, interior, last active, padding and last row."""
    _, trace = filled(form, width)
    assert broken(form, trace) == []
    balance = check_buses([form], [trace])
    rows = (0, 2, ACTIVE - 1, ACTIVE, (1 << LOG_ROWS) - 1)
    for number, column in enumerate(form.columns):
        kept = list(trace[number])
        for row in rows:
            trace[number][row] = (kept[row] + 1) % P
        if column.origin == Origin.MULTIPLICITY:
            assert len(check_buses([form], [trace])) > len(balance)
        else:
            assert {row for _, row in broken(form, trace)} == set(rows)
        trace[number] = kept
