"""Admission and reduce-only: who is asked what, and what each answer does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from novate.book.admission import Admit, Candidate, Positions, Stage, Verdict
from novate.book.events import Accepted, Amended, Cancelled, Event, Filled, Reason, Rejected
from novate.book.orders import Flags, Order, Side, TimeInForce
from tests.book.implementations import MakeExchange

BUY, SELL = Side.BUY, Side.SELL
REDUCE = Flags.REDUCE_ONLY
FOK = TimeInForce.FILL_OR_KILL
PERP = 7
Rule = Callable[[Candidate], Verdict | None]
NewDesk = Callable[[Rule], "Desk"]


class Desk:
    """An exchange whose admission is a rule of the test; remembers what was asked."""

    def __init__(self, make_exchange: MakeExchange, rule: Rule) -> None:
        self.asked: list[Candidate] = []
        self.rule = rule
        self.positions = Positions()
        admit: Admit = self._admit
        self.exchange = make_exchange(admit, self.positions.position, self.positions.listen)
        self.book = self.exchange.book(PERP)

    def _admit(self, candidate: Candidate) -> Verdict:
        self.asked.append(candidate)
        return self.rule(candidate) or Verdict(candidate.quantity)

    def place(
        self, order_id: int, account: int, side: Side, quantity: int, price: int, /, **terms: object
    ) -> list[Event]:
        order = Order(order_id, account, account, PERP, side, price, quantity)
        return self.exchange.submit(order._replace(**terms), 1)

    def hold(self, account: int, quantity: int) -> None:
        """Give the account a position, against account 1000."""
        side = BUY if quantity > 0 else SELL
        self.place(900, 1000, Side(1 - side), abs(quantity), 50)
        self.place(901, account, side, abs(quantity), 50)
        self.asked.clear()


@pytest.fixture
def new_desk(make_exchange: MakeExchange) -> NewDesk:
    return partial(Desk, make_exchange)


def everything(candidate: Candidate) -> None:
    return None


def limit_account(account: int, stage: Stage, quantity: int) -> Callable[[Candidate], object]:
    def rule(candidate: Candidate) -> Verdict | None:
        if candidate.order.account == account and candidate.stage == stage:
            allowed = min(quantity, candidate.quantity)
            return Verdict(allowed, "margin" if allowed < candidate.quantity else "")
        return None

    return rule


def fills(events: list[Event]) -> list[tuple[int, int]]:
    return [(e.maker_order_id, e.quantity) for e in events if isinstance(e, Filled)]


def ends(events: list[Event]) -> list[tuple[type, int, str]]:
    return [(type(e), e.order_id, e.reason) for e in events if isinstance(e, Cancelled | Rejected)]


def test_who_is_asked_what(new_desk: NewDesk) -> None:
    desk = new_desk(everything)
    desk.place(1, 1, SELL, 5, 100)
    desk.place(2, 2, BUY, 8, 101)
    shown = [(c.stage, c.order.order_id, c.price, c.quantity) for c in desk.asked]
    assert shown == [
        (Stage.ENTER, 1, 100, 5),
        (Stage.ENTER, 2, 101, 8),
        (Stage.FILL, 1, 100, 5),
        (Stage.FILL, 2, 100, 5),
    ]
    assert desk.asked[2].counterparty == desk.asked[3].order
    assert desk.asked[3].counterparty == desk.asked[2].order


def test_a_refused_entry_is_rejected_with_its_reason(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.ENTER, 0))
    assert ends(desk.place(1, 1, SELL, 5, 100)) == [(Rejected, 1, "margin")]
    assert len(desk.book) == 0


def test_a_cut_entry_is_accepted_for_less(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.ENTER, 3))
    (event,) = desk.place(1, 1, SELL, 5, 100)
    assert isinstance(event, Accepted)
    assert (event.quantity, event.open, event.reason) == (5, 3, "margin")
    assert desk.book.depth(SELL, 1) == [(100, 3, 1)]


def test_a_cut_fill_or_kill_is_rejected(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(2, Stage.ENTER, 3))
    desk.place(1, 1, SELL, 5, 100)
    assert ends(desk.place(2, 2, BUY, 5, 100, time_in_force=FOK)) == [(Rejected, 2, "margin")]


def test_a_refused_maker_goes_and_matching_goes_on(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.FILL, 0))
    desk.place(1, 1, SELL, 5, 100)
    desk.place(2, 2, SELL, 5, 100)
    events = desk.place(3, 3, BUY, 4, 100)
    assert ends(events) == [(Cancelled, 1, "margin")]
    assert fills(events) == [(2, 4)]


def test_a_cut_maker_fills_what_it_may_and_the_rest_goes(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.FILL, 2))
    desk.place(1, 1, SELL, 5, 100)
    desk.place(2, 2, SELL, 5, 100)
    events = desk.place(3, 3, BUY, 4, 100)
    assert fills(events) == [(1, 2), (2, 2)]
    cancelled = [e for e in events if isinstance(e, Cancelled)]
    assert [(e.order_id, e.quantity, e.reason) for e in cancelled] == [(1, 3, "margin")]


def test_a_cut_taker_fills_what_it_may_and_stops(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(3, Stage.FILL, 2))
    desk.place(1, 1, SELL, 5, 100)
    desk.place(2, 2, SELL, 5, 100)
    events = desk.place(3, 3, BUY, 9, 100)
    assert fills(events) == [(1, 2)]
    assert (events[-1].order_id, events[-1].quantity) == (3, 7)
    assert desk.book.depth(SELL, 1) == [(100, 8, 2)]
    assert len(desk.book) == 2


def test_a_refused_amend_leaves_the_order(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.AMEND, 0))
    desk.place(1, 1, SELL, 5, 100)
    assert ends(desk.exchange.amend(1, PERP, 1, 101, 9, 1)) == [(Rejected, 1, "margin")]
    assert desk.book.depth(SELL, 1) == [(100, 5, 1)]


def test_a_smaller_quantity_needs_no_admission(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.AMEND, 0))
    desk.place(1, 1, SELL, 5, 100)
    assert isinstance(desk.exchange.amend(1, PERP, 1, 100, 4, 1)[0], Amended)


def test_a_fill_or_kill_is_judged_whole_before_it_trades(new_desk: NewDesk) -> None:
    """The last maker is refused, so nothing trades and the first makers stay."""
    desk = new_desk(limit_account(3, Stage.FILL, 0))
    for account in (1, 2, 3):
        desk.place(account, account, SELL, 5, 100)
    assert ends(desk.place(9, 9, BUY, 12, 100, time_in_force=FOK)) == [
        (Rejected, 9, Reason.FILL_OR_KILL)
    ]
    assert len(desk.book) == 3
    earlier = [len(c.earlier) for c in desk.asked if c.stage == Stage.FILL]
    assert earlier == [0, 0, 1, 1, 2]  # maker and taker each, then the refused maker


def test_a_fill_or_kill_passes_over_a_refused_maker_if_others_fill_it(new_desk: NewDesk) -> None:
    desk = new_desk(limit_account(1, Stage.FILL, 0))
    for account in (1, 2, 3):
        desk.place(account, account, SELL, 5, 100)
    events = desk.place(9, 9, BUY, 10, 100, time_in_force=FOK)
    assert fills(events) == [(2, 5), (3, 5)]
    assert ends(events) == [(Cancelled, 1, "margin")]


@pytest.mark.parametrize(
    "answer", [Verdict(-1, "x"), Verdict(6, ""), Verdict(2, "")], ids=["below", "above", "mute"]
)
def test_an_impossible_answer_is_the_callers_error(new_desk: NewDesk, answer: Verdict) -> None:
    desk = new_desk(lambda candidate: answer)
    with pytest.raises(ValueError, match="admission answered"):
        desk.place(1, 1, SELL, 5, 100)


# Reduce-only.


def test_reduce_only_needs_an_opposite_position(new_desk: NewDesk) -> None:
    desk = new_desk(everything)
    assert ends(desk.place(1, 1, SELL, 5, 100, flags=REDUCE)) == [(Rejected, 1, "reduce_only")]
    desk.hold(1, 10)
    assert ends(desk.place(2, 1, BUY, 5, 40, flags=REDUCE)) == [(Rejected, 2, "reduce_only")]
    assert isinstance(desk.place(3, 1, SELL, 5, 100, flags=REDUCE)[0], Accepted)


def test_reduce_only_is_cut_to_the_position(new_desk: NewDesk) -> None:
    desk = new_desk(everything)
    desk.hold(1, -10)
    (event,) = desk.place(1, 1, BUY, 25, 40, flags=REDUCE)
    assert (event.open, event.reason) == (10, Reason.REDUCE_ONLY)
    assert desk.asked[-1].quantity == 10


def test_a_resting_reduce_only_never_passes_flat(new_desk: NewDesk) -> None:
    """Two orders that each fit the position, together twice its size."""
    desk = new_desk(everything)
    desk.hold(1, 10)
    desk.place(1, 1, SELL, 10, 100, flags=REDUCE)
    desk.place(2, 1, SELL, 10, 100, flags=REDUCE)
    desk.place(3, 2, BUY, 6, 100)
    events = desk.place(4, 3, BUY, 20, 100)
    assert fills(events) == [(1, 4)]
    assert ends(events) == [(Cancelled, 2, Reason.REDUCE_ONLY)]
    assert desk.positions.position(1, PERP) == 0


def test_a_reduce_only_maker_is_cut_at_the_position_it_has_now(new_desk: NewDesk) -> None:
    desk = new_desk(everything)
    desk.hold(1, 10)
    desk.place(1, 1, SELL, 10, 100, flags=REDUCE)
    desk.place(2, 4, BUY, 7, 60)
    desk.place(3, 1, SELL, 7, 60)
    events = desk.place(4, 2, BUY, 20, 100)
    assert fills(events) == [(1, 3)]
    assert ends(events) == [(Cancelled, 1, Reason.REDUCE_ONLY)]


def test_a_reduce_only_fill_or_kill_counts_its_own_planned_fills(new_desk: NewDesk) -> None:
    """Two reduce-only makers of one account: the plan sees the first when it judges the second."""
    desk = new_desk(everything)
    desk.hold(1, 10)
    desk.place(1, 1, SELL, 10, 100, flags=REDUCE)
    desk.place(2, 1, SELL, 10, 100, flags=REDUCE)
    assert ends(desk.place(3, 2, BUY, 11, 100, time_in_force=FOK)) == [
        (Rejected, 3, Reason.FILL_OR_KILL)
    ]
    assert len(desk.book) == 2
    assert fills(desk.place(4, 2, BUY, 10, 100, time_in_force=FOK)) == [(1, 10)]


def test_an_amend_of_reduce_only_is_cut_to_the_position(new_desk: NewDesk) -> None:
    desk = new_desk(everything)
    desk.hold(1, 10)
    desk.place(1, 1, SELL, 4, 100, flags=REDUCE)
    (event,) = desk.exchange.amend(1, PERP, 1, 101, 30, 1)
    assert (event.open, event.reason, event.kept_priority) == (10, Reason.REDUCE_ONLY, False)
