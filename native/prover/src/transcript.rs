//! The transcript: Keccak-256 over bytes, and on demand a log of everything it hashed.

use std::sync::{Arc, Mutex, PoisonError};

use p3_challenger::{HashChallenger, SerializingChallenger64};
use p3_keccak::Keccak256Hash;
use p3_symmetric::CryptographicHasher;

use crate::relation::F;

/// The transcript that challenges are drawn from.
pub type Challenger = SerializingChallenger64<F, HashChallenger<u8, TranscriptHasher, 32>>;

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

/// A transcript before the first message.
pub fn challenger() -> Challenger {
    Challenger::from_hasher(Vec::new(), TranscriptHasher::default())
}

/// A transcript before the first message, and where it will write what it hashes.
pub fn logging_challenger() -> (Challenger, Log) {
    let log = Log::default();
    let hasher = TranscriptHasher { log: Some(Arc::clone(&log)) };
    (Challenger::from_hasher(Vec::new(), hasher), log)
}
