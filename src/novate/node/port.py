"""What the node asks of the engine and of the book, so that either implementation can stand in.

The engine is the law at work on one open batch: the same methods and meaning whether it is written
in Python or in Rust. A refused record leaves no trace in it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

from novate.book.admission import Admit, Listen, PositionOf
from novate.book.events import Event
from novate.book.orders import Order as BookOrder
from novate.book.orders import Sheet as BookSheet
from novate.spec.journal import Health, Journal
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import Batch, Due, MarketReports, Trade
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import Parameters
from novate.spec.state import Account, Roots, State

FillOf = tuple[int, int, int]
"""(instrument, signed lots, price in ticks) of an assumed fill."""


class Sealed(Protocol):
    """A batch that the law has judged."""

    @property
    def batch(self) -> Batch:
        """Its transactions."""

    @property
    def data(self) -> bytes:
        """Its `full` form."""

    @property
    def journal(self) -> Journal:
        """What happened."""


class Engine(Protocol):
    """The law over one state, with at most one batch and one round open."""

    @property
    def blamed(self) -> int | None:
        """The holder whose margin refused the last record; None if something else did."""

    def begin(
        self, fork: int = 0, parameters: Parameters | None = None, reset_slots: bool = False
    ) -> None:
        """Open a batch. InvalidBatch if its header is not legal."""

    def open(
        self,
        time: int,
        reports: Sequence[MarketReports] = (),
        requests: Sequence[Request] = (),
    ) -> None:
        """Open a round. LawError: nothing happened."""

    def change(self, change: Change) -> None:
        """Phase 3; LawError: refused."""

    def bring(self, due: Due) -> None:
        """Phase 4; LawError: refused."""

    def read_order(self, order: SignedOrder) -> int:
        """Add an order to the round's list; returns its place."""

    def read_sheet(self, sheet: SignedSheet) -> int:
        """Add a sheet to the round's list; returns its place."""

    def trade(self, trade: Trade) -> None:
        """Phase 5, with the margin rule of everyone in it; LawError: refused."""

    def move(self, move: Move) -> None:
        """Phase 6, with the margin rule of both ends; LawError: refused."""

    def close(self) -> None:
        """Seal the open round."""

    def seal(self) -> Sealed:
        """Seal the open batch and go on from the state it gives."""

    def apply_data(self, data: bytes) -> Journal:
        """Judge a whole batch in `full` form. LawError: nothing changed."""

    def state(self) -> State:
        """The state after the last sealed batch."""

    def roots(self) -> Roots:
        """The roots of that state."""

    def account(self, index: int) -> Account:
        """An account as it stands now; Rejection `unknown_account`."""

    def position(self, account: int, instrument: int) -> int:
        """Signed lots an account holds now."""

    def mark(self, instrument: int) -> int:
        """The mark at the open round's snapshot, ticks."""

    def health(self, account: int) -> Health:
        """Equity and margins of an account at the open round's snapshot."""

    def health_after(self, account: int, changes: Sequence[FillOf]) -> Health:
        """The same as if the account had also filled `changes`, without fees; nothing changes."""

    def below_maintenance(self) -> list[int]:
        """Accounts with E < M at the open round's snapshot or in liquidation, ascending."""

    def holders_of_settled(self) -> list[int]:
        """Accounts that still hold a position in a settled instrument, ascending."""


class EngineKit(Protocol):
    """How to start an engine, and states as bytes."""

    def start(self, state: State) -> Engine:
        """An engine at a state."""

    def encode_state(self, state: State) -> bytes:
        """The canonical bytes of a state."""

    def decode_state(self, data: bytes) -> State:
        """The state of exactly these bytes; DecodeError if there is none."""


class Book(Protocol):
    """The matching of a venue; see `novate.book.exchange.Exchange`."""

    def submit(self, order: BookOrder, now: int) -> list[Event]:
        """A new order."""

    def amend(
        self,
        account: int,
        instrument: int,
        order_id: int,
        price: int,
        quantity: int,
        now: int,
        good_till: int,
    ) -> list[Event]:
        """A revision of a resting order."""

    def cancel(
        self, account: int, instrument: int, order_id: int, now: int, reason: str
    ) -> list[Event]:
        """Take one order out."""

    def mass_quote(self, sheet: BookSheet, now: int) -> list[Event]:
        """A sheet in place of the account's previous one."""

    def expire(self, now: int) -> list[Event]:
        """Cancel what ends at `now` or before."""


BookFactory = Callable[[Admit, PositionOf, Listen], Book]


def named(path: str) -> Any:
    """The object that `module:attribute` names. ImportError or AttributeError if there is none."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def engine_kit(path: str) -> EngineKit:
    """The engine kit of a configuration: an object or a class without arguments."""
    found = named(path)
    return cast(EngineKit, found() if isinstance(found, type) else found)


def book_factory(path: str) -> BookFactory:
    """The book of a configuration."""
    return cast(BookFactory, named(path))
