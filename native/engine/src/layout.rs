//! Leaves as field elements (`novate.spec.layout`): what a digest of the state covers.
//!
//! Signed values are taken mod p; packed fields are checked to fit, so that no two leaves share
//! their elements. What does not fit is a state that the law never comes to.

use novate_primitives::hash::Tag;
use novate_risk::{MarketParameters, RiskParameters};

use crate::bounds::{GOLDILOCKS, QUANTITY_MAX};
use crate::error::{Law, corrupt};
use crate::messages::domain::element;
use crate::messages::oracle::expiry_elements;
use crate::slots::Group;
use crate::types::numbers::Digest;
use crate::types::parameters::Parameters;
use crate::types::state::{Account, Fund, InstrumentState, Position, Snapshot, System};

pub const PARAMETERS: Tag = Tag::fixed("params");
pub const SYSTEM: Tag = Tag::fixed("system");
pub const SNAPSHOT: Tag = Tag::fixed("snap");
pub const MARKET: Tag = Tag::fixed("market");
pub const INSTRUMENT: Tag = Tag::fixed("instr");
pub const INSTRUMENTS: Tag = Tag::fixed("instrs");
pub const ACCOUNT: Tag = Tag::fixed("account");
pub const SLOTS: Tag = Tag::fixed("slots");
pub const SETTLEMENT: Tag = Tag::fixed("settle");
pub const ROOT: Tag = Tag::fixed("root");

/// A number in [0, limit), limit at most p.
fn fitting(field: &str, value: i128, limit: u64) -> Law<u64> {
    u64::try_from(value)
        .ok()
        .filter(|word| *word < limit)
        .ok_or_else(|| corrupt(format!("{field} = {value} is not in [0, {limit})")))
}

/// A number of so many bits.
fn bits(field: &str, value: i64, width: u32) -> Law<u64> {
    fitting(field, value.into(), 1 << width)
}

/// The symbol as limbs of 48, 48 and 32 bits of its little-endian bytes.
fn symbol_limbs(symbol: &str) -> Law<[u64; 3]> {
    if symbol.len() > 16 {
        return Err(corrupt(format!("symbol {symbol:?} is longer than 16")));
    }
    let number = symbol.bytes().rev().fold(0_u128, |number, byte| number << 8 | u128::from(byte));
    Ok([0, 48, 96].map(|shift| (number >> shift) as u64 & ((1 << 48) - 1)))
}

fn market_parameters_elements(market: &MarketParameters, elements: &mut Vec<u64>) -> Law<()> {
    elements.extend(symbol_limbs(&market.symbol)?);
    let scalars = [
        market.price_decimals,
        market.strike_tick,
        market.strike_step,
        market.horizon_days,
        market.band_ppm,
        market.gap_s,
        market.halt_jump_ppm,
        market.halt_drift_ppm_s,
        market.funding_rate_max_ppm,
        market.premium_max_ppm,
        market.vol_default_ppm,
        market.penalty_ppm,
        market.close_penalty_ppm,
        market.fund_inventory_max,
        market.deleverage_cap_ppm,
    ];
    for scalar in scalars {
        elements.push(fitting("market parameter", scalar.into(), GOLDILOCKS)?);
    }
    risk_elements(&market.risk, elements);
    Ok(())
}

/// The number of scenarios, three elements each, then the scalars.
fn risk_elements(risk: &RiskParameters, elements: &mut Vec<u64>) {
    elements.push(risk.scenarios.len() as u64);
    let scenarios = risk.scenarios.iter();
    let fields = scenarios.flat_map(|s| [s.spot_ppm, s.vol_direction, s.weight_ppm]);
    elements.extend(fields.chain(risk.scalars()).map(|field| element(field.into())));
}

/// Everything L1 sets; lists are preceded by their lengths.
pub fn parameters_elements(parameters: &Parameters) -> Law<Vec<u64>> {
    let mut elements = vec![fitting("chain_id", parameters.chain_id.into(), GOLDILOCKS)?];
    elements.extend(parameters.settlement_contract.elements());
    for scalar in [
        parameters.option_fee_cap_ppm,
        parameters.step_loss_ppm,
        parameters.fund_loss_ppm,
        parameters.give_tolerance_ppm,
        parameters.overshoot_ppm,
        parameters.resume_snapshots,
        parameters.reference_age_s,
        parameters.oracle_spread_ppm,
        parameters.forced_close_wait_s,
    ] {
        elements.push(fitting("parameter", scalar.into(), GOLDILOCKS)?);
    }
    elements.push(parameters.oracle_keys.len() as u64);
    for word in parameters.oracle_keys.iter().flatten() {
        elements.push(fitting("oracle key", (*word).into(), GOLDILOCKS)?);
    }
    elements.push(parameters.fee_tiers.len() as u64);
    for tier in &parameters.fee_tiers {
        elements.extend([element(tier.maker_ppm.into()), element(tier.taker_ppm.into())]);
    }
    elements.push(parameters.markets.len() as u64);
    for market in &parameters.markets {
        market_parameters_elements(market, &mut elements)?;
    }
    Ok(elements)
}

/// Seven scalars, then the parameters' digest.
pub fn system_elements(system: &System, parameters: &Digest) -> Law<Vec<u64>> {
    let mut elements = Vec::with_capacity(11);
    for (field, value) in [
        ("batch_number", system.batch_number.into()),
        ("time", system.time.into()),
        ("inbox_cursor", system.inbox_cursor.into()),
        ("fork", system.fork.into()),
        ("venue_epoch", system.venue_epoch.into()),
        ("vault", system.vault),
        ("account_count", system.account_count.into()),
    ] {
        elements.push(fitting(field, value, GOLDILOCKS)?);
    }
    elements.extend(parameters);
    Ok(elements)
}

/// Four scalars, the number of expiries, then each expiry.
pub fn snapshot_elements(snapshot: &Snapshot, elements: &mut Vec<u64>) -> Law<()> {
    elements.extend([
        fitting("snapshot.time", snapshot.time.into(), GOLDILOCKS)?,
        fitting("snapshot.index_price", snapshot.index_price.into(), GOLDILOCKS)?,
        element(snapshot.premium_ppm.into()),
        fitting("snapshot.mean", snapshot.mean.into(), GOLDILOCKS)?,
        snapshot.expiries.len() as u64,
    ]);
    snapshot.expiries.iter().for_each(|expiry| expiry_elements(expiry, elements));
    Ok(())
}

/// Id; (quantity + 2^31 − 1) · 2^32 + factor, below p; accumulator.
fn position_elements(position: &Position) -> Law<[u64; 3]> {
    let shifted = i128::from(position.quantity) + i128::from(QUANTITY_MAX);
    let lots = fitting("quantity + 2^31 - 1", shifted, 2 * QUANTITY_MAX as u64 + 1)?;
    Ok([
        bits("position.instrument", position.instrument, 50)?,
        lots << 32 | bits("position.factor", position.factor, 32)?,
        element(position.cash),
    ])
}

fn positions_elements(positions: &[Position], elements: &mut Vec<u64>) -> Law<()> {
    for position in positions {
        elements.extend(position_elements(position)?);
    }
    Ok(())
}

/// Cash, debt, number of positions, positions.
pub fn fund_elements(fund: &Fund, elements: &mut Vec<u64>) -> Law<()> {
    elements.extend([
        element(fund.cash),
        fitting("fund.debt", fund.debt, GOLDILOCKS)?,
        fund.positions.len() as u64,
    ]);
    positions_elements(&fund.positions, elements)
}

/// Eight elements, one permutation: factors and the settled bit are packed.
pub fn instrument_elements(state: &InstrumentState) -> Law<[u64; 8]> {
    Ok([
        bits("instrument", state.instrument, 50)?,
        bits("mark", state.mark, 31)? | u64::from(state.settled) << 31,
        fitting("open_interest", state.open_interest.into(), GOLDILOCKS)?,
        bits("long.factor", state.long.factor, 31)?
            | bits("short.factor", state.short.factor, 31)? << 32,
        element(state.long.cash),
        element(state.short.cash),
        element(state.clearing),
        fitting("holders", state.holders.into(), GOLDILOCKS)?,
    ])
}

/// Sixteen elements (two permutations), then three a position.
pub fn account_elements(account: &Account, elements: &mut Vec<u64>) -> Law<()> {
    elements.extend(account.owner.elements());
    elements.extend(account.key);
    let count = account.positions.len() as i64;
    elements.extend([
        element(account.cash),
        bits("key_epoch", account.key_epoch, 31)?
            | bits("cancel_epoch", account.cancel_epoch, 31)? << 32,
        bits("liquidation_since", account.liquidation_since, 32)?
            | bits("tier", account.tier, 8)? << 32
            | bits("last_underlying", account.last_underlying, 8)? << 40
            | bits("positions", count, 9)? << 48,
    ]);
    elements.extend(account.allowed_owner.elements());
    elements.extend([
        bits("forced_close_instrument", account.forced_close_instrument, 50)?,
        bits("forced_close_time", account.forced_close_time, 32)?,
    ]);
    positions_elements(&account.positions, elements)
}

/// One element a slot: nonce + filled · 2^32, below 2^63.
pub fn slot_group_elements(group: &Group) -> Law<[u64; 8]> {
    let mut elements = [0; 8];
    for (slot, place) in group.iter().zip(&mut elements) {
        *place = bits("slot.nonce", slot.nonce, 32)? | bits("slot.filled", slot.filled, 31)? << 32;
    }
    Ok(elements)
}
