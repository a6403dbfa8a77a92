//! The domain of every signature (`novate.spec.messages.domain`).

use crate::bounds::{GOLDILOCKS, VERSION};
use crate::types::parameters::Parameters;
use crate::types::state::System;

/// Chain id, limbs of the settlement contract, format version, L1 fork, venue epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain([u64; 7]);

impl Domain {
    /// The domain of a batch.
    #[must_use]
    pub fn new(parameters: &Parameters, system: &System) -> Self {
        let [low, middle, high] = parameters.settlement_contract.elements();
        let fork = element(system.fork.into());
        let epoch = element(system.venue_epoch.into());
        Self([element(parameters.chain_id.into()), low, middle, high, VERSION, fork, epoch])
    }

    /// Appends the eight elements of the domain with an account's epoch.
    pub fn write(&self, epoch: i64, elements: &mut Vec<u64>) {
        elements.extend_from_slice(&self.0);
        elements.push(element(epoch.into()));
    }
}

/// A signed integer as a field element: value mod p.
#[must_use]
pub fn element(value: i128) -> u64 {
    value.rem_euclid(i128::from(GOLDILOCKS)) as u64
}

/// Two numbers below 2^32 in one element, the first in the low half.
///
/// Only what was checked to be in range is packed; a wider number would be cut.
#[must_use]
pub fn packed(low: i64, high: i64) -> u64 {
    low as u64 & 0xFFFF_FFFF | (high as u64) << 32
}
