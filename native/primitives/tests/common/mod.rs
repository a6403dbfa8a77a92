//! Reading the JSON vectors: integers are hex strings.
#![allow(dead_code)] // each test binary uses a part

use num_bigint::BigUint;
use serde_json::Value;

/// A vector file of the project, by its path from the root.
pub fn load(path: &str) -> Value {
    let full = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{full}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{full}: {error}"))
}

pub fn list(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

pub fn integer(value: &Value) -> BigUint {
    BigUint::parse_bytes(text(value).trim_start_matches("0x").as_bytes(), 16).expect("hex")
}

pub fn word(value: &Value) -> u64 {
    u64::try_from(integer(value)).expect("below 2^64")
}

pub fn words<const N: usize>(value: &Value) -> [u64; N] {
    let words: Vec<u64> = list(value).iter().map(word).collect();
    words.try_into().expect("the right number of words")
}

/// An integer as N words, least significant first.
pub fn limbs<const N: usize>(value: &BigUint) -> [u64; N] {
    let mut limbs = value.to_u64_digits();
    assert!(limbs.len() <= N);
    limbs.resize(N, 0);
    limbs.try_into().expect("N words")
}

pub fn from_limbs(limbs: &[u64]) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, &limb| (sum << 64) + limb)
}

pub fn bytes(value: &Value) -> Vec<u8> {
    let digits = text(value).as_bytes();
    digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect()
}

/// Little-endian bytes as N words.
pub fn words_of_bytes<const N: usize>(value: &Value) -> [u64; N] {
    let bytes = bytes(value);
    assert_eq!(bytes.len(), 8 * N);
    core::array::from_fn(|i| u64::from_le_bytes(bytes[8 * i..8 * i + 8].try_into().expect("8")))
}
