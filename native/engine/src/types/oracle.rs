//! Oracle reports (`novate.spec.messages.oracle`).

use crate::types::numbers::Signature;
use crate::types::state::ExpiryFields;

/// The fields of a snapshot, as one oracle sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub underlying: i64,
    pub time: i64,
    pub index_price: i64,
    pub premium_ppm: i64,
    pub mean: i64,
    pub expiries: Vec<ExpiryFields>,
}

/// A report with the index of its key in the parameters' oracle keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedReport {
    pub oracle: i64,
    pub report: Report,
    pub signature: Signature,
}
