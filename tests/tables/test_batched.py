"""Primary columns from the native core are those of the readable `fill`, word by word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from novate.native import (
    MerkleTree,
    add_and_encode,
    generator_windows,
    key_multiple_steps,
    permute_rows,
)
from novate.native import key_windows as native_key_windows
from novate.spec.bounds import EPOCH_MAX
from novate.spec.crypto import curve, merkle, schnorr
from novate.spec.crypto.poseidon2 import WIDTH_12, permute
from novate.spec.crypto.scalar import N
from novate.tables.batched.columns import Words, distinct_rows
from novate.tables.batched.curve import multiply_base_columns, multiply_key_columns
from novate.tables.batched.signed_updates import rooms_below_the_order, witness
from novate.tables.curve import affine
from novate.tables.key_windows import window
from novate.tables.multiply import BASE_DIGIT_BITS, BASE_DIGITS, chunks_of, fill_base, fill_key
from novate.tables.signed_updates import witness as readable_witness
from tests.tables.test_signed_updates import DEPTH, DOMAIN, updates_of

COUNT = 5


@pytest.fixture(name="made", scope="module")
def _made() -> tuple[merkle.Tree, list]:
    return updates_of(COUNT)


def native_tree(tree: merkle.Tree) -> MerkleTree:
    """The same tree in the native core."""
    copy = MerkleTree(tree.depth)
    held = [number - (1 << DEPTH) for number in tree.nodes if number >> DEPTH]
    digests = [merkle.leaf(tree, index) for index in held]
    copy.update(np.array(held, dtype=np.uint64), np.array(digests, dtype=np.uint64))
    return copy


@pytest.mark.parametrize("native", [False, True], ids=["tree of the law", "native tree"])
def test_witness_is_the_readable_one(made: tuple[merkle.Tree, list], native: bool) -> None:
    tree, updates = made
    slow = readable_witness(DOMAIN, tree, updates)
    fast = witness(DOMAIN, native_tree(tree) if native else tree, updates)
    assert fast.publics == slow.publics
    assert fast.primary.keys() == slow.primary.keys()
    for table, columns in slow.primary.items():
        assert fast.primary[table].keys() == columns.keys(), table
        for name, values in columns.items():
            assert fast.primary[table][name].tolist() == values, f"{table}.{name}"


EDGES = [0, 1, 15, 16, 2**64 - 1, 2**64, 2**127, 2**128 - 1]


def test_multiplications_at_the_edges() -> None:
    """Digits of zero and fifteen everywhere, chunks full and empty."""
    secrets = [schnorr.secret_from_seed(bytes([place])) for place in (1, 2)]
    keys = [schnorr.public_key(secret) for secret in secrets]
    points = [affine(point) for key in keys if (point := curve.decode(key)) is not None]
    readable = [window(point) for point in points]
    windows, _ = native_key_windows(np.array(keys, dtype=np.uint64))
    of = [place % 2 for place in range(len(EDGES))]
    scalars = [(scalar & 2**64 - 1, scalar >> 64) for scalar in EDGES]
    runs = [(of[k] + 1, scalar, readable[of[k]]) for k, scalar in enumerate(EDGES)]
    made = multiply_key_columns(windows, words(of), words(scalars))
    for name, values in fill_key(runs).items():
        assert made.columns[name].tolist() == values, name


def test_responses_at_the_edges() -> None:
    responses = [0, 1, 15, N - 1, N - 2, (1 << 318) - 1]
    multiples = generator_windows(BASE_DIGITS, BASE_DIGIT_BITS)
    names = [f"{half}_{place}" for half in ("x", "u") for place in range(5)]
    windows = dict(zip(names, multiples.T.tolist(), strict=True))
    rows = words([[scalar >> 64 * k & 2**64 - 1 for k in range(5)] for scalar in responses])
    made = multiply_base_columns(rows)
    for name, values in fill_base(responses, windows).items():
        assert made.columns[name].tolist() == values, name
    chunks = words([chunks_of(scalar, 10) for scalar in responses])
    rooms, borrows = rooms_below_the_order(chunks)
    assert rooms.T.tolist() == [chunks_of(N - 1 - scalar, 10) for scalar in responses]
    assert set(borrows.flatten().tolist()) == {0, 1}


def words(values: list) -> Words:
    """An array of elements."""
    return np.array(values, dtype=np.uint64)


def test_permutations_are_the_laws() -> None:
    states = [[(row + 1) ** 7 * 977 * (place + 1) for place in range(12)] for row in range(19)]
    found = permute_rows(words(states))
    assert found.tolist() == [list(permute(state, WIDTH_12)) for state in states]


def test_distinct_rows_keep_their_order() -> None:
    rows = words([[3, 1], [2, 2], [3, 1], [1, 3], [2, 2]])
    assert distinct_rows(rows).tolist() == [[3, 1], [2, 2], [1, 3]]


def test_what_cannot_be_proved_is_refused(made: tuple[merkle.Tree, list]) -> None:
    tree, updates = made
    wrong = updates[1].signature._replace(s=updates[1].signature.s ^ 1)
    with pytest.raises(ValueError, match="is not valid"):
        witness(DOMAIN, tree, [updates[0], updates[1]._replace(signature=wrong)])
    with pytest.raises(ValueError, match="at least one and all different"):
        witness(DOMAIN, tree, [updates[0], updates[0]])
    full = replace(updates[0].account, cancel_epoch=EPOCH_MAX)
    with pytest.raises(ValueError, match=f"cancel epoch = {EPOCH_MAX}, below {EPOCH_MAX}"):
        witness(DOMAIN, tree, [updates[0]._replace(account=full)])
    last = replace(full, cancel_epoch=EPOCH_MAX - 1)  # may be raised, but is not what was signed
    with pytest.raises(ValueError, match="is not valid"):
        witness(DOMAIN, tree, [updates[0]._replace(account=last)])


def test_arguments_are_checked() -> None:
    """Whatever does not fit is a ValueError in words."""
    windows = generator_windows(1, 4)
    with pytest.raises(ValueError, match="bits = 9, must be one of"):
        generator_windows(1, 9)
    with pytest.raises(ValueError, match="must be below 1 windows"):
        key_multiple_steps(windows, words([1]), words([[0, 0]]))
    with pytest.raises(ValueError, match="multiple of 16"):
        key_multiple_steps(windows[:3], words([0]), words([[0, 0]]))
    with pytest.raises(ValueError, match="must be equal"):
        key_multiple_steps(windows, words([0, 0]), words([[0, 0]]))
    with pytest.raises(ValueError, match="not neutral"):
        native_key_windows(words([[0] * 5]))
    with pytest.raises(ValueError, match="not below the order"):
        multiply_base_columns(words([[2**64 - 1] * 5]))
    with pytest.raises(ValueError, match="must be equal"):
        add_and_encode(windows, windows[:1])
    with pytest.raises(ValueError, match="below 2\\^2 in level 1"):
        MerkleTree(3).nodes(1, words([4]))
    with pytest.raises(ValueError, match="level = 4"):
        MerkleTree(3).nodes(4, words([0]))
