//! Sizes of a deployment (`novate.spec.presets`).

use crate::bounds::SLOT_GROUP;

/// Depths and row limits; fixed for the life of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    pub name: String,
    /// Levels of the account tree.
    pub account_depth: u32,
    /// Levels of the market tree.
    pub market_depth: u32,
    /// Levels of each of the two instrument trees.
    pub instrument_depth: u32,
    /// Levels of an account's slot tree.
    pub slot_depth: u32,
    /// Positions of one account.
    pub positions_max: i64,
    /// Rounds of one batch.
    pub rounds_max: i64,
    /// Fills of one batch.
    pub fills_max: i64,
    /// Inbox requests of one batch.
    pub inbox_max: i64,
    /// Oracle reports of one market in one round.
    pub reports_max: i64,
    /// Expiries of one snapshot.
    pub expiries_max: i64,
    /// Quotes of one mass-quote sheet.
    pub sheet_quotes_max: i64,
}

impl Preset {
    /// What users get.
    #[must_use]
    pub fn main() -> Self {
        Self {
            name: "main".into(),
            account_depth: 24,
            market_depth: 8,
            instrument_depth: 11,
            slot_depth: 7,
            positions_max: 256,
            rounds_max: 16,
            fills_max: 1 << 14,
            inbox_max: 256,
            reports_max: 22,
            expiries_max: 16,
            sheet_quotes_max: 64,
        }
    }

    /// Accounts the tree can hold.
    #[must_use]
    pub fn accounts_max(&self) -> i64 {
        1 << self.account_depth
    }

    /// Underlyings the tree can hold.
    #[must_use]
    pub fn markets_max(&self) -> i64 {
        1 << self.market_depth
    }

    /// Instruments, open or not yet collected, at one time.
    #[must_use]
    pub fn open_instruments_max(&self) -> usize {
        1 << self.instrument_depth
    }

    /// Orders, sheets, changes, due transactions or moves of one round, each kind by itself.
    #[must_use]
    pub fn records_max(&self) -> i64 {
        8 * self.fills_max
    }

    /// Order slots of one account.
    #[must_use]
    pub fn slots_max(&self) -> i64 {
        (SLOT_GROUP as i64) << self.slot_depth
    }
}
