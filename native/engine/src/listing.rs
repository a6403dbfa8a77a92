//! What may be traded (`novate.spec.listing`): a rule of parameters, not a table. Reducing stays
//! legal until expiry.

use novate_risk::Instrument;
use novate_risk::bounds::PRICE_MAX;
use novate_risk::instruments::day_of;

use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::holders::underlying_of;
use crate::types::state::InstrumentState;

/// The instrument of a number that a message named; the rejection if it is the id of nothing.
pub fn decode_named(instrument: i64) -> Law<Instrument> {
    let unknown = |detail: String| reject(Reason::UnknownInstrument, detail);
    let id = u64::try_from(instrument).map_err(|_| unknown(format!("instrument {instrument}")))?;
    Instrument::decode(id).map_err(|error| unknown(error.to_string()))
}

/// Opens the instrument if it is not open yet; the rejection where it may not be traded now.
pub fn require_tradable(draft: &mut Draft, instrument: i64) -> Law<Instrument> {
    let decoded = decode_named(instrument)?;
    draft.market(underlying_of(instrument))?;
    let known = draft.instruments().get(&instrument).map(|state| state.settled);
    if known == Some(true) {
        return Err(reject(Reason::InstrumentSettled, format!("instrument = {instrument}")));
    }
    if decoded.expiry_time().is_some_and(|expiry| expiry <= draft.round().time) {
        return Err(reject(Reason::InstrumentExpired, format!("instrument = {instrument}")));
    }
    if known.is_none() {
        open(draft, instrument, decoded)?;
    }
    Ok(decoded)
}

/// Lists an instrument with its first trade, by the calendar, strike and count rules. The count
/// includes settled ones not yet collected.
fn open(draft: &mut Draft, id: i64, decoded: Instrument) -> Law<()> {
    let parameters = draft.market_parameters(underlying_of(id))?;
    let last_day = day_of(draft.round().time).saturating_add(parameters.horizon_days);
    if i64::from(decoded.expiry_day) > last_day {
        let (day, horizon) = (decoded.expiry_day, parameters.horizon_days);
        let detail = format!("expiry_day = {day}, horizon {horizon} days");
        return Err(reject(Reason::NotListed, detail));
    }
    if decoded.is_option() {
        let strike = i64::from(decoded.strike);
        let price = i128::from(strike) * i128::from(parameters.strike_tick);
        if strike % parameters.strike_step.max(1) != 0 || price > i128::from(PRICE_MAX) {
            let detail = format!("strike = {strike}, step {}", parameters.strike_step);
            return Err(reject(Reason::NotListed, detail));
        }
    }
    let most = draft.preset().open_instruments_max();
    if draft.instruments().len() >= most {
        let detail = format!("max {most} open or not yet collected instruments");
        return Err(reject(Reason::TooManyInstruments, detail));
    }
    let mark = draft.view(underlying_of(id))?.mark(decoded);
    draft.put_instrument(InstrumentState { instrument: id, mark, ..InstrumentState::default() });
    Ok(())
}
