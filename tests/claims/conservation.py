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

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count as numbers
from pathlib import Path
from time import monotonic
from typing import Any

from novate.lab.audited_world import WorldResult, run_world
from novate.lab.generator.count import KINDS
from novate.lab.progress import Progress
from novate.spec.errors import Fault, Reason

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "claims" / "conservation.json"
JUDGED = (ROOT / "src" / "novate" / "spec", ROOT / "src" / "novate" / "lab" / "generator")
EACH_KIND_MIN = 1_000
LONGEST = 1.5
"""How far beyond `count` a run goes to complete the kinds and rejections."""
WAITING = 3
"""Worlds begun ahead of the one that is added up, for each worker."""
NAMES = tuple(str(name) for name in (*Reason, *Fault))


def law_digest() -> str:
    """A digest of law and generator: a run goes on only under those it began with."""
    digest = hashlib.sha256()
    for room in JUDGED:
        for path in sorted(room.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load(seed: int, fresh: bool) -> dict[str, Any]:
    """The sum of an earlier run of this seed and law, or an empty one."""
    empty = {"seed": seed, "law": law_digest(), "worlds": 0, "batches": 0, "seconds": 0.0}
    if STATE.exists() and not fresh:
        earlier: dict[str, Any] = json.loads(STATE.read_text())
        if all(earlier.get(key) == empty[key] for key in ("seed", "law")):
            return earlier
    return {**empty, "counts": {}}


def add(state: dict[str, Any], result: WorldResult, seconds: float) -> None:
    """Add one world to the sum and keep it, whole or not at all."""
    state["worlds"] += 1
    state["batches"] += result.batches
    state["seconds"] += seconds
    for name, counts in result.counts.items():
        total = Counter(state["counts"].get(name, {}))
        total.update(counts)
        state["counts"][name] = dict(sorted(total.items()))
    beside = STATE.with_suffix(".new")
    beside.write_text(json.dumps(state))
    os.replace(beside, STATE)


def accepted(state: dict[str, Any]) -> int:
    """Accepted transactions so far."""
    return sum(state["counts"].get("accepted", {}).values())


def refused_by_name(state: dict[str, Any]) -> dict[str, int]:
    """Refusals by reason or fault, zeros included."""
    found = Counter(dict.fromkeys(NAMES, 0))
    for key, many in state["counts"].get("refused", {}).items():
        found[key.split(":", 1)[1]] += many
    return dict(found)


def missing(state: dict[str, Any], kind_min: int) -> list[str]:
    """Kinds seen less often than they must be, and names of rejections never met."""
    kinds = state["counts"].get("accepted", {})
    rare = [f"{kind} {kinds.get(kind, 0)}" for kind in KINDS if kinds.get(kind, 0) < kind_min]
    return rare + [f"{name} 0" for name, many in refused_by_name(state).items() if not many]


def aimed_but_done(state: dict[str, Any]) -> list[str]:
    """Records aimed at a rejection that were accepted."""
    surprises = state["counts"].get("surprises", {})
    return [f"{many} x {what}" for what, many in surprises.items() if ", got " not in what]


def is_done(state: dict[str, Any], count: int, kind_min: int) -> bool:
    """Whether the run may end: complete, or too long already."""
    enough = accepted(state) >= count
    return enough and (not missing(state, kind_min) or accepted(state) >= LONGEST * count)


def ignore_interrupt() -> None:
    """Workers leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def worlds(seed: int, first: int, workers: int) -> Iterator[WorldResult]:
    """Results of all worlds from number `first` on, in order."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=ignore_interrupt)
    running: deque[Future[WorldResult]] = deque()
    try:
        for number in numbers(first):
            running.append(pool.submit(run_world, seed, number))
            if len(running) >= WAITING * workers:
                yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run(state: dict[str, Any], count: int, kind_min: int, workers: int) -> None:
    """Add worlds until the run may end."""
    progress = Progress()
    progress.stage(f"seed {state['seed']}, law {state['law']}, {accepted(state):,} done before")
    results = worlds(state["seed"], state["worlds"], workers)
    before = monotonic()
    while not is_done(state, count, kind_min):
        result = next(results)
        now = monotonic()
        add(state, result, now - before)
        before = now
        done = accepted(state)
        rates = f"{done / state['seconds']:,.0f}/s, {state['batches'] / state['seconds']:.1f}"
        progress.at(done, count, f"{done:,} accepted, {rates} batches/s")
    results.close()


def table(state: dict[str, Any]) -> str:
    """Counts of everything, and the speed."""
    counts = state["counts"]
    lines = []
    for title in ("accepted", "features", "checks"):
        lines.append(f"{title}:")
        lines += [f"  {many:10,}  {key}" for key, many in counts[title].items()]
    lines.append("refused, by name:")
    lines += [f"  {many:10,}  {name}" for name, many in refused_by_name(state).items()]
    seconds = max(state["seconds"], 1e-9)
    lines.append(
        f"{accepted(state):,} accepted in {state['batches']:,} batches of {state['worlds']} worlds,"
        f" {seconds:,.0f} s: {accepted(state) / seconds:,.0f} transactions/s,"
        f" {state['batches'] / seconds:.1f} batches/s"
    )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something is wrong or missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="accepted transactions")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    kind_min = min(EACH_KIND_MIN, arguments.count // 1_000)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    state = load(arguments.seed, arguments.fresh)
    try:
        run(state, arguments.count, kind_min, arguments.workers)
    except KeyboardInterrupt:
        print(f"stopped at {accepted(state):,}; the same command goes on from there")
        return 130
    print(table(state))
    wrong = missing(state, kind_min) + aimed_but_done(state)
    print("\n".join(wrong) or "nothing missing, nothing wrong was accepted")
    if arguments.out:
        summary = {**state, "refused_by_name": refused_by_name(state), "missing_or_wrong": wrong}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
