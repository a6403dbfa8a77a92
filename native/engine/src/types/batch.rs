//! A batch: rounds of transactions by phase (`novate.spec.messages.batch`).

use std::sync::Arc;

use crate::types::account::{Change, Move};
use crate::types::inbox::Request;
use crate::types::oracle::SignedReport;
use crate::types::orders::{SignedOrder, SignedSheet};
use crate::types::parameters::Parameters;

/// Who stands on one side of a fill, and by what right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum SideKind {
    #[default]
    Order = 0,
    Quote = 1,
    /// An account in liquidation, without its signature.
    Liquidation = 2,
    /// The instrument's market fund, without a signature.
    Fund = 3,
}

/// One side of a fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideOf {
    pub kind: SideKind,
    /// Order or sheet: its place in the round; liquidation: the account; fund: 0.
    pub number: i64,
    /// Quote within the sheet.
    pub quote: i64,
}

/// One instrument changes hands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fill {
    pub instrument: i64,
    pub price: i64,
    /// Lots, positive: the buyer's gain.
    pub quantity: i64,
    pub buyer: SideOf,
    pub seller: SideOf,
    pub maker_is_buyer: bool,
}

/// One fill, or several (legs) that happen all or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    pub fills: Vec<Fill>,
}

/// The quorum of reports that opens a round for one market.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarketReports {
    pub underlying: i64,
    pub reports: Vec<SignedReport>,
}

/// Transactions of phase 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Bring an account up to date and see whether it is below maintenance margin.
    Touch { account: i64 },
    /// Takeover by the funds or deleveraging of an account whose waterfall is open.
    Liquidate { account: i64 },
    /// Deleveraging of a fund whose equity is below its own maintenance margin.
    DeleverageFund { underlying: i64 },
}

/// Transactions under one snapshot, by phase; order within a phase is log order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    pub time: i64,
    /// Phase 1, sorted by underlying, at most one a market.
    pub reports: Vec<MarketReports>,
    /// Phase 2; only the batch's first round may have any.
    pub requests: Vec<Request>,
    /// Phase 3.
    pub changes: Vec<Change>,
    /// Phase 4.
    pub due: Vec<Due>,
    /// What the trades refer to.
    pub orders: Vec<SignedOrder>,
    pub sheets: Vec<SignedSheet>,
    /// Phase 5.
    pub trades: Vec<Trade>,
    /// Phase 6.
    pub moves: Vec<Move>,
}

/// Everything that the law is given besides the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The state's batch number + 1.
    pub number: i64,
    /// L1 fork, at least the state's.
    pub fork: i64,
    /// New parameters set on L1; none: unchanged.
    pub parameters: Option<Arc<Parameters>>,
    /// Empty every order slot and raise the venue epoch before the first round.
    pub reset_slots: bool,
    pub rounds: Vec<Round>,
}

impl Default for Due {
    fn default() -> Self {
        Self::Touch { account: 0 }
    }
}
