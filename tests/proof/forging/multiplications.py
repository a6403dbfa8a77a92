"""Attacks on the multiplications: in runs that nobody asks for, or in one row without a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from novate.circuit.witness import Trace
from novate.tables import key_windows, multiply
from novate.tables.curve import Element, sum_of
from tests.proof.forging.keys import KEY, with_key
from tests.proof.forging.scene import NEUTRAL, Attack, Scene, scanned, wrong_at, wrong_sum

CHALLENGE = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210
RESPONSE = 0x1234_5678_9ABC_DEF0_0F1E_2D3C_4B5A_6978_8796_A5B4_C3D2_E1F0_0123_4567_89AB_CDEF
POWERS = ("", "2", "4", "8", "16")


class Run(NamedTuple):
    """One of the two tables."""

    table: str
    digits: int
    scans: tuple[str, ...]
    """Columns that follow from the row above."""


KEY_RUN = Run(
    "multiply_key",
    multiply.KEY_DIGITS,
    ("left", "chunks", "current", *(f"chunk_{k}" for k in range(multiply.KEY_CHUNKS))),
)
BASE_RUN = Run(
    "multiply_base",
    multiply.BASE_DIGITS,
    ("left", "chunks", "weight", "current", *(f"chunk_{k}" for k in range(multiply.BASE_CHUNKS))),
)


def multiplications(scene: Scene, traces: Mapping[str, Trace]) -> Iterator[Attack]:
    """Each rule of both tables; the scene's are padding."""
    for run in (KEY_RUN, BASE_RUN):
        yield from _scans(scene, traces, run)
        yield from _flags(scene, run)
        yield from _runs(scene, run)
        last = scene.rows(run.table) - 1
        for place in range(10):
            point = wrong_at(NEUTRAL, place)
            spoiled = scene.copy()
            spoiled.put(run.table, last, starts=1)
            spoiled.put_row(run.table, last, x=point.x, u=point.u)
            yield spoiled.attack(f"{run.table}/starts_at_the_neutral_{place}")
            # a step that adds 0 · Q to a point, and a wrong sum in the last row
            spoiled = _one_step(scene, run, last - 1)
            point = wrong_sum(NEUTRAL, NEUTRAL, place)
            spoiled.put_row(run.table, last, x=point.x, u=point.u)
            yield spoiled.attack(f"{run.table}/adds_the_multiple_{place}")
    yield from _doublings(scene)
    spoiled = _one_step(scene, KEY_RUN, scene.rows("multiply_key") - 2)
    spoiled.put("multiply_key", scene.rows("multiply_key") - 1, number=2)
    yield spoiled.attack("multiply_key/keeps_the_key")


def _scans(scene: Scene, traces: Mapping[str, Trace], run: Run) -> Iterator[Attack]:
    """Where a column starts, and its last step."""
    for column in run.scans:
        for row, step in ((0, "first"), (scene.rows(run.table) - 1, "step")):
            values = scanned(scene, traces, run.table, column, row)
            given = {run.table: {column: values}}
            yield scene.attack(f"{run.table}/{column}_{step}", given)


def _flags(scene: Scene, run: Run) -> Iterator[Attack]:
    """Flags in the last row, where no run is."""
    last = scene.rows(run.table) - 1
    spoiled = scene.copy()
    spoiled.put(run.table, last, starts=2)
    yield spoiled.attack(f"{run.table}/starts_bit")
    spoiled = _one_step(scene, run, last)
    spoiled.put(run.table, last, steps=2)
    yield spoiled.attack(f"{run.table}/steps_bit")
    spoiled = scene.copy()
    spoiled.put(run.table, last, turn=1)
    yield spoiled.attack(f"{run.table}/turns_when_full")


def _runs(scene: Scene, run: Run) -> Iterator[Attack]:
    """Flags at the end of a run."""
    end = run.digits
    spoiled = with_run(scene, run)
    spoiled.put(run.table, end, ends=2)
    yield spoiled.attack(f"{run.table}/ends_bit")
    spoiled = with_run(scene, run)
    spoiled.put(run.table, end, ends=0)
    spoiled.put(run.table, end - 1, turn=2)
    yield spoiled.attack(f"{run.table}/turn_bit")
    spoiled = with_run(scene, run)
    spoiled.put(run.table, end + 1, ends=1)  # no digit is left: the count goes on to −1
    yield spoiled.attack(f"{run.table}/ends_exactly_0")
    spoiled = with_run(scene, run)
    spoiled.put(run.table, end - 1, turn=0)
    yield spoiled.attack(f"{run.table}/ends_exactly_1")


def with_run(scene: Scene, run: Run) -> Scene:
    """A scene with a multiplication that nobody asks for."""
    if run is KEY_RUN:
        made = with_key(scene)
        window = key_windows.window(key_windows.element_of(KEY))
        made.append(run.table, multiply.fill_key([(1, CHALLENGE, window)]))
        return made
    made = scene.copy()
    made.append(run.table, multiply.fill_base([RESPONSE], scene.primary["base_windows"]))
    return made


def _one_step(scene: Scene, run: Run, row: int) -> Scene:
    """A step outside of any run: adds 0 · Q to 0. All rules allow it, and nothing comes of it."""
    if run is BASE_RUN:
        made = scene.copy()
        made.put(run.table, row, steps=1)
        return made
    made = with_key(scene)
    made.put(run.table, row, steps=1, number=1)
    if row + 1 < scene.rows(run.table):
        made.put(run.table, row + 1, number=1)
    return made


def _doublings(scene: Scene) -> Iterator[Attack]:
    """One of four doublings gives a wrong point; those after it double what it gave."""
    last = scene.rows("multiply_key") - 1
    for place in range(40):
        spoiled = _one_step(scene, KEY_RUN, last)
        point = NEUTRAL
        for power, name in enumerate(POWERS[1:]):
            wrong = power == place // 10
            point = wrong_sum(point, point, place % 10) if wrong else _double(point)
            spoiled.put_row("multiply_key", last, **{f"x{name}": point.x, f"u{name}": point.u})
        yield spoiled.attack(f"multiply_key/doubles_{place}")


def _double(point: Element) -> Element:
    """2 · point, by the formulas; for a point off the curve they are all there is."""
    return sum_of(point, point)
