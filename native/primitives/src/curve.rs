//! The group EcGFp5 (Pornin, eprint 2022/274): y² = x·(x² + 2x + 263z) over GF(p^5).
//!
//! The group has prime order: an element is a point outside the r-torsion, the neutral being
//! N = (0, 0). Points are held in fractional coordinates x = X/Z, u = x/y = U/T (u = 0 for N), in
//! which the addition has no special case. The encoding is w = y/x = 1/u, with 0 for N.

use subtle::{Choice, ConditionallySelectable};

use crate::base::{Base, Coefficient, Element, SecretBase};
use crate::quintic::Quintic;

/// The curve's a.
const A: u64 = 2;

/// The curve's b is B·z.
const B: u32 = 263;

/// A group element (X : Z, U : T).
#[derive(Clone, Copy, Debug)]
pub struct Point<F = Base> {
    pub(crate) x: Quintic<F>,
    pub(crate) z: Quintic<F>,
    pub(crate) u: Quintic<F>,
    pub(crate) t: Quintic<F>,
}

/// A group element with Z = T = 1, for tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct AffinePoint<F = Base> {
    pub(crate) x: Quintic<F>,
    pub(crate) u: Quintic<F>,
}

impl<F: Coefficient> Point<F> {
    pub const NEUTRAL: Self =
        Self { x: Quintic::ZERO, z: Quintic::ONE, u: Quintic::ZERO, t: Quintic::ONE };

    /// −self.
    #[must_use]
    pub fn negate(&self) -> Self {
        Self { u: -self.u, ..*self }
    }

    /// self + other, complete (10 products; a = 2 is chosen for them; eprint 2022/274).
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        let xx = self.x * other.x;
        let zz = self.z * other.z;
        let uu = self.u * other.u;
        let tt = self.t * other.t;
        let x_cross = (self.x + self.z) * (other.x + other.z) - xx - zz;
        let u_cross = (self.u + self.t) * (other.u + other.t) - uu - tt;
        Self::finish_addition(xx, zz, uu, tt, x_cross, u_cross)
    }

    /// self + other, complete (8 products).
    #[must_use]
    pub fn add_affine(&self, other: &AffinePoint<F>) -> Self {
        let xx = self.x * other.x;
        let uu = self.u * other.u;
        let x_cross = self.x + self.z * other.x;
        let u_cross = self.u + self.t * other.u;
        Self::finish_addition(xx, self.z, uu, self.t, x_cross, u_cross)
    }

    /// From the products of like coordinates and x_cross = X₁Z₂ + X₂Z₁, u_cross = U₁T₂ + U₂T₁.
    #[inline(always)]
    fn finish_addition(
        xx: Quintic<F>,
        zz: Quintic<F>,
        uu: Quintic<F>,
        tt: Quintic<F>,
        x_cross: Quintic<F>,
        u_cross: Quintic<F>,
    ) -> Self {
        let b_zz = zz.scale_by_z(B);
        let sum = xx + b_zz;
        let t_sum = tt * sum;
        let u_sum = uu * (x_cross.scale_by_z(2 * B) + sum.double());
        let mixed = (tt + uu.double()) * (x_cross + sum);
        Self {
            x: (mixed - t_sum).scale_by_z(B),
            z: t_sum - u_sum,
            u: u_cross * (b_zz - xx),
            t: t_sum + u_sum,
        }
    }

    /// 2·self (4 products, 5 squares).
    #[must_use]
    pub fn double(&self) -> Self {
        let (big_x, w, big_z) = self.double_to_jacobian();
        Self::from_double_jacobian(big_x, w, big_z)
    }

    /// 2^n·self. In a run of doublings each inner one costs 2 products and 5 squares.
    #[must_use]
    pub fn double_times(&self, n: u32) -> Self {
        match n {
            0 => *self,
            1 => self.double(),
            _ => self.double_run(n),
        }
    }

    /// Doubling is a pair of isogenies; the first leads to a point of the dual curve, held in
    /// Jacobian coordinates (X, W, Z), x = X/Z², w = W/Z. (Double-odd curves, eprint 2020/1558.)
    #[inline(always)]
    fn double_to_jacobian(&self) -> (Quintic<F>, Quintic<F>, Quintic<F>) {
        let zt = self.z * self.t;
        let ztt = zt * self.t;
        let big_x = ztt.square();
        let big_z = zt * self.u;
        let w = ztt - (self.x + self.z).double() * self.u.square();
        (big_x, w, big_z)
    }

    /// The second isogeny, back to fractional coordinates.
    #[inline(always)]
    fn from_double_jacobian(big_x: Quintic<F>, w: Quintic<F>, big_z: Quintic<F>) -> Self {
        let zz = big_z.square();
        let ww = w.square();
        Self {
            x: zz.scale_by_z(4 * B),
            z: ww,
            u: (w + big_z).square() - zz - ww,
            t: big_x.double() - zz.double().double() - ww,
        }
    }

    /// n ≥ 2 doublings, the inner ones in Jacobian coordinates throughout: 2M+1S + n(2M+5S).
    fn double_run(&self, n: u32) -> Self {
        let (x1, w1, z1) = self.double_to_jacobian();
        let ww = w1.square();
        let zz = z1.square();
        let mut x = zz.square().scale_by_z(16 * B);
        let mut w = x1.double() - zz.double().double() - ww;
        let mut z = (w1 + z1).square() - ww - zz;
        for _ in 2..n {
            let zz = z.square();
            let zzzz = zz.square();
            let ww = w.square();
            let wwww = ww.square();
            let wz2 = (w + z).square() - zz - ww;
            z = wz2 * ((x + zz).double() - ww);
            x = (zzzz * wwww).scale_by_z(16 * B);
            w = zzzz.double().double() - zzzz.scale_by_z(4 * B) - wwww;
        }
        let ww = w.square();
        let zz = z.square();
        let wz2 = (w + z).square() - ww - zz;
        let w_last = ww - (x + zz).double();
        let z_last = w_last.square();
        Self {
            x: wz2.square().scale_by_z(B),
            z: z_last,
            u: wz2 * w_last,
            t: ww.double() * (ww - zz.double()) - z_last,
        }
    }
}

impl<const SECRET: bool> Point<Element<SECRET>> {
    /// The encoding w = T/U (0 for N).
    pub fn encode(&self) -> Quintic<Element<SECRET>> {
        self.t * self.u.inverse()
    }

    /// The same element in the other kind.
    pub(crate) fn cast<const OTHER: bool>(&self) -> Point<Element<OTHER>> {
        Point { x: self.x.cast(), z: self.z.cast(), u: self.u.cast(), t: self.t.cast() }
    }
}

impl Point {
    /// The conventional generator, of encoding w = 4, so u = 1/4.
    pub const GENERATOR: Self = Self {
        x: Quintic([
            Base::constant(12_883_135_586_176_881_569),
            Base::constant(4_356_519_642_755_055_268),
            Base::constant(5_248_930_565_894_896_907),
            Base::constant(2_165_973_894_480_315_022),
            Base::constant(2_448_410_071_095_648_785),
        ]),
        z: Quintic::ONE,
        u: Quintic::from_base(Base::constant(13_835_058_052_060_938_241)),
        t: Quintic::ONE,
    };

    /// The element encoded by `w`, or `None` if there is none. Variable time.
    pub fn decode(w: &Quintic) -> Option<Self> {
        if *w == Quintic::ZERO {
            return Some(Self::NEUTRAL);
        }
        // y = wx on the curve gives x² − (w² − a)x + b = 0. Of its two roots one is a square and
        // the other not; the group's elements have the non-square x.
        let e = w.square() - Quintic::from_base(Base::constant(A));
        let four_b = Quintic::ONE.scale_by_z(4 * B);
        let root = (e.square() - four_b).sqrt()?;
        let first = (e + root).half();
        let x = if first.is_nonzero_square() { (e - root).half() } else { first };
        Some(Self { x, z: Quintic::ONE, u: Quintic::ONE, t: *w })
    }

    /// The encodings of many elements, for one inversion in all.
    pub fn encode_many(points: &[Self]) -> Vec<Quintic> {
        let inverses = invert_many(&points.iter().map(|point| point.u).collect::<Vec<_>>());
        points.iter().zip(inverses).map(|(point, inverse)| point.t * inverse).collect()
    }

    /// Whether this is N: only N has u = 0.
    pub fn is_neutral(&self) -> bool {
        self.u == Quintic::ZERO
    }

    /// Whether both are the same element: u determines it.
    pub fn equals(&self, other: &Self) -> bool {
        self.u * other.t == other.u * self.t
    }

    /// Many elements with Z = T = 1, for one inversion in all. Z and T are never zero.
    pub fn to_affine_many(points: &[Self]) -> Vec<AffinePoint> {
        let denominators: Vec<_> = points.iter().map(|point| point.z * point.t).collect();
        invert_many(&denominators)
            .into_iter()
            .zip(points)
            .map(|(inverse, point)| AffinePoint {
                x: point.x * point.t * inverse,
                u: point.u * point.z * inverse,
            })
            .collect()
    }
}

impl<F: Coefficient> AffinePoint<F> {
    /// N, which the complete addition takes like any other.
    pub const NEUTRAL: Self = Self { x: Quintic::ZERO, u: Quintic::ZERO };

    /// −self.
    #[inline(always)]
    #[must_use]
    pub fn negate(&self) -> Self {
        Self { x: self.x, u: -self.u }
    }
}

impl AffinePoint {
    /// The same element for arithmetic with secrets.
    pub(crate) fn to_secret(self) -> AffinePoint<SecretBase> {
        AffinePoint { x: self.x.cast(), u: self.u.cast() }
    }

    /// The same element in fractional coordinates.
    pub fn to_point(&self) -> Point {
        Point { x: self.x, z: Quintic::ONE, u: self.u, t: Quintic::ONE }
    }
}

impl<const SECRET: bool> ConditionallySelectable for AffinePoint<Element<SECRET>> {
    #[inline(always)]
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self {
            x: Quintic::conditional_select(&a.x, &b.x, choice),
            u: Quintic::conditional_select(&a.u, &b.u, choice),
        }
    }
}

/// The inverses of many elements, 0 for 0, for one inversion and three products each (Montgomery).
/// Variable time in which of them are zero.
pub(crate) fn invert_many(values: &[Quintic]) -> Vec<Quintic> {
    let mut prefixes = Vec::with_capacity(values.len());
    let mut product = Quintic::ONE;
    for value in values {
        prefixes.push(product);
        if *value != Quintic::ZERO {
            product = product * *value;
        }
    }
    let mut suffix = product.inverse();
    for (value, prefix) in values.iter().zip(&mut prefixes).rev() {
        if *value == Quintic::ZERO {
            *prefix = Quintic::ZERO;
        } else {
            *prefix = *prefix * suffix;
            suffix = suffix * *value;
        }
    }
    prefixes
}

/// Σ digitᵢ·2^i = scalar with odd digits in [−15, 15], at most one in five not zero (wNAF). Of a
/// 128-bit scalar: at most 129 digits. Variable time.
fn sparse_digits(scalar: u128) -> ([i8; 129], usize) {
    let mut digits = [0i8; 129];
    let (mut rest, mut carry, mut length) = (scalar, 0u128, 0);
    let mut i = 0;
    while rest != 0 || carry != 0 {
        // invariant: scalar = Σ digits + (rest + carry)·2^i, where rest is scalar >> i
        if (rest & 1) == carry {
            rest >>= 1;
            i += 1;
            continue;
        }
        let value = (rest & 31) + carry; // odd, 1 … 31
        carry = u128::from(value > 16);
        digits[i] = value as i8 - ((carry as i8) << 5);
        length = i + 1;
        rest >>= 5;
        i += 5;
    }
    (digits, length)
}

/// scalar·point. Variable time: public data only.
pub fn multiply_variable_time(point: &Point, scalar: u128) -> Point {
    let (digits, length) = sparse_digits(scalar);
    let twice = point.double();
    let mut odd_multiples = [*point; 8];
    for i in 1..8 {
        odd_multiples[i] = odd_multiples[i - 1].add(&twice);
    }
    let mut result: Option<Point> = None;
    let mut doublings = 0;
    for &digit in digits[..length].iter().rev() {
        doublings += 1;
        if digit != 0 {
            let multiple = odd_multiples[digit.unsigned_abs() as usize >> 1];
            let term = if digit < 0 { multiple.negate() } else { multiple };
            result = Some(match result {
                None => term,
                Some(sum) => sum.double_times(doublings).add(&term),
            });
            doublings = 0;
        }
    }
    result.map_or(Point::NEUTRAL, |sum| sum.double_times(doublings))
}

/// Multiples of one point, for multiplying it often by scalars of 128 bits.
///
/// Holds k·2^(16j)·point for k = 1 … 8, j = 0 … 7, and 2^128·point: 65 affine points.
pub struct KeyTable {
    pub(crate) multiples: Vec<AffinePoint>,
}

/// Digits of four bits in one of a `KeyTable`'s eight columns.
pub(crate) const COLUMN_DIGITS: usize = 4;

impl KeyTable {
    pub fn new(point: &Point) -> Self {
        let mut multiples = Vec::with_capacity(65);
        let mut base = *point;
        for _ in 0..8 {
            push_multiples(&mut multiples, &base, 8);
            base = base.double_times(16);
        }
        multiples.push(base);
        Self { multiples: Point::to_affine_many(&multiples) }
    }

    /// scalar·point. Variable time: public data only.
    pub fn multiply_variable_time(&self, scalar: u128) -> Point {
        let digits = signed_digits_4(scalar);
        let mut sum = Point::NEUTRAL;
        for row in (0..COLUMN_DIGITS).rev() {
            sum = sum.double_times(4);
            for column in 0..8 {
                let window = &self.multiples[8 * column..8 * column + 8];
                sum = add_digit(&sum, window, digits[COLUMN_DIGITS * column + row].into());
            }
        }
        add_digit(&sum, &self.multiples[64..], digits[32].into())
    }
}

/// Σ digitᵢ·16^i = scalar with digits in [−7, 8]; the last is the carry, 0 or 1.
pub(crate) fn signed_digits_4(scalar: u128) -> [i8; 33] {
    let mut digits = [0i8; 33];
    for i in 0..32 {
        let value = (scalar >> (4 * i) & 15) as i8 + digits[i]; // 0 … 16
        let carry = i8::from(value > 8);
        digits[i] = value - (carry << 4);
        digits[i + 1] = carry;
    }
    digits
}

/// Appends 1·point … count·point.
pub(crate) fn push_multiples(multiples: &mut Vec<Point>, point: &Point, count: usize) {
    let start = multiples.len();
    multiples.push(*point);
    for k in 2..=count {
        let next = if k % 2 == 0 {
            multiples[start + k / 2 - 1].double()
        } else {
            multiples[start + k - 2].add(point)
        };
        multiples.push(next);
    }
}

/// sum + digit·point, where `window` holds 1·point, 2·point, …. Variable time.
#[inline]
pub(crate) fn add_digit(sum: &Point, window: &[AffinePoint], digit: i32) -> Point {
    match digit {
        0 => *sum,
        1.. => sum.add_affine(&window[digit as usize - 1]),
        _ => sum.add_affine(&window[digit.unsigned_abs() as usize - 1].negate()),
    }
}
