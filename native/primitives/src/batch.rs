//! Many signature checks at once: keys are decoded once each, keys that sign often get a table of
//! multiples, inversions are shared, challenges are hashed in vector lanes, all cores work.

use std::collections::HashMap;

use rayon::prelude::*;

use crate::base::P;
use crate::curve::{KeyTable, Point, multiply_variable_time};
use crate::generator::add_generator_multiple;
use crate::hash::{Tag, hash_rows};
use crate::schnorr::{PublicKey, Signature, challenge_message, parse_key, parse_signature};
use crate::{Digest, Error};

/// Uses of a key in one batch from which its table pays (it costs about as much as 1.2 checks and
/// saves about half of each).
const TABLE_USES_MIN: u32 = 4;

/// Checks that one task of the thread pool takes (about 1 ms of work).
const TASK: usize = 32;

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

    fn multiply(&self, scalar: u128) -> Option<Point> {
        match self {
            Self::Malformed => None,
            Self::Point(point) => Some(multiply_variable_time(point, scalar)),
            Self::Table(table) => Some(table.multiply_variable_time(scalar)),
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
    let prepared: Vec<Key> =
        distinct.par_iter().with_min_len(8).map(|&(key, uses)| Key::prepare(key, uses)).collect();
    let mut verdicts = vec![false; keys.len()];
    verdicts.par_chunks_mut(TASK).enumerate().for_each(|(task, verdicts)| {
        let range = TASK * task..TASK * task + verdicts.len();
        verify_task(
            &keys[range.clone()],
            place_of[range.clone()].iter().map(|&place| &prepared[place]),
            &digests[range.clone()],
            &signatures[range],
            verdicts,
        );
    });
    Ok(verdicts)
}

/// The checks of one task; `verdicts` starts all false.
fn verify_task<'a>(
    keys: &[PublicKey],
    prepared: impl Iterator<Item = &'a Key>,
    digests: &[Digest],
    signatures: &[Signature],
    verdicts: &mut [bool],
) {
    let (indices, commitments): (Vec<usize>, Vec<Point>) = prepared
        .enumerate()
        .filter(|&(i, _)| digests[i].iter().all(|&word| word < P))
        .filter_map(|(i, key)| {
            let (e, response) = parse_signature(&signatures[i])?;
            let r = add_generator_multiple(&key.multiply(e)?, &response);
            (!r.is_neutral()).then_some((i, r))
        })
        .unzip();
    let encodings = Point::encode_many(&commitments);
    let messages: Vec<u64> = indices
        .iter()
        .zip(&encodings)
        .flat_map(|(&i, r)| challenge_message(r, &keys[i], &digests[i]))
        .collect();
    let challenges = hash_rows(Tag::fixed("schnorr"), &messages, 14, indices.len());
    for (&i, challenge) in indices.iter().zip(challenges) {
        verdicts[i] = challenge[..2] == signatures[i][..2];
    }
}
