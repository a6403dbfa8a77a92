"""Many books under one clock and one event sequence, with what spans instruments."""

from __future__ import annotations

from collections.abc import Iterable

from novate.book.admission import Admit, Listen, PositionOf
from novate.book.book import Book
from novate.book.events import Event, Reason, Recorder
from novate.book.operations import Operation, OperationKind, operation_order, read_sheet
from novate.book.orders import (
    GOOD_TILL_CANCELLED,
    QUOTES_PER_SHEET_MAX,
    Flags,
    Order,
    Sheet,
    quote_orders,
)


class Exchange:
    """The matching of a venue. Every request returns its events, in order."""

    def __init__(self, admit: Admit, position: PositionOf, listen: Listen) -> None:
        self._admit = admit
        self._position = position
        self._recorder = Recorder(listen)
        self._books: dict[int, Book] = {}
        self._sheets: dict[int, list[tuple[int, int]]] = {}  # account: (instrument, order id)

    def book(self, instrument: int) -> Book:
        """The instrument's book; an empty one the first time. Whether the instrument may trade
        is admission's to say."""
        found = self._books.get(instrument)
        if found is None:
            found = Book(instrument, self._admit, self._position, self._recorder)
            self._books[instrument] = found
        return found

    def books(self) -> list[Book]:
        """All books, by instrument."""
        return [self._books[instrument] for instrument in sorted(self._books)]

    def submit(self, order: Order, now: int) -> list[Event]:
        """A new order."""
        self.book(order.instrument).submit(order, now)
        return self._recorder.take()

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
        """A revision of a resting order; see `Book.amend`."""
        self.book(instrument).amend(account, order_id, price, quantity, now, good_till)
        return self._recorder.take()

    def cancel(
        self,
        account: int,
        instrument: int,
        order_id: int,
        now: int,
        reason: str = Reason.REQUESTED,
    ) -> list[Event]:
        """Take one order out."""
        self.book(instrument).cancel(account, order_id, now, reason)
        return self._recorder.take()

    def cancel_all(self, account: int, now: int, reason: str = Reason.REQUESTED) -> list[Event]:
        """Take out every order and quote of an account, by instrument."""
        for book in self.books():
            book.cancel_all(account, now, reason)
        self._sheets.pop(account, None)
        return self._recorder.take()

    def mass_quote(self, sheet: Sheet, now: int) -> list[Event]:
        """A sheet takes the place of the account's previous one.

        Quotes of instruments that it no longer names go first. Then, quote by quote, the old
        quotes of the instrument go and the new one enters (both sides or neither), with nothing
        in between. A refused quote does not hold up the others. New quotes queue at the back.
        """
        if len(sheet.quotes) > QUOTES_PER_SHEET_MAX:
            self._recorder.rejected(0, sheet.account, sheet.first_order_id, Reason.SHEET_SIZE)
            return self._recorder.take()
        old: dict[int, list[int]] = {}
        for instrument, order_id in self._sheets.pop(sheet.account, ()):
            old.setdefault(instrument, []).append(order_id)
        named = {quote.instrument for quote in sheet.quotes}
        for instrument in sorted(old.keys() - named):
            self._withdraw(sheet.account, instrument, old.pop(instrument), now)
        placed: list[tuple[int, int]] = []
        for index, quote in enumerate(sheet.quotes):
            self._withdraw(sheet.account, quote.instrument, old.pop(quote.instrument, []), now)
            orders = [order for order in quote_orders(sheet, index) if order]
            self.book(quote.instrument).quote(orders, now)
            placed += [(quote.instrument, order.order_id) for order in orders]
        self._sheets[sheet.account] = placed
        return self._recorder.take()

    def expire(self, now: int) -> list[Event]:
        """Cancel in every book what ends at `now` or before."""
        for book in self.books():
            book.expire(now)
        return self._recorder.take()

    def run(self, operations: Iterable[Operation]) -> list[Event]:
        """Many requests in one call."""
        events: list[Event] = []
        stream = iter(operations)
        for operation in stream:
            if operation.kind == OperationKind.SHEET:
                events += self.mass_quote(read_sheet(operation, stream), operation.now)
            else:
                events += self._apply(operation)
        return events

    def _apply(self, operation: Operation) -> list[Event]:
        """One request that is not a sheet."""
        match operation.kind:
            case OperationKind.SUBMIT:
                return self.submit(operation_order(operation), operation.now)
            case OperationKind.AMEND:
                return self.amend(
                    operation.account,
                    operation.instrument,
                    operation.order_id,
                    operation.price,
                    operation.quantity,
                    operation.now,
                    operation.good_till,
                )
            case OperationKind.CANCEL:
                return self.cancel(
                    operation.account, operation.instrument, operation.order_id, operation.now
                )
            case OperationKind.CANCEL_ALL:
                return self.cancel_all(operation.account, operation.now)
            case OperationKind.EXPIRE:
                return self.expire(operation.now)
            case _:
                raise ValueError(f"operation {operation.kind} outside a sheet")

    def _withdraw(self, account: int, instrument: int, order_ids: list[int], now: int) -> None:
        """Cancel those of the account's old quotes that still rest."""
        book = self.book(instrument)
        book.expire(now)
        for order_id in order_ids:
            found = book.resting(order_id)
            if found and found[0].account == account and found[0].flags & Flags.QUOTE:
                book.cancel(account, order_id, now, Reason.QUOTE_REPLACED)
