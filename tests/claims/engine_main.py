"""The engine is the specification's equal on the main preset, in batches of a thousand fills.

    novate claims engine_main --count 200 --seed 1 --workers 2

As the claim `engine`, on the flow of `novate.lab.main_flow`: 240 accounts, 68 instruments of two
underlyings, 33 scenarios, at least `FILLS_MIN` fills a batch. The sum after each world is kept in
build/claims/engine_main.json: a run that was cut off goes on there. Exit status 1 when something
differs, a batch has fewer fills, or a kind of transaction of the flow never occurs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from novate.lab.twin_world import FILLS_MIN, run_main_world
from novate.lab.world_claim import WorldClaim, counts_by_name
from novate.lab.world_sum import WorldSum
from novate.native import _native

ROOT = Path(__file__).resolve().parents[2]
KINDS = (
    *("Snapshot accepted", "Deposit", "FundDeposit", "RegisterKey", "Touch", "Liquidate"),
    *("Trade", "Transfer", "Withdrawal"),
)
"""Kinds of accepted transactions that the flow has."""


def wrong(worlds: WorldSum, count: int) -> list[str]:
    """Kinds never seen, and batches that were too small."""
    small = worlds.counts("fills").get("small", 0)
    found = [f"{small} batches of fewer than {FILLS_MIN} fills"] if small else []
    return found + [f"{kind} 0" for kind in KINDS if not worlds.counts("accepted").get(kind)]


def table(worlds: WorldSum) -> str:
    """Counts of everything, and the speed."""
    titles = ("accepted", "features", "refused", "compared", "spoiled")
    lines = counts_by_name(worlds, titles)
    fills = worlds.counts("fills").get("all", 0)
    lines.append(
        f"{worlds.batches:,} batches of {worlds.state['worlds']} worlds equal, {fills:,} fills, "
        f"{worlds.seconds:,.0f} s: {fills / worlds.seconds:,.0f} fills/s"
    )
    return "\n".join(lines)


CLAIM = WorldClaim(
    description=__doc__,
    state=ROOT / "build" / "claims" / "engine_main.json",
    judged=(
        ROOT / "src" / "novate" / "spec",
        ROOT / "src" / "novate" / "lab",
        Path(_native.__file__),
    ),
    run_world=run_main_world,
    count=200,
    unit="batches equal",
    done=lambda worlds: worlds.batches,
    table=table,
    wrong=wrong,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong."""
    return CLAIM.main(argv)


if __name__ == "__main__":
    sys.exit(main())
