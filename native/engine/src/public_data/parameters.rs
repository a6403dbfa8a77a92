//! Parameters in bytes (`novate.spec.public_data.parameters`).

use std::sync::Arc;

use super::codec::{Coder, Integer, List, signed, unsigned};
use super::records::{FEE_PPM, address};
use crate::bounds::PPM_SIGNED_MAX;
use crate::error::{Law, LawError};
use crate::types::parameters::{FeeTier, MarketParameters, Parameters, RiskParameters, Scenario};
use crate::types::preset::Preset;

const RATE: Integer = unsigned("rate", 4, 0, (1 << 32) - 1);
const LARGE: Integer = unsigned("large", 8, 0, i64::MAX);
const SYMBOL_LENGTH_MAX: usize = 16;
const MARKET_BYTES_MIN: usize = 112;

/// Everything L1 sets; the preset bounds the number of markets.
pub fn parameters<C: Coder>(
    coder: &mut C,
    preset: &Preset,
    parameters: &mut Parameters,
) -> Law<()> {
    coder.integer(&LARGE, &mut parameters.chain_id)?;
    address(coder, &mut parameters.settlement_contract)?;
    let most = preset.markets_max();
    let list = List { name: "markets", width: 2, least: 0, most, smallest: MARKET_BYTES_MIN };
    coder.list(&list, &mut parameters.markets, |coder, shared| {
        market(coder, Arc::make_mut(shared))
    })?;
    let list = List { name: "oracle_keys", width: 1, least: 0, most: 255, smallest: 40 };
    coder.list(&list, &mut parameters.oracle_keys, |coder, key| coder.key(key))?;
    let list = List { name: "fee_tiers", width: 1, least: 0, most: 255, smallest: 8 };
    coder.list(&list, &mut parameters.fee_tiers, |coder, tier: &mut FeeTier| {
        coder.integer(&FEE_PPM, &mut tier.maker_ppm)?;
        coder.integer(&FEE_PPM, &mut tier.taker_ppm)
    })?;
    for rate in [
        &mut parameters.option_fee_cap_ppm,
        &mut parameters.step_loss_ppm,
        &mut parameters.fund_loss_ppm,
        &mut parameters.give_tolerance_ppm,
        &mut parameters.overshoot_ppm,
        &mut parameters.resume_snapshots,
        &mut parameters.reference_age_s,
        &mut parameters.oracle_spread_ppm,
        &mut parameters.forced_close_wait_s,
    ] {
        coder.integer(&RATE, rate)?;
    }
    Ok(())
}

fn market<C: Coder>(coder: &mut C, market: &mut MarketParameters) -> Law<()> {
    symbol(coder, &mut market.symbol)?;
    coder.integer(&unsigned("price_decimals", 1, 0, 12), &mut market.price_decimals)?;
    for rate in [
        &mut market.strike_tick,
        &mut market.strike_step,
        &mut market.horizon_days,
        &mut market.band_ppm,
        &mut market.gap_s,
        &mut market.halt_jump_ppm,
        &mut market.halt_drift_ppm_s,
        &mut market.funding_rate_max_ppm,
        &mut market.premium_max_ppm,
        &mut market.vol_default_ppm,
        &mut market.penalty_ppm,
        &mut market.close_penalty_ppm,
        &mut market.fund_inventory_max,
        &mut market.deleverage_cap_ppm,
    ] {
        coder.integer(&RATE, rate)?;
    }
    risk(coder, &mut market.risk)
}

fn risk<C: Coder>(coder: &mut C, risk: &mut RiskParameters) -> Law<()> {
    let list = List { name: "scenarios", width: 1, least: 0, most: 255, smallest: 9 };
    coder.list(&list, &mut risk.scenarios, |coder, scenario: &mut Scenario| {
        let spot = signed("spot_ppm", 4, -PPM_SIGNED_MAX, PPM_SIGNED_MAX);
        coder.integer(&spot, &mut scenario.spot_ppm)?;
        coder.integer(&signed("vol_direction", 1, -1, 1), &mut scenario.vol_direction)?;
        coder.integer(&RATE, &mut scenario.weight_ppm)
    })?;
    for (spec, field) in [
        (RATE, &mut risk.vol_up_ppm),
        (RATE, &mut risk.vol_down_ppm),
        (RATE, &mut risk.vol_min_ppm),
        (RATE, &mut risk.vol_max_ppm),
        (RATE, &mut risk.initial_factor_ppm),
        (RATE, &mut risk.short_option_minimum_ppm),
        (RATE, &mut risk.basis_shock_ppm),
        (RATE, &mut risk.vega_offset_ppm),
        (LARGE, &mut risk.concentration_free),
        (RATE, &mut risk.concentration_slope_ppm),
        (RATE, &mut risk.concentration_cap_ppm),
        (RATE, &mut risk.concentration_ramp_ppm_h),
    ] {
        coder.integer(&spec, field)?;
    }
    Ok(())
}

/// A length of 1 byte, at most 16, then that many printable ASCII characters.
fn symbol<C: Coder>(coder: &mut C, symbol: &mut String) -> Law<()> {
    if !C::READS {
        check_symbol(symbol)?;
    }
    let mut length = symbol.len() as i64;
    coder.integer(&unsigned("symbol length", 1, 0, 255), &mut length)?;
    let mut bytes = std::mem::take(symbol).into_bytes();
    bytes.resize(length as usize, 0);
    coder.bytes(&mut bytes)?;
    *symbol = bytes.into_iter().map(char::from).collect();
    check_symbol(symbol)
}

fn check_symbol(symbol: &str) -> Law<()> {
    let printable = symbol.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if (1..=SYMBOL_LENGTH_MAX).contains(&symbol.len()) && printable {
        return Ok(());
    }
    let detail = format!("{symbol:?}: 1 to {SYMBOL_LENGTH_MAX} of printable ASCII");
    Err(LawError::Decode("symbol", detail))
}
