//! Paying cash out to L1 (`novate.spec.payments`). While funds have debt every debit pays the same
//! fraction V / (V + B).

use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::funds::reduce_debt;
use crate::types::journal::WithdrawalEntry;
use crate::types::state::{Account, Money, System};
use crate::valuation::{payout_of, total_debt};

/// Debits an account and owes its owner the payout on L1; returns the payout.
///
/// The unpaid part of the debit takes as much off the funds' debt, so the fraction stays the same
/// for whoever comes next.
pub fn pay_out(draft: &mut Draft, index: i64, debit: Money, min_payout: Money) -> Law<Money> {
    let account = draft.account(index)?.clone();
    let vault = draft.system().vault;
    if debit > vault + total_debt(draft) {
        let detail = format!("debit = {debit}, vault = {vault}");
        return Err(reject(Reason::VaultTooSmall, detail));
    }
    let payout = payout_of(draft, debit);
    if payout < min_payout {
        let detail = format!("payout = {payout}, min_payout = {min_payout}");
        return Err(reject(Reason::PayoutTooSmall, detail));
    }
    let recipient = account.owner;
    draft.put_account(index, Account { cash: account.cash - debit, ..account })?;
    draft.put_system(System { vault: vault - payout, ..draft.system().clone() });
    reduce_debt(draft, debit - payout)?;
    draft.record_withdrawal(WithdrawalEntry { account: index, recipient, debit, payout });
    Ok(payout)
}
