"""Attacks on buses: a message that nobody receives, or that nobody sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from novate.spec.crypto import curve, schnorr
from novate.tables.curve import affine
from tests.proof.forging.keys import with_key
from tests.proof.forging.scene import Attack, Scene, signed
from tests.proof.forging.signatures import Signing, signed_once

BREAKING = ("signature", "multiply_key", "multiply_base", "key_windows")
"""Tables that are empty where nobody signed."""


def buses(scene: Scene) -> Iterator[Attack]:
    """One for each bus, and the statement that it would make true."""
    for bus, spoil in SPOILED.items():
        yield spoil(scene).attack(bus)


def out_of_range(scene: Scene) -> Scene:
    """A value of 33 bits where 32 are promised."""
    made = scene.copy()
    made.put("cancel_all", scene.rows("cancel_all") - 1, key_epoch=1 << 32)
    return made


def false_root(scene: Scene) -> Scene:
    """A root that is not the hash of its children."""
    made = scene.copy()
    for when in ("old", "new"):
        made.put("merkle_update", 0, **{f"{when}_0": 1})
        made.publics[f"{when}_root_0"] = 1
    return made


def other_new_root(scene: Scene) -> Scene:
    """The statement names a new root that no row has."""
    made = scene.copy()
    made.publics["new_root_0"] += 1
    return made


def false_capacity(scene: Scene) -> Scene:
    """A challenge hashed with a capacity that no permutation gave."""
    return signed_once(scene, Signing(capacity=lambda capacity: [*capacity[:3], capacity[3] ^ 1]))


def false_digest(scene: Scene) -> Scene:
    """A digest, half of which no permutation gave."""
    made = signed_once(scene, Signing())
    made.primary["signature"]["unused_0"][0] ^= 1
    return made


def other_key(scene: Scene) -> Scene:
    """A signature in another key's name."""
    return signed_once(scene, Signing(hashed_key=schnorr.public_key(77)))


def false_key_multiple(scene: Scene) -> Scene:
    """A signature made without the key: e · Q is said to be 99 · G."""
    return signed_once(scene, Signing(key_multiple=affine(curve.multiply_generator(99))))


def false_base_multiple(scene: Scene) -> Scene:
    """A signature with another response: s · G is said to be what the sum needs."""
    return signed_once(scene, Signing(response=4711))


def false_key_window(scene: Scene) -> Scene:
    """0 · Q is said to be a point that it is not."""
    made, last = with_key(scene), scene.rows("multiply_key") - 1
    made.put("multiply_key", last, steps=1, number=1, multiple_x_0=1)
    return made


def false_base_window(scene: Scene) -> Scene:
    """0 · G is said to be a point that it is not."""
    made = scene.copy()
    made.put("multiply_base", scene.rows("multiply_base") - 1, steps=1, multiple_x_0=1)
    return made


def unsigned(_: Scene) -> Scene:
    """Messages applied without a signature."""
    made = signed(1)
    for table in BREAKING:
        for values in made.primary[table].values():
            values.clear()
    return made


SPOILED: dict[str, Callable[[Scene], Scene]] = {
    "absorb": false_capacity,
    "base_multiple": false_base_multiple,
    "base_window": false_base_window,
    "compress": false_root,
    "key": other_key,
    "key_multiple": false_key_multiple,
    "key_window": false_key_window,
    "node": other_new_root,
    "range16": out_of_range,
    "signed": unsigned,
    "squeeze": false_digest,
}
