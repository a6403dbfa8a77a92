"""Attacks on the tree, the messages and the statement's roots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from novate.circuit.expressions import P
from novate.circuit.witness import Trace
from novate.proof.statements import TREE_DEPTH
from novate.spec.bounds import EPOCH_MAX
from novate.spec.crypto.sponge import compress
from tests.proof.forging.scene import ROOT_CHILDREN, Attack, Scene, node, scanned, signed

TREE, MESSAGES, ROOTS = "merkle_update", "cancel_all", "roots"


def trees(scene: Scene, traces: Mapping[str, Trace]) -> Iterator[Attack]:
    """Each rule of the tables; the scene has a root and nothing below it."""
    yield from _nodes(scene)
    yield from _changes(scene)
    yield from _messages(scene, traces)
    yield from _roots(scene)


def _nodes(scene: Scene) -> Iterator[Attack]:
    """Flags of node rows."""
    last = scene.rows(TREE) - 1
    spoiled = scene.copy()
    spoiled.put(TREE, last - 1, active=1)
    spoiled.put(TREE, last, active=P - 1)
    yield spoiled.attack(f"{TREE}/active_bit")
    for place, side in enumerate(("left", "right")):
        spoiled = scene.copy()
        for _ in range(2):
            node(spoiled, TREE_DEPTH - 1, place)
        _take_child(spoiled, 0, place, 2)
        yield spoiled.attack(f"{TREE}/{side}_touched_bit")
        spoiled = scene.copy()
        node(spoiled, TREE_DEPTH - 1, place)
        spoiled.put(TREE, last, level=TREE_DEPTH)
        _take_child(spoiled, last, place, 1)
        yield spoiled.attack(f"{TREE}/only_active_rows_receive_{place}")


def _take_child(scene: Scene, row: int, place: int, times: int) -> None:
    """Have a row receive the node that `node` makes as its left or right child."""
    side = ("left", "right")[place]
    child = compress(*ROOT_CHILDREN)
    scene.put(TREE, row, **{f"{side}_touched": times})
    scene.put_row(TREE, row, **{f"old_{side}": child, f"new_{side}": child})
    if row == 0:
        other = ROOT_CHILDREN[1 - place]
        pair = (child, other) if place == 0 else (other, child)
        _set_root(scene, pair, pair)


def _set_root(
    scene: Scene, old: tuple[tuple[int, ...], ...], new: tuple[tuple[int, ...], ...]
) -> None:
    """Have the root's row stand over these children, and the statement name its digests."""
    for when, pair in (("old", old), ("new", new)):
        left, right = ((side[0], side[1], side[2], side[3]) for side in pair)
        root = compress(left, right)
        scene.put_row(TREE, 0, **{f"{when}_left": left, f"{when}_right": right, when: root})
        rows = {f"state_{k}": [value] for k, value in enumerate((*left, *right))}
        scene.append("poseidon2_8", rows)
        for place, value in enumerate(root):
            scene.publics[f"{when}_root_{place}"] = value


def _changes(scene: Scene) -> Iterator[Attack]:
    """A tree that changed without a message: one element of a child of the root."""
    for place in range(8):
        new = [list(side) for side in ROOT_CHILDREN]
        new[place // 4][place % 4] += 1
        spoiled = scene.copy()
        _set_root(spoiled, ROOT_CHILDREN, (tuple(new[0]), tuple(new[1])))
        yield spoiled.attack(f"{TREE}/untouched_is_unchanged_{place}")


def _messages(scene: Scene, traces: Mapping[str, Trace]) -> Iterator[Attack]:
    """Flags and count of messages; that an epoch can be raised."""
    last = scene.rows(MESSAGES) - 1
    spoiled = scene.copy()
    for row, active in ((last - 1, 1), (last, P - 1)):
        spoiled.put(MESSAGES, row, active=active, room=EPOCH_MAX - 1)
    yield spoiled.attack(f"{MESSAGES}/active_bit")
    one_more = scene.copy()
    one_more.publics["messages"] = 1
    for row, step in ((0, "first"), (last, "step")):
        counts = scanned(scene, traces, MESSAGES, "count", row)
        yield one_more.attack(f"{MESSAGES}/count_{step}", {MESSAGES: {"count": counts}})
    yield one_more.attack(f"{MESSAGES}/all_are_counted")
    spoiled = signed(1)
    spoiled.primary[MESSAGES]["room"][0] += 1
    yield spoiled.attack(f"{MESSAGES}/epoch_has_room")


def _roots(scene: Scene) -> Iterator[Attack]:
    """Which rows take the root; every row is said to hold 0 or 1, so a 2 breaks two rules."""
    spoiled = scene.copy()
    node(spoiled, TREE_DEPTH, 0)
    spoiled.put(ROOTS, 0, active=2)
    yield spoiled.attack(f"{ROOTS}/active_bit", implied=(f"{ROOTS}/first_row_alone_0",))
    spoiled = Scene({"base_windows": scene.primary["base_windows"]}, scene.publics)
    yield spoiled.attack(f"{ROOTS}/first_row_alone_0")
    spoiled = scene.copy()
    node(spoiled, TREE_DEPTH, 0)
    spoiled.put(ROOTS, 1, active=1)
    yield spoiled.attack(f"{ROOTS}/first_row_alone_1")
