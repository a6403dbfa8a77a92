"""Reference and compiled books on the same wild flow: equal events, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.book.admission import Admit, Candidate, Positions, Stage, Verdict, admit_all
from novate.book.compiled import CompiledExchange
from novate.book.events import Accepted, Amended, Cancelled, Event, Filled, Reason, Rejected
from novate.book.exchange import Exchange
from novate.book.operations import (
    Operation,
    OperationKind,
    operation_order,
    read_sheet,
    submit_operation,
)
from novate.book.orders import Order, Side
from novate.book.packed import pack_operations, unpack_events
from novate.lab.order_flow import WILD_INSTRUMENTS, wild_flow
from tests.book.implementations import AnyExchange


class Venue:
    """An exchange with an arbitrary but repeatable admission; remembers what it was asked."""

    def __init__(self, make: Callable[..., AnyExchange], seed: int | None) -> None:
        self.seed = seed
        self.asked: list[Candidate] = []
        self.heard: list[Event] = []
        self.positions = Positions()
        admit: Admit = admit_all if seed is None else self.admit
        self.exchange = make(admit, self.positions.position, self.listen)

    def admit(self, candidate: Candidate) -> Verdict:
        self.asked.append(candidate)
        order = candidate.order
        held = self.positions.position(order.account, order.instrument)
        assert self.seed is not None
        draw = (self.seed + order.order_id * 7 + held + candidate.stage * 3) % 11
        if draw == 0:
            return Verdict(0, "margin")
        if draw == 1 and candidate.quantity > 1:
            return Verdict(candidate.quantity // 2, "position limit")
        if draw == 2:
            return Verdict(candidate.quantity, Reason.REQUESTED)  # all, and yet a reason
        return Verdict(candidate.quantity)

    def listen(self, event: Event) -> None:
        self.heard.append(event)
        self.positions.listen(event)


def typed(exchange: AnyExchange, records: list[Operation]) -> list[Event]:
    """A request by the method of its kind."""
    head = records[0]
    match head.kind:
        case OperationKind.SUBMIT:
            return exchange.submit(operation_order(head), head.now)
        case OperationKind.AMEND:
            return exchange.amend(
                head.account,
                head.instrument,
                head.order_id,
                head.price,
                head.quantity,
                head.now,
                head.good_till,
            )
        case OperationKind.CANCEL:
            return exchange.cancel(head.account, head.instrument, head.order_id, head.now)
        case OperationKind.CANCEL_ALL:
            return exchange.cancel_all(head.account, head.now)
        case OperationKind.EXPIRE:
            return exchange.expire(head.now)
        case _:
            return exchange.mass_quote(read_sheet(head, iter(records[1:])), head.now)


def assert_same_books(left: AnyExchange, right: AnyExchange, order_ids: int) -> None:
    """Every level and every resting order."""
    instruments = [book.instrument for book in left.books()]
    assert instruments == [book.instrument for book in right.books()]
    for instrument in instruments:
        one, other = left.book(instrument), right.book(instrument)
        assert len(one) == len(other)
        for side in Side:
            assert one.depth(side, 1 << 20) == other.depth(side, 1 << 20)
            assert one.depth(side, 2) == other.depth(side, 2)
            assert one.best_price(side) == other.best_price(side)
        for order_id in range(order_ids):
            assert one.resting(order_id) == other.resting(order_id)


@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("flow", range(4))
def test_equal_events_questions_and_books(flow: int, seed: int | None) -> None:
    """Request by request, with callables."""
    reference, compiled = Venue(Exchange, seed), Venue(CompiledExchange, seed)
    for number, records in enumerate(wild_flow(flow, 1_500)):
        expected = typed(reference.exchange, records)
        assert typed(compiled.exchange, records) == expected, f"request {number}: {records}"
        assert compiled.asked == reference.asked
        reference.asked.clear()
        compiled.asked.clear()
    assert compiled.heard == reference.heard
    assert_same_books(reference.exchange, compiled.exchange, 4_000)


@settings(max_examples=60)
@given(st.integers(0, 1 << 40), st.integers(1, 300))
def test_equal_events_of_packed_runs(seed: int, requests: int) -> None:
    """All at once, without callables: the fast path."""
    reference, compiled = Venue(Exchange, None), CompiledExchange()
    flow = [record for records in wild_flow(seed, requests) for record in records]
    half = len(flow) // 2
    while flow[half:] and flow[half].kind == OperationKind.QUOTE:
        half += 1  # not within a sheet
    expected = reference.exchange.run(flow)
    packed = np.concatenate(
        [compiled.run_packed(pack_operations(part)) for part in (flow[:half], flow[half:])]
    )
    assert unpack_events(packed, compiled.reasons.name) == expected
    assert_same_books(reference.exchange, compiled, 50)


def test_equal_expiry_after_many_ends_that_came_to_nothing() -> None:
    """Ids are used again with other ends, and the compiled book has swept its list of ends."""
    reference, compiled = Venue(Exchange, None), CompiledExchange()
    flow = []
    for turn in range(6_000):
        order_id, end = turn % 150, 10 + turn * 7 % 90
        order = Order(order_id, 1, 1, 3, Side.BUY, 1 + turn % 9, 5, good_till=end)
        flow.append(submit_operation(order, 1))
        if turn % 3 == 0:
            cut = Operation(OperationKind.AMEND, 1, 1, 0, 3, order_id, price=1 + turn % 9)
            flow.append(cut._replace(quantity=4, good_till=end + turn % 2))
        if turn % 150 != 149:
            cancelled = Operation(OperationKind.CANCEL, 1, 1, 0, 3, (turn - 75) % 150)
            flow.append(cancelled)
    flow += [Operation(OperationKind.EXPIRE, now) for now in range(2, 110, 6)]
    expected = reference.exchange.run(flow)
    assert compiled.run(flow) == expected
    expired = [event for event in expected if getattr(event, "reason", "") == Reason.EXPIRED]
    assert len(expired) > 50


def test_the_flow_is_wild_enough() -> None:
    """Every event, every reason of the book and every stage of admission is met."""
    events: list[Event] = []
    asked: list[Candidate] = []
    for flow in range(4):
        venue = Venue(CompiledExchange, 5)
        for records in wild_flow(flow, 1_500):
            typed(venue.exchange, records)
        events += venue.heard
        asked += venue.asked
    kinds = Counter(type(event) for event in events)
    assert min(kinds[kind] for kind in (Accepted, Amended, Cancelled, Filled, Rejected)) > 100
    stages = Counter(candidate.stage for candidate in asked)
    assert min(stages[stage] for stage in Stage) > 100
    assert {candidate.order.instrument for candidate in asked} == set(WILD_INSTRUMENTS)
    reasons = {event.reason for event in events if not isinstance(event, Filled)}
    assert reasons == {*Reason, "margin", "position limit"}
    assert max(len(candidate.earlier) for candidate in asked) > 3


# What the caller does wrong: the same state afterwards, and nothing is lost.


def run_both(flow: list[Operation], match: str) -> tuple[Venue, CompiledExchange]:
    """A run that both refuse; what was done before it stays."""
    reference, compiled = Venue(Exchange, None), CompiledExchange()
    with pytest.raises(ValueError, match=match):
        reference.exchange.run(flow)
    with pytest.raises(ValueError, match=match):
        compiled.run_packed(pack_operations(flow))
    return reference, compiled


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        (Operation(OperationKind.EXPIRE, 0), "time goes back from 9 to 0"),
        (Operation(OperationKind.QUOTE, 9), "outside a sheet"),
        (Operation(OperationKind.SHEET, 9, quantity=1), "sheet"),
        (Operation(OperationKind.SHEET, 9, quantity=-1), "sheet|quotes"),
        (Operation(OperationKind.SHEET, 9, quantity=1 << 60), "sheet"),
    ],
)
def test_a_run_stops_at_a_broken_record(broken: Operation, match: str) -> None:
    good = Operation(OperationKind.SUBMIT, 9, 1, 1, 3, 1, Side.BUY, 5, 5)
    after = good._replace(account=2, owner_group=2, order_id=2, side=Side.SELL)
    reference, compiled = run_both([good, broken, after], match)
    later = compiled.run([after])
    reference.exchange.run([after])
    assert later == reference.heard
    assert len(later) == 3
    assert_same_books(reference.exchange, compiled, 5)


def test_a_callable_may_not_call_the_exchange() -> None:
    made: list[CompiledExchange] = []

    def admit(candidate: Candidate) -> Verdict:
        made[0].book(3)
        return Verdict(candidate.quantity)

    made.append(CompiledExchange(admit))
    with pytest.raises(RuntimeError, match="borrowed"):
        made[0].submit(Order(1, 1, 1, 3, Side.BUY, 5, 5), 1)


def test_an_error_of_a_callable_comes_through() -> None:
    def listen(event: Event) -> None:
        raise KeyError("mine")

    exchange = CompiledExchange(listen=listen)
    with pytest.raises(KeyError, match="mine"):
        exchange.submit(Order(1, 1, 1, 3, Side.BUY, 5, 5), 1)
