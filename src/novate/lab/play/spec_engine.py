"""The specification behind the node's port: what the node is played with."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from novate.lab.trusting import VerifiedBefore
from novate.lab.venue import Venue
from novate.native import NativePrimitives
from novate.spec.batch import apply_batch
from novate.spec.commitment import commit
from novate.spec.draft import Draft
from novate.spec.holders import settle_position, touch_account
from novate.spec.journal import Health, Journal
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Primitives
from novate.spec.public_data.full import decode_full, encode_full
from novate.spec.state import Account, Position, Roots, State
from novate.spec.valuation import account_health, health, mark_of_id


class Sealed(NamedTuple):
    """A batch that the law has judged."""

    batch: Batch
    data: bytes
    journal: Journal


class SpecEngine:
    """`novate.node.port.Engine` by `novate.lab.venue.Venue`."""

    def __init__(self, state: State, admission: Primitives | None = None) -> None:
        """Start from a state; `admission` judges single records."""
        self.venue = Venue(state, NativePrimitives(), admission)
        self.begin = self.venue.begin
        self.open = self.venue.open
        self.change = self.venue.change
        self.bring = self.venue.bring
        self.read_order = self.venue.read_order
        self.read_sheet = self.venue.read_sheet
        self.trade = self.venue.trade
        self.move = self.venue.move
        self.close = self.venue.close

    @property
    def blamed(self) -> int | None:
        """The holder whose margin refused the last record."""
        return self.venue.blamed

    def seal(self) -> Sealed:
        """Seal the open batch."""
        batch, journal = self.venue.seal()
        return Sealed(batch, encode_full(batch), journal)

    def apply_data(self, data: bytes) -> Journal:
        """Judge a whole batch."""
        batch = decode_full(data, self.venue.state.preset)
        journal = apply_batch(self.venue.state, batch, self.venue.primitives)
        assert journal.after is not None
        self.venue.state = journal.after
        return journal

    def state(self) -> State:
        """The state after the last sealed batch."""
        return self.venue.state

    def roots(self) -> Roots:
        """Its roots."""
        return self.venue.state.roots or commit(self.venue.state, self.venue.primitives)

    def _draft(self) -> Draft:
        """The open batch's draft, or one of the state."""
        return self.venue._draft or Draft(self.venue.state)

    def _settled(self, index: int) -> Account:
        """The account as a touch would leave it; the draft is as before."""
        draft = self._draft()
        checkpoint = draft.checkpoint()
        account = touch_account(draft, index)
        draft.rollback(checkpoint)
        return account

    def account(self, index: int) -> Account:
        """An account as it stands."""
        return self._draft().account(index)

    def position(self, account: int, instrument: int) -> int:
        """Signed lots held, brought up to date."""
        draft = self._draft()
        for position in draft.account(account).positions:
            if position.instrument == instrument:
                return settle_position(draft.instruments[instrument], position).quantity
        return 0

    def mark(self, instrument: int) -> int:
        """The mark at the open round's snapshot."""
        return mark_of_id(self.venue.round.state.views, instrument)

    def health(self, account: int) -> Health:
        """Health at the open round's snapshot."""
        return account_health(self.venue.round.state.views, self._settled(account))

    def health_after(self, account: int, changes: Sequence[tuple[int, int, int]]) -> Health:
        """The same with assumed fills."""
        held = self._settled(account)
        lots = {position.instrument: position.quantity for position in held.positions}
        cash = held.cash
        for instrument, change, price in changes:
            lots[instrument] = lots.get(instrument, 0) + change
            cash -= change * price
        known = {position.instrument: position for position in held.positions}
        blank = next(iter(known.values()), None)
        positions = tuple(
            (known.get(key) or blank or _BLANK)._replace(instrument=key, quantity=quantity)
            for key, quantity in sorted(lots.items())
            if quantity
        )
        return health(self.venue.round.state.views, cash, positions)

    def _everyone(self) -> list[int]:
        """All accounts, ascending."""
        draft = self._draft()
        return sorted({*draft.base.accounts, *draft.accounts})

    def below_maintenance(self) -> list[int]:
        """Accounts with E < M or in liquidation."""
        found = []
        for index in self._everyone():
            account = self._draft().account(index)
            if not account.positions and not account.liquidation_since:
                continue
            now = self.health(index)
            if now.equity < now.maintenance or account.liquidation_since:
                found.append(index)
        return found

    def holders_of_settled(self) -> list[int]:
        """Accounts that hold what is settled."""
        draft = self._draft()
        settled = {key for key, state in draft.instruments.items() if state.settled}
        return [
            index
            for index in self._everyone()
            if settled & {p.instrument for p in draft.account(index).positions}
        ]


class SpecKit:
    """`novate.node.port.EngineKit` by the specification, every signature verified."""

    def start(self, state: State) -> SpecEngine:
        """An engine at a state."""
        return SpecEngine(state)

    def encode_state(self, state: State) -> bytes:
        """Bytes that only `decode_state` of the same code reads."""
        return pickle.dumps(replace(state, trees=None, roots=None))

    def decode_state(self, data: bytes) -> State:
        """The state of such bytes."""
        state = pickle.loads(data)
        assert isinstance(state, State)
        return state


class TrustingKit(SpecKit):
    """The same, with records admitted unverified: the node's door has verified them."""

    def start(self, state: State) -> SpecEngine:
        """An engine at a state."""
        return SpecEngine(state, VerifiedBefore())


_BLANK = Position(0, 0, 1, 0)
"""A position to be given instrument and lots; valuation reads nothing else of it."""
