"""The permutation: published values, its constants generated again, and its definition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.poseidon2 import WIDTH_8, WIDTH_12, Parameters, permute

BOTH = pytest.mark.parametrize("parameters", [WIDTH_8, WIDTH_12], ids=["8", "12"])
SMALL = (-2, 1, 2, "1/2", 3, "-1/2", -3, -4), (
    -2, 1, 2, "1/2", 3, 4, "-1/2", -3, -4, "1/4", "-1/4", "1/8",
)  # fmt: skip


def grain(width: int, full_rounds: int, partial_rounds: int) -> Iterator[int]:
    """Field elements of the Grain generator of the Poseidon paper (eprint 2019/458, appendix E).

    80 bits describe the instance: prime field, power map, 64-bit elements, width, rounds, ones.
    After 160 discarded steps, bits come in pairs: a pair (1, b) yields b, a pair (0, b) nothing.
    """
    fields = ((1, 2), (0, 4), (64, 12), (width, 12), (full_rounds, 10), (partial_rounds, 10))
    state = [int(bit) for value, size in fields for bit in format(value, f"0{size}b")] + [1] * 30

    def step() -> int:
        bit = state[62] ^ state[51] ^ state[38] ^ state[23] ^ state[13] ^ state[0]
        state.append(bit)
        del state[0]
        return bit

    for _ in range(160):
        step()
    while True:
        value = 0
        for _ in range(64):
            while not step():
                step()
            value = 2 * value + step()
        if value < P:
            yield value


@BOTH
def test_round_constants_are_the_grain_generators(parameters: Parameters) -> None:
    generator = grain(parameters.width, 8, 22)
    first = [tuple(next(generator) for _ in range(parameters.width)) for _ in range(4)]
    assert tuple(first) == parameters.first_full
    assert tuple(next(generator) for _ in range(22)) == parameters.partial
    last = [tuple(next(generator) for _ in range(parameters.width)) for _ in range(4)]
    assert tuple(last) == parameters.last_full


@pytest.mark.parametrize("parameters, small", [(WIDTH_8, SMALL[0]), (WIDTH_12, SMALL[1])])
def test_diagonals_are_small_fractions(parameters: Parameters, small: Sequence[Any]) -> None:
    for element, fraction in zip(parameters.diagonal, small, strict=True):
        over = str(fraction).split("/")
        assert element * int(over[-1] if len(over) == 2 else 1) % P == int(over[0]) % P


def dense_matrices(parameters: Parameters) -> tuple[list[list[int]], list[list[int]]]:
    """The external and the internal matrix, entry by entry."""
    width = parameters.width
    circulant = ((2, 3, 1, 1), (1, 2, 3, 1), (1, 1, 2, 3), (3, 1, 1, 2))
    external = [
        [circulant[i % 4][j % 4] * (2 if i // 4 == j // 4 else 1) for j in range(width)]
        for i in range(width)
    ]
    internal = [
        [1 + (parameters.diagonal[i] if i == j else 0) for j in range(width)] for i in range(width)
    ]
    return external, internal


def apply(matrix: list[list[int]], state: Sequence[int]) -> list[int]:
    return [sum(a * b for a, b in zip(row, state, strict=True)) % P for row in matrix]


def permute_by_matrices(state: Sequence[int], parameters: Parameters) -> tuple[int, ...]:
    """The permutation as the paper defines it, with dense matrices."""
    external, internal = dense_matrices(parameters)
    state = apply(external, state)

    def full(state: Sequence[int], constants: Sequence[int]) -> list[int]:
        raised = [pow(a + c, 7, P) for a, c in zip(state, constants, strict=True)]
        return apply(external, raised)

    for constants in parameters.first_full:
        state = full(state, constants)
    for constant in parameters.partial:
        state = apply(internal, [pow(state[0] + constant, 7, P), *state[1:]])
    for constants in parameters.last_full:
        state = full(state, constants)
    return tuple(state)


elements = st.one_of(st.integers(0, P - 1), st.sampled_from((0, 1, P - 1)))


@BOTH
@given(data=st.data())
@settings(max_examples=15)
def test_permutation_is_the_papers(parameters: Parameters, data: st.DataObject) -> None:
    state = data.draw(st.tuples(*[elements] * parameters.width))
    output = permute(state, parameters)
    assert output == permute_by_matrices(state, parameters)
    assert all(0 <= element < P for element in output)


def test_plonky3_vectors(plonky3: Any) -> None:
    widths = {8: WIDTH_8, 12: WIDTH_12}
    assert {case["width"] for case in plonky3["permutations"]} == set(widths)
    for case in plonky3["permutations"]:
        assert permute(case["input"], widths[case["width"]]) == case["output"]
