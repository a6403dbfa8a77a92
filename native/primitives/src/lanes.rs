//! The group in vector lanes: as many checks side by side as the machine's vectors hold elements.
//!
//! The formulas are those of [`crate::curve`], over p3's packed elements. Every lane does the same
//! work: a digit of zero adds the neutral element, which the complete formulas take like any other.

use core::array::from_fn;
use core::ops::{Add, Mul, Neg, Sub};

use p3_field::{Field, PackedValue, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::Goldilocks;

use crate::base::{Base, Coefficient};
use crate::curve::{AffinePoint, COLUMN_DIGITS, KeyTable, Point, signed_digits_4};
use crate::quintic::Quintic;

/// p3's vector of elements.
pub type Packing = <Goldilocks as Field>::Packing;

/// Lanes of this build: 8 with AVX-512, 4 with AVX2, 2 with NEON, else 1.
pub const LANES: usize = Packing::WIDTH;

/// One element in each lane, for the curve.
#[derive(Clone, Copy, Debug)]
pub struct Lanes(Packing);

/// Whether the group runs faster in lanes than one by one: the products of four lanes (32 by 32
/// bits each) cost about as much as four scalar ones (64 by 64 bits).
pub const GROUP_IN_LANES: bool = LANES >= 8;

impl Coefficient for Lanes {
    const ZERO: Self = Self(Packing::ZERO);
    const ONE: Self = Self(Packing::ONE);

    #[inline(always)]
    fn double(self) -> Self {
        self + self
    }

    #[inline(always)]
    fn times_small(self, factor: u32) -> Self {
        Self(self.0 * Packing::from(Goldilocks::new(u64::from(factor))))
    }

    #[inline(always)]
    fn dot<const N: usize>(left: [Self; N], right: [Self; N]) -> Self {
        Self(Packing::dot_product(&left.map(|lanes| lanes.0), &right.map(|lanes| lanes.0)))
    }
}

impl Add for Lanes {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Lanes {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Lanes {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Mul for Lanes {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }
}

/// The element whose lane `lane` is `element(lane)`.
#[inline(always)]
fn gather(element: impl Fn(usize) -> Base) -> Lanes {
    Lanes(Packing::from_fn(|lane| Goldilocks::new(element(lane).word())))
}

#[inline(always)]
fn gather_quintic<'a>(element: impl Fn(usize) -> &'a Quintic) -> Quintic<Lanes> {
    Quintic(from_fn(|i| gather(|lane| element(lane).0[i])))
}

fn lane_of(element: &Quintic<Lanes>, lane: usize) -> Quintic {
    Quintic(element.0.map(|c| Base::reduce(c.0.as_slice()[lane].as_canonical_u64())))
}

/// `negative(lane)` lanes negated.
#[inline(always)]
fn negate_lanes(element: &Quintic<Lanes>, negative: impl Fn(usize) -> bool) -> Quintic<Lanes> {
    let sign =
        Lanes(Packing::from_fn(
            |lane| if negative(lane) { Goldilocks::NEG_ONE } else { Goldilocks::ONE },
        ));
    Quintic(element.0.map(|c| c * sign))
}

/// One point in each lane.
pub fn join(points: &[Point; LANES]) -> Point<Lanes> {
    Point {
        x: gather_quintic(|lane| &points[lane].x),
        z: gather_quintic(|lane| &points[lane].z),
        u: gather_quintic(|lane| &points[lane].u),
        t: gather_quintic(|lane| &points[lane].t),
    }
}

/// The points of the lanes.
pub fn split(points: &Point<Lanes>) -> [Point; LANES] {
    from_fn(|lane| Point {
        x: lane_of(&points.x, lane),
        z: lane_of(&points.z, lane),
        u: lane_of(&points.u, lane),
        t: lane_of(&points.t, lane),
    })
}

/// In each lane digit·point, from a window of 1·point, 2·point, … and the digit.
#[inline(always)]
pub(crate) fn pick_affine<'a>(
    choice: impl Fn(usize) -> (&'a [AffinePoint], i32),
) -> AffinePoint<Lanes> {
    const NEUTRAL: &AffinePoint = &AffinePoint::NEUTRAL;
    let choices: [(&AffinePoint, bool); LANES] = from_fn(|lane| {
        let (window, digit) = choice(lane);
        match digit {
            0 => (NEUTRAL, false),
            _ => (&window[digit.unsigned_abs() as usize - 1], digit < 0),
        }
    });
    let u = gather_quintic(|lane| &choices[lane].0.u);
    AffinePoint {
        x: gather_quintic(|lane| &choices[lane].0.x),
        u: negate_lanes(&u, |lane| choices[lane].1),
    }
}

/// In each lane digit·point, from the multiples 0·point, 1·point, … of each lane's point.
#[inline(always)]
fn pick(multiples: &[Point<Lanes>; 9], digits: [i8; LANES]) -> Point<Lanes> {
    let coordinate = |of: fn(&Point<Lanes>) -> &Quintic<Lanes>| {
        Quintic(from_fn(|i| {
            Lanes(Packing::from_fn(|lane| {
                of(&multiples[digits[lane].unsigned_abs() as usize]).0[i].0.as_slice()[lane]
            }))
        }))
    };
    let u = coordinate(|point| &point.u);
    Point {
        x: coordinate(|point| &point.x),
        z: coordinate(|point| &point.z),
        u: negate_lanes(&u, |lane| digits[lane] < 0),
        t: coordinate(|point| &point.t),
    }
}

/// scalar·point in each lane. Variable time: public data only.
pub fn multiply_variable_time(point: &Point<Lanes>, scalars: &[u128; LANES]) -> Point<Lanes> {
    let mut multiples = [Point::NEUTRAL; 9];
    multiples[1] = *point;
    for k in 2..9 {
        multiples[k] =
            if k % 2 == 0 { multiples[k / 2].double() } else { multiples[k - 1].add(point) };
    }
    let digits = scalars.map(signed_digits_4);
    let mut sum = pick(&multiples, from_fn(|lane| digits[lane][32]));
    for i in (0..32).rev() {
        sum = sum.double_times(4).add(&pick(&multiples, from_fn(|lane| digits[lane][i])));
    }
    sum
}

/// scalar·point in each lane, from each lane's table. Variable time: public data only.
pub fn multiply_by_tables(tables: &[&KeyTable; LANES], scalars: &[u128; LANES]) -> Point<Lanes> {
    let digits = scalars.map(signed_digits_4);
    let mut sum = Point::NEUTRAL;
    for row in (0..COLUMN_DIGITS).rev() {
        sum = sum.double_times(4);
        for column in 0..8 {
            sum = sum.add_affine(&pick_affine(|lane| {
                let window = &tables[lane].multiples[8 * column..8 * column + 8];
                (window, digits[lane][COLUMN_DIGITS * column + row].into())
            }));
        }
    }
    sum.add_affine(&pick_affine(|lane| (&tables[lane].multiples[64..], digits[lane][32].into())))
}
