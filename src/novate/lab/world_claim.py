"""A claim over generated worlds as a command: options, progress, going on, summary, exit status."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from novate.lab.generator.count import KINDS
from novate.lab.progress import Progress
from novate.lab.world_sum import RunWorld, WorldSum, digest_of
from novate.spec.errors import Fault, Reason

NAMES = tuple(str(name) for name in (*Reason, *Fault))
LONGEST = 1.5
"""How far beyond its count a run goes to complete kinds and rejections."""


def refused_by_name(worlds: WorldSum) -> dict[str, int]:
    """Refusals by reason or fault, zeros included."""
    found = Counter(dict.fromkeys(NAMES, 0))
    for key, many in worlds.counts("refused").items():
        found[key.split(":", 1)[1]] += many
    return dict(found)


def missing(worlds: WorldSum, kind_min: int) -> list[str]:
    """Kinds seen less often than they must be, and names of rejections never met."""
    kinds = worlds.counts("accepted")
    rare = [f"{kind} {kinds.get(kind, 0)}" for kind in KINDS if kinds.get(kind, 0) < kind_min]
    return rare + [f"{name} 0" for name, many in refused_by_name(worlds).items() if not many]


def aimed_but_done(worlds: WorldSum) -> list[str]:
    """Records aimed at a rejection that were accepted."""
    surprises = worlds.counts("surprises")
    return [f"{many} x {what}" for what, many in surprises.items() if ", got " not in what]


def counts_by_name(worlds: WorldSum, titles: Sequence[str]) -> list[str]:
    """Lines of some groups of counters."""
    lines = []
    for title in titles:
        lines.append(f"{title}:")
        lines += [f"  {many:10,}  {key}" for key, many in worlds.counts(title).items()]
    return lines


def refusals(worlds: WorldSum) -> list[str]:
    """Lines of the refusals by name."""
    found = refused_by_name(worlds).items()
    return ["refused, by name:", *(f"  {many:10,}  {name}" for name, many in found)]


@dataclass(frozen=True)
class WorldClaim:
    """What one claim is about; `main` runs it."""

    description: str
    state: Path
    """Where the sum is kept after each world: a run that was cut off goes on from there."""
    judged: Sequence[Path]
    """Files and folders of Python that a sum may not outlive."""
    run_world: RunWorld
    count: int
    unit: str
    """What is counted."""
    done: Callable[[WorldSum], int]
    """How much of it there is."""
    table: Callable[[WorldSum], str]
    wrong: Callable[[WorldSum, int], list[str]]
    """What is missing or wrong, given the count; empty is a pass."""
    lacks: Callable[[WorldSum, int], bool] = lambda worlds, count: False
    """Whether a run that has its count goes on, to complete what may still come."""
    more: Callable[[WorldSum], Mapping[str, Any]] = lambda worlds: {}
    """Further entries of the summary."""

    def versions(self) -> str:
        """A digest of what is judged, and of this harness."""
        paths = [
            path
            for room in self.judged
            for path in (sorted(room.rglob("*.py")) if room.is_dir() else [room])
        ]
        return digest_of(paths)

    def is_done(self, worlds: WorldSum, count: int) -> bool:
        """Whether the run may end: complete, or too long already."""
        done = self.done(worlds)
        return done >= count and (not self.lacks(worlds, count) or done >= LONGEST * count)

    def run(self, worlds: WorldSum, count: int, workers: int) -> None:
        """Add worlds until the run may end."""
        progress = Progress()
        progress.stage(f"seed {worlds.state['seed']}, {self.done(worlds):,} {self.unit} before")
        steps = worlds.run(self.run_world, workers)
        while not self.is_done(worlds, count):
            next(steps)
            done = self.done(worlds)
            rates = (
                f"{done / worlds.seconds:,.1f}/s, {worlds.batches / worlds.seconds:.1f} batches/s"
            )
            progress.at(done, count, f"{done:,} {self.unit}, {rates}")
        steps.close()

    def main(self, argv: Sequence[str] | None) -> int:
        """Run the claim, print the counts; 1 if something is wrong or missing."""
        parser = argparse.ArgumentParser(description=self.description.split("\n")[0])
        parser.add_argument("--count", type=int, default=self.count, help=self.unit)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--out", type=Path, help="write the summary as JSON here")
        parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
        arguments = parser.parse_args(argv)
        worlds = WorldSum(self.state, arguments.seed, self.versions(), arguments.fresh)
        try:
            self.run(worlds, arguments.count, arguments.workers)
        except KeyboardInterrupt:
            print(f"stopped at {self.done(worlds):,}; the same command goes on from there")
            return 130
        print(self.table(worlds))
        bad = self.wrong(worlds, arguments.count)
        print("\n".join(bad) or "nothing missing, nothing wrong")
        if arguments.out:
            summary = {**worlds.state, **self.more(worlds), "missing_or_wrong": bad}
            arguments.out.parent.mkdir(parents=True, exist_ok=True)
            arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
        return int(bool(bad))
