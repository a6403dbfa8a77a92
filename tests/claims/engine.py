"""The engine is the specification's equal: refusals, journals, states, roots and bytes of batches.

    novate claims engine --count 20000 --seed 1 --workers 2

Worlds are generated on a venue that gives every record, accepted or refused, and every batch,
sealed or spoiled, to both (`novate.lab.twin_venue`), until `count` batches were sealed, each kind
of transaction was accepted at least `EACH_KIND_MIN` times and every name of a rejection met. The
sum after each world is kept in build/claims/engine.json: a run that was cut off goes on there. Exit
status 1 when something differs, is missing, or was accepted although it was spoiled on purpose.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from novate.lab.generator.count import KINDS
from novate.lab.progress import Progress
from novate.lab.twin_world import run_twin_world
from novate.lab.world_sum import WorldSum, digest_of
from novate.native import _native
from novate.spec.errors import Fault, Reason

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "claims" / "engine.json"
JUDGED = (ROOT / "src" / "novate" / "spec", ROOT / "src" / "novate" / "lab")
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
LONGEST = 1.5
"""How far beyond `count` a run goes to complete the kinds and rejections."""
NAMES = tuple(str(name) for name in (*Reason, *Fault))


def versions() -> str:
    """A digest of specification, harness and compiled module."""
    python = [path for room in JUDGED for path in sorted(room.rglob("*.py"))]
    return digest_of([*python, Path(_native.__file__)])


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


def refused_by_name(worlds: WorldSum) -> dict[str, int]:
    """Refusals by reason or fault, zeros included; spoiled batches are counted apart."""
    found = Counter(dict.fromkeys(NAMES, 0))
    for key, many in worlds.counts("refused").items():
        found[key.split(":", 1)[1]] += many
    return dict(found)


def missing(worlds: WorldSum, kind_min: int) -> list[str]:
    """Kinds seen less often than they must be, and names of rejections never met."""
    kinds = worlds.counts("accepted")
    rare = [f"{kind} {kinds.get(kind, 0)}" for kind in KINDS if kinds.get(kind, 0) < kind_min]
    return rare + [f"{name} 0" for name, many in refused_by_name(worlds).items() if not many]


def wrong(worlds: WorldSum) -> list[str]:
    """Records aimed at a rejection that were accepted; too few accepted."""
    surprises = worlds.counts("surprises")
    found = [f"{many} x {what}" for what, many in surprises.items() if ", got " not in what]
    share = accepted_share(worlds)
    return found + ([f"accepted {share:.1%}"] if share < ACCEPTED_SHARE_MIN else [])


def is_done(worlds: WorldSum, count: int, kind_min: int) -> bool:
    """Whether the run may end: complete, or too long already."""
    enough = worlds.batches >= count
    return enough and (not missing(worlds, kind_min) or worlds.batches >= LONGEST * count)


def run(worlds: WorldSum, count: int, kind_min: int, workers: int) -> None:
    """Add worlds until the run may end."""
    progress = Progress()
    progress.stage(f"seed {worlds.state['seed']}, {worlds.batches:,} batches done before")
    steps = worlds.run(run_twin_world, workers)
    while not is_done(worlds, count, kind_min):
        next(steps)
        rate = f"{worlds.batches / worlds.seconds:.1f} batches/s"
        progress.at(worlds.batches, count, f"{worlds.batches:,} batches equal, {rate}")
    steps.close()


def table(worlds: WorldSum) -> str:
    """Counts of everything, and the speed."""
    lines = []
    for title in ("accepted", "features", "compared", "spoiled"):
        lines.append(f"{title}:")
        lines += [f"  {many:10,}  {key}" for key, many in worlds.counts(title).items()]
    lines.append("refused, by name:")
    lines += [f"  {many:10,}  {name}" for name, many in refused_by_name(worlds).items()]
    tried = transactions(worlds, "accepted") + transactions(worlds, "refused")
    lines.append(
        f"{worlds.batches:,} batches of {worlds.state['worlds']} worlds equal, "
        f"{accepted_share(worlds):.1%} of {tried:,} transactions accepted, "
        f"{worlds.total('accepted') / worlds.batches:.1f} transactions a batch, "
        f"{worlds.seconds:,.0f} s: {worlds.batches / worlds.seconds:.1f} batches/s"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong or missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=20_000, help="sealed batches")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    kind_min = min(EACH_KIND_MIN, arguments.count // 1_000)
    worlds = WorldSum(STATE, arguments.seed, versions(), arguments.fresh)
    try:
        run(worlds, arguments.count, kind_min, arguments.workers)
    except KeyboardInterrupt:
        print(f"stopped at {worlds.batches:,}; the same command goes on from there")
        return 130
    print(table(worlds))
    bad = missing(worlds, kind_min) + wrong(worlds)
    print("\n".join(bad) or "nothing missing, nothing different")
    if arguments.out:
        refused = refused_by_name(worlds)
        summary = {**worlds.state, "refused_by_name": refused, "missing_or_wrong": bad}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
