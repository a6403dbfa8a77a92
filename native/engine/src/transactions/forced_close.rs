//! Phase 2: an owner closes a position from L1, against the market's fund at a worsened mark
//! (`novate.spec.transactions.forced_close`).
//!
//! The fund takes lots up to its inventory limit and its own margin. What it cannot take is
//! deferred: a second request after the wait closes the rest by factor at twice the penalty.

use novate_risk::bounds::PRICE_MAX;

use crate::arithmetic::ppm_up;
use crate::bounds::QUANTITY_MAX;
use crate::draft::Draft;
use crate::error::{Law, Reason, corrupt, reject};
use crate::holders::{quantity_of, touch_account, touch_fund, underlying_of};
use crate::liquidation::{close_account_position, exchange_with_fund};
use crate::margin_rule::{facts, is_risk_reducing};
use crate::types::inbox::ForcedClose;
use crate::types::journal::{Health, RequestOutcome};
use crate::types::state::{Account, Money};
use crate::valuation::{account_health, fund_health, is_expired, mark_of_id};

/// Closes as much as the fund can take; defers the rest, or closes it by factor when due.
pub fn forced_close(draft: &mut Draft, request: &ForcedClose) -> Law<RequestOutcome> {
    let (index, instrument) = (request.account, request.instrument);
    touch_account(draft, index)?;
    let account = draft.account(index)?;
    let quantity = quantity_of(&account.positions, instrument);
    let deferred = (account.forced_close_instrument, account.forced_close_time);
    if quantity == 0 {
        return Err(reject(Reason::NoPosition, format!("instrument = {instrument}")));
    }
    check_market(draft, instrument)?;
    draft.mark_touched(index);
    if close_by_fund(draft, index, instrument, quantity)? == quantity {
        remember(draft, index, 0, 0)?;
        return Ok(RequestOutcome::Done);
    }
    if may_use_factors(draft, deferred, instrument) {
        close_rest_by_factor(draft, index, instrument)?;
        remember(draft, index, 0, 0)?;
        return Ok(RequestOutcome::Done);
    }
    if deferred.0 != instrument || deferred.1 == 0 {
        let time = draft.round().time;
        remember(draft, index, instrument, time)?;
    }
    Ok(RequestOutcome::Deferred)
}

/// No forced close at a stale price: not in a halted market, not after expiry.
fn check_market(draft: &Draft, instrument: i64) -> Law<()> {
    let underlying = underlying_of(instrument);
    if draft.market(underlying)?.halt.since != 0 {
        return Err(reject(Reason::MarketHalted, format!("underlying = {underlying}")));
    }
    if is_expired(instrument, draft.system().time) {
        return Err(reject(Reason::InstrumentExpired, format!("instrument = {instrument}")));
    }
    Ok(())
}

/// The mark moved against the holder by `times` the penalty, in `[0, PRICE_MAX]` ticks.
fn worsened_mark(draft: &Draft, instrument: i64, quantity: i64, times: i128) -> Law<i64> {
    let view = draft.view(underlying_of(instrument))?;
    let index = i128::from(view.snapshot().index_price);
    let penalty = times * ppm_up(index, view.parameters().close_penalty_ppm); // < 2 · 2^31 · 2^13
    let price = i128::from(mark_of_id(draft, instrument)?);
    let moved = if quantity > 0 { price - penalty } else { price + penalty };
    Ok(moved.clamp(0, PRICE_MAX.into()) as i64)
}

/// Signed lots the fund took over; 0 if its margin does not allow it.
fn close_by_fund(draft: &mut Draft, index: i64, instrument: i64, quantity: i64) -> Law<i64> {
    let underlying = underlying_of(instrument);
    touch_fund(draft, underlying)?;
    let held = quantity_of(&draft.market(underlying)?.fund.positions, instrument);
    let limit = draft.market_parameters(underlying)?.fund_inventory_max.min(QUANTITY_MAX);
    let sign = quantity.signum();
    // lots below 2^33, the limit below 2^31: a fund's lots fit their field like anyone's
    let taken = sign * quantity.abs().min((limit - sign * held).max(0));
    if taken == 0 {
        return Ok(0);
    }
    let checkpoint = draft.checkpoint();
    let price = worsened_mark(draft, instrument, quantity, 1)?;
    let before = account_health(draft, index)?;
    exchange_with_fund(draft, index, instrument, -taken, price)?;
    require_reduced(draft, index, &before)?;
    let now = fund_health(draft, underlying)?;
    if now.equity < now.maintenance {
        draft.rollback(checkpoint);
        return Ok(0);
    }
    Ok(taken)
}

/// The close must leave the account covered, or with less risk.
fn require_reduced(draft: &mut Draft, index: i64, before: &Health) -> Law<()> {
    let after = account_health(draft, index)?;
    if after.equity >= after.initial
        || is_risk_reducing(before, &after, draft.parameters().step_loss_ppm)
    {
        return Ok(());
    }
    let detail = format!("account {index}: {} to {}", facts(before), facts(&after));
    Err(reject(Reason::NotRiskReducing, detail))
}

/// Whether the same close was deferred (instrument, time) long enough ago.
fn may_use_factors(draft: &Draft, deferred: (i64, i64), instrument: i64) -> bool {
    let waited = Money::from(draft.round().time) - Money::from(deferred.1);
    deferred.0 == instrument
        && deferred.1 != 0
        && waited >= Money::from(draft.parameters().forced_close_wait_s)
}

/// Closes what is left against the other side at the mark worsened twice.
fn close_rest_by_factor(draft: &mut Draft, index: i64, instrument: i64) -> Law<()> {
    let before = account_health(draft, index)?;
    let positions = &draft.account(index)?.positions;
    let found = positions.iter().find(|position| position.instrument == instrument);
    let position = *found.ok_or_else(|| corrupt(format!("no position in {instrument} is left")))?;
    let price = worsened_mark(draft, instrument, position.quantity, 2)?;
    let fair = mark_of_id(draft, instrument)?;
    close_account_position(draft, index, &position, price, fair)?;
    require_reduced(draft, index, &before)
}

/// Notes a deferred close on the account (0, 0: none).
fn remember(draft: &mut Draft, index: i64, instrument: i64, time: i64) -> Law<()> {
    let forced_close_instrument = instrument;
    let account = draft.account(index)?.clone();
    let account = Account { forced_close_instrument, forced_close_time: time, ..account };
    draft.put_account(index, account)
}
