//! The state S (`novate.spec.state`). Values are cheap to clone: lists are shared.
//!
//! Units: money in micro-USDC (signed), prices in ticks, quantities in lots, times in unix seconds,
//! rates and volatilities in ppm. Money is 128 bits wide: accounts and the vault stay below 2^60,
//! but what a fund or a clearing balance comes to is bounded by nothing but the world's lots.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use novate_risk::snapshot::{ExpiryFields, Snapshot};

use crate::bounds::FACTOR_ONE;
use crate::slots::Slots;
use crate::types::numbers::{Address, Digest, PublicKey, ZERO_KEY};
use crate::types::parameters::Parameters;
use crate::types::preset::Preset;

/// Micro-USDC, signed.
pub type Money = i128;

/// Whether a market is halted, and how far it is on the way back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Halt {
    /// Round time at which it halted; 0: not halted.
    pub since: i64,
    /// Consecutive quorum snapshots that agree with each other.
    pub agreeing: i64,
    /// The latest of them.
    pub pending: Arc<Snapshot>,
}

/// One side of an instrument: how its holders' positions have been changed.
///
/// A holder with quantity q0 taken at (factor0, cash0) now holds |q0| · factor / factor0 lots and
/// is owed |q0| · (cash − cash0) / factor0 of cash, both rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Deleveraging factor, positive, at most 2^30.
    pub factor: i64,
    /// Cash accumulator of funding and deleveraging, ticks · 2^30 a lot; signed, below 2^63.
    pub cash: i128,
}

impl Default for Side {
    fn default() -> Self {
        Self { factor: FACTOR_ONE, cash: 0 }
    }
}

/// One instrument with open interest (or not yet collected settlement).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstrumentState {
    /// Canonical id, below 2^50.
    pub instrument: i64,
    /// Mark of the last batch; of a settled one, its settlement price.
    pub mark: i64,
    /// Lots long, equal to lots short (dust of rounded positions included).
    pub open_interest: i64,
    pub long: Side,
    pub short: Side,
    /// Clearing balance: the counterparty of every lazy flow.
    pub clearing: Money,
    /// Accounts and funds that hold a position in it.
    pub holders: i64,
    pub settled: bool,
}

/// A holding, with the side's factor and accumulator at the time it was last touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub instrument: i64,
    /// Lots, signed, never 0.
    pub quantity: i64,
    pub factor: i64,
    pub cash: i128,
}

/// Positions sorted by instrument, at most one each.
pub type Positions = Arc<[Position]>;

/// One account. Accounts of one owner are sub-accounts of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub owner: Address,
    /// Trading key.
    pub key: PublicKey,
    /// Raised with each change of key.
    pub key_epoch: i64,
    pub cash: Money,
    pub positions: Positions,
    /// Underlying last traded: it bears a deficit that no position explains.
    pub last_underlying: i64,
    /// Raising it kills all open orders.
    pub cancel_epoch: i64,
    /// Round time at which equity was first seen below maintenance; 0: not in liquidation.
    pub liquidation_since: i64,
    /// Fee tier.
    pub tier: i64,
    /// Another owner to whom transfers are allowed; zero: none.
    pub allowed_owner: Address,
    /// Instrument of a forced close that the fund could not take whole.
    pub forced_close_instrument: i64,
    /// Round time of that request; 0: none.
    pub forced_close_time: i64,
}

impl Account {
    /// An account just opened.
    #[must_use]
    pub fn of(owner: Address) -> Self {
        Self {
            owner,
            key: ZERO_KEY,
            key_epoch: 0,
            cash: 0,
            positions: Positions::default(),
            last_underlying: 0,
            cancel_epoch: 0,
            liquidation_since: 0,
            tier: 0,
            allowed_owner: Address::ZERO,
            forced_close_instrument: 0,
            forced_close_time: 0,
        }
    }
}

/// The insurance fund of one market: cash and positions of that underlying only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fund {
    pub cash: Money,
    pub positions: Positions,
    /// Deficits nobody has paid yet, at least 0.
    pub debt: Money,
}

/// One underlying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Market {
    /// The last accepted snapshot.
    pub current: Arc<Snapshot>,
    /// An older one that withdrawals must also be safe at.
    pub reference: Arc<Snapshot>,
    /// The next reference.
    pub candidate: Arc<Snapshot>,
    pub halt: Halt,
    /// Concentration rate in maintenance margin.
    pub concentration_ppm: i64,
    pub fund: Fund,
}

impl Default for Market {
    /// A market that never opened: it starts halted.
    fn default() -> Self {
        let none = Arc::new(Snapshot::default());
        Self {
            current: Arc::clone(&none),
            reference: Arc::clone(&none),
            candidate: Arc::clone(&none),
            halt: Halt { since: 1, agreeing: 0, pending: none },
            concentration_ppm: 0,
            fund: Fund::default(),
        }
    }
}

/// An order slot: the newest nonce seen and how much of that order is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// Below 2^32.
    pub nonce: i64,
    /// Lots, below 2^31.
    pub filled: i64,
}

/// What belongs to no market and no account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    pub batch_number: i64,
    /// Time of the last round, unix seconds.
    pub time: i64,
    /// L1 requests processed so far.
    pub inbox_cursor: i64,
    /// Raised by L1 with every revert.
    pub fork: i64,
    /// Raised by every slot reset.
    pub venue_epoch: i64,
    /// V: deposits credited − payouts.
    pub vault: Money,
    /// Accounts opened; indices are 0 .. account_count − 1.
    pub account_count: i64,
}

/// The commitments of one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    pub system: Digest,
    pub markets: Digest,
    pub instruments: Digest,
    pub accounts: Digest,
    pub slots: Digest,
    pub settlement_root: Digest,
    pub root: Digest,
}

/// S: everything that the next batch depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub preset: Arc<Preset>,
    pub parameters: Arc<Parameters>,
    pub system: System,
    /// By underlying; one for each of `parameters.markets`.
    pub markets: Vec<Market>,
    /// Open and settled ones by id.
    pub instruments: BTreeMap<i64, InstrumentState>,
    /// By index, dense from 0.
    pub accounts: Vec<Account>,
    /// Those that are not empty.
    pub slots: Slots,
}
