"""The engine is the specification's equal: refusals, journals, states, roots and bytes of batches.

    novate claims engine --count 20000 --seed 1 --workers 2

Worlds are generated on a venue that gives every record, accepted or refused, and every batch,
sealed or spoiled, to both (`novate.lab.twin_venue`), until `count` batches were sealed, each kind
of transaction was accepted at least `EACH_KIND_MIN` times and every name of a rejection met. The
sum after each world is kept in build/claims/engine.json: a run that was cut off goes on there. Exit
status 1 when something differs, is missing, or was accepted although it was spoiled on purpose.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from novate.lab.twin_world import run_twin_world
from novate.lab.world_claim import (
    WorldClaim,
    aimed_but_done,
    counts_by_name,
    missing,
    refusals,
    refused_by_name,
)
from novate.lab.world_sum import WorldSum
from novate.native import _native

ROOT = Path(__file__).resolve().parents[2]
EACH_KIND_MIN = 20
ACCEPTED_SHARE_MIN = 0.6
"""Part of all transactions tried that must be accepted."""
NO_TRANSACTIONS = (
    "begin",
    "open",
    "close",
    "read order",
    "read sheet",
    "spoiled batch",
    "whole batch",
)
"""Comparisons that are not of a transaction; requests have their own counts, by outcome."""


def transactions(worlds: WorldSum, outcome: str) -> int:
    """Transactions tried one by one in both with an outcome, `accepted` or `refused`."""
    return sum(
        many
        for what, many in worlds.counts("compared").items()
        if what.endswith(f" {outcome}") and what.removesuffix(f" {outcome}") not in NO_TRANSACTIONS
    )


def accepted_share(worlds: WorldSum) -> float:
    """Part of the transactions tried that were accepted."""
    accepted, refused = transactions(worlds, "accepted"), transactions(worlds, "refused")
    return accepted / max(accepted + refused, 1)


def incomplete(worlds: WorldSum, count: int) -> list[str]:
    """Kinds and rejections that a run of this count must still meet."""
    return missing(worlds, min(EACH_KIND_MIN, count // 1_000))


def wrong(worlds: WorldSum, count: int) -> list[str]:
    """What is missing; records aimed at a rejection that were accepted; too few accepted."""
    share = accepted_share(worlds)
    few = [f"accepted {share:.1%}"] if share < ACCEPTED_SHARE_MIN else []
    return incomplete(worlds, count) + aimed_but_done(worlds) + few


def table(worlds: WorldSum) -> str:
    """Counts of everything, and the speed."""
    lines = counts_by_name(worlds, ("accepted", "features", "compared", "spoiled"))
    lines += refusals(worlds)
    tried = transactions(worlds, "accepted") + transactions(worlds, "refused")
    lines.append(
        f"{worlds.batches:,} batches of {worlds.state['worlds']} worlds equal, "
        f"{accepted_share(worlds):.1%} of {tried:,} transactions accepted, "
        f"{worlds.total('accepted') / worlds.batches:.1f} transactions a batch, "
        f"{worlds.seconds:,.0f} s: {worlds.batches / worlds.seconds:.1f} batches/s"
    )
    return "\n".join(lines)


CLAIM = WorldClaim(
    description=__doc__,
    state=ROOT / "build" / "claims" / "engine.json",
    judged=(
        ROOT / "src" / "novate" / "spec",
        ROOT / "src" / "novate" / "lab",
        Path(_native.__file__),
    ),
    run_world=run_twin_world,
    count=20_000,
    unit="batches equal",
    done=lambda worlds: worlds.batches,
    table=table,
    wrong=wrong,
    lacks=lambda worlds, count: bool(incomplete(worlds, count)),
    more=lambda worlds: {
        "refused_by_name": refused_by_name(worlds),
        "transactions_accepted_share": round(accepted_share(worlds), 4),
    },
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong or missing."""
    return CLAIM.main(argv)


if __name__ == "__main__":
    sys.exit(main())
