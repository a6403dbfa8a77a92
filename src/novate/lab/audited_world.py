"""One generated world from genesis to its end, with every batch audited."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import NamedTuple

from novate.lab.auditor import Auditor, check_again, check_roots
from novate.lab.generator.drive import Generator
from novate.native import NativePrimitives
from novate.spec.crypto import SpecPrimitives

ROOTS_EVERY = 10
"""One batch in so many has its roots compared with those of the state built from scratch."""
AGAIN_EVERY = 200
"""One batch in so many is applied again with the law's own cryptography."""


class WorldResult(NamedTuple):
    """What happened in one world; picklable."""

    number: int
    batches: int
    counts: dict[str, dict[str, int]]
    """Counters by name: accepted, features, refused, aimed, surprises, checks."""
    seconds: float


def run_world(seed: int, number: int, batches: int = 0) -> WorldResult:
    """Generate world `number` of a seed, or its first batches; Violation if a book differs."""
    started = monotonic()
    generator = Generator(seed * 1_000_003 + number)
    native, readable = NativePrimitives(), SpecPrimitives()
    auditor: Auditor | None = None
    checks: Counter[str] = Counter()
    for place, item in enumerate(generator.world()):
        if batches and place == batches:
            break
        auditor = auditor or Auditor(item.before)
        auditor.check(item.before, item.batch, item.journal)
        checks["books"] += 1
        if place % ROOTS_EVERY == 0:
            check_roots(item.journal, native)
            checks["roots from scratch"] += 1
        if (item.batch.number + 121 * number) % AGAIN_EVERY == 0:
            check_again(item.before, item.batch, item.journal, readable)
            checks["applied with the law's cryptography"] += 1
    tally = generator.tally
    counts = {
        "accepted": dict(tally.accepted),
        "features": dict(tally.features),
        "refused": dict(tally.refused),
        "aimed": dict(tally.aimed),
        "surprises": dict(Counter(tally.surprises)),
        "checks": dict(checks),
    }
    return WorldResult(number, checks["books"], counts, monotonic() - started)
