"""A legal batch with one thing changed at random: most are refused, some become another legal one.

What must come of it nobody says beforehand: two implementations of the law are to agree.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from random import Random
from typing import Any

from novate.spec.messages.batch import Batch, Fill, Trade

LISTS = ("reports", "requests", "changes", "due", "orders", "sheets", "trades", "moves")
STEPS = (-(2**31), -1_000, -5, -1, 1, 2, 5, 1_000, 2**20, 2**31, 2**40)
"""What a number may be moved by."""


def spoiled(rng: Random, batch: Batch) -> Batch:
    """The batch with one change."""
    rounds = list(batch.rounds)
    place = rng.randrange(len(rounds))
    names = [name for name in LISTS if getattr(rounds[place], name)]
    if not names or rng.random() < 0.1:
        rounds[place] = rounds[place]._replace(time=rounds[place].time + rng.choice((-5, 1, 5, 60)))
        return batch._replace(rounds=tuple(rounds))
    name = rng.choice(names)
    change = rng.choice(CHANGES)
    records = change(rng, list(getattr(rounds[place], name)))
    changed: dict[str, Any] = {name: tuple(records)}
    rounds[place] = rounds[place]._replace(**changed)
    return batch._replace(rounds=tuple(rounds))


def _drop(rng: Random, records: list[Any]) -> list[Any]:
    """One record less."""
    records.pop(rng.randrange(len(records)))
    return records


def _repeat(rng: Random, records: list[Any]) -> list[Any]:
    """One record twice."""
    records.insert(rng.randrange(len(records) + 1), rng.choice(records))
    return records


def _swap(rng: Random, records: list[Any]) -> list[Any]:
    """Two records in the other order."""
    place = rng.randrange(len(records))
    records[place], records[-1] = records[-1], records[place]
    return records


def _move_number(rng: Random, records: list[Any]) -> list[Any]:
    """One number somewhere in a record."""
    place = rng.randrange(len(records))
    records[place] = _with_number_moved(rng, records[place])
    return records


def _with_number_moved(rng: Random, value: Any) -> Any:
    """A value with one of its numbers moved: of a record, in a field chosen at random."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _moved(rng, value)
    if isinstance(value, tuple) and value:
        place = rng.randrange(len(value))
        items = list(value)
        items[place] = _with_number_moved(rng, items[place])
        return value._make(items) if hasattr(value, "_make") else tuple(items)
    return value


def _moved(rng: Random, number: int) -> int:
    """Another number; of an enumeration, another member."""
    if isinstance(number, IntEnum):
        members: list[IntEnum] = list(type(number))
        return rng.choice(members)
    return max(0, number + rng.choice(STEPS)) if number >= 0 else number + rng.choice(STEPS)


def _reprice(rng: Random, records: list[Any]) -> list[Any]:
    """One fill at another price or of other lots; another record as it is."""
    place = rng.randrange(len(records))
    trade = records[place]
    if isinstance(trade, Trade):
        fills = list(trade.fills)
        leg = rng.randrange(len(fills))
        fills[leg] = _refilled(rng, fills[leg])
        records[place] = Trade(tuple(fills))
    return records


def _refilled(rng: Random, fill: Fill) -> Fill:
    """A fill with another price or other lots, not far from what they were."""
    if rng.random() < 0.5:
        return fill._replace(price=max(0, fill.price + rng.randint(-9, 9)))
    return fill._replace(quantity=max(1, fill.quantity + rng.randint(-3, 3)))


CHANGES: tuple[Callable[[Random, list[Any]], list[Any]], ...] = (
    _drop,
    _repeat,
    _swap,
    _move_number,
    _move_number,
    _reprice,
)
