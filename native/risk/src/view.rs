//! One market at one moment, and everything that has been computed from it.
//!
//! A [`MarketView`] is a handle: clones share what they remember, and so do views that differ only
//! in concentration rates, on which no value depends. What is remembered never changes a result,
//! so a view may be kept, dropped or shared between threads without a thought.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use crate::bounds::{NEVER_S, NUMBER_LIMIT, PRICE_MAX, TIME_MAX};
use crate::instruments::{Instrument, Kind, expiry_time};
use crate::lot::RiskArray;
use crate::params::{MarketParameters, RiskParameters};
use crate::pricing::{Price, averaged_forward, option_value, root_time, total_volatility};
use crate::rounding::PPM;
use crate::smile::{NODES, Smile, shocked_vol, term_multiplier_ppm};
use crate::snapshot::{ExpiryFields, Snapshot};

/// Values of a risk array are summed in blocks of this many scenarios.
pub const LANES: usize = 8;

/// Everything that valuation needs of one market at one moment.
#[derive(Clone, Debug)]
pub struct MarketView {
    core: Arc<Core>,
    concentration_maintenance_ppm: i64,
    concentration_initial_ppm: i64,
}

#[derive(Debug)]
struct Core {
    parameters: Arc<MarketParameters>,
    snapshot: Arc<Snapshot>,
    time: i64,
    grid: Grid,
    remembered: Mutex<Remembered>,
}

/// Expiries (day 0: the perpetual) and risk arrays, each computed once.
#[derive(Debug, Default)]
struct Remembered {
    expiries: FxHashMap<u16, Arc<Expiry>>,
    arrays: FxHashMap<u64, Arc<RiskArray>>,
}

/// One scenario, ready to be valued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell {
    /// Place of its spot move in [`Grid::spots`].
    pub spot: usize,
    /// 0: volatility down, 1: as it is, 2: up.
    pub direction: usize,
    /// In `[0, 1,000,000]`.
    pub weight_ppm: i64,
}

/// Risk parameters, ready to be used: every spot move that any value needs, once.
#[derive(Debug)]
pub(crate) struct Grid {
    /// Moves, ppm, each once; the places below are places in it.
    spots: Vec<i64>,
    pub cells: Vec<Cell>,
    /// Weights of the scenarios, padded with 0 to a multiple of [`LANES`].
    pub weights: Vec<i64>,
    /// No move.
    pub still: usize,
    pub basis_up: usize,
    pub basis_down: usize,
    /// The widest gap between neighbouring undamped moves, taken as a move.
    pub spacing: usize,
    /// The deepest undamped move.
    pub lowest: usize,
}

impl Grid {
    fn new(risk: &RiskParameters) -> Self {
        let mut spots: Vec<i64> = Vec::with_capacity(risk.scenarios.len() + 5);
        let mut place = |spot: i64| {
            spots.iter().position(|&known| known == spot).unwrap_or_else(|| {
                spots.push(spot);
                spots.len() - 1
            })
        };
        let shock = risk.basis_shock_ppm;
        let (still, basis_up) = (place(0), place(shock));
        let basis_down = place(shock.saturating_neg());
        let (spacing, lowest) = (place(risk.spot_spacing_ppm()), place(risk.lowest_spot_ppm()));
        let cells: Vec<Cell> = risk
            .scenarios
            .iter()
            .map(|scenario| Cell {
                spot: place(scenario.spot_ppm),
                direction: (scenario.vol_direction.clamp(-1, 1) + 1) as usize,
                weight_ppm: scenario.weight_ppm.clamp(0, PPM),
            })
            .collect();
        let mut weights: Vec<i64> = cells.iter().map(|cell| cell.weight_ppm).collect();
        weights.resize(cells.len().next_multiple_of(LANES), 0);
        Self { spots, cells, weights, still, basis_up, basis_down, spacing, lowest }
    }
}

/// What the instruments of one expiry (or the perpetual) share.
#[derive(Debug)]
pub(crate) struct Expiry {
    /// What a move of spot scales, ticks: the forward, or the perpetual's mark.
    pub forward: Price,
    /// Mean of the prints of the settlement window, ticks; 0 for the perpetual.
    pub mean: i64,
    /// Until expiry, at least 0; [`NEVER_S`] for the perpetual.
    pub seconds_left: i64,
    /// Expected settlement price (of the perpetual its mark) after each of [`Grid::spots`].
    pub moved: Vec<Price>,
    smile: Smile,
    root: i64,
    multiplier_ppm: i64,
}

/// What the value of one instrument depends on besides the move of spot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    pub kind: Kind,
    /// Ticks, at most 2^31 − 1; 0 for linear.
    pub strike: i64,
    /// What a move of spot scales: the forward, or the perpetual's mark; ticks.
    pub forward: i64,
    /// Mean of the prints of the settlement window, ticks; 0 for the perpetual.
    pub mean: i64,
    /// Until expiry, at least 0; a perpetual never enters its window.
    pub seconds_left: i64,
    /// Total volatility with volatility down, as it is and up, 2^-24; zeros for linear.
    pub total_vols: [i64; 3],
}

impl MarketView {
    /// The market of these parameters at a snapshot (the last accepted one, or the reference), for
    /// times to expiry counted from `time`. Rates in ppm: of `margin::ramp` in maintenance margin,
    /// of `margin::concentration_rate` in initial margin.
    pub fn new(
        parameters: Arc<MarketParameters>,
        snapshot: Arc<Snapshot>,
        time: i64,
        concentration_maintenance_ppm: i64,
        concentration_initial_ppm: i64,
    ) -> Self {
        let grid = Grid::new(&parameters.risk);
        let remembered = Mutex::default();
        let core = Core { parameters, snapshot, time: time.clamp(0, TIME_MAX), grid, remembered };
        Self { core: Arc::new(core), concentration_maintenance_ppm, concentration_initial_ppm }
    }

    /// The same market with other concentration rates; it shares what this one remembers.
    #[must_use]
    pub fn with_rates(&self, maintenance_ppm: i64, initial_ppm: i64) -> Self {
        Self {
            core: Arc::clone(&self.core),
            concentration_maintenance_ppm: maintenance_ppm,
            concentration_initial_ppm: initial_ppm,
        }
    }

    /// The parameters it was made of.
    pub fn parameters(&self) -> &Arc<MarketParameters> {
        &self.core.parameters
    }

    /// The snapshot it was made of.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.core.snapshot
    }

    /// Now, for time to expiry; unix seconds.
    pub fn time(&self) -> i64 {
        self.core.time
    }

    /// Concentration rate in maintenance margin, ppm.
    pub fn concentration_maintenance_ppm(&self) -> i64 {
        self.concentration_maintenance_ppm
    }

    /// Concentration rate in initial margin, ppm.
    pub fn concentration_initial_ppm(&self) -> i64 {
        self.concentration_initial_ppm
    }

    /// The spot index in ticks, within the bounds of a price.
    pub fn index(&self) -> i64 {
        self.core.snapshot.index_price.clamp(0, PRICE_MAX)
    }

    pub(crate) fn grid(&self) -> &Grid {
        &self.core.grid
    }

    /// The reported fields of an expiry, or of its nearest earlier one, or of the first; none where
    /// nothing was reported. Expiries are sorted by day.
    pub fn expiry_fields(&self, day: i64) -> Option<&ExpiryFields> {
        let expiries = &self.core.snapshot.expiries;
        expiries.iter().rev().find(|fields| fields.day <= day).or(expiries.first())
    }

    /// index · (1 + premium), the premium clamped to the market's limit; ticks, rounded down.
    pub fn perpetual_mark(&self) -> i64 {
        let limit = self.core.parameters.premium_max_ppm.max(0);
        scaled(self.index(), self.core.snapshot.premium_ppm.clamp(-limit, limit))
    }

    /// index · (1 + basis of the expiry), ticks, rounded down.
    pub fn forward_price(&self, day: i64) -> i64 {
        scaled(self.index(), self.expiry_fields(day).map_or(0, |fields| fields.basis_ppm))
    }

    /// Mean of the settlement window's prints; the index where none was ever reported.
    pub fn window_mean(&self) -> i64 {
        match self.core.snapshot.mean {
            0 => self.index(),
            mean => mean.clamp(0, PRICE_MAX),
        }
    }

    /// Seconds until 08:00 UTC of a day, 0 from then on.
    pub fn seconds_to_expiry(&self, day: i64) -> i64 {
        expiry_time(day).saturating_sub(self.core.time).clamp(0, TIME_MAX)
    }

    /// Mark of an instrument in ticks, 0 to `PRICE_MAX`.
    ///
    /// Perpetual: index · (1 + clamped premium). Future: forward, in the last half hour the
    /// expected average. Option: Black-76 on that. From expiry until it is fixed: the mean of the
    /// window for a future, intrinsic on it for an option.
    pub fn mark(&self, instrument: Instrument) -> i64 {
        let expiry = self.expiry_in(&mut self.remembered(), instrument.expiry_day);
        Priced::new(self, &expiry, instrument).value(self.core.grid.still, 1)
    }

    /// The mark of an instrument by id; 0 for a number that is the id of nothing.
    pub fn mark_of_id(&self, id: u64) -> i64 {
        if let Some(array) = self.remembered().arrays.get(&id) {
            return array.base;
        }
        Instrument::decode(id).map_or(0, |instrument| self.mark(instrument))
    }

    /// The terms of an instrument; a strike is clamped to `PRICE_MAX` so that valuation is total.
    pub fn terms_of(&self, instrument: Instrument) -> Terms {
        let expiry = self.expiry_in(&mut self.remembered(), instrument.expiry_day);
        let priced = Priced::new(self, &expiry, instrument);
        Terms {
            kind: instrument.kind,
            strike: priced.strike.ticks,
            forward: expiry.forward.ticks,
            mean: expiry.mean,
            seconds_left: expiry.seconds_left,
            total_vols: priced.total_vols,
        }
    }

    /// Everything margin needs of one lot of an instrument, computed once.
    ///
    /// A number that is the id of nothing is worth nothing in every scenario.
    pub fn risk_array(&self, id: u64) -> Arc<RiskArray> {
        self.array_in(&mut self.remembered(), id)
    }

    /// The arrays of many instruments, in order.
    pub fn risk_arrays(&self, ids: impl IntoIterator<Item = u64>) -> Vec<Arc<RiskArray>> {
        let mut known = self.remembered();
        ids.into_iter().map(|id| self.array_in(&mut known, id)).collect()
    }

    fn array_in(&self, known: &mut Remembered, id: u64) -> Arc<RiskArray> {
        if let Some(array) = known.arrays.get(&id) {
            return Arc::clone(array);
        }
        let grid = &self.core.grid;
        let array = Arc::new(match Instrument::decode(id) {
            Ok(instrument) => {
                let expiry = self.expiry_in(known, instrument.expiry_day);
                RiskArray::new(grid, &Priced::new(self, &expiry, instrument))
            }
            Err(_) => RiskArray::worthless(grid),
        });
        known.arrays.insert(id, Arc::clone(&array));
        array
    }

    /// What is remembered is whole at every moment, so a panic elsewhere does not spoil it.
    fn remembered(&self) -> MutexGuard<'_, Remembered> {
        self.core.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiry_in(&self, known: &mut Remembered, day: u16) -> Arc<Expiry> {
        let entry = known.expiries.entry(day);
        Arc::clone(entry.or_insert_with(|| Arc::new(Expiry::new(self, day))))
    }
}

impl Expiry {
    fn new(view: &MarketView, day: u16) -> Self {
        let core = &view.core;
        let default = [core.parameters.vol_default_ppm; NODES];
        let (forward, mean, seconds_left, vols) = if day == 0 {
            (view.perpetual_mark(), 0, NEVER_S, &default[..])
        } else {
            let day = i64::from(day);
            let vols = view.expiry_fields(day).map_or(&default[..], |fields| &fields.vols_ppm);
            (view.forward_price(day), view.window_mean(), view.seconds_to_expiry(day), vols)
        };
        let moved =
            |&spot: &i64| Price::new(averaged_forward(mean, scaled(forward, spot), seconds_left));
        Self {
            forward: Price::new(forward),
            mean,
            seconds_left,
            moved: core.grid.spots.iter().map(moved).collect(),
            smile: Smile::new(vols, seconds_left),
            root: root_time(seconds_left),
            multiplier_ppm: term_multiplier_ppm(seconds_left),
        }
    }
}

/// One instrument of one expiry, ready to be valued.
pub(crate) struct Priced<'a> {
    pub instrument: Instrument,
    pub expiry: &'a Expiry,
    pub strike: Price,
    pub total_vols: [i64; 3],
}

impl<'a> Priced<'a> {
    fn new(view: &MarketView, expiry: &'a Expiry, instrument: Instrument) -> Self {
        if instrument.is_linear() {
            return Self { instrument, expiry, strike: Price::new(0), total_vols: [0; 3] };
        }
        let parameters = &view.core.parameters;
        let risk = &parameters.risk;
        let tick = parameters.strike_tick.clamp(0, NUMBER_LIMIT);
        let strike = Price::new(i64::from(instrument.strike).saturating_mul(tick));
        // sticky strike: the smile is read once, at the forward before any move of spot
        let vol = expiry.smile.vol_at(expiry.forward, strike);
        let shocks = [risk.vol_down_ppm.saturating_neg(), 0, risk.vol_up_ppm];
        let total_vols = shocks.map(|shock| {
            let shock = shock.clamp(-NUMBER_LIMIT, NUMBER_LIMIT);
            let (low, high) = (risk.vol_min_ppm, risk.vol_max_ppm);
            let shocked = shocked_vol(vol, shock, expiry.multiplier_ppm, low, high);
            total_volatility(shocked.clamp(0, NUMBER_LIMIT), expiry.root)
        });
        Self { instrument, expiry, strike, total_vols }
    }

    /// Value of one lot, ticks, after one of [`Grid::spots`] and with a direction of volatility.
    #[inline]
    pub fn value(&self, spot: usize, direction: usize) -> i64 {
        let forward = self.expiry.moved[spot];
        match self.instrument.kind {
            Kind::Perpetual | Kind::Future => forward.ticks,
            kind => {
                let total_vol = self.total_vols[direction];
                option_value(forward, self.strike, total_vol, kind == Kind::Call)
            }
        }
    }
}

/// price · (1 + rate), rounded down, in `[0, PRICE_MAX]`; price in `[0, 2^31)`, any rate.
fn scaled(price: i64, rate_ppm: i64) -> i64 {
    let product = i128::from(price) * (i128::from(PPM) + i128::from(rate_ppm));
    product.div_euclid(i128::from(PPM)).clamp(0, i128::from(PRICE_MAX)) as i64
}
