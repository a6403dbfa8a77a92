"""Fills a second through the whole engine, signatures included, beside the specification.

    python -m bench.engine [--batches 3]

Batches of about a thousand fills on the main preset (`novate.lab.main_flow`: 240 accounts, 68
instruments, 33 scenarios) are generated once. Then the same records go one by one through an open
batch, as a sequencer tries them, and the sealed batches, as bytes, through the judge that a rebuild
uses; the specification judges them with native cryptography in the same run. The last row checks
only the signatures of the batches, all in one call: the part no engine can save.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import islice
from time import perf_counter
from typing import Final

from bench.common import report
from novate.engine import Engine
from novate.lab.main_flow import Flowed, MainFlow
from novate.native import NativePrimitives
from novate.spec import margin, marks
from novate.spec.batch import apply_batch
from novate.spec.messages.batch import Batch
from novate.spec.primitives import SignatureCheck
from novate.spec.public_data.full import encode_full

SEED: Final = 1
OPENING: Final = 2
"""Batches that open the accounts, untimed."""


class Recording(NativePrimitives):
    """Native primitives that keep the signatures they were asked about."""

    def __init__(self) -> None:
        """None so far."""
        self.checks: list[SignatureCheck] = []

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """The verdicts; the questions are kept."""
        self.checks += checks
        return super().verify_many(checks)


def record_by_record(engine: Engine, batch: Batch, in_blocks: bool) -> int:
    """Put every record of a batch through an open one; how many there were.

    in_blocks: the orders of a round are read together, so that their signatures are.
    """
    engine.begin(batch.fork, batch.parameters, batch.reset_slots)
    tried = 0
    for content in batch.rounds:
        engine.open(content.time, content.reports, content.requests)
        for change in content.changes:
            engine.change(change)
        for due in content.due:
            engine.bring(due)
        blocks = [content.orders] if in_blocks else [(order,) for order in content.orders]
        for block in blocks:
            engine.read_orders(block)
        for sheet in content.sheets:
            engine.read_sheet(sheet)
        for trade in content.trades:
            engine.trade(trade)
        for move in content.moves:
            engine.move(move)
        engine.close()
        lists = (content.changes, content.due, content.orders, content.sheets)
        tried += sum(map(len, (*lists, content.trades, content.moves)))
    engine.seal()
    return tried


def forget() -> None:
    """The specification remembers margins by view: those of the generation would be a gift."""
    for remembered in (marks._marks, margin._risk_arrays, margin._portfolio_margins):
        remembered.cache_clear()


def row(way: str, seconds: float, fills: int, records: int) -> dict[str, object]:
    """One way through the batches."""
    return {
        "way": way,
        "fills/s": fills / seconds,
        "us a fill": 1e6 * seconds / fills,
        "us a record": 1e6 * seconds / records,
    }


def rows(items: list[Flowed]) -> list[dict[str, object]]:
    """Every way through the same batches."""
    before = items[0].before
    fills = sum(len(item.journal.fills) for item in items)
    data = [encode_full(item.batch) for item in items]
    found = []
    for way, in_blocks in (("record by record", False), ("orders in blocks", True)):
        engine = Engine(before)
        started = perf_counter()
        records = sum(record_by_record(engine, item.batch, in_blocks) for item in items)
        found.append(row(f"engine, {way}", perf_counter() - started, fills, records))
    judge = Engine(before)
    started = perf_counter()
    journals = [judge.apply_data(each) for each in data]
    found.append(row("engine, whole batches from bytes", perf_counter() - started, fills, records))
    assert judge.roots() == engine.roots() == items[-1].journal.roots_after
    assert len(journals) == len(items)
    recording = Recording()
    forget()
    started = perf_counter()
    apply_batch(before, items[0].batch, recording)
    seconds = perf_counter() - started
    share = len(items[0].journal.fills) / fills
    found.append(row("specification", seconds, round(share * fills), round(share * records)))
    started = perf_counter()
    recording.verify_many(list(recording.checks))
    seconds = perf_counter() - started
    one = row("its signatures alone", seconds, round(share * fills), round(share * records))
    return [*found, one]


def main(argv: Sequence[str] | None = None) -> None:
    """Generate, measure, print and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--batches", type=int, default=3)
    arguments = parser.parse_args(argv)
    items = list(islice(MainFlow(SEED).batches(), OPENING + arguments.batches))[OPENING:]
    report("engine", rows(items))


if __name__ == "__main__":
    main()
