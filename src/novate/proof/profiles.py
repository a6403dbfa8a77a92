"""Profiles: the heights of a relation's tables and the parameters of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECURITY_BITS_MIN: Final = 100.0
"""Proven bits of the union of all error terms, below which nothing ships."""
SECURITY_LEVEL: Final = 103
"""Asked of every term alone, so that the union keeps `SECURITY_BITS_MIN`."""


@dataclass(frozen=True)
class Profile:
    """One profile, one verifying key."""

    name: str
    log_rows: Mapping[str, int]
    """log2 of the rows of each table."""
    folds: tuple[int, ...]
    """Variables folded in each round of WHIR."""
    rates: tuple[int, ...] = ()
    """log2 of 1 / rate of each later code; empty: one fold less than folded, each round."""
    starting_log_inv_rate: int = 2
    security_level: int = SECURITY_LEVEL
    pow_bits: int = 20
    """Most bits of proof-of-work before queries, at most 22."""
    sumcheck_pow_bits: int = 0
