"""The venue as one deterministic machine: a log record goes in, what became of it comes out.

Live and replay are the same calls. The desk reads no clock, no randomness and no file: time is in
the record, and everything else follows from the records before. Signatures are checked before a
record is logged, never here; the law checks those it needs again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from novate.book.events import Event
from novate.node.floor import Floor
from novate.node.liquidator import STEPS_OF_ROUND, bring_due, steps
from novate.node.orders import IDS_OF_RECORD
from novate.node.outcome import NodeReason, Notice, Outcome, refused
from novate.node.port import BookFactory, EngineKit
from novate.node.records import (
    BeginBatch,
    CancelIn,
    ChangeIn,
    MoveIn,
    OpenRound,
    OrderIn,
    Rewind,
    SealBatch,
    SealedBatch,
    SealRound,
    SheetIn,
    Stamped,
)
from novate.spec.errors import LawError
from novate.spec.messages.account import Change, Move, SetTier
from novate.spec.messages.domain import VERSION, Domain
from novate.spec.messages.inbox import ForcedCancel, RegisterKey, Request
from novate.spec.oracle import median
from novate.spec.primitives import Digest
from novate.spec.state import State

EPOCHS_OF: Final = (RegisterKey, ForcedCancel)
"""Requests that may end what an account signed before."""
StateAt = Callable[[int, Digest], State]
"""The state after a sealed batch, by its number and root, from what is kept on disk."""


class Divergence(Exception):
    """A replay came to something else than the log says: not the machine that wrote the log."""


class Opened(NamedTuple):
    """The reports that opened a round for a market."""

    time: int
    """Their grid second; 0: there were none yet."""
    index_price: int
    """Their median index, ticks."""


class Desk:
    """One venue between its log and the law."""

    def __init__(
        self, state: State, kit: EngineKit, make_book: BookFactory, state_at: StateAt
    ) -> None:
        """Start from a state, without orders."""
        self._kit = kit
        self._make_book = make_book
        self._state_at = state_at
        self.preset = state.preset
        self.pending_changes: list[tuple[int, Change]] = []
        """(sequence, change) logged in this round, for the next."""
        self._begin_from(state)

    def _begin_from(self, state: State) -> None:
        """Everything that follows from a state alone."""
        self.engine = self._kit.start(state)
        self.parameters = state.parameters
        self.system = state.system
        self.floor = Floor(self.engine, self.preset, self.parameters, self._make_book)
        self.floor.orders.seen = {key: slot.nonce for key, slot in state.slots.items()}
        self.floor.clearing.begin_batch(self.parameters.fee_tiers)
        self.domain = self._domain(state.system.fork, state.system.venue_epoch)
        self.batch_open = False
        self.round_open = False
        self.round_time = state.system.time
        self.rounds = 0
        """Rounds of the open batch, the open one included."""
        self.batch_time = state.system.time
        """When the open batch began, unix seconds."""
        self.requests_taken = 0
        """Requests from L1 that the open batch took."""
        self.opened = {
            underlying: Opened(
                max(market.current.time, market.halt.pending.time), market.current.index_price
            )
            for underlying, market in enumerate(state.markets)
        }
        """The latest reports of each market that opened a round."""
        self.moves: list[tuple[int, Move]] = []
        """(sequence, move) logged in this round."""

    def _domain(self, fork: int, venue_epoch: int) -> Domain:
        """What every signature of this time is bound to."""
        parameters = self.parameters
        return Domain(
            parameters.chain_id, parameters.settlement_contract, VERSION, fork, venue_epoch
        )

    def apply(self, sequence: int, stamped: Stamped) -> Outcome:
        """Apply one record. Divergence if it cannot be one of this log."""
        record, now = stamped.record, stamped.now
        match record:
            case OrderIn() | SheetIn() | CancelIn():
                return self._apply_order(sequence, record, now)
            case ChangeIn():
                return self._change(sequence, record.change, now)
            case MoveIn():
                return self._move(sequence, record.move)
            case BeginBatch():
                return self._begin(record, now)
            case OpenRound():
                return self._open(sequence, record, now)
            case SealRound():
                return self._seal_round()
            case SealBatch():
                return self._seal_batch()
            case SealedBatch():
                return self._check_sealed(record)
            case Rewind():
                return self._rewind(record)

    # What users send.

    def _apply_order(
        self, sequence: int, record: OrderIn | SheetIn | CancelIn, now: int
    ) -> Outcome:
        """An order, a sheet or a cancel, if a round is open and no change of its account waits."""
        if not self.round_open:
            return refused(NodeReason.NO_ROUND)
        if isinstance(record, CancelIn):
            return self.floor.cancel(record, now)
        if self._is_changing(record.signed.message.account):
            return refused(NodeReason.CHANGE_PENDING)
        if isinstance(record, OrderIn):
            return self.floor.order(sequence, record, now)
        return self.floor.sheet(sequence, record, now)

    def _is_changing(self, account: int) -> bool:
        """Whether key or epoch of an account change with the next round."""
        return any(
            not isinstance(change, SetTier) and change.message.account == account
            for _, change in self.pending_changes
        )

    def _change(self, sequence: int, change: Change, now: int) -> Outcome:
        """Keep a change for the next round; the account's orders end now."""
        if len(self.pending_changes) >= self.preset.records_max:
            return refused(NodeReason.ROUND_FULL)
        if isinstance(change, SetTier):
            self.pending_changes.append((sequence, change))
            return Outcome()
        account = change.message.account
        if self._is_changing(account):
            return refused(NodeReason.CHANGE_PENDING)
        self.pending_changes.append((sequence, change))
        events = self.floor.cancel_account(account, now, NodeReason.KEY_OR_EPOCH_CHANGED)
        return Outcome(events=tuple(events))

    def _move(self, sequence: int, move: Move) -> Outcome:
        """Keep a move for the end of the round."""
        if not self.round_open:
            return refused(NodeReason.NO_ROUND)
        if len(self.moves) >= self.preset.records_max:
            return refused(NodeReason.ROUND_FULL)
        self.moves.append((sequence, move))
        return Outcome()

    # Batches and rounds.

    def _begin(self, record: BeginBatch, now: int) -> Outcome:
        """Open a batch. A new fork or venue epoch ends every order, and every change that waits."""
        try:
            self.engine.begin(record.fork, record.parameters, record.reset_slots)
        except LawError as error:
            return refused(error.reason)
        if record.parameters is not None:
            self.parameters = self.floor.parameters = record.parameters
        self.floor.clearing.begin_batch(self.parameters.fee_tiers)
        self.batch_open, self.batch_time = True, now
        self.rounds = self.requests_taken = 0
        domain = self._domain(record.fork, self.domain.venue_epoch + int(record.reset_slots))
        if domain == self.domain:
            return Outcome()
        self.domain = domain
        events = self.floor.cancel_everything(now, NodeReason.KEY_OR_EPOCH_CHANGED)
        if record.reset_slots:
            self.floor.orders.seen.clear()
        return Outcome(events=tuple(events), notices=self._void_changes())

    def _void_changes(self) -> tuple[Notice, ...]:
        """What was signed under another domain cannot be applied any more."""
        pending, self.pending_changes = self.pending_changes, []
        notices = []
        for sequence, change in pending:
            if isinstance(change, SetTier):
                self.pending_changes.append((sequence, change))
            else:
                notices.append(Notice(sequence, NodeReason.KEY_OR_EPOCH_CHANGED))
        return tuple(notices)

    def _open(self, sequence: int, record: OpenRound, now: int) -> Outcome:
        """Open a round: everything up to its first trade."""
        before = self._epochs(record.requests)
        try:
            self.engine.open(record.time, record.reports, record.requests)
        except LawError as error:
            return refused(error.reason)
        self.floor.forget_identities()
        self.round_open, self.round_time = True, record.time
        self.rounds += 1
        self.requests_taken += len(record.requests)
        for quorum in record.reports:
            prices = [signed.report.index_price for signed in quorum.reports]
            moment = quorum.reports[0].report.time
            self.opened[quorum.underlying] = Opened(moment, median(prices))
        events: list[Event] = []
        for account, epochs in self._epochs(record.requests).items():
            if epochs != before[account]:
                events += self.floor.cancel_account(account, now, NodeReason.KEY_OR_EPOCH_CHANGED)
        notices = self._apply_changes()
        to_reduce = bring_due(self.engine, record.time)
        events += self.floor.open_round(record.time, now)
        planned = list(steps(self.engine, self.parameters, to_reduce))[:STEPS_OF_ROUND]
        for number, step in enumerate(planned):
            events += self.floor.step(sequence * IDS_OF_RECORD + number, step, now)
        return Outcome(events=tuple(events), notices=notices)

    def _epochs(self, requests: Sequence[Request]) -> dict[int, tuple[int, int]]:
        """(key epoch, cancel epoch) of every account whose signatures L1 may end."""
        found = {}
        for request in requests:
            if isinstance(request, EPOCHS_OF):
                found[request.account] = self._epochs_of(request.account)
        return found

    def _epochs_of(self, index: int) -> tuple[int, int]:
        """Key and cancel epoch of an account; zeros before it is opened."""
        try:
            account = self.engine.account(index)
        except LawError:
            return 0, 0
        return account.key_epoch, account.cancel_epoch

    def _apply_changes(self) -> tuple[Notice, ...]:
        """Phase 3: the changes of the round before."""
        notices = []
        for sequence, change in self.pending_changes:
            try:
                self.engine.change(change)
                notices.append(Notice(sequence, ""))
            except LawError as error:
                notices.append(Notice(sequence, error.reason))
        self.pending_changes.clear()
        self.floor.forget_identities()
        return tuple(notices)

    def _seal_round(self) -> Outcome:
        """Phase 6, then the round is closed."""
        notices = []
        for sequence, move in self.moves:
            try:
                self.engine.move(move)
                notices.append(Notice(sequence, ""))
            except LawError as error:
                notices.append(Notice(sequence, error.reason))
        self.moves.clear()
        self.engine.close()
        self.round_open = False
        return Outcome(notices=tuple(notices))

    def _seal_batch(self) -> Outcome:
        """The law judges the batch, and gives the next state."""
        sealed = self.engine.seal()
        after = sealed.journal.after
        assert after is not None, "a sealed batch has a next state"
        self.batch_open = False
        self.system, self.requests_taken = after.system, 0
        return Outcome(sealed=sealed)

    def _check_sealed(self, record: SealedBatch) -> Outcome:
        """Divergence unless the batch before came to what the log says."""
        self.require(record.number, record.root)
        return Outcome()

    def require(self, number: int, root: Digest) -> None:
        """Divergence unless the state between batches is this one."""
        found = self.system.batch_number, self.engine.roots().root
        if found != (number, root):
            raise Divergence(f"batch {number} with root {root}, the replay has {found}")

    def _rewind(self, record: Rewind) -> Outcome:
        """Go on from an earlier batch: what was signed for the later ones is void with them."""
        state = self._state_at(record.number, record.root)
        self.pending_changes.clear()
        self._begin_from(state)
        self.require(record.number, record.root)
        return Outcome()
