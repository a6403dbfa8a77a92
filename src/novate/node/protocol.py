"""What goes over the sequencer's socket: frames of length 4 (big-endian) and a body.

A client's body begins with its kind; each is answered by one body, in order. `NOTICE` bodies come
besides, when a queued move or change is decided.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, NamedTuple

from novate.node.outcome import Notice
from novate.node.receipts import RECEIPT
from novate.node.records import Input, input_codec
from novate.node.sequencer import Ack, Stand
from novate.spec.errors import DecodeError
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.inbox import Request
from novate.spec.parameters import Parameters
from novate.spec.presets import Preset
from novate.spec.primitives import Digest
from novate.spec.public_data.codec import (
    Codec,
    Listed,
    Optional,
    Reader,
    Record,
    Unsigned,
    decode,
    encode,
    put_unsigned,
)
from novate.spec.public_data.fields import COUNTER, CURSOR, DIGEST, TIME
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.public_data.reports import reports_codec
from novate.spec.public_data.requests import REQUEST, REQUEST_BYTES_MIN

FRAME_MAX: Final = 1 << 20
"""Largest body, bytes."""
REQUESTS_MAX: Final = 4_096
TEXT_MAX: Final = 255


class Kind(IntEnum):
    """First byte of a body."""

    INPUT = 0
    REPORT = 1
    REQUESTS = 2
    REWIND = 3
    CLOCK = 4
    STAND = 5
    PARAMETERS = 6
    ACK = 16
    NOTICE = 17


class RequestsFrom(NamedTuple):
    """Requests of L1 from a place in the inbox on."""

    first: int
    requests: tuple[Request, ...]


class RewindTo(NamedTuple):
    """L1 reverted every batch above `number`."""

    number: int
    root: Digest
    fork: int


class NewParameters(NamedTuple):
    """The parameters in force on L1: the next batch brings them, unless it has them already."""

    parameters: Parameters


class Clock(NamedTuple):
    """The time from now on, where the node is told the time."""

    time_ms: int


class AskStand(NamedTuple):
    """Where does the sequencer stand?"""


Message = Input | MarketReports | RequestsFrom | RewindTo | NewParameters | Clock | AskStand
"""What a client sends. Reports are of one market, each signed by its oracle, quorum or not."""
Answer = Ack | Stand


class TextCodec:
    """Up to 255 bytes of UTF-8 after their number."""

    def write(self, out: bytearray, value: str) -> None:
        """Append the text; what does not fit is cut."""
        data = str(value).encode()[:TEXT_MAX]
        out.append(len(data))
        out += data

    def read(self, reader: Reader) -> str:
        """Read a text."""
        return reader.take(reader.unsigned(1)).decode(errors="replace")


TIME_MS: Final = Unsigned("time_ms", 6)
REQUESTS: Codec[RequestsFrom] = Record(
    RequestsFrom,
    (
        ("first", CURSOR),
        ("requests", Listed("requests", REQUEST, 2, REQUESTS_MAX, 0, REQUEST_BYTES_MIN)),
    ),
)
REWIND: Codec[RewindTo] = Record(
    RewindTo, (("number", COUNTER), ("root", DIGEST), ("fork", COUNTER))
)
CLOCK: Codec[Clock] = Record(Clock, (("time_ms", TIME_MS),))
ACK: Codec[Ack] = Record(
    Ack,
    (
        ("reason", TextCodec()),
        ("order_id", Unsigned("order_id", 8)),
        ("filled", Unsigned("filled", 8)),
        ("open", Unsigned("open", 8)),
        ("receipt", Optional("receipt", RECEIPT)),
    ),
)
NOTICE: Codec[Notice] = Record(
    Notice, (("sequence", Unsigned("sequence", 8)), ("reason", TextCodec()))
)
STAND: Codec[Stand] = Record(
    Stand,
    (
        ("sequence", Unsigned("sequence", 8)),
        ("batch", COUNTER),
        ("root", DIGEST),
        ("inbox_next", CURSOR),
        ("time_ms", TIME_MS),
        ("fork", COUNTER),
        ("round_time", TIME),
        ("reports_time", TIME),
    ),
)


def encode_message(message: Message, preset: Preset) -> bytes:
    """The body of a client's message; DecodeError if a field is out of range."""
    match message:
        case MarketReports():
            return bytes([Kind.REPORT]) + encode(reports_codec(preset), message)
        case RequestsFrom():
            return bytes([Kind.REQUESTS]) + encode(REQUESTS, message)
        case RewindTo():
            return bytes([Kind.REWIND]) + encode(REWIND, message)
        case NewParameters():
            body = encode(parameters_codec(preset), message.parameters)
            return bytes([Kind.PARAMETERS]) + body
        case Clock():
            return bytes([Kind.CLOCK]) + encode(CLOCK, message)
        case AskStand():
            return bytes([Kind.STAND])
        case _:
            return bytes([Kind.INPUT]) + encode(input_codec(preset), message)


def decode_message(body: bytes, preset: Preset) -> Message:
    """The message of exactly these bytes; DecodeError if there is none."""
    kind, rest = body[:1], body[1:]
    codecs: dict[int, Codec[Any]] = {
        Kind.INPUT: input_codec(preset),
        Kind.REPORT: reports_codec(preset),
        Kind.REQUESTS: REQUESTS,
        Kind.REWIND: REWIND,
        Kind.CLOCK: CLOCK,
        Kind.PARAMETERS: Record(NewParameters, (("parameters", parameters_codec(preset)),)),
        Kind.STAND: Record(AskStand, ()),
    }
    codec = codecs.get(kind[0]) if kind else None
    if codec is None:
        raise DecodeError("unknown_tag", f"kind = {kind.hex() or 'none'}")
    message: Message = decode(codec, rest)
    return message


def encode_answer(answer: Answer) -> bytes:
    """The body of an answer."""
    if isinstance(answer, Stand):
        return bytes([Kind.STAND]) + encode(STAND, answer)
    return bytes([Kind.ACK]) + encode(ACK, answer)


def encode_notice(notice: Notice) -> bytes:
    """The body of a notice."""
    return bytes([Kind.NOTICE]) + encode(NOTICE, notice)


def decode_answer(body: bytes) -> Answer | Notice:
    """What the sequencer says in exactly these bytes; DecodeError if it is nothing."""
    codecs: dict[int, Codec[Any]] = {
        Kind.ACK: ACK,
        Kind.STAND: STAND,
        Kind.NOTICE: NOTICE,
    }
    codec = codecs.get(body[0]) if body else None
    if codec is None:
        raise DecodeError("unknown_tag", f"kind = {body[:1].hex() or 'none'}")
    answer: Answer | Notice = decode(codec, body[1:])
    return answer


def frame(body: bytes) -> bytes:
    """A body with its length before it; DecodeError if it is too long."""
    if len(body) > FRAME_MAX:
        raise DecodeError("out_of_range", f"body has {len(body)} bytes, max {FRAME_MAX}")
    out = bytearray()
    put_unsigned(out, 4, len(body))
    return bytes(out) + body


class Frames:
    """Bytes of one connection on their way to becoming bodies."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._data = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that are whole now. DecodeError on a length beyond the limit."""
        self._data += data
        found = []
        at = 0
        while len(self._data) - at >= 4:
            length = int.from_bytes(self._data[at : at + 4], "big")
            if length > FRAME_MAX:
                raise DecodeError("out_of_range", f"body of {length} bytes, max {FRAME_MAX}")
            if len(self._data) - at - 4 < length:
                break
            found.append(bytes(self._data[at + 4 : at + 4 + length]))
            at += 4 + length
        del self._data[:at]
        return found
