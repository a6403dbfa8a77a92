//! Closing positions against everyone on the other side (`novate.spec.liquidation`): at which
//! prices, and how the other side's factor and accumulator move.

use novate_risk::bounds::PRICE_MAX;

use crate::arithmetic::{mul_div_down, ppm_down};
use crate::bounds::FACTOR_MIN;
use crate::draft::Draft;
use crate::error::{Law, corrupt};
use crate::holders::underlying_of;
use crate::types::journal::{DeleverageEntry, SettlementEntry};
use crate::types::state::{InstrumentState, Money, Position, Side};
use crate::valuation::mark_of_id;

/// b_i = clamp(m_i + sgn(q_i)·⌊D·w_i/(|q_i|·Σw)⌋, m_i ± cap of index) in [0, `PRICE_MAX`], in the
/// order of the positions; D = `deficit` >= 0.
///
/// w_i = |q_i| times the worst scenario loss of one lot, so that w_i/|q_i| is that loss, below
/// 2^31; with all weights 0, b_i = m_i.
pub fn deleverage_prices(draft: &Draft, mine: &[Position], deficit: Money) -> Law<Vec<i64>> {
    let mut losses = Vec::with_capacity(mine.len());
    let mut total = 0;
    for position in mine {
        let view = draft.view(underlying_of(position.instrument))?;
        let loss = view.risk_array(position.instrument as u64).worst_loss(sign(position));
        total += loss * Money::from(position.quantity).abs();
        losses.push(loss);
    }
    let mut prices = Vec::with_capacity(mine.len());
    for (position, loss) in mine.iter().zip(losses) {
        let view = draft.view(underlying_of(position.instrument))?;
        let price = Money::from(mark_of_id(draft, position.instrument)?);
        let index = Money::from(view.snapshot().index_price);
        let cap = ppm_down(index, view.parameters().deleverage_cap_ppm);
        let shift = if total == 0 { 0 } else { mul_div_down(deficit, loss, total) };
        let moved = price + Money::from(sign(position)) * shift.min(cap);
        prices.push(moved.clamp(0, PRICE_MAX.into()) as i64);
    }
    Ok(prices)
}

fn sign(position: &Position) -> i64 {
    if position.quantity > 0 { 1 } else { -1 }
}

/// How closing a position moves the other side of its instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Closing {
    /// The cash that the position gets.
    value: Money,
    /// The other side's factor, C' = C·(1 − f) rounded down; the side keeps C if it settles.
    factor: i64,
    /// What the other side's accumulator moves by.
    earned: i128,
    /// C' is below `FACTOR_MIN`: the instrument settles at its mark.
    settled: bool,
}

/// f = |q| / open interest; the accumulator moves by exactly (C − C')·price: what rounding takes
/// from the holders is paid for. Where the instrument settles it holds the difference to the mark
/// for the part that was closed, and nobody else has a part in it.
fn closing(state: &InstrumentState, quantity: i64, price: i64, fair: i64) -> Law<Closing> {
    let held = i128::from(quantity).abs();
    let open = i128::from(state.open_interest);
    if open <= 0 {
        let detail = format!("{quantity} lots of instrument {} are open", state.instrument);
        return Err(corrupt(detail));
    }
    let other = if quantity > 0 { &state.short } else { &state.long };
    let before = i128::from(other.factor); // < 2^31
    let after = mul_div_down(before, open - held, open);
    let settled = after < i128::from(FACTOR_MIN);
    let paid = i128::from(if settled { price - fair } else { price });
    // shorts pay what a long gets, longs what a short does not cost: < 2^31 · 2^32
    let earned = (before - after) * if quantity > 0 { -paid } else { paid };
    let factor = i64::try_from(after)
        .map_err(|_| corrupt(format!("{held} lots held of {open} open ones")))?;
    Ok(Closing { value: Money::from(quantity) * Money::from(price), factor, earned, settled })
}

/// Closes an up-to-date position against everyone on the other side, pro rata; returns the cash it
/// gets. The caller takes the position off its holder.
pub fn close_by_factor(
    draft: &mut Draft,
    holder: i64,
    position: &Position,
    price: i64,
    fair: i64,
) -> Law<Money> {
    let Position { instrument, quantity, .. } = *position;
    let state = *draft.instrument(instrument)?;
    let Closing { value, factor, earned, settled } = closing(&state, quantity, price, fair)?;
    let mut after = state;
    let other = if quantity > 0 { &mut after.short } else { &mut after.long };
    let factor_before = other.factor;
    let kept = if settled { factor_before } else { factor };
    *other = Side { factor: kept, cash: other.cash + earned };
    after.mark = fair;
    after.clearing -= value;
    after.holders -= 1;
    after.settled = settled;
    if settled {
        draft.record_settlement(SettlementEntry { instrument, value: fair, by_expiry: false });
    } else {
        after.open_interest -= quantity.abs();
    }
    draft.put_instrument(after);
    draft.record_deleverage(DeleverageEntry {
        holder,
        instrument,
        quantity,
        price,
        factor_before,
        factor_after: factor,
    });
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::FACTOR_ONE;

    fn instrument(open_interest: i64) -> InstrumentState {
        InstrumentState { open_interest, holders: 2, ..InstrumentState::default() }
    }

    #[test]
    fn a_quarter_of_the_longs_takes_a_quarter_off_the_shorts_factor() {
        let closed = closing(&instrument(100), 25, 90, 80).unwrap();
        assert_eq!(closed.value, 25 * 90);
        assert_eq!(closed.factor, FACTOR_ONE / 4 * 3);
        assert_eq!(closed.earned, -i128::from(FACTOR_ONE / 4) * 90);
        assert!(!closed.settled);
    }

    #[test]
    fn what_rounding_takes_off_a_factor_is_paid_for() {
        let mut state = instrument(3);
        state.long.factor = FACTOR_ONE - 1; // not divisible by 3
        let closed = closing(&state, -1, 60, 50).unwrap();
        let exact = i128::from(FACTOR_ONE - 1) * 2;
        assert_eq!(i128::from(closed.factor), exact.div_euclid(3));
        let taken = i128::from(FACTOR_ONE - 1) - i128::from(closed.factor);
        assert_eq!(closed.earned, taken * 60);
        assert_eq!(closed.value, -60);
    }

    #[test]
    fn a_factor_that_would_vanish_settles_at_the_mark_instead() {
        let mut state = instrument(4);
        state.short.factor = FACTOR_MIN;
        let closed = closing(&state, 1, 70, 50).unwrap();
        assert_eq!((closed.settled, closed.factor), (true, FACTOR_MIN / 4 * 3));
        // only the quarter that is closed pays the 20 above the mark
        assert_eq!(closed.earned, -i128::from(FACTOR_MIN / 4) * 20);
        let all = closing(&instrument(4), -4, 40, 50).unwrap();
        assert_eq!((all.settled, all.factor), (true, 0));
        assert_eq!(all.earned, i128::from(FACTOR_ONE) * -10);
    }

    #[test]
    fn more_lots_than_are_open_settle_and_none_open_is_corrupt() {
        let closed = closing(&instrument(1), 3, 10, 10).unwrap();
        assert_eq!((closed.settled, closed.factor), (true, -2 * FACTOR_ONE));
        assert!(closing(&instrument(0), 3, 10, 10).is_err());
        assert!(closing(&instrument(1), i64::MIN, 10, 10).is_err());
    }
}
