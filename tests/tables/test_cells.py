"""What `bench.cells` counts of the tables there are, asserted exactly."""

from __future__ import annotations

from bench.cells import (
    PLANNED,
    cells,
    columns,
    inner_nodes,
    once,
    padded,
    parts,
    signature_rows,
    total,
    updated,
)
from bench.cells_flow import Load
from novate.spec.presets import MAIN
from novate.tables.constants import LAW_CONTENTS


def test_columns_of_every_table() -> None:
    found = {table: count for table, count in columns().items() if table not in PLANNED}
    assert found == {
        "multiply_key": 74,
        "multiply_base": 40,
        "signature": 112,
        "key_windows": 36,
        "base_windows": 24,
        "range16": 2,
        "poseidon2_8": 95,
        "poseidon2_12": 132,
        "merkle_update": 29,
        "batch": 31,
        "openings": 25,
        "normal_tail": 15,
        "logarithm": 15,
        "sag_share": 13,
        "vol_shock": 13,
    }


def test_cells_of_a_signature() -> None:
    """A key that signs again, and one that signs for the first time."""
    signature, windows = signature_rows()
    assert (cells(signature), cells(windows)) == (4_458, 576)


def test_cells_of_an_update() -> None:
    """Rows of a real multi-update are the nodes above its leaves; two permutations each."""
    found = updated(occupied=1 << 12, updates=50)
    assert (found.rows, found.permutations) == (337, 2 * 337)
    assert inner_nodes([0, 1, 2], 3) == 2 + 1 + 1
    assert inner_nodes([5], MAIN.account_depth) == MAIN.account_depth


def test_cells_once_a_batch() -> None:
    rows = once()
    constants = {content.name: rows[content.name] for content in LAW_CONTENTS}
    hashing = {"poseidon2_12": rows["poseidon2_12"]}
    assert cells(constants) + cells(hashing) == 159_128
    assert cells(rows) == 159_128 + 131_072 + 393_216 + 64 * (31 + 25)


def test_every_part_grows_with_what_it_counts() -> None:
    """One fill between two accounts; the sum of parts is the batch, and padding only adds."""
    one = Load(
        flow="one",
        fills=1,
        rounds=1,
        taker_orders=1,
        maker_orders=0,
        sheets=1,
        quotes_a_sheet=2,
        quotes_used=1,
        keys=2,
        accounts=(3, 4),
        positions=(1, 1),
        groups=((3, 0), (4, 1)),
        margin_rows=2,
        priced=1,
        open_instruments=1,
    )
    by_name = {part.name: part.cells for part in parts(one)}
    assert by_name["signatures of orders and sheets"] == 2 * 5_034
    assert by_name["order and sheet messages hashed"] == (3 + 3) * 132
    assert by_name["account tree"] == (2 + 2 + 22) * (29 + 2 * 95)
    assert by_name["slot trees of the accounts"] == 14 * (29 + 2 * 95)
    assert by_name["account leaves hashed"] == 2 * 2 * 3 * 132
    assert sum(by_name.values()) == total(one) <= padded(one)
