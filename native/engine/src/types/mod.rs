//! The types of the law: the same fields in the same order as in `novate.spec`.
//!
//! What messages carry is as wide as what may be sent (signed 64 bits), so that a value out of
//! range is refused by the rule that the law refuses it by, not by its width.

pub mod account;
pub mod batch;
pub mod inbox;
pub mod journal;
pub mod numbers;
pub mod oracle;
pub mod orders;
pub mod parameters;
pub mod preset;
pub mod state;
