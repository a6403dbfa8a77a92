"""Contracts as forge compiled them: encode calls, decode results, events and custom errors.

Source: Solidity contract ABI specification. Selectors and topics are computed, never copied.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError
from eth_hash.auto import keccak

from novate.l1.anvil import CHECKOUT
from novate.l1.rpc import L1Error, RpcError, address_hex, to_bytes, to_int

Json = Any

PANICS: Final = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "no such enum value",
    0x32: "index out of bounds",
    0x41: "out of memory",
}
"""Codes of the Solidity documentation, Panic via assert and Error via require."""


class ContractError(L1Error):
    """A contract reverted: the name of its error and the arguments."""

    def __init__(self, name: str, arguments: Mapping[str, object], context: str = "") -> None:
        """Keep the parts; the text is `context: Name(argument=value, …)`."""
        shown = ", ".join(f"{key}={_shown(value)}" for key, value in arguments.items())
        super().__init__(f"{context}: {name}({shown})" if context else f"{name}({shown})")
        self.name = name
        self.arguments = dict(arguments)


def _shown(value: object) -> str:
    """An argument as people read it."""
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


class Field(NamedTuple):
    """One input or output."""

    name: str
    type: str
    """Canonical: tuples written out."""
    indexed: bool = False


class Entry(NamedTuple):
    """A function, event or error."""

    name: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...] = ()

    @property
    def signature(self) -> str:
        """`name(type,…)`."""
        return f"{self.name}({','.join(field.type for field in self.inputs)})"

    @property
    def topic(self) -> bytes:
        """Keccak hash of the signature, 32 bytes."""
        return bytes(keccak(self.signature.encode()))

    @property
    def selector(self) -> bytes:
        """First four bytes of it."""
        return self.topic[:4]


class Log(NamedTuple):
    """An event as a contract emitted it."""

    address: int
    name: str
    arguments: dict[str, Any]
    block: int
    block_hash: str
    transaction: str
    place: int
    """Among the events of its block."""


def canonical(field: Json) -> str:
    """The type of a field of an ABI's JSON with tuples written out."""
    kind = str(field["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical(component) for component in field["components"])
    return f"({inner}){kind[len('tuple') :]}"


def _entry(item: Json) -> Entry:
    """A function, event or error of an ABI's JSON."""

    def fields(key: str) -> tuple[Field, ...]:
        """Inputs or outputs; nameless ones are numbered."""
        return tuple(
            Field(field.get("name") or f"_{place}", canonical(field), field.get("indexed", False))
            for place, field in enumerate(item.get(key, []))
        )

    return Entry(item.get("name", "constructor"), fields("inputs"), fields("outputs"))


@dataclass(frozen=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: tuple[Json, ...]
    bytecode: bytes
    """Creation code, without constructor arguments; empty for an interface."""

    def _of(self, kind: str) -> Iterator[Entry]:
        """The entries of one kind."""
        return (_entry(item) for item in self.abi if item["type"] == kind)

    @cached_property
    def functions(self) -> dict[str, Entry]:
        """Functions by name; an overloaded one also by its signature, its name is the last."""
        found = list(self._of("function"))
        by_name = {entry.name: entry for entry in found}
        return by_name | {entry.signature: entry for entry in found}

    @cached_property
    def events(self) -> dict[bytes, Entry]:
        """Events by topic."""
        return {entry.topic: entry for entry in self._of("event")}

    @cached_property
    def errors(self) -> dict[bytes, Entry]:
        """Errors by selector."""
        return {entry.selector: entry for entry in self._of("error")}

    def topic(self, event: str) -> bytes:
        """The topic of an event. L1Error if there is none of that name."""
        for topic, entry in self.events.items():
            if entry.name == event:
                return topic
        raise L1Error(f"{self.name} has no event {event!r}")

    def function(self, name: str) -> Entry:
        """A function by name or signature. L1Error if there is none."""
        if name not in self.functions:
            raise L1Error(f"{self.name} has no function {name!r}")
        return self.functions[name]

    def creation(self, *arguments: object) -> bytes:
        """Creation code with constructor arguments. L1Error if it has none, or wants others."""
        if not self.bytecode:
            raise L1Error(f"{self.name} has no bytecode: an interface or abstract contract")
        constructors = [*self._of("constructor"), Entry("constructor", ())]
        return self.bytecode + _encode(constructors[0].inputs, arguments, f"{self.name}()")

    def call(self, name: str, *arguments: object) -> bytes:
        """Calldata of a call. L1Error on arguments of another number or type."""
        entry = self.function(name)
        return entry.selector + _encode(entry.inputs, arguments, f"{self.name}.{name}")

    def arguments(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and arguments of a call from its calldata. L1Error if it is none of this ABI."""
        for entry in self.functions.values():
            if entry.selector == data[:4]:
                return entry.name, _decode(entry.inputs, data[4:], entry.signature)
        raise L1Error(f"{self.name} has no function 0x{data[:4].hex()}")

    def result(self, name: str, data: bytes) -> Any:
        """What a call returned: one value, or a tuple of several."""
        entry = self.function(name)
        values = tuple(_decode(entry.outputs, data, f"{self.name}.{name}").values())
        return values[0] if len(values) == 1 else values

    def log(self, raw: Json) -> Log | None:
        """An event of this contract from a node's log; None if it is none of this ABI."""
        topics = [to_bytes(topic) for topic in raw["topics"]]
        entry = self.events.get(topics[0]) if topics else None
        if entry is None:
            return None
        plain = [field for field in entry.inputs if not field.indexed]
        values = _decode(plain, to_bytes(raw["data"]), entry.signature)
        indexed = [field for field in entry.inputs if field.indexed]
        for field, topic in zip(indexed, topics[1:], strict=True):
            values |= _decode([field], topic, entry.signature)
        return Log(
            address=int(raw["address"], 16),
            name=entry.name,
            arguments={field.name: values[field.name] for field in entry.inputs},
            block=to_int(raw["blockNumber"]),
            block_hash=str(raw["blockHash"]),
            transaction=str(raw["transactionHash"]),
            place=to_int(raw["logIndex"]),
        )


def _encode(fields: Sequence[Field], arguments: Sequence[object], what: str) -> bytes:
    """Arguments as bytes; addresses are numbers. L1Error with the name of what they are for."""
    if len(fields) != len(arguments):
        raise L1Error(f"{what}: {len(arguments)} arguments, takes {len(fields)}")
    try:
        kinds = [field.type for field in fields]
        return encode(kinds, list(map(_written, arguments, kinds)))
    except (EncodingError, TypeError, ValueError, OverflowError) as error:
        raise L1Error(f"{what}: {error}") from error


def _written(value: Any, kind: str) -> Any:
    """A value as eth-abi takes it: every address, a number, as text."""
    if kind == "address":
        return address_hex(value)
    if isinstance(value, list | tuple):
        return tuple(map(_written, value, _kinds(kind, len(value))))
    return value


def _kinds(kind: str, count: int) -> list[str]:
    """The types of the components of a tuple or the items of an array."""
    if kind.endswith(")"):
        return split_tuple(kind)
    return [kind[: kind.rindex("[")]] * count if "[" in kind else [kind] * count


def _decode(fields: Sequence[Field], data: bytes, what: str) -> dict[str, Any]:
    """Values by name; addresses become numbers. L1Error if the bytes are no such values."""
    try:
        values = decode([field.type for field in fields], data)
    except (DecodingError, ValueError, OverflowError) as error:
        raise L1Error(f"{what}: {error}") from error
    return {
        field.name: _numbered(value, field.type)
        for field, value in zip(fields, values, strict=True)
    }


def _numbered(value: Any, kind: str) -> Any:
    """A decoded value with every address as a number."""
    if kind == "address":
        return int(value, 16)
    if isinstance(value, tuple):
        return tuple(map(_numbered, value, _kinds(kind, len(value))))
    return value


def split_tuple(kind: str) -> list[str]:
    """The types of the components of `(type,…)`, nested ones left whole."""
    found, depth, start = [], 0, 1
    for place, character in enumerate(kind):
        depth += (character == "(") - (character == ")")
        if (character == "," and depth == 1) or depth == 0:
            found.append(kind[start:place])
            start = place + 1
    return [part for part in found if part]


class Errors:
    """The custom errors of several contracts, for readable exceptions."""

    def __init__(self, artifacts: Sequence[Artifact]) -> None:
        """Know the errors of these contracts."""
        self._known: dict[bytes, Entry] = {}
        for artifact in artifacts:
            self._known |= artifact.errors

    def of(self, data: bytes, context: str = "") -> ContractError:
        """The error in a revert's data; unknown ones are named by their first bytes."""
        selector, rest = data[:4], data[4:]
        text, panic = Entry("Error", (Field("reason", "string"),)), Field("code", "uint256")
        try:
            if selector == text.selector:
                return ContractError("Error", _decode(text.inputs, rest, "Error"), context)
            if selector == Entry("Panic", (panic,)).selector:
                code = _decode([panic], rest, "Panic")["code"]
                return ContractError("Panic", {"reason": PANICS.get(code, hex(code))}, context)
            if selector in self._known:
                entry = self._known[selector]
                return ContractError(entry.name, _decode(entry.inputs, rest, entry.name), context)
        except L1Error:
            return ContractError("Undecodable", {"data": data[:68]}, context)
        name = "Reverted" if not data else "UnknownError"
        return ContractError(name, {"data": data[:68]} if data else {}, context)

    def raised(self, error: RpcError, context: str = "") -> L1Error:
        """The contract's error behind a failed call, or the error itself if it is none."""
        if error.data:
            return self.of(error.data, context)
        if "revert" in error.message.lower():
            return ContractError("Reverted", {}, context)
        return error


def artifacts_folder() -> Path:
    """Where forge put its results: NOVATE_CONTRACTS, or contracts/out of the checkout."""
    return Path(os.environ.get("NOVATE_CONTRACTS", CHECKOUT / "contracts" / "out"))


def load(name: str, folder: Path | None = None) -> Artifact:
    """The compiled contract NAME of NAME.sol, or of any file. L1Error if it was not built.

    forge names a contract that it compiled under several compiler profiles NAME.PROFILE.json, but
    for one of them; that one is meant, or else the default profile's.
    """
    folder = artifacts_folder() if folder is None else folder
    found: list[Path] = []
    for wanted in (f"{name}.sol/{name}", f"*/{name}", f"*/{name}.default", f"*/{name}.*"):
        found = found or sorted(folder.glob(f"{wanted}.json"))
    if len(found) != 1:
        raise L1Error(f"{name}: {len(found)} artifacts under {folder}; run `./novate build`")
    content = json.loads(found[0].read_text(encoding="utf-8"))
    code = content["bytecode"]
    if code.get("linkReferences"):
        raise L1Error(f"{name}: needs linking to {', '.join(code['linkReferences'])}")
    return Artifact(name, tuple(content["abi"]), to_bytes(code["object"] or "0x"))
