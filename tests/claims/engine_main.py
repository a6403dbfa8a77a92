"""The engine is the specification's equal on the main preset, in batches of a thousand fills.

    novate claims engine_main --count 200 --seed 1 --workers 2

As the claim `engine`, on the flow of `novate.lab.main_flow`: 240 accounts, 68 instruments of two
underlyings, 33 scenarios, at least `FILLS_MIN` fills a batch. The sum after each world is kept in
build/claims/engine_main.json: a run that was cut off goes on there. Exit status 1 when something
differs, a batch has fewer fills, or a kind of transaction of the flow never occurs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.lab.progress import Progress
from novate.lab.twin_world import FILLS_MIN, run_main_world
from novate.lab.world_sum import WorldSum, digest_of
from novate.native import _native

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "claims" / "engine_main.json"
JUDGED = (ROOT / "src" / "novate" / "spec", ROOT / "src" / "novate" / "lab")
KINDS = (
    *("Snapshot accepted", "Deposit", "FundDeposit", "RegisterKey", "Touch", "Liquidate"),
    *("Trade", "Transfer", "Withdrawal"),
)
"""Kinds of accepted transactions that the flow has."""


def versions() -> str:
    """A digest of specification, harness and compiled module."""
    python = [path for room in JUDGED for path in sorted(room.rglob("*.py"))]
    return digest_of([*python, Path(_native.__file__)])


def wrong(worlds: WorldSum) -> list[str]:
    """Kinds never seen, and batches that were too small."""
    small = worlds.counts("fills").get("small", 0)
    found = [f"{small} batches of fewer than {FILLS_MIN} fills"] if small else []
    return found + [f"{kind} 0" for kind in KINDS if not worlds.counts("accepted").get(kind)]


def table(worlds: WorldSum) -> str:
    """Counts of everything, and the speed."""
    lines = []
    for title in ("accepted", "features", "refused", "compared", "spoiled"):
        lines.append(f"{title}:")
        lines += [f"  {many:10,}  {key}" for key, many in worlds.counts(title).items()]
    fills = worlds.counts("fills").get("all", 0)
    lines.append(
        f"{worlds.batches:,} batches of {worlds.state['worlds']} worlds equal, {fills:,} fills, "
        f"{worlds.seconds:,.0f} s: {fills / worlds.seconds:,.0f} fills/s"
    )
    return "\n".join(lines)


def run(worlds: WorldSum, count: int, workers: int) -> None:
    """Add worlds until there are enough batches."""
    progress = Progress()
    progress.stage(f"seed {worlds.state['seed']}, {worlds.batches:,} batches done before")
    steps = worlds.run(run_main_world, workers)
    while worlds.batches < count:
        next(steps)
        progress.at(worlds.batches, count, f"{worlds.batches:,} batches equal")
    steps.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="batches of fills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    worlds = WorldSum(STATE, arguments.seed, versions(), arguments.fresh)
    try:
        run(worlds, arguments.count, arguments.workers)
    except KeyboardInterrupt:
        print(f"stopped at {worlds.batches:,}; the same command goes on from there")
        return 130
    print(table(worlds))
    bad = wrong(worlds)
    print("\n".join(bad) or "nothing missing, nothing different")
    if arguments.out:
        summary = {**worlds.state, "missing_or_wrong": bad}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
