"""Limit, market, post-only, IOC, FOK, amend, cancel, expiry: one behaviour a test."""

from __future__ import annotations

import pytest

from novate.book.admission import Positions, admit_all
from novate.book.events import Accepted, Amended, Cancelled, Event, Filled, Reason, Rejected
from novate.book.orders import (
    Flags,
    Order,
    SelfTrade,
    Side,
    TimeInForce,
    market_order,
)
from tests.book.implementations import IMPLEMENTATIONS, MakeExchange

BUY, SELL = Side.BUY, Side.SELL
IOC, FOK = TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL
PERP = 7


class Desk:
    """An exchange with a short way to place orders; owner group = account."""

    def __init__(self, make_exchange: MakeExchange) -> None:
        positions = Positions()
        self.exchange = make_exchange(admit_all, positions.position, positions.listen)
        self.book = self.exchange.book(PERP)
        self.now = 1_000
        self.next_id = 1

    def place(
        self, account: int, side: Side, quantity: int, price: int, /, **terms: object
    ) -> list[Event]:
        order = Order(self.next_id, account, account, PERP, side, price, quantity)
        self.next_id += 1
        return self.exchange.submit(order._replace(**terms), self.now)

    def fills(self, events: list[Event]) -> list[tuple[int, int, int]]:
        """(maker order id, price, quantity) of each fill."""
        return [
            (event.maker_order_id, event.price, event.quantity)
            for event in events
            if isinstance(event, Filled)
        ]


@pytest.fixture
def desk(make_exchange: MakeExchange) -> Desk:
    return Desk(make_exchange)


def reasons(events: list[Event]) -> list[tuple[type, str]]:
    return [
        (type(event), event.reason) for event in events if isinstance(event, Cancelled | Rejected)
    ]


def test_a_limit_order_rests(desk: Desk) -> None:
    events = desk.place(1, BUY, 10, 100)
    assert events == [Accepted(0, PERP, 1, 1, BUY, 100, 10, 10, "")]
    assert desk.book.best_price(BUY) == 100
    assert desk.book.best_price(SELL) is None
    assert desk.book.depth(BUY, 5) == [(100, 10, 1)]


def test_a_fill_is_at_the_makers_price_and_the_rest_rests(desk: Desk) -> None:
    desk.place(1, SELL, 4, 100)
    events = desk.place(2, BUY, 10, 105)
    assert events == [
        Accepted(1, PERP, 2, 2, BUY, 105, 10, 10, ""),
        Filled(2, PERP, 1, 2, 1, 2, BUY, 100, 4, 0, 6),
    ]
    assert desk.book.depth(BUY, 5) == [(105, 6, 1)]
    assert desk.book.depth(SELL, 5) == []


@pytest.mark.parametrize("side", [BUY, SELL])
def test_best_price_then_oldest_first(desk: Desk, side: Side) -> None:
    better = -1 if side == BUY else 1  # a maker's better price, for a taker of this side
    makers = Side(1 - side)
    desk.place(1, makers, 5, 100)  # 1
    desk.place(2, makers, 5, 100 + better)  # 2
    desk.place(3, makers, 5, 100)  # 3
    desk.place(4, makers, 5, 100 + better)  # 4
    events = desk.place(9, side, 17, 100)
    assert desk.fills(events) == [
        (2, 100 + better, 5),
        (4, 100 + better, 5),
        (1, 100, 5),
        (3, 100, 2),
    ]


def test_no_trade_when_prices_do_not_meet(desk: Desk) -> None:
    desk.place(1, SELL, 5, 101)
    assert desk.fills(desk.place(2, BUY, 5, 100)) == []
    assert desk.fills(desk.place(3, BUY, 5, 101)) == [(1, 101, 5)]


def test_a_market_order_stops_at_its_cap(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)
    desk.place(2, SELL, 5, 103)
    order = Order(50, 3, 3, PERP, BUY, 1, 10)
    events = desk.exchange.submit(market_order(order, cap=102), desk.now)
    assert desk.fills(events) == [(1, 100, 5)]
    assert events[-1] == Cancelled(events[-1].sequence, PERP, 3, 50, 5, Reason.IMMEDIATE_OR_CANCEL)
    assert desk.book.best_price(BUY) is None


def test_immediate_or_cancel_never_rests(desk: Desk) -> None:
    events = desk.place(1, BUY, 5, 100, time_in_force=IOC)
    assert [type(event) for event in events] == [Accepted, Cancelled]
    assert len(desk.book) == 0


def test_post_only_rests_or_is_refused(desk: Desk) -> None:
    desk.place(1, SELL, 5, 101)
    assert reasons(desk.place(2, BUY, 5, 101, flags=Flags.POST_ONLY)) == [
        (Rejected, Reason.POST_ONLY_WOULD_TRADE)
    ]
    assert isinstance(desk.place(2, BUY, 5, 100, flags=Flags.POST_ONLY)[0], Accepted)
    assert desk.book.depth(SELL, 1) == [(101, 5, 1)]


def test_fill_or_kill_fills_all_or_changes_nothing(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)
    desk.place(2, SELL, 5, 101)
    desk.place(3, SELL, 5, 102)
    assert reasons(desk.place(9, BUY, 11, 101, time_in_force=FOK)) == [
        (Rejected, Reason.FILL_OR_KILL)
    ]
    assert desk.book.depth(SELL, 9) == [(100, 5, 1), (101, 5, 1), (102, 5, 1)]
    events = desk.place(9, BUY, 10, 101, time_in_force=FOK)
    assert desk.fills(events) == [(1, 100, 5), (2, 101, 5)]
    assert len(desk.book) == 1


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"price": 0}, Reason.PRICE_RANGE),
        ({"price": 1 << 31}, Reason.PRICE_RANGE),
        ({"quantity": 0}, Reason.QUANTITY_RANGE),
        ({"quantity": -1}, Reason.QUANTITY_RANGE),
        ({"quantity": 1 << 31}, Reason.QUANTITY_RANGE),
        ({"good_till": 1_000}, Reason.EXPIRED),
        ({"flags": Flags.QUOTE}, Reason.FLAGS),
        ({"flags": 8}, Reason.FLAGS),
        ({"flags": Flags.POST_ONLY, "time_in_force": IOC}, Reason.FLAGS),
        ({"flags": Flags.POST_ONLY, "time_in_force": FOK}, Reason.FLAGS),
        ({"order_id": 1}, Reason.DUPLICATE_ORDER_ID),
    ],
)
def test_bad_terms_are_refused(desk: Desk, terms: dict[str, int], reason: str) -> None:
    desk.place(1, BUY, 5, 90)
    assert reasons(desk.place(2, BUY, 5, 100, **terms)) == [(Rejected, reason)]
    assert desk.book.depth(BUY, 9) == [(90, 5, 1)]


def test_extreme_terms_are_accepted(desk: Desk) -> None:
    assert isinstance(desk.place(1, BUY, (1 << 31) - 1, (1 << 31) - 1)[0], Accepted)
    assert isinstance(desk.place(2, SELL, 1, (1 << 31) - 1)[1], Filled)
    assert isinstance(desk.place(3, SELL, 1, 1)[1], Filled)


def test_an_order_of_another_instrument_is_a_callers_error() -> None:
    """Only the reference has a door where that is possible."""
    desk = Desk(IMPLEMENTATIONS["reference"])
    with pytest.raises(ValueError, match="instrument 8"):
        desk.book.submit(Order(1, 1, 1, 8, BUY, 5, 5), desk.now)


# Self-trade prevention: the group counts, the taker's mode decides.


def self_trade(desk: Desk, mode: SelfTrade, **terms: object) -> list[Event]:
    desk.place(1, SELL, 5, 100, owner_group=77)
    desk.place(2, SELL, 5, 101)
    return desk.place(3, BUY, 8, 101, owner_group=77, self_trade=mode, **terms)


def test_self_trade_cancel_maker(desk: Desk) -> None:
    events = self_trade(desk, SelfTrade.CANCEL_MAKER)
    assert (events[1].order_id, events[1].quantity, events[1].reason) == (1, 5, Reason.SELF_TRADE)
    assert desk.fills(events) == [(2, 101, 5)]
    assert desk.book.depth(BUY, 9) == [(101, 3, 1)]


def test_self_trade_cancel_taker(desk: Desk) -> None:
    events = self_trade(desk, SelfTrade.CANCEL_TAKER)
    assert desk.fills(events) == []
    assert (events[-1].order_id, events[-1].quantity, events[-1].reason) == (3, 8, "self_trade")
    assert desk.book.depth(SELL, 9) == [(100, 5, 1), (101, 5, 1)]
    assert desk.book.depth(BUY, 9) == []


def test_self_trade_cancel_both(desk: Desk) -> None:
    events = self_trade(desk, SelfTrade.CANCEL_BOTH)
    assert [event.order_id for event in events if isinstance(event, Cancelled)] == [1, 3]
    assert desk.book.depth(SELL, 9) == [(101, 5, 1)]
    assert desk.book.depth(BUY, 9) == []


def test_what_traded_before_the_self_trade_stays(desk: Desk) -> None:
    desk.place(2, SELL, 5, 99)
    events = self_trade(desk, SelfTrade.CANCEL_TAKER)
    assert desk.fills(events) == [(1, 99, 5)]
    assert (events[-1].quantity, events[-1].reason) == (3, Reason.SELF_TRADE)


def test_one_account_is_one_owner_whatever_its_group(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100, owner_group=10)
    events = desk.place(1, BUY, 5, 100, owner_group=11, self_trade=SelfTrade.CANCEL_BOTH)
    assert desk.fills(events) == []
    assert len(desk.book) == 0


def test_fill_or_kill_passes_over_own_makers_only_if_it_fills(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100, owner_group=77)
    desk.place(2, SELL, 5, 101)
    killed = desk.place(3, BUY, 6, 101, owner_group=77, time_in_force=FOK)
    assert reasons(killed) == [(Rejected, Reason.FILL_OR_KILL)]
    assert len(desk.book) == 2
    filled = desk.place(3, BUY, 5, 101, owner_group=77, time_in_force=FOK)
    assert desk.fills(filled) == [(2, 101, 5)]
    assert reasons(filled) == [(Cancelled, Reason.SELF_TRADE)]
    assert len(desk.book) == 0


def test_fill_or_kill_that_would_yield_to_its_own_maker_is_killed(desk: Desk) -> None:
    for mode in (SelfTrade.CANCEL_TAKER, SelfTrade.CANCEL_BOTH):
        events = self_trade(desk, mode, time_in_force=FOK)
        assert reasons(events) == [(Rejected, Reason.FILL_OR_KILL)]
        assert desk.book.depth(SELL, 1)[0].price == 100


# Amend.


def queue_of_two(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)  # order 1
    desk.place(2, SELL, 5, 100)  # order 2


def first_maker(desk: Desk) -> int:
    return desk.fills(desk.place(9, BUY, 1, 200, time_in_force=IOC))[0][0]


def test_a_smaller_quantity_keeps_priority(desk: Desk) -> None:
    queue_of_two(desk)
    (event,) = desk.exchange.amend(1, PERP, 1, 100, 3, desk.now)
    assert isinstance(event, Amended)
    assert (event.quantity, event.open, event.kept_priority) == (3, 3, True)
    assert first_maker(desk) == 1


def test_a_larger_quantity_loses_priority(desk: Desk) -> None:
    queue_of_two(desk)
    (event,) = desk.exchange.amend(1, PERP, 1, 100, 6, desk.now)
    assert isinstance(event, Amended)
    assert not event.kept_priority
    assert first_maker(desk) == 2


def test_another_price_and_back_loses_priority(desk: Desk) -> None:
    queue_of_two(desk)
    desk.exchange.amend(1, PERP, 1, 101, 5, desk.now)
    assert desk.book.depth(SELL, 9) == [(100, 5, 1), (101, 5, 1)]
    desk.exchange.amend(1, PERP, 1, 100, 5, desk.now)
    assert first_maker(desk) == 2


def test_an_amended_price_may_trade(desk: Desk) -> None:
    desk.place(1, BUY, 5, 95)
    desk.place(2, SELL, 8, 100)
    events = desk.exchange.amend(2, PERP, 2, 95, 8, desk.now)
    assert desk.fills(events) == [(1, 95, 5)]
    assert desk.book.depth(SELL, 9) == [(95, 3, 1)]


def test_quantity_is_the_total_of_all_revisions(desk: Desk) -> None:
    desk.place(1, SELL, 10, 100)
    desk.place(2, BUY, 4, 100)
    (event,) = desk.exchange.amend(1, PERP, 1, 101, 10, desk.now)
    assert (event.quantity, event.open) == (10, 6)
    desk.place(2, BUY, 2, 101)
    (event,) = desk.exchange.amend(1, PERP, 1, 101, 7, desk.now)
    assert (event.open, event.kept_priority) == (1, True)
    (event,) = desk.exchange.amend(1, PERP, 1, 101, 6, desk.now)
    assert (event.quantity, event.reason) == (1, Reason.AMENDED_TO_FILLED)
    assert len(desk.book) == 0


def test_what_an_amended_order_filled_as_taker_counts(desk: Desk) -> None:
    desk.place(1, BUY, 5, 95)
    desk.place(2, SELL, 8, 100)
    desk.exchange.amend(2, PERP, 2, 95, 8, desk.now)
    (event,) = desk.exchange.amend(2, PERP, 2, 96, 9, desk.now)
    assert (event.quantity, event.open) == (9, 4)


def test_a_refused_amend_changes_nothing(desk: Desk) -> None:
    desk.place(1, BUY, 5, 95)
    desk.place(2, SELL, 5, 100, flags=Flags.POST_ONLY)
    for price, quantity, account, reason in (
        (95, 5, 2, Reason.POST_ONLY_WOULD_TRADE),
        (0, 5, 2, Reason.PRICE_RANGE),
        (100, 1 << 31, 2, Reason.QUANTITY_RANGE),
        (100, 4, 3, Reason.UNKNOWN_ORDER),  # someone else's
    ):
        events = desk.exchange.amend(account, PERP, 2, price, quantity, desk.now)
        assert reasons(events) == [(Rejected, reason)]
    assert reasons(desk.exchange.amend(2, PERP, 99, 100, 4, desk.now)) == [
        (Rejected, Reason.UNKNOWN_ORDER)
    ]
    assert reasons(desk.exchange.amend(2, PERP, 2, 100, 4, desk.now, desk.now)) == [
        (Rejected, Reason.EXPIRED)
    ]
    assert desk.book.depth(SELL, 9) == [(100, 5, 1)]
    assert desk.book.depth(BUY, 9) == [(95, 5, 1)]


# Cancel and expiry.


def test_cancel(desk: Desk) -> None:
    queue_of_two(desk)
    (event,) = desk.exchange.cancel(1, PERP, 1, desk.now)
    assert isinstance(event, Cancelled)
    assert (event.order_id, event.quantity, event.reason) == (1, 5, Reason.REQUESTED)
    assert desk.book.depth(SELL, 9) == [(100, 5, 1)]
    for account, order_id in ((1, 1), (1, 2), (1, 99)):  # gone, not his, never was
        assert reasons(desk.exchange.cancel(account, PERP, order_id, desk.now)) == [
            (Rejected, Reason.UNKNOWN_ORDER)
        ]
    (event,) = desk.exchange.cancel(2, PERP, 2, desk.now, reason="margin")
    assert event.reason == "margin"


def test_a_partly_filled_order_cancels_what_is_open(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)
    desk.place(2, BUY, 3, 100)
    assert desk.exchange.cancel(1, PERP, 1, desk.now)[0].quantity == 2


def test_cancel_all_is_of_one_account_oldest_first(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)
    desk.place(2, SELL, 5, 100)
    desk.place(1, BUY, 5, 90)
    desk.exchange.submit(Order(40, 1, 1, PERP + 1, BUY, 5, 5), desk.now)
    events = desk.exchange.cancel_all(1, desk.now)
    assert [(event.instrument, event.order_id) for event in events] == [
        (PERP, 1),
        (PERP, 3),
        (PERP + 1, 40),
    ]
    assert len(desk.book) == 1
    assert desk.exchange.cancel_all(1, desk.now) == []


def test_an_order_is_dead_from_its_good_till_on(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100, good_till=1_010)
    desk.place(2, SELL, 5, 100, good_till=1_011)
    desk.now = 1_009
    assert desk.fills(desk.place(3, BUY, 1, 100)) == [(1, 100, 1)]
    desk.now = 1_010
    events = desk.place(3, BUY, 1, 100)
    assert events[0] == Cancelled(events[0].sequence, PERP, 1, 1, 4, Reason.EXPIRED)
    assert desk.fills(events) == [(2, 100, 1)]
    assert reasons(desk.exchange.expire(1_011)) == [(Cancelled, Reason.EXPIRED)]
    assert len(desk.book) == 0


def test_an_amended_end_counts_and_the_old_one_does_not(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100, good_till=1_010)
    desk.place(1, SELL, 5, 100, good_till=1_010)
    desk.exchange.amend(1, PERP, 1, 100, 5, desk.now, good_till=1_020)
    assert [event.order_id for event in desk.exchange.expire(1_010)] == [2]
    assert [event.order_id for event in desk.exchange.expire(1_020)] == [1]


def test_a_reused_order_id_does_not_inherit_an_end(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100, order_id=5, good_till=1_010)
    desk.exchange.cancel(1, PERP, 5, desk.now)
    desk.place(1, SELL, 5, 100, order_id=5)
    assert desk.exchange.expire(1_010) == []
    assert len(desk.book) == 1


def test_time_does_not_go_back(desk: Desk) -> None:
    desk.place(1, SELL, 5, 100)
    with pytest.raises(ValueError, match="goes back"):
        desk.exchange.expire(999)


def test_events_are_numbered_without_gaps_and_heard_at_once(
    make_exchange: MakeExchange,
) -> None:
    heard: list[Event] = []
    exchange = make_exchange(admit_all, lambda account, instrument: 0, heard.append)
    events = exchange.submit(Order(1, 1, 1, 3, BUY, 9, 9), 1)
    events += exchange.submit(Order(1, 2, 2, 4, SELL, 9, 9), 1)
    events += exchange.submit(Order(2, 3, 3, 3, SELL, 9, 4), 1)
    events += exchange.cancel_all(1, 2)
    assert events == heard
    assert [event.sequence for event in events] == list(range(len(events)))
