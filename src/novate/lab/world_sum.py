"""The sum of many generated worlds: kept in a file after each, so that a long run can be cut off.

A world is a function of seed and number, and worlds are added up in order, so the sum does not
depend on how many processes made them.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count as numbers
from pathlib import Path
from time import monotonic
from typing import Any

from novate.lab.audited_world import WorldResult

WAITING = 3
"""Worlds begun ahead of the one that is added up, for each worker."""

RunWorld = Callable[[int, int], WorldResult]
"""Makes a world of a seed by its number; a function of a module, for it is called in processes."""


def digest_of(paths: Iterable[Path]) -> str:
    """A digest of files: a sum goes on only under those it began with."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class WorldSum:
    """Worlds, batches, seconds, and counters by name."""

    def __init__(self, path: Path, seed: int, versions: str, fresh: bool) -> None:
        """Go on with the sum in the file if it has this seed and these versions."""
        self.path = path
        self.state: dict[str, Any] = {
            "seed": seed,
            "versions": versions,
            "worlds": 0,
            "batches": 0,
            "seconds": 0.0,
        }
        if path.exists() and not fresh:
            earlier: dict[str, Any] = json.loads(path.read_text())
            if all(earlier.get(key) == self.state[key] for key in ("seed", "versions")):
                self.state = earlier
        self.state.setdefault("counts", {})
        path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def batches(self) -> int:
        """Batches so far."""
        return int(self.state["batches"])

    @property
    def seconds(self) -> float:
        """Time so far, over all runs; never 0."""
        return max(float(self.state["seconds"]), 1e-9)

    def counts(self, name: str) -> dict[str, int]:
        """One group of counters."""
        found: dict[str, int] = self.state["counts"].get(name, {})
        return found

    def total(self, name: str) -> int:
        """Sum of one group of counters."""
        return sum(self.counts(name).values())

    def add(self, result: WorldResult, seconds: float) -> None:
        """Add one world and keep the sum, whole or not at all."""
        state = self.state
        state["worlds"] += 1
        state["batches"] += result.batches
        state["seconds"] += seconds
        for name, counts in result.counts.items():
            together = Counter(state["counts"].get(name, {}))
            together.update(counts)
            state["counts"][name] = dict(sorted(together.items()))
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(state))
        os.replace(beside, self.path)

    def run(self, run_world: RunWorld, workers: int) -> Generator[None, None, None]:
        """Add world after world, one for each `next`."""
        results = _worlds(run_world, self.state["seed"], self.state["worlds"], workers)
        before = monotonic()
        try:
            for result in results:
                now = monotonic()
                self.add(result, now - before)
                before = now
                yield
        finally:
            results.close()


def _ignore_interrupt() -> None:
    """Workers leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _worlds(
    run_world: RunWorld, seed: int, first: int, workers: int
) -> Generator[WorldResult, None, None]:
    """Results of all worlds from number `first` on, in order; closing it ends the processes."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt)
    running: deque[Future[WorldResult]] = deque()
    try:
        for number in numbers(first):
            running.append(pool.submit(run_world, seed, number))
            if len(running) >= WAITING * workers:
                yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
