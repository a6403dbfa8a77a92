"""The state while a batch is applied: overlays over an immutable State, with an undo log.

Every change goes through `assign`, `discard` or `record`, so `rollback` returns to any checkpoint:
a refused transaction leaves no trace, and a sequencer can try a record before it logs it.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, TypeVar

from novate.spec.bounds import CASH_MAX
from novate.spec.errors import Reason, Rejection
from novate.spec.journal import Journal
from novate.spec.messages.domain import VERSION, Domain
from novate.spec.parameters import MarketParameters, Parameters
from novate.spec.presets import Preset
from novate.spec.state import (
    EMPTY_SLOT,
    Account,
    InstrumentState,
    Market,
    Slot,
    State,
    System,
)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
E = TypeVar("E")

ABSENT = object()


class Draft:
    """A State being changed. Reads see the latest write."""

    def __init__(self, state: State, parameters: Parameters | None = None) -> None:
        """Start from a state, under its own parameters or new ones."""
        self.base = state
        self.preset: Preset = state.preset
        self.parameters: Parameters = parameters or state.parameters
        self.journal = Journal(before=state)
        self._singles: dict[str, System] = {"system": state.system}
        self.markets: dict[int, Market] = dict(enumerate(state.markets))
        self.instruments: dict[int, InstrumentState] = dict(state.instruments)
        self.accounts: dict[int, Account] = {}
        self.slots: dict[tuple[int, int], Slot] = {}
        self.slots_reset = False
        self._undo: list[tuple[Any, Any, Any]] = []

    def checkpoint(self) -> int:
        """A point to roll back to."""
        return len(self._undo)

    def rollback(self, checkpoint: int) -> None:
        """Undo every change since the checkpoint, latest first."""
        while len(self._undo) > checkpoint:
            target, key, old = self._undo.pop()
            if isinstance(target, list):
                target.pop()
            elif old is ABSENT:
                del target[key]
            else:
                target[key] = old

    def assign(self, target: dict[K, V], key: K, value: V) -> None:
        """target[key] = value, undoable."""
        self._undo.append((target, key, target.get(key, ABSENT)))
        target[key] = value

    def discard(self, target: dict[K, V], key: K) -> None:
        """Remove target[key], undoable; KeyError if it is not there."""
        self._undo.append((target, key, target[key]))
        del target[key]

    def record(self, entries: list[E], entry: E) -> None:
        """Append to a list of the journal, undoable."""
        self._undo.append((entries, None, None))
        entries.append(entry)

    @property
    def system(self) -> System:
        """The system leaf."""
        return self._singles["system"]

    def put_system(self, system: System) -> None:
        """Replace the system leaf."""
        self.assign(self._singles, "system", system)

    def domain(self) -> Domain:
        """The domain of the messages of this batch."""
        return Domain(
            self.parameters.chain_id,
            self.parameters.settlement_contract,
            VERSION,
            self.system.fork,
            self.system.venue_epoch,
        )

    def has_account(self, index: int) -> bool:
        """Whether the account is open."""
        return index in self.accounts or index in self.base.accounts

    def account(self, index: int) -> Account:
        """The account, or Rejection `unknown_account`."""
        account = self.accounts.get(index) or self.base.accounts.get(index)
        if account is None:
            raise Rejection(Reason.UNKNOWN_ACCOUNT, f"account = {index}")
        return account

    def put_account(self, index: int, account: Account) -> None:
        """Write an account leaf; its cash must stay within the bound."""
        if not -CASH_MAX <= account.cash <= CASH_MAX:
            raise Rejection(Reason.CASH_OUT_OF_BOUNDS, f"cash = {account.cash}, max {CASH_MAX}")
        if index not in self.journal.accounts_before:
            self.assign(self.journal.accounts_before, index, self.base.accounts.get(index))
        self.assign(self.accounts, index, account)

    def market(self, underlying: int) -> Market:
        """The market of an underlying, or Rejection `unknown_market`."""
        if underlying not in self.markets:
            raise Rejection(Reason.UNKNOWN_MARKET, f"underlying = {underlying}")
        return self.markets[underlying]

    def market_parameters(self, underlying: int) -> MarketParameters:
        """The parameters of an underlying that has a market."""
        return self.parameters.markets[underlying]

    def put_market(self, underlying: int, market: Market) -> None:
        """Write a market leaf."""
        self.assign(self.markets, underlying, market)

    def put_instrument(self, instrument: InstrumentState) -> None:
        """Write an instrument leaf."""
        self.assign(self.instruments, instrument.instrument, instrument)

    def slot(self, account: int, slot: int) -> Slot:
        """An order slot; Rejection `slot_out_of_range` beyond the preset's count."""
        if not 0 <= slot < self.preset.slots_max:
            raise Rejection(
                Reason.SLOT_OUT_OF_RANGE, f"slot = {slot}, max {self.preset.slots_max - 1}"
            )
        key = (account, slot)
        if key in self.slots or self.slots_reset:
            return self.slots.get(key, EMPTY_SLOT)
        return self.base.slots.get(key, EMPTY_SLOT)

    def put_slot(self, account: int, slot: int, value: Slot) -> None:
        """Write an order slot."""
        self.assign(self.slots, (account, slot), value)

    def reset_slots(self) -> None:
        """Empty every slot and start a new venue epoch. Of a draft just begun: no way back."""
        self.slots_reset = True
        self.put_system(replace(self.system, venue_epoch=self.system.venue_epoch + 1))

    def finish(self) -> State:
        """The state with all changes."""
        slots = {} if self.slots_reset else dict(self.base.slots)
        slots.update(self.slots)
        return State(
            preset=self.preset,
            parameters=self.parameters,
            system=self.system,
            markets=tuple(self.markets[index] for index in sorted(self.markets)),
            instruments=self.instruments,
            accounts={**self.base.accounts, **self.accounts},
            slots=slots,
        )
