"""Columns by name from arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]
Columns: TypeAlias = dict[str, Words]
"""Primary columns of a table, (n,) each."""


def named(prefix: str, block: Words) -> Columns:
    """The columns `prefix_0`, `prefix_1`, … from rows of a block (k, n)."""
    return {f"{prefix}_{place}": values for place, values in enumerate(block)}


def named_quintics(prefixes: Sequence[str], block: Words) -> Columns:
    """Five columns a prefix from a block (5 · len(prefixes), n)."""
    found: Columns = {}
    for prefix, part in zip(prefixes, np.split(block, len(prefixes)), strict=True):
        found |= named(prefix, part)
    return found


def repeated(pattern: Sequence[int], times: int) -> Words:
    """A pattern of values, over and over."""
    return np.tile(np.array(pattern, dtype=np.uint64), times)


def ones(count: int) -> Words:
    """As many ones."""
    return np.ones(count, dtype=np.uint64)


def distinct_rows(rows: Words) -> Words:
    """The rows of an (n, m) array without repetition, as they first occur."""
    width = rows.dtype.itemsize * rows.shape[1]
    data = np.ascontiguousarray(rows).tobytes()
    kept = dict.fromkeys(data[at : at + width] for at in range(0, len(data), width))
    return np.frombuffer(b"".join(kept), dtype=np.uint64).reshape(-1, rows.shape[1])


def state_columns(states: Words) -> Columns:
    """Columns of a Poseidon2 table: distinct states (n, width) to permute."""
    return named("state", distinct_rows(states).T)
