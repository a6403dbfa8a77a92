"""The reference order book of one instrument: price-time priority in plain integers.

It never reads the clock, randomness or storage: time, admission and positions are passed in, and
events are all that comes out. Matching is a chain of steps: judge the next maker, then execute the
step. An ordinary order executes each step before the next is judged; a fill-or-kill order has all
its steps judged before the first is executed.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from novate.book.admission import Admit, Candidate, PlannedFill, PositionOf, Stage, Verdict
from novate.book.events import Reason, Recorder
from novate.book.ladder import Ladder, Level, Resting
from novate.book.orders import (
    GOOD_TILL_CANCELLED,
    PRICE_LIMIT,
    QUANTITY_LIMIT,
    SIGN,
    Flags,
    Order,
    SelfTrade,
    Side,
    TimeInForce,
    same_owner,
)

# As plain integers: the complement of an IntFlag forgets the bits that have no name.
SENDER_FLAGS = int(Flags.POST_ONLY | Flags.REDUCE_ONLY)
QUOTE_SIDE_FLAGS = int(Flags.POST_ONLY | Flags.QUOTE)


class Step(NamedTuple):
    """What happens between a taker and the next maker: a fill, then who has to go, and why."""

    maker: Resting
    quantity: int  # 0: no fill
    cancel_maker: str  # "" : stays, if anything is left of it
    stop_taker: str  # "" : goes on, if anything is left of it


class Book:
    """All resting orders of one instrument."""

    def __init__(
        self, instrument: int, admit: Admit, position: PositionOf, recorder: Recorder
    ) -> None:
        self.instrument = instrument
        self._admit = admit
        self._position = position
        self._recorder = recorder
        self._ladders = (Ladder(Side.BUY), Ladder(Side.SELL))
        self._orders: dict[int, Resting] = {}
        self._of_account: dict[int, dict[int, None]] = {}  # order ids, oldest first
        self._ends: list[tuple[int, int]] = []  # heap of (good_till, order id), may be stale
        self._now = 0

    # Reading.

    def best_price(self, side: Side) -> int | None:
        """Best price of a side, None if it is empty."""
        return self._ladders[side].best_price()

    def depth(self, side: Side, levels: int) -> list[Level]:
        """The best levels of a side."""
        return self._ladders[side].depth(levels)

    def resting(self, order_id: int) -> tuple[Order, int] | None:
        """The current revision of a resting order and its open quantity."""
        found = self._orders.get(order_id)
        return (found.order, found.open) if found else None

    def __len__(self) -> int:
        """Number of resting orders."""
        return len(self._orders)

    # Requests. Each carries the time, which never goes back.

    def submit(self, order: Order, now: int) -> None:
        """A new order: trades what it can, then rests or ends as its time in force says."""
        self.expire(now)
        reason = self._objection(order)
        if reason:
            self._reject(order, reason)
            return
        allowed, reason = self._allowance(
            Candidate(Stage.ENTER, order, order.price, order.quantity)
        )
        if allowed == 0:
            self._reject(order, reason)
            return
        if order.time_in_force == TimeInForce.FILL_OR_KILL:
            self._fill_or_kill(order, allowed, reason)
            return
        self._recorder.accepted(order, allowed, reason)
        self._match_and_rest(Resting(order, allowed))

    def amend(
        self,
        account: int,
        order_id: int,
        price: int,
        quantity: int,
        now: int,
        good_till: int = GOOD_TILL_CANCELLED,
    ) -> None:
        """A revision: `quantity` is the new total, and what is filled stays filled.

        Time priority is lost if the price changes or the open quantity grows. A refused revision
        leaves the order as it was; a total not above what is filled ends it.
        """
        self.expire(now)
        resting = self._owned(account, order_id)
        if resting is None:
            self._recorder.rejected(self.instrument, account, order_id, Reason.UNKNOWN_ORDER)
            return
        revision = resting.order._replace(price=price, quantity=quantity, good_till=good_till)
        reason = self._objection_to_revision(resting, revision)
        if reason:
            self._reject(revision, reason)
            return
        asked = quantity - resting.filled
        if asked <= 0:
            self._cancel(resting, Reason.AMENDED_TO_FILLED)
        elif price == resting.order.price and asked <= resting.open:
            self._amend_in_place(resting, revision, asked)
        else:
            self._amend_to_back(resting, revision, asked)

    def cancel(self, account: int, order_id: int, now: int, reason: str = Reason.REQUESTED) -> None:
        """Take an order out. The venue may give its own reason."""
        self.expire(now)
        resting = self._owned(account, order_id)
        if resting is None:
            self._recorder.rejected(self.instrument, account, order_id, Reason.UNKNOWN_ORDER)
        else:
            self._cancel(resting, reason)

    def cancel_all(self, account: int, now: int, reason: str = Reason.REQUESTED) -> None:
        """Take out every order of an account, oldest first."""
        self.expire(now)
        for order_id in list(self._of_account.get(account, ())):
            self._cancel(self._orders[order_id], reason)

    def quote(self, orders: Sequence[Order], now: int) -> None:
        """A two-sided quote, bid first: both sides are accepted or neither is."""
        self.expire(now)
        reason = self._objection_to_quote(orders)
        if reason:
            for order in orders:
                self._reject(order, reason)
            return
        entered: list[Resting] = []
        for order in orders:
            allowed, reason = self._allowance(
                Candidate(Stage.ENTER, order, order.price, order.quantity)
            )
            if allowed < order.quantity:
                for other in entered:
                    self._recorder.cancelled(other.order, other.open, Reason.OTHER_SIDE_REFUSED)
                self._reject(order, reason)
                return
            self._recorder.accepted(order, allowed, Reason.NONE)
            entered.append(Resting(order, allowed))
        for resting in entered:
            self._match_and_rest(resting)

    def expire(self, now: int) -> None:
        """Cancel what ends at `now` or before, by end and order id. Every request begins so."""
        if now < self._now:
            raise ValueError(f"time goes back from {self._now} to {now}")
        self._now = now
        while self._ends and self._ends[0][0] <= now:
            end, order_id = heappop(self._ends)
            resting = self._orders.get(order_id)
            if resting and resting.order.good_till == end:
                self._cancel(resting, Reason.EXPIRED)

    # Whether a request may go ahead: a reason, or "".

    def _objection(self, order: Order) -> str:
        """Why the book itself refuses a new order."""
        if int(order.flags) & ~SENDER_FLAGS:
            return Reason.FLAGS
        if order.flags & Flags.POST_ONLY and order.time_in_force != TimeInForce.GOOD_TILL:
            return Reason.FLAGS
        return self._objection_to_entry(order)

    def _objection_to_entry(self, order: Order) -> str:
        """Why an order or a side of a quote may not enter."""
        if order.order_id in self._orders:
            return Reason.DUPLICATE_ORDER_ID
        return self._objection_to_terms(order)

    def _objection_to_terms(self, order: Order) -> str:
        """Why the terms of a new order or of a revision are refused."""
        if order.instrument != self.instrument:
            raise ValueError(f"order of instrument {order.instrument} in book {self.instrument}")
        if not 0 < order.price < PRICE_LIMIT:
            return Reason.PRICE_RANGE
        if not 0 < order.quantity < QUANTITY_LIMIT:
            return Reason.QUANTITY_RANGE
        if order.good_till <= self._now:
            return Reason.EXPIRED
        if order.flags & Flags.POST_ONLY and self._would_trade(order):
            return Reason.POST_ONLY_WOULD_TRADE
        return Reason.NONE

    def _objection_to_revision(self, resting: Resting, revision: Order) -> str:
        """Why the book itself refuses a revision."""
        if resting.order.flags & Flags.QUOTE:
            return Reason.QUOTE_NOT_AMENDABLE
        return self._objection_to_terms(revision)

    def _objection_to_quote(self, orders: Sequence[Order]) -> str:
        """Why the book itself refuses a quote."""
        if len(orders) == 2 and orders[0].price >= orders[1].price:
            return Reason.QUOTE_CROSSED
        for order in orders:
            if int(order.flags) & ~QUOTE_SIDE_FLAGS:
                return Reason.FLAGS
            reason = self._objection_to_entry(order)
            if reason:
                return reason
        return Reason.NONE

    def _would_trade(self, order: Order) -> bool:
        """True if the order's limit meets the other side."""
        return self._ladders[1 - order.side].reaches(order.price)

    def _owned(self, account: int, order_id: int) -> Resting | None:
        """The resting order, if it is this account's."""
        resting = self._orders.get(order_id)
        return resting if resting and resting.order.account == account else None

    # Admission.

    def _allowance(self, candidate: Candidate) -> Verdict:
        """How much of a candidate may go ahead: what reduces, then what admission allows."""
        limit = candidate.quantity
        if candidate.order.flags & Flags.REDUCE_ONLY:
            limit = min(limit, self._reducible(candidate.order, candidate.earlier))
        if limit <= 0:
            return Verdict(0, Reason.REDUCE_ONLY)
        verdict = self._admit(candidate._replace(quantity=limit))
        if not 0 <= verdict.quantity <= limit or (verdict.quantity < limit and not verdict.reason):
            raise ValueError(f"admission answered {verdict} to a quantity of {limit}")
        if verdict.quantity == limit < candidate.quantity:
            return Verdict(limit, Reason.REDUCE_ONLY)
        return verdict

    def _reducible(self, order: Order, earlier: tuple[PlannedFill, ...]) -> int:
        """How much a reduce-only order may fill: the opposite position, planned fills counted."""
        held = self._position(order.account, self.instrument)
        for fill in earlier:
            if fill.maker.account == order.account:
                held += SIGN[fill.maker.side] * fill.quantity
            if fill.taker.account == order.account:
                held += SIGN[fill.taker.side] * fill.quantity
        return -SIGN[order.side] * held

    # Matching.

    def _match_and_rest(self, taker: Resting) -> None:
        """Trade what can be traded, then rest or end."""
        makers = self._ladders[1 - taker.order.side]
        while taker.open and makers.reaches(taker.order.price):
            maker = makers.front()
            assert maker is not None  # reaches() saw a level, and no level is empty
            step = self._judge(maker, taker.order, taker.open, ())
            self._execute(step, taker)
            if step.stop_taker:
                return
        if not taker.open:
            return
        if taker.order.time_in_force == TimeInForce.GOOD_TILL:
            self._rest(taker)
        else:
            self._recorder.cancelled(taker.order, taker.open, Reason.IMMEDIATE_OR_CANCEL)

    def _fill_or_kill(self, order: Order, allowed: int, reason: str) -> None:
        """Trade the whole order, or refuse it and change nothing."""
        if allowed < order.quantity:
            self._reject(order, reason)
            return
        steps = self._plan(order)
        if steps is None:
            self._reject(order, Reason.FILL_OR_KILL)
            return
        self._recorder.accepted(order, allowed, Reason.NONE)
        taker = Resting(order, allowed)
        for step in steps:
            self._execute(step, taker)

    def _plan(self, order: Order) -> list[Step] | None:
        """The steps that fill the order completely, None if there are none."""
        steps: list[Step] = []
        earlier: tuple[PlannedFill, ...] = ()
        missing = order.quantity
        for maker in self._ladders[1 - order.side].crossing(order.price):
            step = self._judge(maker, order, missing, earlier)
            if step.stop_taker:
                return None
            steps.append(step)
            if step.quantity:
                earlier += (PlannedFill(maker.order, order, step.quantity),)
                missing -= step.quantity
                if not missing:
                    return steps
        return None

    def _judge(
        self, maker: Resting, taker: Order, taker_open: int, earlier: tuple[PlannedFill, ...]
    ) -> Step:
        """What happens between this taker and this maker; changes nothing."""
        if same_owner(maker.order, taker):
            mode = taker.self_trade
            return Step(
                maker,
                0,
                Reason.NONE if mode == SelfTrade.CANCEL_TAKER else Reason.SELF_TRADE,
                Reason.NONE if mode == SelfTrade.CANCEL_MAKER else Reason.SELF_TRADE,
            )
        price = maker.order.price
        wanted = min(maker.open, taker_open)
        of_maker = self._allowance(
            Candidate(Stage.FILL, maker.order, price, wanted, taker, earlier)
        )
        if not of_maker.quantity:
            return Step(maker, 0, of_maker.reason, Reason.NONE)
        of_taker = self._allowance(
            Candidate(Stage.FILL, taker, price, of_maker.quantity, maker.order, earlier)
        )
        if of_taker.quantity < of_maker.quantity:
            return Step(maker, of_taker.quantity, Reason.NONE, of_taker.reason)
        return Step(maker, of_taker.quantity, of_maker.reason, Reason.NONE)

    def _execute(self, step: Step, taker: Resting) -> None:
        """Do what was judged."""
        maker = step.maker
        if step.quantity:
            for side in (maker, taker):
                side.open -= step.quantity
                side.filled += step.quantity
            self._recorder.filled(maker.order, taker.order, step.quantity, maker.open, taker.open)
        if not maker.open:
            self._forget(maker)
        elif step.cancel_maker:
            self._cancel(maker, step.cancel_maker)
        if step.stop_taker:
            self._recorder.cancelled(taker.order, taker.open, step.stop_taker)

    # Revisions.

    def _amend_in_place(self, resting: Resting, revision: Order, asked: int) -> None:
        """Smaller or as large at the same price: nothing to admit, the place is kept."""
        self._replace_revision(resting, revision, asked)
        self._recorder.amended(revision, asked, True, Reason.NONE)

    def _amend_to_back(self, resting: Resting, revision: Order, asked: int) -> None:
        """Another price or more quantity: enters again behind the others, may trade at once."""
        allowed, reason = self._allowance(Candidate(Stage.AMEND, revision, revision.price, asked))
        if allowed == 0:
            self._reject(revision, reason)
            return
        self._forget(resting)
        self._recorder.amended(revision, allowed, False, reason)
        self._match_and_rest(Resting(revision, allowed, resting.filled))

    def _replace_revision(self, resting: Resting, revision: Order, open_quantity: int) -> None:
        """The same place in the queue with other terms."""
        resting.order = revision
        resting.open = open_quantity
        self._note_end(revision)

    # Bookkeeping.

    def _rest(self, resting: Resting) -> None:
        """Put into the ladder and the indexes."""
        order = resting.order
        self._ladders[order.side].add(resting)
        self._orders[order.order_id] = resting
        self._of_account.setdefault(order.account, {})[order.order_id] = None
        self._note_end(order)

    def _forget(self, resting: Resting) -> None:
        """Take out of the ladder and the indexes."""
        order = resting.order
        self._ladders[order.side].remove(order)
        del self._orders[order.order_id]
        of_account = self._of_account[order.account]
        del of_account[order.order_id]
        if not of_account:
            del self._of_account[order.account]

    def _note_end(self, order: Order) -> None:
        """Remember when the order ends."""
        if order.good_till < GOOD_TILL_CANCELLED:
            heappush(self._ends, (order.good_till, order.order_id))

    def _cancel(self, resting: Resting, reason: str) -> None:
        """Take a resting order out and say so."""
        self._forget(resting)
        self._recorder.cancelled(resting.order, resting.open, reason)

    def _reject(self, order: Order, reason: str) -> None:
        """Say that nothing changed."""
        self._recorder.rejected(self.instrument, order.account, order.order_id, reason)
