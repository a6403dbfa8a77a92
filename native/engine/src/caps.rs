//! Caps on positions (`novate.spec.caps`). They bind only acts that increase one.

use crate::bounds::{ACCOUNT_GROSS_MAX, POSITION_NOTIONAL_MAX, QUANTITY_MAX};
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::holders::underlying_of;
use crate::types::state::{Money, Position};

/// The rejection unless an account with these positions may hold `after` lots of the instrument.
pub fn require_room(draft: &Draft, positions: &[Position], instrument: i64, after: i64) -> Law<()> {
    if after.unsigned_abs() > QUANTITY_MAX as u64 {
        let detail = format!("lots = {after}, max {QUANTITY_MAX}");
        return Err(reject(Reason::PositionTooLarge, detail));
    }
    let notional = notional(draft, instrument, after)?;
    if notional > POSITION_NOTIONAL_MAX {
        let detail = format!("notional = {notional}, max {POSITION_NOTIONAL_MAX}");
        return Err(reject(Reason::PositionTooLarge, detail));
    }
    let (mut gross, mut count) = (notional, 1);
    for other in positions.iter().filter(|position| position.instrument != instrument) {
        gross += self::notional(draft, other.instrument, other.quantity)?;
        count += 1;
    }
    if gross > ACCOUNT_GROSS_MAX {
        let detail = format!("gross = {gross}, max {ACCOUNT_GROSS_MAX}");
        return Err(reject(Reason::GrossTooLarge, detail));
    }
    if count > draft.preset().positions_max {
        let detail = format!("max {}", draft.preset().positions_max);
        return Err(reject(Reason::TooManyPositions, detail));
    }
    Ok(())
}

/// |quantity| · index of the instrument's underlying.
fn notional(draft: &Draft, instrument: i64, quantity: i64) -> Law<Money> {
    let index = draft.view(underlying_of(instrument))?.snapshot().index_price;
    Ok(i128::from(quantity).abs() * i128::from(index))
}
