"""Mass quotes, and requests as flat records."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from novate.book.admission import Admit, Candidate, Positions, Verdict, admit_all
from novate.book.events import Accepted, Cancelled, Event, Filled, Reason, Rejected
from novate.book.operations import (
    Operation,
    OperationKind,
    operation_order,
    read_sheet,
    sheet_operations,
    submit_operation,
)
from novate.book.orders import Flags, Order, Quote, SelfTrade, Sheet, Side, TimeInForce
from tests.book.implementations import AnyExchange, MakeExchange

BUY, SELL = Side.BUY, Side.SELL
MAKER = 5


NewExchange = Callable[..., AnyExchange]


@pytest.fixture
def new_exchange(make_exchange: MakeExchange) -> NewExchange:
    def new(admit: Admit = admit_all) -> AnyExchange:
        positions = Positions()
        return make_exchange(admit, positions.position, positions.listen)

    return new


def sheet(first_order_id: int, *quotes: Quote, **terms: object) -> Sheet:
    return Sheet(MAKER, MAKER, first_order_id, quotes)._replace(**terms)


def shown(events: list[Event]) -> list[tuple[str, int, int]]:
    """(event, instrument, order id) of everything but fills."""
    return [
        (type(e).__name__, e.instrument, e.order_id) for e in events if not isinstance(e, Filled)
    ]


def test_a_sheet_quotes_both_sides_of_each_instrument(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    events = exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 6), Quote(2, 40, 7, 60, 8)), 1)
    assert shown(events) == [
        ("Accepted", i, o) for i, o in ((1, 100), (1, 101), (2, 102), (2, 103))
    ]
    assert exchange.book(1).depth(BUY, 9) == [(90, 5, 1)]
    assert exchange.book(1).depth(SELL, 9) == [(110, 6, 1)]
    assert exchange.book(2).depth(SELL, 9) == [(60, 8, 1)]


def test_a_sheet_replaces_the_previous_one_quote_by_quote(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(3, 9, 1, 11, 1), Quote(1, 90, 5, 110, 5)), 1)
    exchange.submit(Order(1, MAKER, MAKER, 1, BUY, 80, 1), 1)  # an order, not a quote: stays
    events = exchange.mass_quote(sheet(200, Quote(1, 91, 5, 109, 5), Quote(2, 40, 7, 60, 8)), 1)
    assert shown(events) == [
        ("Cancelled", 3, 100),  # no longer named
        ("Cancelled", 3, 101),
        ("Cancelled", 1, 102),
        ("Cancelled", 1, 103),
        ("Accepted", 1, 200),
        ("Accepted", 1, 201),
        ("Accepted", 2, 202),
        ("Accepted", 2, 203),
    ]
    assert {e.reason for e in events if isinstance(e, Cancelled)} == {Reason.QUOTE_REPLACED}
    assert exchange.book(1).depth(BUY, 9) == [(91, 5, 1), (80, 1, 1)]


def test_the_same_sheet_again_takes_the_same_ids(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    events = exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    assert not [e for e in events if isinstance(e, Rejected)]
    assert len(exchange.book(1)) == 2


def test_a_ladder_of_quotes_in_one_instrument(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5), Quote(1, 89, 5, 111, 5)), 1)
    exchange.mass_quote(sheet(200, Quote(1, 92, 5, 110, 5), Quote(1, 91, 5, 111, 5)), 1)
    assert exchange.book(1).depth(BUY, 9) == [(92, 5, 1), (91, 5, 1)]


def test_quantity_zero_quotes_one_side_and_an_empty_sheet_none(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 0, 0)), 1)
    assert len(exchange.book(1)) == 1
    assert shown(exchange.mass_quote(sheet(200, Quote(1, 0, 0, 110, 5)), 1)) == [
        ("Cancelled", 1, 100),
        ("Accepted", 1, 201),
    ]
    assert shown(exchange.mass_quote(sheet(300), 1)) == [("Cancelled", 1, 201)]


def test_a_refused_side_refuses_the_quote_and_not_the_sheet(new_exchange: NewExchange) -> None:
    def no_large_sells(candidate: Candidate) -> Verdict:
        large = candidate.order.side == SELL and candidate.quantity > 100
        return Verdict(0, "margin") if large else Verdict(candidate.quantity)

    exchange = new_exchange(no_large_sells)
    exchange.submit(Order(1, 9, 9, 1, SELL, 90, 1), 1)  # the refused quote's bid would trade
    events = exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 101), Quote(2, 40, 7, 60, 8)), 1)
    assert shown(events) == [
        ("Accepted", 1, 100),
        ("Cancelled", 1, 100),
        ("Rejected", 1, 101),
        ("Accepted", 2, 102),
        ("Accepted", 2, 103),
    ]
    assert not [e for e in events if isinstance(e, Filled)]
    assert (events[1].reason, events[2].reason) == (Reason.OTHER_SIDE_REFUSED, "margin")
    assert exchange.book(1).depth(BUY, 9) == []


def test_a_partly_admitted_side_is_a_refused_side(new_exchange: NewExchange) -> None:
    exchange = new_exchange(lambda candidate: Verdict(1, "margin"))
    events = exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    assert shown(events) == [("Rejected", 1, 100)]


@pytest.mark.parametrize(
    ("quote", "terms", "reason"),
    [
        (Quote(1, 100, 5, 100, 5), {}, Reason.QUOTE_CROSSED),
        (Quote(1, 101, 5, 100, 5), {}, Reason.QUOTE_CROSSED),
        (Quote(1, 0, 5, 100, 5), {}, Reason.PRICE_RANGE),
        (Quote(1, 99, -5, 100, 5), {}, Reason.QUANTITY_RANGE),
        (Quote(1, 99, 5, 100, 5), {"good_till": 1}, Reason.EXPIRED),
        (Quote(1, 99, 5, 100, 5), {"flags": Flags.REDUCE_ONLY}, Reason.FLAGS),
        (Quote(1, 120, 5, 130, 5), {"flags": Flags.POST_ONLY}, Reason.POST_ONLY_WOULD_TRADE),
    ],
)
def test_bad_quotes_are_refused_whole(
    new_exchange: NewExchange, quote: Quote, terms: dict[str, int], reason: str
) -> None:
    exchange = new_exchange()
    exchange.submit(Order(1, 9, 9, 1, SELL, 110, 1), 1)
    events = exchange.mass_quote(sheet(100, quote, **terms), 1)
    assert [(type(e), e.reason) for e in events] == [(Rejected, reason)] * 2
    assert len(exchange.book(1)) == 1


def test_a_sheet_has_at_most_64_quotes(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, *[Quote(i, 9, 1, 11, 1) for i in range(64)]), 1)
    assert sum(map(len, exchange.books())) == 128
    events = exchange.mass_quote(sheet(900, *[Quote(i, 9, 1, 11, 1) for i in range(65)]), 1)
    assert [(type(e), e.reason) for e in events] == [(Rejected, Reason.SHEET_SIZE)]
    assert sum(map(len, exchange.books())) == 128


def test_quotes_trade_and_what_is_filled_is_not_withdrawn(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    exchange.submit(Order(1, 9, 9, 1, BUY, 110, 5), 1)
    assert shown(exchange.mass_quote(sheet(200), 1)) == [("Cancelled", 1, 100)]


def test_a_later_order_with_a_spent_quotes_id_is_left_alone(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    exchange.submit(Order(1, 9, 9, 1, BUY, 110, 5), 1)
    exchange.submit(Order(101, MAKER, MAKER, 1, SELL, 112, 5), 1)
    exchange.mass_quote(sheet(200), 1)
    assert exchange.book(1).depth(SELL, 9) == [(112, 5, 1)]


def test_another_accounts_quote_with_a_spent_id_is_left_alone(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    exchange.submit(Order(1, 9, 9, 1, BUY, 110, 5), 1)
    exchange.mass_quote(sheet(100, Quote(1, 0, 0, 112, 5), account=6, owner_group=6), 1)  # 101
    assert shown(exchange.mass_quote(sheet(200), 1)) == [("Cancelled", 1, 100)]
    assert exchange.book(1).depth(SELL, 9) == [(112, 5, 1)]


def test_quotes_are_cancelled_with_the_account_and_never_amended(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5), Quote(2, 90, 5, 110, 5)), 1)
    events = exchange.amend(MAKER, 1, 100, 91, 5, 1)
    assert [(type(e), e.reason) for e in events] == [(Rejected, Reason.QUOTE_NOT_AMENDABLE)]
    assert len(exchange.cancel_all(MAKER, 1)) == 4
    assert exchange.mass_quote(sheet(200), 1) == []


def test_after_cancel_all_no_old_sheet_is_looked_for(new_exchange: NewExchange) -> None:
    """Were it, the book of its instrument would be told the time."""
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5)), 1)
    exchange.cancel_all(MAKER, 1)
    exchange.submit(Order(1, 9, 9, 1, SELL, 90, 1, good_till=5), 1)
    assert exchange.mass_quote(sheet(200), 10) == []
    assert len(exchange.expire(10)) == 1


def test_quotes_expire(new_exchange: NewExchange) -> None:
    exchange = new_exchange()
    exchange.mass_quote(sheet(100, Quote(1, 90, 5, 110, 5), good_till=10), 1)
    assert len(exchange.expire(10)) == 2
    assert exchange.mass_quote(sheet(200), 11) == []


# Flat records.


def test_an_order_and_a_sheet_survive_as_records() -> None:
    order = Order(
        7,
        1,
        2,
        3,
        SELL,
        4,
        5,
        Flags.REDUCE_ONLY,
        TimeInForce.FILL_OR_KILL,
        SelfTrade.CANCEL_BOTH,
        9,
    )
    assert operation_order(submit_operation(order, 3)) == order
    full = sheet(
        100,
        Quote(1, 90, 5, 110, 6),
        Quote(2, 0, 0, 60, 8),
        flags=Flags.POST_ONLY,
        self_trade=SelfTrade.CANCEL_TAKER,
        good_till=77,
        owner_group=6,
    )
    header, *records = sheet_operations(full, 3)
    assert read_sheet(header, iter(records)) == full
    for record in [header, *records, submit_operation(order, 3)]:
        assert all(isinstance(field, int) for field in record)


def test_run_gives_the_events_of_the_single_calls(new_exchange: NewExchange) -> None:
    first, second = new_exchange(), new_exchange()
    quotes = sheet(100, Quote(1, 90, 5, 110, 6), Quote(2, 40, 7, 60, 8))
    order = Order(1, 9, 9, 1, BUY, 111, 4)
    resting = order._replace(order_id=2, price=80, good_till=20)
    expected = first.mass_quote(quotes, 1)
    expected += first.submit(order, 2)
    expected += first.submit(resting, 2)
    expected += first.amend(9, 1, 2, 81, 6, 3, 30)
    expected += first.cancel(MAKER, 1, 100, 4)
    expected += first.cancel_all(MAKER, 5)
    expected += first.expire(30)
    events = second.run(
        [
            *sheet_operations(quotes, 1),
            submit_operation(order, 2),
            submit_operation(resting, 2),
            Operation(
                OperationKind.AMEND,
                3,
                9,
                instrument=1,
                order_id=2,
                price=81,
                quantity=6,
                good_till=30,
            ),
            Operation(OperationKind.CANCEL, 4, MAKER, instrument=1, order_id=100),
            Operation(OperationKind.CANCEL_ALL, 5, MAKER),
            Operation(OperationKind.EXPIRE, 30),
        ]
    )
    assert events == expected
    assert {type(e) for e in events} >= {Accepted, Cancelled, Filled}


def test_broken_sheets_of_records_are_the_callers_error(new_exchange: NewExchange) -> None:
    records = sheet_operations(sheet(100, Quote(1, 90, 5, 110, 6)), 1)
    for broken in (
        records[:2],
        records[1:],
        [records[0], records[2], records[1]],
        [records[0], records[1], records[2]._replace(instrument=9)],
    ):
        with pytest.raises(ValueError, match="sheet"):
            new_exchange().run(broken)
