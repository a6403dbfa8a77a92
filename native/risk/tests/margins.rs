//! Portfolios against the charges written out as the law states them, and every function at fields
//! that no state of the law can hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use novate_risk::bounds::PRICE_MAX;
use novate_risk::instruments::expiry_time;
use novate_risk::lot::sag_share;
use novate_risk::smile::{NODES, smile_is_admissible};
use novate_risk::{
    ExpiryFields, Holding, Instrument, Kind, Margin, MarketParameters, MarketView, Portfolio,
    RiskArray, RiskParameters, Scenario, Snapshot, concentration_rate, portfolio_margin, ramp,
    worst_loss,
};

const DAYS: [u16; 3] = [2_500, 2_507, 2_600];
const PPM: i128 = 1_000_000;

/// Numbers of a generator that needs no crate (Marsaglia's xorshift64).
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[(self.next() % from.len() as u64) as usize]
    }

    /// In `[-size, size]`.
    fn signed(&mut self, size: i64) -> i64 {
        (self.next() % (2 * size as u64 + 1)) as i64 - size
    }
}

fn scenarios() -> Vec<Scenario> {
    let mut found = Vec::new();
    for step in -4..=4 {
        for vol_direction in -1..=1 {
            found.push(Scenario { spot_ppm: 40_000 * step, vol_direction, weight_ppm: 1_000_000 });
        }
    }
    for (spot_ppm, weight_ppm) in [(-660_000, 240_000), (500_000, 320_000), (5_000_000, 32_000)] {
        found.push(Scenario { spot_ppm, vol_direction: 1, weight_ppm });
    }
    found
}

fn parameters() -> MarketParameters {
    MarketParameters {
        symbol: "BTC".into(),
        price_decimals: 2,
        strike_tick: 100,
        strike_step: 1,
        horizon_days: 400,
        band_ppm: 50_000,
        gap_s: 60,
        halt_jump_ppm: 50_000,
        halt_drift_ppm_s: 100,
        funding_rate_max_ppm: 10_000,
        premium_max_ppm: 5_000,
        vol_default_ppm: 600_000,
        penalty_ppm: 50_000,
        close_penalty_ppm: 10_000,
        fund_inventory_max: 1_000,
        deleverage_cap_ppm: 100_000,
        risk: RiskParameters {
            scenarios: scenarios(),
            vol_up_ppm: 500_000,
            vol_down_ppm: 250_000,
            vol_min_ppm: 50_000,
            vol_max_ppm: 5_000_000,
            initial_factor_ppm: 1_300_000,
            short_option_minimum_ppm: 10_000,
            basis_shock_ppm: 10_000,
            vega_offset_ppm: 250_000,
            concentration_free: 2_000_000_000_000_000,
            concentration_slope_ppm: 100_000,
            concentration_cap_ppm: 500_000,
            concentration_ramp_ppm_h: 36_000,
        },
    }
}

fn view(index_price: i64, seconds_left: i64) -> MarketView {
    let time = expiry_time(i64::from(DAYS[0])) - seconds_left;
    let fields = |(place, day): (i64, u16)| ExpiryFields {
        day: i64::from(day),
        basis_ppm: 900 * place,
        vols_ppm: [9, 8, 7, 65, 62, 60, 61, 63, 70, 8, 9]
            .map(|vol| if vol < 10 { vol * 100_000 } else { vol * 10_000 })
            .to_vec(),
    };
    let snapshot = Snapshot {
        time,
        index_price,
        premium_ppm: 300,
        mean: index_price + 70,
        expiries: (0..).zip(DAYS).map(fields).collect(),
    };
    MarketView::new(Arc::new(parameters()), Arc::new(snapshot), time, 3_000, 40_000)
}

fn menu() -> Vec<u64> {
    let mut found =
        vec![Instrument { underlying: 0, expiry_day: 0, kind: Kind::Perpetual, strike: 0 }];
    for expiry_day in DAYS {
        found.push(Instrument { underlying: 0, expiry_day, kind: Kind::Future, strike: 0 });
        for kind in [Kind::Call, Kind::Put] {
            for strike in [70_000, 95_000, 100_000, 103_000, 130_000] {
                found.push(Instrument { underlying: 0, expiry_day, kind, strike });
            }
        }
    }
    found.into_iter().map(|instrument| instrument.encode().unwrap()).collect()
}

/// Rounded up.
fn ppm(amount: i128, rate: i64) -> i128 {
    -(-amount * i128::from(rate)).div_euclid(PPM)
}

type Lines = Vec<(i128, Arc<RiskArray>)>;

/// (Σ|x| − |Σ x|) of the sums of `of` by expiry: twice what is set against each other.
fn offset_twice(lines: &Lines, of: impl Fn(&RiskArray) -> i64) -> i128 {
    let mut sums: BTreeMap<u16, i128> = BTreeMap::new();
    for (lots, array) in lines {
        *sums.entry(array.expiry_day).or_default() += lots * i128::from(of(array));
    }
    sums.values().map(|x| x.abs()).sum::<i128>() - sums.values().sum::<i128>().abs()
}

fn between_nodes(lines: &Lines) -> i128 {
    let reach = |(lots, array): &(i128, Arc<RiskArray>)| lots * i128::from(array.spacing);
    let is_long = |(lots, array): &(i128, Arc<RiskArray>)| array.is_option && *lots > 0;
    let linear: i128 = lines.iter().filter(|(_, array)| !array.is_option).map(reach).sum();
    let options = lines.iter().filter(|(_, array)| array.is_option);
    let all: i128 = linear.abs() + options.map(|line| reach(line).abs()).sum::<i128>();
    let charge = |day: u16| {
        let of_day = |line: &&(i128, Arc<RiskArray>)| is_long(line) && line.1.expiry_day == day;
        let sum = |of: fn(&RiskArray) -> i64| -> i128 {
            lines.iter().filter(of_day).map(|(lots, array)| lots * i128::from(of(array))).sum()
        };
        sum(|array| array.sag).min(sum(|array| array.highest) + all - sum(|array| array.spacing))
    };
    DAYS.into_iter().map(charge).sum()
}

/// (maintenance, initial) before the cap.
fn requirements(view: &MarketView, lines: &Lines) -> (i128, i128) {
    let risk = &view.parameters().risk;
    let loss = |(place, scenario): (usize, &Scenario)| {
        let of_line =
            |(lots, array): &(i128, Arc<RiskArray>)| lots * i128::from(array.changes[place]);
        let profit: i128 = lines.iter().map(of_line).sum();
        ppm((-profit).max(0), scenario.weight_ppm)
    };
    let grid = risk.scenarios.iter().enumerate().map(loss).max().unwrap();
    let shorts = lines.iter().filter(|(lots, array)| array.is_option && *lots < 0);
    let short_lots: i128 = shorts.map(|(lots, _)| -lots).sum();
    let common = grid
        + ppm(short_lots * i128::from(view.index()), risk.short_option_minimum_ppm)
        + (offset_twice(lines, |array| array.basis) / 2 + 1) / 2
        + ppm(offset_twice(lines, |array| array.vega) / 2, risk.vega_offset_ppm)
        + between_nodes(lines);
    let exposure: i128 = lines.iter().map(|(lots, array)| array.worst_loss(*lots as i64)).sum();
    let maintenance = common + ppm(exposure, view.concentration_maintenance_ppm());
    let undiminished = common + ppm(exposure, view.concentration_initial_ppm());
    (maintenance, ppm(undiminished, risk.initial_factor_ppm))
}

/// The margin rule in its own words, every sum anew.
fn margin_as_stated(view: &MarketView, positions: &BTreeMap<u64, i64>) -> Margin {
    let array = |(&id, &lots): (&u64, &i64)| (i128::from(lots), view.risk_array(id));
    let all: Lines = positions.iter().filter(|(_, lots)| **lots != 0).map(array).collect();
    let value = all.iter().map(|(lots, array)| lots * i128::from(array.base)).sum();
    let live: Lines = all.into_iter().filter(|(_, array)| array.is_live()).collect();
    let (long, rest): (Lines, Lines) =
        live.iter().cloned().partition(|(lots, array)| array.is_option && *lots > 0);
    let worth: i128 = long.iter().map(|(lots, array)| lots * i128::from(array.base)).sum();
    let (maintenance, initial) = requirements(view, &live);
    let (rest_maintenance, rest_initial) = requirements(view, &rest);
    Margin {
        value,
        maintenance: maintenance.min(worth + rest_maintenance),
        initial: initial.min(worth + rest_initial),
    }
}

#[test]
fn changes_one_by_one_keep_the_margin_as_stated() {
    let menu = menu();
    for seed in 1..=4 {
        let mut source = Source(0x9E37_79B9_7F4A_7C15 ^ seed);
        let mut market = view(10_000_000, 86_400);
        let mut portfolio = Portfolio::new(&market, &[]);
        let mut positions = BTreeMap::new();
        let mut few = menu.clone();
        for step in 0..2_000 {
            if step % 20 == 0 {
                // a portfolio of few positions, where caps and second bounds bind
                positions.keys().for_each(|&id| _ = portfolio.set(id, 0));
                positions.clear();
                few = (0..2 + source.next() % 8).map(|_| source.pick(&menu)).collect();
            }
            let id = source.pick(&few);
            let size = source.pick(&[0, 3, 40, 5_000, i64::from(i32::MAX)]);
            let quantity = source.signed(size);
            let what_if = portfolio.margin_with(id, quantity);
            assert_eq!(portfolio.quantity(id), positions.get(&id).copied().unwrap_or(0));
            portfolio.set(id, quantity);
            positions.insert(id, quantity);
            assert_eq!(portfolio.margin(), what_if, "seed {seed} step {step}");
            assert_eq!(what_if, margin_as_stated(&market, &positions), "seed {seed} step {step}");
            if step % 50 == 30 {
                market = view(source.next() as i64 & 0x3FFF_FFFF, source.pick(&[86_400, 900, 0]));
                portfolio.move_to(&market);
                assert_eq!(portfolio.margin(), margin_as_stated(&market, &positions));
            }
        }
        let holdings: Vec<Holding> = portfolio
            .positions()
            .map(|(instrument, quantity)| Holding { instrument, quantity, settlement: None })
            .collect();
        assert_eq!(portfolio_margin(&market, &holdings), portfolio.margin());
        assert_eq!(portfolio.view().time(), market.time());
    }
}

#[test]
fn views_that_differ_in_rates_share_what_they_remember() {
    let market = view(10_000_000, 86_400);
    let id = menu()[2];
    let array = market.risk_array(id);
    let other = market.with_rates(0, 0);
    assert!(Arc::ptr_eq(&array, &other.risk_array(id)));
    let held = [Holding { instrument: id, quantity: -9, settlement: None }];
    let [now, free] = [&market, &other].map(|view| portfolio_margin(view, &held));
    let charge = |rate| ppm(worst_loss(&market, id, -9), rate);
    assert_eq!(now.maintenance - free.maintenance, charge(3_000));
    assert_eq!(other.mark_of_id(id), array.base);
}

const ODD: [i64; 12] = [
    i64::MIN,
    i64::MIN + 1,
    -1_000_001,
    -1,
    0,
    1,
    1_000_000,
    PRICE_MAX,
    PRICE_MAX + 1,
    1 << 40,
    i64::MAX - 1,
    i64::MAX,
];

fn odd_view(source: &mut Source) -> MarketView {
    let mut odd = || source.pick(&ODD);
    let mut parameters = parameters();
    parameters.strike_tick = odd();
    parameters.premium_max_ppm = odd();
    parameters.vol_default_ppm = odd();
    parameters.risk = RiskParameters {
        scenarios: (0..odd().rem_euclid(7))
            .map(|_| Scenario { spot_ppm: odd(), vol_direction: odd(), weight_ppm: odd() })
            .collect(),
        vol_up_ppm: odd(),
        vol_down_ppm: odd(),
        vol_min_ppm: odd(),
        vol_max_ppm: odd(),
        initial_factor_ppm: odd(),
        short_option_minimum_ppm: odd(),
        basis_shock_ppm: odd(),
        vega_offset_ppm: odd(),
        concentration_free: odd(),
        concentration_slope_ppm: odd(),
        concentration_cap_ppm: odd(),
        concentration_ramp_ppm_h: odd(),
    };
    let expiries = (0..odd().rem_euclid(4)).map(|_| ExpiryFields {
        day: odd(),
        basis_ppm: odd(),
        vols_ppm: (0..odd().rem_euclid(14)).map(|_| odd()).collect(),
    });
    let expiries = expiries.collect();
    let snapshot =
        Snapshot { time: odd(), index_price: odd(), premium_ppm: odd(), mean: odd(), expiries };
    let (time, maintenance, initial) = (odd(), odd(), odd());
    MarketView::new(Arc::new(parameters), Arc::new(snapshot), time, maintenance, initial)
}

#[test]
fn everything_returns_whatever_the_fields_hold() {
    let mut source = Source(77);
    let menu = menu();
    for _ in 0..3_000 {
        let market = odd_view(&mut source);
        let mut ids: Vec<u64> = (0..4).map(|_| source.pick(&menu)).collect();
        ids.push(source.next());
        let holdings: Vec<Holding> = ids
            .iter()
            .map(|&instrument| Holding {
                instrument,
                quantity: source.pick(&ODD),
                settlement: source.next().is_multiple_of(4).then(|| source.pick(&ODD)),
            })
            .collect();
        let margin = portfolio_margin(&market, &holdings);
        assert!(margin.maintenance >= 0 && margin.initial >= 0);
        let mut portfolio = Portfolio::new(&market, &holdings);
        portfolio.margin_with(ids[0], source.pick(&ODD));
        portfolio.set(ids[0], source.pick(&ODD));
        for &id in &ids {
            assert!((0..=PRICE_MAX).contains(&market.mark_of_id(id)));
            assert_eq!(market.risk_array(id).base, market.mark_of_id(id));
            assert!(worst_loss(&market, id, source.pick(&ODD)) >= 0);
        }
        let [a, b, c] = [0; 3].map(|_| source.pick(&ODD));
        concentration_rate(market.parameters(), i128::from(a) * i128::from(b), c);
        ramp(a, b, c, market.parameters());
        sag_share(a);
        market.parameters().risk.is_well_formed();
        let vols = [0; NODES].map(|_| source.pick(&ODD));
        let nearer = [0; NODES].map(|_| source.pick(&ODD));
        smile_is_admissible(&vols, a, i64::MIN, i64::MAX, Some((&nearer, b)));
    }
}

#[test]
fn instruments_that_are_not_canonical_have_a_mark_too() {
    let market = view(10_000_000, 86_400);
    for kind in [Kind::Perpetual, Kind::Future, Kind::Call, Kind::Put] {
        for (expiry_day, strike) in [(0, 0), (0, u32::MAX), (u16::MAX, u32::MAX), (2_500, 0)] {
            let mark = market.mark(Instrument { underlying: 3, expiry_day, kind, strike });
            assert!((0..=PRICE_MAX).contains(&mark));
        }
    }
}

#[test]
fn views_and_portfolios_may_cross_threads() {
    fn crosses<T: Send + Sync>() {}
    crosses::<MarketView>();
    crosses::<Portfolio>();
}
