"""The Poseidon2 permutation over Goldilocks, at widths 8 and 12.

S-box x^7, four full rounds, 22 partial rounds, four full rounds.
Source: Grassi, Khovratovich, Schofnegger, eprint 2023/323; round constants and matrices as
published in the Rust crate p3-goldilocks 0.8.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from novate.spec.crypto import poseidon2_constants as published
from novate.spec.crypto.goldilocks import P


class Parameters(NamedTuple):
    """One width's constants: rows of `width` for full rounds, one element a partial round."""

    width: int
    first_full: tuple[tuple[int, ...], ...]
    partial: tuple[int, ...]
    last_full: tuple[tuple[int, ...], ...]
    diagonal: tuple[int, ...]


WIDTH_8 = Parameters(
    8,
    published.FIRST_FULL_8,
    published.PARTIAL_8,
    published.LAST_FULL_8,
    published.DIAGONAL_8,
)
WIDTH_12 = Parameters(
    12,
    published.FIRST_FULL_12,
    published.PARTIAL_12,
    published.LAST_FULL_12,
    published.DIAGONAL_12,
)


def s_box(element: int) -> int:
    """element^7 mod p, for any integer >= 0; 7 is the least exponent prime to p - 1."""
    squared = element * element % P
    return squared * squared % P * squared % P * element % P


def mix_four(x0: int, x1: int, x2: int, x3: int) -> list[int]:
    """The 4 by 4 matrix circ(2, 3, 1, 1); not reduced: at most 7 times the largest input."""
    total = x0 + x1 + x2 + x3
    return [total + x0 + 2 * x1, total + x1 + 2 * x2, total + x2 + 2 * x3, total + x3 + 2 * x0]


def external_layer(state: Sequence[int]) -> list[int]:
    """The matrix of full rounds: circ(2M, M, ..., M) with M the 4 by 4 matrix; not reduced.

    From elements, the result is below 28 · p at width 12 (row sums of the matrix: 7 · (1 + 3)).
    """
    mixed: list[int] = []
    for start in range(0, len(state), 4):
        mixed += mix_four(*state[start : start + 4])
    columns = [sum(mixed[column::4]) for column in range(4)]
    return [value + columns[place & 3] for place, value in enumerate(mixed)]


def full_round(state: Sequence[int], constants: Sequence[int]) -> list[int]:
    """Add a constant to every element, raise every element to the 7th, mix."""
    return external_layer(
        [s_box(value + constant) for value, constant in zip(state, constants, strict=True)]
    )


def partial_round(state: Sequence[int], constant: int, diagonal: Sequence[int]) -> list[int]:
    """Constant and S-box on the first element only; mix by the all-ones matrix plus a diagonal."""
    state = [s_box(state[0] + constant), *state[1:]]
    total = sum(state)
    return [(total + factor * value) % P for factor, value in zip(diagonal, state, strict=True)]


def permute(state: Sequence[int], parameters: Parameters) -> tuple[int, ...]:
    """The permutation of `parameters.width` elements, each in [0, p), to as many."""
    mixed = external_layer(state)
    for constants in parameters.first_full:
        mixed = full_round(mixed, constants)
    for constant in parameters.partial:
        mixed = partial_round(mixed, constant, parameters.diagonal)
    for constants in parameters.last_full:
        mixed = full_round(mixed, constants)
    return tuple(value % P for value in mixed)
