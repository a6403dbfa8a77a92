"""Attacks on tables whose rows stand alone or are the same in every proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from novate.circuit.expressions import P
from novate.circuit.witness import Trace
from novate.spec.crypto import curve
from novate.tables.base_windows import DIGITS
from novate.tables.curve import Element, affine, put, sum_of
from tests.proof.forging.scene import NEUTRAL, Attack, Scene, scanned, wrong_at, wrong_sum

Traces = Mapping[str, Trace]
GENERATOR = affine(curve.GENERATOR)


def range16(scene: Scene, traces: Traces) -> Iterator[Attack]:
    """Only 0 is looked up where nothing happens: any other value may be missing."""
    rows = scene.rows("range16")
    start = [(value - 1) % P for value in range(rows)]
    yield scene.attack("range16/value_first", {"range16": {"value": start}})
    jump = [*range(rows - 1), rows]
    yield scene.attack("range16/value_step", {"range16": {"value": jump}})


def poseidon2(scene: Scene, traces: Traces) -> Iterator[Attack]:
    """One S-box of the last row, which nobody asks for; what follows it is computed from it."""
    for table in ("poseidon2_8", "poseidon2_12"):
        form = scene.form(table)
        columns = dict(zip((c.name for c in form.columns), traces[table], strict=True))
        for rule in form.rules:
            column = rule.label.removeprefix(f"{table}/")
            values = list(columns[column])
            values[-1] = (values[-1] + 1) % P
            yield scene.attack(rule.label, {table: {column: values}})


def base_windows(scene: Scene, traces: Traces) -> Iterator[Attack]:
    """No response is multiplied: the table's content matters to nobody."""
    yield from _flags_and_counters(scene, traces)
    yield from _contents(scene)


def _flags_and_counters(scene: Scene, traces: Traces) -> Iterator[Attack]:
    """Which rows end a place, digits and places."""
    last_row = scene.rows("base_windows") - 1
    spoiled = scene.copy()
    spoiled.put("base_windows", last_row, last=2)
    yield spoiled.attack("base_windows/last_bit")
    for row, step in ((0, "first"), (last_row, "step")):
        places = scanned(scene, traces, "base_windows", "place", row)
        yield scene.attack(f"base_windows/place_{step}", {"base_windows": {"place": places}})
        endless = scene.copy()
        _set_windows(endless, GENERATOR, NEUTRAL, places_end=False)
        digits = [digit + (digit >= row) for digit in range(last_row + 1)]
        yield endless.attack(f"base_windows/digit_{step}", {"base_windows": {"digit": digits}})
    endless = scene.copy()
    _set_windows(endless, GENERATOR, NEUTRAL, places_end=False)
    endless.put("base_windows", last_row, last=1)
    yield endless.attack("base_windows/last_digit")


def _contents(scene: Scene) -> Iterator[Attack]:
    """Bases and multiples; all later rows follow the formulas from the wrong one."""
    last_row = scene.rows("base_windows") - 1
    for place in range(20):
        spoiled = scene.copy()
        base = wrong_at(GENERATOR, place) if place < 10 else GENERATOR
        start = wrong_at(NEUTRAL, place - 10) if place >= 10 else NEUTRAL
        _set_windows(spoiled, base, start)
        yield spoiled.attack(f"base_windows/starts_at_the_generator_{place}")
    for place in range(10):
        point, base = _point(scene, "", last_row - 1), _point(scene, "base_", last_row - 1)
        spoiled = scene.copy()
        _put(spoiled, "", last_row, wrong_sum(point, base, place))
        yield spoiled.attack(f"base_windows/adds_the_base_{place}")
        spoiled = scene.copy()
        _put(spoiled, "base_", last_row, wrong_at(base, place))
        yield spoiled.attack(f"base_windows/keeps_the_base_{place}")
        spoiled = scene.copy()
        first = last_row + 1 - DIGITS
        point, base = wrong_at(NEUTRAL, place), _point(scene, "base_", first)
        for row in range(first, last_row + 1):
            _put(spoiled, "", row, point)
            point = sum_of(point, base)
        yield spoiled.attack(f"base_windows/starts_a_place_{place}")


def _set_windows(scene: Scene, base: Element, start: Element, places_end: bool = True) -> None:
    """The table from another base and first multiple, or as one place without end."""
    columns: dict[str, list[int]] = {}
    point = start
    for row in range(scene.rows("base_windows")):
        last = places_end and row % DIGITS == DIGITS - 1
        for name, values in (
            ("base_x", base.x),
            ("base_u", base.u),
            ("x", point.x),
            ("u", point.u),
        ):
            put(columns, name, values)
        columns.setdefault("last", []).append(int(last))
        after = sum_of(point, base)
        base, point = (after, NEUTRAL) if last else (base, after)
    scene.primary["base_windows"] = columns


def _point(scene: Scene, prefix: str, row: int) -> Element:
    """A point of a row."""
    columns = scene.primary["base_windows"]
    x0, x1, x2, x3, x4 = (columns[f"{prefix}x_{k}"][row] for k in range(5))
    u0, u1, u2, u3, u4 = (columns[f"{prefix}u_{k}"][row] for k in range(5))
    return Element((x0, x1, x2, x3, x4), (u0, u1, u2, u3, u4))


def _put(scene: Scene, prefix: str, row: int, point: Element) -> None:
    """A point into a row."""
    scene.put_row("base_windows", row, **{f"{prefix}x": point.x, f"{prefix}u": point.u})
