"""What stands in the log: inputs, each with its time, as packed bytes.

    time in unix milliseconds 6 | kind 1 | fields

Signed messages have the very bytes of a batch's `full` form. Nothing that follows from the inputs
is here: replaying them through the same code gives it again. Matching and the law see no other
clock than the time of the record.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

from novate.book.orders import SelfTrade
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.domain import Domain
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import Authorization, SignedOrder, SignedSheet
from novate.spec.parameters import Parameters
from novate.spec.presets import Preset
from novate.spec.primitives import Digest
from novate.spec.public_data.acts import CHANGE, MOVE
from novate.spec.public_data.codec import (
    Codec,
    Enumerated,
    Listed,
    Optional,
    Record,
    Tagged,
    Unsigned,
    decode,
    encode,
)
from novate.spec.public_data.fields import ACCOUNT, COUNTER, DIGEST, FLAG, NONCE, SLOT, TIME
from novate.spec.public_data.orders import AUTHORIZATION, ORDER, SheetCodec
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.public_data.reports import REPORT_BYTES_MIN, reports_codec
from novate.spec.public_data.requests import REQUEST, REQUEST_BYTES_MIN

CANCEL_ORDER_TAG: Final = "cancelo"


class OrderIn(NamedTuple):
    """A signed order: new, or a revision of the live order of its slot and nonce."""

    signed: SignedOrder
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER


class SheetIn(NamedTuple):
    """A signed mass quote in place of the account's previous one."""

    signed: SignedSheet
    post_only: bool = False
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER


class CancelOrder(NamedTuple):
    """Take out what lives in a slot, if its nonce is not above this one. The law knows no such
    message: it is between a trader and the venue, and its receipt is what binds."""

    account: int
    slot: int
    nonce: int

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `CANCEL_ORDER_TAG`."""
        return (*domain.elements(epoch), self.account, self.slot | self.nonce << 32)


class CancelIn(NamedTuple):
    """A signed cancel of one order."""

    message: CancelOrder
    authorization: Authorization


class ChangeIn(NamedTuple):
    """A change of key, epoch or tier: matching obeys at once, the law from the next round on."""

    change: Change


class MoveIn(NamedTuple):
    """A transfer, position move or withdrawal: done when the round is sealed."""

    move: Move


class BeginBatch(NamedTuple):
    """A batch begins."""

    fork: int
    parameters: Parameters | None
    reset_slots: bool


class OpenRound(NamedTuple):
    """A round begins with its snapshots and L1's requests."""

    time: int
    reports: tuple[MarketReports, ...]
    requests: tuple[Request, ...]


class SealRound(NamedTuple):
    """The open round ends."""


class SealBatch(NamedTuple):
    """The open batch ends."""


class SealedBatch(NamedTuple):
    """What the batch before came to: a replay that comes to something else has gone wrong."""

    number: int
    root: Digest


class Rewind(NamedTuple):
    """L1 reverted every batch above `number`: the venue goes on from that one's state."""

    number: int
    root: Digest


Input = OrderIn | SheetIn | CancelIn | ChangeIn | MoveIn
"""What users send."""
LogRecord = Input | BeginBatch | OpenRound | SealRound | SealBatch | SealedBatch | Rewind


class Stamped(NamedTuple):
    """A record with its time."""

    time_ms: int
    record: LogRecord

    @property
    def now(self) -> int:
        """The time in whole seconds, as book and law read it."""
        return self.time_ms // 1_000


SELF_TRADE: Codec[SelfTrade] = Enumerated("self_trade", SelfTrade, len(SelfTrade))
CANCEL: Codec[CancelIn] = Record(
    CancelIn,
    (
        (
            "message",
            Record(CancelOrder, (("account", ACCOUNT), ("slot", SLOT), ("nonce", NONCE))),
        ),
        ("authorization", AUTHORIZATION),
    ),
)


def _open_round(preset: Preset) -> Codec[OpenRound]:
    """The layout of a round's beginning, as in a batch."""
    reports = Listed("reports", reports_codec(preset), 2, preset.markets_max, 0, REPORT_BYTES_MIN)
    requests = Listed("requests", REQUEST, 2, preset.inbox_max, 0, REQUEST_BYTES_MIN)
    return Record(OpenRound, (("time", TIME), ("reports", reports), ("requests", requests)))


@cache
def input_codec(preset: Preset) -> Tagged:
    """What users send; the tag is the kind byte of the log too."""
    return Tagged("record", _inputs(preset))


def _inputs(preset: Preset) -> tuple[tuple[type[Any], Codec[Any]], ...]:
    """The kinds users send, by tag."""
    sheet = (("signed", SheetCodec(preset)), ("post_only", FLAG), ("self_trade", SELF_TRADE))
    return (
        (OrderIn, Record(OrderIn, (("signed", ORDER), ("self_trade", SELF_TRADE)))),
        (SheetIn, Record(SheetIn, sheet)),
        (CancelIn, CANCEL),
        (ChangeIn, Record(ChangeIn, (("change", CHANGE),))),
        (MoveIn, Record(MoveIn, (("move", MOVE),))),
    )


@cache
def stamped_codec(preset: Preset) -> Codec[Stamped]:
    """The layout of a log record's payload."""
    begin = (
        ("fork", COUNTER),
        ("parameters", Optional("parameters", parameters_codec(preset))),
        ("reset_slots", FLAG),
    )
    numbered = (("number", COUNTER), ("root", DIGEST))
    cases: tuple[tuple[type[Any], Codec[Any]], ...] = (
        *_inputs(preset),
        (BeginBatch, Record(BeginBatch, begin)),
        (OpenRound, _open_round(preset)),
        (SealRound, Record(SealRound, ())),
        (SealBatch, Record(SealBatch, ())),
        (SealedBatch, Record(SealedBatch, numbered)),
        (Rewind, Record(Rewind, numbered)),
    )
    return Record(
        Stamped,
        (("time_ms", Unsigned("time_ms", 6)), ("record", Tagged("record", cases))),
    )


def encode_stamped(stamped: Stamped, preset: Preset) -> bytes:
    """The payload of a log record; DecodeError if a field is out of range."""
    return encode(stamped_codec(preset), stamped)


def decode_stamped(payload: bytes, preset: Preset) -> Stamped:
    """The record of exactly these bytes; DecodeError if there is none."""
    return decode(stamped_codec(preset), payload)
