"""What the contract itself reads of a batch: processed requests with outcomes, and payments.

Always calldata, whatever carries the rest. The contract recomputes the inbox's rolling hash from
the requests and the withdrawals' root from the payments. An outcome stands before its request, so
the request's bytes are the very ones that the inbox hashed.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from novate.spec.crypto.keccak import keccak_256
from novate.spec.journal import Journal, RequestOutcome
from novate.spec.messages.inbox import Request
from novate.spec.presets import MAIN, Preset
from novate.spec.public_data.codec import Codec, Enumerated, Listed, Record, decode, encode
from novate.spec.public_data.requests import REQUEST, REQUEST_BYTES_MIN
from novate.spec.public_data.withdrawals import PAYMENT, PAYMENT_BYTES, Payment, payments_of

EMPTY_INBOX: Final = bytes(32)
"""The rolling hash before the first request."""


class Processed(NamedTuple):
    """A request and what became of it."""

    outcome: RequestOutcome
    request: Request


class Calldata(NamedTuple):
    """The contract's part of a batch's data."""

    requests: tuple[Processed, ...]
    """In L1 order."""
    payments: tuple[Payment, ...]
    """Their places are the indices of the withdrawals' tree."""


PROCESSED: Codec[Processed] = Record(
    Processed,
    (
        ("outcome", Enumerated("outcome", RequestOutcome, len(RequestOutcome))),
        ("request", REQUEST),
    ),
)


@cache
def calldata_codec(preset: Preset) -> Codec[Calldata]:
    """The layout; the preset bounds the number of requests, and of payments by its moves."""
    payments_max = preset.inbox_max + preset.rounds_max * preset.records_max
    return Record(
        Calldata,
        (
            (
                "requests",
                Listed("requests", PROCESSED, 2, preset.inbox_max, 0, 1 + REQUEST_BYTES_MIN),
            ),
            ("payments", Listed("payments", PAYMENT, 4, payments_max, 0, PAYMENT_BYTES)),
        ),
    )


def calldata_of(journal: Journal) -> Calldata:
    """The contract's part of a batch that the law has judged."""
    processed = tuple(Processed(entry.outcome, entry.request) for entry in journal.requests)
    return Calldata(processed, payments_of(journal))


def encode_calldata(calldata: Calldata) -> bytes:
    """The bytes; DecodeError if a field is out of range."""
    return encode(calldata_codec(MAIN), calldata)


def decode_calldata(data: bytes, preset: Preset) -> Calldata:
    """The value of exactly these bytes; DecodeError if there is none."""
    return decode(calldata_codec(preset), data)


def extend_inbox(rolling: bytes, request: Request) -> bytes:
    """keccak(rolling hash 32 ‖ request): the inbox's hash after one more request."""
    return keccak_256(rolling + encode(REQUEST, request))


def inbox_after(rolling: bytes, calldata: Calldata) -> bytes:
    """The inbox's hash after the requests of a batch."""
    for processed in calldata.requests:
        rolling = extend_inbox(rolling, processed.request)
    return rolling
