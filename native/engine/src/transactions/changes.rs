//! Phase 3: changes of key, cancel epoch and fee tier (`novate.spec.transactions.changes`).

use crate::authorization::{Claim, require};
use crate::bounds::EPOCH_MAX;
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::messages::account::{CANCEL, ROTATE, cancel_elements, rotate_elements};
use crate::messages::orders::check_key;
use crate::types::account::{CancelAll, Change, RotateKey, SetTier, Signed};
use crate::types::journal::{ChangeEntry, ChangeKind};
use crate::types::numbers::Address;
use crate::types::orders::{SCOPE_CANCEL, SCOPE_NONE};
use crate::types::state::Account;

/// Applies one change; the rejection if it is not authorized or out of range.
pub fn apply_change(draft: &mut Draft, time: i64, change: &Change) -> Law<()> {
    match change {
        Change::RotateKey(signed) => rotate_key(draft, time, signed),
        Change::CancelAll(signed) => cancel_all(draft, time, signed),
        Change::SetTier(change) => set_tier(draft, change),
    }
}

/// Replaces the trading key and raises the key epoch, which ends every session key.
fn rotate_key(draft: &mut Draft, time: i64, signed: &Signed<RotateKey>) -> Law<()> {
    let message = &signed.message;
    check_key("rotate.key", &message.key)?;
    let account = draft.account(message.account)?.clone();
    let mut elements = Vec::with_capacity(14);
    rotate_elements(message, &draft.domain(), account.key_epoch, &mut elements);
    let claim = Claim {
        account: message.account,
        tag: ROTATE,
        elements,
        authorization: &signed.authorization,
        scope: SCOPE_NONE,
    };
    require(draft, time, &claim)?;
    let key_epoch = next_epoch(account.key_epoch)?;
    draft.put_account(message.account, Account { key: message.key, key_epoch, ..account })?;
    record(draft, message.account, ChangeKind::Key, key_epoch);
    Ok(())
}

/// Raises the cancel epoch: every order signed before dies.
fn cancel_all(draft: &mut Draft, time: i64, signed: &Signed<CancelAll>) -> Law<()> {
    let message = &signed.message;
    let account = draft.account(message.account)?.clone();
    let mut elements = Vec::with_capacity(9);
    cancel_elements(message, &draft.domain(), account.cancel_epoch, &mut elements);
    let claim = Claim {
        account: message.account,
        tag: CANCEL,
        elements,
        authorization: &signed.authorization,
        scope: SCOPE_CANCEL,
    };
    require(draft, time, &claim)?;
    let cancel_epoch = next_epoch(account.cancel_epoch)?;
    draft.put_account(message.account, Account { cancel_epoch, ..account })?;
    record(draft, message.account, ChangeKind::Cancel, cancel_epoch);
    Ok(())
}

/// Puts an account into one of the parameters' fee tiers.
fn set_tier(draft: &mut Draft, change: &SetTier) -> Law<()> {
    let account = draft.account(change.account)?.clone();
    let tiers = draft.parameters().fee_tiers.len();
    if !usize::try_from(change.tier).is_ok_and(|tier| tier < tiers) {
        let detail = format!("tier = {}, {tiers} tiers", change.tier);
        return Err(reject(Reason::UnknownTier, detail));
    }
    draft.put_account(change.account, Account { tier: change.tier, ..account })?;
    record(draft, change.account, ChangeKind::Tier, change.tier);
    Ok(())
}

fn record(draft: &mut Draft, account: i64, kind: ChangeKind, value: i64) {
    // epochs and tiers are never negative
    let value = Address::from_number(value.unsigned_abs());
    draft.record_change(ChangeEntry { account, kind, value });
}

/// epoch + 1, while it has room.
pub fn next_epoch(epoch: i64) -> Law<i64> {
    if epoch >= EPOCH_MAX {
        let detail = format!("epoch = {epoch}, max {EPOCH_MAX}");
        return Err(reject(Reason::EpochExhausted, detail));
    }
    Ok(epoch + 1)
}
