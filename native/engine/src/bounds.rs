//! Bounds of the law that the engine checks (`novate.spec.bounds`); those of prices and margins are
//! in `novate_risk::bounds`.

pub use novate_primitives::base::P as GOLDILOCKS;
pub use novate_risk::bounds::{DAY_S, PRICE_MAX, SETTLEMENT_WINDOW_S, TIME_MAX};

/// Largest absolute quantity of an order, a fill or an account's position, lots, inclusive.
pub const QUANTITY_MAX: i64 = (1 << 31) - 1;
/// Largest price · quantity of one fill, micro-USDC, inclusive.
pub const FILL_NOTIONAL_MAX: i128 = (1 << 47) - 1;
/// Largest |quantity| · index of a position that an act increases, micro-USDC, inclusive.
pub const POSITION_NOTIONAL_MAX: i128 = (1 << 52) - 1;
/// Largest sum of |quantity| · index of an account that an act increases, inclusive.
pub const ACCOUNT_GROSS_MAX: i128 = (1 << 58) - 1;
/// Largest absolute cash of an account, micro-USDC, inclusive.
pub const CASH_MAX: i128 = (1 << 60) - 1;
/// Largest order nonce, inclusive.
pub const NONCE_MAX: i64 = (1 << 32) - 1;
/// Largest account index or slot number that a message can name, inclusive.
pub const INDEX_MAX: i64 = (1 << 32) - 1;
/// Largest amount that a message can name, micro-USDC, inclusive.
pub const AMOUNT_MAX: i64 = i64::MAX;
/// Largest epoch counter, inclusive.
pub const EPOCH_MAX: i64 = (1 << 31) - 1;
/// Largest absolute value of a signed ppm field, inclusive.
pub const PPM_SIGNED_MAX: i64 = (1 << 24) - 1;
/// Largest volatility, ppm, inclusive.
pub const VOL_PPM_MAX: i64 = (1 << 24) - 1;
/// Largest instrument id that a message can name, inclusive.
pub const ID_MAX: i64 = (1 << 50) - 1;

/// The deleveraging factor of a side that was never deleveraged.
pub const FACTOR_ONE: i64 = 1 << 30;
/// A factor that would fall below this settles the instrument instead.
pub const FACTOR_MIN: i64 = 1 << 14;
/// Largest absolute cash accumulator of a side after funding, inclusive.
pub const ACCUMULATOR_MAX: i128 = (1 << 62) - 1;

/// Oracle prints lie on multiples of this many seconds.
pub const ORACLE_GRID_S: i64 = 5;
/// Seconds of a funding period.
pub const FUNDING_PERIOD_S: i64 = 28_800;
/// A snapshot is at most this much older than the round it opens, seconds.
pub const SNAPSHOT_AGE_MAX_S: i64 = 30;

/// Order slots hashed together: one leaf of an account's slot tree.
pub const SLOT_GROUP: usize = 8;
/// The account that fees are credited to.
pub const FEE_ACCOUNT: u32 = 0;
/// Version of the message formats.
pub const VERSION: u64 = 1;
