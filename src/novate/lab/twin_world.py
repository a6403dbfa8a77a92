"""One generated world given to specification and engine alike, to its end or a difference."""

from __future__ import annotations

from collections import Counter
from random import Random
from time import monotonic

from novate.lab.audited_world import WorldResult
from novate.lab.generator.count import accepted_kinds, events, trade_features
from novate.lab.generator.drive import Generator
from novate.lab.main_flow import MainFlow
from novate.lab.spoiled_batch import spoiled
from novate.lab.twin_venue import TwinVenue
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Primitives
from novate.spec.state import State

SPOILED_SHARE = 0.5
"""Part of the batches that are also judged with something changed at random."""
MAIN_BATCHES = 20
"""Batches of fills in a world of the main preset, after those that open its accounts."""
FILLS_MIN = 1_000
"""Fewest fills of such a batch."""


class Twins:
    """Makes the twin venue of a world and spoils batches for it."""

    def __init__(self, seed: int, number: int) -> None:
        """What is spoiled, and how, is a function of seed and number."""
        self._rng = Random(f"{seed} {number} spoiled")
        self._venues: list[TwinVenue] = []
        self.outcomes: Counter[str] = Counter()
        """What became of spoiled batches, by name."""

    def make_venue(
        self, state: State, primitives: Primitives, admission: Primitives | None = None
    ) -> TwinVenue:
        """The world's venue."""
        self._venues.append(TwinVenue(state, primitives, admission))
        return self._venues[-1]

    def spoil(self, before: State, batch: Batch) -> None:
        """Now and then: the batch sealed last, with something changed, is judged by both."""
        if self._rng.random() < SPOILED_SHARE:
            name = self._venues[-1].judge_spoiled(before, spoiled(self._rng, batch))
            self.outcomes[name or "accepted"] += 1

    def compared(self) -> dict[str, int]:
        """Comparisons by kind, the last batch included."""
        self._venues[-1].catch_up()
        return dict(self._venues[-1].compared)


def run_twin_world(seed: int, number: int, batches: int = 0) -> WorldResult:
    """Generate world `number` of a seed, or its first batches; Difference if the engine differs."""
    started = monotonic()
    twins = Twins(seed, number)
    generator = Generator(seed * 1_000_003 + number, twins.make_venue)
    done = 0
    for item in generator.world():
        twins.spoil(item.before, item.batch)
        done += 1
        if done == batches:
            break
    tally = generator.tally
    counts = {
        "accepted": dict(tally.accepted),
        "features": dict(tally.features),
        "refused": dict(tally.refused),
        "aimed": dict(tally.aimed),
        "surprises": dict(Counter(tally.surprises)),
        "compared": twins.compared(),
        "spoiled": dict(twins.outcomes),
    }
    return WorldResult(number, done, counts, monotonic() - started)


def run_main_world(seed: int, number: int, batches: int = MAIN_BATCHES) -> WorldResult:
    """The same on the main preset, with a thousand fills a batch; batches of fills are counted."""
    started = monotonic()
    twins = Twins(seed, number)
    flow = MainFlow(seed * 1_000_003 + number, twins.make_venue)
    accepted: Counter[str] = Counter()
    features: Counter[str] = Counter()
    fills: list[int] = []
    for before, batch, journal in flow.batches():
        accepted += accepted_kinds(before, batch, journal)
        features += events(journal) + trade_features(batch)
        if journal.fills:
            fills.append(len(journal.fills))
            twins.spoil(before, batch)
        if len(fills) == batches:
            break
    counts = {
        "accepted": dict(accepted),
        "features": dict(features),
        "refused": dict(flow.venue.refused),
        "compared": twins.compared(),
        "spoiled": dict(twins.outcomes),
        "fills": {"all": sum(fills), "small": sum(many < FILLS_MIN for many in fills)},
    }
    return WorldResult(number, len(fills), counts, monotonic() - started)
