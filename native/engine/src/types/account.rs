//! What an account's owner signs besides orders (`novate.spec.messages.account`).

use crate::types::numbers::PublicKey;
use crate::types::orders::Authorization;

/// Replace the trading key; signed by the old key under the account's key epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RotateKey {
    pub account: i64,
    pub key: PublicKey,
}

/// Raise the account's cancel epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancelAll {
    pub account: i64,
}

/// Move cash to a sub-account of the same owner, or to an owner allowed on L1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    pub account: i64,
    pub recipient: i64,
    /// micro-USDC, positive.
    pub amount: i64,
    pub slot: i64,
    pub nonce: i64,
    pub good_till: i64,
}

/// Move part of a position to a sub-account of the same owner, at mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovePosition {
    pub account: i64,
    pub recipient: i64,
    pub instrument: i64,
    /// Lots, signed like the position.
    pub quantity: i64,
    pub slot: i64,
    pub nonce: i64,
    pub good_till: i64,
}

/// Debit `amount`; pay the owner on L1 at least `min_payout`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Withdrawal {
    pub account: i64,
    pub amount: i64,
    pub min_payout: i64,
    pub slot: i64,
    pub nonce: i64,
    pub good_till: i64,
}

/// The operator puts an account into a fee tier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetTier {
    pub account: i64,
    pub tier: i64,
}

/// A message with its authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed<T> {
    pub message: T,
    pub authorization: Authorization,
}

/// Transactions of phase 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    RotateKey(Signed<RotateKey>),
    CancelAll(Signed<CancelAll>),
    SetTier(SetTier),
}

/// Transactions of phase 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    Transfer(Signed<Transfer>),
    Position(Signed<MovePosition>),
    Withdrawal(Signed<Withdrawal>),
}

impl Default for Change {
    fn default() -> Self {
        Self::SetTier(SetTier::default())
    }
}

impl Default for Move {
    fn default() -> Self {
        Self::Transfer(Signed::default())
    }
}
