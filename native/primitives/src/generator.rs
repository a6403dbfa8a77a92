//! Tables of multiples of the generator, made on first use (about two milliseconds).

use std::sync::LazyLock;
use subtle::{ConditionallySelectable, ConstantTimeEq};

use crate::base::SecretBase;
use crate::curve::{AffinePoint, Point, add_digit, push_multiples};
use crate::lanes::{self, LANES, Lanes};
use crate::quintic::Quintic;
use crate::scalar::Scalar;

/// Bits of a digit in the table for public scalars: 40 rows of 128 points, 400 KiB.
const PUBLIC_BITS: usize = 8;
const PUBLIC_ROWS: usize = 320 / PUBLIC_BITS;
const PUBLIC_ROW: usize = 1 << (PUBLIC_BITS - 1);

/// Row i holds k·2^(8i)·G for k = 1 … 128.
static PUBLIC_TABLE: LazyLock<Vec<AffinePoint>> =
    LazyLock::new(|| table(PUBLIC_ROWS, PUBLIC_ROW, PUBLIC_BITS as u32));

/// Row i holds k·2^(5i)·G for k = 1 … 16: 64 rows, 80 KiB, each read whole at every use.
static SECRET_TABLE: LazyLock<Vec<AffinePoint<SecretBase>>> =
    LazyLock::new(|| table(64, 16, 5).into_iter().map(AffinePoint::to_secret).collect());

fn table(rows: usize, row: usize, bits: u32) -> Vec<AffinePoint> {
    let mut multiples = Vec::with_capacity(rows * row);
    let mut base = Point::GENERATOR;
    for _ in 0..rows {
        push_multiples(&mut multiples, &base, row);
        base = base.double_times(bits);
    }
    Point::to_affine_many(&multiples)
}

/// Σ digitᵢ·256^i = scalar with digits in [−127, 128]. Variable time.
fn signed_digits_8(scalar: &Scalar) -> [i32; PUBLIC_ROWS] {
    let mut carry = 0;
    core::array::from_fn(|i| {
        let byte = scalar.words()[i / 8] >> (8 * (i % 8)) & 255;
        let value = byte as i32 + carry; // 0 … 256
        carry = i32::from(value > 128);
        value - (carry << 8) // no carry out of the last: the scalar is below 2^319
    })
}

/// Row i of the table for public scalars: k·2^(8i)·G for k = 1 … 128.
fn public_row(i: usize) -> &'static [AffinePoint] {
    &PUBLIC_TABLE[PUBLIC_ROW * i..PUBLIC_ROW * (i + 1)]
}

/// start + scalar·G. Variable time: public data only.
#[must_use]
pub fn add_generator_multiple(start: &Point, scalar: &Scalar) -> Point {
    let digits = signed_digits_8(scalar);
    (0..PUBLIC_ROWS).fold(*start, |sum, i| add_digit(&sum, public_row(i), digits[i]))
}

/// start + scalar·G in each lane. Variable time: public data only.
#[must_use]
pub fn add_generator_multiples(start: &Point<Lanes>, scalars: &[Scalar; LANES]) -> Point<Lanes> {
    let digits = scalars.each_ref().map(signed_digits_8);
    (0..PUBLIC_ROWS).fold(*start, |sum, i| {
        sum.add_affine(&lanes::pick_affine(|lane| (public_row(i), digits[lane][i])))
    })
}

/// scalar·G in constant time.
#[must_use]
pub fn multiply_generator(scalar: &Scalar) -> Point {
    multiply_generator_secretly(scalar).cast()
}

/// The encoding of scalar·G, in constant time to the end: coordinates before the last division
/// would tell of the scalar.
#[must_use]
pub fn encode_generator_multiple(scalar: &Scalar) -> Quintic {
    multiply_generator_secretly(scalar).encode().cast()
}

/// A complete addition per digit, each of a point picked by reading the whole row.
fn multiply_generator_secretly(scalar: &Scalar) -> Point<SecretBase> {
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
