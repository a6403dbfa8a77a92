//! What callers can do wrong. Each message names the field, the value and the limit.

use core::fmt;

/// An argument outside its domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A word that is no canonical Goldilocks element (`value >= p`), at `index` of `field`.
    NonCanonical { field: &'static str, index: usize, value: u64 },
    /// A length that does not fit its neighbours.
    Length { field: &'static str, length: usize, expected: String },
    /// A value outside the range that the convention allows.
    Range { field: &'static str, value: String, limit: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NonCanonical { field, index, value } => {
                write!(f, "{field}[{index}] = {value} is not below p = 2^64 - 2^32 + 1")
            }
            Self::Length { field, length, expected } => {
                write!(f, "{field} has length {length}, expected {expected}")
            }
            Self::Range { field, value, limit } => write!(f, "{field} = {value}, must be {limit}"),
        }
    }
}

impl std::error::Error for Error {}

/// `Ok` if every word is a canonical element; otherwise the first that is not.
pub fn check_canonical(field: &'static str, words: &[u64]) -> Result<(), Error> {
    match words.iter().position(|&word| word >= crate::base::P) {
        None => Ok(()),
        Some(index) => Err(Error::NonCanonical { field, index, value: words[index] }),
    }
}
