"""Trees: against hashing everything, multi-updates, work done, paths and tampering."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto import SpecPrimitives, merkle
from novate.spec.crypto.goldilocks import P
from novate.spec.primitives import ZERO_DIGEST, Digest

Pairs = Sequence[tuple[Digest, Digest]]

digests = st.one_of(st.just(ZERO_DIGEST), st.tuples(*[st.integers(0, P - 1)] * 4))


def quick_compress(pairs: Pairs) -> list[Digest]:
    """A cheap stand-in for the tree's hash: the tree must not care which it is."""
    found = []
    for pair in pairs:
        data = hashlib.blake2b(repr(pair).encode(), digest_size=32).digest()
        d0, d1, d2, d3 = (int.from_bytes(data[i : i + 8], "little") % P for i in range(0, 32, 8))
        found.append((d0, d1, d2, d3))
    return found


def root_of_all(level: list[Digest], compress_many: merkle.CompressMany) -> Digest:
    """The root by its definition: hash every pair of every level."""
    while len(level) > 1:
        level = compress_many(list(zip(level[::2], level[1::2], strict=True)))
    return level[0]


def all_leaves(depth: int, leaves: Mapping[int, Digest]) -> list[Digest]:
    return [leaves.get(index, ZERO_DIGEST) for index in range(1 << depth)]


@st.composite
def trees(draw: st.DrawFn, depth_max: int = 6) -> tuple[int, dict[int, Digest], dict[int, Digest]]:
    """A depth, leaves to build from and leaves to change, zero digests (removals) among them."""
    depth = draw(st.integers(0, depth_max))
    chosen = st.dictionaries(st.integers(0, (1 << depth) - 1), digests, max_size=12)
    return depth, draw(chosen), draw(chosen)


@given(trees())
def test_build_and_update_are_hashing_everything(
    drawn: tuple[int, dict[int, Digest], dict[int, Digest]],
) -> None:
    depth, leaves, changes = drawn
    tree = merkle.build(depth, leaves, quick_compress)
    assert merkle.root(tree) == root_of_all(all_leaves(depth, leaves), quick_compress)
    updated = merkle.update(tree, changes, quick_compress)
    expected = {**leaves, **changes}
    assert merkle.root(updated) == root_of_all(all_leaves(depth, expected), quick_compress)
    assert all(merkle.leaf(updated, i) == leaf for i, leaf in expected.items())


@given(trees(depth_max=32))
def test_update_is_building_from_scratch(
    drawn: tuple[int, dict[int, Digest], dict[int, Digest]],
) -> None:
    """Equal as values: no trace of the order of changes or of removed leaves is left."""
    depth, leaves, changes = drawn
    together = merkle.build(depth, {**leaves, **changes}, quick_compress)
    tree = merkle.build(depth, leaves, quick_compress)
    assert merkle.update(tree, changes, quick_compress) == together
    for index, leaf in changes.items():
        tree = merkle.update(tree, {index: leaf}, quick_compress)
    assert tree == together


def test_with_the_real_hash() -> None:
    compress_many = SpecPrimitives().compress_many
    leaves: dict[int, Digest] = {0: (1, 2, 3, 4), 3: (5, 6, 7, 8), 7: (P - 1, 0, 0, 1)}
    tree = merkle.build(3, leaves, compress_many)
    assert merkle.root(tree) == root_of_all(all_leaves(3, leaves), compress_many)
    [nothing] = compress_many([(ZERO_DIGEST, ZERO_DIGEST)])
    assert merkle.node_digest(tree, 0b110) == nothing != ZERO_DIGEST


def test_update_leaves_the_old_tree_alone() -> None:
    tree = merkle.build(4, {1: (1, 1, 1, 1)}, quick_compress)
    before = (merkle.root(tree), dict(tree.nodes))
    merkle.update(tree, {1: (2, 2, 2, 2), 9: (3, 3, 3, 3)}, quick_compress)
    assert (merkle.root(tree), dict(tree.nodes)) == before


def test_each_touched_node_is_hashed_once_and_level_by_level() -> None:
    tree = merkle.empty(10, quick_compress)
    calls: list[int] = []

    def counting(pairs: Pairs) -> list[Digest]:
        calls.append(len(pairs))
        return quick_compress(pairs)

    indices = (0, 1, 2, 3, 512, 513, 1023)
    merkle.update(tree, dict.fromkeys(indices, (1, 2, 3, 4)), counting)
    parents = [len({index >> height for index in indices}) for height in range(1, 11)]
    assert calls == parents == [4, 3, 3, 3, 3, 3, 3, 3, 2, 1]


def test_changing_nothing_hashes_nothing() -> None:
    tree = merkle.build(5, {3: (1, 2, 3, 4)}, quick_compress)

    def forbidden(pairs: Pairs) -> list[Digest]:
        raise AssertionError(f"hashed {len(pairs)} pairs")

    assert merkle.update(tree, {}, forbidden) == tree


@given(trees(depth_max=32), st.data())
def test_paths_lead_to_the_root(
    drawn: tuple[int, dict[int, Digest], dict[int, Digest]], data: st.DataObject
) -> None:
    depth, leaves, _ = drawn
    tree = merkle.build(depth, leaves, quick_compress)
    index = data.draw(st.one_of(st.integers(0, (1 << depth) - 1), st.sampled_from([0, *leaves])))
    siblings = merkle.path(tree, index)
    assert len(siblings) == depth
    leaf = leaves.get(index, ZERO_DIGEST)
    assert merkle.root_from_path(leaf, index, siblings, quick_compress) == merkle.root(tree)


def test_tampered_paths_do_not() -> None:
    leaves: dict[int, Digest] = {i: (i, i + 1, i + 2, i + 3) for i in (0, 5, 6, 31)}
    tree = merkle.build(5, leaves, quick_compress)
    siblings = merkle.path(tree, 5)
    good = merkle.root(tree)
    assert merkle.root_from_path(leaves[5], 5, siblings, quick_compress) == good
    assert merkle.root_from_path(leaves[6], 5, siblings, quick_compress) != good
    for place in range(4):
        changed = list(leaves[5])
        changed[place] += 1
        leaf = (changed[0], changed[1], changed[2], changed[3])
        assert merkle.root_from_path(leaf, 5, siblings, quick_compress) != good
    for index in set(range(32)) - {5}:
        assert merkle.root_from_path(leaves[5], index, siblings, quick_compress) != good
    for height in range(5):
        wrong = (*siblings[:height], (9, 9, 9, 9), *siblings[height + 1 :])
        assert merkle.root_from_path(leaves[5], 5, wrong, quick_compress) != good
    swapped = (siblings[1], siblings[0], *siblings[2:])
    assert merkle.root_from_path(leaves[5], 5, swapped, quick_compress) != good
    assert merkle.root_from_path(leaves[5], 5, siblings[:-1], quick_compress) != good


@pytest.mark.parametrize("index", [-1, 8, 2**32])
def test_indices_outside_the_tree(index: int) -> None:
    tree = merkle.empty(3, quick_compress)
    for use in (merkle.path, merkle.leaf):
        with pytest.raises(ValueError, match="leaf index"):
            use(tree, index)
    with pytest.raises(ValueError, match="leaf index"):
        merkle.update(tree, {0: (1, 1, 1, 1), index: (1, 1, 1, 1)}, quick_compress)
    with pytest.raises(ValueError, match="leaf index"):
        merkle.root_from_path(ZERO_DIGEST, index, merkle.path(tree, 0), quick_compress)


@pytest.mark.parametrize("depth", [-1, 33])
def test_depths_out_of_range(depth: int) -> None:
    with pytest.raises(ValueError, match="depth"):
        merkle.empty(depth, quick_compress)


@settings(max_examples=10)
@given(st.dictionaries(st.integers(0, 2**32 - 1), digests, max_size=3))
def test_only_what_differs_from_the_empty_tree_is_held(leaves: dict[int, Digest]) -> None:
    tree = merkle.build(32, leaves, quick_compress)
    assert len(tree.nodes) <= 33 * len(leaves)
    removed = merkle.update(tree, dict.fromkeys(leaves, ZERO_DIGEST), quick_compress)
    assert removed == merkle.empty(32, quick_compress)
