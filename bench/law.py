"""Batches and transactions a second of the law itself, on generated batches, and where time goes.

Run as `python -m bench.law`. The same batches are applied with native primitives and with the law's
own cryptography; the law is the yardstick of every faster implementation, so it has no peer here.
Stages are timed by wrapping the functions that `apply_batch` is made of.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final
from unittest.mock import patch

from bench.common import report
from novate.lab.generator import Generated, Generator
from novate.lab.generator.count import accepted_kinds
from novate.native import NativePrimitives
from novate.spec import batch as law
from novate.spec.crypto import SpecPrimitives
from novate.spec.primitives import Primitives

SEED: Final = 1
WARM_UP: Final = 20
NATIVE_BATCHES: Final = 300
SPEC_BATCHES: Final = 6

STAGES: Final = {
    "begin batch": ("begin_batch",),
    "snapshots, settlements, funding, views": ("open_round",),
    "inbox requests": ("apply_request",),
    "changes": ("apply_change",),
    "touches and liquidations": ("apply_due",),
    "signatures of orders and sheets": ("read_orders", "read_sheets"),
    "trades": ("apply_trade",),
    "signatures of moves": ("verdicts",),
    "moves": ("apply_move",),
    "margin rule": ("require_margin", "require_fund_margin"),
    "liquidation status": ("update_status",),
    "marks and commitment": ("finish_batch",),
}
"""Functions as `spec/batch.py` calls them, by what they do; `verdicts` inside `read_orders` is
counted there, once."""


class Stopwatch:
    """Exclusive seconds by stage: a stage inside another one stops the outer clock."""

    def __init__(self) -> None:
        """Nothing is running."""
        self.seconds: Counter[str] = Counter()
        self.running: list[str] = []
        self.since = 0.0

    def switch(self) -> None:
        """Book the time since the last switch to the stage that ran."""
        now = time.perf_counter()
        if self.running:
            self.seconds[self.running[-1]] += now - self.since
        self.since = now

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time booked to a stage."""

        def call(*arguments: Any) -> Any:
            """Run it under the clock."""
            self.switch()
            inside_signatures = stage == "signatures of moves" and len(self.running) > 1
            self.running.append(self.running[-1] if inside_signatures else stage)
            try:
                return function(*arguments)
            finally:
                self.switch()
                self.running.pop()

        return call


def apply_all(items: list[Generated], primitives: Primitives, watch: Stopwatch) -> float:
    """Apply every batch under the stopwatch; seconds of all together."""
    with ExitStack() as stack:
        for stage, names in STAGES.items():
            for name in names:
                wrapped = watch.timed(stage, getattr(law, name))
                stack.enter_context(patch.object(law, name, wrapped))
        started = time.perf_counter()
        for item in items:
            watch.timed("the rest", law.apply_batch)(item.before, item.batch, primitives)
        return time.perf_counter() - started


def rows_of(who: str, items: list[Generated], primitives: Primitives) -> list[dict[str, object]]:
    """Speed of one kind of primitives and the share of each stage."""
    watch = Stopwatch()
    seconds = apply_all(items, primitives, watch)
    kinds = sum((accepted_kinds(i.before, i.batch, i.journal) for i in items), Counter[str]())
    transactions = sum(kinds.values())
    total: dict[str, object] = {
        "primitives": who,
        "stage": "all",
        "share": 1.0,
        "ms a batch": 1e3 * seconds / len(items),
        "batches/s": len(items) / seconds,
        "transactions/s": transactions / seconds,
        "trades/s": kinds["Trade"] / seconds,
    }
    stages: list[dict[str, object]] = [
        {
            "primitives": who,
            "stage": stage,
            "share": taken / seconds,
            "ms a batch": 1e3 * taken / len(items),
        }
        for stage, taken in watch.seconds.most_common()
    ]
    return [total, *stages]


def main() -> None:
    """Generate batches, apply them again both ways, print and write the figures."""
    items = list(islice(Generator(SEED).batches(), WARM_UP + NATIVE_BATCHES))[WARM_UP:]
    rows = rows_of("native", items, NativePrimitives())
    rows += rows_of("specification", items[:SPEC_BATCHES], SpecPrimitives())
    report("law", rows)


if __name__ == "__main__":
    sys.exit(main())
