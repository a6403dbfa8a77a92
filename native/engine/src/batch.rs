//! How a batch of transactions turns one state into the next (`novate.spec.batch`). A table of
//! contents.

use rustc_hash::FxHashSet;

use crate::authorization::{Claim, verdicts};
use crate::bounds::{EPOCH_MAX, FEE_ACCOUNT, ORACLE_GRID_S, TIME_MAX};
use crate::draft::Draft;
use crate::error::{Fault, Law, check_range, invalid};
use crate::expiry::sweep_empty;
use crate::funds::credit_fund;
use crate::liquidation::update_status;
use crate::margin_rule::{require_fund_margin, require_margin};
use crate::messages::orders::{
    ORDER, SHEET, check_order, check_sheet, order_elements, sheet_elements,
};
use crate::parameters_check::check_change;
use crate::transactions::changes::apply_change;
use crate::transactions::due::apply_due;
use crate::transactions::inbox::apply_request;
use crate::transactions::moves::{apply_move, move_claim};
use crate::transactions::snapshot::{apply_snapshot, check_markets_sorted, open_markets};
use crate::transactions::trade::{RoundBook, apply_trade};
use crate::types::batch::{Batch, Round, SideKind};
use crate::types::inbox::Request;
use crate::types::orders::{SCOPE_TRADE, SignedOrder, SignedSheet};
use crate::types::state::{Account, InstrumentState, Market, State, System};
use crate::valuation::{is_fresh, mark_of, open_views};

/// Applies every round of a batch to a draft of the state before it. On an error the draft is to be
/// rolled back.
pub fn apply_batch(draft: &mut Draft, batch: &Batch) -> Law<()> {
    check_header(draft.state(), batch)?;
    check_counts(draft.state(), batch)?;
    begin_batch(draft, batch)?;
    for (number, content) in batch.rounds.iter().enumerate() {
        apply_round(draft, content, number == 0)?;
    }
    finish_batch(draft)
}

/// One round, phase by phase.
fn apply_round(draft: &mut Draft, content: &Round, is_first: bool) -> Law<()> {
    check_round(draft, content, is_first)?;
    open_round(draft, content)?;
    for request in &content.requests {
        apply_request(draft, request)?;
    }
    for change in &content.changes {
        apply_change(draft, content.time, change)?;
    }
    for due in &content.due {
        apply_due(draft, due)?;
    }
    let mut book = RoundBook::default();
    read_orders(draft, &mut book, content.orders.clone())?;
    read_sheets(draft, &mut book, content.sheets.clone())?;
    for trade in &content.trades {
        apply_trade(draft, &book, trade)?;
    }
    let mut claims = Vec::with_capacity(content.moves.len());
    for transaction in &content.moves {
        claims.push(move_claim(draft, transaction)?);
    }
    let reasons = verdicts(draft, content.time, &claims)?;
    for (transaction, reason) in content.moves.iter().zip(reasons) {
        apply_move(draft, transaction, reason)?;
    }
    close_round(draft)
}

/// The batch's number, its fork, and the parameters it brings.
fn check_header(state: &State, batch: &Batch) -> Law<()> {
    let next = state.system.batch_number + 1;
    if batch.number != next {
        let detail = format!("number = {}, expected {next}", batch.number);
        return Err(invalid(Fault::WrongBatchNumber, detail));
    }
    check_range("batch.fork", batch.fork, 0, EPOCH_MAX)?;
    if batch.fork < state.system.fork {
        let detail = format!("fork = {}, state {}", batch.fork, state.system.fork);
        return Err(invalid(Fault::ForkWentBack, detail));
    }
    Ok(())
}

/// Rounds, requests, fills and records of the batch fit the preset's rows.
pub fn check_counts(state: &State, batch: &Batch) -> Law<()> {
    let preset = &state.preset;
    let rounds = batch.rounds.len() as i64;
    let Some(first) = batch.rounds.first().filter(|_| rounds <= preset.rounds_max) else {
        let detail = format!("{rounds} rounds, 1 to {}", preset.rounds_max);
        return Err(invalid(Fault::WrongRoundCount, detail));
    };
    let requests = first.requests.len() as i64;
    if requests > preset.inbox_max {
        let detail = format!("{requests}, max {}", preset.inbox_max);
        return Err(invalid(Fault::TooManyRequests, detail));
    }
    let trades = batch.rounds.iter().flat_map(|content| &content.trades);
    let fills = trades.map(|trade| trade.fills.len() as i64).sum::<i64>();
    if fills > preset.fills_max {
        let detail = format!("{fills}, max {}", preset.fills_max);
        return Err(invalid(Fault::TooManyFills, detail));
    }
    let records = batch.rounds.iter().map(largest_phase).max().unwrap_or(0);
    if records > preset.records_max() {
        let detail = format!("{records}, max {}", preset.records_max());
        return Err(invalid(Fault::TooManyRecords, detail));
    }
    Ok(())
}

/// Records of the round's fullest list, fills and requests aside.
fn largest_phase(content: &Round) -> i64 {
    let lengths = [
        content.changes.len(),
        content.due.len(),
        content.orders.len(),
        content.sheets.len(),
        content.moves.len(),
    ];
    lengths.into_iter().max().unwrap_or(0) as i64
}

/// Puts a draft under the batch's fork, parameters and venue epoch; checks the header but not what
/// the rounds hold.
pub fn begin_batch(draft: &mut Draft, batch: &Batch) -> Law<()> {
    check_header(draft.state(), batch)?;
    if let Some(parameters) = &batch.parameters {
        check_change(draft.preset(), draft.parameters(), parameters)?;
        draft.put_parameters(parameters.clone());
    }
    if batch.reset_slots {
        draft.reset_slots();
    }
    let system = draft.system().clone();
    draft.put_system(System { batch_number: batch.number, fork: batch.fork, ..system });
    for underlying in draft.markets().len()..draft.parameters().markets.len() {
        draft.put_market(underlying as i64, Market::default())?;
    }
    Ok(())
}

/// Grid second, not before the last round; requests only in the batch's first round.
pub fn check_round(draft: &Draft, content: &Round, is_first: bool) -> Law<()> {
    let (time, last) = (content.time, draft.system().time);
    if time % ORACLE_GRID_S != 0 {
        let detail = format!("time = {time}, grid {ORACLE_GRID_S} s");
        return Err(invalid(Fault::TimeOffGrid, detail));
    }
    if time < last {
        return Err(invalid(Fault::TimeWentBack, format!("time = {time}, {last}")));
    }
    if time > TIME_MAX {
        return Err(invalid(Fault::TimeOutOfRange, format!("time = {time}, max {TIME_MAX}")));
    }
    if !content.requests.is_empty() && !is_first {
        let detail = format!("{} requests", content.requests.len());
        return Err(invalid(Fault::RequestsNotInFirstRound, detail));
    }
    check_markets_sorted(&content.reports)?;
    check_orders_used(content)
}

/// The places of a round's orders, or of its sheets, that its fills refer to.
#[must_use]
pub fn places_used(content: &Round, kind: SideKind) -> FxHashSet<i64> {
    let fills = content.trades.iter().flat_map(|trade| &trade.fills);
    let sides = fills.flat_map(|fill| [fill.buyer, fill.seller]);
    sides.filter(|side| side.kind == kind).map(|side| side.number).collect()
}

/// Every order and sheet of a round stands on a side of one of its fills: no row is idle.
fn check_orders_used(content: &Round) -> Law<()> {
    for (kind, count) in
        [(SideKind::Order, content.orders.len()), (SideKind::Quote, content.sheets.len())]
    {
        let used = places_used(content, kind);
        if let Some(idle) = (0..count as i64).find(|place| !used.contains(place)) {
            return Err(invalid(Fault::UnusedOrder, format!("{kind:?} {idle}")));
        }
    }
    Ok(())
}

/// Phase 1: time, snapshots, halts, settlements, funding; then the views the round is under.
pub fn open_round(draft: &mut Draft, content: &Round) -> Law<()> {
    let system = draft.system().clone();
    draft.put_system(System { time: content.time, ..system });
    for quorum in &content.reports {
        apply_snapshot(draft, quorum, content.time)?;
    }
    open_markets(draft, content.time)?;
    check_prices_of_requests(draft, content)?;
    let round = open_views(draft, content.time)?;
    draft.set_round(round);
    Ok(())
}

/// The fault where L1 asks to close positions and a market that is open has an old price: whoever
/// orders the batches must not choose the price for a request.
fn check_prices_of_requests(draft: &Draft, content: &Round) -> Law<()> {
    let closing = |request: &Request| {
        matches!(request, Request::ForcedClose(_) | Request::ForcedLiquidation(_))
    };
    if !content.requests.iter().any(closing) {
        return Ok(());
    }
    for (underlying, market) in (0..).zip(draft.markets()) {
        if market.halt.since == 0 && !is_fresh(draft, underlying)? {
            let detail = format!("underlying = {underlying}, snapshot of {}", market.current.time);
            return Err(invalid(Fault::RequestsAtOldPrices, detail));
        }
    }
    Ok(())
}

/// Adds orders to the round's book, each with the verdict on its signature.
pub fn read_orders(draft: &Draft, book: &mut RoundBook, orders: Vec<SignedOrder>) -> Law<()> {
    let domain = draft.domain();
    let mut claims = Vec::with_capacity(orders.len());
    for SignedOrder { message, authorization } in &orders {
        check_order(message)?;
        let (account, epoch) = (message.account, cancel_epoch(draft, message.account));
        let mut elements = Vec::with_capacity(17);
        order_elements(message, &domain, epoch, &mut elements);
        claims.push(Claim { account, tag: ORDER, elements, authorization, scope: SCOPE_TRADE });
    }
    let found = verdicts(draft, draft.round().time, &claims)?;
    book.order_verdicts.extend(found);
    book.orders.extend(orders);
    Ok(())
}

/// Adds sheets to the round's book, each with the verdict on its signature.
pub fn read_sheets(draft: &Draft, book: &mut RoundBook, sheets: Vec<SignedSheet>) -> Law<()> {
    let domain = draft.domain();
    let mut claims = Vec::with_capacity(sheets.len());
    for SignedSheet { message, authorization } in &sheets {
        check_sheet(message, draft.preset().sheet_quotes_max)?;
        let (account, epoch) = (message.account, cancel_epoch(draft, message.account));
        let mut elements = Vec::with_capacity(13 + 3 * message.quotes.len());
        sheet_elements(message, &domain, epoch, &mut elements);
        claims.push(Claim { account, tag: SHEET, elements, authorization, scope: SCOPE_TRADE });
    }
    let found = verdicts(draft, draft.round().time, &claims)?;
    book.sheet_verdicts.extend(found);
    book.sheets.extend(sheets);
    Ok(())
}

/// The account's cancel epoch; 0 for an unknown account, which the verdict will name.
fn cancel_epoch(draft: &Draft, index: i64) -> i64 {
    draft.account(index).map_or(0, |account| account.cancel_epoch)
}

/// Phase 7: the margin rule, the liquidation status of touched accounts, the round's fees.
pub fn close_round(draft: &mut Draft) -> Law<()> {
    for index in draft.round().acted() {
        let entry = require_margin(draft, index)?;
        draft.record_margin(entry);
    }
    for underlying in draft.round().funds_acted() {
        require_fund_margin(draft, underlying)?;
    }
    for index in draft.round().touched() {
        update_status(draft, index)?;
    }
    let fees = draft.round().fees();
    if fees != 0 {
        let account = draft.account(FEE_ACCOUNT.into())?.clone();
        let cash = account.cash + fees;
        draft.put_account(FEE_ACCOUNT.into(), Account { cash, ..account })?;
    }
    Ok(())
}

/// Fresh marks; empty instruments swept into the funds.
pub fn finish_batch(draft: &mut Draft) -> Law<()> {
    let open: Vec<InstrumentState> =
        draft.instruments().values().filter(|state| !state.settled).copied().collect();
    for state in open {
        let mark = mark_of(draft, &state)?;
        if mark != state.mark {
            draft.put_instrument(InstrumentState { mark, ..state });
        }
    }
    for (underlying, clearing) in sweep_empty(draft) {
        credit_fund(draft, underlying, clearing)?;
    }
    Ok(())
}
