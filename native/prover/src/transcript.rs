//! The transcript: Keccak-256 over bytes, and on demand a log of everything it hashed.

use std::sync::{Arc, Mutex, PoisonError};

use p3_challenger::{
    ByteGrindingChallenger, CanObserve, CanSample, HashChallenger, SerializingChallenger64,
};
use p3_keccak::Keccak256Hash;
use p3_symmetric::CryptographicHasher;

use crate::relation::F;

/// The transcript that challenges are drawn from.
pub type Challenger = SerializingChallenger64<F, Chain>;

/// Candidates of a proof-of-work that all threads search before any looks at greater ones.
const WINDOW: u64 = 1 << 16;

/// One hash of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// What was hashed.
    pub input: Vec<u8>,
    /// Its Keccak-256.
    pub digest: [u8; 32],
}

/// All hashes of a transcript, in order.
pub type Log = Arc<Mutex<Vec<Hashed>>>;

/// Keccak-256. The candidates of a proof-of-work search (`hash_many`) are no part of a log.
#[derive(Clone, Debug, Default)]
pub struct TranscriptHasher {
    log: Option<Log>,
}

impl CryptographicHasher<u8, [u8; 32]> for TranscriptHasher {
    const LANES: usize = <Keccak256Hash as CryptographicHasher<u8, [u8; 32]>>::LANES;

    fn hash_iter<I>(&self, input: I) -> [u8; 32]
    where
        I: IntoIterator<Item = u8>,
    {
        let Some(log) = &self.log else {
            return Keccak256Hash.hash_iter(input);
        };
        let input: Vec<u8> = input.into_iter().collect();
        let digest = Keccak256Hash.hash_iter(input.iter().copied());
        // A log that another thread left in a panic is still a list of hashes.
        log.lock().unwrap_or_else(PoisonError::into_inner).push(Hashed { input, digest });
        digest
    }

    fn hash_many(&self, input: &[u8], out: &mut [[u8; 32]]) {
        Keccak256Hash.hash_many(input, out);
    }
}

/// The library's chain of hashes, but the search for proof-of-work finds the smallest witness,
/// whatever threads do: one statement and witness have one proof.
#[derive(Clone, Debug)]
pub struct Chain(HashChallenger<u8, TranscriptHasher, 32>);

impl CanObserve<u8> for Chain {
    fn observe(&mut self, value: u8) {
        self.0.observe(value);
    }

    fn observe_slice(&mut self, values: &[u8]) {
        self.0.observe_slice(values);
    }
}

impl CanSample<u8> for Chain {
    fn sample(&mut self) -> u8 {
        self.0.sample()
    }

    fn sample_into_slice(&mut self, values: &mut [u8]) {
        self.0.sample_into_slice(values);
    }

    fn sample_vec(&mut self, count: usize) -> Vec<u8> {
        self.0.sample_vec(count)
    }
}

impl ByteGrindingChallenger for Chain {
    fn find_witness<const W: usize, const S: usize>(
        &self,
        candidates: u64,
        encode: impl Fn(u64) -> [u8; W] + Sync,
        accepts: impl Fn([u8; S]) -> bool + Sync,
    ) -> Option<u64> {
        let mut start = 0;
        while start < candidates {
            // The library finds any witness of a range: ask for a smaller one until there is none.
            let mut found = None;
            let mut count = WINDOW.min(candidates - start);
            while let Some(next) =
                self.0.find_witness(count, |place| encode(start + place), &accepts)
            {
                found = Some(start + next);
                count = next;
            }
            if found.is_some() {
                return found;
            }
            start += WINDOW;
        }
        None
    }
}

/// A transcript before the first message.
pub fn challenger() -> Challenger {
    with_hasher(TranscriptHasher::default())
}

fn with_hasher(hasher: TranscriptHasher) -> Challenger {
    Challenger::new(Chain(HashChallenger::new(Vec::new(), hasher)))
}

/// A transcript before the first message, and where it will write what it hashes.
pub fn logging_challenger() -> (Challenger, Log) {
    let log = Log::default();
    let hasher = TranscriptHasher { log: Some(Arc::clone(&log)) };
    (with_hasher(hasher), log)
}

#[cfg(test)]
mod tests {
    use p3_challenger::GrindingChallenger;
    use p3_field::PrimeCharacteristicRing;

    use super::*;

    #[test]
    fn proof_of_work_is_the_smallest_on_any_number_of_threads() {
        const BITS: usize = 9;
        let mut later = 0;
        for message in 0..40u64 {
            let mut transcript = challenger();
            transcript.observe(F::from_u64(message));
            let passes = |&witness: &F| transcript.clone().check_witness(BITS, witness);
            let smallest = (0..).map(F::from_u64).find(passes);
            for threads in 1..=4 {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let found = pool.install(|| transcript.clone().grind(BITS));
                assert_eq!(Some(found), smallest, "message {message}, {threads} threads");
            }
            later += usize::from(smallest > Some(F::from_u64(64)));
        }
        assert!(later > 20, "a search that ends at once shows nothing: {later}");
    }
}
