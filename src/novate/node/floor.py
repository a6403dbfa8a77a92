"""The floor: orders from signature to book, under one engine and one book.

Every entry point takes the time from its record. What the book says comes back as events; what was
signed stays in the table until the order is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from novate.book.admission import Candidate, Verdict
from novate.book.events import Event, Filled, Rejected
from novate.book.orders import QUANTITY_LIMIT, SIGN, Flags, Side, TimeInForce
from novate.book.orders import Order as BookOrder
from novate.book.orders import Quote as BookQuote
from novate.book.orders import Sheet as BookSheet
from novate.node.admission import fits
from novate.node.clearing import Clearing
from novate.node.liquidator import Step
from novate.node.orders import (
    IDS_OF_RECORD,
    OrderTable,
    Working,
    book_order,
    last_second,
    owner_group,
    side_of,
)
from novate.node.outcome import NodeReason, Outcome, refused
from novate.node.port import BookFactory, Engine, FillOf
from novate.node.records import CancelIn, OrderIn, SheetIn
from novate.spec.errors import LawError, Reason
from novate.spec.messages.orders import Order, OrderFlags, Sheet, SignedOrder
from novate.spec.parameters import Parameters
from novate.spec.presets import Preset
from novate.spec.state import Account

HINTS: Final = int(OrderFlags.POST_ONLY | OrderFlags.IMMEDIATE_OR_CANCEL | OrderFlags.FILL_OR_KILL)

Entered = tuple[list[Working], BookOrder | BookSheet | None]
"""What rested: the sides it lists and its form in the book; None: it waits for its trigger."""


class Floor:
    """Live orders of one venue."""

    def __init__(
        self, engine: Engine, preset: Preset, parameters: Parameters, make_book: BookFactory
    ) -> None:
        """No orders yet."""
        self.engine = engine
        self.preset = preset
        self.parameters = parameters
        self.orders = OrderTable()
        self.clearing = Clearing(engine, preset, self.orders, self._enter, self.identity)
        self._loading: Side | None = None
        """The side of the order being loaded, if one is."""
        self._sheet_fits = False
        """The sheet under way was found to fit as a whole."""
        self._identities: dict[int, Account] = {}
        self.book = make_book(self._admit, self._position, self._listen)

    def identity(self, index: int) -> Account:
        """Owner, keys, epochs and tier of an account; its cash and positions may be old.

        They change only when a round opens. Rejection `unknown_account`.
        """
        account = self._identities.get(index)
        if account is None:
            account = self._identities[index] = self.engine.account(index)
        return account

    def forget_identities(self) -> None:
        """A round has opened, or a state was begun from."""
        self._identities.clear()

    # The book's questions.

    def _admit(self, candidate: Candidate) -> Verdict:
        """Loading asks nothing: what is loaded was admitted before."""
        if self._loading is not None:
            return Verdict(candidate.quantity)
        return self.clearing.admit(candidate)

    def _position(self, account: int, instrument: int) -> int:
        """Signed lots for reduce-only, which does not bind loading."""
        if self._loading is not None:
            return -SIGN[self._loading] * QUANTITY_LIMIT
        return self.clearing.position(account, instrument)

    def _listen(self, event: Event) -> None:
        """Both tables follow every event before the book goes on."""
        self.orders.follow(event)
        self.clearing.follow(event)

    def _enter(self, candidate: Candidate) -> Verdict:
        """Whether the account can carry this order besides its others."""
        order = candidate.order
        working = self.orders.by_id[order.order_id]
        if working.is_forced or (working.sheet is not None and self._sheet_fits):
            return Verdict(candidate.quantity)
        lots = candidate.quantity if order.side == Side.BUY else -candidate.quantity
        changes = [(order.instrument, lots, order.price)]
        changes += self.orders.exposure(order.account, [working])
        if self._fits(order.account, changes):
            return Verdict(candidate.quantity)
        return Verdict(0, str(Reason.INSUFFICIENT_MARGIN))

    def _fits(self, account: int, changes: list[FillOf]) -> bool:
        """Whether the account can carry these orders; an instrument nobody knows cannot fit."""
        try:
            return fits(self.engine, account, changes, self.parameters.step_loss_ppm)
        except LawError:
            return False

    # Orders.

    def order(self, sequence: int, record: OrderIn, now: int) -> Outcome:
        """A new order, or a revision of the one that lives in its slot under the same nonce."""
        order = record.signed.message
        live = self.orders.by_slot.get((order.account, order.slot))
        if live is not None and live.nonce == order.nonce and live.signed is not None:
            return self._revise(live, record.signed, now)
        reason = self._objection(order)
        if reason:
            return refused(reason)
        events: list[Event] = []
        if live is not None:
            events += self._cancel(live, now, NodeReason.SIGNED_ANEW)
        working = Working(
            order_id=sequence * IDS_OF_RECORD,
            account=order.account,
            instrument=order.instrument,
            side=side_of(order.is_buy),
            price=order.limit_price,
            slot=order.slot,
            nonce=order.nonce,
            signed=record.signed,
            self_trade=record.self_trade,
        )
        self.orders.add(working)
        if order.trigger_price and not self._is_triggered(order):
            return self._wait(working, events)
        return self._submit(working, events, now)

    def _objection(self, order: Order) -> str:
        """Why an order may not enter whatever the market."""
        if order.slot >= self.preset.slots_max:
            return Reason.SLOT_OUT_OF_RANGE
        if order.nonce <= self.orders.seen.get((order.account, order.slot), 0):
            return Reason.STALE_NONCE
        return "" if self._pays(order.account, order.max_fee_ppm) else Reason.FEE_TOO_HIGH

    def _pays(self, account: int, max_fee_ppm: int) -> bool:
        """Whether a signer accepts the rates of the account's tier, as maker and as taker."""
        rates = self.clearing.fee_rates(account)
        return max_fee_ppm >= max(rates.taker_ppm, rates.maker_ppm)

    def _is_triggered(self, order: Order) -> bool:
        """Whether the mark at the opening snapshot meets the trigger."""
        mark = self.engine.mark(order.instrument)
        if order.flags & OrderFlags.TRIGGER_ABOVE:
            return mark >= order.trigger_price
        return mark <= order.trigger_price

    def _wait(self, working: Working, events: list[Event]) -> Outcome:
        """The order waits for its trigger; it rests nowhere, but margin is asked for it now."""
        assert working.signed is not None
        lots = working.signed.message.quantity
        self.orders.rest(working, lots)
        if not self._fits(working.account, self.orders.exposure(working.account)):
            self.orders.remove(working.order_id)
            return refused(Reason.INSUFFICIENT_MARGIN, tuple(events))
        working.waiting = True
        return Outcome("", working.order_id, 0, lots, tuple(events))

    def _submit(self, working: Working, events: list[Event], now: int) -> Outcome:
        """Into the book; what the book or admission refuses is as if it had not come."""
        working.waiting = False
        self.orders.rest(working, 0)
        group = owner_group(self.identity(working.account))
        found = self.book.submit(book_order(working, group), now)
        return self._answer(working, events + found)

    def _answer(self, working: Working, events: list[Event]) -> Outcome:
        """What the events say of one order."""
        order_id = working.order_id
        reason = next(
            (e.reason for e in events if isinstance(e, Rejected) and e.order_id == order_id), ""
        )
        filled = sum(
            e.quantity for e in events if isinstance(e, Filled) and e.taker_order_id == order_id
        )
        live = self.orders.by_id.get(order_id)
        if reason and live is not None and live.open == 0:
            self.orders.remove(order_id)
        still_open = live.open if live is not None else 0
        return Outcome(reason, order_id, filled, still_open, tuple(events))

    def _revise(self, live: Working, signed: SignedOrder, now: int) -> Outcome:
        """The same nonce signed again: only limit, total, end and fee may differ."""
        assert live.signed is not None
        old, new = live.signed.message, signed.message
        fixed = ("instrument", "is_buy", "trigger_price")
        same_flags = (old.flags ^ new.flags) & ~HINTS == 0
        if not same_flags or any(getattr(old, name) != getattr(new, name) for name in fixed):
            return refused(NodeReason.REVISION_DIFFERS)
        if not self._pays(new.account, new.max_fee_ppm):
            return refused(Reason.FEE_TOO_HIGH)
        if live.waiting:
            live.signed = signed
            self.orders.rest(live, new.quantity, new.limit_price)
            return Outcome("", live.order_id, 0, new.quantity)
        if new.quantity <= live.filled:
            return Outcome(
                "", live.order_id, 0, 0, tuple(self._cancel(live, now, "amended_to_filled"))
            )
        live.revision = signed
        events = self.book.amend(
            live.account,
            live.instrument,
            live.order_id,
            new.limit_price,
            new.quantity - live.before,
            now,
            last_second(signed),
        )
        live.revision = None
        return self._answer(live, events)

    # Sheets.

    def sheet(self, sequence: int, record: SheetIn, now: int) -> Outcome:
        """A mass quote in place of the account's previous one."""
        sheet = record.signed.message
        reason = self._objection_to_sheet(sheet)
        if reason:
            return refused(reason)
        events: list[Event] = []
        for slot in range(sheet.base_slot, sheet.base_slot + 2 * len(sheet.quotes)):
            live = self.orders.by_slot.get((sheet.account, slot))
            if live is not None and live.sheet is None:
                events += self._cancel(live, now, NodeReason.SIGNED_ANEW)
        first = sequence * IDS_OF_RECORD
        old = [w for w in self.orders.of_account(sheet.account) if w.sheet is not None]
        sides = self._list_sides(first, record)
        others = self.orders.exposure(sheet.account, old)
        self._sheet_fits = self._fits(
            sheet.account, others + [quoted_change(w, sheet) for w in sides]
        )
        events += self.book.mass_quote(
            book_sheet(record, first, owner_group(self.identity(sheet.account))), now
        )
        for working in sides:
            if working.open == 0:
                self.orders.remove(working.order_id)
        filled = sum(
            e.quantity
            for e in events
            if isinstance(e, Filled) and first <= e.taker_order_id < first + IDS_OF_RECORD
        )
        still_open = sum(working.open for working in sides)
        return Outcome("", first, filled, still_open, tuple(events))

    def _objection_to_sheet(self, sheet: Sheet) -> str:
        """Why a sheet may not enter whatever the market."""
        sides = 2 * len(sheet.quotes)
        if sheet.base_slot + sides > self.preset.slots_max:
            return Reason.SLOT_OUT_OF_RANGE
        slots = range(sheet.base_slot, sheet.base_slot + sides)
        newest = max(self.orders.seen.get((sheet.account, slot), 0) for slot in slots)
        if sheet.nonce <= newest:
            return Reason.STALE_NONCE
        return "" if self._pays(sheet.account, sheet.max_fee_ppm) else Reason.FEE_TOO_HIGH

    def _list_sides(self, first: int, record: SheetIn) -> list[Working]:
        """The sides that quote something, entered in the table; every slot has seen the nonce."""
        sheet = record.signed.message
        sides = []
        for number, quote in enumerate(sheet.quotes):
            for side in Side:
                slot = sheet.slot(number, side == Side.BUY)
                self.orders.seen[sheet.account, slot] = sheet.nonce
                is_bid = side == Side.BUY
                if quote.bid_quantity if is_bid else quote.ask_quantity:
                    working = Working(
                        order_id=first + 2 * number + int(side),
                        account=sheet.account,
                        instrument=quote.instrument,
                        side=side,
                        price=quote.bid_price if is_bid else quote.ask_price,
                        slot=slot,
                        nonce=sheet.nonce,
                        sheet=record.signed,
                        quote=number,
                        self_trade=record.self_trade,
                        post_only=record.post_only,
                    )
                    self.orders.add(working)
                    sides.append(working)
        return sides

    # Cancels.

    def cancel(self, record: CancelIn, now: int) -> Outcome:
        """Take out what lives in a slot."""
        message = record.message
        key = message.account, message.slot
        live = self.orders.by_slot.get(key)
        self.orders.seen[key] = max(self.orders.seen.get(key, 0), message.nonce)
        if live is None or live.nonce > message.nonce:
            return refused(NodeReason.NOTHING_IN_SLOT)
        order_id, lots = live.order_id, live.open
        events = self._cancel(live, now, "requested")
        return Outcome("", order_id, 0, lots, tuple(events))

    def _cancel(self, working: Working, now: int, reason: str) -> list[Event]:
        """Out of book and table."""
        if working.waiting:
            self.orders.remove(working.order_id)
            return []
        return self.book.cancel(
            working.account, working.instrument, working.order_id, now, str(reason)
        )

    def cancel_account(self, account: int, now: int, reason: str) -> list[Event]:
        """Take out every order and quote of an account."""
        events: list[Event] = []
        for working in self.orders.of_account(account):
            if working.order_id in self.orders.by_id:
                events += self._cancel(working, now, reason)
        return events

    def cancel_everything(self, now: int, reason: str) -> list[Event]:
        """Take out all orders of all accounts."""
        events: list[Event] = []
        for account in self.orders.accounts():
            events += self.cancel_account(account, now, reason)
        return events

    # A new round.

    def open_round(self, time: int, now: int) -> list[Event]:
        """Before any fill at the new snapshot: what ended, what no longer fits, what triggers."""
        self.clearing.open_round(time)
        events = self.book.expire(now)
        for working in list(self.orders.waiting()):
            if working.signed is not None and last_second(working.signed) <= now:
                events += self._cancel(working, now, "expired")
        for account in self.orders.accounts():
            events += self._shed(account, now)
        events += self._rest_untriggered(now)
        for working in list(self.orders.waiting()):
            assert working.signed is not None
            if self._is_triggered(working.signed.message):
                events += self._submit(working, [], now).events
        return events

    def _shed(self, account: int, now: int) -> list[Event]:
        """Cancel the account's newest orders until it can carry the rest."""
        if self._fits(account, self.orders.exposure(account)):
            return []
        events: list[Event] = []
        live = sorted(self.orders.of_account(account), key=lambda working: working.place)
        changes = [working.change for working in live]
        while live and not self._fits(account, changes):
            working = live.pop()
            changes.pop()
            if working.order_id in self.orders.by_id:
                events += self._cancel(working, now, NodeReason.NO_LONGER_FITS)
        return events

    def _rest_untriggered(self, now: int) -> list[Event]:
        """Orders in the book whose trigger is no longer met, and that never filled, wait again."""
        events: list[Event] = []
        for working in list(self.orders.by_id.values()):
            signed = working.signed
            if signed is None or working.waiting or working.filled:
                continue
            if signed.message.trigger_price and not self._is_triggered(signed.message):
                events += self._cancel(working, now, NodeReason.TRIGGER_NOT_MET)
                self.orders.add(working)
                working.waiting = True
        return events

    def step(self, order_id: int, step: Step, now: int) -> list[Event]:
        """An order that nobody signed, of an account in liquidation: trades at once or not."""
        working = Working(
            order_id=order_id,
            account=step.account,
            instrument=step.instrument,
            side=side_of(step.is_buy),
            price=step.price,
            slot=0,
            nonce=0,
        )
        self.orders.add(working)
        order = BookOrder(
            order_id=order_id,
            account=step.account,
            owner_group=owner_group(self.identity(step.account)),
            instrument=step.instrument,
            side=working.side,
            price=step.price,
            quantity=step.quantity,
            flags=Flags.REDUCE_ONLY,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        events = self.book.submit(order, now)
        self.orders.remove(order_id)
        return events

    # Loading.

    def load(self, entered: Iterable[Entered]) -> None:
        """Fill an empty book with what rested before, in the order of its places."""
        for listed, order in entered:
            for working in listed:
                self.orders.add(working)
            if isinstance(order, BookOrder):
                self._loading = order.side
                self.book.submit(order, 0)
            elif order is not None:
                self._loading = Side.BUY
                self.book.mass_quote(order, 0)
        self._loading = None


def quoted_change(working: Working, sheet: Sheet) -> FillOf:
    """What filling one side of a quote whole would do."""
    quote = sheet.quotes[working.quote]
    if working.side == Side.BUY:
        return working.instrument, quote.bid_quantity, working.price
    return working.instrument, -quote.ask_quantity, working.price


def book_sheet(record: SheetIn, first: int, group: int) -> BookSheet:
    """The book's form of a signed sheet."""
    sheet = record.signed.message
    return BookSheet(
        account=sheet.account,
        owner_group=group,
        first_order_id=first,
        quotes=tuple(BookQuote(*quote) for quote in sheet.quotes),
        flags=Flags.POST_ONLY if record.post_only else Flags.NONE,
        self_trade=record.self_trade,
        good_till=last_second(record.signed),
    )
