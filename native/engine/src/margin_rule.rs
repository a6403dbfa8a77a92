//! The margin rule of accounts with an act of their own in a round, and what it calls reducing risk
//! (`novate.spec.margin_rule`).
//!
//! E, M, I: equity, maintenance and initial margin; a prime marks "after". Before and after are
//! valued at the same snapshot; "before" is the opening account with what it received from others.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::arithmetic::{compare_products, ppm_down};
use crate::draft::Draft;
use crate::error::{Law, LawError, Reason, corrupt, reject};
use crate::holders::fund_holder;
use crate::types::journal::{Health, MarginEntry};
use crate::types::state::Account;
use crate::valuation::{
    account_health, fund_health, opening_health, reference_health, withdrawal_obstacle,
};

/// M' <= M and E' >= E; or M' < M, E >= 0, E'·M >= E·M' and E − E' <= step of (M − M').
///
/// The products are compared in 256 bits: E and M pass 2^63 where an index fell far enough.
#[must_use]
pub fn is_risk_reducing(before: &Health, after: &Health, step_loss_ppm: i64) -> bool {
    if after.maintenance <= before.maintenance && after.equity >= before.equity {
        return true;
    }
    let freed = before.maintenance - after.maintenance;
    freed > 0
        && before.equity >= 0
        && compare_products(after.equity, before.maintenance, before.equity, after.maintenance)
            != Ordering::Less
        && before.equity - after.equity <= ppm_down(freed, step_loss_ppm)
}

/// An account of the open round as it was before its first act.
pub fn opening_of(draft: &Draft, index: i64) -> Law<&Account> {
    let opening = draft.round().opening(index);
    opening.ok_or_else(|| corrupt(format!("account {index} has not acted in this round")))
}

/// The numbers of the margin rule for one account, as the round stands.
fn judge(draft: &mut Draft, index: i64) -> Law<MarginEntry> {
    let opening = opening_of(draft, index)?;
    let cash = opening.cash + draft.round().inflow(index);
    let positions = Arc::clone(&opening.positions);
    let before = opening_health(draft, index, cash, &positions)?;
    let after = account_health(draft, index)?;
    let risk_reducing = is_risk_reducing(&before, &after, draft.parameters().step_loss_ppm);
    let gave = before.equity - draft.round().paid(index) - after.equity;
    Ok(MarginEntry { account: index, before, after, gave, risk_reducing })
}

/// The rejection unless the account may end the round as it stands.
pub fn require_margin(draft: &mut Draft, index: i64) -> Law<MarginEntry> {
    let entry = judge(draft, index)?;
    let covered = entry.after.equity >= entry.after.initial;
    if draft.round().must_reduce(index) && !entry.risk_reducing {
        return Err(refusal(Reason::NotRiskReducing, &entry));
    }
    if !covered && !entry.risk_reducing {
        return Err(refusal(Reason::InsufficientMargin, &entry));
    }
    if draft.round().moved_out(index) {
        if !covered {
            return Err(refusal(Reason::InsufficientMargin, &entry));
        }
        require_withdrawable(draft, index)?;
    } else if gave_away(draft, &entry) {
        require_may_give(draft, &entry)?;
    }
    Ok(entry)
}

fn refusal(reason: Reason, entry: &MarginEntry) -> LawError {
    let MarginEntry { account, before, after, .. } = entry;
    reject(reason, format!("account {account}: {} to {}", facts(before), facts(after)))
}

/// A health in words.
#[must_use]
pub fn facts(health: &Health) -> String {
    let Health { equity, maintenance, initial } = health;
    format!("equity {equity}, maintenance margin {maintenance}, initial margin {initial}")
}

/// Whether the account's trades lost more than the tolerated part of its maintenance margin.
fn gave_away(draft: &Draft, entry: &MarginEntry) -> bool {
    let margin = entry.before.maintenance.max(entry.after.maintenance);
    entry.gave > ppm_down(margin, draft.parameters().give_tolerance_ppm)
}

/// Giving value away needs the withdrawal test.
///
/// Who reduces risk need not wait for a halt to end; and who was below initial margin need not be
/// safe at the reference either.
fn require_may_give(draft: &Draft, entry: &MarginEntry) -> Law<()> {
    if !entry.risk_reducing {
        return require_withdrawable(draft, entry.account);
    }
    if entry.before.equity >= entry.before.initial {
        return require_safe_at_reference(draft, entry.account);
    }
    Ok(())
}

/// The withdrawal test: no halt, no missing fixing, and E' >= I' at the reference as well.
fn require_withdrawable(draft: &Draft, index: i64) -> Law<()> {
    if let Some(obstacle) = withdrawal_obstacle(draft, &draft.account(index)?.positions)? {
        return Err(reject(Reason::WithdrawalBlocked, format!("account {index}: {obstacle}")));
    }
    require_safe_at_reference(draft, index)
}

/// E' >= I' with the reference's index, premium, basis and smile.
fn require_safe_at_reference(draft: &Draft, index: i64) -> Law<()> {
    let then = reference_health(draft, index)?;
    if then.equity < then.initial {
        let detail = format!("account {index}: {}", facts(&then));
        return Err(reject(Reason::UnsafeAtReference, detail));
    }
    Ok(())
}

/// A fund that traded must have reduced its risk, at little cost: it has no signature to ask.
pub fn require_fund_margin(draft: &mut Draft, underlying: i64) -> Law<()> {
    let opening = draft.round().fund_opening(underlying);
    let opening = opening
        .ok_or_else(|| corrupt(format!("fund {underlying} has not traded in this round")))?;
    let (cash, positions) = (opening.cash, Arc::clone(&opening.positions));
    let before = opening_health(draft, fund_holder(underlying), cash, &positions)?;
    let after = fund_health(draft, underlying)?;
    if !is_risk_reducing(&before, &after, draft.parameters().fund_loss_ppm) {
        let detail = format!("fund {underlying}: {} to {}", facts(&before), facts(&after));
        return Err(reject(Reason::NotRiskReducing, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(equity: i128, maintenance: i128) -> Health {
        Health { equity, maintenance, initial: maintenance }
    }

    #[test]
    fn less_margin_and_no_less_equity_reduces_risk_even_below_zero() {
        assert!(is_risk_reducing(&health(-5, 10), &health(-5, 10), 0));
        assert!(is_risk_reducing(&health(-5, 10), &health(-4, 9), 0));
        assert!(!is_risk_reducing(&health(-5, 10), &health(-6, 5), 1_000_000));
    }

    #[test]
    fn the_ratio_of_equity_to_margin_may_not_fall() {
        // 6 of 10 to 3 of 5 keeps the ratio; 2 of 5 does not, at any step
        assert!(is_risk_reducing(&health(6, 10), &health(3, 5), 600_000));
        assert!(!is_risk_reducing(&health(6, 10), &health(2, 5), 1_000_000));
        assert!(!is_risk_reducing(&health(6, 10), &health(3, 5), 599_999));
    }

    #[test]
    fn products_past_128_bits_are_compared_exactly() {
        let (equity, margin) = (1_i128 << 100, 1_i128 << 100);
        // E'·M − E·M' = (E − 1)·M − E·(M − 1) = E − M
        let before = health(equity, margin);
        assert!(is_risk_reducing(&before, &health(equity - 1, margin - 1), 1_000_000));
        let poorer = health(equity - 1, margin);
        assert!(!is_risk_reducing(&poorer, &health(equity - 2, margin - 1), 1_000_000));
    }
}
