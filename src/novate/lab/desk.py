"""Between matching and law: signs simulated orders, keeps their slots, admits fills by the law.

An order is admitted when its signature verifies; a fill when the whole trade passes the law in the
open round. The book asks the maker first, so a trade is tried then and the taker's answer kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from novate.book.admission import Candidate, Stage, Verdict
from novate.book.events import Cancelled, Event, Filled, Rejected
from novate.book.exchange import Exchange
from novate.book.operations import Operation, OperationKind
from novate.book.orders import Order as BookOrder
from novate.book.orders import Sheet as BookSheet
from novate.book.orders import Side, TimeInForce
from novate.lab.venue import Venue
from novate.lab.wallets import Wallet
from novate.native import NativePrimitives, sign_many
from novate.spec.errors import LawError
from novate.spec.holders import quantity_of
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.orders import (
    ORDER_TAG,
    SHEET_TAG,
    Authorization,
    Order,
    OrderFlags,
    Quote,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.primitives import SignatureCheck

MAX_FEE_PPM = 1_000
"""Largest fee rate the simulated traders accept."""


class Working(NamedTuple):
    """A live order of the book and what its owner signed."""

    signed: SignedOrder | None
    sheet: SignedSheet | None
    quote: int


class Desk:
    """The orders of simulated traders, from signature to fill."""

    def __init__(self, venue: Venue, wallets: Mapping[int, Wallet], good_till: int) -> None:
        """Wallets by account; every order is good until `good_till`."""
        self._venue = venue
        self._wallets = wallets
        self._good_till = good_till
        self._primitives = NativePrimitives()
        self.exchange = Exchange(self._admit, self._position, self._listen)
        self._working: dict[int, Working] = {}
        self._free: dict[int, list[int]] = {}
        self._nonce = 0
        self._places: dict[int, int] = {}
        """Place of each order or sheet (by its first order id) in the open round's book."""
        self._answers: dict[tuple[int, int], str] = {}
        """What the taker will be answered, by (maker, taker): '' or a reason."""
        self._passed_by: list[BookOrder] = []
        """Makers whose taker was refused. The feed says they traded: they leave the book."""
        self.orders = 0
        self.refused: dict[str, int] = {}

    def new_round(self) -> None:
        """Orders have to be read again into the book of every round that fills them."""
        self._places.clear()

    def run(self, operations: Sequence[Operation]) -> list[Event]:
        """Sign, verify and submit a block of operations."""
        self._sign(operations)
        events = self.exchange.run(operations)
        now = operations[-1].now if operations else 0
        for order in self._passed_by:
            events += self.exchange.cancel(order.account, order.instrument, order.order_id, now)
        self._passed_by.clear()
        return events

    def quote(self, sheet: BookSheet, base_slot: int, now: int) -> list[Event]:
        """Sign and submit a mass quote whose quotes live from `base_slot` on."""
        self._nonce += 1
        quotes = tuple(Quote(*quote) for quote in sheet.quotes)
        message = Sheet(sheet.account, base_slot, self._nonce, self._good_till, MAX_FEE_PPM, quotes)
        elements = message.elements(self._venue.draft.domain(), 0)
        wallet = self._wallets[sheet.account]
        signed = SignedSheet(message, wallet.authorize(self._primitives, SHEET_TAG, elements))
        for number in range(2 * len(quotes)):
            self._working[sheet.first_order_id + number] = Working(None, signed, number >> 1)
        self.orders += 2 * len(quotes)
        return self.exchange.mass_quote(sheet, now)

    def _sign(self, operations: Sequence[Operation]) -> None:
        """Sign what each operation needs signed, by wallet in one call, and verify all of it."""
        messages: list[tuple[int, Order]] = []
        for operation in operations:
            if operation.kind == OperationKind.SUBMIT:
                messages.append((operation.order_id, self._order(operation, self._slot(operation))))
            elif operation.kind == OperationKind.AMEND:
                working = self._working.get(operation.order_id)
                if working is not None and working.signed is not None:
                    revised = working.signed.message._replace(
                        limit_price=operation.price, quantity=operation.quantity
                    )
                    messages.append((operation.order_id, revised))
        if messages:
            self._keep(messages)

    def _keep(self, messages: list[tuple[int, Order]]) -> None:
        """Sign and verify messages, and remember them by order id."""
        domain = self._venue.draft.domain()
        rows = [message.elements(domain, 0) for _, message in messages]
        digests = self._primitives.hash_many(ORDER_TAG, rows)
        by_account: dict[int, list[int]] = {}
        for place, (_, message) in enumerate(messages):
            by_account.setdefault(message.account, []).append(place)
        checks: list[SignatureCheck] = []
        for account, places in by_account.items():
            wallet = self._wallets[account]
            signatures = sign_many(wallet.secret, [digests[place] for place in places])
            for place, signature in zip(places, signatures, strict=True):
                order_id, message = messages[place]
                signed = SignedOrder(message, Authorization(signature))
                self._working[order_id] = Working(signed, None, 0)
                checks.append(SignatureCheck(wallet.key, digests[place], signature))
        if not all(self._primitives.verify_many(checks)):
            raise AssertionError("a simulated trader's own signature does not verify")
        self.orders += len(messages)

    def _slot(self, operation: Operation) -> int:
        """A free slot of the account."""
        slots = self._free.get(operation.account)
        if slots is None:
            slots = list(range(self._venue.state.preset.slots_max - 1, -1, -1))
            self._free[operation.account] = slots
        return slots.pop()

    def _order(self, operation: Operation, slot: int) -> Order:
        """The law's order for a submit operation."""
        self._nonce += 1
        flags = OrderFlags.NONE
        if operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL:
            flags |= OrderFlags.IMMEDIATE_OR_CANCEL
        return Order(
            account=operation.account,
            instrument=operation.instrument,
            is_buy=operation.side == Side.BUY,
            limit_price=operation.price,
            quantity=operation.quantity,
            slot=slot,
            nonce=self._nonce,
            good_till=self._good_till,
            max_fee_ppm=MAX_FEE_PPM,
            flags=int(flags),
        )

    def _position(self, account: int, instrument: int) -> int:
        """Signed lots held now."""
        return quantity_of(self._venue.draft.account(account).positions, instrument)

    def _listen(self, event: Event) -> None:
        """Free the slot of an order that is gone."""
        if isinstance(event, Cancelled | Rejected):
            self._forget(event.account, event.order_id)
        elif isinstance(event, Filled):
            if event.maker_open == 0:
                self._forget(event.maker_account, event.maker_order_id)
            if event.taker_open == 0:
                self._forget(event.taker_account, event.taker_order_id)

    def _forget(self, account: int, order_id: int) -> None:
        """An order is gone: its slot may be used again, with a newer nonce."""
        working = self._working.pop(order_id, None)
        self._places.pop(order_id, None)
        if working is not None and working.signed is not None:
            self._free[account].append(working.signed.message.slot)

    def _admit(self, candidate: Candidate) -> Verdict:
        """The book's question. Entering needs a verified signature, a fill the law's consent."""
        if candidate.stage != Stage.FILL:
            return Verdict(candidate.quantity)
        assert candidate.counterparty is not None, "a fill has two sides"
        order, other = candidate.order, candidate.counterparty
        kept = self._answers.pop((other.order_id, order.order_id), None)
        if kept is not None:
            return Verdict(0, kept) if kept else Verdict(candidate.quantity)
        reason = self._try(order, other, candidate.price, candidate.quantity)
        if reason and self._venue.blamed != other.account:
            return Verdict(0, reason)
        self._answers[order.order_id, other.order_id] = reason
        if reason:
            self._passed_by.append(order)
        return Verdict(candidate.quantity)

    def _try(self, maker: BookOrder, taker: BookOrder, price: int, quantity: int) -> str:
        """Apply the trade in the open round; the reason if the law refuses it."""
        buyer, seller = (maker, taker) if maker.side == Side.BUY else (taker, maker)
        fill = Fill(
            instrument=maker.instrument,
            price=price,
            quantity=quantity,
            buyer=self._side(buyer),
            seller=self._side(seller),
            maker_is_buyer=maker.side == Side.BUY,
        )
        try:
            self._venue.trade(Trade((fill,)))
        except LawError as error:
            self.refused[error.reason] = self.refused.get(error.reason, 0) + 1
            return error.reason
        return ""

    def _side(self, order: BookOrder) -> SideOf:
        """The place of an order or sheet in the round's book; read into it at its first fill."""
        working = self._working[order.order_id]
        if working.sheet is not None:
            key = -working.sheet.message.nonce
            if key not in self._places:
                self._places[key] = self._venue.read_sheet(working.sheet)
            return SideOf(SideKind.QUOTE, self._places[key], working.quote)
        assert working.signed is not None, "an order has a signature"
        place = self._places.get(order.order_id)
        if place is None or self._venue.round.book.orders[place] is not working.signed:
            place = self._venue.read_order(working.signed)
            self._places[order.order_id] = place
        return SideOf(SideKind.ORDER, place)
