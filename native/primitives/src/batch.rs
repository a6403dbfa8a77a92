//! Many signature checks at once: keys are decoded once each, keys that sign often get a table of
//! multiples, inversions are shared, challenges are hashed in vector lanes, all cores work.

use core::array::from_fn;
use std::collections::HashMap;

use rayon::prelude::*;

use crate::base::P;
use crate::curve::{KeyTable, Point, multiply_variable_time};
use crate::generator::{add_generator_multiple, add_generator_multiples};
use crate::hash::{Tag, hash_rows};
use crate::lanes::{self, LANES};
use crate::scalar::Scalar;
use crate::schnorr::{PublicKey, Signature, challenge_message, parse_key, parse_signature};
use crate::{Digest, Error};

/// Uses of a key in one batch from which its table pays (it costs about as much as 1.2 checks and
/// saves about half of each).
const TABLE_USES_MIN: u32 = 4;

/// Checks that one task of the thread pool takes (about 1 ms of work).
const TASK: usize = 32;

/// Up to so many checks are done by the calling thread: waking others costs about one check.
const ALONE_MAX: usize = 8;

/// A key of the batch, ready to be multiplied.
enum Key {
    Malformed,
    Point(Point),
    Table(KeyTable),
}

impl Key {
    fn prepare(key: &PublicKey, uses: u32) -> Self {
        match parse_key(key) {
            None => Self::Malformed,
            Some(point) if uses < TABLE_USES_MIN => Self::Point(point),
            Some(point) => Self::Table(KeyTable::new(&point)),
        }
    }
}

/// Whether each signature is valid, as [`crate::schnorr::verify`] says. An error only if the
/// lengths differ.
pub fn verify_batch(
    keys: &[PublicKey],
    digests: &[Digest],
    signatures: &[Signature],
) -> Result<Vec<bool>, Error> {
    for (field, length) in [("digests", digests.len()), ("signatures", signatures.len())] {
        if length != keys.len() {
            let expected = format!("{} as keys", keys.len());
            return Err(Error::Length { field, length, expected });
        }
    }
    let mut places: HashMap<&PublicKey, usize> = HashMap::new();
    let mut distinct: Vec<(&PublicKey, u32)> = Vec::new();
    let place_of: Vec<usize> = keys
        .iter()
        .map(|key| {
            let place = *places.entry(key).or_insert_with(|| {
                distinct.push((key, 0));
                distinct.len() - 1
            });
            distinct[place].1 += 1;
            place
        })
        .collect();
    let prepare = |&(key, uses): &(&PublicKey, u32)| Key::prepare(key, uses);
    let alone = keys.len() <= ALONE_MAX;
    let prepared: Vec<Key> = if alone {
        distinct.iter().map(prepare).collect()
    } else {
        distinct.par_iter().with_min_len(8).map(prepare).collect()
    };
    let mut verdicts = vec![false; keys.len()];
    let check_task = |(task, verdicts): (usize, &mut [bool])| {
        let range = TASK * task..TASK * task + verdicts.len();
        verify_task(
            &keys[range.clone()],
            place_of[range.clone()].iter().map(|&place| &prepared[place]),
            &digests[range.clone()],
            &signatures[range],
            verdicts,
        );
    };
    if alone {
        verdicts.chunks_mut(TASK).enumerate().for_each(check_task);
    } else {
        verdicts.par_chunks_mut(TASK).enumerate().for_each(check_task);
    }
    Ok(verdicts)
}

/// A check that is well formed: its place in the task, its key, e and s.
struct Check<'a> {
    place: usize,
    key: &'a Key,
    challenge: u128,
    response: Scalar,
}

/// The checks of one task; `verdicts` starts all false.
fn verify_task<'a>(
    keys: &[PublicKey],
    prepared: impl Iterator<Item = &'a Key>,
    digests: &[Digest],
    signatures: &[Signature],
    verdicts: &mut [bool],
) {
    let mut checks: Vec<Check> = prepared
        .enumerate()
        .filter(|&(place, key)| {
            !matches!(key, Key::Malformed) && digests[place].iter().all(|&word| word < P)
        })
        .filter_map(|(place, key)| {
            let (challenge, response) = parse_signature(&signatures[place])?;
            Some(Check { place, key, challenge, response })
        })
        .collect();
    // like with like, so that all lanes go the same way
    checks.sort_by_key(|check| matches!(check.key, Key::Table(_)));
    let (places, commitments): (Vec<usize>, Vec<Point>) = checks
        .chunk_by(|a, b| matches!(a.key, Key::Table(_)) == matches!(b.key, Key::Table(_)))
        .flat_map(commitments_of_kind)
        .filter(|(_, r)| !r.is_neutral())
        .unzip();
    let encodings = Point::encode_many(&commitments);
    let messages: Vec<u64> = places
        .iter()
        .zip(&encodings)
        .flat_map(|(&i, r)| challenge_message(r, &keys[i], &digests[i]))
        .collect();
    let challenges = hash_rows(Tag::fixed("schnorr"), &messages, 14, places.len());
    for (&i, challenge) in places.iter().zip(challenges) {
        verdicts[i] = challenge[..2] == signatures[i][..2];
    }
}

/// R = s·G + e·Q of checks whose keys are all points or all tables, with their places.
fn commitments_of_kind(checks: &[Check]) -> Vec<(usize, Point)> {
    if !lanes::GROUP_IN_LANES {
        return checks.iter().map(|check| (check.place, commitment(check))).collect();
    }
    let mut found = Vec::with_capacity(checks.len());
    for group in checks.chunks(LANES) {
        if group.len() == 1 {
            found.push((group[0].place, commitment(&group[0])));
        } else {
            found.extend(group.iter().map(|check| check.place).zip(commitments_in_lanes(group)));
        }
    }
    found
}

/// R of one check.
fn commitment(check: &Check) -> Point {
    let product = match check.key {
        Key::Malformed => Point::NEUTRAL,
        Key::Point(point) => multiply_variable_time(point, check.challenge),
        Key::Table(table) => table.multiply_variable_time(check.challenge),
    };
    add_generator_multiple(&product, &check.response)
}

/// R of up to `LANES` checks of one kind; spare lanes repeat the last.
fn commitments_in_lanes<'a>(group: &[Check<'a>]) -> [Point; LANES] {
    let checks: [&Check<'a>; LANES] = from_fn(|lane| &group[lane.min(group.len() - 1)]);
    let challenges = checks.map(|check| check.challenge);
    let product = if let Key::Table(first) = checks[0].key {
        let table = |check: &Check<'a>| match check.key {
            Key::Table(table) => table,
            _ => first,
        };
        lanes::multiply_by_tables(&checks.map(table), &challenges)
    } else {
        let point = |check: &Check| match check.key {
            Key::Point(point) => *point,
            _ => Point::NEUTRAL,
        };
        lanes::multiply_variable_time(&lanes::join(&checks.map(point)), &challenges)
    };
    let responses = checks.map(|check| check.response);
    lanes::split(&add_generator_multiples(&product, &responses))
}
