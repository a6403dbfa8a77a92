"""The `full` form: every transaction of a batch with its signatures. Anyone can recompute from it.

Inbox requests are in it too, although the calldata carry them again with their outcomes: so the
bytes alone, with the state before, are enough to replay, and the proof equates the two lists.
"""

from __future__ import annotations

from functools import cache

from novate.spec.batch import apply_batch
from novate.spec.messages.batch import Batch, Round
from novate.spec.presets import MAIN, Preset
from novate.spec.primitives import Primitives
from novate.spec.public_data.acts import (
    CHANGE,
    CHANGE_BYTES_MIN,
    DUE,
    DUE_BYTES_MIN,
    MOVE,
    MOVE_BYTES_MIN,
)
from novate.spec.public_data.codec import (
    Codec,
    Listed,
    Optional,
    Record,
    decode,
    encode,
)
from novate.spec.public_data.fields import COUNTER, FLAG, TIME
from novate.spec.public_data.orders import (
    ORDER,
    ORDER_BYTES_MIN,
    SHEET_BYTES_MIN,
    SheetCodec,
)
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.public_data.reports import REPORT_BYTES_MIN, reports_codec
from novate.spec.public_data.requests import REQUEST, REQUEST_BYTES_MIN
from novate.spec.public_data.trades import TradesCodec
from novate.spec.state import State

ROUND_BYTES_MIN = 24


@cache
def batch_codec(preset: Preset) -> Codec[Batch]:
    """The layout of a batch. Widths are the same for every preset; the bounds of counts are not."""
    rounds = Listed("rounds", round_codec(preset), 1, preset.rounds_max, 1, ROUND_BYTES_MIN)
    return Record(
        Batch,
        (
            ("number", COUNTER),
            ("fork", COUNTER),
            ("parameters", Optional("parameters", parameters_codec(preset))),
            ("reset_slots", FLAG),
            ("rounds", rounds),
        ),
    )


@cache
def round_codec(preset: Preset) -> Codec[Round]:
    """Time, then the transactions by phase, each phase a count and its records."""
    records = preset.records_max
    return Record(
        Round,
        (
            ("time", TIME),
            (
                "reports",
                Listed(
                    "reports",
                    reports_codec(preset),
                    2,
                    preset.markets_max,
                    0,
                    REPORT_BYTES_MIN,
                ),
            ),
            ("requests", Listed("requests", REQUEST, 2, preset.inbox_max, 0, REQUEST_BYTES_MIN)),
            ("changes", Listed("changes", CHANGE, 3, records, 0, CHANGE_BYTES_MIN)),
            ("due", Listed("due", DUE, 3, records, 0, DUE_BYTES_MIN)),
            ("orders", Listed("orders", ORDER, 3, records, 0, ORDER_BYTES_MIN)),
            ("sheets", Listed("sheets", SheetCodec(preset), 3, records, 0, SHEET_BYTES_MIN)),
            ("trades", TradesCodec(preset.fills_max)),
            ("moves", Listed("moves", MOVE, 3, records, 0, MOVE_BYTES_MIN)),
        ),
    )


def encode_full(batch: Batch) -> bytes:
    """The bytes of a batch; DecodeError if a field is out of the range that bytes can say."""
    return encode(batch_codec(MAIN), batch)


def decode_full(data: bytes, preset: Preset) -> Batch:
    """The batch of exactly these bytes, with counts within the preset; DecodeError otherwise."""
    return decode(batch_codec(preset), data)


def replay_full(state: State, data: bytes, primitives: Primitives) -> State:
    """The next state from `full` data, exact, slots included. LawError if they are not legal."""
    after = apply_batch(state, decode_full(data, state.preset), primitives).after
    assert after is not None
    return after
