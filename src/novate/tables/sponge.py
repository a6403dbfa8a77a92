"""Asking for the digest of a message: one permutation a block of eight elements."""

from __future__ import annotations

from collections.abc import Sequence

from novate.circuit.buses import Interaction, send
from novate.circuit.expressions import Expression, lift
from novate.spec.crypto.poseidon2 import WIDTH_12, permute
from novate.spec.crypto.sponge import tag_element
from novate.tables.poseidon2 import ABSORB, DIGEST, RATE, SQUEEZE

CAPACITY = 4


def blocks_of(count: int) -> int:
    """Permutations of a message of `count` elements."""
    return max(1, -(-count // RATE))


def hash_messages(
    times: Expression | int,
    tag: str,
    elements: Sequence[Expression | int],
    capacities: Sequence[Expression],
    digest: Sequence[Expression],
) -> list[Interaction]:
    """Interactions that show `digest` to be the law's hash of the elements under a tag.

    `capacities` are four columns for each block but the last, in order. Mirrors
    `spec/crypto/sponge.py`: overwrite mode, the capacity starts as (tag, length, 0, 0).
    """
    blocks = blocks_of(len(elements))
    padded = [*elements, *[0] * (RATE * blocks - len(elements))]
    capacity: list[Expression] = [lift(v) for v in (tag_element(tag), len(elements), 0, 0)]
    found = []
    for block in range(blocks):
        state = [*padded[RATE * block : RATE * (block + 1)], *capacity]
        inputs = {f"input_{place}": value for place, value in enumerate(state)}
        if block + 1 < blocks:
            capacity = list(capacities[CAPACITY * block : CAPACITY * (block + 1)])
            outputs = {f"capacity_{place}": value for place, value in enumerate(capacity)}
            found.append(send(ABSORB, times, **inputs, **outputs))
        else:
            ends = {f"digest_{place}": digest[place] for place in range(DIGEST)}
            found.append(send(SQUEEZE, times, **inputs, **ends))
    return found


def sponge_rows(tag: str, elements: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """States that the hash of a message permutes, and its capacities, block after block."""
    capacity = [tag_element(tag), len(elements), 0, 0]
    states, capacities = [], []
    for block in range(blocks_of(len(elements))):
        part = list(elements[RATE * block : RATE * (block + 1)])
        states.append([*part, *[0] * (RATE - len(part)), *capacity])
        capacity = list(permute(states[-1], WIDTH_12)[RATE:])
        capacities += capacity
    return states, capacities[: -CAPACITY or None]
