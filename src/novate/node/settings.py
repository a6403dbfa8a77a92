"""Tables of a configuration as dataclasses: every field checked, every error with its place.

A field's bounds or choices stand in its metadata (`whole`, `one_of`); a field without a default
must be given; a key that no field has is an error, so that a slip of the pen is not a default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, field, fields
from typing import Any, TypeVar

T = TypeVar("T")


class ConfigError(Exception):
    """A configuration cannot be used; the message names the field, the value and the limit."""


def whole(default: int, low: int, high: int) -> Any:
    """A whole number in [low, high]."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, choices: Sequence[str]) -> Any:
    """One of some words."""
    return field(default=default, metadata={"choices": tuple(choices)})


def read_table(kind: type[T], table: object, place: str) -> T:
    """The dataclass of a table. ConfigError names what is missing, unknown or out of bounds."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"[{place}] is {table!r}, must be a table")
    listed = fields_of(kind)
    unknown = sorted(set(table) - set(listed))
    if unknown:
        raise ConfigError(f"{place}.{unknown[0]} is unknown; there are {', '.join(listed)}")
    values = {}
    for name, item in listed.items():
        if name in table:
            values[name] = _checked(table[name], item, f"{place}.{name}")
        elif item.default is MISSING and item.default_factory is MISSING:
            raise ConfigError(f"{place}.{name} is missing")
    return kind(**values)


def fields_of(kind: Any) -> dict[str, Field[Any]]:
    """The fields of a dataclass by name."""
    return {item.name: item for item in fields(kind)}


def _checked(value: object, item: Field[Any], name: str) -> object:
    """The value of one field, if it may be."""
    wanted = {"int": int, "str": str, "float": float}.get(str(item.type))
    if wanted is None:
        return value
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise ConfigError(f"{name} = {value!r} is not of type {item.type}")
    if isinstance(value, int) and "low" in item.metadata:
        low, high = item.metadata["low"], item.metadata["high"]
        if not low <= value <= high:
            raise ConfigError(f"{name} = {value} is not in [{low}, {high}]")
    choices = item.metadata.get("choices")
    if choices is not None and value not in choices:
        raise ConfigError(f"{name} = {value!r} is not one of {', '.join(choices)}")
    return value
