"""How values become bytes: small codecs that compose, each an exact inverse of itself.

A layout is written once and serves both directions, so every value has one encoding and every
encoding one value. Integers are big-endian, as L1 reads them, of a fixed width; signed ones are
stored in excess 2^(8·width − 1), which a constraint undoes by a subtraction. There are no variable
length integers: a parser knows from counts and tags alone where every field begins.

Decoding never trusts a count: reading an item consumes bytes, and a list that cannot fit the bytes
left is refused before anything is built.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from novate.spec.bounds import check_range
from novate.spec.crypto import goldilocks, quintic, scalar, schnorr
from novate.spec.errors import DecodeError
from novate.spec.primitives import Digest, PublicKey, Signature

T = TypeVar("T")
N = TypeVar("N", bound=int)


class Reader:
    """Bytes being read from the front."""

    def __init__(self, data: bytes) -> None:
        """Start at the first byte."""
        self.data = data
        self.position = 0

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self.data) - self.position

    def take(self, count: int) -> bytes:
        """The next `count` bytes; DecodeError `truncated` if there are fewer."""
        if count > self.remaining:
            raise DecodeError("truncated", f"{count} bytes wanted, {self.remaining} left")
        start = self.position
        self.position = start + count
        return self.data[start : start + count]

    def unsigned(self, width: int) -> int:
        """A big-endian integer of `width` bytes, in [0, 256**width)."""
        return int.from_bytes(self.take(width), "big")

    def signed(self, width: int) -> int:
        """An integer in excess 2^(8·width − 1); 0 in no bytes for width 0."""
        return self.unsigned(width) - excess(width)

    def finish(self) -> None:
        """DecodeError `trailing_bytes` unless every byte was read."""
        if self.remaining:
            raise DecodeError("trailing_bytes", f"{self.remaining} bytes after the last field")


def excess(width: int) -> int:
    """What is added to a signed integer stored in `width` bytes."""
    return 1 << (8 * width - 1) if width else 0


def put_unsigned(out: bytearray, width: int, value: int) -> None:
    """Append an integer in [0, 256**width); DecodeError `does_not_fit` otherwise."""
    if not 0 <= value < 1 << 8 * width:
        raise DecodeError("does_not_fit", f"{value} in {width} bytes")
    out += value.to_bytes(width, "big")


def put_signed(out: bytearray, width: int, value: int) -> None:
    """Append a signed integer that fits `width` bytes; DecodeError otherwise."""
    put_unsigned(out, width, value + excess(width))


def unsigned_width(value: int) -> int:
    """Bytes that an integer >= 0 needs; 0 for 0."""
    return (value.bit_length() + 7) >> 3


def signed_width(value: int) -> int:
    """Bytes that a signed integer needs in excess form; 0 for 0."""
    if value == 0:
        return 0
    return ((value if value > 0 else -value - 1).bit_length() >> 3) + 1


class Codec(Protocol[T]):
    """Both directions of one layout."""

    def write(self, out: bytearray, value: T) -> None:
        """Append the encoding; DecodeError if the value has none."""

    def read(self, reader: Reader) -> T:
        """Read one value; DecodeError if the bytes are not the encoding of one."""


@dataclass(frozen=True)
class Unsigned:
    """An integer of `width` bytes in [low, high]; high defaults to what fits."""

    name: str
    width: int
    low: int = 0
    high: int | None = None

    def _checked(self, value: int) -> int:
        """The value, if it is in range."""
        high = (1 << 8 * self.width) - 1 if self.high is None else self.high
        return check_range(self.name, value, self.low, high)

    def write(self, out: bytearray, value: int) -> None:
        """Append the integer."""
        put_unsigned(out, self.width, self._checked(value))

    def read(self, reader: Reader) -> int:
        """Read and check the integer."""
        return self._checked(reader.unsigned(self.width))


@dataclass(frozen=True)
class Signed:
    """A signed integer of `width` bytes with |value| <= limit, from `low` if that is given."""

    name: str
    width: int
    limit: int
    low: int | None = None

    def _checked(self, value: int) -> int:
        """The value, if it is in range."""
        low = -self.limit if self.low is None else self.low
        return check_range(self.name, value, low, self.limit)

    def write(self, out: bytearray, value: int) -> None:
        """Append the integer."""
        put_signed(out, self.width, self._checked(value))

    def read(self, reader: Reader) -> int:
        """Read and check the integer."""
        return self._checked(reader.signed(self.width))


@dataclass(frozen=True)
class Enumerated(Generic[N]):
    """One byte that names a member of an integer enum."""

    name: str
    members: Callable[[int], N]
    count: int

    def write(self, out: bytearray, value: N) -> None:
        """Append the member's number, 0 to count − 1."""
        put_unsigned(out, 1, check_range(self.name, int(value), 0, self.count - 1))

    def read(self, reader: Reader) -> N:
        """Read a member; DecodeError `unknown_tag`."""
        return self.members(_tag(reader, self.name, self.count))


def _tag(reader: Reader, name: str, count: int) -> int:
    """One byte below `count`; DecodeError `unknown_tag`."""
    tag = reader.unsigned(1)
    if tag >= count:
        raise DecodeError("unknown_tag", f"{name} = {tag}, below {count}")
    return tag


@dataclass(frozen=True)
class Record(Generic[T]):
    """Fields one after another: (attribute, codec), in the order of the constructor's names."""

    make: Callable[..., T]
    fields: tuple[tuple[str, Codec[Any]], ...]

    def write(self, out: bytearray, value: T) -> None:
        """Append every field."""
        for name, codec in self.fields:
            codec.write(out, getattr(value, name))

    def read(self, reader: Reader) -> T:
        """Read every field and build the value."""
        return self.make(**{name: codec.read(reader) for name, codec in self.fields})


@dataclass(frozen=True)
class Listed(Generic[T]):
    """A count of `width` bytes, `least` to `most`, then items of `smallest` bytes or more."""

    name: str
    item: Codec[T]
    width: int
    most: int
    least: int = 0
    smallest: int = 1

    def write(self, out: bytearray, value: tuple[T, ...]) -> None:
        """Append count and items."""
        put_unsigned(out, self.width, check_range(self.name, len(value), self.least, self.most))
        for item in value:
            self.item.write(out, item)

    def read(self, reader: Reader) -> tuple[T, ...]:
        """Read count and items; the count is refused before any item if it cannot be right."""
        count = check_range(self.name, reader.unsigned(self.width), self.least, self.most)
        if count * self.smallest > reader.remaining:
            raise DecodeError("truncated", f"{count} {self.name}, {reader.remaining} bytes left")
        return tuple(self.item.read(reader) for _ in range(count))


@dataclass(frozen=True)
class Repeated(Generic[T]):
    """Exactly `count` items, no count in the bytes."""

    name: str
    item: Codec[T]
    count: int

    def write(self, out: bytearray, value: tuple[T, ...]) -> None:
        """Append the items."""
        check_range(self.name, len(value), self.count, self.count)
        for item in value:
            self.item.write(out, item)

    def read(self, reader: Reader) -> tuple[T, ...]:
        """Read the items."""
        return tuple(self.item.read(reader) for _ in range(self.count))


@dataclass(frozen=True)
class Tagged:
    """One byte that says which of several types follows: its place in `cases`."""

    name: str
    cases: tuple[tuple[type[Any], Codec[Any]], ...]

    def write(self, out: bytearray, value: Any) -> None:
        """Append tag and value; DecodeError for a type without a tag."""
        for tag, (kind, codec) in enumerate(self.cases):
            if type(value) is kind:
                out.append(tag)
                codec.write(out, value)
                return
        raise DecodeError("unknown_tag", f"{self.name}: {type(value).__name__}")

    def read(self, reader: Reader) -> Any:
        """Read tag and value."""
        tag = _tag(reader, self.name, len(self.cases))
        return self.cases[tag][1].read(reader)


@dataclass(frozen=True)
class Optional(Generic[T]):
    """One byte, 0 or 1, then the value if it is 1."""

    name: str
    item: Codec[T]

    def write(self, out: bytearray, value: T | None) -> None:
        """Append presence and value."""
        out.append(int(value is not None))
        if value is not None:
            self.item.write(out, value)

    def read(self, reader: Reader) -> T | None:
        """Read presence and value."""
        return self.item.read(reader) if _tag(reader, self.name, 2) else None


@dataclass(frozen=True)
class Sparse(Generic[T]):
    """Fields of which few are there: one bit a field, lowest first, then the fields that are.

    An absent field is None. The bits fill whole bytes; those beyond the last field are 0. Before
    the bits stand the fields of `always`.
    """

    name: str
    make: Callable[..., T]
    fields: tuple[tuple[str, Codec[Any]], ...]
    always: tuple[tuple[str, Codec[Any]], ...] = ()

    @property
    def bits_width(self) -> int:
        """Bytes of the bits."""
        return (len(self.fields) + 7) >> 3

    def write(self, out: bytearray, value: T) -> None:
        """Append bits and fields."""
        for name, codec in self.always:
            codec.write(out, getattr(value, name))
        values = [getattr(value, name) for name, _ in self.fields]
        bits = sum(1 << place for place, field in enumerate(values) if field is not None)
        put_unsigned(out, self.bits_width, bits)
        for field, (_, codec) in zip(values, self.fields, strict=True):
            if field is not None:
                codec.write(out, field)

    def read(self, reader: Reader) -> T:
        """Read bits and fields."""
        found = {name: codec.read(reader) for name, codec in self.always}
        bits = reader.unsigned(self.bits_width)
        if bits >> len(self.fields):
            raise DecodeError("unknown_tag", f"{self.name}: bits {bits:#x}")
        for place, (name, codec) in enumerate(self.fields):
            found[name] = codec.read(reader) if bits >> place & 1 else None
        return self.make(**found)


class Flag:
    """A truth value in one byte, 0 or 1."""

    def write(self, out: bytearray, value: bool) -> None:
        """Append the byte."""
        out.append(int(value))

    def read(self, reader: Reader) -> bool:
        """Read the byte; DecodeError `unknown_tag` if it is neither 0 nor 1."""
        return _tag(reader, "flag", 2) == 1


class KeyCodec:
    """A public key in 40 bytes: five elements, 8 bytes little-endian each. Need not be a point."""

    def write(self, out: bytearray, value: PublicKey) -> None:
        """Append the key; DecodeError unless its elements are canonical."""
        if len(value) != 5 or not quintic.is_canonical(value):
            raise DecodeError("element_not_canonical", f"key = {value}")
        out += quintic.to_bytes(value)

    def read(self, reader: Reader) -> PublicKey:
        """Read a key; DecodeError unless its elements are canonical."""
        return quintic.from_bytes(reader.take(quintic.QUINTIC_BYTES))


class SignatureCodec:
    """A signature in 56 bytes: e0 in 8, e1 in 8, s in 40, little-endian."""

    def write(self, out: bytearray, value: Signature) -> None:
        """Append the signature; DecodeError unless it is canonical."""
        elements = goldilocks.is_canonical(value.e0) and goldilocks.is_canonical(value.e1)
        if not (elements and scalar.is_canonical(value.s)):
            raise DecodeError("signature_not_canonical", f"{value}")
        out += schnorr.signature_to_bytes(value)

    def read(self, reader: Reader) -> Signature:
        """Read a signature; DecodeError unless it is canonical."""
        return schnorr.signature_from_bytes(reader.take(schnorr.SIGNATURE_BYTES))


class DigestCodec:
    """A digest in 32 bytes: four elements, 8 bytes little-endian each."""

    def write(self, out: bytearray, value: Digest) -> None:
        """Append the digest."""
        for element in value:
            out += goldilocks.to_bytes(element)

    def read(self, reader: Reader) -> Digest:
        """Read a digest; DecodeError unless its elements are canonical."""
        a, b, c, d = (goldilocks.from_bytes(reader.take(8)) for _ in range(4))
        return a, b, c, d


def encode(codec: Codec[T], value: T) -> bytes:
    """The bytes of a value; DecodeError if it has none."""
    out = bytearray()
    codec.write(out, value)
    return bytes(out)


def decode(codec: Codec[T], data: bytes) -> T:
    """The value of exactly these bytes; DecodeError if there is none."""
    reader = Reader(data)
    value = codec.read(reader)
    reader.finish()
    return value
