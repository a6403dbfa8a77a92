//! Poseidon2 over Goldilocks: the sponge (width 12) and the node compression (width 8).
//!
//! * Sponge, overwrite mode, rate 8: the state starts as eight zeros and `[tag, length, 0, 0]`;
//!   each block of eight elements (the last padded with zeros, an empty message being one zero
//!   block) replaces the first eight; then the permutation. The digest is the first four.
//! * Compression: permute `left ‖ right`, add the input back (without which the truncated public
//!   permutation could be inverted and collides), take the first four.
//!
//! Batches put one message into each lane of the machine's vectors.

use std::sync::LazyLock;

use p3_field::{PackedValue, PrimeCharacteristicRing, PrimeField64};
use p3_goldilocks::{
    Goldilocks, Poseidon2Goldilocks, default_goldilocks_poseidon2_8,
    default_goldilocks_poseidon2_12,
};
use p3_symmetric::Permutation;
use rayon::prelude::*;

use crate::lanes::{LANES, Packing};
use crate::{Digest, Error};

/// Elements absorbed by one permutation.
pub const RATE: usize = 8;

/// Messages or pairs that one task of the thread pool takes (about 0.1 ms of work).
const TASK: usize = 256;

/// Up to so many messages are hashed faster one by one than in lanes.
const FEW: usize = if LANES > 4 { 2 } else { 1 };

static POSEIDON2_8: LazyLock<Poseidon2Goldilocks<8>> =
    LazyLock::new(default_goldilocks_poseidon2_8);
static POSEIDON2_12: LazyLock<Poseidon2Goldilocks<12>> =
    LazyLock::new(default_goldilocks_poseidon2_12);

/// A domain tag: 1 to 7 printable ASCII bytes, as the integer of its little-endian bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(u64);

impl Tag {
    /// The tag of a text, or `None` if it is not 1 to 7 printable ASCII bytes.
    #[must_use]
    pub const fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || bytes.len() > 7 {
            return None;
        }
        let mut value = 0;
        let mut i = bytes.len();
        while i > 0 {
            i -= 1;
            if bytes[i] < b' ' || bytes[i] > b'~' {
                return None;
            }
            value = value << 8 | bytes[i] as u64;
        }
        Some(Self(value))
    }

    /// The same, with an error that names the text and the limit.
    pub fn new(text: &str) -> Result<Self, Error> {
        Self::parse(text).ok_or_else(|| Error::Range {
            field: "tag",
            value: format!("{text:?}"),
            limit: "1 to 7 printable ASCII characters".into(),
        })
    }

    /// The tag as an element, below 2^56.
    #[must_use]
    pub const fn element(self) -> u64 {
        self.0
    }

    /// A tag fixed in the source.
    ///
    /// # Panics
    /// At compile time, if the text is no tag.
    #[must_use]
    pub const fn fixed(text: &str) -> Self {
        match Self::parse(text) {
            Some(tag) => tag,
            None => panic!("a tag is 1 to 7 printable ASCII characters"),
        }
    }
}

/// One permutation of width 8 on canonical words.
#[must_use]
pub fn permute_8(state: [u64; 8]) -> [u64; 8] {
    POSEIDON2_8.permute(state.map(Goldilocks::new)).map(|element| element.as_canonical_u64())
}

/// One permutation of width 12 on canonical words.
#[must_use]
pub fn permute_12(state: [u64; 12]) -> [u64; 12] {
    POSEIDON2_12.permute(state.map(Goldilocks::new)).map(|element| element.as_canonical_u64())
}

/// The permutation of width 12 of many states of canonical words.
#[must_use]
pub fn permute_rows(states: &[[u64; 12]]) -> Vec<[u64; 12]> {
    let mut permuted = vec![[0; 12]; states.len()];
    for_each_lanes(&mut permuted, |start, lanes| {
        let last = lanes.len() - 1; // spare lanes repeat the last state
        let mut state: [Packing; 12] = core::array::from_fn(|i| {
            Packing::from_fn(|lane| Goldilocks::new(states[start + lane.min(last)][i]))
        });
        POSEIDON2_12.permute_mut(&mut state);
        for (lane, words) in lanes.iter_mut().enumerate() {
            *words = core::array::from_fn(|i| state[i].as_slice()[lane].as_canonical_u64());
        }
    });
    permuted
}

/// Blocks of a message: at least one.
pub(crate) const fn block_count(length: usize) -> usize {
    if length == 0 { 1 } else { length.div_ceil(RATE) }
}

/// The digest of one message of canonical words.
#[must_use]
pub fn hash(tag: Tag, elements: &[u64]) -> Digest {
    let mut state = [Goldilocks::ZERO; 12];
    state[8] = Goldilocks::new(tag.0);
    state[9] = Goldilocks::new(elements.len() as u64);
    for block in 0..block_count(elements.len()) {
        for (i, element) in state[..RATE].iter_mut().enumerate() {
            *element = Goldilocks::new(*elements.get(RATE * block + i).unwrap_or(&0));
        }
        POSEIDON2_12.permute_mut(&mut state);
    }
    core::array::from_fn(|i| state[i].as_canonical_u64())
}

/// The digests of up to `LANES` messages with equal block counts, written to `digests`.
fn hash_lanes<'a>(tag: Tag, message: impl Fn(usize) -> &'a [u64], digests: &mut [Digest]) {
    if digests.len() <= FEW {
        for (lane, digest) in digests.iter_mut().enumerate() {
            *digest = hash(tag, message(lane));
        }
        return;
    }
    let last = digests.len() - 1; // spare lanes repeat the last message
    let messages: [&[u64]; LANES] = core::array::from_fn(|lane| message(lane.min(last)));
    let mut state = [Packing::ZERO; 12];
    state[8] = Packing::from(Goldilocks::new(tag.0));
    state[9] = Packing::from_fn(|lane| Goldilocks::new(messages[lane].len() as u64));
    for block in 0..block_count(messages[0].len()) {
        for (i, element) in state[..RATE].iter_mut().enumerate() {
            *element = Packing::from_fn(|lane| {
                Goldilocks::new(*messages[lane].get(RATE * block + i).unwrap_or(&0))
            });
        }
        POSEIDON2_12.permute_mut(&mut state);
    }
    write_digests(&state[..4], digests);
}

fn write_digests(state: &[Packing], digests: &mut [Digest]) {
    for (lane, digest) in digests.iter_mut().enumerate() {
        *digest = core::array::from_fn(|i| state[i].as_slice()[lane].as_canonical_u64());
    }
}

/// Calls `work(first index, results)` on slices of up to `LANES` results, on all threads.
fn for_each_lanes<R: Send>(results: &mut [R], work: impl Fn(usize, &mut [R]) + Sync) {
    let task = |start: usize, slice: &mut [R]| {
        for (i, lanes) in slice.chunks_mut(LANES).enumerate() {
            work(start + i * LANES, lanes);
        }
    };
    if results.len() <= TASK {
        task(0, results);
    } else {
        results.par_chunks_mut(TASK).enumerate().for_each(|(i, slice)| task(i * TASK, slice));
    }
}

/// The digests of rows of `width` canonical words each, laid end to end; `count` of them.
///
/// # Panics
/// If `rows` does not hold `count · width` words.
#[must_use]
pub fn hash_rows(tag: Tag, rows: &[u64], width: usize, count: usize) -> Vec<Digest> {
    assert_eq!(rows.len(), width * count, "rows must hold count * width words");
    let mut digests = vec![crate::ZERO_DIGEST; count];
    for_each_lanes(&mut digests, |start, lanes| {
        hash_lanes(tag, |lane| &rows[width * (start + lane)..width * (start + lane + 1)], lanes);
    });
    digests
}

/// The digests of messages of any lengths: message i is `elements[offsets[i]..offsets[i + 1]]`.
///
/// # Panics
/// If the offsets do not rise within `elements`.
#[must_use]
pub fn hash_ragged(tag: Tag, elements: &[u64], offsets: &[usize]) -> Vec<Digest> {
    let message = |i: u32| &elements[offsets[i as usize]..offsets[i as usize + 1]];
    let count = offsets.len().saturating_sub(1);
    let mut order: Vec<u32> = (0..count as u32).collect();
    order.sort_by_key(|&i| block_count(message(i).len()));
    let mut digests = vec![crate::ZERO_DIGEST; count];
    for group in
        order.chunk_by(|&a, &b| block_count(message(a).len()) == block_count(message(b).len()))
    {
        let mut sorted = vec![crate::ZERO_DIGEST; group.len()];
        for_each_lanes(&mut sorted, |start, lanes| {
            hash_lanes(tag, |lane| message(group[start + lane]), lanes);
        });
        for (&i, digest) in group.iter().zip(sorted) {
            digests[i as usize] = digest;
        }
    }
    digests
}

/// The parent digest of one pair.
#[must_use]
pub fn compress(left: &Digest, right: &Digest) -> Digest {
    let input: [u64; 8] = core::array::from_fn(|i| if i < 4 { left[i] } else { right[i - 4] });
    let input = input.map(Goldilocks::new);
    let output = POSEIDON2_8.permute(input);
    core::array::from_fn(|i| (output[i] + input[i]).as_canonical_u64())
}

/// The parent digests of rows `left ‖ right` of eight canonical words.
#[must_use]
pub fn compress_rows(pairs: &[[u64; 8]]) -> Vec<Digest> {
    let mut parents = vec![crate::ZERO_DIGEST; pairs.len()];
    for_each_lanes(&mut parents, |start, lanes| {
        if lanes.len() <= FEW {
            for (lane, parent) in lanes.iter_mut().enumerate() {
                let (left, right) = pairs[start + lane].split_at(4);
                *parent = compress(left.try_into().expect("4"), right.try_into().expect("4"));
            }
            return;
        }
        let last = lanes.len() - 1;
        let input: [Packing; 8] = core::array::from_fn(|i| {
            Packing::from_fn(|lane| Goldilocks::new(pairs[start + lane.min(last)][i]))
        });
        let output = POSEIDON2_8.permute(input);
        let digest: [Packing; 4] = core::array::from_fn(|i| output[i] + input[i]);
        write_digests(&digest, lanes);
    });
    parents
}
