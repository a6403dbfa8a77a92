//! The cryptography of the law, fast: the same results as `novate.spec.crypto`, which defines them.
//!
//! * [`hash`]: Poseidon2 sponge and node compression, in batches over the machine's vector lanes;
//! * [`merkle`]: the dense binary tree with multi-update;
//! * [`base`], [`quintic`], [`scalar`], [`curve`]: the arithmetic of EcGFp5 (eprint 2022/274);
//! * [`schnorr`]: keys, constant-time signing, verification; [`batch`]: many verifications at once;
//! * [`steps`]: multiplications with every element on the way, for the witness of a proof.
//!
//! Everything here is a pure function of its arguments. What is secret (keys, nonces) is handled
//! without secret-dependent branches or indices; functions that are *not* constant-time say
//! "variable time" and take public data only.

pub mod base;
pub mod batch;
pub mod curve;
pub mod error;
pub mod generator;
pub mod hash;
pub mod lanes;
pub mod merkle;
pub mod quintic;
pub mod scalar;
pub mod schnorr;
pub mod secret_hash;
pub mod steps;

pub use error::Error;

/// Four Goldilocks elements, each in `[0, p)`.
pub type Digest = [u64; 4];

/// The absent leaf of every tree.
pub const ZERO_DIGEST: Digest = [0; 4];
