"""Attacks on the windows of keys: of a key that nobody signs with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from novate.circuit.witness import Trace
from novate.spec.crypto import curve, quintic, schnorr
from novate.spec.primitives import PublicKey
from novate.tables import key_windows as table
from novate.tables.curve import sum_of
from tests.proof.forging.scene import (
    NEUTRAL,
    Attack,
    Scene,
    scanned,
    unit,
    wrong_at,
    wrong_sum,
)

NAME = "key_windows"
SECRET = schnorr.secret_from_seed(b"a forger's key")
KEY = schnorr.public_key(SECRET)
SEVENTH = quintic.inverse_or_zero((table.NON_SQUARE, 0, 0, 0, 0))
LAST = table.DIGITS - 1
"""A key's last row: none continues it."""


def key_windows(scene: Scene, traces: Mapping[str, Trace]) -> Iterator[Attack]:
    """Each rule; the scene's table is padding."""
    yield from _flags(scene)
    for row, step in ((0, "first"), (scene.rows(NAME) - 1, "step")):
        for column in ("number", "digit"):
            values = scanned(scene, traces, NAME, column, row)
            yield scene.attack(f"{NAME}/{column}_{step}", {NAME: {column: values}})
    for place in range(5):
        yield from _first_rows(scene, place)
    for place in range(10):
        yield from _later_rows(scene, place)


def with_key(scene: Scene, key: PublicKey = KEY) -> Scene:
    """A scene with the sixteen rows of a key, number 1."""
    made = scene.copy()
    made.append(NAME, table.fill([key]))
    return made


def _flags(scene: Scene) -> Iterator[Attack]:
    """Which rows are a key's."""
    spoiled = _first_row(scene)
    spoiled.put(NAME, 0, starts=2)
    yield spoiled.attack(f"{NAME}/starts_bit")
    spoiled = with_key(scene)
    spoiled.put(NAME, LAST, continues=2)
    yield spoiled.attack(f"{NAME}/continues_bit")
    spoiled = scene.copy()
    spoiled.put(NAME, scene.rows(NAME) - 1, continues=1)
    yield spoiled.attack(f"{NAME}/continues_a_key")
    spoiled = scene.copy()
    spoiled.put(NAME, 0, continues=1)
    yield spoiled.attack(f"{NAME}/continues_nothing")
    # A row that starts and continues holds both the neutral and a multiple that is not the neutral:
    # fifteen additions of a key of prime order never lead there.
    spoiled = with_key(scene)
    spoiled.put(NAME, LAST, starts=1)
    spoiled.put_row(NAME, LAST, x=quintic.ZERO, u=quintic.ZERO)
    adds = tuple(f"{NAME}/adds_the_key_{place}" for place in range(10))
    yield spoiled.attack(f"{NAME}/starts_or_continues", implied=adds)


def _first_row(scene: Scene, **changes: quintic.Quintic) -> Scene:
    """A key's first row alone, with other values of some columns."""
    made = scene.copy()
    columns = table.fill([KEY])
    made.append(NAME, {name: values[:1] for name, values in columns.items()})
    made.put_row(NAME, 0, **changes)
    return made


def _first_rows(scene: Scene, place: int) -> Iterator[Attack]:
    """What shows a key to be one: slope, curve, no square."""
    u = quintic.mul(quintic.add(quintic.ONE, unit(place)), quintic.inverse_or_zero(KEY))
    yield _first_row(scene, key_u=u).attack(f"{NAME}/slope_{place}")
    yield _off_the_curve(scene, place).attack(f"{NAME}/on_the_curve_{place}")
    for seed in count():
        key = schnorr.public_key(seed + 1)
        element = table.element_of(key)
        root = quintic.sqrt(quintic.mul(quintic.sub(element.x, unit(place)), SEVENTH))
        if root is not None:
            break
    values = {"key_x": element.x, "key_u": element.u, "w": key, "root": root}
    yield _first_row(scene, **values).attack(f"{NAME}/no_square_{place}")


def _off_the_curve(scene: Scene, place: int) -> Scene:
    """A first row with x² − (w² − 2)·x + b = z^place instead of 0."""
    for seed in count(1):
        root = (seed, 1, 2, 3, 4)
        x = quintic.scale(quintic.square(root), table.NON_SQUARE)
        free = quintic.sub(quintic.add(quintic.square(x), curve.B), unit(place))
        square = quintic.mul(free, quintic.inverse_or_zero(x))
        w = quintic.sqrt(quintic.add(square, (curve.A, 0, 0, 0, 0)))
        if w is not None:
            break
    u = quintic.inverse_or_zero(w)
    return _first_row(scene, key_x=x, key_u=u, w=w, root=root)


def _later_rows(scene: Scene, place: int) -> Iterator[Attack]:
    """The multiples of a key."""
    point = wrong_at(NEUTRAL, place)
    yield _first_row(scene, x=point.x, u=point.u).attack(f"{NAME}/starts_at_the_neutral_{place}")
    element = table.element_of(KEY)
    spoiled = with_key(scene)
    other = wrong_at(element, place)
    spoiled.put_row(NAME, LAST, key_x=other.x, key_u=other.u)
    yield spoiled.attack(f"{NAME}/keeps_the_key_{place}")
    spoiled = with_key(scene)
    before = table.window(element)[LAST - 1]
    point = wrong_sum(before, element, place)
    assert point != sum_of(before, element)
    spoiled.put_row(NAME, LAST, x=point.x, u=point.u)
    yield spoiled.attack(f"{NAME}/adds_the_key_{place}")
