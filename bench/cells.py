"""Cells by table, counted from real statements, and from them the cells a fill of the whole law.

    python -m bench.cells [--occupied-log 20] [--updates 1000]

First what a signature, a permutation, an updated account and the constants take, by the rows that
the tables' own fills make. Then what batches of the flows of `bench.cells_flow` hold, and cells a
fill by part, for the largest batch whose tables, each padded to a height that is a power of two,
fit 2^26 cells. Last, what each lever would save.

Rows and permutations are counted; columns of tables that do not exist yet are the estimates of
`PLANNED`, and parts made with them are marked. Every figure is a count, the same on every machine.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from random import Random
from typing import Final, NamedTuple

from bench.cells_flow import DATA, MARKETS, Load, recorded, replayed, retail
from bench.common import Row, print_table, report
from novate.circuit.form import compile_table
from novate.native import NativePrimitives
from novate.spec import layout
from novate.spec.crypto import merkle, schnorr
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.poseidon2 import WIDTH_12
from novate.spec.messages.domain import Domain
from novate.spec.messages.oracle import Report
from novate.spec.messages.orders import Order, Quote, Sheet
from novate.spec.presets import MAIN, SLOT_GROUP
from novate.spec.primitives import Digest, SignatureCheck
from novate.spec.public_data.blob import COEFFICIENT_BYTES
from novate.spec.public_data.opening import LIMBS
from novate.spec.risk_parameters import MAIN_SCENARIOS
from novate.spec.smile import NODES
from novate.spec.state import EMPTY_SLOT, Account, ExpiryFields, Position
from novate.tables import base_windows, key_windows, merkle_update, multiply, range16, signature
from novate.tables.base_windows import BaseWindows
from novate.tables.batch import Batch, Openings
from novate.tables.constants import LAW_CONTENTS, ROWS_LOG_MIN, constant_table
from novate.tables.curve import DEGREE
from novate.tables.key_windows import KeyWindows
from novate.tables.merkle_update import MerkleUpdate
from novate.tables.multiply import MultiplyBase, MultiplyKey
from novate.tables.poseidon2 import DIGEST, Poseidon2Width8, Poseidon2Width12
from novate.tables.range16 import Range16
from novate.tables.signature import SignatureTable
from novate.tables.sponge import blocks_of

CAPACITY: Final = 1 << 26
"""Cells of a proof of the `main` profile."""
LIMIT: Final = 20_000
"""Cells a fill, to begin with."""
PLANNED: Final = {
    "order": 60,
    "quote_sheet": 60,
    "quote": 60,
    "fill": 60,
    "ledger": 15,
    "account": 80,
    "position": 50,
    "scenario_margin": 110,
    "scenario_price": 30,
    "open_instrument": 60,
    "oracle_report": 60,
    "blob_field": 600,
}
"""Columns of tables to come: the upper estimates of the plan, until there is something to count.

`blob_field` is a row 31 bytes of public data. `scenario_price` is a row an option and scenario."""
DATA_BYTES_A_FILL: Final = 12
"""The goal for `diff` data."""
ORACLE_KEYS: Final = MAIN.reports_max
EXPIRIES: Final = 12
SIZES: Final = (1_000, 2_000, 4_000, 8_000)
"""Fills of the batches that are shown beside the largest ones."""
DOMAIN: Final = Domain(1, 1, 1, 0, 0)


Flow = Callable[[int], Load]
Rows = Mapping[str, int]
"""Rows by table."""


class Part(NamedTuple):
    """Rows that serve one purpose."""

    name: str
    rows: Rows

    @property
    def cells(self) -> int:
        """Rows times columns."""
        return sum(columns()[table] * rows for table, rows in self.rows.items())

    @property
    def is_planned(self) -> bool:
        """Whether columns of some table are an estimate."""
        return not PLANNED.keys().isdisjoint(self.rows)


@cache
def columns() -> dict[str, int]:
    """Columns of every table, limbs of range checks included."""
    tables = [MultiplyKey(), MultiplyBase(), SignatureTable(), KeyWindows(), BaseWindows()]
    tables += [Range16(), Poseidon2Width8(), Poseidon2Width12(), MerkleUpdate()]
    tables += [Batch(), Openings(), *map(constant_table, LAW_CONTENTS)]
    return {table.name: len(compile_table(table).columns) for table in tables} | PLANNED


def merged(*rows: Rows) -> dict[str, int]:
    """Rows added up by table."""
    found: Counter[str] = Counter()
    for one in rows:
        found.update(one)
    return dict(found)


def times(count: int, rows: Rows) -> dict[str, int]:
    """Rows of so many."""
    return {table: count * number for table, number in rows.items()}


@cache
def signature_rows() -> tuple[Rows, Rows]:
    """Rows of a signature whose key has windows, and of a key's windows: from their fills."""
    secret = schnorr.secret_from_seed(b"\1")
    key, digest = schnorr.public_key(secret), (1, 2, 3, 4)
    check = SignatureCheck(key, digest, schnorr.sign(secret, digest))
    verdict, states = signature.fill([check], {key: 1})
    window = key_windows.window(key_windows.element_of(key))
    challenge = schnorr.challenge_integer(check.signature.e0, check.signature.e1)
    by_key = multiply.fill_key([(1, challenge, window)])
    by_base = multiply.fill_base([check.signature.s], base_windows.fill())
    rows = {
        "multiply_key": len(by_key["digit"]),
        "multiply_base": len(by_base["digit"]),
        "signature": len(verdict["active"]),
        "poseidon2_12": len(states),
    }
    return rows, {"key_windows": len(key_windows.fill([key])["starts"])}


def signed(signatures: int, keys: int) -> dict[str, int]:
    """Rows of signatures by so many keys."""
    one, windows = signature_rows()
    return merged(times(signatures, one), times(keys, windows))


def hashed(elements: int, count: int = 1) -> dict[str, int]:
    """Rows of hashing so many elements, so often."""
    return {"poseidon2_12": count * blocks_of(elements)}


def updated_nodes(count: int) -> dict[str, int]:
    """Rows of inner nodes, old and new."""
    return {"merkle_update": count, "poseidon2_8": 2 * count}


def cells(rows: Rows) -> int:
    """Cells of some rows."""
    return Part("", rows).cells


# Merkle updates


def inner_nodes(leaves: Sequence[int], depth: int) -> int:
    """Nodes above some leaves: rows of `merkle_update`."""
    return sum(len({leaf >> level for leaf in leaves}) for level in range(1, depth + 1))


class Updated(NamedTuple):
    """Rows of one multi-update, and its permutations, equal ones once."""

    rows: int
    permutations: int


def updated(occupied: int, updates: int) -> Updated:
    """A real update of a tree of the law's depth: random leaves among the occupied ones."""
    random, primitives = Random(1), NativePrimitives()
    leaves = {index: random_digest(random) for index in range(occupied)}
    tree = merkle.build(MAIN.account_depth, leaves, primitives.compress_many)
    changed = {index: random_digest(random) for index in random.sample(range(occupied), updates)}
    nodes = merkle_update.fill(merkle_update.changed_levels(tree, changed), tree)
    states = set()
    for when in ("old", "new"):
        names = [f"{when}_{side}_{k}" for side in ("left", "right") for k in range(4)]
        states |= set(zip(*(nodes[name] for name in names), strict=True))
    rows = len(nodes["active"])
    assert rows == inner_nodes(list(changed), tree.depth)
    return Updated(rows, len(states))


def random_digest(random: Random) -> Digest:
    """Four elements."""
    return random.randrange(P), random.randrange(P), random.randrange(P), random.randrange(P)


# What is hashed, by the law's own encodings


def order_elements() -> int:
    """Of a signed order."""
    return len(Order(0, 0, True, 1, 1, 0, 1, 0, 0).elements(DOMAIN, 0))


def sheet_elements(quotes: int) -> int:
    """Of a signed sheet."""
    return len(Sheet(0, 0, 1, 0, 0, (Quote(0, 0, 0, 0, 0),) * quotes).elements(DOMAIN, 0))


def leaf_elements(positions: int) -> int:
    """Of an account's leaf."""
    held = (Position(1, 1, 1, 0),) * positions
    return len(layout.account_elements(Account(owner=1, positions=held)))


def report_elements() -> int:
    """Of an oracle's report."""
    expiries = (ExpiryFields(1, 0, (1,) * NODES),) * EXPIRIES
    return len(Report(0, 0, 1, 0, 1, expiries).elements(1, 1))


def group_elements() -> int:
    """Of a group of slots."""
    return len(layout.slot_group_elements([EMPTY_SLOT] * SLOT_GROUP))


# Rows of a batch


def parts(load: Load) -> list[Part]:
    """Rows of a batch by purpose."""
    orders = load.taker_orders + load.maker_orders
    quotes = load.sheets * load.quotes_a_sheet
    touched = inner_nodes(load.accounts, MAIN.account_depth)
    return [
        Part("signatures of orders and sheets", signed(load.signatures, load.keys)),
        Part("order and sheet messages hashed", messages_hashed(load, orders)),
        Part(
            "orders, sheets, quotes", {"order": orders, "quote_sheet": load.sheets, "quote": quotes}
        ),
        Part("fills and ledger", {"fill": load.fills, "ledger": 2 * load.fills}),
        Part(
            "accounts and positions",
            {"account": len(load.accounts), "position": sum(load.positions)},
        ),
        Part("account leaves hashed", leaves_hashed(load)),
        Part("account tree", updated_nodes(touched)),
        Part("slot groups hashed", hashed(group_elements(), 2 * len(load.groups))),
        Part("slot trees of the accounts", updated_nodes(group_nodes(load))),
        Part("tree of slot trees", updated_nodes(touched)),
        Part("scenario margin", {"scenario_margin": load.margin_rows}),
        Part("scenario prices", {"scenario_price": load.priced * len(MAIN_SCENARIOS)}),
        Part("open instruments", instruments(load)),
        Part("oracle reports", reports(load)),
        Part("public data", public_data(load)),
        Part("constants and public values", once()),
    ]


def messages_hashed(load: Load, orders: int) -> dict[str, int]:
    """Orders, and whole sheets."""
    sheet = hashed(sheet_elements(load.quotes_a_sheet), load.sheets)
    return merged(hashed(order_elements(), orders), sheet)


def leaves_hashed(load: Load) -> dict[str, int]:
    """The leaf of each touched account, old and new."""
    return merged(*(hashed(leaf_elements(count), 2) for count in load.positions))


def group_nodes(load: Load) -> int:
    """Inner nodes above the changed groups of all accounts, up to each account's root."""
    leaves = [leaf << MAIN.slot_depth | group for leaf, group in load.groups]
    return inner_nodes(leaves, MAIN.slot_depth)


def instruments(load: Load) -> dict[str, int]:
    """Every open instrument is marked anew: its leaf is hashed twice, its tree is rebuilt twice."""
    count = load.open_instruments
    row = {"open_instrument": count, "poseidon2_12": 2 * count}
    return merged(row, updated_nodes(count))


def reports(load: Load) -> dict[str, int]:
    """A quorum of reports a market and round, each key's windows once."""
    count = MARKETS * load.rounds * (2 * ORACLE_KEYS // 3 + 1)
    signatures = signed(count, ORACLE_KEYS)
    return merged(signatures, hashed(report_elements(), count), {"oracle_report": count})


def public_data(load: Load) -> dict[str, int]:
    """31 bytes a row; D hashes five limbs of each."""
    chunks = -(-load.fills * DATA_BYTES_A_FILL // COEFFICIENT_BYTES)
    return merged({"blob_field": chunks}, hashed(LIMBS * chunks))


def once() -> dict[str, int]:
    """The same in every batch, at full height."""
    found = {"range16": 1 << range16.LOG_ROWS, "base_windows": 1 << base_windows.LOG_ROWS}
    found |= {content.name: 1 << content.log_rows for content in LAW_CONTENTS}
    found |= {"batch": 1 << ROWS_LOG_MIN, "openings": 1 << ROWS_LOG_MIN}
    return found | {"poseidon2_12": sum(content.rows for content in LAW_CONTENTS)}


def total(load: Load) -> int:
    """Cells of a batch, padding aside."""
    return sum(part.cells for part in parts(load))


def padded(load: Load, pieces: int = 1) -> int:
    """Cells with every table at a height that is a power of two, or in so many such pieces."""
    rows = merged(*(part.rows for part in parts(load)))
    return sum(columns()[table] * height(count, pieces) for table, count in rows.items())


def height(rows: int, pieces: int) -> int:
    """The fewest rows that are a sum of so many powers of two, from 2^`ROWS_LOG_MIN`; 0 for 0."""
    if rows <= 0:
        return 0
    whole = 1 << max(ROWS_LOG_MIN, (rows - 1).bit_length())
    if pieces == 1 or whole == 1 << ROWS_LOG_MIN:
        return whole
    return min(whole, whole // 2 + height(rows - whole // 2, pieces - 1))


def largest(flow: Flow, most: int) -> Load:
    """The batch with most fills that fits one proof, to one in a hundred."""
    low, high = 1, most + 1
    while high - low > max(1, low // 100):
        middle = (low + high) // 2
        low, high = (middle, high) if padded(flow(middle)) <= CAPACITY else (low, middle)
    return flow(low)


# Levers


class Lever(NamedTuple):
    """A change of tables or of the law, and the cells that a batch saves by it."""

    name: str
    saves: Callable[[Load], int]


def signatures_of(load: Load) -> int:
    """Of orders and sheets, and of oracles."""
    return load.signatures + reports(load)["oracle_report"]


def base_window_rows() -> tuple[int, int]:
    """Rows of the windows of G, and of windows of half as many bits."""
    digits = 1 << base_windows.WINDOW_BITS // 2
    narrower = 1 << (2 * base_windows.PLACES * digits - 1).bit_length()
    return 1 << base_windows.LOG_ROWS, narrower


def wide_base_windows(load: Load) -> int:
    """What windows of G of 8 bits save against 4: half the steps, more rows of windows."""
    steps = signature_rows()[0]["multiply_base"] - 1
    rows, narrower = base_window_rows()
    return cells({"multiply_base": signatures_of(load) * steps, "base_windows": narrower - rows})


def two_digits_a_row(load: Load) -> int:
    """Half the steps, with a second digit, multiple and sum in each."""
    before = signature_rows()[0]["multiply_base"]
    after = (before - 1) // 2 + 1
    wide = columns()["multiply_base"] + 1 + 4 * DEGREE
    return signatures_of(load) * (before * columns()["multiply_base"] - after * wide)


def one_tree(load: Load) -> int:
    """The root of an account's slots stands in its leaf: no second tree; four elements more."""
    tree = cells(updated_nodes(inner_nodes(load.accounts, MAIN.account_depth)))
    before = [blocks_of(leaf_elements(count)) for count in load.positions]
    after = [blocks_of(leaf_elements(count) + DIGEST) for count in load.positions]
    return tree - cells({"poseidon2_12": 2 * (sum(after) - sum(before))})


def shared_leaf_block(load: Load) -> int:
    """Owner and key fill the first block of a leaf: old and new share it if no length changes."""
    return cells({"poseidon2_12": len(load.accounts)})


def split_leaf(load: Load) -> int:
    """Owner, key, allowed owner and requests in a leaf of their own, by digest in the account's."""
    fixed = 3 + DEGREE + 3 + 2
    before = [blocks_of(leaf_elements(count)) for count in load.positions]
    after = [blocks_of(leaf_elements(count) - fixed + DIGEST) for count in load.positions]
    opened = blocks_of(fixed) * len(load.positions)
    return cells({"poseidon2_12": 2 * (sum(before) - sum(after)) - opened})


def nodes_of_four(load: Load) -> int:
    """Both trees with four children a node, hashed by a permutation of width 16."""
    permutation = 16 + 8 * 16 + len(WIDTH_12.partial) + 1
    node = columns()["merkle_update"] + 2 * (1 + 2 * DIGEST) + 2 * permutation
    leaves, depth = load.accounts, MAIN.account_depth
    fours = sum(len({leaf >> level for leaf in leaves}) for level in range(2, depth + 1, 2))
    return 2 * (cells(updated_nodes(inner_nodes(leaves, depth))) - fours * node)


def half_the_sheets(load: Load) -> int:
    """A sheet serves twice as many fills."""
    half = load._replace(sheets=load.sheets // 2)
    return total(load) - total(half)


def shared_paths(load: Load) -> int:
    """What one multi-update saves against a path for each account, in both trees."""
    alone = len(load.accounts) * MAIN.account_depth
    shared = inner_nodes(load.accounts, MAIN.account_depth)
    return 2 * cells(updated_nodes(alone - shared))


def cached_keys(load: Load) -> int:
    """What windows save that serve more than one signature."""
    return (load.signatures - load.keys) * cells(signature_rows()[1])


LEVERS: Final = (
    Lever("slots' root in the account's leaf: one tree", one_tree),
    Lever("multiply_base, two digits a row", two_digits_a_row),
    Lever("half as many sheets", half_the_sheets),
    Lever("leaf's first block hashed once", shared_leaf_block),
    Lever("what rarely changes in a leaf of its own", split_leaf),
    Lever("trees with four children a node", nodes_of_four),
    Lever("counted: windows of G of 8 bits, not 4", wide_base_windows),
    Lever("counted: paths shared in both trees", shared_paths),
    Lever("counted: windows of keys that sign again", cached_keys),
)


# What is printed


def table_rows() -> list[Row]:
    """Columns of the tables there are, and what one row or signature takes."""
    one, windows = signature_rows()
    found: list[Row] = [
        {"what": f"{table}, columns", "count": count}
        for table, count in columns().items()
        if table not in PLANNED
    ]
    fresh = cells(one) + cells(windows)
    constants = {content.name: 1 << content.log_rows for content in LAW_CONTENTS}
    constants["poseidon2_12"] = once()["poseidon2_12"]
    found += [
        {"what": f"signature, {table}", "rows": rows, "count": cells({table: rows})}
        for table, rows in {**one, **windows}.items()
    ]
    return [
        *found,
        {"what": "signature, cached key", "count": cells(one)},
        {"what": "signature, fresh key", "count": fresh},
        *window_rows(),
        {"what": "permutation, width 8", "rows": 1, "count": columns()["poseidon2_8"]},
        {"what": "permutation, width 12", "rows": 1, "count": columns()["poseidon2_12"]},
        {"what": "all constants, once a batch", "count": cells(constants)},
        {"what": "batch and openings", "count": cells({"batch": 64, "openings": 64})},
    ]


def window_rows() -> list[Row]:
    """Windows of G of 8 bits beside 4."""
    rows, (height, narrower) = signature_rows()[0]["multiply_base"], base_window_rows()
    more = cells({"base_windows": height - narrower})
    saved = cells({"multiply_base": rows - 1})
    two = columns()["multiply_base"] + 1 + 4 * DEGREE
    return [
        {"what": "windows of G", "rows": height, "count": cells({"base_windows": height})},
        {"what": "more than of 4 bits", "rows": height - narrower, "count": more},
        {"what": "less a signature than of 4 bits", "rows": rows - 1, "count": saved},
        {"what": "signatures that win it back", "count": -(-more // saved)},
        {"what": "multiply_base, two digits of 4 bits a row", "rows": rows, "count": rows * two},
    ]


def update_rows(occupied: int, updates: int) -> list[Row]:
    """A real multi-update."""
    found = updated(occupied, updates)
    used = {"merkle_update": found.rows, "poseidon2_8": found.permutations}
    return [
        {
            "what": f"{updates:,} updates, {occupied:,} occupied leaves",
            "rows an update": found.rows / updates,
            "permutations an update": found.permutations / updates,
            "cells an update": cells(used) / updates,
        }
    ]


def load_rows(loads: Sequence[Load]) -> list[Row]:
    """What batches hold."""
    return [
        {
            "flow": load.flow,
            "fills": load.fills,
            "rounds": load.rounds,
            "signatures": load.signatures,
            "a fill": load.signatures / load.fills,
            "a key": load.signatures / load.keys,
            "accounts": len(load.accounts),
            "fills an account": 2 * load.fills / len(load.accounts),
            "instruments": load.open_instruments,
            "positions an account": sum(load.positions) / len(load.accounts),
            "nodes an account": inner_nodes(load.accounts, MAIN.account_depth) / len(load.accounts),
            "cells a fill": round(total(load) / load.fills),
            "padded a fill": round(padded(load) / load.fills),
            "in two pieces": round(padded(load, pieces=2) / load.fills),
            "of a proof": padded(load) / CAPACITY,
        }
        for load in loads
    ]


def part_rows(loads: Sequence[Load]) -> list[Row]:
    """Cells a fill by purpose, a column a flow."""
    found: list[dict[str, object]] = []
    for place in range(len(parts(loads[0]))):
        chosen = [parts(load)[place] for load in loads]
        row: dict[str, object] = {"cells a fill": chosen[0].name}
        for load, part in zip(loads, chosen, strict=True):
            row[load.flow] = round(part.cells / load.fills)
        found.append(row | {"": "planned columns" if chosen[0].is_planned else ""})
    sums = {load.flow: round(total(load) / load.fills) for load in loads}
    return [*found, {"cells a fill": f"all (limit {LIMIT:,})", **sums}]


def lever_rows(loads: Sequence[Load]) -> list[Row]:
    """Cells a fill that each lever saves, by itself."""
    return [
        {
            "saved a fill": lever.name,
            **{load.flow: round(lever.saves(load) / load.fills) for load in loads},
        }
        for lever in LEVERS
    ]


def main(argv: Sequence[str]) -> int:
    """Print all tables, write build/bench/cells.json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--occupied-log", type=int, default=20)
    parser.add_argument("--updates", type=int, default=1_000)
    arguments = parser.parse_args(argv)
    tables = {
        "tables": table_rows(),
        "updates": update_rows(1 << arguments.occupied_log, arguments.updates),
    }
    if DATA.exists():
        tables |= flow_tables()
    else:
        print("recorded market data are not at hand: no flows")
    for rows in tables.values():
        print_table(rows, list(dict.fromkeys(name for row in rows for name in row)))
        print()
    whole = [{"table": name, "lines": len(rows), "rows": rows} for name, rows in tables.items()]
    report("cells", whole, ["table", "lines"])
    return 0


def flow_tables() -> dict[str, list[Row]]:
    """The tables of both flows."""
    most = min(MAIN.fills_max, len(replayed()))
    flows: list[tuple[Flow, int]] = [(retail, MAIN.fills_max)]
    flows += [(recorded, most), (partial(recorded, sheets=True), most)]
    loads = [largest(flow, most) for flow, most in flows]
    sizes = [flow(size) for flow, most in flows for size in SIZES if size <= most]
    return {
        "flows": load_rows([*sizes, *loads]),
        "parts": part_rows(loads),
        "levers": lever_rows(loads),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
