//! Whether a state holds together, so that the rules need not ask on every step.
//!
//! Every state that the law reaches from a genesis passes; what does not pass is refused as a
//! whole.
//! The limits of money are far above anything reachable and far below where sums of it could leave
//! 128 bits.

use novate_risk::Instrument;
use novate_risk::smile::NODES;

use crate::bounds::{
    CASH_MAX, EPOCH_MAX, GOLDILOCKS, ID_MAX, NONCE_MAX, PPM_SIGNED_MAX, PRICE_MAX, QUANTITY_MAX,
    TIME_MAX, VOL_PPM_MAX,
};
use crate::error::{Law, LawError, corrupt};
use crate::holders::{side_of, underlying_of};
use crate::parameters_check::check_parameters;
use crate::types::preset::Preset;
use crate::types::state::{
    Account, Fund, InstrumentState, Market, Position, Side, Snapshot, State, System,
};

/// Money of funds and clearing balances stays below this: 2^37 times all the cash there can be.
const MONEY_LIMIT: i128 = 1 << 97;
/// An accumulator fits a signed word.
const ACCUMULATOR_LIMIT: i128 = 1 << 63;
/// Factors and their products fit the leaf's 31 bits.
const FACTOR_LIMIT: i64 = 1 << 31;
/// Lots of a fund: its inventory may pass what an account may hold.
const FUND_LOTS_MAX: i64 = 1 << 32;
/// Open interest and counts of holders.
const COUNT_MAX: i64 = 1 << 56;
/// Positions that an account's leaf can count.
const POSITIONS_MAX: usize = (1 << 9) - 1;

/// An error unless `low <= value <= high`.
fn within(field: &str, value: i128, low: i128, high: i128) -> Law<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    Err(corrupt(format!("{field} = {value} is not in [{low}, {high}]")))
}

fn natural(field: &str, value: i64, high: i64) -> Law<()> {
    within(field, value.into(), 0, high.into())
}

/// An error unless |value| < limit.
fn below(field: &str, value: i128, limit: i128) -> Law<()> {
    within(field, value, 1 - limit, limit - 1)
}

/// The error unless every part of the state is within its bounds and agrees with the others.
pub fn check_state(state: &State) -> Law<()> {
    check_preset(&state.preset)?;
    check_parameters(&state.preset, &state.parameters)
        .map_err(|error: LawError| corrupt(error.to_string()))?;
    check_system(&state.system)?;
    let (markets, listed) = (state.markets.len(), state.parameters.markets.len());
    if markets != listed {
        return Err(corrupt(format!("{markets} markets, parameters of {listed}")));
    }
    for (&id, instrument) in &state.instruments {
        check_instrument(state, id, instrument)?;
    }
    for (underlying, market) in (0..).zip(&state.markets) {
        check_market(state, underlying, market)?;
    }
    let (count, most) = (state.accounts.len() as i64, state.preset.accounts_max());
    if count != state.system.account_count || count > most {
        let counted = state.system.account_count;
        return Err(corrupt(format!("{count} accounts, counted {counted}, max {most}")));
    }
    state.accounts.iter().try_for_each(|account| check_account(state, account))?;
    check_slots(state)
}

fn check_preset(preset: &Preset) -> Law<()> {
    for (field, depth, most) in [
        ("account_depth", preset.account_depth, 32),
        ("market_depth", preset.market_depth, 8),
        ("instrument_depth", preset.instrument_depth, 24),
        ("slot_depth", preset.slot_depth, 24),
    ] {
        natural(field, depth.into(), most)?;
    }
    for (field, count) in [
        ("positions_max", preset.positions_max),
        ("rounds_max", preset.rounds_max),
        ("fills_max", preset.fills_max),
        ("inbox_max", preset.inbox_max),
        ("reports_max", preset.reports_max),
        ("expiries_max", preset.expiries_max),
        ("sheet_quotes_max", preset.sheet_quotes_max),
    ] {
        natural(field, count, 1 << 32)?;
    }
    Ok(())
}

fn check_system(system: &System) -> Law<()> {
    natural("batch_number", system.batch_number, COUNT_MAX)?;
    natural("time", system.time, TIME_MAX)?;
    natural("inbox_cursor", system.inbox_cursor, COUNT_MAX)?;
    natural("fork", system.fork, EPOCH_MAX)?;
    natural("venue_epoch", system.venue_epoch, COUNT_MAX)?;
    within("vault", system.vault, 0, MONEY_LIMIT)
}

fn check_instrument(state: &State, id: i64, instrument: &InstrumentState) -> Law<()> {
    let decoded = u64::try_from(id).ok().and_then(|id| Instrument::decode(id).ok());
    if decoded.is_none() || instrument.instrument != id {
        return Err(corrupt(format!("instrument {id} is {}", instrument.instrument)));
    }
    if underlying_of(id) >= state.markets.len() as i64 {
        return Err(corrupt(format!("instrument {id} has no market")));
    }
    natural("mark", instrument.mark, PRICE_MAX)?;
    natural("open_interest", instrument.open_interest, COUNT_MAX)?;
    natural("holders", instrument.holders, COUNT_MAX)?;
    below("clearing", instrument.clearing, MONEY_LIMIT)?;
    for Side { factor, cash } in [instrument.long, instrument.short] {
        within("side.factor", factor.into(), 1, i128::from(FACTOR_LIMIT) - 1)?;
        below("side.cash", cash, ACCUMULATOR_LIMIT)?;
    }
    Ok(())
}

fn check_market(state: &State, underlying: i64, market: &Market) -> Law<()> {
    for snapshot in [&market.current, &market.reference, &market.candidate, &market.halt.pending] {
        check_snapshot(snapshot)?;
    }
    natural("halt.since", market.halt.since, TIME_MAX)?;
    natural("halt.agreeing", market.halt.agreeing, COUNT_MAX)?;
    natural("concentration_ppm", market.concentration_ppm, 1 << 32)?;
    let Fund { cash, positions, debt } = &market.fund;
    below("fund.cash", *cash, MONEY_LIMIT)?;
    within("fund.debt", *debt, 0, MONEY_LIMIT)?;
    check_positions(state, positions, FUND_LOTS_MAX)?;
    match positions.iter().find(|position| underlying_of(position.instrument) != underlying) {
        None => Ok(()),
        Some(stray) => {
            let id = stray.instrument;
            Err(corrupt(format!("the fund of market {underlying} holds instrument {id}")))
        }
    }
}

fn check_snapshot(snapshot: &Snapshot) -> Law<()> {
    natural("snapshot.time", snapshot.time, TIME_MAX)?;
    natural("snapshot.index_price", snapshot.index_price, PRICE_MAX)?;
    natural("snapshot.mean", snapshot.mean, PRICE_MAX)?;
    below("snapshot.premium_ppm", snapshot.premium_ppm.into(), i128::from(PPM_SIGNED_MAX) + 1)?;
    if !snapshot.expiries.is_sorted_by(|a, b| a.day < b.day) {
        return Err(corrupt("expiries of a snapshot are not sorted by distinct day"));
    }
    for expiry in &snapshot.expiries {
        within("expiry.day", expiry.day.into(), 1, (1 << 16) - 1)?;
        within("expiry.basis_ppm", expiry.basis_ppm.into(), -999_999, PPM_SIGNED_MAX.into())?;
        natural("expiry.vols_ppm", expiry.vols_ppm.len() as i64, NODES as i64)?;
        for vol in &expiry.vols_ppm {
            natural("expiry.vol_ppm", *vol, VOL_PPM_MAX)?;
        }
    }
    Ok(())
}

/// Sorted, of known instruments, and within their widths.
fn check_positions(state: &State, positions: &[Position], lots_max: i64) -> Law<()> {
    if !positions.is_sorted_by(|a, b| a.instrument < b.instrument) {
        return Err(corrupt("positions are not sorted by distinct instrument"));
    }
    for position in positions {
        let held = state.instruments.get(&position.instrument);
        let Some(held) = held.filter(|_| position.quantity != 0) else {
            let Position { instrument, quantity, .. } = position;
            return Err(corrupt(format!("{quantity} lots of instrument {instrument}")));
        };
        let most = i128::from(lots_max);
        within("position.quantity", position.quantity.into(), -most, most)?;
        // a side's factor only falls, so what is left of a position is never more than it was
        let least = i128::from(side_of(held, position.quantity).factor);
        within("position.factor", position.factor.into(), least, i128::from(FACTOR_LIMIT) - 1)?;
        below("position.cash", position.cash, ACCUMULATOR_LIMIT)?;
    }
    Ok(())
}

fn check_account(state: &State, account: &Account) -> Law<()> {
    if let Some(word) = account.key.iter().find(|word| **word >= GOLDILOCKS) {
        return Err(corrupt(format!("key word {word} is not below p")));
    }
    within("cash", account.cash, -CASH_MAX, CASH_MAX)?;
    natural("positions", account.positions.len() as i64, POSITIONS_MAX as i64)?;
    check_positions(state, &account.positions, QUANTITY_MAX)?;
    natural("last_underlying", account.last_underlying, 255)?;
    natural("tier", account.tier, 255)?;
    natural("key_epoch", account.key_epoch, EPOCH_MAX)?;
    natural("cancel_epoch", account.cancel_epoch, EPOCH_MAX)?;
    natural("liquidation_since", account.liquidation_since, TIME_MAX)?;
    natural("forced_close_instrument", account.forced_close_instrument, ID_MAX)?;
    natural("forced_close_time", account.forced_close_time, TIME_MAX)
}

fn check_slots(state: &State) -> Law<()> {
    for ((account, slot), content) in state.slots.iter() {
        natural("slot", slot.into(), state.preset.slots_max() - 1)?;
        natural("account of a slot", account.into(), state.accounts.len() as i64 - 1)?;
        natural("slot.nonce", content.nonce, NONCE_MAX)?;
        natural("slot.filled", content.filled, QUANTITY_MAX)?;
    }
    Ok(())
}
