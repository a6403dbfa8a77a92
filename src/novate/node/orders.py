"""The venue's own list of live orders: what was signed, what is open, which slot it lives in.

The book matches; this table remembers what the law will ask for when an order fills, and follows
the book by its events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from novate.book.events import Accepted, Amended, Cancelled, Event, Filled
from novate.book.orders import SIGN, Flags, SelfTrade, Side, TimeInForce
from novate.book.orders import Order as BookOrder
from novate.node.port import FillOf
from novate.spec.messages.orders import Order, OrderFlags, SignedOrder, SignedSheet
from novate.spec.state import Account

IDS_OF_RECORD = 128
"""Order ids of one log record: record n owns n · 128 to n · 128 + 127, a sheet's sides at most."""
SlotKey = tuple[int, int]
"""(account, slot)."""


@dataclass(slots=True)
class Working:
    """One live order or side of a quote; a forced order has neither order nor sheet."""

    order_id: int
    account: int
    instrument: int
    side: Side
    price: int
    slot: int
    nonce: int
    signed: SignedOrder | None = None
    sheet: SignedSheet | None = None
    quote: int = 0
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER
    post_only: bool = False
    open: int = 0
    """Lots that may still trade."""
    filled: int = 0
    """Lots filled over all revisions."""
    before: int = 0
    """Lots filled before the book was loaded from a snapshot: its totals leave them out."""
    place: int = 0
    """Grows with every loss of time priority: the order in which the book is loaded."""
    waiting: bool = False
    """A trigger not met yet: not in the book."""
    revision: SignedOrder | None = None
    """What takes the place of `signed` if the book takes the revision."""

    @property
    def is_forced(self) -> bool:
        """Whether nobody signed it: a step of a liquidation."""
        return self.signed is None and self.sheet is None

    @property
    def max_fee_ppm(self) -> int:
        """The largest fee rate its signer accepts."""
        if self.signed is not None:
            return self.signed.message.max_fee_ppm
        assert self.sheet is not None, "a forced order accepts no rate"
        return self.sheet.message.max_fee_ppm

    @property
    def change(self) -> tuple[int, int, int]:
        """What filling all of it would do: instrument, signed lots, price."""
        return self.instrument, self.open if self.side == Side.BUY else -self.open, self.price


class OrderTable:
    """Live orders by id, by slot and by account; the newest nonce seen of every slot."""

    def __init__(self) -> None:
        """Empty."""
        self.by_id: dict[int, Working] = {}
        self.by_slot: dict[SlotKey, Working] = {}
        self.seen: dict[SlotKey, int] = {}
        """The newest nonce ever taken: an order that is gone does not come back."""
        self._of_account: dict[int, dict[int, None]] = {}
        self._sums: dict[int, dict[tuple[int, Side], tuple[int, int]]] = {}
        """Open lots and lots · limit of every account, by instrument and side; none that is 0."""
        self._places = 0

    def add(self, working: Working) -> None:
        """A new order takes its slot."""
        self.by_id[working.order_id] = working
        self._of_account.setdefault(working.account, {})[working.order_id] = None
        self._count(working, 1)
        if not working.is_forced:
            key = working.account, working.slot
            self.by_slot[key] = working
            self.seen[key] = working.nonce
        working.place = self._next_place()

    def _next_place(self) -> int:
        """A place behind all others."""
        self._places += 1
        return self._places

    def remove(self, order_id: int) -> None:
        """An order is gone; no error if it already is."""
        working = self.by_id.get(order_id)
        if working is None:
            return
        self._count(working, -1)
        del self.by_id[order_id]
        of_account = self._of_account[working.account]
        del of_account[order_id]
        if not of_account:
            del self._of_account[working.account]
        key = working.account, working.slot
        if self.by_slot.get(key) is working:
            del self.by_slot[key]

    def rest(self, working: Working, lots: int, price: int | None = None) -> None:
        """So many lots of an order may still trade, at its limit or at a new one."""
        self._count(working, -1)
        working.open = lots
        working.price = working.price if price is None else price
        self._count(working, 1)

    def _count(self, working: Working, sign: int) -> None:
        """Add an order to its account's sums, or take it out; one that is not listed is neither."""
        if not working.open or self.by_id.get(working.order_id) is not working:
            return
        sums = self._sums.setdefault(working.account, {})
        key = working.instrument, working.side
        lots, cost = sums.get(key, (0, 0))
        lots += sign * working.open
        cost += sign * working.open * working.price
        if lots:
            sums[key] = lots, cost
        else:
            del sums[key]

    def exposure(self, account: int, without: Iterable[Working] = ()) -> list[FillOf]:
        """What filling all of an account's orders would do, but for some of them.

        Lots and money are those of the orders one by one; for each instrument and side they are put
        into at most two fills, a tick apart.
        """
        sums = dict(self._sums.get(account, {}))
        for working in without:
            lots, cost = sums.get((working.instrument, working.side), (0, 0))
            left = lots - working.open, cost - working.open * working.price
            sums[working.instrument, working.side] = left
        found = []
        for (instrument, side), (lots, cost) in sums.items():
            if lots:
                price, dearer = divmod(cost, lots)
                for part, at in ((lots - dearer, price), (dearer, price + 1)):
                    if part:
                        found.append((instrument, SIGN[side] * part, at))
        return found

    def of_account(self, account: int) -> list[Working]:
        """The live orders of an account, oldest first."""
        return [self.by_id[order_id] for order_id in self._of_account.get(account, ())]

    def accounts(self) -> list[int]:
        """Accounts with live orders, ascending."""
        return sorted(self._of_account)

    def waiting(self) -> Iterator[Working]:
        """Orders whose trigger is not met, oldest first."""
        return (working for working in list(self.by_id.values()) if working.waiting)

    def follow(self, event: Event) -> None:
        """Keep up with the book. A rejection changes nothing: who submitted takes it back."""
        match event:
            case Accepted():
                working = self.by_id[event.order_id]
                self.rest(working, event.open)
                working.place = self._next_place()
            case Amended():
                self._amended(event)
            case Filled():
                self._filled(event.maker_order_id, event.quantity, event.maker_open)
                self._filled(event.taker_order_id, event.quantity, event.taker_open)
            case Cancelled():
                self.remove(event.order_id)

    def _amended(self, event: Amended) -> None:
        """The revision takes the order's place."""
        working = self.by_id[event.order_id]
        working.signed, working.revision = working.revision, None
        self.rest(working, event.open, event.price)
        if not event.kept_priority:
            working.place = self._next_place()

    def _filled(self, order_id: int, quantity: int, still_open: int) -> None:
        """A fill; what is filled whole is gone."""
        working = self.by_id[order_id]
        working.filled += quantity
        self.rest(working, still_open)
        if not still_open:
            self.remove(order_id)


def owner_group(account: Account) -> int:
    """32 bits of the owner's hash: the book keeps accounts of one group from trading.

    Two owners share a group with probability 2^-32; they then could not trade with each other.
    """
    owner = account.owner.to_bytes(20, "big")
    return int.from_bytes(hashlib.blake2b(owner, digest_size=4).digest(), "little")


def side_of(is_buy: bool) -> Side:
    """The book's side of an order."""
    return Side.BUY if is_buy else Side.SELL


def time_in_force(order: Order) -> TimeInForce:
    """What the order's flags ask of the part that does not trade at once."""
    if order.flags & OrderFlags.FILL_OR_KILL:
        return TimeInForce.FILL_OR_KILL
    if order.flags & OrderFlags.IMMEDIATE_OR_CANCEL:
        return TimeInForce.IMMEDIATE_OR_CANCEL
    return TimeInForce.GOOD_TILL


def book_flags(order: Order) -> Flags:
    """The flags that bind the book."""
    flags = Flags.NONE
    if order.flags & OrderFlags.POST_ONLY:
        flags |= Flags.POST_ONLY
    if order.flags & OrderFlags.REDUCE_ONLY:
        flags |= Flags.REDUCE_ONLY
    return flags


def last_second(signed: SignedOrder | SignedSheet) -> int:
    """When an order dies: its own end, or that of the session key's certificate."""
    certificate = signed.authorization.certificate
    good_till = signed.message.good_till
    return good_till if certificate is None else min(good_till, certificate.expiry)


def book_order(working: Working, group: int) -> BookOrder:
    """The book's form of a signed order that is about to enter."""
    assert working.signed is not None, "sheets enter as sheets"
    order = working.signed.message
    return BookOrder(
        order_id=working.order_id,
        account=order.account,
        owner_group=group,
        instrument=order.instrument,
        side=working.side,
        price=order.limit_price,
        quantity=order.quantity - working.filled,
        flags=book_flags(order),
        time_in_force=time_in_force(order),
        self_trade=working.self_trade,
        good_till=last_second(working.signed),
    )
