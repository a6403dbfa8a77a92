//! The quintic extension GF(p^5) = GF(p)[z]/(z^5 − 3). Over `SecretBase` all is constant-time.

use core::ops::{Add, Mul, Neg, Sub};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use crate::base::{Base, Coefficient, Element, P, constant_power};
use crate::error::Error;

/// c0 + c1·z + c2·z² + c3·z³ + c4·z⁴.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quintic<F = Base>(pub [F; 5]);

/// `FROBENIUS[k][i]` is ω^(i·k) with ω = 3^((p−1)/5): (z^i)^(p^k) = ω^(i·k) · z^i.
const FROBENIUS: [[Base; 5]; 3] = {
    let mut table = [[Base::ONE; 5]; 3];
    let mut k = 1;
    while k < 3 {
        let mut i = 1;
        while i < 5 {
            table[k][i] = constant_power(3, (P - 1) / 5 * (i * k % 5) as u64);
            i += 1;
        }
        k += 1;
    }
    table
};

impl<F: Coefficient> Quintic<F> {
    pub const ZERO: Self = Self([F::ZERO; 5]);
    pub const ONE: Self = Self([F::ONE, F::ZERO, F::ZERO, F::ZERO, F::ZERO]);

    /// 2·self.
    #[inline(always)]
    pub fn double(&self) -> Self {
        Self(self.0.map(F::double))
    }

    /// factor·z·self, for factor below 2^30.
    #[inline(always)]
    pub fn scale_by_z(&self, factor: u32) -> Self {
        let [c0, c1, c2, c3, c4] = self.0;
        Self([
            c4.times_small(3 * factor),
            c0.times_small(factor),
            c1.times_small(factor),
            c2.times_small(factor),
            c3.times_small(factor),
        ])
    }

    /// self².
    #[inline(always)]
    pub fn square(&self) -> Self {
        let [a0, a1, a2, a3, a4] = self.0;
        let (a0_2, a1_2) = (a0.double(), a1.double());
        let (a3_3, a4_3) = (a3.triple(), a4.triple());
        let (a3_6, a4_6) = (a3_3.double(), a4_3.double());
        Self([
            F::dot([a0, a4_6, a3_6], [a0, a1, a2]),
            F::dot([a0_2, a4_6, a3_3], [a1, a2, a3]),
            F::dot([a1, a0_2, a4_6], [a1, a2, a3]),
            F::dot([a0_2, a1_2, a4_3], [a3, a2, a4]),
            F::dot([a2, a0_2, a1_2], [a2, a4, a3]),
        ])
    }
}

impl<const SECRET: bool> Quintic<Element<SECRET>> {
    /// The element `value` + 0·z + ….
    pub const fn from_base(value: Element<SECRET>) -> Self {
        Self([value, Element::ZERO, Element::ZERO, Element::ZERO, Element::ZERO])
    }

    /// The five canonical words.
    #[inline]
    pub fn words(&self) -> [u64; 5] {
        self.0.map(Element::word)
    }

    /// self/2.
    #[inline(always)]
    pub fn half(&self) -> Self {
        Self(self.0.map(Element::half))
    }

    /// factor·self.
    #[inline(always)]
    pub fn scale(&self, factor: Element<SECRET>) -> Self {
        Self(self.0.map(|coefficient| coefficient * factor))
    }

    /// self^(2^n): n squarings.
    pub fn square_times(&self, n: u32) -> Self {
        let mut result = *self;
        for _ in 0..n {
            result = result.square();
        }
        result
    }

    /// self^(p^k) for k = 1 or 2.
    #[inline]
    pub fn frobenius(&self, k: usize) -> Self {
        Self(core::array::from_fn(|i| self.0[i] * FROBENIUS[k][i].cast()))
    }

    /// self^(p + p² + p³ + p⁴) and the norm self^(1 + p + p² + p³ + p⁴), which is in GF(p).
    fn conjugates_and_norm(&self) -> (Self, Element<SECRET>) {
        let first = self.frobenius(1);
        let pair = first * first.frobenius(1); // p + p²
        let conjugates = pair * pair.frobenius(2);
        (conjugates, (*self * conjugates).0[0])
    }

    /// 1/self with 0 for 0 (Itoh and Tsujii: the conjugates' product over the norm).
    pub fn inverse(&self) -> Self {
        let (conjugates, norm) = self.conjugates_and_norm();
        conjugates.scale(norm.inverse())
    }

    /// The same element in the other kind.
    pub(crate) fn cast<const OTHER: bool>(&self) -> Quintic<Element<OTHER>> {
        Quintic(self.0.map(Element::cast))
    }
}

impl Quintic {
    /// The element of five canonical words; an error names the first that is not.
    pub fn from_words(field: &'static str, words: [u64; 5]) -> Result<Self, Error> {
        crate::error::check_canonical(field, &words)?;
        Ok(Self(words.map(Base::reduce)))
    }

    /// Whether self is a non-zero square: its norm is one in GF(p). Variable time.
    pub fn is_nonzero_square(&self) -> bool {
        self.conjugates_and_norm().1.legendre() == Base::ONE
    }

    /// A square root, or `None` for a non-square. Variable time.
    ///
    /// With r = 1 + p + … + p⁴: √x = √(x^r) / x^((r−1)/2), where x^r is the norm, in GF(p), and
    /// (r − 1)/2 = p·(1 + p²)·(p + 1)/2.
    pub fn sqrt(&self) -> Option<Self> {
        let mut ones = *self; // self^(2^k − 1), doubling k to 32
        for k in [1, 2, 4, 8, 16] {
            ones = ones.square_times(k) * ones;
        }
        let power = ones.square_times(31) * *self; // (p + 1)/2 = (2^32 − 1)·2^31 + 1
        let divisor = (power * power.frobenius(2)).frobenius(1);
        let norm = (*self * divisor.square()).0[0];
        Some(divisor.inverse().scale(norm.sqrt()?))
    }
}

impl<F: Coefficient> Add for Quintic<F> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] + other.0[i]))
    }
}

impl<F: Coefficient> Sub for Quintic<F> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(core::array::from_fn(|i| self.0[i] - other.0[i]))
    }
}

impl<F: Coefficient> Neg for Quintic<F> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(self.0.map(F::neg))
    }
}

impl<F: Coefficient> Mul for Quintic<F> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let a = self.0;
        let [b0, b1, b2, b3, b4] = other.0;
        let [t1, t2, t3, t4] = [b1.triple(), b2.triple(), b3.triple(), b4.triple()];
        Self([
            F::dot(a, [b0, t4, t3, t2, t1]),
            F::dot(a, [b1, b0, t4, t3, t2]),
            F::dot(a, [b2, b1, b0, t4, t3]),
            F::dot(a, [b3, b2, b1, b0, t4]),
            F::dot(a, [b4, b3, b2, b1, b0]),
        ])
    }
}

impl<const SECRET: bool> ConstantTimeEq for Quintic<Element<SECRET>> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl<const SECRET: bool> ConditionallySelectable for Quintic<Element<SECRET>> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(core::array::from_fn(|i| Element::conditional_select(&a.0[i], &b.0[i], choice)))
    }
}
