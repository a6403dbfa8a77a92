//! Phase 1: the oracle's snapshot of a market, and what follows from it
//! (`novate.spec.transactions.snapshot`): halts, settlement of expiries, funding, the concentration
//! ramp, the reference for withdrawals.

use std::sync::Arc;

use novate_risk::{concentration_rate, ramp};

use crate::draft::Draft;
use crate::error::{Fault, Law, invalid};
use crate::expiry::settle_expired;
use crate::funding::accrue_funding;
use crate::oracle::{admissible_snapshot, check_quorum, jumps, median_snapshot, next_halt};
use crate::types::batch::MarketReports;
use crate::types::journal::{SnapshotEntry, SnapshotOutcome};
use crate::types::state::{Halt, Market, Snapshot};
use crate::valuation::open_interest_of;

/// Judges a quorum of reports and lets the market follow it.
pub fn apply_snapshot(draft: &mut Draft, quorum: &MarketReports, time: i64) -> Law<()> {
    check_quorum(draft, quorum, time)?;
    let underlying = quorum.underlying;
    let market = draft.market(underlying)?.clone();
    let parameters = Arc::clone(draft.market_parameters(underlying)?);
    let (snapshot, smiles_refused) =
        admissible_snapshot(&parameters, &market.current, median_snapshot(quorum));
    let snapshot = Arc::new(snapshot);
    let outcome = if market.halt.since != 0 {
        while_halted(draft, underlying, &snapshot, time)?
    } else if jumps(&parameters, &market.current, &snapshot) {
        let halt = Halt { since: time, agreeing: 1, pending: Arc::clone(&snapshot) };
        draft.put_market(underlying, Market { halt, ..market })?;
        SnapshotOutcome::Halted
    } else {
        let seconds = snapshot.time - market.current.time;
        accept(draft, underlying, &snapshot, time)?;
        let (index, premium) = (snapshot.index_price, snapshot.premium_ppm);
        accrue_funding(draft, underlying, index, premium, seconds)?;
        SnapshotOutcome::Accepted
    };
    let entry = SnapshotEntry { underlying, median: snapshot, outcome, smiles_refused };
    draft.record_snapshot(entry);
    Ok(())
}

/// Counts agreement; after enough agreeing snapshots accepts the last one and resumes.
fn while_halted(
    draft: &mut Draft,
    underlying: i64,
    snapshot: &Arc<Snapshot>,
    time: i64,
) -> Law<SnapshotOutcome> {
    let market = draft.market(underlying)?.clone();
    let halt = next_halt(draft.market_parameters(underlying)?, &market.halt, snapshot);
    if halt.agreeing < draft.parameters().resume_snapshots {
        draft.put_market(underlying, Market { halt, ..market })?;
        return Ok(SnapshotOutcome::Pending);
    }
    draft.put_market(underlying, Market { halt: Halt::default(), ..market })?;
    accept(draft, underlying, snapshot, time)?;
    Ok(SnapshotOutcome::Resumed)
}

/// Makes the snapshot the market's current one; settles what it settles.
fn accept(draft: &mut Draft, underlying: i64, snapshot: &Arc<Snapshot>, time: i64) -> Law<()> {
    let current = Arc::clone(&draft.market(underlying)?.current);
    settle_expired(draft, underlying, &current, snapshot, time)?;
    let lots = open_interest_of(draft, underlying);
    let parameters = draft.market_parameters(underlying)?;
    let rate = concentration_rate(parameters, lots, snapshot.index_price);
    let market = draft.market(underlying)?.clone();
    let seconds = snapshot.time - current.time;
    let concentration_ppm = ramp(market.concentration_ppm, rate, seconds, parameters);
    let aged = age_reference(draft.parameters().reference_age_s, market, snapshot);
    let market = Market { current: Arc::clone(snapshot), concentration_ppm, ..aged };
    draft.put_market(underlying, market)
}

/// An old enough candidate becomes the reference, and the new snapshot the candidate.
fn age_reference(age_s: i64, market: Market, snapshot: &Arc<Snapshot>) -> Market {
    let candidate = Arc::clone(snapshot);
    if market.candidate.time == 0 {
        return Market { reference: Arc::clone(snapshot), candidate, ..market };
    }
    if snapshot.time - market.candidate.time >= age_s {
        return Market { reference: market.candidate, candidate, ..market };
    }
    market
}

/// What happens to every market at the opening of a round, snapshot or not: one without an accepted
/// snapshot for `gap_s` is halted; expiries settle by the last mean when their time has run out.
pub fn open_markets(draft: &mut Draft, time: i64) -> Law<()> {
    for underlying in 0..draft.markets().len() as i64 {
        let market = draft.market(underlying)?.clone();
        let current = Arc::clone(&market.current);
        let gap = time - current.time;
        if market.halt.since == 0 && gap > draft.market_parameters(underlying)?.gap_s {
            let halt = Halt { since: time, ..Halt::default() };
            draft.put_market(underlying, Market { halt, ..market })?;
        }
        settle_expired(draft, underlying, &current, &current, time)?;
    }
    Ok(())
}

/// At most one quorum a market, ascending.
pub fn check_markets_sorted(quorums: &[MarketReports]) -> Law<()> {
    let order: Vec<i64> = quorums.iter().map(|quorum| quorum.underlying).collect();
    if !order.is_sorted_by(|a, b| a < b) {
        return Err(invalid(Fault::ReportsNotSorted, format!("underlyings = {order:?}")));
    }
    Ok(())
}
