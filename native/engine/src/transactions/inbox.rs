//! Phase 2: requests from L1, in L1 order, none skipped (`novate.spec.transactions.inbox`).
//!
//! Deposits, keys, the transfer allow-list and cancels are here; forced withdrawal, close and
//! liquidation have files of their own.

use crate::bounds::{CASH_MAX, GOLDILOCKS};
use crate::draft::Draft;
use crate::error::{Law, LawError, Reason, reject};
use crate::funds::credit_fund;
use crate::holders::touch_account;
use crate::transactions::changes::next_epoch;
use crate::transactions::forced_close::forced_close;
use crate::transactions::forced_liquidation::forced_liquidation;
use crate::transactions::forced_withdrawal::forced_withdrawal;
use crate::types::inbox::{AllowOwner, Deposit, ForcedCancel, FundDeposit, RegisterKey, Request};
use crate::types::journal::{
    ChangeEntry, ChangeKind, RequestEntry, RequestOutcome, WithdrawalEntry,
};
use crate::types::numbers::{Address, ZERO_KEY};
use crate::types::state::{Account, Money, System};

/// The journal's account of a deposit that is paid back.
const NO_ACCOUNT: i64 = -1;

/// Carries out one request, or records why it is a no-op; its content never makes it fail.
pub fn apply_request(draft: &mut Draft, request: &Request) -> Law<()> {
    let checkpoint = draft.checkpoint();
    let (outcome, reason) = match dispatch(draft, request) {
        Ok(outcome) => (outcome, None),
        Err(LawError::Rejection(reason, _)) => {
            draft.rollback(checkpoint);
            let outcome = match request {
                // money that came in is credited or paid back
                Request::Deposit(deposit) => refund(draft, deposit.sender, deposit.amount),
                _ => RequestOutcome::NoOp,
            };
            (outcome, Some(reason))
        }
        Err(error) => return Err(error),
    };
    let inbox_cursor = draft.system().inbox_cursor + 1;
    draft.put_system(System { inbox_cursor, ..draft.system().clone() });
    draft.record_request(RequestEntry { request: request.clone(), outcome, reason });
    Ok(())
}

/// The request's own rule.
fn dispatch(draft: &mut Draft, request: &Request) -> Law<RequestOutcome> {
    match request {
        Request::Deposit(request) => deposit(draft, request),
        Request::FundDeposit(request) => fund_deposit(draft, request),
        Request::RegisterKey(request) => register_key(draft, request),
        Request::AllowOwner(request) => allow_owner(draft, request),
        Request::ForcedCancel(request) => forced_cancel(draft, request),
        Request::ForcedWithdrawal(request) => {
            require_owner(draft, request.account, request.owner)?;
            forced_withdrawal(draft, request)
        }
        Request::ForcedClose(request) => {
            require_owner(draft, request.account, request.owner)?;
            forced_close(draft, request)
        }
        Request::ForcedLiquidation(request) => forced_liquidation(draft, request),
    }
}

/// The account, if the L1 sender owns it.
fn require_owner(draft: &Draft, index: i64, owner: Address) -> Law<Account> {
    let account = draft.account(index)?;
    if account.owner != owner {
        let detail = format!("account = {index}, sender = {owner}");
        return Err(reject(Reason::NotTheOwner, detail));
    }
    Ok(account.clone())
}

/// Credits cash, opening the next free account; otherwise owes the sender the amount back.
fn deposit(draft: &mut Draft, request: &Deposit) -> Law<RequestOutcome> {
    let amount = Money::from(request.amount);
    if !can_credit(draft, request, amount)? {
        return Ok(refund(draft, request.sender, request.amount));
    }
    let system = draft.system().clone();
    let opens = request.account == system.account_count;
    let account =
        if opens { Account::of(request.owner) } else { draft.account(request.account)?.clone() };
    draft.put_account(request.account, Account { cash: account.cash + amount, ..account })?;
    let vault = system.vault + amount;
    let account_count = system.account_count + i64::from(opens);
    draft.put_system(System { vault, account_count, ..system });
    draft.mark_touched(request.account);
    Ok(RequestOutcome::Done)
}

/// Whether the account exists (it is then brought up to date) or is next, belongs to the owner
/// named, and has room.
fn can_credit(draft: &mut Draft, request: &Deposit, amount: Money) -> Law<bool> {
    let (index, count) = (request.account, draft.system().account_count);
    if draft.system().vault + amount > CASH_MAX {
        return Ok(false);
    }
    if index == count {
        return Ok(count < draft.preset().accounts_max() && request.owner != Address::ZERO);
    }
    if !(0..count).contains(&index) || draft.account(index)?.owner != request.owner {
        return Ok(false);
    }
    touch_account(draft, index)?;
    Ok(draft.account(index)?.cash + amount <= CASH_MAX)
}

/// Owes a deposit back to who sent it; the vault's V never counted it.
fn refund(draft: &mut Draft, sender: Address, amount: i64) -> RequestOutcome {
    let amount = Money::from(amount);
    draft.record_withdrawal(WithdrawalEntry {
        account: NO_ACCOUNT,
        recipient: sender,
        debit: amount,
        payout: amount,
    });
    RequestOutcome::Refunded
}

/// Capital for a market's fund; repays its debt first, like any revenue.
fn fund_deposit(draft: &mut Draft, request: &FundDeposit) -> Law<RequestOutcome> {
    let amount = Money::from(request.amount);
    let vault = draft.system().vault + amount;
    if draft.market(request.underlying).is_err() || vault > CASH_MAX {
        return Ok(refund(draft, request.sender, request.amount));
    }
    draft.put_system(System { vault, ..draft.system().clone() });
    credit_fund(draft, request.underlying, amount)?;
    Ok(RequestOutcome::Done)
}

/// Binds a trading key; L1 overrides what was rotated on L2.
///
/// Words that are not elements bind the zero key, which cannot sign: no leaf can hold them.
fn register_key(draft: &mut Draft, request: &RegisterKey) -> Law<RequestOutcome> {
    let account = require_owner(draft, request.account, request.owner)?;
    let key_epoch = next_epoch(account.key_epoch)?;
    let canonical = request.key.iter().all(|word| *word < GOLDILOCKS);
    let key = if canonical { request.key } else { ZERO_KEY };
    draft.put_account(request.account, Account { key, key_epoch, ..account })?;
    record_epoch(draft, request.account, ChangeKind::Key, key_epoch);
    Ok(RequestOutcome::Done)
}

/// Allows transfers to accounts of one other owner.
fn allow_owner(draft: &mut Draft, request: &AllowOwner) -> Law<RequestOutcome> {
    let account = require_owner(draft, request.account, request.owner)?;
    let allowed_owner = request.allowed;
    draft.put_account(request.account, Account { allowed_owner, ..account })?;
    let (account, kind, value) = (request.account, ChangeKind::Allow, allowed_owner);
    draft.record_change(ChangeEntry { account, kind, value });
    Ok(RequestOutcome::Done)
}

/// Raises the account's cancel epoch.
fn forced_cancel(draft: &mut Draft, request: &ForcedCancel) -> Law<RequestOutcome> {
    let account = require_owner(draft, request.account, request.owner)?;
    let cancel_epoch = next_epoch(account.cancel_epoch)?;
    draft.put_account(request.account, Account { cancel_epoch, ..account })?;
    record_epoch(draft, request.account, ChangeKind::Cancel, cancel_epoch);
    Ok(RequestOutcome::Done)
}

fn record_epoch(draft: &mut Draft, account: i64, kind: ChangeKind, epoch: i64) {
    // an epoch that was just raised is positive
    let value = Address::from_number(epoch.unsigned_abs());
    draft.record_change(ChangeEntry { account, kind, value });
}
