//! The liquidation waterfall: status, fund takeover, deleveraging by factors, fund debt
//! (`novate.spec.liquidation`). The outcome for an account is a function of the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::arithmetic::{mul_div_down, ppm_up};
use crate::bounds::QUANTITY_MAX;
use crate::deleverage::{close_by_factor, deleverage_prices};
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::funds::{add_debt, credit_fund};
use crate::holders::{
    change_position, fund_holder, touch_account, touch_fund, underlying_of, without,
};
use crate::ledger::record_row;
use crate::types::journal::{Health, LiquidationEntry, LiquidationStage};
use crate::types::state::{Account, Fund, Money, Position, Positions};
use crate::valuation::{
    account_health, by_underlying, fund_health, health, is_fresh, margins_by_underlying, mark_of_id,
};

/// The journal's underlying of an event that concerns the account as a whole.
const WHOLE_ACCOUNT: i64 = -1;

/// Sets the status where E < M, clears it where E >= I; returns the account's health.
pub fn update_status(draft: &mut Draft, index: i64) -> Law<Health> {
    touch_account(draft, index)?;
    let now = account_health(draft, index)?;
    let account = draft.account(index)?;
    let marked = account.liquidation_since != 0;
    if now.equity < now.maintenance && !marked {
        let liquidation_since = draft.round().time;
        let account = Account { liquidation_since, ..account.clone() };
        draft.put_account(index, account)?;
        let lacking = now.maintenance - now.equity;
        record(draft, LiquidationStage::StatusSet, index, WHOLE_ACCOUNT, lacking);
    } else if marked && now.equity >= now.initial {
        let account = Account { liquidation_since: 0, ..account.clone() };
        draft.put_account(index, account)?;
        let spare = now.equity - now.initial;
        record(draft, LiquidationStage::StatusCleared, index, WHOLE_ACCOUNT, spare);
    }
    Ok(now)
}

/// Why the waterfall is not open for an up-to-date account of that health, or none.
///
/// It opens in a round whose accepted snapshots are later than the one that set the status.
pub fn waterfall_obstacle(draft: &Draft, account: &Account, now: &Health) -> Law<Option<String>> {
    let since = account.liquidation_since;
    if since == 0 {
        return Ok(Some("not in liquidation".into()));
    }
    let live = live_underlyings(draft, &account.positions)?;
    if live.is_empty() && !account.positions.is_empty() {
        return Ok(Some("every market it holds is halted".into()));
    }
    for underlying in live {
        if draft.view(underlying)?.snapshot().time <= since {
            return Ok(Some(format!("market {underlying} has no later snapshot")));
        }
        if !is_fresh(draft, underlying)? {
            return Ok(Some(format!("market {underlying} has no fresh snapshot")));
        }
    }
    let Health { equity, maintenance, .. } = now;
    if equity >= maintenance {
        let detail = format!("equity {equity} is not below maintenance margin {maintenance}");
        return Ok(Some(detail));
    }
    Ok(None)
}

/// Underlyings held whose market is not halted, ascending.
fn live_underlyings(draft: &Draft, positions: &[Position]) -> Law<Vec<i64>> {
    let mut live = Vec::new();
    for group in by_underlying(positions) {
        let underlying = underlying_of(group[0].instrument);
        if draft.market(underlying)?.halt.since == 0 {
            live.push(underlying);
        }
    }
    Ok(live)
}

/// Stages 3 and 4 for one account: each live market's fund takes over, or deleveraging.
///
/// Penalty or deficit is split over the underlyings by maintenance margin, the remainder to the
/// first; a halted market's share stays with the account and its positions.
pub fn liquidate(draft: &mut Draft, index: i64) -> Law<()> {
    touch_account(draft, index)?;
    let now = account_health(draft, index)?;
    let account = draft.account(index)?;
    if let Some(obstacle) = waterfall_obstacle(draft, account, &now)? {
        return Err(reject(Reason::WaterfallNotOpen, format!("account {index}: {obstacle}")));
    }
    let margins = margins_by_underlying(&draft.round().views, &account.positions)?;
    let weights: Vec<(i64, Money)> =
        margins.iter().map(|(underlying, margin)| (*underlying, margin.maintenance)).collect();
    let last = account.last_underlying;
    let live = live_underlyings(draft, &account.positions)?;
    let penalties = shares(now.equity.max(0).min(penalty(draft, &weights)?), &weights, last);
    let deficits = shares((-now.equity).max(0), &weights, last);
    // without positions the deficit is the last underlying's
    let resolved = if live.is_empty() { deficits.keys().copied().collect() } else { live };
    for underlying in resolved {
        let share = |parts: &BTreeMap<i64, Money>| parts.get(&underlying).copied().unwrap_or(0);
        resolve(draft, index, underlying, share(&penalties), share(&deficits))?;
    }
    draft.mark_touched(index);
    Ok(())
}

/// Takeover penalty over all underlyings, rounded up for each.
fn penalty(draft: &Draft, weights: &[(i64, Money)]) -> Law<Money> {
    let mut sum = 0;
    for (underlying, maintenance) in weights {
        sum += ppm_up(*maintenance, draft.market_parameters(*underlying)?.penalty_ppm);
    }
    Ok(sum)
}

/// `amount` >= 0 split by weights >= 0 (ascending by underlying), rounded down, the remainder to
/// the lowest underlying with a weight; all of it to `fallback` if there is none.
fn shares(amount: Money, weights: &[(i64, Money)], fallback: i64) -> BTreeMap<i64, Money> {
    let total: Money = weights.iter().map(|(_, weight)| weight).sum();
    if total == 0 {
        return BTreeMap::from([(fallback, amount)]);
    }
    let part = |(key, weight): &(i64, Money)| (*key, mul_div_down(amount, *weight, total));
    let mut parts: BTreeMap<i64, Money> = weights.iter().map(part).collect();
    let rest = amount - parts.values().sum::<Money>();
    let first = weights.iter().find(|(_, weight)| *weight != 0);
    if let Some(part) = first.and_then(|(key, _)| parts.get_mut(key)) {
        *part += rest;
    }
    parts
}

/// Closes the account's positions in one underlying: by the fund, else by factors.
fn resolve(
    draft: &mut Draft,
    index: i64,
    underlying: i64,
    penalty: Money,
    deficit: Money,
) -> Law<()> {
    touch_account(draft, index)?;
    let positions = Arc::clone(&draft.account(index)?.positions);
    let mut groups = by_underlying(&positions);
    let mine = groups.find(|group| underlying_of(group[0].instrument) == underlying);
    let mine = mine.unwrap_or(&[]);
    if fund_can_take(draft, underlying, mine, deficit)? {
        for position in mine {
            let price = mark_of_id(draft, position.instrument)?;
            exchange_with_fund(draft, index, position.instrument, -position.quantity, price)?;
        }
        add_cash(draft, index, deficit - penalty)?;
        credit_fund(draft, underlying, penalty)?;
        credit_fund(draft, underlying, -deficit)?;
        record(draft, LiquidationStage::Takeover, index, underlying, penalty);
        return Ok(());
    }
    let met = deficit.min(spare(draft, underlying)?);
    add_cash(draft, index, met)?;
    credit_fund(draft, underlying, -met)?;
    let recovered = deleverage_positions(draft, index, mine, deficit - met)?;
    record(draft, LiquidationStage::Deleverage, index, underlying, met);
    leave_debt(draft, index, underlying, deficit - met - recovered)
}

/// What nobody met, at least 0, becomes fund debt; the account starts again from there.
fn leave_debt(draft: &mut Draft, index: i64, underlying: i64, unmet: Money) -> Law<()> {
    if unmet != 0 {
        add_cash(draft, index, unmet)?;
        add_debt(draft, underlying, unmet)?;
        record(draft, LiquidationStage::FundDebt, index, underlying, unmet);
    }
    Ok(())
}

fn add_cash(draft: &mut Draft, index: i64, amount: Money) -> Law<()> {
    let account = draft.account(index)?;
    let account = Account { cash: account.cash + amount, ..account.clone() };
    draft.put_account(index, account)
}

/// Whether the fund's equity less the deficit covers its own margin with the portfolio.
///
/// A fund has no cap of notional, but its lots must fit their field like anyone's.
fn fund_can_take(
    draft: &mut Draft,
    underlying: i64,
    mine: &[Position],
    deficit: Money,
) -> Law<bool> {
    touch_fund(draft, underlying)?;
    let fund = &draft.market(underlying)?.fund;
    let mut merged: BTreeMap<i64, Position> =
        fund.positions.iter().map(|position| (position.instrument, *position)).collect();
    for position in mine {
        let empty = Position { quantity: 0, ..*position };
        merged.entry(position.instrument).or_insert(empty).quantity += position.quantity;
    }
    let together: Vec<Position> =
        merged.into_values().filter(|position| position.quantity != 0).collect();
    let too_many = |position: &Position| position.quantity.unsigned_abs() > QUANTITY_MAX as u64;
    if together.iter().any(too_many) {
        return Ok(false);
    }
    let equity = fund_health(draft, underlying)?.equity - deficit;
    Ok(equity >= health(&draft.round().views, 0, &together)?.maintenance)
}

/// Equity of the up-to-date fund above its own maintenance margin; at least 0.
fn spare(draft: &mut Draft, underlying: i64) -> Law<Money> {
    let now = fund_health(draft, underlying)?;
    Ok((now.equity - now.maintenance).max(0))
}

/// The account's position changes by `change` lots at `price`, the fund's by the opposite.
pub fn exchange_with_fund(
    draft: &mut Draft,
    index: i64,
    instrument: i64,
    change: i64,
    price: i64,
) -> Law<()> {
    let underlying = underlying_of(instrument);
    let paid = Money::from(change) * Money::from(price);
    let account = draft.account(index)?.clone();
    let positions = change_position(draft, &account.positions, instrument, change)?;
    let cash = account.cash - paid;
    draft.put_account(index, Account { positions, cash, ..account })?;
    let fund = draft.market(underlying)?.fund.clone();
    let positions = change_position(draft, &fund.positions, instrument, -change)?;
    draft.put_fund(underlying, Fund { positions, cash: fund.cash + paid, ..fund })?;
    record_row(draft, index, instrument, change, -paid)?;
    record_row(draft, fund_holder(underlying), instrument, -change, paid)
}

/// Closes an account's positions by factors at prices that raise up to `deficit`.
///
/// Returns what the prices raised beyond the marks. The account's cash has moved accordingly.
fn deleverage_positions(
    draft: &mut Draft,
    index: i64,
    mine: &[Position],
    deficit: Money,
) -> Law<Money> {
    let prices = deleverage_prices(draft, mine, deficit)?;
    let mut raised = 0;
    for (position, price) in mine.iter().zip(prices) {
        let fair = mark_of_id(draft, position.instrument)?;
        let value = close_account_position(draft, index, position, price, fair)?;
        raised += value - Money::from(position.quantity) * Money::from(fair);
    }
    Ok(raised)
}

/// Closes one position of an account by factor; returns the cash it got.
pub fn close_account_position(
    draft: &mut Draft,
    index: i64,
    position: &Position,
    price: i64,
    fair: i64,
) -> Law<Money> {
    let value = close_by_factor(draft, index, position, price, fair)?;
    let account = draft.account(index)?.clone();
    let positions = without(&account.positions, position.instrument);
    let cash = account.cash + value;
    draft.put_account(index, Account { positions, cash, ..account })?;
    Ok(value)
}

/// A fund below its own maintenance margin closes all its positions by factors.
pub fn deleverage_fund(draft: &mut Draft, underlying: i64) -> Law<()> {
    let market = draft.market(underlying)?;
    if market.halt.since != 0 {
        return Err(reject(Reason::MarketHalted, format!("underlying = {underlying}")));
    }
    if !is_fresh(draft, underlying)? {
        let detail = format!("snapshot of {}", market.current.time);
        return Err(reject(Reason::SnapshotTooOld, detail));
    }
    touch_fund(draft, underlying)?;
    let now = fund_health(draft, underlying)?;
    let fund = draft.market(underlying)?.fund.clone();
    if fund.positions.is_empty() || now.equity >= now.maintenance {
        let detail = format!("equity {}, maintenance margin {}", now.equity, now.maintenance);
        return Err(reject(Reason::FundNotBelowMargin, detail));
    }
    let holder = fund_holder(underlying);
    let prices = deleverage_prices(draft, &fund.positions, (-now.equity).max(0))?;
    let mut cash = fund.cash;
    for (position, price) in fund.positions.iter().zip(prices) {
        let fair = mark_of_id(draft, position.instrument)?;
        cash += close_by_factor(draft, holder, position, price, fair)?;
    }
    let unmet = (-cash).max(0);
    let positions = Positions::default();
    draft.put_fund(underlying, Fund { positions, cash: cash + unmet, ..fund })?;
    if unmet != 0 {
        add_debt(draft, underlying, unmet)?;
        record(draft, LiquidationStage::FundDebt, holder, underlying, unmet);
    }
    record(draft, LiquidationStage::FundDeleverage, holder, underlying, unmet);
    Ok(())
}

/// Puts an event of the waterfall into the journal.
fn record(draft: &mut Draft, stage: LiquidationStage, holder: i64, underlying: i64, amount: Money) {
    draft.record_liquidation(LiquidationEntry { stage, holder, underlying, amount });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_the_remainder_is_the_first_weights() {
        let parts = shares(10, &[(1, 0), (2, 1), (5, 1), (7, 1)], 3);
        assert_eq!(parts, BTreeMap::from([(1, 0), (2, 4), (5, 3), (7, 3)]));
        assert_eq!(shares(10, &[(4, 0)], 3), BTreeMap::from([(3, 10)]));
        assert_eq!(shares(0, &[], 3), BTreeMap::from([(3, 0)]));
    }

    #[test]
    fn shares_of_amounts_past_64_bits_are_exact() {
        let huge = (1_i128 << 90) + 1;
        let parts = shares(huge, &[(0, huge), (1, huge)], 0);
        assert_eq!(parts, BTreeMap::from([(0, (1 << 89) + 1), (1, 1 << 89)]));
    }
}
