"""Changes of many leaves of a tree. Mirrors `fill` of `tables/merkle_update.py`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from novate.native import MerkleTree, compress_rows
from novate.spec.crypto import merkle
from novate.tables.batched.columns import Columns, Words, named, ones
from novate.tables.poseidon2 import DIGEST

SIDES = ("left", "right")


class Updated(NamedTuple):
    """A tree, changed."""

    columns: Columns
    """Of `merkle_update`."""
    pairs: Words
    """(2 · rows, 8): children that are hashed, those of all old nodes first."""
    old_root: Words
    new_root: Words
    """(4,)."""


def nodes_of(tree: merkle.Tree | MerkleTree, level: int, indices: Words) -> Words:
    """Digests (n, 4) of a level's nodes, from the leaves (0) up."""
    if isinstance(tree, MerkleTree):
        return tree.nodes(level, indices)
    first = 1 << tree.depth - level
    found = [merkle.node_digest(tree, first + index) for index in indices.tolist()]
    return np.array(found, dtype=np.uint64).reshape(-1, DIGEST)


def updated(tree: merkle.Tree | MerkleTree, places: Words, leaves: Words) -> Updated:
    """The tree with leaves (n, 4) at different places (n,): a row a node above one, level by level.

    ValueError if a place is there twice or none is.
    """
    order = np.argsort(places)
    indices, new = places[order], leaves[order]
    if not len(indices) or (indices[1:] == indices[:-1]).any():
        raise ValueError(f"{len(indices)} places, at least one and all different expected")
    old = nodes_of(tree, 0, indices)
    levels = []
    for level in range(tree.depth):
        found = level_above(tree, level, indices, new)
        levels.append(found)
        indices, old, new = found.indices, found.old, found.new
    return Updated(
        columns=level_columns(levels),
        pairs=np.concatenate(
            [np.concatenate([found.children[when] for found in levels]) for when in (0, 1)]
        ),
        old_root=old[0],
        new_root=new[0],
    )


class Level(NamedTuple):
    """The nodes of a level with a changed leaf below them."""

    level: int
    indices: Words
    children: Words
    """(2, n, 8): left and right child, old and new."""
    touched: Words
    """(n, 2)."""
    old: Words
    new: Words
    """(n, 4)."""


def level_above(
    tree: merkle.Tree | MerkleTree, level: int, indices: Words, changed: Words
) -> Level:
    """The parents of a level's changed nodes."""
    one = np.uint64(1)
    parents = np.unique(indices >> one)
    both = np.stack([parents << one, parents << one | one], axis=1)
    old = nodes_of(tree, level, both.reshape(-1))
    new = old.copy()
    slots = np.searchsorted(both.reshape(-1), indices)
    new[slots] = changed
    touched = np.zeros(2 * len(parents), dtype=np.uint64)
    touched[slots] = 1
    children = np.stack([old, new]).reshape(2, len(parents), 2 * DIGEST)
    digests = compress_rows(children.reshape(-1, 2 * DIGEST)).reshape(2, len(parents), DIGEST)
    return Level(level + 1, parents, children, touched.reshape(-1, 2), digests[0], digests[1])


def level_columns(levels: list[Level]) -> Columns:
    """Columns of the table, level by level."""
    indices = np.concatenate([found.indices for found in levels])
    touched = np.concatenate([found.touched for found in levels]).T
    children = np.concatenate([found.children for found in levels], axis=1)
    heights = [np.full(len(found.indices), found.level, dtype=np.uint64) for found in levels]
    columns = {"active": ones(len(indices)), "level": np.concatenate(heights), "index": indices}
    for place, side in enumerate(SIDES):
        half = slice(DIGEST * place, DIGEST * (place + 1))
        columns[f"{side}_touched"] = touched[place]
        columns |= named(f"old_{side}", children[0, :, half].T)
        columns |= named(f"new_{side}", children[1, :, half].T)
    columns |= named("old", np.concatenate([found.old for found in levels]).T)
    return columns | named("new", np.concatenate([found.new for found in levels]).T)
