"""Hashing: padding, lengths, tags, blocks, and why the node hash feeds forward."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto import poseidon2
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.poseidon2 import WIDTH_8, WIDTH_12, permute
from novate.spec.crypto.sponge import compress, hash_elements, tag_element

elements = st.integers(0, P - 1)
rows = st.lists(elements, max_size=30)
digests = st.tuples(*[elements] * 4)


@given(rows)
@settings(max_examples=25)
def test_a_trailing_zero_is_another_message(row: list[int]) -> None:
    """Padding is with zeros: only the length in the capacity tells these apart."""
    assert len({hash_elements("t", row + [0] * zeros) for zeros in range(10)}) == 10


def test_all_zero_messages_differ_by_length() -> None:
    assert len({hash_elements("t", [0] * length) for length in range(34)}) == 34


def test_tags_separate() -> None:
    tags = ["a", "b", "ab", "ba", "aa", "schnorr", "nonce_a", "nonce_b", " a", "a "]
    assert len({hash_elements(tag, [1, 2, 3]) for tag in tags}) == len(tags)


@given(rows, st.data())
@settings(max_examples=25)
def test_every_element_counts(row: list[int], data: st.DataObject) -> None:
    row = [*row, 5]
    place = data.draw(st.integers(0, len(row) - 1))
    changed = list(row)
    changed[place] = (row[place] + data.draw(st.integers(1, P - 1))) % P
    assert hash_elements("t", changed) != hash_elements("t", row)


def test_one_block_by_hand() -> None:
    capacity = (int.from_bytes(b"tag", "little"), 3, 0, 0)
    state = permute((7, 8, 9, 0, 0, 0, 0, 0, *capacity), WIDTH_12)
    assert hash_elements("tag", [7, 8, 9]) == state[:4]


def test_no_elements_are_one_block_of_zeros() -> None:
    state = permute((0,) * 8 + (tag_element("tag"), 0, 0, 0), WIDTH_12)
    assert hash_elements("tag", []) == state[:4]


def test_full_blocks_add_no_padding_block() -> None:
    """Sixteen elements are two permutations; the second block overwrites the rate."""
    first = permute((*range(8), tag_element("tag"), 16, 0, 0), WIDTH_12)
    second = permute((*range(8, 16), *first[8:]), WIDTH_12)
    assert hash_elements("tag", range(16)) == second[:4]


@pytest.mark.parametrize("tag", ["", "eight888", "é", "a\x00", "\x00", "\n"])
def test_tags_outside_the_alphabet(tag: str) -> None:
    with pytest.raises(ValueError, match="tag"):
        hash_elements(tag, [])


@pytest.mark.parametrize("alias", [-1, P, 2**64])
def test_aliases_of_elements_are_refused(alias: int) -> None:
    with pytest.raises(ValueError, match="element 1"):
        hash_elements("t", [0, alias])
    with pytest.raises(ValueError, match="element 5"):
        compress((0, 0, 0, 0), (0, alias, 0, 0))


@given(digests, digests)
@settings(max_examples=25)
def test_compression_is_the_permutation_plus_its_input(
    left: tuple[int, int, int, int], right: tuple[int, int, int, int]
) -> None:
    output = permute((*left, *right), WIDTH_8)
    expected = tuple((a + b) % P for a, b in zip(output[:4], left, strict=True))
    assert compress(left, right) == expected
    assert left == right or compress(left, right) != compress(right, left)


def inverse_matrix(matrix: list[list[int]]) -> list[list[int]]:
    """Gauss-Jordan mod p."""
    size = len(matrix)
    rows = [row + [int(i == j) for j in range(size)] for i, row in enumerate(matrix)]
    for column in range(size):
        pivot = next(i for i in range(column, size) if rows[i][column] % P)
        rows[column], rows[pivot] = rows[pivot], rows[column]
        factor = pow(rows[column][column], -1, P)
        rows[column] = [value * factor % P for value in rows[column]]
        for i in range(size):
            if i != column:
                lead = rows[i][column]
                pairs = zip(rows[i], rows[column], strict=True)
                rows[i] = [(a - lead * b) % P for a, b in pairs]
    return [row[size:] for row in rows]


def columns_of(images: list[list[int]]) -> list[list[int]]:
    """A linear map's matrix from the images of the unit vectors."""
    return [[image[i] % P for image in images] for i in range(len(images))]


def invert_permutation(output: tuple[int, ...]) -> tuple[int, ...]:
    """The input of the public width-8 permutation for any wanted output."""
    units = [[int(i == j) for j in range(8)] for i in range(8)]
    external = inverse_matrix(columns_of([poseidon2.external_layer(unit) for unit in units]))
    internal = inverse_matrix(
        [[1 + (WIDTH_8.diagonal[i] if i == j else 0) for j in range(8)] for i in range(8)]
    )
    seventh_root = pow(7, -1, P - 1)

    def apply(matrix: list[list[int]], state: list[int]) -> list[int]:
        return [sum(a * b for a, b in zip(row, state, strict=True)) % P for row in matrix]

    def undo_full(state: list[int], constants: tuple[int, ...]) -> list[int]:
        raised = apply(external, state)
        return [(pow(a, seventh_root, P) - c) % P for a, c in zip(raised, constants, strict=True)]

    state = list(output)
    for constants in reversed(WIDTH_8.last_full):
        state = undo_full(state, constants)
    for constant in reversed(WIDTH_8.partial):
        state = apply(internal, state)
        state[0] = (pow(state[0], seventh_root, P) - constant) % P
    for constants in reversed(WIDTH_8.first_full):
        state = undo_full(state, constants)
    return tuple(apply(external, state))


def test_the_feed_forward_stops_inversion() -> None:
    """Without it, two messages for one chosen digest are found at once by inverting."""
    wanted = (1, 2, 3, 4)
    first = invert_permutation((*wanted, 5, 6, 7, 8))
    second = invert_permutation((*wanted, 8, 7, 6, 5))
    assert first != second
    assert permute(first, WIDTH_8)[:4] == permute(second, WIDTH_8)[:4] == wanted
    found = []
    for a0, a1, a2, a3, b0, b1, b2, b3 in (first, second):
        found.append(compress((a0, a1, a2, a3), (b0, b1, b2, b3)))
    assert found[0] != found[1]
    assert wanted not in found
