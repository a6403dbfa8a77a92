"""Dense binary Merkle trees of a fixed depth: an immutable value with a multi-leaf update.

Nodes are numbered as in a heap: 1 is the root, 2i and 2i + 1 are the children of i, and leaf k of a
tree of depth d is node 2^d + k. Only nodes that differ from the all-absent tree are held, so equal
trees are equal values. An absent leaf has the zero digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from novate.spec.primitives import ZERO_DIGEST, Digest

DEPTH_MAX: Final = 32

CompressMany: TypeAlias = Callable[[Sequence[tuple[Digest, Digest]]], list[Digest]]


class Tree(NamedTuple):
    """depth; held nodes by number; absent[h] = digest of an all-absent subtree of height h."""

    depth: int
    nodes: Mapping[int, Digest]
    absent: tuple[Digest, ...]


def absent_digests(depth: int, compress_many: CompressMany) -> tuple[Digest, ...]:
    """Digests of the all-absent subtrees of heights 0 to depth."""
    digests = [ZERO_DIGEST]
    for _ in range(depth):
        digests += compress_many([(digests[-1], digests[-1])])
    return tuple(digests)


def empty(depth: int, compress_many: CompressMany) -> Tree:
    """The tree of 2^depth absent leaves, 0 <= depth <= 32."""
    if not 0 <= depth <= DEPTH_MAX:
        raise ValueError(f"depth {depth} is not in [0, {DEPTH_MAX}]")
    return Tree(depth, {}, absent_digests(depth, compress_many))


def build(depth: int, leaves: Mapping[int, Digest], compress_many: CompressMany) -> Tree:
    """The tree with these leaves by index in [0, 2^depth), all others absent."""
    return update(empty(depth, compress_many), leaves, compress_many)


def node_digest(tree: Tree, number: int) -> Digest:
    """The digest of node `number` in [1, 2^(depth + 1))."""
    height = tree.depth + 1 - number.bit_length()
    return tree.nodes.get(number, tree.absent[height])


def root(tree: Tree) -> Digest:
    """The root digest."""
    return node_digest(tree, 1)


def leaf(tree: Tree, index: int) -> Digest:
    """The digest of leaf `index` in [0, 2^depth)."""
    return node_digest(tree, leaf_number(tree.depth, index))


def leaf_number(depth: int, index: int) -> int:
    """The node number of a leaf; ValueError if the index is not in [0, 2^depth)."""
    if not 0 <= index < 1 << depth:
        raise ValueError(f"leaf index {index} is not in [0, {1 << depth})")
    return (1 << depth) + index


def update(tree: Tree, leaves: Mapping[int, Digest], compress_many: CompressMany) -> Tree:
    """The tree with these leaves replaced.

    Each touched node is hashed once, one call a level from the leaves up. ValueError on an index
    outside the tree, before any hashing.
    """
    changed = {leaf_number(tree.depth, index): digest for index, digest in leaves.items()}
    nodes = dict(tree.nodes)
    for absent in tree.absent:
        store(nodes, changed, absent)
        parents = sorted({number >> 1 for number in changed if number > 1})
        pairs = [children(nodes, parent, absent) for parent in parents]
        changed = dict(zip(parents, compress_many(pairs), strict=True)) if parents else {}
    return tree._replace(nodes=nodes)


def children(nodes: Mapping[int, Digest], parent: int, absent: Digest) -> tuple[Digest, Digest]:
    """The digests of a node's two children; `absent` is the digest of those not held."""
    return nodes.get(2 * parent, absent), nodes.get(2 * parent + 1, absent)


def store(nodes: dict[int, Digest], changed: Mapping[int, Digest], absent: Digest) -> None:
    """Write the changed nodes of one level; those with the absent digest are not held."""
    for number, digest in changed.items():
        if digest == absent:
            nodes.pop(number, None)
        else:
            nodes[number] = digest


def path(tree: Tree, index: int) -> tuple[Digest, ...]:
    """The `depth` sibling digests from a leaf up to just below the root."""
    number = leaf_number(tree.depth, index)
    return tuple(node_digest(tree, (number >> height) ^ 1) for height in range(tree.depth))


def root_from_path(
    digest: Digest, index: int, siblings: Sequence[Digest], compress_many: CompressMany
) -> Digest:
    """The root that a leaf digest at `index` and its siblings imply.

    The depth is the number of siblings: a verifier must fix it beforehand, or a node could pass as
    a leaf. ValueError if the index is not in [0, 2^depth).
    """
    leaf_number(len(siblings), index)
    for height, sibling in enumerate(siblings):
        is_right = (index >> height) & 1
        [digest] = compress_many([(sibling, digest) if is_right else (digest, sibling)])
    return digest
