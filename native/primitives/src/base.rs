//! The Goldilocks field GF(p), p = 2^64 − 2^32 + 1, for the curve.
//!
//! `p3-goldilocks` serves the hashes. The curve needs its own: signing must not branch on secrets
//! (p3's addition does, on a rare carry), and products in the quintic extension are reduced once
//! per coefficient. With B = 2^32: B² = B − 1 and B³ = −1 modulo p, so 2^64 = 2^32 − 1.

use core::ops::{Add, Mul, Neg, Sub};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroize;

/// The field's modulus.
pub const P: u64 = 0xFFFF_FFFF_0000_0001;

/// 2^64 mod p.
const EPSILON: u64 = 0xFFFF_FFFF;

/// A canonical element: the word is below p.
///
/// The source has no branch in any arithmetic. For a secret the compiler is kept from putting one
/// in, too, which costs about a fifth; for public data it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Zeroize)]
pub struct Element<const SECRET: bool>(u64);

/// An element that may be known.
pub type Base = Element<false>;

/// An element that may not: all arithmetic is constant-time.
pub type SecretBase = Element<true>;

/// What the curve's formulas need of GF(p): one element here, one in each lane in [`crate::lanes`].
pub trait Coefficient:
    Copy + Add<Output = Self> + Sub<Output = Self> + Neg<Output = Self> + Mul<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;

    /// 2·self.
    #[must_use]
    fn double(self) -> Self;

    /// factor·self for a small factor.
    #[must_use]
    fn times_small(self, factor: u32) -> Self;

    /// Σ left[i]·right[i], reduced once, for N up to 5.
    #[must_use]
    fn dot<const N: usize>(left: [Self; N], right: [Self; N]) -> Self;

    /// 3·self.
    #[inline(always)]
    #[must_use]
    fn triple(self) -> Self {
        self.double() + self
    }
}

impl<const SECRET: bool> Coefficient for Element<SECRET> {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    #[inline(always)]
    fn double(self) -> Self {
        self.plus(self)
    }

    /// One product, whose high word is below 2^32.
    #[inline(always)]
    fn times_small(self, factor: u32) -> Self {
        let product = self.0 as u128 * factor as u128;
        let (sum, carry) = (product as u64).overflowing_add((product >> 64) as u64 * EPSILON);
        Self::reduce(sum.wrapping_add(EPSILON & mask::<SECRET>(carry)))
    }

    #[inline(always)]
    fn dot<const N: usize>(left: [Self; N], right: [Self; N]) -> Self {
        let mut low = 0u128;
        let mut top = 0u64;
        for i in 0..N {
            let (sum, carry) = low.overflowing_add(left[i].0 as u128 * right[i].0 as u128);
            low = sum;
            top += carry as u64;
        }
        reduce_wide(low, top)
    }
}

/// All ones if `carry`, else zero.
///
/// For a secret the optimiser must not see that there are only two choices: it has been seen to
/// make them a branch. An empty piece of assembly hides where the mask comes from.
#[inline(always)]
pub(crate) fn mask<const SECRET: bool>(carry: bool) -> u64 {
    let mask = u64::from(carry).wrapping_neg();
    if SECRET { hide(mask) } else { mask }
}

#[inline(always)]
fn hide(mask: u64) -> u64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let hidden;
        // SAFETY: no instruction at all; the register goes out as it came in.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inlateout(reg) mask => hidden,
                options(pure, nomem, nostack, preserves_flags)
            );
        }
        hidden
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    core::hint::black_box(mask)
}

/// base^exponent mod p when compiling: for constants only.
pub(crate) const fn constant_power(base: u64, exponent: u64) -> Base {
    let mut result = 1u128;
    let mut bit = 64;
    while bit > 0 {
        bit -= 1;
        result = result * result % P as u128;
        if exponent >> bit & 1 == 1 {
            result = result * base as u128 % P as u128;
        }
    }
    Element(result as u64)
}

impl<const SECRET: bool> Element<SECRET> {
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(1);
    pub const MINUS_ONE: Self = Self(P - 1);

    /// The same element in the other kind.
    #[inline(always)]
    pub(crate) const fn cast<const OTHER: bool>(self) -> Element<OTHER> {
        Element(self.0)
    }

    /// The element of a canonical word, or `None` at p and above.
    #[inline]
    pub const fn new(word: u64) -> Option<Self> {
        if word < P { Some(Self(word)) } else { None }
    }

    /// The element of a constant below p.
    ///
    /// # Panics
    /// When compiling, if it is not.
    #[must_use]
    pub const fn constant(word: u64) -> Self {
        assert!(word < P);
        Self(word)
    }

    /// The element congruent to any word.
    #[inline]
    pub fn reduce(word: u64) -> Self {
        let (reduced, borrow) = word.overflowing_sub(P);
        Self(reduced.wrapping_add(P & mask::<SECRET>(borrow)))
    }

    /// The canonical word, below p.
    #[inline(always)]
    pub const fn word(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        // self − (p − other); a borrow means that the sum was below p: add p, i.e. subtract EPSILON
        let (sum, borrow) = self.0.overflowing_sub(P - other.0);
        Self(sum.wrapping_sub(EPSILON & mask::<SECRET>(borrow)))
    }

    #[inline(always)]
    pub(crate) fn minus(self, other: Self) -> Self {
        let (difference, borrow) = self.0.overflowing_sub(other.0);
        Self(difference.wrapping_sub(EPSILON & mask::<SECRET>(borrow)))
    }

    #[inline(always)]
    pub(crate) fn times(self, other: Self) -> Self {
        reduce_wide(self.0 as u128 * other.0 as u128, 0)
    }

    /// self/2: halve the word if even, else the even word + p (as (w − 1)/2 + (p + 1)/2).
    #[inline(always)]
    pub fn half(self) -> Self {
        Self((self.0 >> 1) + (P.div_ceil(2) & mask::<SECRET>(self.0 & 1 == 1)))
    }

    /// self².
    #[inline(always)]
    pub fn square(self) -> Self {
        self.times(self)
    }

    /// self^(2^n): n squarings.
    #[inline]
    pub fn square_times(self, n: u32) -> Self {
        (0..n).fold(self, |power, _| power.square())
    }

    /// self^(2^31 − 1), the common start of the chains below.
    fn power_31_ones(self) -> Self {
        let ones_2 = self.square().times(self);
        let ones_3 = ones_2.square().times(self);
        let ones_6 = ones_3.square_times(3).times(ones_3);
        let ones_12 = ones_6.square_times(6).times(ones_6);
        let ones_15 = ones_12.square_times(3).times(ones_3);
        let ones_30 = ones_15.square_times(15).times(ones_15);
        ones_30.square().times(self)
    }

    /// 1/self by self^(p − 2), with 0 for 0.
    pub fn inverse(self) -> Self {
        // p − 2 = (2^31 − 1)·2^33 + (2^32 − 1)
        let ones_31 = self.power_31_ones();
        let ones_32 = ones_31.square().times(self);
        ones_31.square_times(33).times(ones_32)
    }

    /// self^((p − 1)/2): 1 for a non-zero square, −1 for a non-square, 0 for 0.
    pub fn legendre(self) -> Self {
        // (p − 1)/2 = (2^32 − 1)·2^31
        self.power_31_ones().square().times(self).square_times(31)
    }
}

impl Base {
    /// A square root, or `None` for a non-square. Tonelli and Shanks, variable time.
    pub fn sqrt(self) -> Option<Self> {
        // p − 1 = q·2^32 with q = 2^32 − 1. Invariant: root² = self · rest, and rest has order 2^m.
        let mut root = self.square_times(31); // self^((q + 1)/2)
        let mut rest = self.power_31_ones().square().times(self); // self^q
        if self == Self::ZERO {
            return Some(Self::ZERO);
        }
        while rest != Self::ONE {
            let mut order_log = 0;
            let mut power = rest;
            while power != Self::ONE {
                power = power.square();
                order_log += 1;
            }
            if order_log == 32 {
                return None;
            }
            root = root * ROOTS_OF_UNITY[order_log + 1];
            rest = rest * ROOTS_OF_UNITY[order_log];
        }
        Some(root)
    }
}

/// `ROOTS_OF_UNITY[k]` has order 2^k, and is the square of the next one.
const ROOTS_OF_UNITY: [Base; 33] = {
    let mut roots = [Base::ONE; 33];
    let mut k = 1;
    while k <= 32 {
        roots[k] = constant_power(7, (P - 1) >> k); // 7 generates the multiplicative group
        k += 1;
    }
    roots
};

/// The element `low + top·2^128`, for `top` below 2^30.
#[inline(always)]
fn reduce_wide<const SECRET: bool>(low: u128, top: u64) -> Element<SECRET> {
    // low = w0 + w1·2^64 + w2·2^96 ≡ w0 + w1·(2^32 − 1) − w2, and 2^128 ≡ −2^32.
    let word = low as u64;
    let high = (low >> 64) as u64;
    let subtrahend = (high >> 32) + (top << 32); // below 2^63
    let (difference, borrow) = word.overflowing_sub(subtrahend);
    let difference = difference.wrapping_sub(EPSILON & mask::<SECRET>(borrow));
    let (sum, carry) = difference.overflowing_add((high & EPSILON) * EPSILON);
    Element::reduce(sum.wrapping_add(EPSILON & mask::<SECRET>(carry)))
}

impl<const SECRET: bool> Add for Element<SECRET> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.plus(other)
    }
}

impl<const SECRET: bool> Sub for Element<SECRET> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.minus(other)
    }
}

impl<const SECRET: bool> Neg for Element<SECRET> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO.minus(self)
    }
}

impl<const SECRET: bool> Mul for Element<SECRET> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.times(other)
    }
}

impl<const SECRET: bool> ConstantTimeEq for Element<SECRET> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl<const SECRET: bool> ConditionallySelectable for Element<SECRET> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(u64::conditional_select(&a.0, &b.0, choice))
    }
}
