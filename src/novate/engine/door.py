"""The engine over the specification's types: whole batches, or one open batch record by record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from novate.engine.border import decode, encode
from novate.engine.changes import EngineJournal, KeptState
from novate.native.engine import Engine as Compiled
from novate.spec.errors import DecodeError, InvalidBatch, LawError, Rejection
from novate.spec.journal import Health, Journal
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import Batch, Due, MarketReports, Trade
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import Parameters
from novate.spec.state import Account, Roots, State

T = TypeVar("T")

FAMILIES: dict[str, type[LawError]] = {
    "Rejection": Rejection,
    "InvalidBatch": InvalidBatch,
    "DecodeError": DecodeError,
}


class EngineError(ValueError):
    """The state contradicts itself, or a call came out of turn; nothing changed."""


class TooWide(DecodeError):
    """A number that no field of the engine holds: refused before any rule sees it."""


class Sealed:
    """A sealed batch; its transactions are decoded when somebody asks for them."""

    def __init__(self, batch: bytes, data: bytes, journal: Journal) -> None:
        """`batch`: encoded; `data`: its `full` form; `journal`: what came of it."""
        self._encoded = batch
        self.data = data
        self.journal = journal

    @cached_property
    def batch(self) -> Batch:
        """The batch."""
        found: Batch = decode(Batch, self._encoded)
        return found


class Engine:
    """One state; at most one batch is open between `begin` and `seal`, in it one round.

    Methods and meaning are those of a sequencer over the law: what is refused raises the law's
    error and leaves no trace. What no rule decides is an EngineError.
    """

    def __init__(self, state: State) -> None:
        """Start from a state. EngineError if it contradicts itself."""
        self._start(encode(State, state), KeptState(state))

    @classmethod
    def of(cls, dump: bytes) -> Engine:
        """Start from the bytes of a state. DecodeError if they are none, EngineError as above."""
        made = cls.__new__(cls)
        made._start(dump, KeptState(dump))
        return made

    def _start(self, dump: bytes, kept: KeptState) -> None:
        """A compiled engine, and the state as the specification has it."""
        self._kept = kept
        self._compiled: Compiled = _law(lambda: Compiled(dump))

    # Whole batches.

    def apply(self, batch: Batch) -> Journal:
        """Judge a batch and go on from the state it gives. LawError: nothing changed."""
        data = encode(Batch, batch)
        return self._journal(_law(lambda: self._compiled.apply(data)))

    def apply_data(self, data: bytes) -> Journal:
        """Judge the batch of `full` data; DecodeError also if they are none."""
        return self._journal(_law(lambda: self._compiled.apply_data(data)))

    def _journal(self, answer: tuple[list[bytes], bytes]) -> Journal:
        """The journal of a batch that was applied, with its lists and states on demand."""
        parts, changes = answer
        before, self._kept = self._kept, KeptState(self._kept, changes)
        return EngineJournal(parts, before, self._kept)

    def state(self) -> State:
        """The state after the last batch that was applied or sealed."""
        return self._kept.get()

    def dump(self) -> bytes:
        """The bytes of that state, in the border encoding. EngineError while a batch is open."""
        return _law(self._compiled.state)

    def roots(self) -> Roots:
        """The roots of that state."""
        found: Roots = decode(Roots, self._compiled.roots())
        return found

    # Record by record.

    @property
    def blamed(self) -> int | None:
        """The holder whose margin refused the last record; None if something else did."""
        return self._compiled.blamed()

    def begin(
        self, fork: int = 0, parameters: Parameters | None = None, reset_slots: bool = False
    ) -> None:
        """Open a batch; one that was open is forgotten. LawError if the header is not legal."""
        data = encode(Parameters | None, parameters)
        _law(lambda: self._compiled.begin(fork, data, reset_slots))

    def abandon(self) -> None:
        """Forget the open batch, if there is one."""
        self._compiled.abandon()

    def open(
        self,
        time: int,
        reports: Sequence[MarketReports] = (),
        requests: Sequence[Request] = (),
    ) -> None:
        """Open a round with its snapshots and inbox requests."""
        listed = encode(tuple[MarketReports, ...], reports), encode(tuple[Request, ...], requests)
        _law(lambda: self._compiled.open(time, *listed))

    def change(self, change: Change) -> None:
        """Try a change of key, epoch or tier."""
        _law(lambda: self._compiled.change(encode(Change, change)))

    def bring(self, due: Due) -> None:
        """Try a touch, a liquidation or a fund's deleveraging."""
        _law(lambda: self._compiled.bring(encode(Due, due)))

    def read_order(self, order: SignedOrder) -> int:
        """Add an order to the round's book; returns its place. Its signature is judged now."""
        return self.read_orders([order])

    def read_orders(self, orders: Sequence[SignedOrder]) -> int:
        """Add orders, their signatures judged together; returns the place of the first."""
        data = encode(tuple[SignedOrder, ...], orders)
        return _law(lambda: self._compiled.read_orders(data))

    def read_sheet(self, sheet: SignedSheet) -> int:
        """Add a mass quote to the round's book; returns its place."""
        data = encode(tuple[SignedSheet, ...], (sheet,))
        return _law(lambda: self._compiled.read_sheets(data))

    def trade(self, trade: Trade) -> None:
        """Try a trade, and the margin rule of everyone in it."""
        _law(lambda: self._compiled.trade(encode(Trade, trade)))

    def move(self, move: Move) -> None:
        """Try a transfer, position move or withdrawal, and the margin rule of both ends."""
        _law(lambda: self._compiled.submit_move(encode(Move, move)))

    def close(self) -> None:
        """Seal the open round: orders and sheets that no fill refers to are left out."""
        _law(self._compiled.close)

    def seal(self) -> Sealed:
        """Seal the open batch and go on from the state it gives. LawError: it stays open."""
        batch, data, answer = _law(self._compiled.seal)
        return Sealed(batch, data, self._journal(answer))

    # Looking at the open batch.

    def account(self, index: int) -> Account:
        """An account as it stands now; Rejection `unknown_account`."""
        found: Account = decode(Account, _law(lambda: self._compiled.account(index)))
        return found

    def position(self, account: int, instrument: int) -> int:
        """Signed lots an account holds now, deleveraging and settlement included."""
        return _law(lambda: self._compiled.position(account, instrument))

    def mark(self, instrument: int) -> int:
        """The mark of an instrument at the open round's snapshot, ticks."""
        return _law(lambda: self._compiled.mark(instrument))

    def health(self, account: int) -> Health:
        """Equity, maintenance and initial margin at the open round's snapshot, as if touched."""
        return self.health_after(account, ())

    def health_after(self, account: int, changes: Sequence[tuple[int, int, int]]) -> Health:
        """The same as if the account had also filled (instrument, signed lots, price) each.

        Fees are left out; nothing changes.
        """
        listed = list(changes)
        return Health(*_law(lambda: self._compiled.health_after(account, listed)))

    def below_maintenance(self) -> list[int]:
        """Accounts with E < M at the open round's snapshot or in liquidation, ascending."""
        return _law(self._compiled.below_maintenance)

    def holders_of_settled(self) -> list[int]:
        """Accounts that still hold a position in a settled instrument, ascending."""
        return _law(self._compiled.holders_of_settled)


def _law(call: Callable[[], T]) -> T:
    """The result of a compiled call, or the law's error for what it refused."""
    try:
        return call()
    except ValueError as error:
        raise _error(error.args) from None
    except OverflowError as error:  # an argument that is no signed word
        raise TooWide("out_of_range", str(error)) from None


def _error(arguments: tuple[Any, ...]) -> Exception:
    """The error of a family, reason and detail; of anything else, a number that is too wide."""
    if len(arguments) != 3:
        return TooWide("out_of_range", *map(str, arguments))
    family, reason, detail = arguments
    kind = FAMILIES.get(family)
    return kind(reason, detail) if kind else EngineError(detail)
