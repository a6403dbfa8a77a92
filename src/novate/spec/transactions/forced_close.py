"""Phase 2: an owner closes a position from L1, against the market's fund at a worsened mark.

The fund takes lots up to its inventory limit and its own margin. What it cannot take is deferred:
a second request after the wait closes the rest by factor (deleveraging) at twice the penalty.
Nothing is closed at a price that may be stale: in a halted market the request is a no-op.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.bounds import PRICE_MAX, QUANTITY_MAX
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import quantity_of, touch_account, touch_fund, underlying_of
from novate.spec.journal import Health, RequestOutcome
from novate.spec.liquidation import close_by_factor, exchange_with_fund
from novate.spec.margin_rule import is_risk_reducing
from novate.spec.messages.inbox import ForcedClose
from novate.spec.rounding import ppm_up
from novate.spec.state import Account
from novate.spec.valuation import (
    RoundState,
    account_health,
    health,
    is_expired,
    mark_of_id,
    mark_touched,
)


def forced_close(draft: Draft, round_state: RoundState, request: ForcedClose) -> RequestOutcome:
    """Close as much as the fund can take; defer the rest, or close it by factor when due."""
    account = touch_account(draft, request.account)
    quantity = quantity_of(account.positions, request.instrument)
    if quantity == 0:
        raise Rejection(Reason.NO_POSITION, f"instrument = {request.instrument}")
    _check_market(draft, request.instrument)
    mark_touched(draft, round_state, request.account)
    taken = _close_by_fund(draft, round_state, request.account, request.instrument, quantity)
    if taken == quantity:
        _remember(draft, request.account, 0, 0)
        return RequestOutcome.DONE
    if _may_use_factors(draft, account, request.instrument, round_state.time):
        _close_rest_by_factor(draft, round_state, request.account, request.instrument)
        _remember(draft, request.account, 0, 0)
        return RequestOutcome.DONE
    if account.forced_close_instrument != request.instrument or account.forced_close_time == 0:
        _remember(draft, request.account, request.instrument, round_state.time)
    return RequestOutcome.DEFERRED


def _check_market(draft: Draft, instrument: int) -> None:
    """No forced close at a stale price: not in a halted market, not after expiry."""
    underlying = underlying_of(instrument)
    if draft.market(underlying).halt.since:
        raise Rejection(Reason.MARKET_HALTED, f"underlying = {underlying}")
    if is_expired(instrument, draft.system.time):
        raise Rejection(Reason.INSTRUMENT_EXPIRED, f"instrument = {instrument}")


def worsened_mark(round_state: RoundState, instrument: int, quantity: int, times: int) -> int:
    """The mark moved against the holder by `times` the penalty, in [0, PRICE_MAX] ticks."""
    view = round_state.views[underlying_of(instrument)]
    penalty = times * ppm_up(view.snapshot.index_price, view.parameters.close_penalty_ppm)
    price = mark_of_id(round_state.views, instrument)
    return max(0, price - penalty) if quantity > 0 else min(PRICE_MAX, price + penalty)


def _close_by_fund(
    draft: Draft, round_state: RoundState, index: int, instrument: int, quantity: int
) -> int:
    """Signed lots the fund took over; 0 if its margin does not allow it."""
    underlying = underlying_of(instrument)
    fund = touch_fund(draft, underlying)
    held = quantity_of(fund.positions, instrument)
    sign = 1 if quantity > 0 else -1
    limit = min(draft.market_parameters(underlying).fund_inventory_max, QUANTITY_MAX)
    taken = sign * min(abs(quantity), max(0, limit - sign * held))
    if taken == 0:
        return 0
    checkpoint = draft.checkpoint()
    price = worsened_mark(round_state, instrument, quantity, 1)
    before = account_health(round_state.views, draft.account(index))
    exchange_with_fund(draft, round_state, index, instrument, -taken, price)
    _require_reduced(draft, round_state, index, before)
    fund = draft.market(underlying).fund
    now = health(round_state.views, fund.cash, fund.positions)
    if now.equity < now.maintenance:
        draft.rollback(checkpoint)
        return 0
    return taken


def _require_reduced(draft: Draft, round_state: RoundState, index: int, before: Health) -> None:
    """The close must leave the account covered, or with less risk."""
    after = account_health(round_state.views, draft.account(index))
    if after.equity >= after.initial:
        return
    if not is_risk_reducing(before, after, draft.parameters.step_loss_ppm):
        raise Rejection(Reason.NOT_RISK_REDUCING, f"account {index}: {before} to {after}")


def _may_use_factors(draft: Draft, account: Account, instrument: int, time: int) -> bool:
    """Whether the same close was deferred long enough ago."""
    return (
        account.forced_close_instrument == instrument
        and account.forced_close_time != 0
        and time - account.forced_close_time >= draft.parameters.forced_close_wait_s
    )


def _close_rest_by_factor(
    draft: Draft, round_state: RoundState, index: int, instrument: int
) -> None:
    """Close what is left against the other side at the mark worsened twice."""
    account = draft.account(index)
    before = account_health(round_state.views, account)
    position = next(p for p in account.positions if p.instrument == instrument)
    price = worsened_mark(round_state, instrument, position.quantity, 2)
    fair = mark_of_id(round_state.views, instrument)
    value = close_by_factor(draft, index, position, price, fair)
    kept = tuple(p for p in account.positions if p.instrument != instrument)
    draft.put_account(index, replace(account, positions=kept, cash=account.cash + value))
    _require_reduced(draft, round_state, index, before)


def _remember(draft: Draft, index: int, instrument: int, time: int) -> None:
    """Note a deferred close on the account (0, 0: none)."""
    account = draft.account(index)
    draft.put_account(
        index, replace(account, forced_close_instrument=instrument, forced_close_time=time)
    )
