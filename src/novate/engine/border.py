"""The border encoding: values of the law as bytes and back, by reflection over their types.

* an integer, truth value or enumeration: one byte (sign in the highest bit, below it the number n
  of magnitude bytes), then n bytes, least significant first, the last not zero; 0 is 0x00;
* text and bytes: length in 4 bytes, then the bytes; optional: 0x00, or 0x01 and the value;
* `tuple[X, ...]`, a list or mapping: count in 4 bytes, then the items, of a mapping key and value
  ascending by key; a tuple of fixed length, a named tuple or dataclass: its fields in order, those
  not compared left out; one of several records: its number in the union in one byte, then it.

All lengths are little-endian. One value has one encoding. `native/engine/src/border.rs` says the
same in Rust. A codec of a type is built once, of closures for its fields.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache
from types import NoneType, UnionType
from typing import (
    Any,
    NamedTuple,
    TypeAlias,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from novate.spec.errors import DecodeError

Write: TypeAlias = Callable[[bytearray, Any], None]
Read: TypeAlias = Callable[["Reader"], Any]

SIGN = 0x80
MAGNITUDE_BYTES_MAX = 0x7F


class Reader:
    """Bytes being read from the front."""

    __slots__ = ("data", "position")

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next `count` bytes; DecodeError if there are fewer."""
        start = self.position
        end = start + count
        if end > len(self.data):
            raise DecodeError("truncated", f"{count} bytes wanted, {len(self.data) - start} left")
        self.position = end
        return self.data[start:end]

    def count(self) -> int:
        """A count of items of at least one byte each; DecodeError if they cannot follow."""
        found = int.from_bytes(self.take(4), "little")
        left = len(self.data) - self.position
        if found > left:
            raise DecodeError("truncated", f"{found} items, {left} bytes left")
        return found


class Codec(NamedTuple):
    """Both directions of one type."""

    write: Write
    read: Read


def encode(kind: Any, value: object) -> bytes:
    """The bytes of a value of a type; DecodeError if it has none."""
    out = bytearray()
    codec_of(kind).write(out, value)
    return bytes(out)


def decode(kind: Any, data: bytes) -> Any:
    """The value of exactly these bytes; DecodeError if there is none."""
    reader = Reader(data)
    value = codec_of(kind).read(reader)
    if reader.position != len(data):
        raise DecodeError("trailing_bytes", f"{len(data) - reader.position} after the last field")
    return value


def write_integer(out: bytearray, value: int) -> None:
    """Append an integer of at most 127 magnitude bytes."""
    magnitude = -value if value < 0 else value
    width = (magnitude.bit_length() + 7) >> 3
    if width > MAGNITUDE_BYTES_MAX:
        raise DecodeError("does_not_fit", f"an integer of {width} bytes, at most 127")
    out.append(width | SIGN if value < 0 else width)
    out += magnitude.to_bytes(width, "little")


def read_integer(reader: Reader) -> int:
    """Read an integer."""
    data, position = reader.data, reader.position
    if position >= len(data):
        raise DecodeError("truncated", "1 byte wanted, 0 left")
    head = data[position]
    reader.position = position + 1
    if head == 0:
        return 0
    magnitude = reader.take(head & MAGNITUDE_BYTES_MAX)
    if not magnitude or not magnitude[-1]:
        raise DecodeError("not_minimal", f"integer {head:#x} {magnitude.hex()}")
    value = int.from_bytes(magnitude, "little")
    return -value if head & SIGN else value


def _enumeration(members: Callable[[int], Any]) -> Codec:
    """A member by its number: an IntEnum, or bool."""

    def read(reader: Reader) -> Any:
        """Read a member."""
        number = read_integer(reader)
        try:
            if members is bool and number not in (0, 1):
                raise ValueError
            return members(number)
        except ValueError:
            raise DecodeError("unknown_tag", f"{members} {number}") from None

    return Codec(lambda out, value: write_integer(out, int(value)), read)


def _write_bytes(out: bytearray, value: bytes) -> None:
    """Append length and bytes."""
    out += struct.pack("<I", len(value))
    out += value


def _read_text(reader: Reader) -> str:
    """Read text."""
    data = reader.take(reader.count())
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError("not_text", str(error)) from None


def _optional(item: Codec) -> Codec:
    """Presence in one byte, then the value."""

    def write(out: bytearray, value: Any) -> None:
        """Append presence and value."""
        out.append(value is not None)
        if value is not None:
            item.write(out, value)

    def read(reader: Reader) -> Any:
        """Read presence and value."""
        present = reader.take(1)[0]
        if present > 1:
            raise DecodeError("unknown_tag", f"an optional value that begins with {present}")
        return item.read(reader) if present else None

    return Codec(write, read)


def _sequence(make: Callable[[list[Any]], Any], item: Codec) -> Codec:
    """A count, then the items."""

    def write(out: bytearray, value: Any) -> None:
        """Append count and items."""
        out += struct.pack("<I", len(value))
        for each in value:
            item.write(out, each)

    def read(reader: Reader) -> Any:
        """Read count and items."""
        return make([item.read(reader) for _ in range(reader.count())])

    return Codec(write, read)


def _mapping(key: Codec, item: Codec) -> Codec:
    """A count, then key and value, ascending by key."""

    def write(out: bytearray, value: Mapping[Any, Any]) -> None:
        """Append all entries."""
        out += struct.pack("<I", len(value))
        for each in sorted(value):
            key.write(out, each)
            item.write(out, value[each])

    def read(reader: Reader) -> dict[Any, Any]:
        """Read all entries."""
        found: dict[Any, Any] = {}
        last = None
        for _ in range(reader.count()):
            each = key.read(reader)
            if last is not None and each <= last:
                raise DecodeError("not_ascending", f"{each} after {last}")
            found[each] = item.read(reader)
            last = each
        return found

    return Codec(write, read)


def _union(cases: tuple[Any, ...]) -> Codec:
    """The number of the value's type among several, then the value."""
    codecs = [codec_of(case) for case in cases]
    numbers = {case: number for number, case in enumerate(cases)}

    def write(out: bytearray, value: Any) -> None:
        """Append number and value."""
        number = numbers.get(type(value))
        if number is None:
            raise DecodeError("unknown_tag", f"{type(value).__name__} is none of {cases}")
        out.append(number)
        codecs[number].write(out, value)

    def read(reader: Reader) -> Any:
        """Read number and value."""
        number = reader.take(1)[0]
        if number >= len(codecs):
            raise DecodeError("unknown_tag", f"{number} is none of {cases}")
        return codecs[number].read(reader)

    return Codec(write, read)


def _fixed(make: Callable[[list[Any]], Any], items: list[Codec], names: list[str]) -> Codec:
    """Items one after another; read from a value by name, or by place where there are no names."""
    writers = [item.write for item in items]
    readers = [item.read for item in items]

    def write_named(out: bytearray, value: Any) -> None:
        """Append every field."""
        for name, write in zip(names, writers, strict=True):
            write(out, getattr(value, name))

    def write_placed(out: bytearray, value: Any) -> None:
        """Append every item."""
        for each, write in zip(value, writers, strict=True):
            write(out, each)

    def read(reader: Reader) -> Any:
        """Read every field."""
        return make([read(reader) for read in readers])

    return Codec(write_named if names else write_placed, read)


def _record(kind: Any) -> Codec:
    """A named tuple or dataclass."""
    hints = get_type_hints(kind)
    if issubclass(kind, tuple):
        names = list(kind._fields)
        return _fixed(kind._make, [codec_of(hints[name]) for name in names], [])
    names = [f.name for f in dataclasses.fields(kind) if f.compare and f.name not in STATES]
    codecs = [codec_of(hints[name]) for name in names]
    return _fixed(lambda values: kind(**dict(zip(names, values, strict=True))), codecs, names)


STATES = frozenset({"before", "after"})
"""Fields of a journal that hold whole states: left out."""


@cache
def codec_of(kind: Any) -> Codec:
    """The codec of a type; TypeError for one that no value of the law has."""
    if kind is int:
        return Codec(write_integer, read_integer)
    if kind is bool:
        return _enumeration(bool)
    if kind is str:
        return Codec(lambda out, value: _write_bytes(out, value.encode()), _read_text)
    if kind is bytes:
        return Codec(_write_bytes, lambda reader: reader.take(reader.count()))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if NoneType in arguments:
            [present] = [argument for argument in arguments if argument is not NoneType]
            return _optional(codec_of(present))
        return _union(arguments)
    if origin is tuple:
        if arguments[-1] is ...:
            return _sequence(tuple, codec_of(arguments[0]))
        return _fixed(tuple, [codec_of(argument) for argument in arguments], [])
    if origin is list:
        return _sequence(list, codec_of(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(codec_of(arguments[0]), codec_of(arguments[1]))
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return _enumeration(cast("Callable[[int], Any]", kind))
    if isinstance(kind, type) and (hasattr(kind, "_fields") or dataclasses.is_dataclass(kind)):
        return _record(kind)
    raise TypeError(f"{kind} has no border encoding")
