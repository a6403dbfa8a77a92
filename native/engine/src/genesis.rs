//! The first state (`novate.spec.genesis`): parameters, no accounts but the operator's treasury,
//! every market unopened.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::Law;
use crate::parameters_check::check_parameters;
use crate::slots::Slots;
use crate::types::numbers::Address;
use crate::types::parameters::Parameters;
use crate::types::preset::Preset;
use crate::types::state::{Account, Market, State, System};

/// S[0]. `treasury`: L1 address that owns the fee account. The fault on bad parameters.
pub fn genesis(
    preset: Arc<Preset>,
    parameters: Arc<Parameters>,
    treasury: Address,
    time: i64,
) -> Law<State> {
    check_parameters(&preset, &parameters)?;
    let markets = parameters.markets.iter().map(|_| Market::default()).collect();
    Ok(State {
        preset,
        parameters,
        system: System { time, account_count: 1, ..System::default() },
        markets,
        instruments: BTreeMap::new(),
        accounts: vec![Account::of(treasury)],
        slots: Slots::default(),
    })
}
