"""Sides without a signature: liquidation steps of an account, and a fund reducing its inventory.

A step may reduce any position, or open linears of an underlying held, as a hedge; it must lower the
account's risk by the margin rule, may cost no more than takeover by the fund would (the penalty on
the maintenance margin it frees), and may not push equity far above initial margin.
"""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import Positions, fund_holder, quantity_of, touch_fund, underlying_of
from novate.spec.instruments import decode, is_linear
from novate.spec.journal import Health, LiquidationEntry, LiquidationStage
from novate.spec.liquidation import waterfall_obstacle
from novate.spec.margin_rule import is_risk_reducing
from novate.spec.messages.batch import Fill
from novate.spec.messages.orders import Order
from novate.spec.rounding import ppm_down
from novate.spec.valuation import RoundState, account_health, is_fresh


def begin_fund(draft: Draft, round_state: RoundState, underlying: int) -> None:
    """Bring a fund up to date and remember it as it was before its first trade of the round.

    Nobody can ask a fund whether it likes the price, so it only trades at prices of now.
    """
    market = draft.market(underlying)
    if market.halt.since:
        raise Rejection(Reason.MARKET_HALTED, f"underlying = {underlying}")
    if not is_fresh(draft, underlying):
        raise Rejection(Reason.SNAPSHOT_TOO_OLD, f"snapshot of {market.current.time}")
    fund = touch_fund(draft, underlying)
    if underlying not in round_state.fund_opening:
        draft.assign(round_state.fund_opening, underlying, fund)


def before_step(
    draft: Draft, round_state: RoundState, holder: int, order: Order | None, instrument: int
) -> Health | None:
    """Health of an account about to be traded without its signature; None for any other side."""
    if holder < 0 or order is not None:
        return None
    underlying = underlying_of(instrument)
    if draft.market(underlying).halt.since:
        raise Rejection(Reason.MARKET_HALTED, f"account {holder}: underlying = {underlying}")
    opening = round_state.opening[holder]
    obstacle = waterfall_obstacle(draft, round_state, opening)
    if obstacle:
        raise Rejection(Reason.WATERFALL_NOT_OPEN, f"account {holder}: {obstacle}")
    now = account_health(round_state.views, draft.account(holder))
    if now.equity >= now.initial:
        raise Rejection(Reason.LIQUIDATION_DONE, f"account {holder}: {now}")
    draft.assign(round_state.must_reduce, holder, True)
    return now


def after_step(
    draft: Draft, round_state: RoundState, holder: int, fill: Fill, before: Health | None
) -> None:
    """Rules of an unsigned side after its fill; nothing to do for a signed one (before is None)."""
    if holder < 0:
        _require_fund_reduced(draft, round_state, fill)
        return
    if before is None:
        return
    account = draft.account(holder)
    opening = round_state.opening[holder]
    held = quantity_of(account.positions, fill.instrument)
    held_before = quantity_of(opening.positions, fill.instrument)
    grows = abs(held) > abs(held_before)
    if held * held_before < 0 or (grows and not _is_hedge(opening.positions, fill.instrument)):
        raise Rejection(Reason.NOT_A_HEDGE, f"position from {held_before} to {held}")
    after = account_health(round_state.views, account)
    penalty_ppm = draft.market_parameters(underlying_of(fill.instrument)).penalty_ppm
    if not is_risk_reducing(before, after, penalty_ppm):
        raise Rejection(Reason.NOT_RISK_REDUCING, f"account {holder}: {before} to {after}")
    allowed = after.initial + ppm_down(before.initial, draft.parameters.overshoot_ppm)
    if fill.quantity > 1 and after.equity > allowed:
        raise Rejection(Reason.STEP_TOO_LARGE, f"equity {after.equity}, allowed {allowed}")
    entry = LiquidationEntry(
        LiquidationStage.STEP, holder, underlying_of(fill.instrument), fill.quantity
    )
    draft.record(draft.journal.liquidations, entry)


def _is_hedge(positions: Positions, instrument: int) -> bool:
    """Whether the instrument is linear and its underlying is held."""
    return is_linear(decode(instrument)) and any(
        underlying_of(position.instrument) == underlying_of(instrument) for position in positions
    )


def _require_fund_reduced(draft: Draft, round_state: RoundState, fill: Fill) -> None:
    """A fund only ever trades its own lots away."""
    underlying = underlying_of(fill.instrument)
    before = quantity_of(round_state.fund_opening[underlying].positions, fill.instrument)
    after = quantity_of(draft.market(underlying).fund.positions, fill.instrument)
    if abs(after) >= abs(before) or after * before < 0:
        detail = f"fund {fund_holder(underlying)}: lots from {before} to {after}"
        raise Rejection(Reason.FUND_MAY_ONLY_REDUCE, detail)
