//! Whole batches from a genesis on: roots kept up to date equal roots from scratch, and a refused
//! batch leaves none of its traces.

use std::sync::Arc;

use novate_engine::bounds::{QUANTITY_MAX, SLOT_GROUP};
use novate_engine::genesis::genesis;
use novate_engine::types::account::{Change, SetTier};
use novate_engine::types::batch::{Batch, Due, Round};
use novate_engine::types::inbox::{Deposit, RegisterKey, Request};
use novate_engine::types::numbers::Address;
use novate_engine::types::parameters::{FeeTier, MarketParameters, Parameters, RiskParameters};
use novate_engine::types::preset::Preset;
use novate_engine::types::state::{Slot, State};
use novate_engine::{Engine, Fault, LawError, Reason, border};
use novate_risk::Scenario;

const START: i64 = 1_780_000_000;

fn market(symbol: &str) -> Arc<MarketParameters> {
    let cell =
        |spot_ppm, vol_direction| Scenario { spot_ppm, vol_direction, weight_ppm: 1_000_000 };
    let spots = [-120_000, 0, 120_000];
    Arc::new(MarketParameters {
        symbol: symbol.into(),
        price_decimals: 2,
        strike_tick: 100,
        strike_step: 1,
        horizon_days: 400,
        gap_s: 300,
        risk: RiskParameters {
            scenarios: spots.iter().flat_map(|&spot| [cell(spot, -1), cell(spot, 1)]).collect(),
            vol_min_ppm: 50_000,
            vol_max_ppm: 5_000_000,
            initial_factor_ppm: 1_300_000,
            concentration_free: 1,
            ..RiskParameters::default()
        },
        ..MarketParameters::default()
    })
}

fn parameters() -> Arc<Parameters> {
    Arc::new(Parameters {
        chain_id: 31_337,
        settlement_contract: Address::from_number(7),
        markets: vec![market("BTC"), market("ETH")],
        oracle_keys: vec![[1, 0, 0, 0, 0], [2, 0, 0, 0, 0]],
        fee_tiers: vec![FeeTier { maker_ppm: 0, taker_ppm: 500 }; 3],
        ..Parameters::default()
    })
}

fn first_state() -> State {
    let preset = Preset { name: "small".into(), account_depth: 6, slot_depth: 2, ..Preset::main() };
    genesis(Arc::new(preset), parameters(), Address::from_number(9), START).expect("well formed")
}

fn batch(number: i64, rounds: Vec<Round>) -> Batch {
    Batch { number, rounds, ..Batch::default() }
}

fn joining() -> Round {
    let (owner, key) = (Address::from_number(101), [1, 2, 3, 4, 5]);
    let requests = (1..4).flat_map(|account| {
        let deposit = Deposit { account, owner, sender: owner, amount: 1_000 * account };
        let register = RegisterKey { account, owner, key };
        [Request::Deposit(deposit), Request::RegisterKey(register)]
    });
    Round { time: START, requests: requests.collect(), ..Round::default() }
}

/// An engine started anew at the state of another has the same roots.
fn assert_roots_from_scratch(engine: &Engine) {
    let anew = Engine::new(engine.state().expect("no batch is open").clone()).expect("consistent");
    assert_eq!(anew.roots(), engine.roots());
}

#[test]
fn roots_kept_are_roots_from_scratch() {
    let mut engine = Engine::new(first_state()).expect("consistent");
    let before = *engine.roots();
    let applied = engine.apply(&batch(1, vec![joining()])).expect("legal");
    assert_eq!(applied.journal.roots_before, Some(before));
    assert_eq!(applied.journal.roots_after.as_ref(), Some(engine.roots()));
    assert_eq!(applied.journal.accounts_before.len(), 3);
    assert!(applied.journal.accounts_before.values().all(Option::is_none));
    assert_ne!(*engine.roots(), before);
    assert_roots_from_scratch(&engine);
    let tier = Change::SetTier(SetTier { account: 2, tier: 1 });
    let round = Round { time: START + 5, changes: vec![tier], ..Round::default() };
    let applied = engine.apply(&batch(2, vec![round])).expect("legal");
    assert_eq!(applied.changes.accounts[&2].tier, 1);
    assert_roots_from_scratch(&engine);
}

#[test]
fn slots_used_before_a_reset_are_gone_after_it() {
    let mut state = first_state();
    let used = Slot { nonce: 9, filled: QUANTITY_MAX };
    for slot in [0, 3, SLOT_GROUP as u32 * 3] {
        state.slots.set(0, slot, used);
    }
    let mut engine = Engine::new(state).expect("consistent");
    let empty = *Engine::new(first_state()).expect("consistent").roots();
    assert_ne!(engine.roots().slots, empty.slots);
    assert_eq!(engine.roots().accounts, empty.accounts);
    let round = Round { time: START, ..Round::default() };
    let reset = Batch { reset_slots: true, ..batch(1, vec![round]) };
    let applied = engine.apply(&reset).expect("legal");
    assert!(applied.changes.slots_reset && applied.changes.slots.is_empty());
    assert_eq!(engine.roots().slots, empty.slots);
    assert_eq!(engine.state().expect("no batch is open").system.venue_epoch, 1);
    assert_roots_from_scratch(&engine);
}

#[test]
fn a_refused_batch_changes_nothing() {
    let mut engine = Engine::new(first_state()).expect("consistent");
    let before = border::encode(engine.state().expect("no batch is open"));
    let roots = *engine.roots();
    let stranger = Due::Touch { account: 50 };
    let late = Round { time: START + 5, due: vec![stranger], ..Round::default() };
    let refused = Batch { reset_slots: true, ..batch(1, vec![joining(), late]) };
    let error = engine.apply(&refused).expect_err("nobody has account 50");
    assert!(matches!(error, LawError::Rejection(Reason::UnknownAccount, _)));
    let wrong = engine.apply(&batch(2, vec![joining()])).expect_err("1 comes first");
    assert!(matches!(wrong, LawError::InvalidBatch(Fault::WrongBatchNumber, _)));
    assert_eq!(border::encode(engine.state().expect("no batch is open")), before);
    assert_eq!(*engine.roots(), roots);
    engine.apply(&batch(1, vec![joining()])).expect("legal");
    assert_roots_from_scratch(&engine);
}

#[test]
fn a_batch_record_by_record_is_the_batch_as_a_whole() {
    let (mut one, mut other) = (first_state(), first_state());
    other.slots.set(0, 1, Slot { nonce: 1, filled: 1 });
    one.slots.set(0, 1, Slot { nonce: 1, filled: 1 });
    let mut engine = Engine::new(one).expect("consistent");
    engine.begin(0, None, false).expect("legal");
    let Round { requests, .. } = joining();
    engine.open(START, Vec::new(), requests).expect("legal");
    engine.change(Change::SetTier(SetTier { account: 1, tier: 2 })).expect("legal");
    engine.change(Change::SetTier(SetTier { account: 1, tier: 9 })).expect_err("3 tiers");
    engine.bring(Due::Touch { account: 3 }).expect("legal");
    engine.close().expect("legal");
    let sealed = engine.seal().expect("legal");
    let mut judge = Engine::new(other).expect("consistent");
    assert_eq!(judge.apply(&sealed.batch).expect("legal"), sealed.applied);
    assert_eq!(judge.roots(), engine.roots());
}
