//! The state while a batch is applied: changed in place, with an undo log.
//!
//! Every change goes through a method that remembers what was there, so `rollback` returns to any
//! checkpoint: a refused record leaves no trace. The log is also what a batch has changed: the
//! commitment and the journal read from it which leaves to hash again and what they were.

use std::collections::BTreeMap;
use std::sync::Arc;

use novate_risk::{MarketParameters, MarketView};
use rustc_hash::FxHashMap;

use crate::bounds::CASH_MAX;
use crate::error::{Law, Reason, corrupt, reject};
use crate::messages::domain::Domain;
use crate::round::RoundState;
use crate::signatures::{Checks, Verified};
use crate::slots::Slots;
use crate::types::journal::{
    ChangeEntry, DeleverageEntry, FillEntry, FundingEntry, Journal, LazyFlow, LedgerRow,
    LiquidationEntry, MarginEntry, RequestEntry, SettlementEntry, SnapshotEntry, TransferEntry,
    WithdrawalEntry,
};
use crate::types::numbers::Digest;
use crate::types::parameters::Parameters;
use crate::types::preset::Preset;
use crate::types::state::{Account, Fund, InstrumentState, Market, Money, Slot, State, System};

/// What was there before one change. Leaves are boxed: most entries are small.
#[derive(Debug)]
enum Undo {
    System(Box<System>),
    Parameters(Arc<Parameters>),
    /// None: the account was opened.
    Account(i64, Option<Box<Account>>),
    /// None: the market was opened.
    Market(i64, Option<Box<Market>>),
    Instrument(i64, Option<Box<InstrumentState>>),
    Slot(u32, u32, Slot),
    AllSlots(Slots),
    Opening(i64),
    Inflow(i64, Option<Money>),
    Paid(i64, Option<Money>),
    MovedOut(i64),
    MustReduce(i64),
    Touched(i64),
    FundOpening(i64),
    Fees(Money),
    Sequence(i64),
}

/// A point to roll back to.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint {
    undo: usize,
    lists: [usize; 13],
}

/// What a batch has changed: each leaf with what it was before the batch.
#[derive(Debug, Default)]
pub struct Touched {
    pub parameters: bool,
    pub accounts: BTreeMap<u32, Option<Account>>,
    pub markets: Vec<i64>,
    pub instruments: Vec<i64>,
    /// (account, slot), ascending.
    pub slots: Vec<(u32, u32)>,
    /// Before the first of these, every slot was emptied.
    pub slots_reset: bool,
}

/// A state being changed, with the journal of the batch and the open round.
#[derive(Debug)]
pub struct Draft {
    state: State,
    journal: Journal,
    round: RoundState,
    undo: Vec<Undo>,
    verified: Verified,
}

impl Draft {
    /// A draft in which nothing has changed.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            state,
            journal: Journal::default(),
            round: RoundState::default(),
            undo: Vec::new(),
            verified: Verified::default(),
        }
    }

    /// The state as it stands.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What happened so far, without the accounts as they were and the roots.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The journal of the open batch, to be put into its final form.
    pub fn journal_mut(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// The open round.
    #[must_use]
    pub fn round(&self) -> &RoundState {
        &self.round
    }

    /// The open round, for what it remembers of values; its facts change by methods of the draft.
    pub(crate) fn round_mut(&mut self) -> &mut RoundState {
        &mut self.round
    }

    /// Opens a round: what the last one remembered is gone.
    pub fn set_round(&mut self, round: RoundState) {
        self.round = round;
    }

    /// Makes what happened final: nothing before can be undone; returns the journal.
    pub fn finish(&mut self) -> Journal {
        self.undo.clear();
        self.forget_round();
        std::mem::take(&mut self.journal)
    }

    // Reading.

    /// Sizes of the deployment.
    #[must_use]
    pub fn preset(&self) -> &Preset {
        &self.state.preset
    }

    /// The parameters of the batch.
    #[must_use]
    pub fn parameters(&self) -> &Arc<Parameters> {
        &self.state.parameters
    }

    /// The system leaf.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.state.system
    }

    /// The domain of the messages of this batch.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain::new(&self.state.parameters, &self.state.system)
    }

    /// Whether each signature is valid for the digest of its message.
    pub fn judge_signatures(&self, checks: &Checks, digests: &[Digest]) -> Law<Vec<bool>> {
        self.verified.judge(checks, digests)
    }

    /// Whether the account is open.
    #[must_use]
    pub fn has_account(&self, index: i64) -> bool {
        0 <= index && index < self.state.accounts.len() as i64
    }

    /// The account, or the rejection `unknown_account`.
    pub fn account(&self, index: i64) -> Law<&Account> {
        usize::try_from(index)
            .ok()
            .and_then(|place| self.state.accounts.get(place))
            .ok_or_else(|| reject(Reason::UnknownAccount, format!("account = {index}")))
    }

    /// Every market, by underlying.
    #[must_use]
    pub fn markets(&self) -> &[Market] {
        &self.state.markets
    }

    /// The market of an underlying, or the rejection `unknown_market`.
    pub fn market(&self, underlying: i64) -> Law<&Market> {
        usize::try_from(underlying)
            .ok()
            .and_then(|place| self.state.markets.get(place))
            .ok_or_else(|| reject(Reason::UnknownMarket, format!("underlying = {underlying}")))
    }

    /// The parameters of an underlying that has a market.
    pub fn market_parameters(&self, underlying: i64) -> Law<&Arc<MarketParameters>> {
        usize::try_from(underlying)
            .ok()
            .and_then(|place| self.state.parameters.markets.get(place))
            .ok_or_else(|| corrupt(format!("underlying {underlying} has no parameters")))
    }

    /// The view of an underlying at the opening snapshot of the round.
    pub fn view(&self, underlying: i64) -> Law<&MarketView> {
        of_round(&self.round.views, underlying)
    }

    /// The view of an underlying at the reference snapshot.
    pub fn reference(&self, underlying: i64) -> Law<&MarketView> {
        of_round(&self.round.references, underlying)
    }

    /// Every instrument, open or settled, by id.
    #[must_use]
    pub fn instruments(&self) -> &BTreeMap<i64, InstrumentState> {
        &self.state.instruments
    }

    /// An instrument that somebody holds.
    pub fn instrument(&self, id: i64) -> Law<&InstrumentState> {
        let found = self.state.instruments.get(&id);
        found.ok_or_else(|| corrupt(format!("instrument {id} is held but not in the state")))
    }

    /// An order slot; the rejection `slot_out_of_range` beyond the preset's count.
    pub fn slot(&self, account: i64, slot: i64) -> Law<Slot> {
        let (account, slot) = self.slot_key(account, slot)?;
        Ok(self.state.slots.get(account, slot))
    }

    fn slot_key(&self, account: i64, slot: i64) -> Law<(u32, u32)> {
        let most = self.preset().slots_max();
        if !(0..most).contains(&slot) {
            let detail = format!("slot = {slot}, max {}", most - 1);
            return Err(reject(Reason::SlotOutOfRange, detail));
        }
        match (u32::try_from(account), u32::try_from(slot)) {
            (Ok(account), Ok(slot)) => Ok((account, slot)),
            _ => Err(corrupt(format!("slot {slot} of account {account}"))),
        }
    }

    // Changing the state.

    /// Replaces the system leaf.
    pub fn put_system(&mut self, system: System) {
        let before = std::mem::replace(&mut self.state.system, system);
        self.undo.push(Undo::System(Box::new(before)));
    }

    /// Replaces the parameters.
    pub fn put_parameters(&mut self, parameters: Arc<Parameters>) {
        let before = std::mem::replace(&mut self.state.parameters, parameters);
        self.undo.push(Undo::Parameters(before));
    }

    /// Writes an account leaf (the next free index opens one); its cash must stay within bounds.
    pub fn put_account(&mut self, index: i64, account: Account) -> Law<()> {
        if account.cash.unsigned_abs() > CASH_MAX as u128 {
            let detail = format!("cash = {}, max {CASH_MAX}", account.cash);
            return Err(reject(Reason::CashOutOfBounds, detail));
        }
        let accounts = &mut self.state.accounts;
        let before = match usize::try_from(index) {
            Ok(place) if place < accounts.len() => {
                Some(Box::new(std::mem::replace(&mut accounts[place], account)))
            }
            Ok(place) if place == accounts.len() => {
                accounts.push(account);
                None
            }
            _ => return Err(corrupt(format!("account {index} of {}", accounts.len()))),
        };
        self.undo.push(Undo::Account(index, before));
        Ok(())
    }

    /// Writes a market leaf (the next free underlying opens one).
    pub fn put_market(&mut self, underlying: i64, market: Market) -> Law<()> {
        let markets = &mut self.state.markets;
        let before = match usize::try_from(underlying) {
            Ok(place) if place < markets.len() => {
                Some(Box::new(std::mem::replace(&mut markets[place], market)))
            }
            Ok(place) if place == markets.len() => {
                markets.push(market);
                None
            }
            _ => return Err(corrupt(format!("market {underlying} of {}", markets.len()))),
        };
        self.undo.push(Undo::Market(underlying, before));
        Ok(())
    }

    /// Writes a market's fund.
    pub fn put_fund(&mut self, underlying: i64, fund: Fund) -> Law<()> {
        let market = Market { fund, ..self.market(underlying)?.clone() };
        self.put_market(underlying, market)
    }

    /// Writes an instrument leaf.
    pub fn put_instrument(&mut self, instrument: InstrumentState) {
        let id = instrument.instrument;
        let before = self.state.instruments.insert(id, instrument);
        self.undo.push(Undo::Instrument(id, before.map(Box::new)));
    }

    /// Removes an instrument leaf, if it is there.
    pub fn discard_instrument(&mut self, id: i64) {
        if let Some(before) = self.state.instruments.remove(&id) {
            self.undo.push(Undo::Instrument(id, Some(Box::new(before))));
        }
    }

    /// Writes an order slot within the preset's count.
    pub fn put_slot(&mut self, account: i64, slot: i64, value: Slot) -> Law<()> {
        let (account, slot) = self.slot_key(account, slot)?;
        self.undo.push(Undo::Slot(account, slot, self.state.slots.set(account, slot, value)));
        Ok(())
    }

    /// Empties every slot and starts a new venue epoch.
    pub fn reset_slots(&mut self) {
        let before = std::mem::take(&mut self.state.slots);
        self.undo.push(Undo::AllSlots(before));
        let venue_epoch = self.system().venue_epoch + 1;
        self.put_system(System { venue_epoch, ..self.system().clone() });
    }

    // Changing the round.

    /// Remembers an account as it was before its first act of the round.
    pub fn remember_opening(&mut self, index: i64, account: Account) {
        if let std::collections::hash_map::Entry::Vacant(entry) = self.round.opening.entry(index) {
            entry.insert(account);
            self.undo.push(Undo::Opening(index));
        }
    }

    /// Remembers a fund as it was before its first trade of the round.
    pub fn remember_fund_opening(&mut self, underlying: i64, fund: Fund) {
        let place = self.round.fund_opening.entry(underlying);
        if let std::collections::hash_map::Entry::Vacant(entry) = place {
            entry.insert(fund);
            self.undo.push(Undo::FundOpening(underlying));
        }
    }

    /// Adds to what an account received from others without trading.
    pub fn add_inflow(&mut self, index: i64, amount: Money) {
        let sums = &mut self.round.inflow;
        let before = sums.insert(index, sums.get(&index).copied().unwrap_or(0) + amount);
        self.undo.push(Undo::Inflow(index, before));
    }

    /// Adds to the fees an account paid.
    pub fn add_paid(&mut self, index: i64, amount: Money) {
        let sums = &mut self.round.paid;
        let before = sums.insert(index, sums.get(&index).copied().unwrap_or(0) + amount);
        self.undo.push(Undo::Paid(index, before));
    }

    /// Adds to the fees of the round.
    pub fn add_fees(&mut self, amount: Money) {
        self.undo.push(Undo::Fees(self.round.fees));
        self.round.fees += amount;
    }

    /// The account withdrew or transferred out.
    pub fn mark_moved_out(&mut self, index: i64) {
        if self.round.moved_out.insert(index) {
            self.undo.push(Undo::MovedOut(index));
        }
    }

    /// Only a risk-reducing round may leave the account as it is.
    pub fn mark_must_reduce(&mut self, index: i64) {
        if self.round.must_reduce.insert(index) {
            self.undo.push(Undo::MustReduce(index));
        }
    }

    /// The account's liquidation status is looked at when the round closes.
    pub fn mark_touched(&mut self, index: i64) {
        if self.round.touched.insert(index) {
            self.undo.push(Undo::Touched(index));
        }
    }

    /// The next sequence number of the round's ledger.
    pub fn next_sequence(&mut self) -> i64 {
        let sequence = self.round.sequence;
        self.undo.push(Undo::Sequence(sequence));
        self.round.sequence = sequence + 1;
        sequence
    }

    // Going back.

    /// A point to roll back to.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { undo: self.undo.len(), lists: self.journal.lengths() }
    }

    /// Undoes every change since the checkpoint, latest first.
    pub fn rollback(&mut self, checkpoint: Checkpoint) {
        while self.undo.len() > checkpoint.undo {
            if let Some(undo) = self.undo.pop() {
                self.take_back(undo);
            }
        }
        self.journal.truncate(checkpoint.lists);
    }

    /// Undoes everything since the batch began.
    pub fn rollback_all(&mut self) {
        self.rollback(Checkpoint { undo: 0, lists: [0; 13] });
        self.forget_round();
    }

    /// No round is open any more. What the caches know does not depend on it.
    fn forget_round(&mut self) {
        let caches = std::mem::take(&mut self.round.caches);
        self.round = RoundState { caches, ..RoundState::default() };
    }

    fn take_back(&mut self, undo: Undo) {
        let (state, round) = (&mut self.state, &mut self.round);
        match undo {
            Undo::System(system) => state.system = *system,
            Undo::Parameters(parameters) => state.parameters = parameters,
            Undo::Account(index, account) => put_back(&mut state.accounts, index, account),
            Undo::Market(underlying, market) => put_back(&mut state.markets, underlying, market),
            Undo::Instrument(id, instrument) => {
                match instrument {
                    Some(instrument) => state.instruments.insert(id, *instrument),
                    None => state.instruments.remove(&id),
                };
            }
            Undo::Slot(account, slot, value) => {
                state.slots.set(account, slot, value);
            }
            Undo::AllSlots(slots) => state.slots = slots,
            Undo::Opening(index) => {
                round.opening.remove(&index);
            }
            Undo::Inflow(index, sum) => put_sum_back(&mut round.inflow, index, sum),
            Undo::Paid(index, sum) => put_sum_back(&mut round.paid, index, sum),
            Undo::MovedOut(index) => {
                round.moved_out.remove(&index);
            }
            Undo::MustReduce(index) => {
                round.must_reduce.remove(&index);
            }
            Undo::Touched(index) => {
                round.touched.remove(&index);
            }
            Undo::FundOpening(underlying) => {
                round.fund_opening.remove(&underlying);
            }
            Undo::Fees(fees) => round.fees = fees,
            Undo::Sequence(sequence) => round.sequence = sequence,
        }
    }

    /// What has changed since the batch began.
    #[must_use]
    pub fn touched(&self) -> Touched {
        let mut touched = Touched::default();
        for undo in &self.undo {
            match undo {
                Undo::Parameters(_) => touched.parameters = true,
                Undo::Account(index, before) => {
                    let entry = touched.accounts.entry(*index as u32);
                    entry.or_insert_with(|| before.as_deref().cloned());
                }
                Undo::Market(underlying, _) => touched.markets.push(*underlying),
                Undo::Instrument(id, _) => touched.instruments.push(*id),
                Undo::Slot(account, slot, _) => touched.slots.push((*account, *slot)),
                Undo::AllSlots(_) => {
                    touched.slots_reset = true;
                    touched.slots.clear();
                }
                _ => {}
            }
        }
        touched.markets.sort_unstable();
        touched.markets.dedup();
        touched.instruments.sort_unstable();
        touched.instruments.dedup();
        touched.slots.sort_unstable();
        touched.slots.dedup();
        touched
    }
}

fn of_round(views: &[MarketView], underlying: i64) -> Law<&MarketView> {
    usize::try_from(underlying)
        .ok()
        .and_then(|place| views.get(place))
        .ok_or_else(|| corrupt(format!("underlying {underlying} has no view in this round")))
}

/// Undoes a write to a dense list: none means that the entry is the last and was not there.
fn put_back<T>(list: &mut Vec<T>, index: i64, before: Option<Box<T>>) {
    match before {
        Some(before) => list[index as usize] = *before,
        None => list.truncate(index as usize),
    }
}

fn put_sum_back(sums: &mut FxHashMap<i64, Money>, index: i64, before: Option<Money>) {
    match before {
        Some(before) => sums.insert(index, before),
        None => sums.remove(&index),
    };
}

/// The lists of the journal: their lengths, cutting them, and one recorder each.
macro_rules! lists {
    ($($list:ident: $entry:ty, $record:ident;)*) => {
        impl Journal {
            /// Lengths of the lists.
            fn lengths(&self) -> [usize; 13] {
                [$(self.$list.len(),)*]
            }

            /// Cuts every list to a length.
            fn truncate(&mut self, lengths: [usize; 13]) {
                let mut lengths = lengths.into_iter();
                $(self.$list.truncate(lengths.next().unwrap_or(0));)*
            }
        }

        impl Draft {
            $(
                /// Appends to the list of the journal.
                pub fn $record(&mut self, entry: $entry) {
                    self.journal.$list.push(entry);
                }
            )*
        }
    };
}

lists! {
    snapshots: SnapshotEntry, record_snapshot;
    funding: FundingEntry, record_funding;
    settlements: SettlementEntry, record_settlement;
    requests: RequestEntry, record_request;
    changes: ChangeEntry, record_change;
    fills: FillEntry, record_fill;
    ledger: LedgerRow, record_ledger;
    flows: LazyFlow, record_flow;
    liquidations: LiquidationEntry, record_liquidation;
    deleverages: DeleverageEntry, record_deleverage;
    transfers: TransferEntry, record_transfer;
    withdrawals: WithdrawalEntry, record_withdrawal;
    margins: MarginEntry, record_margin;
}
