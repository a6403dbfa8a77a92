//! Maintenance and initial margin of a portfolio in one underlying:
//! maintenance = worst loss over the scenarios + charges; initial = factor × the same.
//!
//! The charges and their reasons are the law's (`novate.spec.margin`); how their sums are kept is
//! in [`portfolio`](crate::portfolio).

use crate::bounds::{NUMBER_LIMIT, PRICE_MAX};
use crate::params::MarketParameters;
use crate::portfolio::Portfolio;
use crate::rounding::{div_down, div_up};
use crate::view::MarketView;

const HOUR_S: i128 = 3_600;

/// One position of a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Instrument id; all of one portfolio have the same underlying.
    pub instrument: u64,
    /// Lots, signed.
    pub quantity: i64,
    /// Settlement value of a lot if the instrument is settled.
    pub settlement: Option<i64>,
}

/// Value and margins of a portfolio in one underlying, micro-USDC.
///
/// Below 2^62 while positions are as large as they may be opened; a market that fell since may
/// bring more, hence 128 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Margin {
    /// Sum of quantity · mark (or settlement value), signed.
    pub value: i128,
    /// At least 0.
    pub maintenance: i128,
    /// At least maintenance where the initial concentration rate is at least the other one.
    pub initial: i128,
}

/// Value, maintenance and initial margin of holdings in one underlying, from scratch.
///
/// Settled holdings and expired ones have value and no risk. Neither margin exceeds the value of
/// the long options plus what the rest would need alone.
pub fn portfolio_margin(view: &MarketView, holdings: &[Holding]) -> Margin {
    Portfolio::new(view, holdings).margin()
}

/// Worst weighted scenario loss of one position by itself, micro-USDC, at least 0.
pub fn worst_loss(view: &MarketView, id: u64, quantity: i64) -> i128 {
    view.risk_array(id).worst_loss(quantity)
}

/// The market's concentration rate, ppm: slope for each free amount of notional above the first,
/// to the cap, rounded up. `open_interest_lots`: of all instruments of the underlying, at least 0.
pub fn concentration_rate(
    parameters: &MarketParameters,
    open_interest_lots: i128,
    index: i64,
) -> i64 {
    let risk = &parameters.risk;
    let index = i128::from(index.clamp(0, PRICE_MAX));
    let free = i128::from(risk.concentration_free.max(1));
    let excess = (open_interest_lots.saturating_mul(index).saturating_sub(free)).max(0);
    let slope = i128::from(risk.concentration_slope_ppm.clamp(0, NUMBER_LIMIT));
    let rise = div_up(excess.saturating_mul(slope), free);
    rise.min(i128::from(risk.concentration_cap_ppm)) as i64
}

/// The rate in maintenance margin after `dt` seconds, ppm: the market's, with a limited rise.
pub fn ramp(rate_before: i64, rate_now: i64, dt: i64, parameters: &MarketParameters) -> i64 {
    let per_hour = i128::from(parameters.risk.concentration_ramp_ppm_h);
    let limit = i128::from(rate_before) + div_down(per_hour * i128::from(dt), HOUR_S);
    limit.min(i128::from(rate_now)).max(i128::from(i64::MIN)) as i64
}
