"""Many leaves of a tree change at once: a row for each inner node above one, old and new together.

A node's message (level, index, old, new) is sent by the row that makes it and received by its
parent's; leaves send theirs, the statement receives the root's. So every changed leaf has a chain
of rows up to the root, no index can stand twice, and an untouched sibling is the same before and
after. Mirrors `spec/crypto/merkle.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import Columns, column, columns, flag
from novate.circuit.expressions import Expression
from novate.circuit.tables import Table, rule
from novate.spec.crypto import merkle
from novate.spec.crypto.sponge import compress
from novate.spec.primitives import Digest
from novate.tables.curve import named, put
from novate.tables.multiply import put_scalars
from novate.tables.poseidon2 import COMPRESS, DIGEST

_DIGESTS: dict[str, int | None] = {
    f"{when}_{place}": None for when in ("old", "new") for place in range(DIGEST)
}
NODE: Final = Bus("node", level=None, index=None, **_DIGESTS)
"""A node before and after; leaves are level 0."""


class MerkleUpdate(Table):
    """One row an inner node with a changed leaf below it."""

    name = "merkle_update"
    active = flag()
    left_touched, right_touched = flag(), flag()
    level, index = column(), column()
    old_left, old_right, old = columns(DIGEST), columns(DIGEST), columns(DIGEST)
    new_left, new_right, new = columns(DIGEST), columns(DIGEST), columns(DIGEST)

    @rule()
    def untouched_is_unchanged(self) -> list[Expression]:
        """A child below which no leaf changed is the same before and after."""
        left = [(1 - self.left_touched) * d for d in _differences(self.old_left, self.new_left)]
        right = [(1 - self.right_touched) * d for d in _differences(self.old_right, self.new_right)]
        return left + right

    @rule()
    def only_active_rows_receive(self) -> list[Expression]:
        """A padding row takes no child away from anyone."""
        return [(1 - self.active) * touched for touched in (self.left_touched, self.right_touched)]

    def messages(self) -> list[Interaction]:
        """Hashes both nodes, takes its touched children, offers itself."""
        left = named("old", self.old_left) | named("new", self.new_left)
        right = named("old", self.old_right) | named("new", self.new_right)
        below, twice = self.level - 1, self.index * 2
        node = named("old", self.old) | named("new", self.new)
        return [
            _compress(self.active, self.old_left, self.old_right, self.old),
            _compress(self.active, self.new_left, self.new_right, self.new),
            receive(NODE, self.left_touched, level=below, index=twice, **left),
            receive(NODE, self.right_touched, level=below, index=twice + 1, **right),
            send(NODE, self.active, level=self.level, index=self.index, **node),
        ]


def _differences(old: Columns, new: Columns) -> list[Expression]:
    """Zero where both are the same."""
    return [before - after for before, after in zip(old, new, strict=True)]


def _compress(times: Expression, left: Columns, right: Columns, digest: Columns) -> Interaction:
    """The parent's digest."""
    children = named("left", left) | named("right", right)
    return send(COMPRESS, times, **children, **named("digest", digest))


Levels = list[dict[int, tuple[Digest, Digest]]]
"""Of each level from the leaves up: (old, new) of every node that a changed leaf is below."""


def changed_levels(tree: merkle.Tree, leaves: Mapping[int, Digest]) -> Levels:
    """Every node above the leaves that change in a tree, with the leaves at the bottom."""
    levels: Levels = [{index: (merkle.leaf(tree, index), new) for index, new in leaves.items()}]
    for level in range(tree.depth):
        above = {}
        for index in sorted({child >> 1 for child in levels[level]}):
            left, right = (
                levels[level].get(child) or (untouched(tree, level, child),) * 2
                for child in (2 * index, 2 * index + 1)
            )
            above[index] = compress(left[0], right[0]), compress(left[1], right[1])
        levels.append(above)
    return levels


def untouched(tree: merkle.Tree, level: int, index: int) -> Digest:
    """The digest of a node by its level from the leaves up."""
    return merkle.node_digest(tree, (1 << (tree.depth - level)) + index)


def fill(levels: Levels, tree: merkle.Tree) -> dict[str, list[int]]:
    """Primary columns for the levels of a change of the tree."""
    found: dict[str, list[int]] = {}
    for level in range(1, len(levels)):
        for index in sorted(levels[level]):
            put_scalars(found, active=1, level=level, index=index)
            for side, child in (("left", 2 * index), ("right", 2 * index + 1)):
                touched = child in levels[level - 1]
                found.setdefault(f"{side}_touched", []).append(int(touched))
                pair = levels[level - 1].get(child)
                old, new = pair or (untouched(tree, level - 1, child),) * 2
                put(found, f"old_{side}", old)
                put(found, f"new_{side}", new)
            old, new = levels[level][index]
            put(found, "old", old)
            put(found, "new", new)
    return found
