//! Schnorr signatures over four-element digests.
//!
//! Secret x in [1, n), public key Q = x·G encoded as w. A signature is (e, s): e = e0 + 2^64·e1 is
//! the first two elements of H("schnorr", R.w ‖ Q.w ‖ digest) and s = k − e·x mod n. A verifier
//! computes R = s·G + e·Q, which must not be neutral, and asks for the same e.

use rayon::prelude::*;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::base::P;
use crate::curve::{Point, multiply_variable_time};
use crate::generator::{add_generator_multiple, encode_generator_multiple};
use crate::hash::{Tag, hash};
use crate::quintic::Quintic;
use crate::scalar::Scalar;
use crate::secret_hash::hash_secret;
use crate::{Digest, Error};

/// The encoding of a key: five words (40 bytes little-endian).
pub type PublicKey = [u64; 5];

/// e0, e1 and the five words of s (56 bytes little-endian).
pub type Signature = [u64; 7];

/// Up to so many signatures are made by the calling thread: waking others costs about one.
const ALONE_MAX: usize = 8;

const CHALLENGE: Tag = Tag::fixed("schnorr");

/// The challenge (e0, e1).
pub(crate) fn challenge(r: &Quintic, key: &PublicKey, digest: &Digest) -> (u64, u64) {
    let [e0, e1, _, _] = hash(CHALLENGE, &challenge_message(r, key, digest));
    (e0, e1)
}

/// R.w ‖ Q.w ‖ digest.
pub(crate) fn challenge_message(r: &Quintic, key: &PublicKey, digest: &Digest) -> [u64; 14] {
    let mut message = [0; 14];
    message[..5].copy_from_slice(&r.words());
    message[5..10].copy_from_slice(key);
    message[10..].copy_from_slice(digest);
    message
}

/// Two digests as a 512-bit little-endian integer modulo n.
fn scalar_from_hashes(tag_a: Tag, tag_b: Tag, elements: &[u64]) -> Scalar {
    let mut wide = [0; 8];
    wide[..4].copy_from_slice(&hash_secret(tag_a, elements));
    wide[4..].copy_from_slice(&hash_secret(tag_b, elements));
    let scalar = Scalar::from_wide(wide);
    wide.zeroize();
    scalar
}

/// A secret key, with its public key; wiped when dropped. Never printed.
#[derive(ZeroizeOnDrop)]
pub struct SecretKey {
    secret: Scalar,
    #[zeroize(skip)]
    public: PublicKey,
}

impl SecretKey {
    /// The key of five words in [1, n), least significant first.
    pub fn from_words(words: [u64; 5]) -> Result<Self, Error> {
        let secret = Scalar::from_words(words)
            .filter(|scalar| !bool::from(scalar.ct_eq(&Scalar::ZERO)))
            .ok_or_else(|| Error::Range {
                field: "secret",
                value: "(not shown)".into(),
                limit: "in [1, group order)".into(),
            })?;
        let public = encode_generator_multiple(&secret).words();
        Ok(Self { secret, public })
    }

    /// The key of a seed: its bytes in 7-byte little-endian chunks after their count, hashed with
    /// the tags "key_a" and "key_b".
    pub fn from_seed(seed: &[u8]) -> Result<Self, Error> {
        let mut elements = vec![seed.len() as u64];
        for chunk in seed.chunks(7) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            elements.push(u64::from_le_bytes(word));
        }
        let secret = scalar_from_hashes(Tag::fixed("key_a"), Tag::fixed("key_b"), &elements);
        elements.zeroize();
        Self::from_words(secret.words())
    }

    /// The public key's encoding.
    #[must_use]
    pub const fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The secret's five words. The caller keeps them safe.
    #[must_use]
    pub const fn expose_words(&self) -> [u64; 5] {
        self.secret.words()
    }

    /// Signs a digest of canonical words, with four more elements of randomness if wanted (zeros
    /// otherwise). Constant time in the secret. An error if the nonce is zero (never seen).
    pub fn sign(&self, digest: &Digest, extra: &Digest) -> Result<Signature, Error> {
        crate::error::check_canonical("digest", digest)?;
        crate::error::check_canonical("extra", extra)?;
        let mut nonce = self.nonce(digest, extra);
        if bool::from(nonce.ct_eq(&Scalar::ZERO)) {
            return Err(Error::Range {
                field: "nonce",
                value: "0".into(),
                limit: "in [1, group order)".into(),
            });
        }
        let r = encode_generator_multiple(&nonce);
        let (e0, e1) = challenge(&r, &self.public, digest);
        let e = Scalar::from_u128(u128::from(e1) << 64 | u128::from(e0));
        let response = nonce.sub(&e.mul(&self.secret)).words();
        nonce.zeroize();
        let mut signature = [e0, e1, 0, 0, 0, 0, 0];
        signature[2..].copy_from_slice(&response);
        Ok(signature)
    }

    /// Signs many digests with the same `extra`, on all threads if they are more than a few.
    pub fn sign_many(&self, digests: &[Digest], extra: &Digest) -> Result<Vec<Signature>, Error> {
        if digests.len() <= ALONE_MAX {
            return digests.iter().map(|digest| self.sign(digest, extra)).collect();
        }
        digests.par_iter().with_min_len(8).map(|digest| self.sign(digest, extra)).collect()
    }

    /// k from the secret's ten 32-bit halves ‖ digest ‖ extra.
    fn nonce(&self, digest: &Digest, extra: &Digest) -> Scalar {
        let mut elements = [0; 18];
        for (halves, word) in elements.chunks_exact_mut(2).zip(self.secret.words()) {
            halves[0] = word & 0xFFFF_FFFF;
            halves[1] = word >> 32;
        }
        elements[10..14].copy_from_slice(digest);
        elements[14..].copy_from_slice(extra);
        let nonce = scalar_from_hashes(Tag::fixed("nonce_a"), Tag::fixed("nonce_b"), &elements);
        elements.zeroize();
        nonce
    }
}

/// The challenge as an integer and the response, or `None` if either is not canonical.
pub(crate) fn parse_signature(signature: &Signature) -> Option<(u128, Scalar)> {
    let [e0, e1, ..] = *signature;
    if e0 >= P || e1 >= P {
        return None;
    }
    let response = Scalar::from_words(core::array::from_fn(|i| signature[2 + i]))?;
    Some((u128::from(e1) << 64 | u128::from(e0), response))
}

/// The key's point, or `None` if it is not canonical, no point or neutral.
pub(crate) fn parse_key(key: &PublicKey) -> Option<Point> {
    let point = Point::decode(&Quintic::from_words("key", *key).ok()?)?;
    (!point.is_neutral()).then_some(point)
}

/// Whether the words encode a key that may sign: canonical, a group element, not neutral.
#[must_use]
pub fn is_public_key(key: &PublicKey) -> bool {
    parse_key(key).is_some()
}

/// Whether this is a signature of the digest by the key. Variable time; public data only.
/// Malformed arguments are just false.
#[must_use]
pub fn verify(key: &PublicKey, digest: &Digest, signature: &Signature) -> bool {
    let (Some((e, response)), Some(point)) = (parse_signature(signature), parse_key(key)) else {
        return false;
    };
    if crate::error::check_canonical("digest", digest).is_err() {
        return false;
    }
    let r = add_generator_multiple(&multiply_variable_time(&point, e), &response);
    !r.is_neutral() && challenge(&r.encode(), key, digest) == (signature[0], signature[1])
}
