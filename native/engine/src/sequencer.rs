//! The open batch of a sequencer: records tried one by one, and what was accepted sealed.
//!
//! After every record the round so far could be sealed and would be judged legal. A refused record
//! leaves no trace. Records come in the order of the law's phases; one out of order is refused as
//! corrupt, for it would be applied in another order when the batch is judged.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::authorization::verdicts;
use crate::batch::{
    begin_batch, check_counts, check_round, close_round, finish_batch, open_round, places_used,
    read_orders, read_sheets,
};
use crate::engine::{Applied, Engine};
use crate::error::{Law, corrupt};
use crate::margin_rule::{require_fund_margin, require_margin};
use crate::public_data::full::encode_full;
use crate::transactions::changes::apply_change;
use crate::transactions::due::apply_due;
use crate::transactions::inbox::apply_request;
use crate::transactions::moves::{apply_move, move_claim};
use crate::transactions::trade::{RoundBook, apply_trade};
use crate::types::account::{Change, Move};
use crate::types::batch::{Batch, Due, Fill, MarketReports, Round, SideKind, SideOf, Trade};
use crate::types::inbox::Request;
use crate::types::orders::{SignedOrder, SignedSheet};
use crate::types::parameters::Parameters;

/// A round being filled, in the law's phases.
#[derive(Debug)]
struct OpenRound {
    content: Round,
    book: RoundBook,
    /// Fills of the journal that rounds before it made.
    fills_before: usize,
    /// Trades were accepted or orders read.
    has_orders: bool,
}

/// A batch being filled.
#[derive(Debug)]
pub struct OpenBatch {
    /// Header and the rounds that are closed.
    batch: Batch,
    round: Option<OpenRound>,
    blamed: Option<i64>,
}

/// A sealed batch with its public data in the `full` form and what came of it.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub batch: Batch,
    pub data: Vec<u8>,
    pub applied: Applied,
}

impl Engine {
    /// Opens a batch; one that was open before is forgotten. A fault if the header is not legal:
    /// then nothing happened.
    pub fn begin(
        &mut self,
        fork: i64,
        parameters: Option<Arc<Parameters>>,
        reset_slots: bool,
    ) -> Law<()> {
        self.abandon();
        let number = self.draft.system().batch_number + 1;
        let batch = Batch { number, fork, parameters, reset_slots, rounds: Vec::new() };
        if let Err(error) = begin_batch(&mut self.draft, &batch) {
            self.draft.rollback_all();
            return Err(error);
        }
        self.open = Some(OpenBatch { batch, round: None, blamed: None });
        Ok(())
    }

    /// Forgets the open batch, if there is one.
    pub fn abandon(&mut self) {
        self.open = None;
        self.draft.rollback_all();
    }

    /// The holder whose margin refused the last record; none if something else did.
    #[must_use]
    pub fn blamed(&self) -> Option<i64> {
        self.open.as_ref().and_then(|open| open.blamed)
    }

    fn open_batch(&mut self) -> Law<&mut OpenBatch> {
        self.open.as_mut().ok_or_else(|| corrupt("no batch is open"))
    }

    fn open_round(&mut self) -> Law<&mut OpenRound> {
        self.open_batch()?.round.as_mut().ok_or_else(|| corrupt("no round is open"))
    }

    /// Whether a round is open, so that values at its views can be asked for.
    pub fn require_round(&self) -> Law<()> {
        match &self.open {
            Some(OpenBatch { round: Some(_), .. }) => Ok(()),
            _ => Err(corrupt("no round is open")),
        }
    }

    /// Opens a round with its snapshots and inbox requests.
    pub fn open(
        &mut self,
        time: i64,
        reports: Vec<MarketReports>,
        requests: Vec<Request>,
    ) -> Law<()> {
        let open = self.open_batch()?;
        if open.round.is_some() {
            return Err(corrupt("the round before is open"));
        }
        open.blamed = None;
        let is_first = open.batch.rounds.is_empty();
        let content = Round { time, reports, requests, ..Round::default() };
        let fills_before = self.draft.journal().fills.len();
        let checkpoint = self.draft.checkpoint();
        let draft = &mut self.draft;
        let result = check_round(draft, &content, is_first)
            .and_then(|()| open_round(draft, &content))
            .and_then(|()| content.requests.iter().try_for_each(|each| apply_request(draft, each)));
        if let Err(error) = result {
            draft.rollback(checkpoint);
            return Err(error);
        }
        let book = RoundBook::default();
        let round = OpenRound { content, book, fills_before, has_orders: false };
        self.open_batch()?.round = Some(round);
        Ok(())
    }

    /// Runs an action on the open round; on an error undoes what it did.
    fn attempt<T>(&mut self, action: impl FnOnce(&mut Self) -> Law<T>) -> Law<T> {
        self.open_round()?;
        let checkpoint = self.draft.checkpoint();
        self.open_batch()?.blamed = None;
        let result = action(self);
        if result.is_err() {
            self.draft.rollback(checkpoint);
        }
        result
    }

    /// Tries a change of key, epoch or tier.
    pub fn change(&mut self, change: Change) -> Law<()> {
        let round = self.open_round()?;
        let time = round.content.time;
        if round.has_orders || !round.content.due.is_empty() || !round.content.moves.is_empty() {
            return Err(corrupt("changes come before touches, orders and moves"));
        }
        self.attempt(|engine| apply_change(&mut engine.draft, time, &change))?;
        self.open_round()?.content.changes.push(change);
        Ok(())
    }

    /// Tries a touch, a liquidation or a fund's deleveraging.
    pub fn bring(&mut self, due: Due) -> Law<()> {
        let content = &self.open_round()?.content;
        if !content.trades.is_empty() || !content.moves.is_empty() {
            return Err(corrupt("touches and liquidations come before trades and moves"));
        }
        self.attempt(|engine| apply_due(&mut engine.draft, &due))?;
        self.open_round()?.content.due.push(due);
        Ok(())
    }

    /// Adds orders to the round's book; returns the place of the first. Their signatures are judged
    /// now; an order without a good one can be read, but not filled.
    pub fn read_orders(&mut self, orders: Vec<SignedOrder>) -> Law<usize> {
        let mut book = std::mem::take(&mut self.open_round()?.book);
        let first = book.orders.len();
        let result = read_orders(&self.draft, &mut book, orders);
        let round = self.open_round()?;
        round.book = book;
        round.has_orders = true;
        result.map(|()| first)
    }

    /// Adds mass quotes to the round's book; returns the place of the first.
    pub fn read_sheets(&mut self, sheets: Vec<SignedSheet>) -> Law<usize> {
        let mut book = std::mem::take(&mut self.open_round()?.book);
        let first = book.sheets.len();
        let result = read_sheets(&self.draft, &mut book, sheets);
        let round = self.open_round()?;
        round.book = book;
        round.has_orders = true;
        result.map(|()| first)
    }

    /// Tries a trade, and the margin rule of everyone in it.
    pub fn trade(&mut self, trade: Trade) -> Law<()> {
        if !self.open_round()?.content.moves.is_empty() {
            return Err(corrupt("trades come before moves"));
        }
        self.attempt(|engine| {
            let known = engine.draft.journal().fills.len();
            let book = std::mem::take(&mut engine.open_round()?.book);
            let result = apply_trade(&mut engine.draft, &book, &trade);
            engine.open_round()?.book = book;
            result?;
            let fills = &engine.draft.journal().fills[known..];
            let holders: BTreeSet<i64> =
                fills.iter().flat_map(|fill| [fill.buyer, fill.seller]).collect();
            holders.into_iter().try_for_each(|holder| engine.require(holder))
        })?;
        let round = self.open_round()?;
        round.has_orders = true;
        round.content.trades.push(trade);
        Ok(())
    }

    /// The margin rule of one holder, as if the round were sealed now.
    fn require(&mut self, holder: i64) -> Law<()> {
        self.open_batch()?.blamed = Some(holder);
        if holder < 0 {
            require_fund_margin(&mut self.draft, -1 - holder)?;
        } else {
            require_margin(&mut self.draft, holder)?;
        }
        self.open_batch()?.blamed = None;
        Ok(())
    }

    /// Tries a transfer, position move or withdrawal, and the margin rule of both ends.
    pub fn submit_move(&mut self, transaction: Move) -> Law<()> {
        self.attempt(|engine| {
            let claim = move_claim(&engine.draft, &transaction)?;
            let time = engine.draft.round().time;
            let verdict = verdicts(&engine.draft, time, &[claim])?.pop().flatten();
            apply_move(&mut engine.draft, &transaction, verdict)?;
            let mut ends = BTreeSet::from([transaction.account()]);
            ends.extend(transaction.recipient());
            ends.retain(|index| engine.draft.round().opening(*index).is_some());
            ends.into_iter().try_for_each(|index| engine.require(index))
        })?;
        self.open_round()?.content.moves.push(transaction);
        Ok(())
    }

    /// Seals the open round: orders and sheets that no fill refers to are left out.
    pub fn close(&mut self) -> Law<()> {
        self.attempt(|engine| close_round(&mut engine.draft))?;
        let open = self.open_batch()?;
        let Some(OpenRound { mut content, book, fills_before, .. }) = open.round.take() else {
            return Err(corrupt("no round is open"));
        };
        content.orders = book.orders;
        content.sheets = book.sheets;
        let moved = leave_out_unused(&mut content);
        open.batch.rounds.push(content);
        for entry in &mut self.draft.journal_mut().fills[fills_before..] {
            moved.apply(&mut entry.fill);
        }
        Ok(())
    }

    /// Seals the batch and goes on from the state it gives. On an error the batch stays open.
    pub fn seal(&mut self) -> Law<Sealed> {
        let open = self.open_batch()?;
        if open.round.is_some() {
            return Err(corrupt("a round is open"));
        }
        let batch = open.batch.clone();
        check_counts(self.draft.state(), &batch)?;
        let data = encode_full(&batch)?;
        let checkpoint = self.draft.checkpoint();
        if let Err(error) = finish_batch(&mut self.draft) {
            self.draft.rollback(checkpoint);
            return Err(error);
        }
        let applied = self.settle()?;
        self.open = None;
        Ok(Sealed { batch, data, applied })
    }
}

/// New places of orders and sheets after the unused ones were left out.
#[derive(Debug)]
struct Moved {
    orders: FxHashMap<i64, i64>,
    sheets: FxHashMap<i64, i64>,
}

impl Moved {
    fn apply(&self, fill: &mut Fill) {
        self.side(&mut fill.buyer);
        self.side(&mut fill.seller);
    }

    fn side(&self, side: &mut SideOf) {
        let places = match side.kind {
            SideKind::Order => &self.orders,
            SideKind::Quote => &self.sheets,
            SideKind::Liquidation | SideKind::Fund => return,
        };
        side.number = places.get(&side.number).copied().unwrap_or(side.number);
    }
}

/// Leaves out orders and sheets that no fill refers to and renumbers the fills.
fn leave_out_unused(content: &mut Round) -> Moved {
    let orders = places_used(content, SideKind::Order);
    let sheets = places_used(content, SideKind::Quote);
    let moved = Moved {
        orders: keep(&mut content.orders, |place| orders.contains(&place)),
        sheets: keep(&mut content.sheets, |place| sheets.contains(&place)),
    };
    for fill in content.trades.iter_mut().flat_map(|trade| &mut trade.fills) {
        moved.apply(fill);
    }
    moved
}

/// Keeps the entries at the places wanted; returns where they have gone.
fn keep<T>(list: &mut Vec<T>, wanted: impl Fn(i64) -> bool) -> FxHashMap<i64, i64> {
    let mut moved = FxHashMap::default();
    let mut place = 0;
    list.retain(|_| {
        let kept = wanted(place);
        if kept {
            moved.insert(place, moved.len() as i64);
        }
        place += 1;
        kept
    });
    moved
}
