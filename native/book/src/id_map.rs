//! Hash maps with integer keys and a cheap hash.

use core::hash::{BuildHasherDefault, Hasher};
use std::collections::HashMap;

/// A map from ids. Nothing depends on its order.
pub type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// Folds the 128-bit product of the key and an odd constant: high and low halves both count, so
/// ids in any arithmetic progression spread. It has no secret: ids are assigned by the venue.
#[derive(Default)]
pub struct IdHasher(u64);

/// 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 3, 6.4).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IdHasher {
    #[inline]
    fn write_u64(&mut self, id: u64) {
        let product = u128::from(self.0 ^ id) * u128::from(MULTIPLIER);
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    #[inline]
    fn write_u32(&mut self, id: u32) {
        self.write_u64(u64::from(id));
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}
