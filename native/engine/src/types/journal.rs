//! What happened in a batch, as typed lists in table order (`novate.spec.journal`).
//!
//! A holder is an account index, or −1 − underlying for a market's fund.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Reason;
use crate::types::batch::Fill;
use crate::types::inbox::Request;
use crate::types::numbers::Address;
use crate::types::state::{Account, Money, Roots, Snapshot};

/// What became of a quorum of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SnapshotOutcome {
    Accepted = 0,
    /// It jumped too far: the market is halted.
    Halted = 1,
    /// The market is halted; one more agreeing (or a first disagreeing) snapshot.
    Pending = 2,
    /// Enough agreeing snapshots: accepted, the halt is over.
    Resumed = 3,
}

/// One quorum, its median and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotEntry {
    pub underlying: i64,
    pub median: Arc<Snapshot>,
    pub outcome: SnapshotOutcome,
    /// Expiry days whose median smile was not admissible.
    pub smiles_refused: Vec<i64>,
}

/// One funding step of a perpetual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundingEntry {
    pub instrument: i64,
    pub rate_ppm: i64,
    pub seconds: i64,
    /// Change of the long side's accumulator.
    pub long_cash: i128,
    pub short_cash: i128,
}

/// An instrument got its settlement value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementEntry {
    pub instrument: i64,
    pub value: i64,
    /// False: deleveraging emptied a side.
    pub by_expiry: bool,
}

/// What became of an inbox request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RequestOutcome {
    Done = 0,
    /// A deposit that could not be credited became a withdrawal to its sender.
    Refunded = 1,
    /// A forced close the fund cannot take: may be repeated with factors after the wait.
    Deferred = 2,
    /// A forced liquidation set the liquidation status.
    Marked = 3,
    NoOp = 4,
}

/// One inbox request and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestEntry {
    pub request: Request,
    pub outcome: RequestOutcome,
    /// Why a no-op (or a refund after a rejection) is one.
    pub reason: Option<Reason>,
}

/// Which field of an account changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Key,
    Cancel,
    Tier,
    Allow,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Key, Self::Cancel, Self::Tier, Self::Allow];

    /// The law's name of it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Cancel => "cancel",
            Self::Tier => "tier",
            Self::Allow => "allow",
        }
    }
}

/// A change of key, epoch, tier or allow-list; `value` is a number up to 160 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeEntry {
    pub account: i64,
    pub kind: ChangeKind,
    pub value: Address,
}

/// One fill with the accounts it touched and the fees it charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FillEntry {
    pub fill: Fill,
    pub buyer: i64,
    pub seller: i64,
    pub buyer_fee: Money,
    pub seller_fee: Money,
}

/// One change of one holder's position and cash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    pub holder: i64,
    pub instrument: i64,
    pub sequence: i64,
    /// Change, lots.
    pub quantity: i64,
    /// Change, micro-USDC, fees excluded.
    pub cash: Money,
    /// Position after it.
    pub running: i64,
}

/// Deleveraging, funding and settlement that reached a holder when touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LazyFlow {
    pub holder: i64,
    pub instrument: i64,
    pub quantity_before: i64,
    pub quantity_after: i64,
    pub cash: Money,
}

/// Stages of the waterfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LiquidationStage {
    StatusSet = 0,
    StatusCleared = 1,
    Step = 2,
    Takeover = 3,
    Deleverage = 4,
    FundDebt = 5,
    FundDeleverage = 6,
}

/// One event of the waterfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationEntry {
    pub stage: LiquidationStage,
    pub holder: i64,
    /// −1: the account as a whole.
    pub underlying: i64,
    /// Penalty (takeover), deficit met (deleverage), debt added (fund debt), lots (step).
    pub amount: Money,
}

/// One position closed against the other side by factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleverageEntry {
    pub holder: i64,
    pub instrument: i64,
    pub quantity: i64,
    pub price: i64,
    pub factor_before: i64,
    pub factor_after: i64,
}

/// Cash or a position moved between accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferEntry {
    pub sender: i64,
    pub recipient: i64,
    pub amount: Money,
    /// −1 for cash.
    pub instrument: i64,
    pub quantity: i64,
}

/// A payment L1 owes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalEntry {
    /// −1 for a refunded deposit.
    pub account: i64,
    /// L1 address.
    pub recipient: Address,
    pub debit: Money,
    pub payout: Money,
}

/// Equity, maintenance and initial margin of a holder at one set of views, micro-USDC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    pub equity: Money,
    pub maintenance: Money,
    pub initial: Money,
}

/// The margin rule applied to one account at the end of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarginEntry {
    pub account: i64,
    pub before: Health,
    pub after: Health,
    /// Value given away beyond flows.
    pub gave: Money,
    pub risk_reducing: bool,
}

/// Everything that happened in one batch, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    pub snapshots: Vec<SnapshotEntry>,
    pub funding: Vec<FundingEntry>,
    pub settlements: Vec<SettlementEntry>,
    pub requests: Vec<RequestEntry>,
    pub changes: Vec<ChangeEntry>,
    pub fills: Vec<FillEntry>,
    pub ledger: Vec<LedgerRow>,
    pub flows: Vec<LazyFlow>,
    pub liquidations: Vec<LiquidationEntry>,
    pub deleverages: Vec<DeleverageEntry>,
    pub transfers: Vec<TransferEntry>,
    pub withdrawals: Vec<WithdrawalEntry>,
    pub margins: Vec<MarginEntry>,
    /// Leaves of every account changed, as they were (none: not opened).
    pub accounts_before: BTreeMap<u32, Option<Account>>,
    pub roots_before: Option<Roots>,
    pub roots_after: Option<Roots>,
}
