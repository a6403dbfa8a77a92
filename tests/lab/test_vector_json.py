"""Encoding values of the law as JSON is exact both ways."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.lab.vector_json import TYPES, Decoder, Encoder
from novate.spec.journal import FillEntry
from novate.spec.messages.batch import Fill, SideKind, SideOf
from novate.spec.presets import MINIMAL
from novate.spec.state import Halt, Slot, Snapshot
from tests.spec.kit import BTC_PRICE, Stage


def through(value: object) -> Any:
    """The value after encoding, writing, reading and decoding."""
    encoder = Encoder()
    text = json.dumps([encoder.encode(value), encoder.shared])
    encoded, shared = json.loads(text)
    return Decoder(shared).decode(encoded)


def test_a_state_a_batch_and_a_journal_come_back() -> None:
    stage = Stage()
    act = stage.round().prices(0).fill(1, 2, BTC_PRICE, 10)
    batch = stage.batch(act)
    journal = stage.play(act)
    assert through(batch) == batch
    assert through(stage.state) == stage.state
    assert stage.state.slots
    for rows in (journal.fills, journal.ledger, journal.margins, journal.snapshots):
        assert rows
        assert through(rows) == tuple(rows)


@given(st.integers())
def test_integers_of_any_size_come_back(value: int) -> None:
    assert through(value) == value
    assert through(Slot(value, -value)) == Slot(value, -value)


def test_kinds_are_kept() -> None:
    fill = Fill(1, 2, 3, SideOf(SideKind.QUOTE, 1, 2), SideOf(SideKind.FUND), True)
    entry = through(FillEntry(fill, 1, -1, 0, 0))
    assert type(entry) is FillEntry
    assert type(entry.fill.buyer.kind) is SideKind
    assert entry.fill.maker_is_buyer is True
    assert through({(1, 2): Slot(1, 1), (0, 5): Slot()}) == {(1, 2): Slot(1, 1), (0, 5): Slot()}


def test_what_has_its_default_is_left_out_and_named() -> None:
    encoder = Encoder()
    assert encoder.encode(Slot(nonce=3)) == {"$": "Slot", "nonce": "0x3"}
    assert encoder.defaults == {"Slot": {"nonce": "0x0", "filled": "0x0"}}
    assert through(Halt(since=1, pending=Snapshot())) == Halt(since=1)


def test_equal_large_values_stand_once() -> None:
    encoder = Encoder()
    first, again = encoder.encode(MINIMAL), encoder.encode(replace(MINIMAL))
    assert first == again == {"$use": "Preset 0"}
    assert encoder.encode(replace(MINIMAL, fills_max=1)) == {"$use": "Preset 1"}
    assert list(encoder.shared) == ["Preset 0", "Preset 1"]


@pytest.mark.parametrize("value", [1.5, object(), {1, 2}])
def test_what_the_law_does_not_hold_is_refused(value: object) -> None:
    with pytest.raises((TypeError, KeyError)):
        Encoder().encode(value)


@pytest.mark.parametrize("value", [7, {"$": "Nobody"}, {"$use": "Preset 0"}, {"nonce": "0x0"}])
def test_what_no_encoder_wrote_is_refused(value: object) -> None:
    with pytest.raises((TypeError, KeyError)):
        Decoder({}).decode(value)


def test_every_type_of_the_law_is_known_by_one_name() -> None:
    for name in ("State", "Batch", "Journal", "SignedOrder", "SignedReport", "ForcedClose"):
        assert name in TYPES
