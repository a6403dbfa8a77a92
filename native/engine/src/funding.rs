//! Funding of the perpetual: a rate from its premium, accumulated on each side's cash accumulator
//! (`novate.spec.funding`).

use novate_risk::MarketParameters;
use novate_risk::instruments::{EXPIRY_DAY_BITS, KIND_BITS, STRIKE_BITS};

use crate::arithmetic::{PPM, mul_div_down};
use crate::bounds::{ACCUMULATOR_MAX, FUNDING_PERIOD_S};
use crate::draft::Draft;
use crate::error::Law;
use crate::types::journal::FundingEntry;
use crate::types::state::{InstrumentState, Side};

/// A premium within this many ppm costs nothing.
const FUNDING_FREE_PPM: i64 = 500;

/// ppm of index a funding period, signed: positive when longs pay.
fn funding_rate(parameters: &MarketParameters, premium_ppm: i64) -> i64 {
    let rate = premium_ppm.max(FUNDING_FREE_PPM) + premium_ppm.min(-FUNDING_FREE_PPM);
    let limit = parameters.funding_rate_max_ppm;
    rate.min(limit).max(-limit)
}

/// The id of an underlying's perpetual.
#[must_use]
pub fn perpetual_of(underlying: i64) -> i64 {
    underlying << (EXPIRY_DAY_BITS + KIND_BITS + STRIKE_BITS)
}

/// Moves both sides' accumulators by index · rate · seconds / 8 h, if the perpetual is open.
///
/// index < 2^31, |rate| < 2^25, seconds < 2^33, factor < 2^31: below 2^120.
pub fn accrue_funding(
    draft: &mut Draft,
    underlying: i64,
    index: i64,
    premium_ppm: i64,
    seconds: i64,
) -> Law<()> {
    let rate = funding_rate(draft.market_parameters(underlying)?, premium_ppm);
    let Some(state) = draft.instruments().get(&perpetual_of(underlying)).copied() else {
        return Ok(());
    };
    if state.settled || rate == 0 || seconds == 0 {
        return Ok(());
    }
    let weight = i128::from(index) * i128::from(rate) * i128::from(seconds);
    let period = i128::from(PPM) * i128::from(FUNDING_PERIOD_S);
    let long_cash = mul_div_down(state.long.factor.into(), -weight, period);
    let short_cash = mul_div_down(state.short.factor.into(), weight, period);
    draft.put_instrument(InstrumentState {
        long: moved(&state.long, long_cash),
        short: moved(&state.short, short_cash),
        ..state
    });
    draft.record_funding(FundingEntry {
        instrument: state.instrument,
        rate_ppm: rate,
        seconds,
        long_cash,
        short_cash,
    });
    Ok(())
}

/// The side with its accumulator moved, held within its bound.
fn moved(side: &Side, cash: i128) -> Side {
    let cash = (side.cash + cash).clamp(-ACCUMULATOR_MAX, ACCUMULATOR_MAX);
    Side { factor: side.factor, cash }
}
