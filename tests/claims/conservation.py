"""Money and lots are conserved over a million random transactions, whatever they are.

    novate claims conservation --count 1000000 --seed 1 --workers 2

Worlds are generated and audited one by one until `count` transactions were accepted, at least
`EACH_KIND_MIN` of each kind, and every name of a rejection was met. A world is a function of seed
and number and worlds are added up in order, so the result does not depend on the workers. The sum
after each world is kept in build/claims/conservation.json: a run that was cut off goes on there.
Exit status 1 when a book does not balance, a kind or a rejection is missing, or a record spoiled on
purpose was accepted. (One refused for another reason than it was aimed at is only counted.)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from novate.lab.audited_world import run_world
from novate.lab.world_claim import (
    WorldClaim,
    aimed_but_done,
    counts_by_name,
    missing,
    refusals,
    refused_by_name,
)
from novate.lab.world_sum import WorldSum

ROOT = Path(__file__).resolve().parents[2]
EACH_KIND_MIN = 1_000


def accepted(worlds: WorldSum) -> int:
    """Accepted transactions so far."""
    return worlds.total("accepted")


def incomplete(worlds: WorldSum, count: int) -> list[str]:
    """Kinds and rejections that a run of this count must still meet."""
    return missing(worlds, min(EACH_KIND_MIN, count // 1_000))


def wrong(worlds: WorldSum, count: int) -> list[str]:
    """What is missing; records aimed at a rejection that were accepted."""
    return incomplete(worlds, count) + aimed_but_done(worlds)


def table(worlds: WorldSum) -> str:
    """Counts of everything, and the speed."""
    lines = counts_by_name(worlds, ("accepted", "features", "checks")) + refusals(worlds)
    lines.append(
        f"{accepted(worlds):,} accepted in {worlds.batches:,} batches of {worlds.state['worlds']} "
        f"worlds, {worlds.seconds:,.0f} s: {accepted(worlds) / worlds.seconds:,.0f} "
        f"transactions/s, {worlds.batches / worlds.seconds:.1f} batches/s"
    )
    return "\n".join(lines)


CLAIM = WorldClaim(
    description=__doc__,
    state=ROOT / "build" / "claims" / "conservation.json",
    judged=(ROOT / "src" / "novate" / "spec", ROOT / "src" / "novate" / "lab"),
    run_world=run_world,
    count=1_000_000,
    unit="accepted transactions",
    done=accepted,
    table=table,
    wrong=wrong,
    lacks=lambda worlds, count: bool(incomplete(worlds, count)),
    more=lambda worlds: {"refused_by_name": refused_by_name(worlds)},
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong or missing."""
    return CLAIM.main(argv)


if __name__ == "__main__":
    sys.exit(main())
