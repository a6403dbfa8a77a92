"""A venue in memory: it tries records one by one and seals what was accepted into batches.

It keeps the sequencer's invariant: after every record, the round so far could be sealed and proved.
A refused record leaves no trace. What it seals is judged by `apply_batch` like anybody's batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from novate.spec.authorization import verdicts
from novate.spec.batch import (
    apply_batch,
    begin_batch,
    check_round,
    close_round,
    open_round,
    read_orders,
    read_sheets,
)
from novate.spec.draft import Draft
from novate.spec.errors import LawError
from novate.spec.journal import Journal, RequestOutcome
from novate.spec.margin_rule import require_fund_margin, require_margin
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import (
    Batch,
    Due,
    Fill,
    MarketReports,
    Round,
    SideKind,
    SideOf,
    Trade,
)
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import Parameters
from novate.spec.primitives import Primitives
from novate.spec.state import State
from novate.spec.transactions.changes import apply_change
from novate.spec.transactions.due import apply_due
from novate.spec.transactions.inbox import apply_request
from novate.spec.transactions.moves import apply_move, move_claim
from novate.spec.transactions.trade import RoundBook, apply_trade
from novate.spec.valuation import RoundState


@dataclass
class OpenRound:
    """A round being filled, in the law's phases."""

    content: Round
    state: RoundState
    book: RoundBook = field(default_factory=RoundBook)
    changes: list[Change] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


class Venue:
    """A sequencer without network or disk. One batch is open between `begin` and `seal`."""

    def __init__(
        self, state: State, primitives: Primitives, admission: Primitives | None = None
    ) -> None:
        """Start from a state. `admission` judges single records; sealed batches, `primitives`."""
        self.state = state
        self.primitives = primitives
        self.admission = admission or primitives
        self.blamed: int | None = None
        """The holder whose margin refused the last record; None if something else did."""
        self.accepted: Counter[str] = Counter()
        """Records accepted, by kind."""
        self.refused: Counter[str] = Counter()
        """Records refused, by reason; no-ops of the inbox under their reason too."""
        self._draft: Draft | None = None
        self._header = Batch(0, 0, None, False, ())
        self._rounds: list[Round] = []
        self._round: OpenRound | None = None

    @property
    def draft(self) -> Draft:
        """The open batch's draft."""
        assert self._draft is not None, "no batch is open"
        return self._draft

    @property
    def round(self) -> OpenRound:
        """The open round."""
        assert self._round is not None, "no round is open"
        return self._round

    def begin(
        self, fork: int = 0, parameters: Parameters | None = None, reset_slots: bool = False
    ) -> None:
        """Open a batch. InvalidBatch if the header is not legal."""
        number = self.state.system.batch_number + 1
        probe = Round(time=0)
        header = Batch(number, fork, parameters, reset_slots, (probe,))
        self._draft = begin_batch(self.state, header)
        self._header = header
        self._rounds = []

    def open(
        self,
        time: int,
        reports: Sequence[MarketReports] = (),
        requests: Sequence[Request] = (),
    ) -> None:
        """Open a round with its snapshots and inbox requests. LawError: nothing happened."""
        content = Round(time=time, reports=tuple(reports), requests=tuple(requests))
        checkpoint = self.draft.checkpoint()
        try:
            check_round(self.draft, content, not self._rounds)
            state = open_round(self.draft, content, self.admission)
        except LawError as error:
            self.draft.rollback(checkpoint)
            self.refused[error.reason] += 1
            raise
        self._round = OpenRound(content, state)
        self.accepted["snapshot"] += len(reports)
        for request in requests:
            apply_request(self.draft, state, request)
            self._count_request()

    def _count_request(self) -> None:
        """Count the latest request by its outcome."""
        entry = self.draft.journal.requests[-1]
        name = type(entry.request).__name__
        if entry.outcome == RequestOutcome.NO_OP:
            self.refused[entry.reason] += 1
            self.accepted[f"{name}:no_op"] += 1
        else:
            self.accepted[name] += 1

    def change(self, change: Change) -> None:
        """Try a change of key, epoch or tier."""
        assert not self.round.book.orders, "changes come before orders"
        self._try(
            type(change).__name__,
            lambda: apply_change(self.draft, self.round.state.time, change, self.admission),
        )
        self.round.changes.append(change)

    def bring(self, due: Due) -> None:
        """Try a touch, a liquidation or a fund's deleveraging."""
        assert not self.round.trades, "phase 4 comes before trades"
        self._try(type(due).__name__, lambda: apply_due(self.draft, self.round.state, due))
        self.round.due.append(due)

    def read_order(self, order: SignedOrder) -> int:
        """Add an order to the round's book; returns its place. Its signature is judged now."""
        opened = self.round
        read_orders(self.draft, opened.state, opened.book, [order], self.admission)
        return len(opened.book.orders) - 1

    def read_sheet(self, sheet: SignedSheet) -> int:
        """Add a mass quote to the round's book; returns its place."""
        opened = self.round
        read_sheets(self.draft, opened.state, opened.book, [sheet], self.admission)
        return len(opened.book.sheets) - 1

    def trade(self, trade: Trade) -> None:
        """Try a trade, and the margin rule of everyone in it."""
        assert not self.round.moves, "trades come before moves"
        self._try("Trade", lambda: self._apply_trade(trade))
        self.round.trades.append(trade)

    def _apply_trade(self, trade: Trade) -> None:
        """The trade, then the margin rule of its holders."""
        known = len(self.draft.journal.fills)
        apply_trade(self.draft, self.round.state, self.round.book, trade)
        fills = self.draft.journal.fills[known:]
        for holder in sorted({h for fill in fills for h in (fill.buyer, fill.seller)}):
            self._require(holder)

    def _require(self, holder: int) -> None:
        """The margin rule of one holder, as if the round were sealed now."""
        self.blamed = holder
        if holder < 0:
            require_fund_margin(self.draft, self.round.state, -1 - holder)
        else:
            require_margin(self.draft, self.round.state, holder)
        self.blamed = None

    def move(self, move: Move) -> None:
        """Try a transfer, position move or withdrawal, and the margin rule of both ends."""
        self._try(type(move.message).__name__, lambda: self._apply_move(move))
        self.round.moves.append(move)

    def _apply_move(self, move: Move) -> None:
        """The move, then the margin rule of whoever acted."""
        state = self.round.state
        claim = move_claim(self.draft, move)
        reason = verdicts(self.draft, state.time, [claim], self.admission)[0]
        apply_move(self.draft, state, move, reason)
        ends = {move.message.account, getattr(move.message, "recipient", move.message.account)}
        for index in sorted(ends & set(state.opening)):
            self._require(index)

    def _try(self, kind: str, action: Callable[[], None]) -> None:
        """Run an action; on a LawError undo it, count it and raise it again."""
        checkpoint = self.draft.checkpoint()
        self.blamed = None
        try:
            action()
        except LawError as error:
            self.draft.rollback(checkpoint)
            self.refused[error.reason] += 1
            raise
        self.accepted[kind] += 1

    def close(self) -> None:
        """Seal the open round."""
        opened = self.round
        close_round(self.draft, opened.state)
        content = opened.content._replace(
            changes=tuple(opened.changes),
            due=tuple(opened.due),
            orders=tuple(opened.book.orders),
            sheets=tuple(opened.book.sheets),
            trades=tuple(opened.trades),
            moves=tuple(opened.moves),
        )
        self._rounds.append(without_unused(content))
        self._round = None

    def seal(self) -> tuple[Batch, Journal]:
        """Seal the batch, have the law judge it, and go on from the state it gives."""
        batch = self._header._replace(rounds=tuple(self._rounds))
        journal = self.judge(self.state, batch)
        assert journal.after is not None
        self.state = journal.after
        self._draft = None
        return batch, journal

    def judge(self, before: State, batch: Batch) -> Journal:
        """What the law says of a whole batch. LawError: it is refused."""
        return apply_batch(before, batch, self.primitives)


def without_unused(content: Round) -> Round:
    """The round without orders and sheets that no fill refers to, the others renumbered."""
    fills = [fill for trade in content.trades for fill in trade.fills]
    sides = [side for fill in fills for side in (fill.buyer, fill.seller)]
    places = {
        kind: {number: place for place, number in enumerate(sorted(used))}
        for kind in (SideKind.ORDER, SideKind.QUOTE)
        for used in [{side.number for side in sides if side.kind == kind}]
    }

    def moved(side: SideOf) -> SideOf:
        """The side with its order's new place."""
        return side._replace(number=places.get(side.kind, {}).get(side.number, side.number))

    def renumbered(fill: Fill) -> Fill:
        """The fill with both sides' new places."""
        return fill._replace(buyer=moved(fill.buyer), seller=moved(fill.seller))

    return content._replace(
        orders=tuple(content.orders[number] for number in places[SideKind.ORDER]),
        sheets=tuple(content.sheets[number] for number in places[SideKind.QUOTE]),
        trades=tuple(Trade(tuple(map(renumbered, trade.fills))) for trade in content.trades),
    )
