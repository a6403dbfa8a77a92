"""The compiled order books behind the interface of the reference.

`CompiledExchange` takes the same callables, answers the same requests and gives the same events as
`novate.book.exchange.Exchange`, for values that fit the widths `Operation` states; others are a
ValueError naming the field. Without callables everything goes ahead and positions are those of the
fills; requests then run without the interpreter. A callable may not call the exchange that calls
it, not even to read.

Three speeds:

* typed: `submit(order, now)` and so on, a list of events each;
* `core`: one request a call in plain integers, lots traded as the answer, events gather meanwhile;
* `run_packed`: many requests in one call, as records of `novate.book.packed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from novate.book.admission import Admit, Candidate, Listen, PlannedFill, PositionOf, Stage
from novate.book.events import Event, Reason
from novate.book.ladder import Level
from novate.book.operations import Operation, sheet_operations
from novate.book.orders import (
    GOOD_TILL_CANCELLED,
    Flags,
    Order,
    SelfTrade,
    Sheet,
    Side,
    TimeInForce,
)
from novate.book.packed import EVENT, OPERATION, Records, event_of, pack_operations, unpack_events
from novate.native.matching import MatchingCore

STAGES = tuple(Stage)
SIDES = tuple(Side)
TIMES_IN_FORCE = tuple(TimeInForce)
SELF_TRADES = tuple(SelfTrade)
FIRST_OWN_REASON = 256
LAST_REASON = (1 << 16) - 1


class ReasonNumbers:
    """Reasons as the core's 16-bit numbers: the book's own, then others as they come up."""

    def __init__(self) -> None:
        names = [Reason(name) for name in MatchingCore.reasons()]
        self._names: dict[int, str] = dict(enumerate(names))
        self._numbers: dict[str, int] = {name: number for number, name in self._names.items()}
        self._next = FIRST_OWN_REASON

    def name(self, number: int) -> str:
        """The reason of a number that the core gave."""
        return self._names[number]

    def number(self, name: str) -> int:
        """The number of a reason; ValueError when there are too many different ones."""
        found = self._numbers.get(name)
        if found is not None:
            return found
        if self._next > LAST_REASON:
            limit = LAST_REASON + 1 - FIRST_OWN_REASON
            raise ValueError(f"reason {name!r}: there are at most {limit} different ones")
        self._names[self._next] = name
        self._numbers[name] = self._next
        self._next += 1
        return self._next - 1


class CompiledBook:
    """One instrument's book, for reading; requests go through the exchange."""

    def __init__(self, instrument: int, core: MatchingCore) -> None:
        self.instrument = instrument
        self._core = core
        core.count(instrument)  # the book exists from here on

    def best_price(self, side: Side) -> int | None:
        """Best price of a side, None if it is empty."""
        return self._core.best_price(self.instrument, side)

    def depth(self, side: Side, levels: int) -> list[Level]:
        """The best levels of a side, at most 2^32 - 1."""
        return [Level(*level) for level in self._core.depth(self.instrument, side, levels)]

    def resting(self, order_id: int) -> tuple[Order, int] | None:
        """The current revision of a resting order and its open quantity."""
        found = self._core.resting(self.instrument, order_id)
        return (order_of(found[0]), found[1]) if found else None

    def __len__(self) -> int:
        """Number of resting orders."""
        return self._core.count(self.instrument)


class CompiledExchange:
    """The matching of a venue. Every request returns its events, in order."""

    def __init__(
        self,
        admit: Admit | None = None,
        position: PositionOf | None = None,
        listen: Listen | None = None,
    ) -> None:
        self._admit = admit
        self._listen = listen
        self._planned: tuple[PlannedFill, ...] = ()
        self.reasons = ReasonNumbers()
        self.core = MatchingCore(
            self._ask if admit else None, position, self._hear if listen else None
        )

    def book(self, instrument: int) -> CompiledBook:
        """The instrument's book; an empty one the first time."""
        return CompiledBook(instrument, self.core)

    def books(self) -> list[CompiledBook]:
        """All books, by instrument."""
        return [CompiledBook(instrument, self.core) for instrument in self.core.instruments()]

    def submit(self, order: Order, now: int) -> list[Event]:
        """A new order."""
        self.core.submit(now, *order)
        return self._take()

    def amend(
        self,
        account: int,
        instrument: int,
        order_id: int,
        price: int,
        quantity: int,
        now: int,
        good_till: int = GOOD_TILL_CANCELLED,
    ) -> list[Event]:
        """A revision of a resting order; `quantity` is the new total."""
        self.core.amend(now, order_id, account, instrument, price, quantity, good_till)
        return self._take()

    def cancel(
        self,
        account: int,
        instrument: int,
        order_id: int,
        now: int,
        reason: str = Reason.REQUESTED,
    ) -> list[Event]:
        """Take one order out."""
        self.core.cancel(now, order_id, account, instrument, self.reasons.number(reason))
        return self._take()

    def cancel_all(self, account: int, now: int, reason: str = Reason.REQUESTED) -> list[Event]:
        """Take out every order and quote of an account, by instrument."""
        self.core.cancel_all(now, account, self.reasons.number(reason))
        return self._take()

    def mass_quote(self, sheet: Sheet, now: int) -> list[Event]:
        """Replace the account's quotes; see `novate.book.exchange.Exchange.mass_quote`."""
        return self.run(sheet_operations(sheet, now))

    def expire(self, now: int) -> list[Event]:
        """Cancel in every book what ends at `now` or before."""
        self.core.expire(now)
        return self._take()

    def run(self, operations: Iterable[Operation]) -> list[Event]:
        """Many requests in one call."""
        return unpack_events(self.run_packed(pack_operations(operations)), self.reasons.name)

    def run_packed(self, operations: Records | bytes) -> Records:
        """Many requests in one call: OPERATION records (n,), or their bytes, to EVENT records.

        Events that were not handed out before come first. It stops with a ValueError at the first
        record that is malformed or goes back in time; those before it are done, and their events
        come with the next call.
        """
        if not isinstance(operations, bytes):
            if operations.dtype != OPERATION or operations.ndim != 1:
                got = f"dtype {operations.dtype} and shape {operations.shape}"
                raise ValueError(f"operations has {got}, must be OPERATION records of shape (n,)")
            operations = np.ascontiguousarray(operations).tobytes()
        return self.core.run(operations).view(EVENT)

    def take_packed(self) -> Records:
        """The events of `core` calls since the last call that handed events out."""
        return self.core.take().view(EVENT)

    def _take(self) -> list[Event]:
        return unpack_events(self.take_packed(), self.reasons.name)

    def _ask(
        self,
        stage: int,
        order: tuple[int, ...],
        price: int,
        quantity: int,
        counterparty: tuple[int, ...] | None,
        earlier: int,
        news: tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...],
    ) -> tuple[int, int]:
        """Admission's answer as integers. `earlier` counts the planned fills, `news` are the
        last of them."""
        assert self._admit is not None  # or the core would not ask
        told = tuple(PlannedFill(order_of(m), order_of(t), lots) for m, t, lots in news)
        self._planned = self._planned[: earlier - len(news)] + told
        other = None if counterparty is None else order_of(counterparty)
        verdict = self._admit(
            Candidate(STAGES[stage], order_of(order), price, quantity, other, self._planned)
        )
        if not 0 <= verdict.quantity <= quantity:
            raise ValueError(f"admission answered {verdict} to a quantity of {quantity}")
        return verdict.quantity, self.reasons.number(verdict.reason)

    def _hear(self, fields: Any) -> None:
        """Tell the listener of an event."""
        assert self._listen is not None  # or the core would not tell
        self._listen(event_of(fields, self.reasons.name))


def order_of(fields: tuple[int, ...]) -> Order:
    """The order of its fields as the core writes them."""
    order_id, account, owner_group, instrument, side, price, quantity = fields[:7]
    flags, time_in_force, self_trade, good_till = fields[7:]
    return Order(
        order_id,
        account,
        owner_group,
        instrument,
        SIDES[side],
        price,
        quantity,
        Flags(flags),
        TIMES_IN_FORCE[time_in_force],
        SELF_TRADES[self_trade],
        good_till,
    )
