//! The margin of one holder in one underlying, kept up to date.
//!
//! Everything that margin needs is a sum over positions: the profit in every scenario, and for each
//! charge the sums it is a function of. A change of one position takes its old part out of the sums
//! and puts its new part in, so margin after it costs the same however many positions there are.
//! Long options are summed apart from the rest, because margin is capped by what the rest would
//! need alone.

use std::sync::Arc;

use crate::bounds::{NUMBER_LIMIT, QUANTITY_LIMIT};
use crate::lot::RiskArray;
use crate::margin::{Holding, Margin};
use crate::rounding::{PPM, div_up, ppm_up};
use crate::view::MarketView;

/// While the lots of a portfolio number at most 2^32 its scenario profits fit 64 bits: the value of
/// a lot changes by less than 2^31.
const NARROW_LOTS_MAX: i128 = 1 << 32;

/// One unsettled position.
#[derive(Clone, Debug)]
struct Line {
    id: u64,
    quantity: i64,
    array: Arc<RiskArray>,
}

/// A portfolio whose positions change one by one. Clones are independent of each other.
#[derive(Clone, Debug)]
pub struct Portfolio {
    view: MarketView,
    /// Sorted by id.
    lines: Vec<Line>,
    /// Value of the settled holdings it was made with.
    settled: i128,
    sums: Sums,
}

/// One half of a portfolio: the long options, or everything else.
#[derive(Clone, Debug, Default)]
struct Half {
    /// Profit in each scenario mod 2^64.
    profits: Vec<i64>,
    /// Σ of the worst loss of each position by itself.
    exposure: i128,
}

/// Sums over the positions of one expiry; those of two are (the rest, long options).
#[derive(Clone, Copy, Debug, Default)]
struct ExpirySums {
    day: u16,
    lines: u32,
    basis: [i128; 2],
    vega: [i128; 2],
    sag: i128,
    highest: i128,
    reach: i128,
}

#[derive(Clone, Debug, Default)]
struct Sums {
    value: i128,
    /// Σ|quantity| of live positions.
    lots: i128,
    /// Lots of short options.
    short_lots: i128,
    /// Positions in long options, and what they are worth.
    long_lines: u32,
    long_value: i128,
    linear_reach: i128,
    short_reach: i128,
    long_reach: i128,
    /// The rest, long options.
    halves: [Half; 2],
    expiries: Vec<ExpirySums>,
}

const REST: usize = 0;
const LONG: usize = 1;

impl Sums {
    fn new(lanes: usize) -> Self {
        let half = Half { profits: vec![0; lanes], exposure: 0 };
        Self { halves: [half.clone(), half], ..Self::default() }
    }

    /// Puts a position in (`sign` 1) or takes it out (−1).
    fn count(&mut self, array: &RiskArray, quantity: i64, sign: i64) {
        let lots = i128::from(quantity * sign); // |quantity| <= 2^40
        self.value += lots * i128::from(array.base);
        if !array.is_live() {
            return;
        }
        let magnitude = if quantity < 0 { -lots } else { lots };
        let reach = lots * i128::from(array.spacing);
        self.lots += magnitude;
        let expiry = self.expiry(array.expiry_day);
        expiry.lines = expiry.lines.wrapping_add_signed(sign as i32);
        let mut part = REST;
        if !array.is_option {
            self.linear_reach += reach;
        } else if quantity < 0 {
            self.short_lots += magnitude;
            self.short_reach -= reach;
        } else {
            part = LONG;
            expiry.sag += lots * i128::from(array.sag);
            expiry.highest += lots * i128::from(array.highest);
            expiry.reach += reach;
            self.long_reach += reach;
            self.long_value += lots * i128::from(array.base);
            self.long_lines = self.long_lines.wrapping_add_signed(sign as i32);
        }
        let expiry = self.expiry(array.expiry_day);
        expiry.basis[part] += lots * i128::from(array.basis);
        expiry.vega[part] += lots * i128::from(array.vega);
        if expiry.lines == 0 {
            self.expiries.retain(|expiry| expiry.lines != 0);
        }
        let half = &mut self.halves[part];
        half.exposure += array.worst_loss(quantity) * i128::from(sign);
        add_profits(&mut half.profits, &array.changes, quantity * sign);
    }
}

/// profits += quantity · changes mod 2^64: whatever passes 64 bits on the way, a sum that fits them
/// in the end is right.
#[inline]
fn add_profits(profits: &mut [i64], changes: &[i32], quantity: i64) {
    for (profit, &change) in profits.iter_mut().zip(changes) {
        *profit = profit.wrapping_add(quantity.wrapping_mul(i64::from(change)));
    }
}

impl Sums {
    fn expiry(&mut self, day: u16) -> &mut ExpirySums {
        let place = self.expiries.iter().position(|expiry| expiry.day == day);
        let place = place.unwrap_or_else(|| {
            self.expiries.push(ExpirySums { day, ..ExpirySums::default() });
            self.expiries.len() - 1
        });
        &mut self.expiries[place]
    }

    /// Worst weighted loss over the scenarios, of everything or of the rest; at least 0. Only
    /// while the sums are narrow.
    fn narrow_grid_loss(&self, weights: &[i64], everything: bool) -> i128 {
        let [rest, long] = &self.halves;
        let other = if everything { &long.profits } else { &rest.profits };
        let mut worst = 0_u128;
        for ((&profit, &more), &weight) in rest.profits.iter().zip(other).zip(weights) {
            let profit = if everything { profit + more } else { profit };
            worst = worst.max(u128::from(profit.min(0).unsigned_abs()) * weight as u128);
        }
        // rounding up is monotone: the largest product has the largest weighted loss
        div_up(worst as i128, i128::from(PPM))
    }

    /// Charges on what scenarios move together (basis, vega), of everything or of the rest.
    fn cross_expiry(&self, vega_offset_ppm: i64, everything: bool) -> i128 {
        let sum = |[rest, long]: [i128; 2]| if everything { rest + long } else { rest };
        let basis = offset(self.expiries.iter().map(|expiry| sum(expiry.basis)));
        let vega = offset(self.expiries.iter().map(|expiry| sum(expiry.vega)));
        div_up(basis, 2) + ppm_up(vega, vega_offset_ppm)
    }

    /// What scenarios miss between their spot moves: long options sag by at most their sag, or
    /// lose at most their value while everything else moves by at most its reach.
    fn between_nodes(&self) -> i128 {
        let elsewhere = self.short_reach + self.linear_reach.abs() + self.long_reach;
        let charge =
            |expiry: &ExpirySums| expiry.sag.min(expiry.highest + elsewhere - expiry.reach);
        self.expiries.iter().map(charge).sum()
    }
}

/// (Σ|x| − |Σ x|) / 2: the part of the exposures that is set against each other; exact.
fn offset(exposures: impl Iterator<Item = i128>) -> i128 {
    let (mut long, mut net) = (0, 0);
    for exposure in exposures {
        long += exposure.max(0);
        net += exposure;
    }
    long.min(long - net)
}

impl Portfolio {
    /// The portfolio of some holdings at a view. Settled holdings have value only.
    ///
    /// Quantities are moved into ±2^40 lots. Where one instrument occurs more than once each
    /// occurrence is a position of its own; `set` then changes only one of them.
    pub fn new(view: &MarketView, holdings: &[Holding]) -> Self {
        let mut settled = 0;
        let mut live: Vec<(u64, i64)> = Vec::with_capacity(holdings.len());
        for holding in holdings {
            let quantity = bounded(holding.quantity);
            match holding.settlement {
                Some(price) => settled += i128::from(quantity) * i128::from(price),
                None => live.push((holding.instrument, quantity)),
            }
        }
        live.sort_by_key(|&(id, _)| id);
        let arrays = view.risk_arrays(live.iter().map(|&(id, _)| id));
        let lines = live.into_iter().zip(arrays);
        let lines = lines.map(|((id, quantity), array)| Line { id, quantity, array }).collect();
        let mut portfolio =
            Self { view: view.clone(), lines, settled, sums: Sums::new(view.grid().weights.len()) };
        portfolio.sum_up();
        portfolio
    }

    fn sum_up(&mut self) {
        for Line { quantity, array, .. } in &self.lines {
            self.sums.count(array, *quantity, 1);
        }
    }

    /// The view that it is valued at.
    pub fn view(&self) -> &MarketView {
        &self.view
    }

    /// Instrument and lots of every unsettled position, sorted by instrument.
    pub fn positions(&self) -> impl Iterator<Item = (u64, i64)> + '_ {
        self.lines.iter().map(|line| (line.id, line.quantity))
    }

    /// The lots of an instrument; 0 where there is no position in it.
    pub fn quantity(&self, id: u64) -> i64 {
        self.place(id).map_or(0, |place| self.lines[place].quantity)
    }

    /// Makes the position in an instrument so many lots (0: none); returns what it was.
    pub fn set(&mut self, id: u64, quantity: i64) -> i64 {
        let quantity = bounded(quantity);
        match self.place(id) {
            Ok(place) => {
                let line = &mut self.lines[place];
                let before = std::mem::replace(&mut line.quantity, quantity);
                self.sums.count(&line.array, before, -1);
                if quantity == 0 {
                    self.lines.remove(place);
                } else {
                    self.sums.count(&line.array, quantity, 1);
                }
                before
            }
            Err(place) => {
                if quantity != 0 {
                    let array = self.view.risk_array(id);
                    self.sums.count(&array, quantity, 1);
                    self.lines.insert(place, Line { id, quantity, array });
                }
                0
            }
        }
    }

    /// Values everything at another view of the same market.
    pub fn move_to(&mut self, view: &MarketView) {
        let arrays = view.risk_arrays(self.lines.iter().map(|line| line.id));
        for (line, array) in self.lines.iter_mut().zip(arrays) {
            line.array = array;
        }
        self.view = view.clone();
        self.sums = Sums::new(view.grid().weights.len());
        self.sum_up();
    }

    /// Value and margins now.
    pub fn margin(&self) -> Margin {
        self.margin_of(&self.sums)
    }

    /// Value and margins if the position in an instrument were so many lots.
    pub fn margin_with(&self, id: u64, quantity: i64) -> Margin {
        let quantity = bounded(quantity);
        let lots_bound = self.sums.lots + i128::from(quantity).abs();
        if lots_bound > NARROW_LOTS_MAX {
            let mut changed = self.clone();
            changed.set(id, quantity);
            return changed.margin();
        }
        let mut sums = self.sums.clone();
        match self.place(id) {
            Ok(place) => {
                let line = &self.lines[place];
                sums.count(&line.array, line.quantity, -1);
                sums.count(&line.array, quantity, 1);
            }
            Err(_) => sums.count(&self.view.risk_array(id), quantity, 1),
        }
        self.margin_of(&sums)
    }

    fn place(&self, id: u64) -> Result<usize, usize> {
        self.lines.binary_search_by_key(&id, |line| line.id)
    }

    fn margin_of(&self, sums: &Sums) -> Margin {
        let (mut maintenance, mut initial) = self.requirements(sums, true);
        let long = sums.long_value;
        if sums.long_lines > 0 && long < maintenance.max(initial) {
            let (rest_maintenance, rest_initial) = self.requirements(sums, false);
            maintenance = maintenance.min(long + rest_maintenance);
            initial = initial.min(long + rest_initial);
        }
        Margin { value: self.settled + sums.value, maintenance, initial }
    }

    /// (maintenance, initial) before the cap, of everything or of the rest: what is not long
    /// options.
    fn requirements(&self, sums: &Sums, everything: bool) -> (i128, i128) {
        let risk = &self.view.parameters().risk;
        let [rest, long] = &sums.halves;
        let exposure = rest.exposure + if everything { long.exposure } else { 0 };
        let short_notional = sums.short_lots * i128::from(self.view.index());
        let between = if everything { sums.between_nodes() } else { 0 };
        let common = self.grid_loss(sums, everything)
            + ppm_up(short_notional, rate(risk.short_option_minimum_ppm))
            + sums.cross_expiry(rate(risk.vega_offset_ppm), everything)
            + between;
        let concentration = |ppm| ppm_up(exposure, rate(ppm));
        let maintenance = common + concentration(self.view.concentration_maintenance_ppm());
        let undiminished = common + concentration(self.view.concentration_initial_ppm());
        (maintenance, ppm_up(undiminished, rate(risk.initial_factor_ppm)))
    }

    /// Worst weighted loss over the scenarios; where the sums may have passed 64 bits, from the
    /// positions.
    fn grid_loss(&self, sums: &Sums, everything: bool) -> i128 {
        let weights = &self.view.grid().weights;
        if sums.lots <= NARROW_LOTS_MAX {
            return sums.narrow_grid_loss(weights, everything);
        }
        let counted = |line: &&Line| everything || line.quantity < 0 || !line.array.is_option;
        let mut profits = vec![0_i128; weights.len()];
        for line in self.lines.iter().filter(counted).filter(|line| line.array.is_live()) {
            for (profit, &change) in profits.iter_mut().zip(&line.array.changes) {
                *profit += i128::from(line.quantity) * i128::from(change); // < 2^71
            }
        }
        let losses = profits.iter().map(|profit| -(*profit).min(0));
        let products = losses.zip(weights).map(|(loss, &weight)| loss * i128::from(weight));
        div_up(products.max().unwrap_or(0), i128::from(PPM))
    }
}

/// A rate of the parameters, moved into the bound that they are checked for.
fn rate(ppm: i64) -> i64 {
    ppm.clamp(0, NUMBER_LIMIT)
}

fn bounded(quantity: i64) -> i64 {
    quantity.clamp(-QUANTITY_LIMIT, QUANTITY_LIMIT)
}
