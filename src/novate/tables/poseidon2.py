"""Poseidon2 permutations, a row each: degree 7 without registers.

A full round keeps what leaves its S-boxes, a partial round the one value that leaves its S-box;
everything between is linear. Width 8: 8 + 64 + 22 = 94 columns; width 12: 12 + 96 + 22 = 130.
Mirrors `spec/crypto/poseidon2.py`; the constants are the published ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.circuit.buses import Bus, Interaction, receive
from novate.circuit.columns import Columns, columns, derive_all, derived, multiplicity
from novate.circuit.expressions import Expression, total
from novate.circuit.tables import Table
from novate.spec.crypto.poseidon2 import WIDTH_8, WIDTH_12, Parameters

DIGEST: Final = 4

COMPRESS: Final = Bus(
    "compress",
    **{f"left_{place}": None for place in range(DIGEST)},
    **{f"right_{place}": None for place in range(DIGEST)},
    **{f"digest_{place}": None for place in range(DIGEST)},
)
"""A parent digest of two tree nodes: permutation of width 8, with feed-forward."""

RATE: Final = 8

ABSORB: Final = Bus(
    "absorb",
    **{f"input_{place}": None for place in range(WIDTH_12.width)},
    **{f"capacity_{place}": None for place in range(WIDTH_12.width - RATE)},
)
"""One step of the sponge that is not the last: only the capacity goes on."""

SQUEEZE: Final = Bus(
    "squeeze",
    **{f"input_{place}": None for place in range(WIDTH_12.width)},
    **{f"digest_{place}": None for place in range(DIGEST)},
)
"""The last step of the sponge: its digest."""

State = Sequence[Expression]


def mix_four(x: State) -> list[Expression]:
    """circ(2, 3, 1, 1) times four elements."""
    sums = total(list(x))
    return [sums + x[place] + x[(place + 1) % 4] * 2 for place in range(4)]


def external_layer(state: State) -> list[Expression]:
    """The matrix of full rounds."""
    mixed = [value for at in range(0, len(state), 4) for value in mix_four(state[at : at + 4])]
    sums = [total(mixed[place::4]) for place in range(4)]
    return [value + sums[place % 4] for place, value in enumerate(mixed)]


def s_boxes(state: State, constants: Sequence[int]) -> Columns:
    """Columns of what leaves the S-boxes of a full round."""
    return derive_all((x + c) ** 7 for x, c in zip(state, constants, strict=True))


def full_rounds(state: State, rounds: Sequence[Sequence[int]]) -> tuple[Columns, State]:
    """The columns of full rounds, and the state after them."""
    kept: list[Columns] = []
    for constants in rounds:
        kept.append(s_boxes(state, constants))
        state = external_layer(kept[-1])
    return Columns(column for row in kept for column in row), state


def partial_rounds(state: State, parameters: Parameters) -> tuple[Columns, State]:
    """The columns of partial rounds, and the state after them."""
    kept = []
    for constant in parameters.partial:
        kept.append(derived((state[0] + constant) ** 7))
        state = [kept[-1], *state[1:]]
        sums = total(list(state))
        factors = zip(state, parameters.diagonal, strict=True)
        state = [sums + value * factor for value, factor in factors]
    return Columns(kept), state


class Poseidon2Width8(Table):
    """One row a tree node: permutation of its children, cut, plus the left child."""

    name = "poseidon2_8"
    state = columns(WIDTH_8.width)
    first_full, _after_first = full_rounds(external_layer(state), WIDTH_8.first_full)
    partial, _after_partial = partial_rounds(_after_first, WIDTH_8)
    last_full, output = full_rounds(_after_partial, WIDTH_8.last_full)
    times = multiplicity()

    def messages(self) -> list[Interaction]:
        """The node, as often as it is asked for."""
        fields: dict[str, Expression | int] = {}
        for place in range(DIGEST):
            fields[f"left_{place}"] = self.state[place]
            fields[f"right_{place}"] = self.state[DIGEST + place]
            fields[f"digest_{place}"] = self.output[place] + self.state[place]
        return [receive(COMPRESS, self.times, **fields)]


class Poseidon2Width12(Table):
    """One row a step of the sponge."""

    name = "poseidon2_12"
    state = columns(WIDTH_12.width)
    first_full, _after_first = full_rounds(external_layer(state), WIDTH_12.first_full)
    partial, _after_partial = partial_rounds(_after_first, WIDTH_12)
    last_full, output = full_rounds(_after_partial, WIDTH_12.last_full)
    absorbed = multiplicity()
    squeezed = multiplicity()

    def messages(self) -> list[Interaction]:
        """The permutation, as often as it is asked for, as a step or as the last one."""
        inputs: dict[str, Expression | int] = {
            f"input_{place}": self.state[place] for place in range(WIDTH_12.width)
        }
        capacity = {f"capacity_{place}": self.output[RATE + place] for place in range(4)}
        digest = {f"digest_{place}": self.output[place] for place in range(DIGEST)}
        return [
            receive(ABSORB, self.absorbed, **inputs, **capacity),
            receive(SQUEEZE, self.squeezed, **inputs, **digest),
        ]
