//! What the oracle says of one market at one moment.

/// What the oracle says of one expiry. In the law: day in [1, 2^16), basis in (−1,000,000, 2^24)
/// ppm, eleven volatilities in [1, 2^24) ppm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExpiryFields {
    /// Days since 2020-01-01.
    pub day: i64,
    /// Forward = index · (1 + basis).
    pub basis_ppm: i64,
    /// Volatility at each smile node.
    pub vols_ppm: Vec<i64>,
}

/// One accepted oracle snapshot of one market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// Grid second of the reports, below 2^32; 0: there never was one.
    pub time: i64,
    /// Spot index, ticks, below 2^31.
    pub index_price: i64,
    /// Time-averaged premium of the perpetual over the index, |.| < 2^24.
    pub premium_ppm: i64,
    /// Mean of the index prints of the latest settlement window, ticks, below 2^31; 0: none.
    pub mean: i64,
    /// Sorted by day.
    pub expiries: Vec<ExpiryFields>,
}
