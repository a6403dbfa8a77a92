//! The bounds of the law that prices and margins use (`novate.spec.bounds`).

/// Largest price in ticks, inclusive.
pub const PRICE_MAX: i64 = (1 << 31) - 1;
/// Largest absolute quantity that a portfolio computes with, lots: 2^9 times what the law allows in
/// one position (2^31 − 1), so that no sum over 2^16 positions times a rate leaves 128 bits.
pub const QUANTITY_LIMIT: i64 = 1 << 40;
/// No number of the parameters reaches this, except the moves of scenarios.
pub const NUMBER_LIMIT: i64 = 1 << 32;
/// Latest time, unix seconds, inclusive.
pub const TIME_MAX: i64 = (1 << 32) - 1;
/// Length of the averaging window before each 08:00 UTC.
pub const SETTLEMENT_WINDOW_S: i64 = 1_800;
/// Seconds of a day.
pub const DAY_S: i64 = 86_400;
/// Seconds left of a perpetual: beyond every settlement window.
pub const NEVER_S: i64 = 1 << 32;
