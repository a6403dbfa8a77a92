//! Integers modulo n, the prime order (319 bits) of EcGFp5. Constant-time.

use core::array::from_fn;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

use crate::base::mask;

/// The group order n, least significant word first (eprint 2022/274, section 3).
pub const ORDER: [u64; 5] = [
    0xE80F_D996_948B_FFE1,
    0xE888_5C39_D724_A09C,
    0x7FFF_FFE6_CFB8_0639,
    0x7FFF_FFF1_0000_0016,
    0x7FFF_FFFD_8000_0007,
];

/// −1/n mod 2^64, by Newton's iteration (each step doubles the correct low bits).
const MINUS_ORDER_INVERSE: u64 = {
    let mut inverse = 1u64;
    let mut step = 0;
    while step < 6 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(ORDER[0].wrapping_mul(inverse)));
        step += 1;
    }
    inverse.wrapping_neg()
};

/// R² = 2^640 mod n: R = 2^320 is the Montgomery radix.
const RADIX_SQUARED: Scalar = Scalar([
    0xA010_01DC_E33D_C739,
    0x6C32_28D3_3F62_ACCF,
    0xD1D7_96CC_91CF_8525,
    0xAADF_FF5D_1574_C1D8,
    0x4ACA_13B2_8CA2_51F5,
]);

/// A canonical scalar, below n; five words, least significant first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Scalar([u64; 5]);

/// a − b over five words, and all ones if it went below zero, else zero.
#[inline(always)]
fn subtract(a: [u64; 5], b: [u64; 5]) -> ([u64; 5], u64) {
    let mut borrow = false;
    let difference = from_fn(|i| {
        let (word, below) = a[i].overflowing_sub(b[i]);
        let (word, below_again) = word.overflowing_sub(u64::from(borrow));
        borrow = below | below_again;
        word
    });
    (difference, mask::<true>(borrow))
}

/// a + b over five words, without the carry out.
#[inline(always)]
fn add_words(a: [u64; 5], b: [u64; 5]) -> [u64; 5] {
    let mut carry = 0u128;
    from_fn(|i| {
        carry += u128::from(a[i]) + u128::from(b[i]);
        let word = carry as u64;
        carry >>= 64;
        word
    })
}

/// value, or value − n if it is not below n. For values below 2n (and below 2^320).
#[inline(always)]
fn subtract_order(value: [u64; 5]) -> Scalar {
    let (reduced, below) = subtract(value, ORDER);
    Scalar(add_words(reduced, ORDER.map(|word| word & below)))
}

impl Scalar {
    pub const ZERO: Self = Self([0; 5]);
    pub const ONE: Self = Self([1, 0, 0, 0, 0]);

    /// The scalar of five words, or `None` at n and above. (Not a secret whether it is.)
    pub fn from_words(words: [u64; 5]) -> Option<Self> {
        (subtract(words, ORDER).1 != 0).then_some(Self(words))
    }

    /// The scalar congruent to a 512-bit integer, least significant word first.
    pub fn from_wide(words: [u64; 8]) -> Self {
        let low = Self([words[0], words[1], words[2], words[3], words[4]]); // maybe above n
        let high = Self([words[5], words[6], words[7], 0, 0]);
        // montgomery(x, R²) = x·R mod n for any x below R.
        let low = low.montgomery(&RADIX_SQUARED).montgomery(&Self::ONE);
        low.add(&high.montgomery(&RADIX_SQUARED))
    }

    /// A scalar of 128 bits or fewer.
    pub const fn from_u128(value: u128) -> Self {
        Self([value as u64, (value >> 64) as u64, 0, 0, 0])
    }

    /// The five words, least significant first.
    pub const fn words(&self) -> [u64; 5] {
        self.0
    }

    /// self + other mod n.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        subtract_order(add_words(self.0, other.0)) // no carry out: both are below 2^319
    }

    /// self − other mod n.
    #[must_use]
    pub fn sub(&self, other: &Self) -> Self {
        let (difference, below) = subtract(self.0, other.0);
        Self(add_words(difference, ORDER.map(|word| word & below)))
    }

    /// self · other mod n.
    #[must_use]
    pub fn mul(&self, other: &Self) -> Self {
        self.montgomery(&RADIX_SQUARED).montgomery(other)
    }

    /// self · other / R mod n, for self below R = 2^320 and other below n.
    fn montgomery(&self, other: &Self) -> Self {
        let mut t = [0u64; 6];
        for &word in &self.0 {
            let mut carry = 0u128;
            for (sum, &other_word) in t.iter_mut().zip(&other.0) {
                carry += word as u128 * other_word as u128 + *sum as u128;
                *sum = carry as u64;
                carry >>= 64;
            }
            // t stays below 2n + 2^64·n, so six words hold it and t[5] absorbs the carry
            t[5] += carry as u64;
            let factor = t[0].wrapping_mul(MINUS_ORDER_INVERSE);
            let mut carry = 0u128;
            for j in 0..5 {
                carry += factor as u128 * ORDER[j] as u128 + t[j] as u128;
                if j > 0 {
                    t[j - 1] = carry as u64;
                }
                carry >>= 64;
            }
            carry += t[5] as u128;
            t[4] = carry as u64;
            t[5] = (carry >> 64) as u64;
        }
        subtract_order([t[0], t[1], t[2], t[3], t[4]]) // below 2n, so t[5] = 0
    }

    /// The 64 signed digits of 5 bits, each in [−16, 16]: Σ digit·32^i = self.
    pub(crate) fn signed_digits_5(&self) -> [i8; 64] {
        let mut digits = [0; 64];
        let mut carry = 0u64;
        for (i, digit) in digits.iter_mut().enumerate() {
            let (word, shift) = (5 * i / 64, 5 * i % 64);
            let mut bits = self.0[word] >> shift;
            if shift > 59 && word < 4 {
                bits |= self.0[word + 1] << (64 - shift);
            }
            let value = (bits & 31) + carry; // 0 … 32
            carry = (16u64.wrapping_sub(value)) >> 63; // 1 if value > 16
            *digit = (value as i8).wrapping_sub((carry << 5) as i8);
        }
        // the last digit holds bits 315 … 318, at most 15, plus a carry: no carry out
        digits
    }
}

impl ConstantTimeEq for Scalar {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for Scalar {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(from_fn(|i| u64::conditional_select(&a.0[i], &b.0[i], choice)))
    }
}
