//! Phase 6: transfers, position moves and withdrawals; each exhausts an order slot
//! (`novate.spec.transactions.moves`).

use crate::authorization::Claim;
use crate::bounds::{CASH_MAX, QUANTITY_MAX};
use crate::caps::require_room;
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::holders::{change_position, quantity_of, touch_account, underlying_of};
use crate::payments::pay_out;
use crate::types::account::{Move, MovePosition, Transfer, Withdrawal};
use crate::types::journal::TransferEntry;
use crate::types::orders::SCOPE_NONE;
use crate::types::state::{Account, Money, Positions, Slot};
use crate::valuation::{begin_act, is_expired, mark_of_id};

/// The journal's instrument of a transfer of cash.
const CASH: i64 = -1;

/// What the move claims to be authorized for; session keys may not move value.
pub fn move_claim<'a>(draft: &Draft, transaction: &'a Move) -> Law<Claim<'a>> {
    transaction.check()?;
    let account = transaction.account();
    let epoch = draft.account(account)?.cancel_epoch;
    let mut elements = Vec::with_capacity(16);
    transaction.elements(&draft.domain(), epoch, &mut elements);
    let authorization = transaction.authorization();
    Ok(Claim { account, tag: transaction.tag(), elements, authorization, scope: SCOPE_NONE })
}

/// Applies one move whose signature was judged, or nothing of it; the margin rule follows when the
/// round closes.
pub fn apply_move(draft: &mut Draft, transaction: &Move, verdict: Option<Reason>) -> Law<()> {
    if let Some(reason) = verdict {
        return Err(reject(reason, format!("account = {}", transaction.account())));
    }
    let checkpoint = draft.checkpoint();
    let result = use_slot(draft, transaction).and_then(|()| match transaction {
        Move::Transfer(signed) => transfer(draft, &signed.message),
        Move::Position(signed) => move_position(draft, &signed.message),
        Move::Withdrawal(signed) => withdraw(draft, &signed.message),
    });
    if result.is_err() {
        draft.rollback(checkpoint);
    }
    result
}

/// The nonce must be newer than the slot's; afterwards nothing more fits into it.
fn use_slot(draft: &mut Draft, transaction: &Move) -> Law<()> {
    let (slot, nonce, good_till) = transaction.replay();
    if good_till <= draft.round().time {
        return Err(reject(Reason::OrderExpired, format!("good_till = {good_till}")));
    }
    let known = draft.slot(transaction.account(), slot)?.nonce;
    if nonce <= known {
        return Err(reject(Reason::StaleNonce, format!("nonce = {nonce}, slot has {known}")));
    }
    draft.put_slot(transaction.account(), slot, Slot { nonce, filled: QUANTITY_MAX })
}

/// The amount, if it is one that can be moved.
fn checked_amount(amount: i64) -> Law<Money> {
    let amount = Money::from(amount);
    if !(1..=CASH_MAX).contains(&amount) {
        return Err(reject(Reason::AmountOutOfBounds, format!("amount = {amount}")));
    }
    Ok(amount)
}

/// Moves cash between accounts of one owner, or to the owner allowed on L1.
fn transfer(draft: &mut Draft, message: &Transfer) -> Law<()> {
    let Transfer { account, recipient, .. } = *message;
    let amount = checked_amount(message.amount)?;
    begin_act(draft, account)?;
    touch_recipient(draft, account, recipient)?;
    let sender = draft.account(account)?.clone();
    let receiver = draft.account(recipient)?.clone();
    if receiver.owner != sender.owner && receiver.owner != sender.allowed_owner {
        return Err(reject(Reason::RecipientNotAllowed, format!("recipient = {recipient}")));
    }
    draft.put_account(account, Account { cash: sender.cash - amount, ..sender })?;
    draft.put_account(recipient, Account { cash: receiver.cash + amount, ..receiver })?;
    draft.mark_moved_out(account);
    draft.add_inflow(account, -amount);
    if draft.round().opening(recipient).is_some() {
        // else its first act will find the amount there
        draft.add_inflow(recipient, amount);
    }
    draft.mark_touched(recipient);
    draft.record_transfer(TransferEntry {
        sender: account,
        recipient,
        amount,
        instrument: CASH,
        quantity: 0,
    });
    Ok(())
}

/// Brings another open account up to date.
fn touch_recipient(draft: &mut Draft, sender: i64, recipient: i64) -> Law<()> {
    if sender == recipient {
        return Err(reject(Reason::SelfTransfer, format!("account = {sender}")));
    }
    touch_account(draft, recipient)
}

/// Moves lots to a sub-account at mark: the recipient pays quantity · mark; both are judged.
fn move_position(draft: &mut Draft, message: &MovePosition) -> Law<()> {
    let MovePosition { account, recipient, instrument, quantity, .. } = *message;
    begin_act(draft, account)?;
    touch_recipient(draft, account, recipient)?;
    begin_act(draft, recipient)?;
    let sender = draft.account(account)?.clone();
    let receiver = draft.account(recipient)?.clone();
    if receiver.owner != sender.owner {
        return Err(reject(Reason::RecipientNotAllowed, format!("recipient = {recipient}")));
    }
    check_lots(draft, &sender.positions, &receiver.positions, message)?;
    let price = mark_of_id(draft, instrument)?;
    let cash = Money::from(quantity) * Money::from(price);
    let given = change_position(draft, &sender.positions, instrument, -quantity)?;
    let paid = sender.cash + cash;
    draft.put_account(account, Account { positions: given, cash: paid, ..sender })?;
    let taken = change_position(draft, &receiver.positions, instrument, quantity)?;
    let left = receiver.cash - cash;
    draft.put_account(recipient, Account { positions: taken, cash: left, ..receiver })?;
    let sender = account;
    draft.record_transfer(TransferEntry { sender, recipient, amount: -cash, instrument, quantity });
    Ok(())
}

/// Part of a position of the sender, in a market that is not halted, and room for it.
fn check_lots(
    draft: &Draft,
    sender: &Positions,
    receiver: &Positions,
    message: &MovePosition,
) -> Law<()> {
    let MovePosition { instrument, quantity, .. } = *message;
    let held = quantity_of(sender, instrument);
    if quantity.signum() * held.signum() <= 0 || quantity.unsigned_abs() > held.unsigned_abs() {
        return Err(reject(Reason::NoPosition, format!("lots = {quantity}, held {held}")));
    }
    if draft.market(underlying_of(instrument))?.halt.since != 0 {
        return Err(reject(Reason::MarketHalted, format!("instrument = {instrument}")));
    }
    if is_expired(instrument, draft.round().time) {
        return Err(reject(Reason::InstrumentExpired, format!("instrument = {instrument}")));
    }
    let after = quantity_of(receiver, instrument).saturating_add(quantity);
    require_room(draft, receiver, instrument, after)
}

/// Debits the account and owes its owner the payout on L1.
fn withdraw(draft: &mut Draft, message: &Withdrawal) -> Law<()> {
    let account = message.account;
    let amount = checked_amount(message.amount)?;
    begin_act(draft, account)?;
    pay_out(draft, account, amount, message.min_payout.into())?;
    draft.mark_moved_out(account);
    draft.add_inflow(account, -amount);
    Ok(())
}
