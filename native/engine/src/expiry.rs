//! Expiry: one settlement value for each instrument, fixed once (`novate.spec.expiry`).

use novate_risk::instruments::expiry_time;
use novate_risk::{Instrument, Kind, MarketParameters};

use crate::bounds::{DAY_S, SETTLEMENT_WINDOW_S};
use crate::draft::Draft;
use crate::error::{Law, corrupt};
use crate::holders::underlying_of;
use crate::types::journal::SettlementEntry;
use crate::types::state::{InstrumentState, Money, Snapshot};

/// From an expiry on, reports carry its mean for this long; then the next window begins.
const WINDOW_REPEATS_S: i64 = DAY_S - SETTLEMENT_WINDOW_S;

/// The mean to settle by when no report of the window came: the last accepted one.
fn last_mean(snapshot: &Snapshot) -> i64 {
    if snapshot.mean == 0 { snapshot.index_price } else { snapshot.mean }
}

/// The price an expiry settles at in a round at `time`, or none: not yet.
///
/// `current`: the accepted snapshot before the round; `upcoming`: the one accepted in it, or the
/// same.
fn settlement_price(
    current: &Snapshot,
    upcoming: &Snapshot,
    expiry: i64,
    time: i64,
) -> Option<i64> {
    let window = expiry..expiry + WINDOW_REPEATS_S;
    if window.contains(&upcoming.time) {
        return Some(last_mean(upcoming));
    }
    let is_over = upcoming.time >= window.end || time >= expiry + DAY_S;
    (window.contains(&current.time) || is_over).then(|| last_mean(current))
}

/// What a lot pays at a settlement price, ticks: the price, or the option's intrinsic value.
fn settlement_value(parameters: &MarketParameters, instrument: Instrument, price: i64) -> i64 {
    let strike = i64::from(instrument.strike).saturating_mul(parameters.strike_tick);
    match instrument.kind {
        Kind::Call => price.saturating_sub(strike).max(0),
        Kind::Put => strike.saturating_sub(price).max(0),
        Kind::Perpetual | Kind::Future => price,
    }
}

/// Fixes the value of every expired instrument of the market for which it is known: as many as the
/// settled tree has room for.
pub fn settle_expired(
    draft: &mut Draft,
    underlying: i64,
    current: &Snapshot,
    upcoming: &Snapshot,
    time: i64,
) -> Law<()> {
    let due: Vec<InstrumentState> = draft
        .instruments()
        .values()
        .filter(|state| !state.settled && underlying_of(state.instrument) == underlying)
        .copied()
        .collect();
    let settled = draft.instruments().values().filter(|state| state.settled).count();
    let mut room = draft.preset().open_instruments_max().saturating_sub(settled);
    for state in due {
        if room == 0 {
            break;
        }
        let instrument = Instrument::decode(state.instrument as u64)
            .map_err(|error| corrupt(format!("instrument {}: {error}", state.instrument)))?;
        let expiry = expiry_time(i64::from(instrument.expiry_day));
        if instrument.expiry_day == 0 || expiry > time {
            continue;
        }
        if let Some(price) = settlement_price(current, upcoming, expiry, time) {
            let value = settlement_value(draft.market_parameters(underlying)?, instrument, price);
            draft.put_instrument(InstrumentState { mark: value, settled: true, ..state });
            let instrument = state.instrument;
            draft.record_settlement(SettlementEntry { instrument, value, by_expiry: true });
            room -= 1;
        }
    }
    Ok(())
}

/// Removes instruments nobody holds; returns (underlying, clearing balance) for the funds.
pub fn sweep_empty(draft: &mut Draft) -> Vec<(i64, Money)> {
    let empty: Vec<InstrumentState> =
        draft.instruments().values().filter(|state| state.holders == 0).copied().collect();
    for state in &empty {
        draft.discard_instrument(state.instrument);
    }
    empty.iter().map(|state| (underlying_of(state.instrument), state.clearing)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: i64, mean: i64) -> Snapshot {
        Snapshot { time, mean, ..Snapshot::default() }
    }

    #[test]
    fn the_window_of_the_expiry_decides_else_the_last_mean() {
        let expiry = 1_000_000;
        let price = |current: i64, upcoming: i64, time: i64| {
            settlement_price(&at(current, 1), &at(upcoming, 2), expiry, time)
        };
        assert_eq!(price(expiry - 5, expiry - 5, expiry), None);
        assert_eq!(price(expiry - 5, expiry, expiry), Some(2));
        let end = expiry + WINDOW_REPEATS_S;
        assert_eq!(price(expiry - 5, end - 1, end), Some(2));
        assert_eq!(price(expiry - 5, end, end), Some(1));
        assert_eq!(price(expiry, end, end), Some(1));
        assert_eq!(price(expiry - 5, expiry - 5, expiry + DAY_S - 1), None);
        assert_eq!(price(expiry - 5, expiry - 5, expiry + DAY_S), Some(1));
    }
}
