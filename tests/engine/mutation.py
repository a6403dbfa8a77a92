"""Values of the law with one field somewhere in them changed, and bytes with a few changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import IntEnum
from random import Random
from typing import Any

EDGES = (
    *(0, 1, 2, 5, 255, 256, 2**14, 2**16, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**32),
    *(2**40, 2**47, 2**52, 2**58, 2**60 - 1, 2**60, 2**62, 2**63 - 1, 2**63, 2**64, 2**126),
)
"""Numbers at the bounds of something."""
KEPT = ("preset",)
"""Fields that stay as they are: sizes are fixed for the life of a deployment."""


def changed_number(rng: Random, value: int) -> int:
    """A neighbour, the opposite, the double, the half, or a number at a bound."""
    near = value + rng.choice((-100, -10, -5, -1, 1, 2, 5, 10, 100))
    bound = rng.choice((1, 1, -1)) * rng.choice(EDGES)
    return rng.choice((near, near, near, -value, 2 * value, value // 2, bound, bound, bound))


def mutated(rng: Random, value: Any) -> Any:
    """A copy of a value in which one number, truth value or enumeration is another one.

    Or an item of a list is missing or twice there. What has nothing to change stays as it is.
    """
    if isinstance(value, bool):
        return not value
    if isinstance(value, IntEnum):
        return rng.choice(list(type(value)))
    if isinstance(value, int):
        return changed_number(rng, value)
    if isinstance(value, Mapping):
        return _mutated_mapping(rng, value)
    if hasattr(value, "_fields"):
        name = rng.choice(value._fields)
        return value._replace(**{name: mutated(rng, getattr(value, name))})
    if isinstance(value, tuple):
        return _mutated_list(rng, value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [f.name for f in dataclasses.fields(value) if f.compare and f.name not in KEPT]
        name = rng.choice(names)
        return dataclasses.replace(value, **{name: mutated(rng, getattr(value, name))})
    return value


def _mutated_mapping(rng: Random, value: Mapping[Any, Any]) -> dict[Any, Any]:
    """An item changed or missing."""
    items = dict(value)
    if items:
        key = rng.choice(list(items))
        if rng.random() < 0.05:
            del items[key]
        else:
            items[key] = mutated(rng, items[key])
    return items


def _mutated_list(rng: Random, value: tuple[Any, ...]) -> tuple[Any, ...]:
    """An item changed, missing or doubled."""
    if not value:
        return value
    place = rng.randrange(len(value))
    before, item, after = value[:place], value[place], value[place + 1 :]
    kind = rng.random()
    if kind < 0.05:
        return (*before, *after)
    if kind < 0.1:
        return (*before, item, item, *after)
    return (*before, mutated(rng, item), *after)


def mutated_bytes(rng: Random, data: bytes) -> bytes:
    """Bytes with one to four places changed, shortened or lengthened."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(changed) or 1)
        some = bytes(rng.randrange(256) for _ in range(rng.choice((1, 1, 2, 9))))
        kind = rng.random()
        if kind < 0.6:
            changed[place : place + 1] = some[:1]
        elif kind < 0.75:
            del changed[place : place + len(some)]
        elif kind < 0.9:
            changed[place:place] = some
        else:
            del changed[place:]
    return bytes(changed)
