//! Multiplications a digit at a time, every element on the way in affine form: what a proof of a
//! signature is filled with. Variable time: public data only.
//!
//! Arrays hold columns: word c of row r is at `c · rows + r`. A point is ten words, x then u.

use rayon::prelude::*;

use crate::Error;
use crate::curve::{AffinePoint, Point};
use crate::quintic::Quintic;
use crate::scalar::Scalar;
use crate::schnorr::{PublicKey, parse_key};

/// Words of a point: x, then u = x/y.
pub const POINT_WORDS: usize = 10;
/// Values of a challenge's digit of four bits, and multiples in a key's window.
pub const DIGITS: usize = 16;
/// Digits of a challenge of 128 bits.
pub const CHALLENGE_DIGITS: usize = 32;
/// Bits of a response in words.
pub const RESPONSE_BITS: usize = 320;
/// No square in GF(p), nor in an extension of odd degree.
const NON_SQUARE: u64 = 7;

/// 0·Q … 15·Q.
pub type Window = [AffinePoint; DIGITS];

/// A point's ten words.
pub fn point_words(point: &AffinePoint) -> [u64; POINT_WORDS] {
    let (x, u) = (point.x.words(), point.u.words());
    core::array::from_fn(|i| if i < 5 { x[i] } else { u[i - 5] })
}

/// The point of ten words, which are not shown to be a group element's.
///
/// # Errors
/// `Error::NonCanonical` for a word that is no element.
pub fn point_of_words(
    field: &'static str,
    words: &[u64; POINT_WORDS],
) -> Result<AffinePoint, Error> {
    let half = |at: usize| core::array::from_fn(|i| words[at + i]);
    let x = Quintic::from_words(field, half(0))?;
    Ok(AffinePoint { x, u: Quintic::from_words(field, half(5))? })
}

/// 0·Q … (count − 1)·Q.
fn multiples(point: &Point, count: usize) -> Vec<AffinePoint> {
    let mut found = vec![Point::NEUTRAL, *point];
    while found.len() < count {
        let k = found.len();
        let even = k.is_multiple_of(2);
        found.push(if even { found[k / 2].double() } else { found[k - 1].add(point) });
    }
    Point::to_affine_many(&found)
}

/// The window of a point.
fn window(point: &Point) -> Window {
    let found = multiples(point, DIGITS);
    core::array::from_fn(|k| found[k])
}

/// Of each key: its window, and a root of x/7, which shows that x is no square.
///
/// # Errors
/// `Error::Range` for a key that may not sign.
pub fn key_windows(keys: &[PublicKey]) -> Result<Vec<(Window, Quintic)>, Error> {
    let seventh = Quintic::from_base(crate::base::Base::reduce(NON_SQUARE).inverse());
    let of = |key: &PublicKey| {
        let found = parse_key(key).and_then(|point| {
            let multiples = window(&point);
            Some((multiples, (multiples[1].x * seventh).sqrt()?))
        });
        found.ok_or_else(|| Error::Range {
            field: "key",
            value: format!("{key:?}"),
            limit: "the encoding of a group element that is not neutral".into(),
        })
    };
    keys.par_iter().with_min_len(8).map(of).collect()
}

/// All multiples of 2^(bits·k)·G by digits of so many bits (1 to 8), k = 0 … places − 1.
///
/// # Panics
/// If `bits` is not a number of bits of a digit.
pub fn generator_windows(places: usize, bits: u32) -> Vec<Vec<AffinePoint>> {
    assert!((1..=8).contains(&bits), "digits of 1 to 8 bits");
    let mut base = Point::GENERATOR;
    let mut bases = Vec::with_capacity(places);
    for _ in 0..places {
        bases.push(base);
        base = base.double_times(bits);
    }
    bases.par_iter().map(|base| multiples(base, 1 << bits)).collect()
}

/// Points in rows, `width` a row, row after row: their words by column.
fn columns(width: usize, blocks: &[Vec<AffinePoint>]) -> Vec<u64> {
    let rows: usize = blocks.iter().map(Vec::len).sum::<usize>() / width;
    let mut words = vec![0; POINT_WORDS * width * rows];
    if rows == 0 {
        return words;
    }
    words.par_chunks_mut(rows).enumerate().for_each(|(column, out)| {
        let (place, coordinate) = (column / POINT_WORDS, column % POINT_WORDS);
        let points = blocks.iter().flat_map(|block| block.iter().skip(place).step_by(width));
        for (word, point) in out.iter_mut().zip(points) {
            let half = if coordinate < 5 { &point.x } else { &point.u };
            *word = half.0[coordinate % 5].word();
        }
    });
    words
}

/// Digit `place` of a scalar in words, least significant first; `bits` divides 64.
fn digit(words: &[u64], place: usize, bits: u32) -> usize {
    let at = place * bits as usize;
    (words[at / 64] >> (at % 64) & ((1 << bits) - 1)) as usize
}

/// scalar·Q of many, from the top digit down: 33 rows each of 60 words. A row holds the sum P so
/// far, 2·P, 4·P, 8·P, 16·P and digit·Q; the next row's sum is 16·P + digit·Q. The last row holds
/// the product and five neutrals. `of` names each multiplication's window.
///
/// # Panics
/// If `of` and `scalars` differ in length, or `of` names a window that is not there.
pub fn key_multiple_steps(windows: &[Window], of: &[usize], scalars: &[[u64; 2]]) -> Vec<u64> {
    assert_eq!(of.len(), scalars.len(), "a window for each scalar");
    let blocks: Vec<Vec<AffinePoint>> = of
        .par_iter()
        .zip(scalars)
        .map(|(&place, scalar)| key_multiple(&windows[place], scalar))
        .collect();
    columns(6, &blocks)
}

fn key_multiple(window: &Window, scalar: &[u64; 2]) -> Vec<AffinePoint> {
    let mut points = Vec::with_capacity(5 * CHALLENGE_DIGITS + 1);
    let mut sum = Point::NEUTRAL;
    for place in (0..CHALLENGE_DIGITS).rev() {
        points.push(sum);
        for _ in 0..4 {
            sum = sum.double();
            points.push(sum);
        }
        sum = sum.add_affine(&window[digit(scalar, place, 4)]);
    }
    points.push(sum);
    let affine = Point::to_affine_many(&points);
    let mut rows = Vec::with_capacity(6 * (CHALLENGE_DIGITS + 1));
    for (row, found) in affine.chunks(5).enumerate() {
        rows.extend_from_slice(found);
        match CHALLENGE_DIGITS.checked_sub(row + 1) {
            Some(place) => rows.push(window[digit(scalar, place, 4)]),
            None => rows.extend([AffinePoint::NEUTRAL; 5]),
        }
    }
    rows
}

/// scalar·G of many, from the lowest digit of 4 or 8 bits up: a row of 20 words a digit and one
/// more. A row holds the sum so far and the digit's multiple, which the next row's sum has on top.
/// The last row holds the product and the neutral.
///
/// # Panics
/// If `bits` is neither.
pub fn generator_multiple_steps(scalars: &[Scalar], bits: u32) -> Vec<u64> {
    assert!(matches!(bits, 4 | 8), "digits of 4 or 8 bits");
    let windows = generator_windows(RESPONSE_BITS / bits as usize, bits);
    let of = |scalar: &Scalar| generator_multiple(&windows, &scalar.words(), bits);
    let blocks: Vec<Vec<AffinePoint>> = scalars.par_iter().map(of).collect();
    columns(2, &blocks)
}

fn generator_multiple(
    windows: &[Vec<AffinePoint>],
    scalar: &[u64; 5],
    bits: u32,
) -> Vec<AffinePoint> {
    let chosen = windows.iter().enumerate().map(|(row, window)| window[digit(scalar, row, bits)]);
    let multiples: Vec<AffinePoint> = chosen.collect();
    let mut sums = vec![Point::NEUTRAL];
    for (row, multiple) in multiples.iter().enumerate() {
        sums.push(sums[row].add_affine(multiple));
    }
    let ends = multiples.iter().chain([&AffinePoint::NEUTRAL]);
    Point::to_affine_many(&sums).into_iter().zip(ends).flat_map(|(a, b)| [a, *b]).collect()
}

/// left + right of many, and its encoding w (0 for the neutral): fifteen words each.
///
/// # Panics
/// If the lengths differ.
pub fn add_and_encode(left: &[AffinePoint], right: &[AffinePoint]) -> Vec<[u64; 15]> {
    assert_eq!(left.len(), right.len(), "a right point for each left one");
    let sums: Vec<Point> =
        left.par_iter().zip(right).map(|(a, b)| a.to_point().add_affine(b)).collect();
    let affine = Point::to_affine_many(&sums);
    let encodings = Point::encode_many(&sums);
    affine
        .iter()
        .zip(&encodings)
        .map(|(point, w)| {
            let (words, w) = (point_words(point), w.words());
            core::array::from_fn(|i| if i < POINT_WORDS { words[i] } else { w[i - POINT_WORDS] })
        })
        .collect()
}
