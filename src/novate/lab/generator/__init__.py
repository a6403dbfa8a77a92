"""Seeded random batches that reach every rule of the law, for claims, benches and tests.

`Generator(seed)` yields batches with the state before and the journal after; equal seeds give equal
batches. What it aims at a rejection it knows the reason of: see `Tally.surprises`.
"""

from novate.lab.generator.drive import Generated, Generator
from novate.lab.generator.stage import Tally

__all__ = ["Generated", "Generator", "Tally"]
