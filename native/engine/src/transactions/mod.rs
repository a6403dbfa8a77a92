//! The transactions of a round, one file a kind.

pub mod changes;
pub mod due;
pub mod forced_close;
pub mod forced_liquidation;
pub mod forced_withdrawal;
pub mod inbox;
pub mod moves;
pub mod snapshot;
pub mod trade;
pub mod unsigned;
