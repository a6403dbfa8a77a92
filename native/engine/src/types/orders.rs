//! Orders and mass quotes (`novate.spec.messages.orders`). Fields hold whatever was sent; checks
//! and digests are in `messages::orders`.

use crate::types::numbers::{PublicKey, Signature};

/// The order may only reduce a position.
pub const REDUCE_ONLY: i64 = 1;
/// The trigger is met at or above its price; without the flag at or below it.
pub const TRIGGER_ABOVE: i64 = 16;
/// All flags of an order.
pub const ORDER_FLAGS_MAX: i64 = 31;

/// What a session key may sign: nothing (no session key may).
pub const SCOPE_NONE: i64 = 0;
/// Orders and sheets.
pub const SCOPE_TRADE: i64 = 1;
/// Cancels.
pub const SCOPE_CANCEL: i64 = 2;

/// A trading key's word that a session key may sign for the account, until `expiry`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    pub key: PublicKey,
    pub scope: i64,
    /// Unix seconds; the certificate is valid before it.
    pub expiry: i64,
    pub signature: Signature,
}

/// A signature by the trading key, or by the session key that the certificate names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    pub signature: Signature,
    pub certificate: Option<Box<Certificate>>,
}

/// A signed limit order. The same (slot, nonce) signed again is an edit: `quantity` is total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub account: i64,
    pub instrument: i64,
    pub is_buy: bool,
    /// Ticks.
    pub limit_price: i64,
    /// Lots in total, over all revisions of this (slot, nonce).
    pub quantity: i64,
    pub slot: i64,
    pub nonce: i64,
    /// Unix seconds; fills are legal in rounds before it.
    pub good_till: i64,
    /// Largest fee rate the signer accepts; may be negative.
    pub max_fee_ppm: i64,
    /// Mark at which the order becomes active; 0: active at once.
    pub trigger_price: i64,
    pub flags: i64,
}

/// A two-sided quote; a side of quantity 0 is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    pub instrument: i64,
    pub bid_price: i64,
    pub bid_quantity: i64,
    pub ask_price: i64,
    pub ask_quantity: i64,
}

/// A mass quote: one signature over many quotes. Side s (0 bid, 1 ask) of quote k lives in slot
/// `base_slot` + 2k + s with the sheet's nonce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    pub account: i64,
    pub base_slot: i64,
    pub nonce: i64,
    pub good_till: i64,
    pub max_fee_ppm: i64,
    pub quotes: Vec<Quote>,
}

/// An order with its authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedOrder {
    pub message: Order,
    pub authorization: Authorization,
}

/// A sheet with its authorization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedSheet {
    pub message: Sheet,
    pub authorization: Authorization,
}
