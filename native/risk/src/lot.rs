//! The risk of one lot of one instrument: its value in every scenario, and how far it can sag
//! between two of them.

use crate::pricing::VOL_BITS;
use crate::rendered::between_nodes_table::{SAG_SHARE, SAG_TAIL, STEP_BITS};
use crate::rounding::ppm_up;
use crate::view::{Grid, Priced};

/// What margin needs of one lot of one instrument at one view; ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RiskArray {
    /// The mark, in `[0, 2^31)`.
    pub base: i64,
    /// Value in each scenario minus the mark, unweighted; padded with 0 to a multiple of
    /// [`LANES`](crate::view::LANES).
    pub changes: Box<[i32]>,
    /// 0: perpetual.
    pub expiry_day: u16,
    /// Whether it is a call or a put.
    pub is_option: bool,
    /// Value with the forward up by the basis shock minus value with it down; signed.
    pub basis: i64,
    /// Value with volatility up minus the mark, signed.
    pub vega: i64,
    /// The highest of the values with volatility down, as it is and up.
    pub highest: i64,
    /// The widest move of the forward between neighbouring scenarios; 0: nothing moves it.
    pub spacing: i64,
    /// How far a long lot can sag under the line between neighbours; 0 for linear.
    pub sag: i64,
    /// Worst weighted loss of a long lot, at least 0.
    pub worst_long: i64,
    /// Worst weighted loss of a short lot, at least 0.
    pub worst_short: i64,
}

impl RiskArray {
    pub(crate) fn new(grid: &Grid, priced: &Priced<'_>) -> Self {
        let [down, base, up] = [0, 1, 2].map(|direction| priced.value(grid.still, direction));
        let mut changes = vec![0_i32; grid.weights.len()];
        let (mut worst_long, mut worst_short) = (0, 0);
        for (cell, slot) in grid.cells.iter().zip(&mut changes) {
            // both values lie in [0, 2^31)
            let change = priced.value(cell.spot, cell.direction) - base;
            *slot = change as i32;
            let weighted = change.abs() * cell.weight_ppm; // < 2^51
            let worst = if change < 0 { &mut worst_long } else { &mut worst_short };
            *worst = weighted.max(*worst);
        }
        let spacing = spacing(grid, priced);
        Self {
            base,
            changes: changes.into_boxed_slice(),
            expiry_day: priced.instrument.expiry_day,
            is_option: priced.instrument.is_option(),
            basis: priced.value(grid.basis_up, 1) - priced.value(grid.basis_down, 1),
            vega: up - base,
            highest: down.max(base).max(up),
            spacing,
            sag: sag(grid, priced, spacing),
            // the roundings are monotone, so the largest product has the largest loss
            worst_long: ppm_up(worst_long.into(), 1) as i64,
            worst_short: ppm_up(worst_short.into(), 1) as i64,
        }
    }

    /// The array of something that is worth nothing and does not move.
    pub(crate) fn worthless(grid: &Grid) -> Self {
        Self {
            base: 0,
            changes: vec![0; grid.weights.len()].into_boxed_slice(),
            expiry_day: 0,
            is_option: false,
            basis: 0,
            vega: 0,
            highest: 0,
            spacing: 0,
            sag: 0,
            worst_long: 0,
            worst_short: 0,
        }
    }

    /// Whether a move of spot or volatility can still change its value: not from expiry on.
    #[inline]
    pub fn is_live(&self) -> bool {
        self.spacing != 0
    }

    /// Worst weighted loss of so many lots by themselves, micro-USDC, at least 0.
    #[inline]
    pub fn worst_loss(&self, quantity: i64) -> i128 {
        let worst = if quantity >= 0 { self.worst_long } else { self.worst_short };
        i128::from(quantity).abs() * i128::from(worst)
    }
}

/// The widest move of the forward between neighbouring undamped scenarios, ticks, and one more for
/// rounding: a move is proportional to the spot move, of which only what is still to come of the
/// settlement average moves.
fn spacing(grid: &Grid, priced: &Priced<'_>) -> i64 {
    let moved = &priced.expiry.moved;
    match priced.expiry.seconds_left {
        0 => 0,
        _ => (moved[grid.spacing].ticks - moved[grid.still].ticks).max(0) + 1,
    }
}

/// How far a long option lot can sag under the line between neighbouring scenarios, ticks: the
/// spacing times a share that falls with the deviation at the lowest scenario, volatility down, and
/// two ticks for the rounding of the values compared.
fn sag(grid: &Grid, priced: &Priced<'_>, spacing: i64) -> i64 {
    if priced.instrument.is_linear() || spacing == 0 {
        return 0;
    }
    let lowest = priced.expiry.moved[grid.lowest].ticks;
    let deviation = priced.total_vols[0] * lowest / spacing; // < 2^56
    let share = spacing * sag_share(deviation); // < 2^53
    let one = 1 << VOL_BITS;
    (share + one - 1) / one + 2
}

/// Largest sag under the line between two scenarios over their spacing; 2^-24, rounded up.
///
/// `deviation`: standard deviation of the forward over the spacing, 2^-24, in `[0, 2^56]`.
pub fn sag_share(deviation: i64) -> i64 {
    let step = VOL_BITS - STEP_BITS;
    let deviation = deviation.max(0);
    let row = (deviation >> step) as usize;
    if row >= SAG_SHARE.len() - 1 {
        let tail = SAG_TAIL << VOL_BITS; // < 2^44
        return tail / deviation + i64::from(tail % deviation != 0);
    }
    let part = deviation & ((1 << step) - 1);
    SAG_SHARE[row] - (((SAG_SHARE[row] - SAG_SHARE[row + 1]) * part) >> step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fall_from_a_quarter_without_a_jump() {
        assert_eq!(sag_share(0), 1 << (VOL_BITS - 2));
        let mut before = sag_share(0);
        for step in 1..5_000 {
            let share = sag_share(step << 13);
            assert!(share <= before && before - share < 1 << 13, "{step}");
            before = share;
        }
        assert_eq!(sag_share(i64::MAX), 1);
        assert_eq!(sag_share(i64::MIN), sag_share(0));
    }
}
