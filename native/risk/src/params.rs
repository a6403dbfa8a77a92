//! Parameters of one market, as L1 sets them.
//!
//! The law keeps every number in [0, 2^32), `concentration_free` in [0, 2^63), and at most 255
//! scenarios; whether new parameters do is judged where they come in.

use crate::rounding::PPM;

/// One joint move of spot and volatility.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// Move of every forward and of the index, signed, above −1,000,000.
    pub spot_ppm: i64,
    /// −1: volatility down, 0: as it is, +1: up.
    pub vol_direction: i64,
    /// What a loss counts, in (0, 1,000,000]; 1,000,000: undamped.
    pub weight_ppm: i64,
}

/// What margin of one underlying depends on besides prices. All rates in ppm.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RiskParameters {
    pub scenarios: Vec<Scenario>,
    /// Relative rise of a 30-day volatility in the direction +1; scaled by time to expiry.
    pub vol_up_ppm: i64,
    /// Relative fall of a 30-day volatility in the direction −1; scaled by time to expiry.
    pub vol_down_ppm: i64,
    /// Lowest volatility of any valuation, positive.
    pub vol_min_ppm: i64,
    /// Highest volatility of any valuation.
    pub vol_max_ppm: i64,
    /// Initial margin = this factor × maintenance margin; at least 1,000,000.
    pub initial_factor_ppm: i64,
    /// Charge a short option lot, of index.
    pub short_option_minimum_ppm: i64,
    /// Move of one expiry's forward against another's.
    pub basis_shock_ppm: i64,
    /// Part of a volatility shock's profit in one expiry not set against losses in others.
    pub vega_offset_ppm: i64,
    /// Open interest notional, micro-USDC, below which the concentration rate is 0.
    pub concentration_free: i64,
    /// Rise of the rate for each further `concentration_free` of open interest.
    pub concentration_slope_ppm: i64,
    /// Highest concentration rate: charge on each position's own worst loss.
    pub concentration_cap_ppm: i64,
    /// Largest rise of the rate in maintenance margin an hour.
    pub concentration_ramp_ppm_h: i64,
}

/// Parameters of one underlying. `symbol`, `price_decimals`, `strike_tick` never change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MarketParameters {
    pub symbol: String,
    /// A price tick is 10^−d USDC, a lot 10^(d − 6) units; 0 to 12.
    pub price_decimals: i64,
    /// Price ticks in one unit of an instrument's strike field.
    pub strike_tick: i64,
    /// New strikes are multiples of this many strike ticks.
    pub strike_step: i64,
    /// New expiries lie at most this many days ahead.
    pub horizon_days: i64,
    /// A fill's price may differ from the mark by max(this much of index, half the mark).
    pub band_ppm: i64,
    /// Seconds without an accepted snapshot after which the market is halted.
    pub gap_s: i64,
    /// a of the halt rule: |new − old| > old (a + b Δt) halts.
    pub halt_jump_ppm: i64,
    /// b of the halt rule, ppm a second.
    pub halt_drift_ppm_s: i64,
    /// Clamp of the funding rate, ppm of index a funding period.
    pub funding_rate_max_ppm: i64,
    /// Clamp of the perpetual's premium in its mark, ppm of index.
    pub premium_max_ppm: i64,
    /// Volatility where no expiry was ever reported.
    pub vol_default_ppm: i64,
    /// Fund takeover penalty, ppm of maintenance margin.
    pub penalty_ppm: i64,
    /// Forced close: the mark is worsened by this many ppm of index.
    pub close_penalty_ppm: i64,
    /// Forced close: the fund's |quantity| in one instrument may not pass this many lots.
    pub fund_inventory_max: i64,
    /// The deleveraging price stays within this many ppm of index from the mark.
    pub deleverage_cap_ppm: i64,
    pub risk: RiskParameters,
}

impl RiskParameters {
    /// Sorted spot moves, ppm, of the undamped scenarios with one direction of volatility.
    pub fn undamped_spots(&self, direction: i64) -> Vec<i64> {
        let undamped = |s: &&Scenario| s.weight_ppm == PPM && s.vol_direction == direction;
        let mut spots: Vec<i64> =
            self.scenarios.iter().filter(undamped).map(|s| s.spot_ppm).collect();
        spots.sort_unstable();
        spots
    }

    /// The widest gap between neighbouring undamped spot moves, over all directions; ppm.
    pub fn spot_spacing_ppm(&self) -> i64 {
        let widest = |direction| {
            let spots = self.undamped_spots(direction);
            spots.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(0)
        };
        [-1, 0, 1].into_iter().map(widest).max().unwrap_or(0)
    }

    /// The deepest undamped spot move, ppm, at most 0 in well-formed parameters; 0 without any.
    pub fn lowest_spot_ppm(&self) -> i64 {
        let undamped = self.scenarios.iter().filter(|s| s.weight_ppm == PPM);
        undamped.map(|s| s.spot_ppm).min().unwrap_or(0)
    }

    /// Every parameter but the scenarios, in the order of the fields.
    pub fn scalars(&self) -> [i64; 12] {
        [
            self.vol_up_ppm,
            self.vol_down_ppm,
            self.vol_min_ppm,
            self.vol_max_ppm,
            self.initial_factor_ppm,
            self.short_option_minimum_ppm,
            self.basis_shock_ppm,
            self.vega_offset_ppm,
            self.concentration_free,
            self.concentration_slope_ppm,
            self.concentration_cap_ppm,
            self.concentration_ramp_ppm_h,
        ]
    }

    /// Whether margin keeps its promises under these parameters.
    ///
    /// Each direction of volatility that occurs has the same undamped spot moves, 0 among them;
    /// moves stay above −100 %; weights lie in (0, 1]; no rate is negative; the initial factor is
    /// at least 1.
    pub fn is_well_formed(&self) -> bool {
        let mut grids = [-1, 0, 1].map(|direction| self.undamped_spots(direction)).to_vec();
        grids.retain(|grid| !grid.is_empty());
        let Some(first) = grids.first() else { return false };
        let sound = |s: &Scenario| {
            s.spot_ppm > -PPM
                && (1..=PPM).contains(&s.weight_ppm)
                && (-1..=1).contains(&s.vol_direction)
        };
        grids.iter().all(|grid| grid == first && grid.contains(&0))
            && self.scenarios.iter().all(sound)
            && self.scalars().iter().all(|&scalar| scalar >= 0)
            && 0 < self.vol_min_ppm
            && self.vol_min_ppm <= self.vol_max_ppm
            && self.vol_down_ppm <= PPM
            && self.initial_factor_ppm >= PPM
            && self.basis_shock_ppm < PPM / 2
            && self.concentration_free > 0
    }
}
