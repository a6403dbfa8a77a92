//! The engine: a state, its commitment, and what may be done with them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::batch::apply_batch;
use crate::commitment::Commitment;
use crate::draft::{Draft, Touched};
use crate::error::{Law, corrupt};
use crate::holders::touch_account;
use crate::sequencer::OpenBatch;
use crate::state_check::check_state;
use crate::types::batch::Batch;
use crate::types::journal::Journal;
use crate::types::parameters::Parameters;
use crate::types::state::{Account, InstrumentState, Market, Roots, Slot, State, System};
use crate::valuation::health;

/// The leaves a batch changed, as they are after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// None: unchanged.
    pub parameters: Option<Arc<Parameters>>,
    pub system: System,
    pub markets: BTreeMap<i64, Market>,
    /// None: gone.
    pub instruments: BTreeMap<i64, Option<InstrumentState>>,
    pub accounts: BTreeMap<u32, Account>,
    /// By (account, slot).
    pub slots: BTreeMap<(u32, u32), Slot>,
    /// Every slot was emptied before those in `slots` were written.
    pub slots_reset: bool,
}

/// What came of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub journal: Journal,
    pub changes: Changes,
}

/// A state that batches are applied to, whole or record by record.
#[derive(Debug)]
pub struct Engine {
    pub(crate) draft: Draft,
    pub(crate) open: Option<OpenBatch>,
    commitment: Commitment,
}

impl Engine {
    /// An engine at a state. An error if the state contradicts itself.
    pub fn new(state: State) -> Law<Self> {
        check_state(&state)?;
        let commitment = Commitment::build(&state)?;
        Ok(Self { draft: Draft::new(state), open: None, commitment })
    }

    /// The state, when no batch is open.
    pub fn state(&self) -> Law<&State> {
        match self.open {
            None => Ok(self.draft.state()),
            Some(_) => Err(corrupt("a batch is open: seal or abandon it first")),
        }
    }

    /// The state as it stands now, with the open batch.
    #[must_use]
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Asks something of the state as it stands; whatever answering changes is undone.
    pub fn look<R>(&mut self, ask: impl FnOnce(&mut Draft) -> Law<R>) -> Law<R> {
        let checkpoint = self.draft.checkpoint();
        let answer = ask(&mut self.draft);
        self.draft.rollback(checkpoint);
        answer
    }

    /// Asks something that needs the views of an open round.
    pub fn look_in_round<R>(&mut self, ask: impl FnOnce(&mut Draft) -> Law<R>) -> Law<R> {
        self.require_round()?;
        self.look(ask)
    }

    /// Accounts with positions whose equity is below maintenance margin at the open round's views,
    /// or that are in liquidation; ascending. Valued from scratch, so nothing is kept of each.
    pub fn below_maintenance(&mut self) -> Law<Vec<i64>> {
        self.require_round()?;
        let mut found = Vec::new();
        for index in 0..self.draft.system().account_count {
            let account = self.draft.account(index)?;
            if account.liquidation_since != 0 {
                found.push(index);
            } else if !account.positions.is_empty() {
                let health = self.look(|draft| {
                    touch_account(draft, index)?;
                    let account = draft.account(index)?;
                    health(&draft.round().views, account.cash, &account.positions)
                })?;
                if health.equity < health.maintenance {
                    found.push(index);
                }
            }
        }
        Ok(found)
    }

    /// Accounts that still hold a position in a settled instrument, ascending.
    pub fn holders_of_settled(&self) -> Law<Vec<i64>> {
        let mut found = Vec::new();
        for (index, account) in (0..).zip(&self.draft.state().accounts) {
            for position in account.positions.iter() {
                if self.draft.instrument(position.instrument)?.settled {
                    found.push(index);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The roots of the state before the open batch.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        self.commitment.roots()
    }

    /// Judges a whole batch and goes on to the state it gives; on an error nothing changed.
    pub fn apply(&mut self, batch: &Batch) -> Law<Applied> {
        self.state()?;
        let result = apply_batch(&mut self.draft, batch).and_then(|()| self.settle());
        if result.is_err() {
            self.draft.rollback_all();
        }
        result
    }

    /// Makes the draft's state the engine's own: its roots, its journal, its changed leaves.
    ///
    /// On an error the draft is as it was, to be rolled back.
    pub(crate) fn settle(&mut self) -> Law<Applied> {
        let touched = self.draft.touched();
        let roots_before = *self.commitment.roots();
        if let Err(error) = self.commitment.update(self.draft.state(), &touched) {
            self.draft.rollback_all();
            self.commitment = Commitment::build(self.draft.state())?;
            self.open = None;
            return Err(error);
        }
        let changes = changes(self.draft.state(), &touched);
        let mut journal = self.draft.finish();
        journal.accounts_before = touched.accounts;
        journal.roots_before = Some(roots_before);
        journal.roots_after = Some(*self.commitment.roots());
        Ok(Applied { journal, changes })
    }
}

fn changes(state: &State, touched: &Touched) -> Changes {
    let market = |underlying: &i64| (*underlying, state.markets[*underlying as usize].clone());
    let account = |index: &u32| (*index, state.accounts[*index as usize].clone());
    Changes {
        parameters: touched.parameters.then(|| Arc::clone(&state.parameters)),
        system: state.system.clone(),
        markets: touched.markets.iter().map(market).collect(),
        instruments: touched
            .instruments
            .iter()
            .map(|id| (*id, state.instruments.get(id).copied()))
            .collect(),
        accounts: touched.accounts.keys().map(account).collect(),
        slots: touched
            .slots
            .iter()
            .map(|&(account, slot)| ((account, slot), state.slots.get(account, slot)))
            .collect(),
        slots_reset: touched.slots_reset,
    }
}
