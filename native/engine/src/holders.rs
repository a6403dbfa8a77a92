//! Positions of a holder (an account or a fund): bringing them up to date, and changing them
//! (`novate.spec.holders`).

use novate_risk::instruments::{EXPIRY_DAY_BITS, KIND_BITS, STRIKE_BITS};

use crate::arithmetic::div_down;
use crate::draft::Draft;
use crate::error::{Law, corrupt};
use crate::types::journal::LazyFlow;
use crate::types::state::{Account, Fund, InstrumentState, Money, Position, Positions, Side};

/// The journal's name of a market's fund: −1 − underlying.
#[must_use]
pub fn fund_holder(underlying: i64) -> i64 {
    -1 - underlying
}

/// The underlying of an instrument id; of a number that is no id, the same bits.
#[must_use]
pub fn underlying_of(instrument: i64) -> i64 {
    instrument >> (STRIKE_BITS + KIND_BITS + EXPIRY_DAY_BITS)
}

/// The side of the instrument on which a signed quantity lies.
#[must_use]
pub fn side_of(state: &InstrumentState, quantity: i64) -> &Side {
    if quantity > 0 { &state.long } else { &state.short }
}

/// Whole lots left and cash due of a position; cash is rounded against the holder.
///
/// The fraction of a lot that is not left is bought out at the instrument's mark. A settled
/// position turns to cash. |q0| < 2^33, factors < 2^31, accumulators < 2^64: all fits 128 bits.
#[must_use]
pub fn settle_position(state: &InstrumentState, position: &Position) -> (i64, Money) {
    let side = side_of(state, position.quantity);
    let factor = i128::from(position.factor);
    let held = i128::from(position.quantity).abs();
    let lots = div_down(held * i128::from(side.factor), factor);
    let fraction = held * i128::from(side.factor) - lots * factor;
    let sign = if position.quantity > 0 { 1 } else { -1 };
    let mark = i128::from(state.mark);
    let due = held * (side.cash - position.cash) + sign * fraction * mark;
    let cash = div_down(due, factor);
    if state.settled {
        return (0, cash + sign * lots * mark);
    }
    ((sign * lots) as i64, cash)
}

/// Whether nothing has happened to the position since it was touched.
#[must_use]
pub fn is_current(state: &InstrumentState, position: &Position) -> bool {
    let side = side_of(state, position.quantity);
    !state.settled && position.factor == side.factor && position.cash == side.cash
}

/// All positions brought up to date: what is left, and the sum of the cash due. None: every
/// position is current.
fn settle_positions(
    draft: &mut Draft,
    holder: i64,
    positions: &Positions,
) -> Law<Option<(Positions, Money)>> {
    let mut stale = false;
    for position in positions.iter() {
        stale |= !is_current(draft.instrument(position.instrument)?, position);
    }
    if !stale {
        return Ok(None);
    }
    let mut kept = Vec::with_capacity(positions.len());
    let mut total = 0;
    for position in positions.iter() {
        let state = *draft.instrument(position.instrument)?;
        if is_current(&state, position) {
            kept.push(*position);
            continue;
        }
        let (quantity, cash) = settle_position(&state, position);
        total += cash;
        draft.put_instrument(InstrumentState {
            clearing: state.clearing - cash,
            holders: state.holders - i64::from(quantity == 0),
            ..state
        });
        draft.record_flow(LazyFlow {
            holder,
            instrument: position.instrument,
            quantity_before: position.quantity,
            quantity_after: quantity,
            cash,
        });
        if quantity != 0 {
            let side = side_of(&state, quantity);
            let (factor, cash) = (side.factor, side.cash);
            kept.push(Position { instrument: position.instrument, quantity, factor, cash });
        }
    }
    Ok(Some((kept.into(), total)))
}

/// The account with every position up to date; written back if anything changed.
pub fn touch_account(draft: &mut Draft, index: i64) -> Law<()> {
    let positions = Positions::clone(&draft.account(index)?.positions);
    let Some((positions, cash)) = settle_positions(draft, index, &positions)? else {
        return Ok(());
    };
    let account = draft.account(index)?.clone();
    draft.put_account(index, Account { positions, cash: account.cash + cash, ..account })
}

/// The market's fund with every position up to date; written back if anything changed.
pub fn touch_fund(draft: &mut Draft, underlying: i64) -> Law<()> {
    let fund = draft.market(underlying)?.fund.clone();
    let holder = fund_holder(underlying);
    let Some((positions, cash)) = settle_positions(draft, holder, &fund.positions)? else {
        return Ok(());
    };
    draft.put_fund(underlying, Fund { positions, cash: fund.cash + cash, ..fund })
}

/// The positions of an account or fund.
pub fn positions_of(draft: &Draft, holder: i64) -> Law<&Positions> {
    if holder < 0 {
        return Ok(&draft.market(-1 - holder)?.fund.positions);
    }
    Ok(&draft.account(holder)?.positions)
}

fn place_of(positions: &[Position], instrument: i64) -> Result<usize, usize> {
    positions.binary_search_by_key(&instrument, |position| position.instrument)
}

/// Signed lots held in an instrument; 0 if none.
#[must_use]
pub fn quantity_of(positions: &[Position], instrument: i64) -> i64 {
    place_of(positions, instrument).map_or(0, |place| positions[place].quantity)
}

/// Positions without the one in an instrument.
#[must_use]
pub fn without(positions: &[Position], instrument: i64) -> Positions {
    positions.iter().copied().filter(|position| position.instrument != instrument).collect()
}

/// Up-to-date positions with `change` lots added; open interest and holder count follow.
///
/// Open interest counts long lots. A fill's two changes add to zero, so long and short stay equal.
pub fn change_position(
    draft: &mut Draft,
    positions: &Positions,
    instrument: i64,
    change: i64,
) -> Law<Positions> {
    let state = *draft.instrument(instrument)?;
    let place = place_of(positions, instrument);
    let before = place.map_or(0, |place| positions[place].quantity);
    let after = before
        .checked_add(change)
        .ok_or_else(|| corrupt(format!("{before} + {change} lots of instrument {instrument}")))?;
    draft.put_instrument(InstrumentState {
        open_interest: state.open_interest + after.max(0) - before.max(0),
        holders: state.holders + i64::from(after != 0) - i64::from(before != 0),
        ..state
    });
    let side = side_of(&state, after);
    let changed = Position { instrument, quantity: after, factor: side.factor, cash: side.cash };
    let mut list = Vec::with_capacity(positions.len() + 1);
    let (left, right) = match place {
        Ok(place) => (&positions[..place], &positions[place + 1..]),
        Err(place) => (&positions[..place], &positions[place..]),
    };
    list.extend_from_slice(left);
    if after != 0 {
        list.push(changed);
    }
    list.extend_from_slice(right);
    Ok(list.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::FACTOR_ONE;

    fn position(quantity: i64) -> Position {
        Position { instrument: 0, quantity, factor: FACTOR_ONE, cash: 0 }
    }

    #[test]
    fn a_halved_side_leaves_half_and_buys_out_the_fraction() {
        let halved = Side { factor: FACTOR_ONE / 2, cash: 0 };
        let state = InstrumentState { mark: 10, long: halved, short: halved, ..Default::default() };
        assert_eq!(settle_position(&state, &position(5)), (2, 5)); // half a lot at 10
        assert_eq!(settle_position(&state, &position(-5)), (-2, -5));
        assert_eq!(settle_position(&state, &position(4)), (2, 0));
    }

    #[test]
    fn cash_is_rounded_against_the_holder() {
        let side = Side { factor: FACTOR_ONE, cash: 1 };
        let state = InstrumentState { long: side, short: side, ..Default::default() };
        assert_eq!(settle_position(&state, &position(3)), (3, 0));
        let side = Side { factor: FACTOR_ONE, cash: -1 };
        let state = InstrumentState { long: side, short: side, ..Default::default() };
        assert_eq!(settle_position(&state, &position(3)), (3, -1));
    }

    #[test]
    fn a_settled_position_turns_to_cash() {
        let state = InstrumentState { mark: 7, settled: true, ..Default::default() };
        assert_eq!(settle_position(&state, &position(3)), (0, 21));
        assert_eq!(settle_position(&state, &position(-3)), (0, -21));
    }
}
