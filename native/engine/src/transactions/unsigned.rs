//! Sides without a signature: liquidation steps of an account, and a fund reducing its inventory
//! (`novate.spec.transactions.unsigned`).
//!
//! A step may reduce any position, or open linears of an underlying held, as a hedge; it must lower
//! the account's risk, may cost no more than takeover would, and may not push equity far above
//! initial margin.

use std::sync::Arc;

use crate::arithmetic::ppm_down;
use crate::draft::Draft;
use crate::error::{Law, Reason, corrupt, reject};
use crate::holders::{fund_holder, quantity_of, touch_fund, underlying_of};
use crate::liquidation::waterfall_obstacle;
use crate::margin_rule::{facts, is_risk_reducing, opening_of};
use crate::types::batch::Fill;
use crate::types::journal::{Health, LiquidationEntry, LiquidationStage};
use crate::types::state::{Money, Position};
use crate::valuation::{account_health, is_fresh, opening_health, remember_opening_worth};

/// Brings a fund up to date and remembers it as it was before its first trade of the round.
///
/// Nobody can ask a fund whether it likes the price, so it only trades at prices of now.
pub fn begin_fund(draft: &mut Draft, underlying: i64) -> Law<()> {
    let market = draft.market(underlying)?;
    if market.halt.since != 0 {
        return Err(reject(Reason::MarketHalted, format!("underlying = {underlying}")));
    }
    if !is_fresh(draft, underlying)? {
        let detail = format!("snapshot of {}", market.current.time);
        return Err(reject(Reason::SnapshotTooOld, detail));
    }
    touch_fund(draft, underlying)?;
    if draft.round().fund_opening(underlying).is_none() {
        let fund = draft.market(underlying)?.fund.clone();
        remember_opening_worth(draft, fund_holder(underlying), &fund.positions)?;
        draft.remember_fund_opening(underlying, fund);
    }
    Ok(())
}

/// Health of an account about to be traded without its signature.
pub fn before_step(draft: &mut Draft, index: i64, instrument: i64) -> Law<Health> {
    let underlying = underlying_of(instrument);
    if draft.market(underlying)?.halt.since != 0 {
        let detail = format!("account {index}: underlying = {underlying}");
        return Err(reject(Reason::MarketHalted, detail));
    }
    let opening = opening_of(draft, index)?;
    let at_opening = opening_health(draft, index, opening.cash, &opening.positions)?;
    if let Some(obstacle) = waterfall_obstacle(draft, opening, &at_opening)? {
        return Err(reject(Reason::WaterfallNotOpen, format!("account {index}: {obstacle}")));
    }
    let now = account_health(draft, index)?;
    if now.equity >= now.initial {
        let detail = format!("account {index}: {}", facts(&now));
        return Err(reject(Reason::LiquidationDone, detail));
    }
    draft.mark_must_reduce(index);
    Ok(now)
}

/// Rules of an account traded without its signature, after its fill of an `instrument` that is
/// `linear` or not.
pub fn after_step(
    draft: &mut Draft,
    index: i64,
    fill: &Fill,
    linear: bool,
    before: &Health,
) -> Law<()> {
    let held = quantity_of(&draft.account(index)?.positions, fill.instrument);
    let opening = Arc::clone(&opening_of(draft, index)?.positions);
    let held_before = quantity_of(&opening, fill.instrument);
    let turned = held.signum() * held_before.signum() < 0;
    let grows = held.unsigned_abs() > held_before.unsigned_abs();
    if turned || (grows && !(linear && holds_underlying(&opening, fill.instrument))) {
        let detail = format!("position from {held_before} to {held}");
        return Err(reject(Reason::NotAHedge, detail));
    }
    let after = account_health(draft, index)?;
    let underlying = underlying_of(fill.instrument);
    let penalty_ppm = draft.market_parameters(underlying)?.penalty_ppm;
    if !is_risk_reducing(before, &after, penalty_ppm) {
        let detail = format!("account {index}: {} to {}", facts(before), facts(&after));
        return Err(reject(Reason::NotRiskReducing, detail));
    }
    let allowed = after.initial + ppm_down(before.initial, draft.parameters().overshoot_ppm);
    if fill.quantity > 1 && after.equity > allowed {
        let detail = format!("equity {}, allowed {allowed}", after.equity);
        return Err(reject(Reason::StepTooLarge, detail));
    }
    draft.record_liquidation(LiquidationEntry {
        stage: LiquidationStage::Step,
        holder: index,
        underlying,
        amount: Money::from(fill.quantity),
    });
    Ok(())
}

fn holds_underlying(positions: &[Position], instrument: i64) -> bool {
    positions.iter().any(|held| underlying_of(held.instrument) == underlying_of(instrument))
}

/// A fund only ever trades its own lots away.
pub fn require_fund_reduced(draft: &Draft, fill: &Fill) -> Law<()> {
    let underlying = underlying_of(fill.instrument);
    let opening = draft.round().fund_opening(underlying);
    let opening = opening.ok_or_else(|| corrupt(format!("fund {underlying} has not traded")))?;
    let before = quantity_of(&opening.positions, fill.instrument);
    let after = quantity_of(&draft.market(underlying)?.fund.positions, fill.instrument);
    if after.unsigned_abs() >= before.unsigned_abs() || after.signum() * before.signum() < 0 {
        let holder = fund_holder(underlying);
        let detail = format!("fund {holder}: lots from {before} to {after}");
        return Err(reject(Reason::FundMayOnlyReduce, detail));
    }
    Ok(())
}
