//! Tables of multiples of the generator, made on first use (about two milliseconds).

use std::sync::LazyLock;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::curve::{AffinePoint, Point, add_digit, push_multiples};
use crate::scalar::Scalar;

/// Bits of a digit in the table for public scalars: 40 rows of 128 points, 400 KiB.
const PUBLIC_BITS: usize = 8;
const PUBLIC_ROWS: usize = 320 / PUBLIC_BITS;
const PUBLIC_ROW: usize = 1 << (PUBLIC_BITS - 1);

/// Row i holds k·2^(8i)·G for k = 1 … 128.
static PUBLIC_TABLE: LazyLock<Vec<AffinePoint>> =
    LazyLock::new(|| table(PUBLIC_ROWS, PUBLIC_ROW, PUBLIC_BITS as u32));

/// Row i holds k·2^(5i)·G for k = 1 … 16: 64 rows, 80 KiB, each read whole at every use.
static SECRET_TABLE: LazyLock<Vec<AffinePoint>> = LazyLock::new(|| table(64, 16, 5));

fn table(rows: usize, row: usize, bits: u32) -> Vec<AffinePoint> {
    let mut multiples = Vec::with_capacity(rows * row);
    let mut base = Point::GENERATOR;
    for _ in 0..rows {
        push_multiples(&mut multiples, &base, row);
        base = base.double_times(bits);
    }
    Point::to_affine_many(&multiples)
}

/// start + scalar·G. Variable time: public data only.
#[must_use]
pub fn add_generator_multiple(start: &Point, scalar: &Scalar) -> Point {
    let table = &*PUBLIC_TABLE;
    let mut sum = *start;
    let mut carry = 0;
    for i in 0..PUBLIC_ROWS {
        let word = scalar.words()[i / 8];
        let value = (word >> (8 * (i % 8)) & 255) as i32 + carry; // 0 … 256
        carry = i32::from(value > 128);
        let digit = value - (carry << 8);
        sum = add_digit(&sum, &table[PUBLIC_ROW * i..PUBLIC_ROW * (i + 1)], digit);
    }
    sum // no carry out: the scalar is below 2^319
}

/// scalar·G in constant time: a complete addition per digit, each of a point picked by reading the
/// whole row.
#[must_use]
pub fn multiply_generator(scalar: &Scalar) -> Point {
    let table = &*SECRET_TABLE;
    let mut sum = Point::NEUTRAL;
    for (row, digit) in table.chunks_exact(16).zip(scalar.signed_digits_5()) {
        let sign = (digit as u8) >> 7; // 1 if negative
        let size = (digit as u8 ^ sign.wrapping_neg()).wrapping_add(sign);
        let mut picked = AffinePoint::NEUTRAL;
        for (k, multiple) in (1u8..).zip(row) {
            picked.conditional_assign(multiple, k.ct_eq(&size));
        }
        let negated = picked.negate();
        picked.conditional_assign(&negated, sign.into());
        sum = sum.add_affine(&picked);
    }
    sum
}
