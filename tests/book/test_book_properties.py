"""The book against a naive model written apart from it, and its invariants under any admission."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.book.admission import Candidate, Positions, Verdict, admit_all
from novate.book.events import Accepted, Amended, Cancelled, Event, Filled
from novate.book.orders import Flags, Order, Quote, SelfTrade, Sheet, Side, TimeInForce
from tests.book.implementations import IMPLEMENTATIONS, AnyExchange

PERP = 7
GROUP = {1: 1, 2: 1, 3: 2, 4: 3}  # accounts 1 and 2 have one owner


class Submit(NamedTuple):
    account: int
    side: int
    price: int
    quantity: int
    kind: int  # 0 limit, 1 post-only, 2 IOC, 3 FOK
    mode: int
    life: int  # seconds it lives
    reduce: bool


class Amend(NamedTuple):
    which: int  # picks among the ids used so far
    price: int
    quantity: int


class Cancel(NamedTuple):
    which: int


class Wait(NamedTuple):
    seconds: int


small = st.integers(1, 6)
submits = st.builds(
    Submit,
    st.sampled_from(sorted(GROUP)),
    st.integers(0, 1),
    small,
    st.integers(1, 9),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.integers(0, 2),
    st.sampled_from([1, 2, 5, 1 << 20]),
    st.booleans(),
)
requests = st.lists(
    st.one_of(
        submits,
        submits,
        submits,
        st.builds(Amend, st.integers(0, 30), small, st.integers(1, 9)),
        st.builds(Cancel, st.integers(0, 30)),
        st.builds(Wait, st.integers(0, 2)),
    ),
    max_size=40,
)


def order_of(request: Submit, order_id: int, now: int) -> Order:
    return Order(
        order_id,
        request.account,
        GROUP[request.account],
        PERP,
        Side(request.side),
        request.price,
        request.quantity,
        Flags.POST_ONLY if request.kind == 1 else Flags.NONE,
        TimeInForce(max(0, request.kind - 1)),
        SelfTrade(request.mode),
        now + request.life,
    )


@dataclass
class Live:
    """A resting order of the model; `age` is its place in the queue."""

    order: Order
    left: int
    filled: int
    age: int


class NaiveBook:
    """The rules again, by scanning one flat list. No admission, no reduce-only."""

    def __init__(self) -> None:
        self.live: list[Live] = []
        self.fills: list[tuple[int, int, int, int]] = []
        self.age = 0

    def opposite(self, side: int, limit: int) -> list[Live]:
        """Makers within the limit, the next to trade first."""
        makers = [
            maker
            for maker in self.live
            if maker.order.side != side
            and (maker.order.price <= limit if side == 0 else maker.order.price >= limit)
        ]
        toward = 1 if side == 0 else -1
        return sorted(makers, key=lambda maker: (toward * maker.order.price, maker.age))

    def expire(self, now: int) -> None:
        self.live = [maker for maker in self.live if maker.order.good_till > now]

    def submit(self, order: Order) -> None:
        post_only = bool(order.flags)
        if post_only and self.opposite(order.side, order.price):
            return
        if order.time_in_force == 2 and not self.can_fill(order):
            return
        self.enter(order, order.quantity, 0)

    def can_fill(self, order: Order) -> bool:
        within = self.opposite(order.side, order.price)
        if order.self_trade:  # any own maker met before the end stops the order
            total = 0
            for maker in within:
                if GROUP[maker.order.account] == GROUP[order.account]:
                    break
                total += maker.left
            return total >= order.quantity
        return (
            sum(m.left for m in within if GROUP[m.order.account] != GROUP[order.account])
            >= order.quantity
        )

    def enter(self, order: Order, left: int, filled: int) -> None:
        for maker in self.opposite(order.side, order.price):
            if not left:
                break
            if GROUP[maker.order.account] == GROUP[order.account]:
                if order.self_trade in (0, 2):
                    self.live.remove(maker)
                if order.self_trade in (1, 2):
                    return
                continue
            traded = min(left, maker.left)
            self.fills.append((maker.order.order_id, order.order_id, maker.order.price, traded))
            left -= traded
            filled += traded
            maker.left -= traded
            maker.filled += traded
            if not maker.left:
                self.live.remove(maker)
        if left and order.time_in_force == 0:
            self.age += 1
            self.live.append(Live(order, left, filled, self.age))

    def amend(self, order_id: int, price: int, quantity: int, good_till: int) -> None:
        for maker in self.live:
            if maker.order.order_id == order_id:
                order = maker.order._replace(price=price, quantity=quantity, good_till=good_till)
                left = quantity - maker.filled
                if maker.order.flags and self.opposite(order.side, price):
                    return
                if left > 0 and price == maker.order.price and left <= maker.left:
                    maker.order, maker.left = order, left
                    return
                self.live.remove(maker)
                if left > 0:
                    self.enter(order, left, maker.filled)
                return

    def cancel(self, order_id: int) -> None:
        self.live = [maker for maker in self.live if maker.order.order_id != order_id]

    def depth(self, side: int) -> list[tuple[int, int, int]]:
        levels: dict[int, list[int]] = defaultdict(list)
        for maker in self.live:
            if maker.order.side == side:
                levels[maker.order.price].append(maker.left)
        return [
            (price, sum(levels[price]), len(levels[price]))
            for price in sorted(levels, reverse=side == 0)
        ]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@settings(max_examples=200)
@given(script=requests)
def test_the_book_agrees_with_the_naive_model(name: str, script: list[NamedTuple]) -> None:
    positions = Positions()
    exchange = IMPLEMENTATIONS[name](admit_all, positions.position, positions.listen)
    model = NaiveBook()
    book = exchange.book(PERP)
    owners: list[int] = []
    now = 1
    fills: list[tuple[int, int, int, int]] = []
    for request in script:
        events: list[Event] = []
        model.expire(now)
        match request:
            case Submit():
                order = order_of(request, len(owners), now)
                owners.append(request.account)
                events = exchange.submit(order, now)
                model.submit(order)
            case Amend(which, price, quantity) if owners:
                order_id = which % len(owners)
                events = exchange.amend(
                    owners[order_id], PERP, order_id, price, quantity, now, now + 50
                )
                model.amend(order_id, price, quantity, now + 50)
            case Cancel(which) if owners:
                order_id = which % len(owners)
                events = exchange.cancel(owners[order_id], PERP, order_id, now)
                model.cancel(order_id)
            case Wait(seconds):
                now += seconds
                events = exchange.expire(now)
                model.expire(now)
        fills += [
            (e.maker_order_id, e.taker_order_id, e.price, e.quantity)
            for e in events
            if isinstance(e, Filled)
        ]
        assert fills == model.fills
        for side in Side:
            assert book.depth(side, 99) == model.depth(side)


class ModuloAdmission:
    """An arbitrary but repeatable admission: refuses or cuts by a hash of what it is asked."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def admit(self, candidate: Candidate) -> Verdict:
        order = candidate.order
        draw = (self.seed * 31 + order.order_id * 7 + candidate.stage * 3 + candidate.quantity) % 7
        if draw == 0:
            return Verdict(0, "refused")
        if draw == 1 and candidate.quantity > 1:
            return Verdict(candidate.quantity - 1, "cut")
        return Verdict(candidate.quantity)


class Ledger:
    """Follows events only, and checks each as it comes: what is open, and every position."""

    def __init__(self) -> None:
        self.open: dict[int, int] = {}
        self.reduce_only: set[int] = set()
        self.positions = Positions()

    def listen(self, event: Event) -> None:
        if isinstance(event, Accepted):
            assert event.order_id not in self.open
            assert 0 < event.open <= event.quantity
            self.open[event.order_id] = event.open
        elif isinstance(event, Amended):
            assert event.order_id in self.open
            self.open[event.order_id] = event.open
        elif isinstance(event, Cancelled):
            assert self.open.pop(event.order_id) == event.quantity > 0
        elif isinstance(event, Filled):
            self.fill(event)

    def fill(self, event: Filled) -> None:
        assert GROUP.get(event.maker_account) != GROUP.get(event.taker_account)
        before = {
            account: self.positions.position(account, PERP)
            for account in (event.maker_account, event.taker_account)
        }
        self.positions.listen(event)
        for order_id, account, left in (
            (event.maker_order_id, event.maker_account, event.maker_open),
            (event.taker_order_id, event.taker_account, event.taker_open),
        ):
            self.open[order_id] -= event.quantity
            assert self.open[order_id] == left >= 0
            if not left:
                del self.open[order_id]
            if order_id in self.reduce_only:
                after = self.positions.position(account, PERP)
                assert abs(after) < abs(before[account])
                assert after * before[account] >= 0


def run_script(script: list[NamedTuple], exchange: AnyExchange, ledger: Ledger) -> None:
    book = exchange.book(PERP)
    owners: list[int] = []
    now = 1
    for request in script:
        match request:
            case Submit():
                order = order_of(request, len(owners), now)
                if request.reduce:
                    order = order._replace(flags=order.flags | Flags.REDUCE_ONLY)
                    ledger.reduce_only.add(order.order_id)
                owners.append(request.account)
                events = exchange.submit(order, now)
                if order.time_in_force == TimeInForce.FILL_OR_KILL:
                    filled = sum(e.quantity for e in events if isinstance(e, Filled))
                    assert filled in (0, order.quantity)
                if order.flags & Flags.POST_ONLY:
                    assert not [e for e in events if isinstance(e, Filled)]
            case Amend(which, price, quantity) if owners:
                order_id = which % len(owners)
                exchange.amend(owners[order_id], PERP, order_id, price, quantity, now)
            case Cancel(which) if which % 5 == 0:
                exchange.cancel_all(which % 4 + 1, now)
            case Cancel(which) if which % 5 == 1:
                # Ids apart from the owners' list, over two instruments.
                bid, ask = which % 6, which % 6 + 1
                quotes = (Quote(PERP, bid, 3, ask, 3), Quote(PERP + 1, bid, 3, ask, 0))
                exchange.mass_quote(Sheet(5, 5, 1_000, quotes), now)
            case Cancel(which) if owners:
                order_id = which % len(owners)
                exchange.cancel(owners[order_id], PERP, order_id, now)
            case Wait(seconds):
                now += seconds
                exchange.expire(now)
        bid, ask = book.best_price(Side.BUY), book.best_price(Side.SELL)
        assert bid is None or ask is None or bid < ask
        resting = sum(level.quantity for side in Side for level in book.depth(side, 99))
        other = exchange.book(PERP + 1)
        resting += sum(level.quantity for side in Side for level in other.depth(side, 99))
        assert resting == sum(ledger.open.values())
        assert len(book) + len(other) == len(ledger.open)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@settings(max_examples=200)
@given(script=requests, seed=st.integers(0, 1 << 16))
def test_invariants_hold_under_any_admission(
    name: str, script: list[NamedTuple], seed: int
) -> None:
    """Never crossed, no lot appears or disappears, reduce-only reduces, owners never trade with
    themselves, fill-or-kill is all or nothing, post-only never takes."""
    ledger = Ledger()
    admit = ModuloAdmission(seed).admit
    exchange = IMPLEMENTATIONS[name](admit, ledger.positions.position, ledger.listen)
    run_script(script, exchange, ledger)
