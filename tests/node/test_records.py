"""Records and messages: every kind to bytes and back; no bytes crash a decoder."""

from __future__ import annotations

import contextlib
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.book.orders import SelfTrade
from novate.lab.play.scene import PERPETUAL, Scene
from novate.lab.worlds import START, parameters
from novate.node.outcome import Notice
from novate.node.protocol import (
    FRAME_MAX,
    AskStand,
    Clock,
    Frames,
    Message,
    NewParameters,
    RequestsFrom,
    RewindTo,
    decode_answer,
    decode_message,
    encode_answer,
    encode_message,
    encode_notice,
    frame,
)
from novate.node.receipts import Receipt
from novate.node.records import (
    BeginBatch,
    ChangeIn,
    LogRecord,
    OpenRound,
    Rewind,
    SealBatch,
    SealedBatch,
    SealRound,
    Stamped,
    decode_stamped,
    encode_stamped,
)
from novate.node.sequencer import Ack, Stand
from novate.spec.errors import DecodeError
from novate.spec.messages.account import SetTier
from novate.spec.messages.orders import Quote
from novate.spec.presets import MINIMAL
from novate.spec.primitives import Signature
from novate.spec.risk_parameters import MINIMAL_RISK

SCENE = Scene()
ROOT = (1, 2, 3, 4)
INPUTS = (
    SCENE.order(1, PERPETUAL, 5, 6_000_000, self_trade=SelfTrade.CANCEL_BOTH),
    SCENE.sheet(2, (Quote(PERPETUAL, 1, 2, 3, 4),))._replace(post_only=True),
    SCENE.cancel(1, 3),
    SCENE.cancel_all(4),
    ChangeIn(SetTier(3, 1)),
    SCENE.withdrawal(5, 1_000),
)
RECORDS: tuple[LogRecord, ...] = (
    *INPUTS,
    BeginBatch(3, parameters(SCENE.world.oracles, MINIMAL_RISK), True),
    BeginBatch(0, None, False),
    OpenRound(START, tuple(SCENE.reports(START)), tuple(SCENE.requests()[:8])),
    SealRound(),
    SealBatch(),
    SealedBatch(7, ROOT),
    Rewind(5, ROOT),
)
MESSAGES: tuple[Message, ...] = (
    *INPUTS,
    *SCENE.reports(START),
    RequestsFrom(3, tuple(SCENE.requests())),
    RewindTo(2, ROOT, 9),
    NewParameters(SCENE.world.state.parameters),
    Clock(1_000 * START),
    AskStand(),
)
RECEIPT = Receipt(9, 1_000 * START, bytes(range(32)), bytes(range(32, 64)), Signature(1, 2, 3))
ANSWERS = (
    Ack("", 128, 5, 7, RECEIPT),
    Ack("invalid_signature", 0, 0, 0, None),
    Stand(1, 2, ROOT, 3, 4, 5, START, START),
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_to_bytes_and_back(record: LogRecord) -> None:
    stamped = Stamped(1_000 * START + 7, record)
    data = encode_stamped(stamped, MINIMAL)
    assert decode_stamped(data, MINIMAL) == stamped
    assert stamped.now == START
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode_stamped(data[:size], MINIMAL)
    with pytest.raises(DecodeError):
        decode_stamped(data + b"\0", MINIMAL)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_to_bytes_and_back(message: Message) -> None:
    data = encode_message(message, MINIMAL)
    assert decode_message(data, MINIMAL) == message
    with pytest.raises(DecodeError):
        decode_message(data[:-1], MINIMAL)


def test_answers_to_bytes_and_back() -> None:
    for answer in ANSWERS:
        assert decode_answer(encode_answer(answer)) == answer
    assert decode_answer(encode_notice(Notice(4, "no"))) == Notice(4, "no")
    with pytest.raises(DecodeError):
        decode_answer(b"")


@given(st.binary(max_size=300))
def test_random_bytes_crash_no_decoder(data: bytes) -> None:
    for decoder in (decode_stamped, decode_message):
        with contextlib.suppress(DecodeError):
            decoder(data, MINIMAL)
    with contextlib.suppress(DecodeError):
        decode_answer(data)


def test_changed_bytes_decode_to_themselves_or_not_at_all() -> None:
    random = Random(2)
    for record in RECORDS:
        data = encode_stamped(Stamped(START, record), MINIMAL)
        for _ in range(60):
            changed = bytearray(data)
            changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
            try:
                found = decode_stamped(bytes(changed), MINIMAL)
            except DecodeError:
                continue
            assert encode_stamped(found, MINIMAL) == bytes(changed)


def test_frames_are_found_however_they_arrive() -> None:
    bodies = [b"", b"a", bytes(1_000), b"last"]
    stream = b"".join(map(frame, bodies))
    for step in (1, 3, 500, len(stream)):
        frames = Frames()
        found = [
            body
            for at in range(0, len(stream), step)
            for body in frames.feed(stream[at : at + step])
        ]
        assert found == bodies
    with pytest.raises(DecodeError):
        Frames().feed((FRAME_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(DecodeError):
        frame(bytes(FRAME_MAX + 1))
