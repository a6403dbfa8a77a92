//! Checking signatures many at a time, and remembering the good ones.
//!
//! An order is read again in every round that fills it. Its signature was good for all time when it
//! was good once, so what was found valid is remembered, whole: key, digest and signature. What was
//! found invalid is not, so nobody can fill the memory with rubbish.

use std::sync::{Mutex, PoisonError};

use novate_primitives::batch::verify_batch;
use novate_primitives::schnorr;
use rustc_hash::FxHashSet;

use crate::error::Law;
use crate::types::numbers::{Digest, PublicKey, Signature};

/// Signatures remembered in each of two generations: 16 words each, 8 MiB.
const GENERATION: usize = 1 << 16;

/// Key, digest and signature.
type Question = (PublicKey, Digest, schnorr::Signature);

/// Signatures to be judged in one call.
#[derive(Debug, Default)]
pub struct Checks {
    signers: Vec<(PublicKey, schnorr::Signature)>,
}

impl Checks {
    /// Adds a question: is this a signature by this key?
    pub fn push(&mut self, key: PublicKey, signature: &Signature) {
        self.signers.push((key, signature.words()));
    }
}

/// Signatures that were found valid.
#[derive(Debug, Default)]
pub struct Verified {
    generations: Mutex<[FxHashSet<Question>; 2]>,
}

impl Verified {
    /// Whether each signature is valid for the digest of its message, in order.
    pub fn judge(&self, checks: &Checks, digests: &[Digest]) -> Law<Vec<bool>> {
        let questions: Vec<Question> = checks
            .signers
            .iter()
            .zip(digests)
            .map(|(&(key, signature), &digest)| (key, digest, signature))
            .collect();
        // whole at every moment, so a panic elsewhere does not spoil it
        let mut known = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = |question: &Question| known.iter().any(|set| set.contains(question));
        let mut verdicts: Vec<bool> = questions.iter().map(is_known).collect();
        let unknown: Vec<&Question> = questions
            .iter()
            .zip(&verdicts)
            .filter_map(|(question, verdict)| (!verdict).then_some(question))
            .collect();
        let keys: Vec<PublicKey> = unknown.iter().map(|question| question.0).collect();
        let messages: Vec<Digest> = unknown.iter().map(|question| question.1).collect();
        let signatures: Vec<schnorr::Signature> = unknown.iter().map(|q| q.2).collect();
        let mut found = verify_batch(&keys, &messages, &signatures)?.into_iter();
        for (verdict, question) in verdicts.iter_mut().zip(questions) {
            if !*verdict && found.next() == Some(true) {
                *verdict = true;
                remember(&mut known, question);
            }
        }
        Ok(verdicts)
    }
}

/// Adds to the younger generation; when it is full the older one is forgotten.
fn remember(known: &mut [FxHashSet<Question>; 2], question: Question) {
    let [younger, older] = known;
    if younger.len() >= GENERATION {
        std::mem::swap(younger, older);
        younger.clear();
    }
    younger.insert(question);
}

#[cfg(test)]
mod tests {
    use novate_primitives::schnorr::SecretKey;

    use super::*;

    fn signed(digest: &Digest) -> (PublicKey, Signature) {
        let key = SecretKey::from_seed(b"a key of a test").expect("a key");
        let [e0, e1, s @ ..] = key.sign(digest, &[0; 4]).expect("a signature");
        (key.public_key(), Signature { e0, e1, s })
    }

    #[test]
    fn what_is_remembered_is_the_whole_question() {
        let verified = Verified::default();
        let digest = [1, 2, 3, 4];
        let (key, signature) = signed(&digest);
        let ask = |digest: Digest, signature: Signature| {
            let mut checks = Checks::default();
            checks.push(key, &signature);
            verified.judge(&checks, &[digest]).expect("equal lengths")
        };
        for _ in 0..2 {
            assert_eq!(ask(digest, signature), [true]);
            assert_eq!(ask([1, 2, 3, 5], signature), [false]);
            let changed = Signature { e0: signature.e0 ^ 1, ..signature };
            assert_eq!(ask(digest, changed), [false]);
        }
        let known = verified.generations.lock().expect("no panic");
        assert_eq!((known[0].len(), known[1].len()), (1, 0));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut known = <[FxHashSet<Question>; 2]>::default();
        for number in 0..3 * GENERATION as u64 {
            remember(&mut known, ([number; 5], [0; 4], [0; 7]));
        }
        assert_eq!(known.iter().map(FxHashSet::len).sum::<usize>(), 2 * GENERATION);
        assert!(!known.iter().any(|set| set.contains(&([0; 5], [0; 4], [0; 7]))));
    }
}
