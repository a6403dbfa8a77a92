"""What the book says happened, in order: one typed record each, numbered from 0 without gaps.

For every order: `Accepted.open` (or the last `Amended.open`) = what is filled or cancelled
afterwards + what still rests.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from novate.book.orders import Order, Side


class Reason(StrEnum):
    """Why the book itself refused or cancelled; admission adds reasons of its own."""

    NONE = ""
    # refused, nothing changed
    PRICE_RANGE = "price_range"
    QUANTITY_RANGE = "quantity_range"
    FLAGS = "flags"
    DUPLICATE_ORDER_ID = "duplicate_order_id"
    POST_ONLY_WOULD_TRADE = "post_only_would_trade"
    FILL_OR_KILL = "fill_or_kill"
    UNKNOWN_ORDER = "unknown_order"
    QUOTE_NOT_AMENDABLE = "quote_not_amendable"
    QUOTE_CROSSED = "quote_crossed"
    SHEET_SIZE = "sheet_size"
    # refused or cancelled
    EXPIRED = "expired"
    REDUCE_ONLY = "reduce_only"
    OTHER_SIDE_REFUSED = "other_side_refused"
    # cancelled
    REQUESTED = "requested"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    SELF_TRADE = "self_trade"
    AMENDED_TO_FILLED = "amended_to_filled"
    QUOTE_REPLACED = "quote_replaced"


class Accepted(NamedTuple):
    """The order is in: it trades at once, then rests. open < quantity: `reason` cut it."""

    sequence: int
    instrument: int
    account: int
    order_id: int
    side: Side
    price: int
    quantity: int  # total asked for
    open: int  # what may trade
    reason: str


class Rejected(NamedTuple):
    """The request changed nothing."""

    sequence: int
    instrument: int
    account: int
    order_id: int
    reason: str


class Filled(NamedTuple):
    """A trade at the maker's price."""

    sequence: int
    instrument: int
    maker_order_id: int
    taker_order_id: int
    maker_account: int
    taker_account: int
    taker_side: Side
    price: int
    quantity: int
    maker_open: int  # after the fill
    taker_open: int


class Cancelled(NamedTuple):
    """The order is gone; `quantity` is what was still open."""

    sequence: int
    instrument: int
    account: int
    order_id: int
    quantity: int
    reason: str


class Amended(NamedTuple):
    """A revision took the order's place. open: what may trade from now on."""

    sequence: int
    instrument: int
    account: int
    order_id: int
    side: Side
    price: int
    quantity: int  # total, filled part included
    open: int
    kept_priority: bool
    reason: str  # why open is smaller than asked for, if it is


Event = Accepted | Rejected | Filled | Cancelled | Amended


class Recorder:
    """Numbers the events and hands each to `listen` at once, before the book goes on."""

    def __init__(self, listen: Callable[[Event], None]) -> None:
        self._listen = listen
        self._next = 0
        self._events: list[Event] = []

    def take(self) -> list[Event]:
        """The events since the last call."""
        events, self._events = self._events, []
        return events

    def accepted(self, order: Order, open_quantity: int, reason: str) -> None:
        """See `Accepted`."""
        self._add(
            Accepted(
                self._next,
                order.instrument,
                order.account,
                order.order_id,
                order.side,
                order.price,
                order.quantity,
                open_quantity,
                reason,
            )
        )

    def rejected(self, instrument: int, account: int, order_id: int, reason: str) -> None:
        """See `Rejected`."""
        self._add(Rejected(self._next, instrument, account, order_id, reason))

    def filled(
        self, maker: Order, taker: Order, quantity: int, maker_open: int, taker_open: int
    ) -> None:
        """See `Filled`."""
        self._add(
            Filled(
                self._next,
                maker.instrument,
                maker.order_id,
                taker.order_id,
                maker.account,
                taker.account,
                taker.side,
                maker.price,
                quantity,
                maker_open,
                taker_open,
            )
        )

    def cancelled(self, order: Order, open_quantity: int, reason: str) -> None:
        """See `Cancelled`."""
        self._add(
            Cancelled(
                self._next, order.instrument, order.account, order.order_id, open_quantity, reason
            )
        )

    def amended(self, order: Order, open_quantity: int, kept_priority: bool, reason: str) -> None:
        """See `Amended`."""
        self._add(
            Amended(
                self._next,
                order.instrument,
                order.account,
                order.order_id,
                order.side,
                order.price,
                order.quantity,
                open_quantity,
                kept_priority,
                reason,
            )
        )

    def _add(self, event: Event) -> None:
        self._next += 1
        self._events.append(event)
        self._listen(event)
