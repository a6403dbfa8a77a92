//! Black-76 value of a European option on a forward (F. Black, "The pricing of commodity
//! contracts", 1976, undiscounted), in integers: deviates and total volatilities in 2^-24, tails in
//! 2^-32, logarithms in 2^-40.
//!
//! A logarithm is looked up once a price, not once an option: [`Price`] carries its own, so that a
//! chain valued at a grid of forwards costs one division and two table rows an entry.

use crate::bounds::{NUMBER_LIMIT, PRICE_MAX, SETTLEMENT_WINDOW_S};
use crate::rendered::pricing_tables::{LN2, LOGARITHM, TAIL};

/// Seconds in the year that volatilities refer to: 365 days.
pub const YEAR_S: i64 = 31_536_000;
/// Logarithms are in units of 2^-40.
pub const LOG_BITS: u32 = 40;
/// Exponentials are in units of 2^-30.
pub const EXPONENTIAL_BITS: u32 = 30;
/// Total volatilities and normal deviates are in units of 2^-24.
pub const VOL_BITS: u32 = 24;
/// Normal tail probabilities are in units of 2^-32.
pub const TAIL_BITS: u32 = 32;
/// Square roots of time in years are in units of 2^-32.
pub const ROOT_BITS: u32 = 32;
/// Total volatility is clamped to 2.
pub const TOTAL_VOL_MAX: i64 = 2 << VOL_BITS;
/// Where |ln(forward/strike)| is larger the value is intrinsic.
pub const DISTANCE_MAX: i64 = 12 << LOG_BITS;
/// From this deviate on the tail counts as 0.
const TAIL_END: i64 = 7 << VOL_BITS;

/// A price in `[0, 2^31)` ticks with its logarithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Ticks.
    pub ticks: i64,
    /// ln(ticks) in 2^-40; 0 where there are no ticks.
    pub log: i64,
}

impl Price {
    /// The price of so many ticks, moved into its bounds.
    #[inline]
    pub fn new(ticks: i64) -> Self {
        let ticks = ticks.clamp(0, PRICE_MAX);
        Self { ticks, log: if ticks == 0 { 0 } else { logarithm(ticks) } }
    }
}

/// Seconds of variance left, as (numerator, denominator), for an average over the last 1,800 s.
///
/// With T in `[0, 2^32)` seconds left: T − 1,200 before the average starts, T³/(3·1,800²) inside.
pub fn variance_seconds(seconds_left: i64) -> (i64, i64) {
    let seconds = seconds_left.clamp(0, NUMBER_LIMIT);
    if seconds >= SETTLEMENT_WINDOW_S {
        return (seconds - 1_200, 1);
    }
    (seconds * seconds * seconds, 3 * SETTLEMENT_WINDOW_S * SETTLEMENT_WINDOW_S)
}

/// √(variance time in years) in 2^-32, rounded down, below 2^36.
pub fn root_time(seconds_left: i64) -> i64 {
    let (numerator, denominator) = variance_seconds(seconds_left);
    let years = ((numerator as u128) << (2 * ROOT_BITS)) / (denominator * YEAR_S) as u128;
    years.isqrt() as i64
}

/// w = σ√T in 2^-24, to nearest, clamped to 2; `vol_ppm` in `[0, 2^32]`, `root` below 2^36.
pub fn total_volatility(vol_ppm: i64, root: i64) -> i64 {
    const SCALE: u128 = 1_000_000 << (ROOT_BITS - VOL_BITS);
    let product = vol_ppm.max(0) as u128 * root.max(0) as u128;
    ((2 * product + SCALE) / (2 * SCALE)).min(TOTAL_VOL_MAX as u128) as i64
}

/// Expected settlement price in ticks, rounded down: inside the last half hour the mean of what
/// was printed and what is to come. Both prices in `[0, 2^31)`.
#[inline]
pub fn averaged_forward(mean: i64, forward: i64, seconds_left: i64) -> i64 {
    if seconds_left >= SETTLEMENT_WINDOW_S {
        return forward;
    }
    let left = seconds_left.max(0);
    (mean * (SETTLEMENT_WINDOW_S - left) + forward * left) / SETTLEMENT_WINDOW_S
}

/// ln(ticks) in 2^-40, error below 2^-30; `ticks` in `[1, 2^31)`.
#[inline]
pub fn logarithm(ticks: i64) -> i64 {
    debug_assert!((1..=PRICE_MAX).contains(&ticks));
    let exponent = i64::from(ticks.ilog2());
    let mantissa = ticks << (30 - exponent); // in [2^30, 2^31): 8 bits pick the row, 22 stay
    let row = &LOGARITHM[(mantissa >> 22 & 0xFF) as usize];
    let part = mantissa & 0x3F_FFFF;
    let slope = row.slope - ((row.bend * part) >> 22); // product < 2^46, slope < 2^33
    exponent * LN2 + row.base + ((slope * part) >> 22) // product < 2^55
}

/// e^exponent in 2^-30; |exponent| <= 12·2^40 in 2^-40.
///
/// e^y = 2^n · e^r with r in [0, ln 2), by the series of e^r to r^10/10!.
pub fn exponential(exponent: i64) -> i64 {
    let exponent = exponent.clamp(-DISTANCE_MAX, DISTANCE_MAX);
    let doublings = exponent.div_euclid(LN2);
    let rest = exponent.rem_euclid(LN2) >> (LOG_BITS - EXPONENTIAL_BITS);
    let one = 1_i64 << EXPONENTIAL_BITS;
    let series = (1..=10).rev().fold(one, |sum, k| one + ((sum * rest) >> EXPONENTIAL_BITS) / k);
    if doublings >= 0 { series << doublings } else { series >> -doublings } // < 2^(31 + 18)
}

/// 1 − N(deviate) in 2^-32, in `[0, 2^32]`, error < 2.6e-10; `deviate` in 2^-24, any sign.
#[inline]
pub fn upper_tail(deviate: i64) -> i64 {
    let distance = deviate.abs();
    let tail = if distance < TAIL_END {
        let row = &TAIL[(distance >> 16) as usize];
        let part = distance & 0xFFFF;
        let slope = i64::from(row.slope) - ((i64::from(row.bend) * part) >> 16); // < 2^27
        (row.base - ((slope * part) >> 16) + 8) >> 4 // from 2^-36
    } else {
        0
    };
    if deviate >= 0 { tail } else { (1 << TAIL_BITS) - tail }
}

/// Value in ticks of the call (or put) between `low <= high`, its forward and strike either way;
/// `total_vol` in `[0, 2^25]`. In `[0, low]`.
#[inline]
fn out_of_the_money_value(low: Price, high: Price, total_vol: i64) -> i64 {
    let distance = high.log - low.log;
    if low.ticks == 0 || total_vol <= 0 || distance > DISTANCE_MAX {
        return 0;
    }
    // x/w in 2^-24; the numerator is below 12 · 2^48 and not negative
    let middle = (distance.max(0) << (2 * VOL_BITS - LOG_BITS)) / total_vol;
    let near = middle - (total_vol >> 1); // −d1 >= −1
    let far = near + total_vol; // −d2 >= 0
    // low · tail < 0.8414 · 2^63 and high · tail <= 2^62
    let fine = low.ticks * upper_tail(near) - high.ticks * upper_tail(far);
    ((fine.max(0) + (1 << (TAIL_BITS - 1))) >> TAIL_BITS).min(low.ticks)
}

/// Undiscounted Black-76 value in ticks, in `[intrinsic, forward]` for a call and
/// `[intrinsic, strike]` for a put; `total_vol` of [`total_volatility`].
#[inline]
pub fn option_value(forward: Price, strike: Price, total_vol: i64, is_call: bool) -> i64 {
    let total_vol = total_vol.min(TOTAL_VOL_MAX);
    let (low, high) =
        if forward.ticks <= strike.ticks { (forward, strike) } else { (strike, forward) };
    let above = forward.ticks - strike.ticks;
    let intrinsic = if is_call { above } else { -above };
    out_of_the_money_value(low, high, total_vol) + intrinsic.max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_those_of_floats() {
        for ticks in (1..2_000).chain((0..400).map(|k| 1 + k * 5_368_709)).chain([PRICE_MAX]) {
            let exact = (ticks as f64).ln() * (1_u64 << LOG_BITS) as f64;
            assert!((logarithm(ticks) as f64 - exact).abs() < 1_024.0, "{ticks}");
        }
    }

    #[test]
    fn exponentials_are_those_of_floats() {
        for step in -240..=240_i64 {
            let exponent = step << (LOG_BITS - 5); // to ±7.5
            let exact = (step as f64 / 32.0).exp() * (1_u64 << EXPONENTIAL_BITS) as f64;
            let error = (exponential(exponent) as f64 - exact).abs();
            assert!(error <= exact * 2f64.powi(-26) + 1.0, "{step}: {error}");
        }
    }

    #[test]
    fn parity_is_exact_and_values_stay_between_their_bounds() {
        let prices = [0, 1, 2, 99, 10_000_000, 10_000_001, 1 << 30, PRICE_MAX];
        for (f, k) in prices.into_iter().flat_map(|f| prices.map(|k| (f, k))) {
            for total_vol in [0, 1, 1_000, 1 << 20, 1 << 24, TOTAL_VOL_MAX] {
                let value = |call| option_value(Price::new(f), Price::new(k), total_vol, call);
                assert_eq!(value(true) - value(false), f - k);
                assert!((0.max(f - k)..=f).contains(&value(true)));
                assert!((0.max(k - f)..=k).contains(&value(false)));
            }
        }
    }

    #[test]
    fn extreme_arguments_return() {
        for odd in [i64::MIN, -1, 0, 1, i64::MAX] {
            assert!(Price::new(odd).ticks <= PRICE_MAX);
            assert!((0..1 << 36).contains(&root_time(odd)));
            assert!((0..=TOTAL_VOL_MAX).contains(&total_volatility(odd, odd)));
            assert!(exponential(odd) >= 0);
            option_value(Price::new(odd), Price::new(7), odd, true);
        }
    }
}
