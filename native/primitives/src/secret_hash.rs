//! The sponge of [`crate::hash`] for secrets: constant time, and wiping its state.
//!
//! p3's scalar arithmetic branches on rare carries, so a hash of a secret by it is only nearly
//! constant-time. This one is written over [`SecretBase`], in full; the tests hold it to the other.

use p3_field::PrimeField64;
use p3_goldilocks::{
    GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL, GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL,
    GOLDILOCKS_POSEIDON2_RC_12_INTERNAL, Goldilocks, MATRIX_DIAG_12_GOLDILOCKS,
};
use zeroize::Zeroize;

use crate::Digest;
use crate::base::{Coefficient, SecretBase};
use crate::hash::{RATE, Tag, block_count};

type State = [SecretBase; 12];

/// The digest of one message of canonical words, in constant time for its length.
pub fn hash_secret(tag: Tag, elements: &[u64]) -> Digest {
    let mut state = [SecretBase::ZERO; 12];
    state[8] = SecretBase::reduce(tag.element());
    state[9] = SecretBase::reduce(elements.len() as u64);
    for block in 0..block_count(elements.len()) {
        for (i, element) in state[..RATE].iter_mut().enumerate() {
            *element = SecretBase::reduce(*elements.get(RATE * block + i).unwrap_or(&0));
        }
        permute(&mut state);
    }
    let digest = core::array::from_fn(|i| state[i].word());
    state.zeroize();
    digest
}

fn constant(element: Goldilocks) -> SecretBase {
    SecretBase::reduce(element.as_canonical_u64())
}

/// Poseidon2 of width 12: four full rounds, the partial ones, four full rounds.
fn permute(state: &mut State) {
    mix_external(state);
    for constants in &GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_INITIAL {
        full_round(state, constants);
    }
    for &added in &GOLDILOCKS_POSEIDON2_RC_12_INTERNAL {
        state[0] = power_7(state[0] + constant(added));
        mix_internal(state);
    }
    for constants in &GOLDILOCKS_POSEIDON2_RC_12_EXTERNAL_FINAL {
        full_round(state, constants);
    }
}

fn full_round(state: &mut State, constants: &[Goldilocks; 12]) {
    for (element, &added) in state.iter_mut().zip(constants) {
        *element = power_7(*element + constant(added));
    }
    mix_external(state);
}

/// The S-box.
fn power_7(x: SecretBase) -> SecretBase {
    let square = x.square();
    square.square() * square * x
}

/// circ(2M, M, M) with M = circ(2, 3, 1, 1).
fn mix_external(state: &mut State) {
    for four in state.chunks_exact_mut(4) {
        let [a, b, c, d] = [four[0], four[1], four[2], four[3]];
        let sum = a + b + c + d;
        four[0] = sum + a + b.double();
        four[1] = sum + b + c.double();
        four[2] = sum + c + d.double();
        four[3] = sum + d + a.double();
    }
    let columns: [SecretBase; 4] = core::array::from_fn(|i| state[i] + state[i + 4] + state[i + 8]);
    for (i, element) in state.iter_mut().enumerate() {
        *element = *element + columns[i % 4];
    }
}

/// All ones plus the diagonal.
fn mix_internal(state: &mut State) {
    let sum = state.iter().fold(SecretBase::ZERO, |sum, &element| sum + element);
    for (element, &factor) in state.iter_mut().zip(&MATRIX_DIAG_12_GOLDILOCKS) {
        *element = *element * constant(factor) + sum;
    }
}
