//! Divisions with the direction in the name, and products that do not fit 128 bits.
//!
//! Divisors are positive. Products are exact whatever the factors; a quotient that does not fit
//! saturates (the law's bounds keep every one of them far below).

use std::cmp::Ordering;

pub use novate_risk::rounding::{PPM, div_down, div_up};

/// |left| · |right| as (high, low) words of 128 bits.
fn wide_product(left: u128, right: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (left_high, left_low) = (left >> 64, left & HALF);
    let (right_high, right_low) = (right >> 64, right & HALF);
    let low = left_low * right_low;
    let cross = left_high * right_low + (low >> 64); // (2^64 − 1)^2 + 2^64 − 1 < 2^128
    let other = left_low * right_high + (cross & HALF);
    let high = left_high * right_high + (cross >> 64) + (other >> 64);
    (high, other << 64 | low & HALF)
}

/// (high, low) / divisor and the remainder; the quotient saturates. Schoolbook, bit by bit: only
/// products past 128 bits come here.
fn wide_quotient(high: u128, low: u128, divisor: u128) -> (u128, bool) {
    if high >= divisor {
        return (u128::MAX, true);
    }
    let (mut rest, mut quotient) = (high, 0_u128);
    for bit in (0..128).rev() {
        let carry = rest >> 127 == 1;
        rest = rest << 1 | low >> bit & 1;
        quotient <<= 1;
        if carry || rest >= divisor {
            rest = rest.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    (quotient, rest != 0)
}

/// left · right / divisor, rounded toward minus infinity.
#[must_use]
pub fn mul_div_down(left: i128, right: i128, divisor: i128) -> i128 {
    debug_assert!(divisor > 0);
    if let Some(product) = left.checked_mul(right) {
        return product.div_euclid(divisor);
    }
    let (high, low) = wide_product(left.unsigned_abs(), right.unsigned_abs());
    let (quotient, rest) = wide_quotient(high, low, divisor.unsigned_abs());
    let quotient = i128::try_from(quotient).unwrap_or(i128::MAX);
    if (left < 0) == (right < 0) { quotient } else { -quotient - i128::from(rest) }
}

/// amount · ppm / 1,000,000, rounded toward minus infinity.
#[must_use]
pub fn ppm_down(amount: i128, ppm: i64) -> i128 {
    mul_div_down(amount, ppm.into(), PPM.into())
}

/// amount · ppm / 1,000,000, rounded toward plus infinity.
#[must_use]
pub fn ppm_up(amount: i128, ppm: i64) -> i128 {
    -mul_div_down(-amount, ppm.into(), PPM.into())
}

/// How a · b compares with c · d.
#[must_use]
pub fn compare_products(a: i128, b: i128, c: i128, d: i128) -> Ordering {
    if let (Some(left), Some(right)) = (a.checked_mul(b), c.checked_mul(d)) {
        return left.cmp(&right);
    }
    let signed = |x: i128, y: i128| {
        let product = wide_product(x.unsigned_abs(), y.unsigned_abs());
        (product != (0, 0) && (x < 0) != (y < 0), product)
    };
    match (signed(a, b), signed(c, d)) {
        ((true, left), (true, right)) => right.cmp(&left),
        ((true, _), (false, _)) => Ordering::Less,
        ((false, _), (true, _)) => Ordering::Greater,
        ((false, left), (false, right)) => left.cmp(&right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_products_divide_as_narrow_ones() {
        let big = 1_i128 << 100;
        assert_eq!(mul_div_down(big, big, big), big);
        assert_eq!(mul_div_down(big, big + 1, big), big + 1);
        assert_eq!(mul_div_down(big + 1, big + 1, big), big + 2); // 2^100 + 2 + 2^-100
        assert_eq!(mul_div_down(-big - 1, big + 1, big), -big - 3);
        assert_eq!(mul_div_down(-big, big, big), -big);
        assert_eq!(mul_div_down(i128::MAX, i128::MAX, 1), i128::MAX);
        assert_eq!(mul_div_down(-7, 1, 2), -4);
        assert_eq!(mul_div_down(i128::MIN, i128::MIN, i128::MAX), i128::MAX); // saturated
    }

    #[test]
    fn shares_of_a_million_round_by_their_name() {
        assert_eq!((ppm_down(1, 1), ppm_up(1, 1)), (0, 1));
        assert_eq!((ppm_down(-1, 1), ppm_up(-1, 1)), (-1, 0));
        assert_eq!((ppm_down(2_000_000, 3), ppm_up(2_000_000, 3)), (6, 6));
    }

    #[test]
    fn products_compare_whatever_their_size() {
        let big = i128::MAX;
        assert_eq!(compare_products(big, big, big, big), Ordering::Equal);
        assert_eq!(compare_products(big, big, big - 1, big), Ordering::Greater);
        assert_eq!(compare_products(-big, big, big, big), Ordering::Less);
        assert_eq!(compare_products(-big, big, -big, big - 1), Ordering::Less);
        assert_eq!(compare_products(-big, 0, 0, big), Ordering::Equal);
        assert_eq!(compare_products(2, 3, 3, 2), Ordering::Equal);
    }
}
