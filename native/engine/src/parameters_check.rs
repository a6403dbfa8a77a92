//! Whether new parameters are well formed and keep what can never change
//! (`novate.spec.parameters_check`).

use novate_risk::{MarketParameters, RiskParameters};

use crate::bounds::PPM_SIGNED_MAX;
use crate::error::{Fault, Law, invalid};
use crate::types::parameters::Parameters;
use crate::types::preset::Preset;

/// Numbers lie below this, but for a few fields that may be larger.
const NUMBER_LIMIT: i64 = 1 << 32;
/// Most oracle keys, fee tiers and scenarios: a count is a byte in public data.
const LISTED_MAX: usize = 255;
/// Longest symbol.
const SYMBOL_LENGTH_MAX: usize = 16;
/// Most decimals of a price.
const PRICE_DECIMALS_MAX: i64 = 12;

fn malformed<T>(detail: String) -> Law<T> {
    Err(invalid(Fault::MalformedParameters, detail))
}

/// The fault unless `new` is well formed, removes no market and keeps immutable fields.
pub fn check_change(preset: &Preset, old: &Parameters, new: &Parameters) -> Law<()> {
    check_parameters(preset, new)?;
    let immutable = |detail: String| Err(invalid(Fault::ImmutableParameter, detail));
    if (new.chain_id, new.settlement_contract) != (old.chain_id, old.settlement_contract) {
        return immutable("chain_id and settlement_contract".into());
    }
    if new.markets.len() < old.markets.len() {
        let (now, before) = (new.markets.len(), old.markets.len());
        return immutable(format!("{now} markets, there were {before}"));
    }
    for (before, after) in old.markets.iter().zip(&new.markets) {
        for (name, kept) in [
            ("symbol", before.symbol == after.symbol),
            ("price_decimals", before.price_decimals == after.price_decimals),
            ("strike_tick", before.strike_tick == after.strike_tick),
        ] {
            if !kept {
                return immutable(format!("{}.{name}", before.symbol));
            }
        }
    }
    Ok(())
}

/// The fault unless counts fit the preset and every market is well formed.
pub fn check_parameters(preset: &Preset, parameters: &Parameters) -> Law<()> {
    let markets = parameters.markets.len();
    if markets as i64 > preset.markets_max() {
        return malformed(format!("{markets} markets, max {}", preset.markets_max()));
    }
    let keys = &parameters.oracle_keys;
    let sorted = keys.is_sorted_by(|a, b| a < b);
    if keys.is_empty() || !sorted || parameters.quorum() as i64 > preset.reports_max {
        return malformed(format!("{} oracle keys", keys.len()));
    }
    let tiers = parameters.fee_tiers.len();
    if !(1..=LISTED_MAX).contains(&tiers) || keys.len() > LISTED_MAX {
        return malformed(format!("{tiers} fee tiers, {} keys, max {LISTED_MAX}", keys.len()));
    }
    for tier in &parameters.fee_tiers {
        let largest = tier.maker_ppm.unsigned_abs().max(tier.taker_ppm.unsigned_abs());
        if largest > PPM_SIGNED_MAX as u64 {
            return malformed(format!("{tier:?}, max {PPM_SIGNED_MAX} ppm"));
        }
    }
    check_number("parameters", "chain_id", parameters.chain_id, i64::MAX)?;
    for (name, value) in [
        ("option_fee_cap_ppm", parameters.option_fee_cap_ppm),
        ("step_loss_ppm", parameters.step_loss_ppm),
        ("fund_loss_ppm", parameters.fund_loss_ppm),
        ("give_tolerance_ppm", parameters.give_tolerance_ppm),
        ("overshoot_ppm", parameters.overshoot_ppm),
        ("resume_snapshots", parameters.resume_snapshots),
        ("reference_age_s", parameters.reference_age_s),
        ("oracle_spread_ppm", parameters.oracle_spread_ppm),
        ("forced_close_wait_s", parameters.forced_close_wait_s),
    ] {
        check_number("parameters", name, value, NUMBER_LIMIT - 1)?;
    }
    parameters.markets.iter().try_for_each(|market| check_market(market))
}

/// A number in [0, most].
fn check_number(record: &str, name: &str, value: i64, most: i64) -> Law<()> {
    if (0..=most).contains(&value) {
        return Ok(());
    }
    malformed(format!("{record}.{name} = {value}, limit {most}"))
}

/// Every number of a market but those of risk, with its name.
fn numbers(market: &MarketParameters) -> [(&'static str, i64); 15] {
    [
        ("price_decimals", market.price_decimals),
        ("strike_tick", market.strike_tick),
        ("strike_step", market.strike_step),
        ("horizon_days", market.horizon_days),
        ("band_ppm", market.band_ppm),
        ("gap_s", market.gap_s),
        ("halt_jump_ppm", market.halt_jump_ppm),
        ("halt_drift_ppm_s", market.halt_drift_ppm_s),
        ("funding_rate_max_ppm", market.funding_rate_max_ppm),
        ("premium_max_ppm", market.premium_max_ppm),
        ("vol_default_ppm", market.vol_default_ppm),
        ("penalty_ppm", market.penalty_ppm),
        ("close_penalty_ppm", market.close_penalty_ppm),
        ("fund_inventory_max", market.fund_inventory_max),
        ("deleverage_cap_ppm", market.deleverage_cap_ppm),
    ]
}

/// Decimals 0 to 12, positive strike tick and step, a margin grid that keeps its promises.
fn check_market(market: &MarketParameters) -> Law<()> {
    let symbol = &market.symbol;
    let printable = symbol.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if !(1..=SYMBOL_LENGTH_MAX).contains(&symbol.len()) || !printable {
        let detail = format!("symbol {symbol:?}: 1 to {SYMBOL_LENGTH_MAX} of printable ASCII");
        return malformed(detail);
    }
    for (name, value) in numbers(market) {
        check_number(symbol, name, value, NUMBER_LIMIT - 1)?;
    }
    for (name, value) in risk_numbers(&market.risk) {
        check_number(symbol, name, value, NUMBER_LIMIT - 1)?;
    }
    check_number(symbol, "concentration_free", market.risk.concentration_free, i64::MAX)?;
    if market.price_decimals > PRICE_DECIMALS_MAX {
        return malformed(format!("{symbol}.price_decimals = {}, 0 to 12", market.price_decimals));
    }
    if market.strike_tick < 1 || market.strike_step < 1 || market.horizon_days < 1 {
        return malformed(format!("{symbol}: strike_tick, strike_step, horizon_days at least 1"));
    }
    if market.risk.scenarios.len() > LISTED_MAX || !market.risk.is_well_formed() {
        return malformed(format!("{symbol}.risk"));
    }
    Ok(())
}

/// Every number of the risk parameters but its scenarios, with its name.
fn risk_numbers(risk: &RiskParameters) -> [(&'static str, i64); 11] {
    [
        ("vol_up_ppm", risk.vol_up_ppm),
        ("vol_down_ppm", risk.vol_down_ppm),
        ("vol_min_ppm", risk.vol_min_ppm),
        ("vol_max_ppm", risk.vol_max_ppm),
        ("initial_factor_ppm", risk.initial_factor_ppm),
        ("short_option_minimum_ppm", risk.short_option_minimum_ppm),
        ("basis_shock_ppm", risk.basis_shock_ppm),
        ("vega_offset_ppm", risk.vega_offset_ppm),
        ("concentration_slope_ppm", risk.concentration_slope_ppm),
        ("concentration_cap_ppm", risk.concentration_cap_ppm),
        ("concentration_ramp_ppm_h", risk.concentration_ramp_ppm_h),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers_are_only_where_they_may_be() {
        assert!(check_number("x", "y", 1 << 32, NUMBER_LIMIT - 1).is_err());
        assert!(check_number("x", "y", (1 << 32) - 1, NUMBER_LIMIT - 1).is_ok());
        assert!(check_number("x", "y", -1, i64::MAX).is_err());
    }
}
