//! The risk half of the law, fast: the numbers that `novate.spec` defines in `instruments`,
//! `pricing`, `smile`, `marks`, `risk_parameters` and `margin`.
//!
//! * [`instruments`]: the 50-bit id; [`params`], [`snapshot`]: what a valuation depends on;
//! * [`pricing`], [`smile`]: Black-76 and volatility smiles in integers;
//! * [`view`]: one market at one moment, with everything computed from it remembered;
//! * [`lot`]: the risk of one lot of one instrument, its values in every scenario;
//! * [`margin`]: margins of a list of holdings; [`portfolio`]: the same kept up to date while
//!   single positions change.
//!
//! Integers only, and total: whatever the fields of the arguments hold, every function returns.
//! Inside the law's bounds the results are the law's, bit by bit. Outside them (a state that no
//! batch can reach) a number that could not be computed with is first moved into its bound. Prices
//! are in ticks, quantities in lots, so their products are micro-USDC; rates and volatilities in
//! ppm; times in unix seconds.

pub mod bounds;
pub mod instruments;
pub mod lot;
pub mod margin;
pub mod params;
pub mod portfolio;
pub mod pricing;
#[rustfmt::skip]
mod rendered;
pub mod rounding;
pub mod smile;
pub mod snapshot;
pub mod view;

pub use instruments::{DecodeError, Instrument, Kind};
pub use lot::RiskArray;
pub use margin::{Holding, Margin, concentration_rate, portfolio_margin, ramp, worst_loss};
pub use params::{MarketParameters, RiskParameters, Scenario};
pub use portfolio::Portfolio;
pub use snapshot::{ExpiryFields, Snapshot};
pub use view::MarketView;
