//! Phase 2: a withdrawal asked for on L1 pays what can leave the account now
//! (`novate.spec.transactions.forced_withdrawal`).

use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::holders::touch_account;
use crate::payments::pay_out;
use crate::types::inbox::ForcedWithdrawal;
use crate::types::journal::RequestOutcome;
use crate::types::state::Money;
use crate::valuation::{total_debt, withdrawable};

/// Debits min(amount, withdrawable now, vault + debt); the rejection if that is nothing.
pub fn forced_withdrawal(draft: &mut Draft, request: &ForcedWithdrawal) -> Law<RequestOutcome> {
    touch_account(draft, request.account)?;
    let free = withdrawable(draft, request.account)?;
    let covered = draft.system().vault + total_debt(draft);
    let debit = Money::from(request.amount).min(free).min(covered);
    if debit <= 0 {
        let detail = format!("account = {}", request.account);
        return Err(reject(Reason::NothingWithdrawable, detail));
    }
    pay_out(draft, request.account, debit, 0)?;
    draft.mark_touched(request.account);
    Ok(RequestOutcome::Done)
}
