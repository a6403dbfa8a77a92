"""Batches for the tests of public data: a generated world, and one batch with many fills."""

from __future__ import annotations

from functools import cache
from itertools import islice

from novate.lab.generator import Generator
from novate.lab.generator.drive import Generated

BATCHES = 60
SEED = 11


@cache
def generated() -> list[Generated]:
    """The first batches of a generated world, funding, halts, liquidations and expiry included."""
    return list(islice(Generator(SEED).batches(), BATCHES))
