//! Numbers wider than a word, and what is made of field elements.

use std::fmt;

use novate_primitives::schnorr;

/// Four Goldilocks elements.
pub type Digest = novate_primitives::Digest;

/// Five words; a key that can sign is five elements.
pub type PublicKey = schnorr::PublicKey;

/// The key of an account that has none; it cannot sign.
pub const ZERO_KEY: PublicKey = [0; 5];

/// An L1 address, big-endian.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// Nobody.
    pub const ZERO: Self = Self([0; 20]);

    /// The address whose number is `low`.
    #[must_use]
    pub fn from_number(low: u64) -> Self {
        let mut bytes = [0; 20];
        bytes[12..].copy_from_slice(&low.to_be_bytes());
        Self(bytes)
    }

    /// Limbs of 56, 56 and 48 bits, lowest first.
    #[must_use]
    pub fn elements(self) -> [u64; 3] {
        let limb = |bytes: &[u8]| bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        [limb(&self.0[13..]), limb(&self.0[6..13]), limb(&self.0[..6])]
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A Schnorr signature: the challenge e0 + 2^64 · e1 and the response, least significant word
/// first. Need not be canonical: what is not, is no signature of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    pub e0: u64,
    pub e1: u64,
    pub s: [u64; 5],
}

impl Signature {
    /// The words as `novate_primitives` takes them.
    #[must_use]
    pub fn words(&self) -> schnorr::Signature {
        let [s0, s1, s2, s3, s4] = self.s;
        [self.e0, self.e1, s0, s1, s2, s3, s4]
    }
}
