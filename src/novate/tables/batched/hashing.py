"""Sponges of many messages of one length. Mirrors `tables/sponge.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from novate.native import permute_rows
from novate.spec.crypto.sponge import tag_element
from novate.tables.batched.columns import Words
from novate.tables.poseidon2 import DIGEST, RATE
from novate.tables.sponge import CAPACITY, blocks_of


class Hashed(NamedTuple):
    """Messages, hashed."""

    digests: Words
    """(n, 4)."""
    capacities: Words
    """(n, 4 · (blocks − 1)): of every block but the last."""
    states: Words
    """(n, blocks, 12): what is permuted."""


def sponge(tag: str, messages: Words) -> Hashed:
    """Hash messages (n, m) under a tag, keeping what a proof of it needs."""
    count, length = messages.shape
    blocks = blocks_of(length)
    padded = np.zeros((count, RATE * blocks), dtype=np.uint64)
    padded[:, :length] = messages
    capacity = np.zeros((count, CAPACITY), dtype=np.uint64)
    capacity[:, 0], capacity[:, 1] = tag_element(tag), length
    states, permuted = [], np.zeros((count, RATE + CAPACITY), dtype=np.uint64)
    capacities = []
    for block in np.split(padded, blocks, axis=1):
        states.append(np.concatenate([block, capacity], axis=1))
        permuted = permute_rows(states[-1])
        capacity = permuted[:, RATE:]
        capacities.append(capacity)
    return Hashed(
        digests=permuted[:, :DIGEST],
        capacities=np.concatenate([np.empty((count, 0), np.uint64), *capacities[:-1]], axis=1),
        states=np.stack(states, axis=1),
    )
