"""Packed requests and events: the layout byte by byte, and what no record can do to the books."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.book.compiled import FIRST_OWN_REASON, CompiledExchange, ReasonNumbers
from novate.book.events import Amended, Event, Filled, Reason, Rejected
from novate.book.operations import Operation, OperationKind, sheet_operations, submit_operation
from novate.book.orders import (
    Flags,
    Order,
    Quote,
    SelfTrade,
    Sheet,
    Side,
    TimeInForce,
)
from novate.book.packed import EVENT, OPERATION, pack_operations, unpack_events
from novate.lab.order_flow import wild_flow
from novate.native.matching import MatchingCore

BUY, SELL = Side.BUY, Side.SELL
LARGEST = (1 << 64) - 1

ORDER = Order(
    order_id=LARGEST,
    account=0xFFFFFFFE,
    owner_group=7,
    instrument=1 << 49,
    side=SELL,
    price=0x7FFFFFFF,
    quantity=5,
    flags=Flags.REDUCE_ONLY,
    time_in_force=TimeInForce.FILL_OR_KILL,
    self_trade=SelfTrade.CANCEL_BOTH,
    good_till=0xFFFFFFFF,
)


def test_the_layout_of_a_request() -> None:
    (record,) = pack_operations([submit_operation(ORDER, 0x01020304)])
    expected = struct.pack(
        "<5B3x4I2Q2q",
        *(0, 1, 2, 2, 2),
        *(0x01020304, 0xFFFFFFFE, 7, 0xFFFFFFFF),
        *(1 << 49, LARGEST),
        *(0x7FFFFFFF, 5),
    )
    assert record.tobytes() == expected
    assert OPERATION.itemsize == len(expected) == 56


def test_the_layout_of_an_event() -> None:
    exchange = CompiledExchange()
    exchange.core.submit(1, 11, 1, 1, 9, SELL, 100, 6, 0, 0, 0, 50)
    exchange.core.submit(1, 12, 2, 2, 9, BUY, 101, 4, 0, 0, 0, 50)
    exchange.core.amend(1, 11, 1, 9, 100, 5, 50)
    packed = exchange.core.take().tobytes()
    layout = "<4Q6IH3B3x"
    assert struct.calcsize(layout) == EVENT.itemsize == 64
    accepted, _, filled, amended = struct.iter_unpack(layout, packed)
    assert accepted == (0, 9, 11, 0, 1, 0, 100, 6, 6, 0, 0, 0, SELL, 0)
    assert filled == (2, 9, 11, 12, 1, 2, 100, 4, 2, 0, 0, 2, BUY, 0)
    assert amended == (3, 9, 11, 0, 1, 0, 100, 5, 1, 0, 0, 4, SELL, 1)


def test_the_integers_of_the_core_do_what_the_objects_do() -> None:
    """The lots traded are the answer, the events the same."""
    objects, integers = CompiledExchange(), CompiledExchange()
    expected: list[Event] = []
    for records in wild_flow(1, 400):
        head = records[0]
        events: list[Event] = []
        traded = 0
        if head.kind == OperationKind.SUBMIT:
            events = objects.run(records)
            traded = integers.core.submit(head.now, *order_fields(head))
        elif head.kind == OperationKind.AMEND:
            events = objects.run(records)
            terms = (head.price, head.quantity, head.good_till)
            who = (head.order_id, head.account, head.instrument)
            traded = integers.core.amend(head.now, *who, *terms)
        assert traded == sum(event.quantity for event in events if isinstance(event, Filled))
        expected += events
    assert unpack_events(integers.take_packed(), integers.reasons.name) == expected
    assert any(isinstance(event, Filled) for event in expected)
    assert any(isinstance(event, Amended) for event in expected)
    assert len(integers.take_packed()) == 0


def order_fields(head: Operation) -> tuple[int, ...]:
    return (
        *(head.order_id, head.account, head.owner_group, head.instrument, head.side, head.price),
        *(head.quantity, head.flags, head.time_in_force, head.self_trade, head.good_till),
    )


# What is wrong is named.

GOOD = Operation(OperationKind.SUBMIT, 9, 1, 1, 3, 1, BUY, 5, 5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": 7}, "record 1: kind is 7, must be 0 to 6"),
        ({"kind": 6}, "record 1: kind is 6, must be 0 to 5 outside a sheet"),
        ({"side": 2}, "record 1: side is 2, must be 0 or 1"),
        ({"time_in_force": 3}, "record 1: time_in_force is 3, must be 0, 1 or 2"),
        ({"self_trade": 3}, "record 1: self_trade is 3, must be 0, 1 or 2"),
        ({"now": 8}, "instrument 3: time goes back from 9 to 8"),
        ({"kind": 5, "quantity": 1}, "record 1: quantity is 1, must be a number of quotes"),
        ({"kind": 5, "quantity": 0, "self_trade": 9}, "record 1: self_trade is 9"),
    ],
)
def test_a_malformed_record_is_named(change: dict[str, int], message: str) -> None:
    records = pack_operations([GOOD, GOOD])
    for field, value in change.items():
        records[1][field] = value
    exchange = CompiledExchange()
    with pytest.raises(ValueError, match=message):
        exchange.run_packed(records)
    assert len(exchange.take_packed()) == 1  # of the first record


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (0, {"order_id": LARGEST - 2}, "record 0: order_id is 18446744073709551613, must be at m"),
        (1, {"kind": 0}, "record 1: kind is 0, must be 6 inside a sheet"),
        (2, {"kind": 5}, "record 2: kind is 5, must be 6 inside a sheet"),
        (3, {"side": 1}, "record 3: side is 1, must be 0, a bid"),
        (4, {"side": 0}, "record 4: side is 0, must be 1, an ask"),
        (4, {"instrument": 9}, "record 4: instrument is 9, must be the bid's"),
    ],
)
def test_a_malformed_sheet_changes_nothing(
    place: int, change: dict[str, int], message: str
) -> None:
    sheet = Sheet(1, 1, LARGEST - 3, (Quote(3, 5, 5, 6, 5), Quote(4, 5, 5, 6, 5)))
    records = pack_operations(sheet_operations(sheet, 9))
    assert len(CompiledExchange().run_packed(records)) == 4
    for field, value in change.items():
        records[place][field] = value
    exchange = CompiledExchange()
    with pytest.raises(ValueError, match=message):
        exchange.run_packed(records)
    assert len(exchange.take_packed()) == 0
    assert exchange.books() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"account": 1 << 32}, r"record 1: account is 4294967296, must be from 0 to 4294967295"),
        ({"order_id": -1}, r"record 1: order_id is -1, must be from 0 to 18446744073709551615"),
        ({"price": 1 << 63}, r"record 1: price is 9223372036854775808, must be from -9"),
        ({"now": -1}, r"record 1: now is -1, must be from 0"),
    ],
)
def test_what_does_not_fit_a_record_is_named(change: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_operations([GOOD, GOOD._replace(**change)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order_id": 1 << 64}, "order_id is 18446744073709551616, must be an integer from 0 to"),
        ({"account": -1}, "account is -1, must be an integer from 0 to 4294967295"),
        ({"side": 2}, "side is 2, must be an integer from 0 to 1"),
        ({"time_in_force": 3}, "time_in_force is 3, must be an integer from 0 to 2"),
        ({"self_trade": -1}, "self_trade is -1, must be an integer from 0 to 255"),
        ({"price": 1 << 63}, "price is 9223372036854775808, must be an integer from -9"),
        ({"quantity": "5"}, "quantity is 5, must be an integer"),
        ({"flags": 1.5}, "flags is 1.5, must be an integer"),
        ({"good_till": 1 << 32}, "good_till is 4294967296, must be an integer"),
    ],
)
def test_what_is_no_order_is_named(change: dict[str, object], message: str) -> None:
    exchange = CompiledExchange()
    with pytest.raises(ValueError, match=message):
        exchange.submit(Order(1, 1, 1, 3, BUY, 5, 5)._replace(**change), 1)
    assert exchange.books() == []


@pytest.mark.parametrize("flags", [8, 256, -1, 1 << 70])
def test_unknown_flags_are_refused_however_large(flags: int) -> None:
    operation = GOOD._replace(flags=flags)
    expected = [Rejected(0, 3, 1, 1, Reason.FLAGS)]
    assert CompiledExchange().run([operation]) == expected
    order = Order(1, 1, 1, 3, BUY, 5, 5, flags)
    assert CompiledExchange().submit(order, 9) == expected


@pytest.mark.parametrize(
    ("records", "message"),
    [
        (b"\0" * 57, "buffer has 57 bytes, must be a multiple of 56"),
        (np.zeros(3, np.uint8), "operations has dtype uint8"),
        (np.zeros((2, 2), OPERATION), r"shape \(2, 2\), must be OPERATION records of shape \(n,\)"),
    ],
)
def test_what_is_no_buffer_of_records_is_named(records: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CompiledExchange().run_packed(records)


def test_the_core_takes_bytes_and_arrays() -> None:
    packed = pack_operations([GOOD, GOOD._replace(order_id=2)])
    answers = [
        MatchingCore(None, None, None).run(records).tobytes()
        for records in (packed.tobytes(), packed.view(np.uint8))
    ]
    assert answers[0] == answers[1]
    assert CompiledExchange().run_packed(np.repeat(packed, 2)[::2]).tobytes() == answers[0]
    for wrong in (packed, "text", packed.view(np.uint8).reshape(2, -1), np.zeros(7)):
        with pytest.raises(ValueError, match="records is a"):
            MatchingCore(None, None, None).run(wrong)  # type: ignore[arg-type]


def spoil(buffer: bytearray, damage: list[tuple[int, int]]) -> bytes:
    """The buffer with some bytes changed."""
    for place, value in damage:
        if buffer:
            buffer[place % len(buffer)] ^= value
    return bytes(buffer)


@settings(max_examples=300)
@given(
    st.integers(0, 1 << 30),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), max_size=12),
)
def test_damaged_records_never_crash_the_core(seed: int, damage: list[tuple[int, int]]) -> None:
    """Events or a ValueError; afterwards the books still answer, and what rests adds up."""
    flow = [record for records in wild_flow(seed, 30) for record in records]
    exchange = CompiledExchange()
    try:
        records = exchange.run_packed(spoil(bytearray(pack_operations(flow).tobytes()), damage))
    except ValueError:
        records = exchange.take_packed()
    events = unpack_events(records, exchange.reasons.name)
    assert [event.sequence for event in events] == list(range(len(events)))
    for book in exchange.books():
        depth = [level for side in Side for level in book.depth(side, 1 << 20)]
        assert sum(level.orders for level in depth) == len(book)
        assert all(level.quantity >= level.orders > 0 for level in depth)


@settings(max_examples=200)
@given(st.binary(max_size=560))
def test_random_bytes_never_crash_the_core(buffer: bytes) -> None:
    exchange = CompiledExchange()
    try:
        events = exchange.run_packed(buffer)
    except ValueError:
        events = exchange.take_packed()
    assert set(events["kind"].tolist()) <= set(range(5))


# Reasons.


def test_reasons_have_the_references_names_and_are_numbered_from_256() -> None:
    numbers = ReasonNumbers()
    assert [numbers.name(number) for number in range(len(Reason))] == list(Reason)
    assert [numbers.number(reason) for reason in Reason] == list(range(len(Reason)))
    assert numbers.number("margin") == numbers.number("margin") == FIRST_OWN_REASON
    assert numbers.name(FIRST_OWN_REASON) == "margin"
    for place in range((1 << 16) - FIRST_OWN_REASON - 1):
        numbers.number(f"reason {place}")
    with pytest.raises(ValueError, match="'one more': there are at most 65280 different ones"):
        numbers.number("one more")
    assert numbers.number("reason 5") == FIRST_OWN_REASON + 6
