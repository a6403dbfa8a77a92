"""f: how a batch of transactions turns one state into the next. A table of contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from novate.spec.authorization import Claim, verdicts
from novate.spec.bounds import EPOCH_MAX, ORACLE_GRID_S, TIME_MAX, check_range
from novate.spec.commitment import build_trees, roots_of, update_trees
from novate.spec.crypto import merkle
from novate.spec.draft import Draft
from novate.spec.errors import Fault, InvalidBatch
from novate.spec.expiry import sweep_empty
from novate.spec.funds import credit_fund
from novate.spec.journal import Journal
from novate.spec.liquidation import update_status
from novate.spec.margin_rule import require_fund_margin, require_margin
from novate.spec.messages.batch import Batch, Round, SideKind
from novate.spec.messages.inbox import ForcedClose, ForcedLiquidation
from novate.spec.messages.orders import (
    ORDER_TAG,
    SHEET_TAG,
    Scope,
    SignedOrder,
    SignedSheet,
    check_order,
    check_sheet,
)
from novate.spec.parameters import Parameters
from novate.spec.parameters_check import check_change
from novate.spec.primitives import Primitives
from novate.spec.state import FEE_ACCOUNT, Market, State, Trees
from novate.spec.transactions.changes import apply_change
from novate.spec.transactions.due import apply_due
from novate.spec.transactions.inbox import apply_request
from novate.spec.transactions.moves import apply_move, move_claim
from novate.spec.transactions.snapshot import (
    apply_snapshot,
    check_markets_sorted,
    open_markets,
)
from novate.spec.transactions.trade import RoundBook, apply_trade
from novate.spec.valuation import RoundState, is_fresh, mark_of, open_views


def apply_batch(state: State, batch: Batch, primitives: Primitives) -> Journal:
    """The journal of a batch; `journal.after` is the next state.

    Rejection if a transaction cannot be included, InvalidBatch if the batch is malformed; the
    state given is never changed.
    """
    draft = begin_batch(state, batch)
    for number, content in enumerate(batch.rounds):
        round_state = apply_round(draft, content, number == 0, primitives)
    return finish_batch(draft, round_state, primitives)


def apply_round(draft: Draft, content: Round, is_first: bool, primitives: Primitives) -> RoundState:
    """One round, phase by phase."""
    check_round(draft, content, is_first)
    round_state = open_round(draft, content, primitives)
    for request in content.requests:
        apply_request(draft, round_state, request)
    for change in content.changes:
        apply_change(draft, round_state.time, change, primitives)
    for due in content.due:
        apply_due(draft, round_state, due)
    book = RoundBook()
    read_orders(draft, round_state, book, content.orders, primitives)
    read_sheets(draft, round_state, book, content.sheets, primitives)
    for trade in content.trades:
        apply_trade(draft, round_state, book, trade)
    claims = [move_claim(draft, move) for move in content.moves]
    reasons = verdicts(draft, round_state.time, claims, primitives)
    for move, reason in zip(content.moves, reasons, strict=True):
        apply_move(draft, round_state, move, reason)
    close_round(draft, round_state)
    return round_state


def begin_batch(state: State, batch: Batch) -> Draft:
    """A draft under the batch's fork, parameters and venue epoch."""
    system = state.system
    if batch.number != system.batch_number + 1:
        detail = f"number = {batch.number}, expected {system.batch_number + 1}"
        raise InvalidBatch(Fault.WRONG_BATCH_NUMBER, detail)
    check_range("batch.fork", batch.fork, 0, EPOCH_MAX)
    if batch.fork < system.fork:
        raise InvalidBatch(Fault.FORK_WENT_BACK, f"fork = {batch.fork}, state {system.fork}")
    if not 1 <= len(batch.rounds) <= state.preset.rounds_max:
        detail = f"{len(batch.rounds)} rounds, 1 to {state.preset.rounds_max}"
        raise InvalidBatch(Fault.WRONG_ROUND_COUNT, detail)
    _check_counts(state, batch)
    draft = Draft(state, _next_parameters(state, batch))
    if batch.reset_slots:
        draft.reset_slots()
    draft.put_system(replace(draft.system, batch_number=batch.number, fork=batch.fork))
    for underlying in range(len(state.markets), len(draft.parameters.markets)):
        draft.put_market(underlying, Market())
    return draft


def _check_counts(state: State, batch: Batch) -> None:
    """Requests and fills of the batch fit the preset's rows."""
    requests = len(batch.rounds[0].requests)
    if requests > state.preset.inbox_max:
        raise InvalidBatch(Fault.TOO_MANY_REQUESTS, f"{requests}, max {state.preset.inbox_max}")
    fills = sum(len(trade.fills) for content in batch.rounds for trade in content.trades)
    if fills > state.preset.fills_max:
        raise InvalidBatch(Fault.TOO_MANY_FILLS, f"{fills}, max {state.preset.fills_max}")
    records = max(_largest_phase(content) for content in batch.rounds)
    if records > state.preset.records_max:
        detail = f"{records}, max {state.preset.records_max}"
        raise InvalidBatch(Fault.TOO_MANY_RECORDS, detail)


def _largest_phase(content: Round) -> int:
    """Records of the round's fullest list, fills and requests aside."""
    lists = (content.changes, content.due, content.orders, content.sheets, content.moves)
    return max(map(len, lists))


def _next_parameters(state: State, batch: Batch) -> Parameters:
    """The parameters of the batch: unchanged, or new ones that keep what is immutable."""
    if batch.parameters is None:
        return state.parameters
    check_change(state.preset, state.parameters, batch.parameters)
    return batch.parameters


def check_round(draft: Draft, content: Round, is_first: bool) -> None:
    """Grid second, not before the last round; requests only in the batch's first round."""
    if content.time % ORACLE_GRID_S:
        raise InvalidBatch(Fault.TIME_OFF_GRID, f"time = {content.time}, grid {ORACLE_GRID_S} s")
    if content.time < draft.system.time:
        raise InvalidBatch(Fault.TIME_WENT_BACK, f"time = {content.time}, {draft.system.time}")
    if content.time > TIME_MAX:
        raise InvalidBatch(Fault.TIME_OUT_OF_RANGE, f"time = {content.time}, max {TIME_MAX}")
    if content.requests and not is_first:
        detail = f"{len(content.requests)} requests"
        raise InvalidBatch(Fault.REQUESTS_NOT_IN_FIRST_ROUND, detail)
    check_markets_sorted(content.reports)
    check_orders_used(content)


def check_orders_used(content: Round) -> None:
    """Every order and sheet of a round stands on a side of one of its fills: no row is idle."""
    sides = [
        (side.kind, side.number)
        for trade in content.trades
        for fill in trade.fills
        for side in (fill.buyer, fill.seller)
    ]
    for kind, listed in ((SideKind.ORDER, content.orders), (SideKind.QUOTE, content.sheets)):
        idle = set(range(len(listed))) - {number for k, number in sides if k == kind}
        if idle:
            raise InvalidBatch(Fault.UNUSED_ORDER, f"{kind.name.lower()} {min(idle)}")


def open_round(draft: Draft, content: Round, primitives: Primitives) -> RoundState:
    """Phase 1: time, snapshots, halts, settlements, funding; then the views the round is under."""
    draft.put_system(replace(draft.system, time=content.time))
    for quorum in content.reports:
        apply_snapshot(draft, quorum, content.time, primitives)
    open_markets(draft, content.time)
    check_prices_of_requests(draft, content)
    return open_views(draft, content.time)


def check_prices_of_requests(draft: Draft, content: Round) -> None:
    """InvalidBatch where L1 asks to close positions and a market that is open has an old price.

    A request is done or refused once; whoever orders the batches must not choose the price for it.
    """
    closing = (ForcedClose, ForcedLiquidation)
    if not any(isinstance(request, closing) for request in content.requests):
        return
    for underlying, market in sorted(draft.markets.items()):
        if market.halt.since == 0 and not is_fresh(draft, underlying):
            detail = f"underlying = {underlying}, snapshot of {market.current.time}"
            raise InvalidBatch(Fault.REQUESTS_AT_OLD_PRICES, detail)


def read_orders(
    draft: Draft,
    round_state: RoundState,
    book: RoundBook,
    orders: Sequence[SignedOrder],
    primitives: Primitives,
) -> None:
    """Add orders to the round's book, each with the verdict on its signature."""
    claims = []
    for signed in orders:
        check_order(signed.message)
        epoch = _cancel_epoch(draft, signed.message.account)
        elements = signed.message.elements(draft.domain(), epoch)
        claims.append(
            Claim(signed.message.account, ORDER_TAG, elements, signed.authorization, Scope.TRADE)
        )
    book.order_verdicts.extend(verdicts(draft, round_state.time, claims, primitives))
    book.orders.extend(orders)


def read_sheets(
    draft: Draft,
    round_state: RoundState,
    book: RoundBook,
    sheets: Sequence[SignedSheet],
    primitives: Primitives,
) -> None:
    """Add sheets to the round's book, each with the verdict on its signature."""
    claims = []
    for signed in sheets:
        check_sheet(signed.message, draft.preset.sheet_quotes_max)
        epoch = _cancel_epoch(draft, signed.message.account)
        elements = signed.message.elements(draft.domain(), epoch)
        claims.append(
            Claim(signed.message.account, SHEET_TAG, elements, signed.authorization, Scope.TRADE)
        )
    book.sheet_verdicts.extend(verdicts(draft, round_state.time, claims, primitives))
    book.sheets.extend(sheets)


def _cancel_epoch(draft: Draft, index: int) -> int:
    """The account's cancel epoch; 0 for an unknown account, which the verdict will name."""
    return draft.account(index).cancel_epoch if draft.has_account(index) else 0


def close_round(draft: Draft, round_state: RoundState) -> None:
    """Phase 7: the margin rule, the liquidation status of touched accounts, the round's fees."""
    for index in sorted(round_state.opening):
        entry = require_margin(draft, round_state, index)
        draft.record(draft.journal.margins, entry)
    for underlying in sorted(round_state.fund_opening):
        require_fund_margin(draft, round_state, underlying)
    for index in sorted(round_state.touched):
        update_status(draft, round_state, index)
    fees = round_state.fees.get("total", 0)
    if fees:
        account = draft.account(FEE_ACCOUNT)
        draft.put_account(FEE_ACCOUNT, replace(account, cash=account.cash + fees))


def finish_batch(draft: Draft, round_state: RoundState, primitives: Primitives) -> Journal:
    """Fresh marks, empty instruments swept into the funds, the next state and its roots."""
    for state in list(draft.instruments.values()):
        if not state.settled:
            draft.put_instrument(state._replace(mark=mark_of(round_state.views, state)))
    for underlying, clearing in sweep_empty(draft):
        credit_fund(draft, underlying, clearing)
    journal = draft.journal
    before, after = draft.base, draft.finish()
    trees = before.trees or build_trees(before, primitives)
    started = start_trees(draft, trees, primitives)
    trees_after = update_trees(started, after, draft.accounts, draft.slots, primitives)
    journal.roots_before = before.roots or roots_of(before, trees, primitives)
    journal.roots_after = roots_of(after, trees_after, primitives)
    journal.after = replace(after, trees=trees_after, roots=journal.roots_after)
    return journal


def start_trees(draft: Draft, trees: Trees, primitives: Primitives) -> Trees:
    """The trees before the batch, with empty slots if the batch resets them."""
    if not draft.slots_reset:
        return trees
    empty = merkle.empty(draft.preset.account_depth, primitives.compress_many)
    return Trees(trees.accounts, empty, {})
