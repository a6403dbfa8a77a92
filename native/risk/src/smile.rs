//! The volatility smile of one expiry: eleven volatilities at fixed nodes of scaled moneyness
//! x = ln(strike/forward) / √max(T, 1 day), and whether a reported one may be used.

use crate::bounds::{DAY_S, NUMBER_LIMIT};
use crate::pricing::{
    EXPONENTIAL_BITS, LOG_BITS, Price, ROOT_BITS, YEAR_S, exponential, option_value, root_time,
    total_volatility, variance_seconds,
};
use crate::rendered::pricing_tables::VOL_SHOCK_TERM_PPM;
use crate::rounding::{PPM, clamp};

/// Volatilities in a smile.
pub const NODES: usize = 11;
/// Four times x of each node.
pub const NODE_QUARTERS: [i64; NODES] = [-16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16];
/// A place between two nodes is in units of 2^-14.
const FRACTION_BITS: u32 = 14;
/// Forward, in ticks, at which the butterfly check prices the nodes.
const CHECK_FORWARD: i64 = 1 << 24;
/// The butterfly check leaves out nodes beyond ±4.5 in ln(strike/forward).
const CHECK_DISTANCE_MAX: i64 = 9 << (LOG_BITS - 1);
/// Ticks of slack in the butterfly check.
const CHECK_SLACK: i64 = 2;
/// The calendar check spans these nodes of the nearer expiry, x = −1/2 to 1/2.
const CALENDAR: std::ops::RangeInclusive<usize> = 3..=7;
/// Bits of σ² that the calendar check leaves out.
const CALENDAR_CUT: u32 = 18;

/// ln(strike/forward) of each node in 2^-40, ascending, |.| <= 2^46.
pub fn smile_nodes(seconds_left: i64) -> [i64; NODES] {
    let seconds = seconds_left.clamp(DAY_S, NUMBER_LIMIT) as u128;
    let root = ((seconds << (2 * ROOT_BITS)) / YEAR_S as u128).isqrt() as i64; // < 2^36
    NODE_QUARTERS.map(|quarters| (quarters * root) << (LOG_BITS - ROOT_BITS - 2))
}

/// A smile ready to be read: squares of its volatilities at the nodes of its time to expiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smile {
    vols: [i64; NODES],
    squares: [u128; NODES],
    nodes: [i64; NODES],
}

impl Smile {
    /// The smile of volatilities in ppm. A missing one is 0, one past `[0, 2^32)` moved into it.
    pub fn new(vols_ppm: &[i64], seconds_left: i64) -> Self {
        let vols = std::array::from_fn(|i| {
            vols_ppm.get(i).map_or(0, |&vol| vol.clamp(0, NUMBER_LIMIT - 1))
        });
        Self { vols, squares: vols.map(square), nodes: smile_nodes(seconds_left) }
    }

    /// σ² in ppm² at ln(strike/forward) = `moneyness` (2^-40, |.| < 2^46): linear between nodes,
    /// flat beyond them.
    pub fn variance_at(&self, moneyness: i64) -> u128 {
        let right = self.nodes.partition_point(|&node| node < moneyness);
        if right == 0 {
            return self.squares[0];
        }
        if right == NODES {
            return self.squares[NODES - 1];
        }
        let (start, end) = (self.nodes[right - 1], self.nodes[right]);
        // < 2^61: a node step is below 2^47
        let place = (((moneyness - start) << FRACTION_BITS) / (end - start)) as u128;
        let rest = (1 << FRACTION_BITS) - place;
        (self.squares[right - 1] * rest + self.squares[right] * place) >> FRACTION_BITS
    }

    /// Volatility in ppm at a strike, rounded down. A zero strike lies left of every node, a zero
    /// forward leaves every strike right of them.
    pub fn vol_at(&self, forward: Price, strike: Price) -> i64 {
        if strike.ticks == 0 {
            return self.vols[0];
        }
        if forward.ticks == 0 {
            return self.vols[NODES - 1];
        }
        self.variance_at(strike.log - forward.log).isqrt() as i64
    }
}

fn square(vol: i64) -> u128 {
    vol as u128 * vol as u128
}

/// Call prices at the node strikes, and the forward at strike zero, are convex and falling.
///
/// Convexity of three neighbours, multiplied out (products < 2^56), with slack for rounding.
pub fn is_free_of_butterflies(vols_ppm: &[i64; NODES], seconds_left: i64) -> bool {
    let root = root_time(seconds_left);
    let forward = Price::new(CHECK_FORWARD);
    let (mut strike_before, mut call_before) = (0, CHECK_FORWARD);
    let mut before: Option<(i64, i64)> = None;
    for (node, vol) in smile_nodes(seconds_left).into_iter().zip(vols_ppm) {
        if node.abs() > CHECK_DISTANCE_MAX {
            continue;
        }
        let strike = (CHECK_FORWARD * exponential(node)) >> EXPONENTIAL_BITS; // < 2^61
        let call = option_value(forward, Price::new(strike), total_volatility(*vol, root), true);
        let (width, step) = (strike - strike_before, call - call_before);
        if let Some((width_before, step_before)) = before {
            let slack = CHECK_SLACK * (width_before + width);
            if step_before * width > step * width_before + slack {
                return false;
            }
        }
        before = Some((width, step));
        (strike_before, call_before) = (strike, call);
    }
    before.is_some_and(|(_, step)| step <= CHECK_SLACK)
}

/// Total variance σ²·τ at equal ln(strike/forward) does not fall from the nearer expiry on, judged
/// at the nodes of both where |x| <= 1/2 for the nearer one.
pub fn is_free_of_calendars(
    nearer_vols_ppm: &[i64],
    nearer_s: i64,
    farther_vols_ppm: &[i64],
    farther_s: i64,
) -> bool {
    let nearer = Smile::new(nearer_vols_ppm, nearer_s);
    let farther = Smile::new(farther_vols_ppm, farther_s);
    let time = |seconds| {
        let (numerator, denominator) = variance_seconds(seconds);
        (numerator / denominator) as u128
    };
    let (nearer_time, farther_time) = (time(nearer_s), time(farther_s));
    let (first, last) = (nearer.nodes[*CALENDAR.start()], nearer.nodes[*CALENDAR.end()]);
    let of_nearer = nearer.nodes[CALENDAR].iter().copied();
    let of_farther = farther.nodes.iter().map(|&node| clamp(node, first, last));
    of_nearer.chain(of_farther).all(|moneyness| {
        // σ² is cut, the farther one rounded up
        (nearer.variance_at(moneyness) >> CALENDAR_CUT) * nearer_time
            <= ((farther.variance_at(moneyness) >> CALENDAR_CUT) + 1) * farther_time
    })
}

/// Whether a reported smile may replace the last one: bounds, butterflies, calendars.
///
/// `nearer`: volatilities and seconds left of the next earlier expiry, none for the first one.
pub fn smile_is_admissible(
    vols_ppm: &[i64],
    seconds_left: i64,
    vol_min_ppm: i64,
    vol_max_ppm: i64,
    nearer: Option<(&[i64], i64)>,
) -> bool {
    let Ok(vols) = <&[i64; NODES]>::try_from(vols_ppm) else { return false };
    vols.iter().all(|vol| (vol_min_ppm..=vol_max_ppm).contains(vol))
        && is_free_of_butterflies(vols, seconds_left)
        && nearer.is_none_or(|(nearer_vols, nearer_s)| {
            is_free_of_calendars(nearer_vols, nearer_s, vols, seconds_left)
        })
}

/// Multiplier of a volatility shock, ppm, rounded down: linear between 1, 2, 4, … 1,024 days.
pub fn term_multiplier_ppm(seconds_left: i64) -> i64 {
    const LAST: usize = VOL_SHOCK_TERM_PPM.len() - 1;
    let seconds = seconds_left.clamp(DAY_S, DAY_S << LAST);
    let index = (seconds / DAY_S).ilog2() as usize;
    if index >= LAST {
        return VOL_SHOCK_TERM_PPM[LAST];
    }
    let start = DAY_S << index;
    let fall = VOL_SHOCK_TERM_PPM[index + 1] - VOL_SHOCK_TERM_PPM[index]; // |.| < 2^22
    VOL_SHOCK_TERM_PPM[index] + (fall * (seconds - start)).div_euclid(start)
}

/// Volatility of a scenario, ppm: σ·(1 + shock · multiplier) clamped to `[vol_min, vol_max]`.
///
/// `multiplier_ppm` of [`term_multiplier_ppm`]; the others in `[0, 2^32]`, the shock signed.
pub fn shocked_vol(
    vol_ppm: i64,
    shock_ppm: i64,
    multiplier_ppm: i64,
    vol_min_ppm: i64,
    vol_max_ppm: i64,
) -> i64 {
    let ppm = i128::from(PPM);
    let change = i128::from(shock_ppm) * i128::from(multiplier_ppm); // < 2^55
    let shocked = i128::from(vol_ppm) * (ppm + change.div_euclid(ppm)); // < 2^68
    let moved = shocked.div_euclid(ppm).clamp(0, i128::from(NUMBER_LIMIT)) as i64;
    clamp(moved, vol_min_ppm, vol_max_ppm)
}
