"""Values of the law as JSON and back, exactly: states, batches, journals.

An integer is a hex string, a tuple a list, a named tuple or dataclass an object whose "$" is the
type's name, an enumeration's member {"$": type, "name": member}, a mapping {"$map": [[key, value],
...]} sorted by key. Large values that repeat stand once, in a table of shared ones; a field that
has its type's default is left out, and the defaults stand in a table of their own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType, ModuleType
from typing import Any, TypeAlias

from novate.spec import journal, parameters, presets, primitives, risk_parameters, state
from novate.spec.messages import account, batch, inbox, oracle, orders

Json: TypeAlias = Any
"""What the standard library's `json` reads and writes."""

SHARED = (
    *(state.State, state.Account, state.Market, state.Snapshot, state.ExpiryFields, state.Roots),
    *(parameters.Parameters, parameters.MarketParameters, presets.Preset),
)
"""Types whose values stand in the table of shared ones."""


def _types(modules: Iterable[ModuleType]) -> dict[str, type]:
    """Named tuples, dataclasses and enumerations that the modules define, by name."""
    found: dict[str, type] = {}
    for module in modules:
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__:
                assert name not in found, f"two types are called {name}"
                found[name] = value
    return found


TYPES: Mapping[str, type] = MappingProxyType(
    _types(
        (
            *(primitives, presets, risk_parameters, parameters, state, journal),
            *(account, batch, inbox, oracle, orders),
        )
    )
)


def fields_of(kind: Any) -> list[str]:
    """Names of a type's fields; what a dataclass does not compare is no part of its values."""
    if issubclass(kind, tuple):
        return list(vars(kind)["_fields"])
    return [field.name for field in dataclasses.fields(kind) if field.compare]


def defaults_of(kind: Any) -> dict[str, Any]:
    """Default values of a type's fields, but for those that the table of shared ones may hold."""
    if issubclass(kind, tuple):
        found = vars(kind)["_field_defaults"]
    else:
        found = {field.name: field.default for field in dataclasses.fields(kind) if field.compare}
    return {
        name: value
        for name, value in found.items()
        if value is not dataclasses.MISSING and not isinstance(value, SHARED)
    }


class Encoder:
    """Turns values into JSON, filling the table of shared ones."""

    def __init__(self) -> None:
        """Start with an empty table."""
        self._names: dict[str, str] = {}
        self.shared: dict[str, Json] = {}
        """Shared values by name, each after those it uses."""
        self.defaults: dict[str, dict[str, Json]] = {}
        """Defaults of the types met: what a field that is left out stands for."""

    def encode(self, value: object) -> Json:
        """The JSON of a value; TypeError for what the law's values do not hold."""
        match value:
            case None | bool() | str():
                return value
            case IntEnum():
                return {"$": type(value).__name__, "name": value.name}
            case int():
                return hex(value)
            case Mapping():
                pairs = [[self.encode(key), self.encode(value[key])] for key in sorted(value)]
                return {"$map": pairs}
            case list() | tuple() if not hasattr(value, "_fields"):
                return [self.encode(item) for item in value]
        return self._share(value, self._record(value))

    def _record(self, value: object) -> dict[str, Json]:
        """A named tuple or dataclass, without the fields that have their defaults."""
        name = type(value).__name__
        if TYPES.get(name) is not type(value):
            raise TypeError(f"{type(value)} is no type of the law")
        defaults = defaults_of(TYPES[name])
        if defaults and name not in self.defaults:
            self.defaults[name] = {key: Encoder().encode(item) for key, item in defaults.items()}
        present = {field: getattr(value, field) for field in fields_of(TYPES[name])}
        return {"$": name} | {
            field: self.encode(item)
            for field, item in present.items()
            if field not in defaults or item != defaults[field]
        }

    def _share(self, value: object, encoded: dict[str, Json]) -> Json:
        """The object itself, or the name under which the table holds it."""
        if not isinstance(value, SHARED):
            return encoded
        text = json.dumps(encoded)
        if text not in self._names:
            name = f"{type(value).__name__} {len(self._names)}"
            self._names[text] = name
            self.shared[name] = encoded
        return {"$use": self._names[text]}


class Decoder:
    """Turns JSON back into values, given the table of shared ones."""

    def __init__(self, shared: Mapping[str, Json]) -> None:
        """Decode the table; each value uses only those before it."""
        self._values: dict[str, Any] = {}
        for name, encoded in shared.items():
            self._values[name] = self.decode(encoded)

    def decode(self, value: Json) -> Any:
        """The value of a JSON; KeyError, TypeError or ValueError for what no encoder wrote."""
        match value:
            case None | bool():
                return value
            case str():
                return int(value, 16) if value.lstrip("-").startswith("0x") else value
            case list():
                return tuple(self.decode(item) for item in value)
            case {"$use": name}:
                return self._values[name]
            case {"$map": pairs}:
                return {self.decode(key): self.decode(item) for key, item in pairs}
            case {"$": str(name), **rest}:
                fields = {str(key): self.decode(item) for key, item in rest.items()}
                return _make(TYPES[name], fields)
        raise TypeError(f"{value!r:.80} is no encoding of a value")


def _make(kind: type, fields: dict[str, Any]) -> Any:
    """The value of a type of the law with these fields; of an enumeration, the member named."""
    return kind[fields["name"]] if issubclass(kind, IntEnum) else kind(**fields)
