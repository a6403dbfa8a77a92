//! The insurance funds: revenue, losses and debt (`novate.spec.funds`).
//!
//! Sum of all cash (accounts, funds, clearing balances) = V + B, V the vault and B the funds' debt.

use crate::arithmetic::mul_div_down;
use crate::draft::Draft;
use crate::error::Law;
use crate::types::state::{Fund, Money};
use crate::valuation::total_debt;

/// Revenue of a fund: repays its own debt first. A negative amount is a loss it bears.
pub fn credit_fund(draft: &mut Draft, underlying: i64, amount: Money) -> Law<()> {
    let fund = draft.market(underlying)?.fund.clone();
    let repaid = amount.max(0).min(fund.debt);
    let cash = fund.cash + amount - repaid;
    draft.put_fund(underlying, Fund { cash, debt: fund.debt - repaid, ..fund })
}

/// A deficit that nobody has paid, amount >= 0.
pub fn add_debt(draft: &mut Draft, underlying: i64, amount: Money) -> Law<()> {
    let fund = draft.market(underlying)?.fund.clone();
    draft.put_fund(underlying, Fund { debt: fund.debt + amount, ..fund })
}

/// Takes `amount` (the unpaid part of a debit, at most B) off the funds' debts, pro rata.
///
/// Shares are rounded down; the remainder goes to the lowest underlyings with debt.
pub fn reduce_debt(draft: &mut Draft, amount: Money) -> Law<()> {
    let total = total_debt(draft);
    if total == 0 {
        return Ok(());
    }
    let debts: Vec<Money> = draft.markets().iter().map(|market| market.fund.debt).collect();
    let share = |debt: &Money| mul_div_down(amount, *debt, total);
    let mut left = amount - debts.iter().map(share).sum::<Money>();
    for (underlying, debt) in (0..).zip(&debts) {
        let after = debt - share(debt);
        let more = left.min(after);
        left -= more;
        if after - more != *debt {
            let fund = draft.market(underlying)?.fund.clone();
            draft.put_fund(underlying, Fund { debt: after - more, ..fund })?;
        }
    }
    Ok(())
}
