//! One generic prover for tables that are given as data.
//!
//! `relation` reads what `novate.circuit` compiled; `witness` fills traces; `prove` hands them to
//! Plonky3's multilinear STARK with WHIR (p3-multi-stark, p3-whir 0.8.0) over Goldilocks.

pub mod air;
pub mod codec;
pub mod error;
pub mod profile;
pub mod progress;
pub mod prove;
pub mod relation;
pub mod shape;
pub mod transcript;
pub mod witness;

pub use error::{Error, Result};
pub use profile::Profile;
pub use prove::Statement;
pub use relation::Relation;
