//! What can go wrong, each named with its value and limit.

use std::fmt;

/// Why nothing was proved, or a proof was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The relation's words are not a relation.
    Relation(String),
    /// Traces, public values or heights do not fit the relation.
    Shape(String),
    /// The parameters give no protocol, or less security than asked for.
    Parameters(String),
    /// The witness does not satisfy the relation.
    Witness(String),
    /// The bytes are not a proof.
    Decode(String),
    /// The proof is not one of this statement.
    Rejected(String),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, detail) = match self {
            Self::Relation(detail) => ("relation", detail),
            Self::Shape(detail) => ("shape", detail),
            Self::Parameters(detail) => ("parameters", detail),
            Self::Witness(detail) => ("witness", detail),
            Self::Decode(detail) => ("decode", detail),
            Self::Rejected(detail) => ("rejected", detail),
        };
        write!(formatter, "{family}: {detail}")
    }
}

impl std::error::Error for Error {}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
