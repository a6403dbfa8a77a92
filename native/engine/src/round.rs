//! What a round remembers while it is open (`novate.spec.valuation.RoundState`).

use novate_risk::MarketView;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::types::state::{Account, Fund, Money};
use crate::valuation::Caches;

/// The open round. It is changed by methods of [`Draft`](crate::draft::Draft), which can undo them;
/// what is remembered in `caches` must hold whatever is undone.
#[derive(Debug, Default)]
pub struct RoundState {
    pub time: i64,
    /// By underlying, at the opening snapshot.
    pub views: Vec<MarketView>,
    /// By underlying, at the reference snapshot.
    pub references: Vec<MarketView>,
    pub(crate) opening: FxHashMap<i64, Account>,
    pub(crate) inflow: FxHashMap<i64, Money>,
    pub(crate) paid: FxHashMap<i64, Money>,
    pub(crate) moved_out: FxHashSet<i64>,
    pub(crate) must_reduce: FxHashSet<i64>,
    pub(crate) touched: FxHashSet<i64>,
    pub(crate) fund_opening: FxHashMap<i64, Fund>,
    pub(crate) fees: Money,
    pub(crate) sequence: i64,
    pub caches: Caches,
}

fn sorted(keys: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut keys: Vec<i64> = keys.collect();
    keys.sort_unstable();
    keys
}

impl RoundState {
    /// A round with these views in which nothing has happened.
    #[must_use]
    pub fn new(time: i64, views: Vec<MarketView>, references: Vec<MarketView>) -> Self {
        Self { time, views, references, ..Self::default() }
    }

    /// An account with an act of its own, as it was before it (passive flows included).
    #[must_use]
    pub fn opening(&self, index: i64) -> Option<&Account> {
        self.opening.get(&index)
    }

    /// The accounts with an act of their own, ascending.
    #[must_use]
    pub fn acted(&self) -> Vec<i64> {
        sorted(self.opening.keys().copied())
    }

    /// A fund that traded without a signature, as it was before it.
    #[must_use]
    pub fn fund_opening(&self, underlying: i64) -> Option<&Fund> {
        self.fund_opening.get(&underlying)
    }

    /// The underlyings whose funds traded without a signature, ascending.
    #[must_use]
    pub fn funds_acted(&self) -> Vec<i64> {
        sorted(self.fund_opening.keys().copied())
    }

    /// Cash an account received from, less what it sent to, others without trading.
    #[must_use]
    pub fn inflow(&self, index: i64) -> Money {
        self.inflow.get(&index).copied().unwrap_or(0)
    }

    /// Fees an account paid less rebates.
    #[must_use]
    pub fn paid(&self, index: i64) -> Money {
        self.paid.get(&index).copied().unwrap_or(0)
    }

    /// Whether the account withdrew or transferred out: the withdrawal test binds.
    #[must_use]
    pub fn moved_out(&self, index: i64) -> bool {
        self.moved_out.contains(&index)
    }

    /// Whether only a risk-reducing round may leave the account as it is.
    #[must_use]
    pub fn must_reduce(&self, index: i64) -> bool {
        self.must_reduce.contains(&index)
    }

    /// The accounts whose liquidation status is looked at when the round closes, ascending.
    #[must_use]
    pub fn touched(&self) -> Vec<i64> {
        sorted(self.touched.iter().copied())
    }

    /// Fees of the round, credited to the fee account at its end.
    #[must_use]
    pub fn fees(&self) -> Money {
        self.fees
    }
}
