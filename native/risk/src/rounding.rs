//! Divisions, with the direction in the name. Divisors are positive.

/// Parts in one of every rate.
pub const PPM: i64 = 1_000_000;

/// Quotient rounded toward minus infinity.
#[inline]
pub fn div_down(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    numerator.div_euclid(denominator)
}

/// Quotient rounded toward plus infinity.
#[inline]
pub fn div_up(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    -(-numerator).div_euclid(denominator)
}

/// `amount · ppm / 1,000,000`, rounded toward plus infinity; a product past 127 bits saturates.
#[inline]
pub fn ppm_up(amount: i128, ppm: i64) -> i128 {
    div_up(amount.saturating_mul(i128::from(ppm)), i128::from(PPM))
}

/// `value` moved into `[low, high]`; `low` where the interval is empty.
#[inline]
pub fn clamp(value: i64, low: i64, high: i64) -> i64 {
    value.min(high).max(low)
}
