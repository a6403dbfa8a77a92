//! Parameters that L1 sets (`novate.spec.parameters`). Those of one market are `novate_risk`'s.

use std::sync::Arc;

pub use novate_risk::params::{MarketParameters, RiskParameters, Scenario};

use crate::types::numbers::{Address, PublicKey};

/// Fee rates of one tier, ppm of the fee base; a negative maker rate is a rebate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeeTier {
    pub maker_ppm: i64,
    pub taker_ppm: i64,
}

/// Everything L1 sets. Oracle keys are distinct and sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pub chain_id: i64,
    /// L1 address of the settlement contract.
    pub settlement_contract: Address,
    /// By underlying.
    pub markets: Vec<Arc<MarketParameters>>,
    pub oracle_keys: Vec<PublicKey>,
    pub fee_tiers: Vec<FeeTier>,
    /// A fee on an option is at most this many ppm of its premium.
    pub option_fee_cap_ppm: i64,
    /// Risk-reducing trades may lose at most this many ppm of the maintenance margin they free.
    pub step_loss_ppm: i64,
    /// A fund selling its inventory may lose at most this many ppm of the margin it frees.
    pub fund_loss_ppm: i64,
    /// Value given away in a round, ppm of maintenance margin, without the withdrawal test.
    pub give_tolerance_ppm: i64,
    /// A liquidation step may leave equity above initial margin by at most this many ppm of it.
    pub overshoot_ppm: i64,
    /// Consecutive agreeing quorum snapshots that end a halt.
    pub resume_snapshots: i64,
    /// Age at which the candidate snapshot becomes the reference, seconds.
    pub reference_age_s: i64,
    /// Largest spread of the index among the reports of one quorum.
    pub oracle_spread_ppm: i64,
    /// Wait before a second forced close may use factors, seconds.
    pub forced_close_wait_s: i64,
}

impl Parameters {
    /// Reports in a quorum: floor(2n/3) + 1 of n oracle keys.
    #[must_use]
    pub fn quorum(&self) -> usize {
        2 * self.oracle_keys.len() / 3 + 1
    }
}
