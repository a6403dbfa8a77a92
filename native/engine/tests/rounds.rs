//! A round of random trades: margins kept up to date against margins from scratch, and what a
//! rollback leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use novate_engine::bounds::FACTOR_ONE;
use novate_engine::deleverage::deleverage_prices;
use novate_engine::draft::Draft;
use novate_engine::payments::pay_out;
use novate_engine::slots::Slots;
use novate_engine::transactions::trade::{RoundBook, apply_trade};
use novate_engine::types::batch::{Fill, SideKind, SideOf, Trade};
use novate_engine::types::journal::Health;
use novate_engine::types::numbers::{Address, Signature};
use novate_engine::types::orders::{Authorization, Order, SignedOrder};
use novate_engine::types::parameters::{FeeTier, Parameters};
use novate_engine::types::preset::Preset;
use novate_engine::types::state::{
    Account, Fund, InstrumentState, Market, Position, Snapshot, State, System,
};
use novate_engine::valuation::{
    account_health, fund_health, health, health_after, mark_of_id, open_views, payout_of,
    total_debt,
};
use novate_risk::{ExpiryFields, Instrument, Kind, MarketParameters, RiskParameters, Scenario};

const NOW: i64 = 1_780_000_000;
const DAYS: [u16; 2] = [2_400, 2_430];
const ACCOUNTS: i64 = 6;

/// Numbers of a generator that needs no crate (Marsaglia's xorshift64).
struct Source(u64);

impl Source {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn market_parameters(symbol: &str) -> Arc<MarketParameters> {
    let cell =
        |spot_ppm, vol_direction| Scenario { spot_ppm, vol_direction, weight_ppm: 1_000_000 };
    let spots = [-120_000, 0, 120_000];
    Arc::new(MarketParameters {
        symbol: symbol.into(),
        price_decimals: 2,
        strike_tick: 100,
        strike_step: 1,
        horizon_days: 400,
        band_ppm: 50_000,
        gap_s: 300,
        halt_jump_ppm: 50_000,
        halt_drift_ppm_s: 100,
        funding_rate_max_ppm: 10_000,
        premium_max_ppm: 5_000,
        vol_default_ppm: 600_000,
        penalty_ppm: 100_000,
        close_penalty_ppm: 5_000,
        fund_inventory_max: 1_000_000,
        deleverage_cap_ppm: 100_000,
        risk: RiskParameters {
            scenarios: spots.iter().flat_map(|&spot| [cell(spot, -1), cell(spot, 1)]).collect(),
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
    })
}

fn parameters() -> Parameters {
    Parameters {
        chain_id: 1,
        settlement_contract: Address::ZERO,
        markets: vec![market_parameters("BTC"), market_parameters("ETH")],
        oracle_keys: vec![[1, 0, 0, 0, 0]],
        fee_tiers: vec![FeeTier { maker_ppm: -50, taker_ppm: 400 }],
        option_fee_cap_ppm: 125_000,
        step_loss_ppm: 500_000,
        fund_loss_ppm: 20_000,
        give_tolerance_ppm: 10_000,
        overshoot_ppm: 100_000,
        resume_snapshots: 3,
        reference_age_s: 3_600,
        oracle_spread_ppm: 5_000,
        forced_close_wait_s: 259_200,
    }
}

fn preset() -> Preset {
    Preset {
        name: "minimal".into(),
        account_depth: 6,
        market_depth: 1,
        instrument_depth: 6,
        slot_depth: 1,
        positions_max: 32,
        rounds_max: 4,
        fills_max: 64,
        inbox_max: 8,
        reports_max: 4,
        expiries_max: 4,
        sheet_quotes_max: 4,
    }
}

fn snapshot(index_price: i64) -> Arc<Snapshot> {
    let fields = |day: u16| ExpiryFields {
        day: day.into(),
        basis_ppm: 1_000,
        vols_ppm: vec![600_000; novate_risk::smile::NODES],
    };
    Arc::new(Snapshot {
        time: NOW - 5,
        index_price,
        premium_ppm: 200,
        mean: 0,
        expiries: DAYS.map(fields).to_vec(),
    })
}

/// Perpetual, futures and options of both markets around their index.
fn instruments() -> Vec<i64> {
    let mut ids = Vec::new();
    for (underlying, strike) in [(0, 100_000), (1, 4_000)] {
        let mut list = |expiry_day, kind, strike| {
            let id = Instrument { underlying, expiry_day, kind, strike }.encode().unwrap();
            ids.push(id as i64);
        };
        list(0, Kind::Perpetual, 0);
        for day in DAYS {
            list(day, Kind::Future, 0);
            list(day, Kind::Call, strike / 10 * 11);
            list(day, Kind::Put, strike / 10 * 9);
        }
    }
    ids
}

fn state() -> State {
    let market = |index_price| {
        let current = snapshot(index_price);
        let reference = snapshot(index_price / 100 * 97);
        let candidate = Arc::clone(&current);
        let halt = Default::default();
        let fund = Fund { cash: 50_000_000_000, ..Fund::default() };
        Market { current, reference, candidate, halt, concentration_ppm: 500, fund }
    };
    let account = Account { cash: 30_000_000_000, ..Account::of(Address::from_number(7)) };
    State {
        preset: Arc::new(preset()),
        parameters: Arc::new(parameters()),
        system: System {
            time: NOW,
            vault: 30_000_000_000 * i128::from(ACCOUNTS) + 100_000_000_000,
            account_count: ACCOUNTS,
            ..System::default()
        },
        markets: vec![market(10_000_000), market(400_000)],
        instruments: BTreeMap::<i64, InstrumentState>::new(),
        accounts: vec![account; ACCOUNTS as usize],
        slots: Slots::default(),
    }
}

/// A draft whose round is open at the state's snapshots.
fn open_draft() -> Draft {
    let mut draft = Draft::new(state());
    let round = open_views(&mut draft, NOW).unwrap();
    draft.set_round(round);
    draft
}

fn order(account: i64, instrument: i64, is_buy: bool, nonce: i64) -> SignedOrder {
    let authorization = Authorization { signature: Signature::default(), certificate: None };
    let message = Order {
        account,
        instrument,
        is_buy,
        limit_price: if is_buy { i64::from(i32::MAX) } else { 0 },
        quantity: 1_000_000,
        slot: 0,
        nonce,
        good_till: i64::from(u32::MAX),
        max_fee_ppm: 1_000,
        trigger_price: 0,
        flags: 0,
    };
    SignedOrder { message, authorization }
}

fn place(number: usize) -> SideOf {
    SideOf { kind: SideKind::Order, number: number as i64, quote: 0 }
}

/// One trade of one fill near the mark; its orders are added to the book as found good.
fn trade(draft: &Draft, book: &mut RoundBook, source: &mut Source, ids: &[i64]) -> Trade {
    let instrument = ids[source.below(ids.len())];
    let buyer = source.below(ACCOUNTS as usize) as i64;
    let seller = source.below(ACCOUNTS as usize) as i64;
    let mark = mark_of_id(draft, instrument).unwrap();
    let price = mark * (990 + source.below(21) as i64) / 1_000;
    let nonce = book.orders.len() as i64 + 1;
    book.orders.push(order(buyer, instrument, true, nonce));
    book.orders.push(order(seller, instrument, false, nonce + 1));
    book.order_verdicts.extend([None, None]);
    let quantity = 1 + source.below(60) as i64;
    let last = book.orders.len();
    let (buyer, seller) = (place(last - 2), place(last - 1));
    Trade { fills: vec![Fill { instrument, price, quantity, buyer, seller, maker_is_buyer: true }] }
}

/// The health of every account as kept up to date, checked against the same from scratch.
fn healths(draft: &mut Draft) -> Vec<Health> {
    let check = |index| {
        let kept = account_health(draft, index).unwrap();
        let account = draft.account(index).unwrap().clone();
        let round = draft.round();
        assert_eq!(kept, health(&round.views, account.cash, &account.positions).unwrap());
        kept
    };
    (0..ACCOUNTS).map(check).collect()
}

#[test]
fn margins_kept_up_to_date_are_those_from_scratch_whatever_is_undone() {
    let (ids, mut draft, mut book) = (instruments(), open_draft(), RoundBook::default());
    let mut source = Source(20_260_101);
    let (mut accepted, mut undone, mut refused) = (0, 0, 0);
    for _ in 0..400 {
        let before = (draft.state().clone(), draft.journal().clone(), healths(&mut draft));
        let checkpoint = draft.checkpoint();
        let trade = trade(&draft, &mut book, &mut source, &ids);
        let result = apply_trade(&mut draft, &book, &trade);
        if result.is_ok() {
            healths(&mut draft);
            accepted += 1;
            if source.below(3) > 0 {
                continue;
            }
            draft.rollback(checkpoint);
            undone += 1;
        } else {
            refused += 1;
        }
        assert!(*draft.state() == before.0, "a rollback left a trace in the state");
        assert!(*draft.journal() == before.1, "a rollback left a trace in the journal");
        assert_eq!(healths(&mut draft), before.2);
    }
    // refused: an account with itself
    assert!(accepted > 200 && undone > 50 && refused > 20, "{accepted} {undone} {refused}");
    let held: usize = draft.state().accounts.iter().map(|account| account.positions.len()).sum();
    assert!(held > 30, "{held} positions");
}

#[test]
fn the_admission_test_says_what_the_fill_would_come_to_and_leaves_no_trace() {
    let (ids, mut draft, mut book) = (instruments(), open_draft(), RoundBook::default());
    let mut source = Source(7);
    for _ in 0..100 {
        let trade = trade(&draft, &mut book, &mut source, &ids);
        let (fill, last) = (trade.fills[0], book.orders.len());
        let buyer = book.orders[last - 2].message.account;
        let before = draft.state().clone();
        let asked = [(fill.instrument, fill.quantity, fill.price)];
        let told = health_after(&mut draft, buyer, &asked).unwrap();
        assert!(*draft.state() == before, "a question left a trace");
        if apply_trade(&mut draft, &book, &trade).is_ok() {
            let fee = draft.journal().fills.last().unwrap().buyer_fee;
            let now = account_health(&mut draft, buyer).unwrap();
            assert_eq!(now, Health { equity: told.equity - fee, ..told });
        }
    }
    assert!(health_after(&mut draft, 0, &[(1 << 24, 1, 1)]).is_err());
    assert!(health_after(&mut draft, ACCOUNTS, &[]).is_err());
}

#[test]
fn views_of_an_unchanged_snapshot_outlive_their_round_and_no_others() {
    let mut draft = open_draft();
    let before = draft.round().views.clone();
    let array = before[0].risk_array(0);
    let again = open_views(&mut draft, NOW + 5).unwrap();
    assert!(Arc::ptr_eq(&array, &again.views[0].risk_array(0)));
    assert_eq!(again.views[0].concentration_maintenance_ppm(), 500);
    draft.set_round(again);
    let market = Market { current: snapshot(10_100_000), ..draft.markets()[0].clone() };
    draft.put_market(0, market).unwrap();
    let moved = open_views(&mut draft, NOW + 10).unwrap();
    assert_eq!(moved.views[0].index(), 10_100_000);
    assert_ne!(moved.views[0].risk_array(0), array);
}

#[test]
fn the_reference_keeps_its_smiles_and_takes_what_it_lacks_from_now() {
    let mut draft = open_draft();
    let mut reference = (*snapshot(9_000_000)).clone();
    reference.expiries.pop();
    reference.expiries[0].basis_ppm = -7;
    reference.mean = 5;
    let market = Market { reference: Arc::new(reference), ..draft.markets()[0].clone() };
    draft.put_market(0, market).unwrap();
    let round = open_views(&mut draft, NOW).unwrap();
    let merged = round.references[0].snapshot();
    assert_eq!((merged.index_price, merged.mean), (9_000_000, 0));
    let basis: Vec<i64> = merged.expiries.iter().map(|fields| fields.basis_ppm).collect();
    assert_eq!(basis, [-7, 1_000]);
    assert_eq!(round.references[0].time(), NOW - 5);
}

#[test]
fn a_fund_is_valued_like_an_account() {
    let mut draft = open_draft();
    let perpetual = Position { instrument: 0, quantity: -10, factor: FACTOR_ONE, cash: 0 };
    let fund = Fund { cash: 900, positions: Arc::new([perpetual]), debt: 0 };
    draft.put_fund(0, fund).unwrap();
    let now = fund_health(&mut draft, 0).unwrap();
    assert_eq!(now.equity, 900 - 10 * i128::from(mark_of_id(&draft, 0).unwrap()));
    assert_eq!(now, health(&draft.round().views, 900, &[perpetual]).unwrap());
}

/// A draft in which two funds owe 30 and 10 beside a vault of 120.
fn indebted_draft() -> Draft {
    let mut draft = open_draft();
    for (underlying, debt) in [(0, 30), (1, 10)] {
        let fund = Fund { debt, ..Fund::default() };
        draft.put_fund(underlying, fund).unwrap();
    }
    let system = System { vault: 120, ..draft.system().clone() };
    draft.put_system(system);
    draft
}

#[test]
fn while_funds_owe_every_debit_pays_the_same_part() {
    let mut draft = indebted_draft();
    assert_eq!(total_debt(&draft), 40);
    assert_eq!([payout_of(&draft, 80), payout_of(&draft, 3)], [60, 2]);
    assert_eq!(pay_out(&mut draft, 1, 80, 60), Ok(60));
    // the 20 not paid come off the debts as 15 and 5, so that the part stays three quarters
    let debts = draft.markets().iter().map(|market| market.fund.debt);
    assert_eq!(debts.collect::<Vec<_>>(), [15, 5]);
    assert_eq!((draft.system().vault, payout_of(&draft, 80)), (60, 60));
    let refused = pay_out(&mut draft, 1, 81, 0).unwrap_err();
    assert_eq!(refused.reason(), "vault_too_small");
    assert_eq!(pay_out(&mut draft, 1, 4, 4).unwrap_err().reason(), "payout_too_small");
}

#[test]
fn the_last_unit_of_a_debit_comes_off_the_lowest_debt() {
    let mut draft = indebted_draft();
    // 5 pays 3; of the 2 not paid 1 is the first fund's share, 0 the second's, 1 left over
    assert_eq!(pay_out(&mut draft, 1, 5, 0), Ok(3));
    let debts = draft.markets().iter().map(|market| market.fund.debt);
    assert_eq!(debts.collect::<Vec<_>>(), [28, 10]);
}

fn held(instrument: i64, quantity: i64) -> Position {
    Position { instrument, quantity, factor: FACTOR_ONE, cash: 0 }
}

#[test]
fn a_deficit_moves_every_price_by_its_part_of_the_risk() {
    let draft = open_draft();
    let future = instruments()[1];
    let mine = [held(0, 10), held(future, -4)];
    let loss = |index: usize| {
        let Position { instrument, quantity, .. } = mine[index];
        let array = draft.round().views[0].risk_array(instrument as u64);
        array.worst_loss(quantity.signum())
    };
    let marks = [0, future].map(|id| i128::from(mark_of_id(&draft, id).unwrap()));
    let total = 10 * loss(0) + 4 * loss(1);
    let deficit = 1_000_001;
    let moves = [deficit * loss(0) / total, -(deficit * loss(1) / total)];
    let prices = deleverage_prices(&draft, &mine, deficit).unwrap();
    let expected: Vec<i64> = (0..2).map(|k| (marks[k] + moves[k]) as i64).collect();
    assert_eq!(prices, expected);
    // what is raised never passes the deficit, and misses it by less than a tick a lot
    let raised = 10 * moves[0] - 4 * moves[1];
    assert!(raised <= deficit && raised > deficit - 14, "{raised}");
}

#[test]
fn deleveraging_prices_stay_within_the_cap_and_the_bounds_of_prices() {
    let draft = open_draft();
    let call = instruments()[2];
    let mine = [held(0, 1), held(call, -1)];
    let marks = [0, call].map(|id| mark_of_id(&draft, id).unwrap());
    let prices = deleverage_prices(&draft, &mine, 1 << 100).unwrap();
    assert_eq!(prices[0], marks[0] + 1_000_000); // 10 % of the index of 10,000,000
    assert_eq!(prices[1], (marks[1] - 1_000_000).max(0));
    assert_eq!(deleverage_prices(&draft, &mine, 0).unwrap(), marks);
}
