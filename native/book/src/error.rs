//! What callers can do wrong. A bad order is no error: it is answered with a Rejected event.

use core::fmt;

use crate::event::Reason;

/// A request that the books cannot answer with events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The time of a request is before the last one of its book, both in seconds.
    TimeGoesBack { instrument: u64, from: u32, to: u32 },
    /// Admission answered with a quantity outside `[0, limit]`, or less than all without a reason.
    Verdict { quantity: i64, reason: Reason, limit: u32 },
    /// A field of a record outside its range.
    Field { record: usize, field: &'static str, value: String, limit: &'static str },
    /// A buffer that is not a whole number of records.
    Length { bytes: usize, record_bytes: usize },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeGoesBack { instrument, from, to } => {
                write!(f, "instrument {instrument}: time goes back from {from} to {to}")
            }
            Self::Verdict { quantity, reason: Reason(reason), limit } => write!(
                f,
                "admission answered quantity {quantity} with reason {reason} to a quantity of \
                 {limit}: must be at most that, with a reason if it is less"
            ),
            Self::Field { record, field, value, limit } => {
                write!(f, "record {record}: {field} is {value}, must be {limit}")
            }
            Self::Length { bytes, record_bytes } => {
                write!(f, "buffer has {bytes} bytes, must be a multiple of {record_bytes}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Why a request ended early: the caller's mistake, or one of the desk.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure<E> {
    Caller(Error),
    Desk(E),
}

impl<E> From<Error> for Failure<E> {
    fn from(error: Error) -> Self {
        Self::Caller(error)
    }
}
