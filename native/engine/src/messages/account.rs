//! Changes and moves: what is signed, and the bounds of their fields
//! (`novate.spec.messages.account`).

use novate_primitives::hash::Tag;

use crate::bounds::{AMOUNT_MAX, ID_MAX, INDEX_MAX, NONCE_MAX, QUANTITY_MAX, TIME_MAX};
use crate::error::{Law, check_range};
use crate::messages::domain::{Domain, element, packed};
use crate::types::account::{
    CancelAll, Move, MovePosition, RotateKey, Signed, Transfer, Withdrawal,
};
use crate::types::orders::Authorization;

/// Tag of key rotations.
pub const ROTATE: Tag = Tag::fixed("rotate");
/// Tag of cancels.
pub const CANCEL: Tag = Tag::fixed("cancel");
/// Tag of transfers.
pub const TRANSFER: Tag = Tag::fixed("transf");
/// Tag of position moves.
pub const MOVE: Tag = Tag::fixed("move");
/// Tag of withdrawals.
pub const WITHDRAW: Tag = Tag::fixed("withdr");

/// Appends what is signed of a checked rotation under [`ROTATE`].
pub fn rotate_elements(message: &RotateKey, domain: &Domain, epoch: i64, elements: &mut Vec<u64>) {
    domain.write(epoch, elements);
    elements.push(message.account as u64);
    elements.extend(message.key);
}

/// Appends what is signed of a cancel under [`CANCEL`].
pub fn cancel_elements(message: &CancelAll, domain: &Domain, epoch: i64, elements: &mut Vec<u64>) {
    domain.write(epoch, elements);
    elements.push(message.account as u64);
}

/// What all moves have in common.
impl Move {
    /// The account that moves something.
    #[must_use]
    pub fn account(&self) -> i64 {
        match self {
            Self::Transfer(signed) => signed.message.account,
            Self::Position(signed) => signed.message.account,
            Self::Withdrawal(signed) => signed.message.account,
        }
    }

    /// The other account it concerns, if there is one.
    #[must_use]
    pub fn recipient(&self) -> Option<i64> {
        match self {
            Self::Transfer(signed) => Some(signed.message.recipient),
            Self::Position(signed) => Some(signed.message.recipient),
            Self::Withdrawal(_) => None,
        }
    }

    /// Slot, nonce and good-till.
    #[must_use]
    pub fn replay(&self) -> (i64, i64, i64) {
        match self {
            Self::Transfer(Signed { message, .. }) => {
                (message.slot, message.nonce, message.good_till)
            }
            Self::Position(Signed { message, .. }) => {
                (message.slot, message.nonce, message.good_till)
            }
            Self::Withdrawal(Signed { message, .. }) => {
                (message.slot, message.nonce, message.good_till)
            }
        }
    }

    /// Who says so.
    #[must_use]
    pub fn authorization(&self) -> &Authorization {
        match self {
            Self::Transfer(signed) => &signed.authorization,
            Self::Position(signed) => &signed.authorization,
            Self::Withdrawal(signed) => &signed.authorization,
        }
    }

    /// The domain tag it is signed under.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match self {
            Self::Transfer(_) => TRANSFER,
            Self::Position(_) => MOVE,
            Self::Withdrawal(_) => WITHDRAW,
        }
    }

    /// The decode error unless every field fits the element it is signed in.
    pub fn check(&self) -> Law<()> {
        let (slot, nonce, good_till) = self.replay();
        check_range("move.slot", slot, 0, INDEX_MAX)?;
        check_range("move.nonce", nonce, 1, NONCE_MAX)?;
        check_range("move.good_till", good_till, 0, TIME_MAX)?;
        match self {
            Self::Transfer(Signed { message, .. }) => {
                check_range("transfer.recipient", message.recipient, 0, INDEX_MAX)?;
                check_range("transfer.amount", message.amount, 0, AMOUNT_MAX)?;
            }
            Self::Position(Signed { message, .. }) => {
                check_range("move.recipient", message.recipient, 0, INDEX_MAX)?;
                check_range("move.instrument", message.instrument, 0, ID_MAX)?;
                check_range("move.quantity", message.quantity, -QUANTITY_MAX, QUANTITY_MAX)?;
            }
            Self::Withdrawal(Signed { message, .. }) => {
                check_range("withdrawal.amount", message.amount, 0, AMOUNT_MAX)?;
                check_range("withdrawal.min_payout", message.min_payout, 0, AMOUNT_MAX)?;
            }
        }
        Ok(())
    }

    /// Appends what is signed of a checked move under its tag.
    pub fn elements(&self, domain: &Domain, epoch: i64, elements: &mut Vec<u64>) {
        domain.write(epoch, elements);
        match self {
            Self::Transfer(Signed { message, .. }) => {
                let Transfer { account, recipient, amount, .. } = message;
                elements.extend([*account, *recipient, *amount].map(|field| field as u64));
            }
            Self::Position(Signed { message, .. }) => {
                let MovePosition { account, recipient, instrument, .. } = message;
                elements.extend([*account, *recipient, *instrument].map(|field| field as u64));
                elements.push(element(message.quantity.into()));
            }
            Self::Withdrawal(Signed { message, .. }) => {
                let Withdrawal { account, amount, min_payout, .. } = message;
                elements.extend([*account, *amount, *min_payout].map(|field| field as u64));
            }
        }
        let (slot, nonce, good_till) = self.replay();
        elements.extend([packed(slot, nonce), good_till as u64]);
    }
}
