//! Oracle quorums, medians and halts: how a round gets its snapshot (`novate.spec.oracle`).

use std::sync::Arc;

use novate_primitives::hash::hash_ragged;
use novate_risk::MarketParameters;
use novate_risk::instruments::expiry_time;
use novate_risk::smile::smile_is_admissible;

use crate::bounds::{ORACLE_GRID_S, SNAPSHOT_AGE_MAX_S};
use crate::draft::Draft;
use crate::error::{Law, Reason, reject};
use crate::messages::oracle::{REPORT, check_report, report_elements};
use crate::signatures::Checks;
use crate::types::batch::MarketReports;
use crate::types::oracle::Report;
use crate::types::state::{ExpiryFields, Halt, Snapshot};

/// The ⌈k/2⌉-th smallest of k values, counted from 1; 0 of none.
fn median(mut values: Vec<i64>) -> i64 {
    if values.is_empty() {
        return 0;
    }
    let place = values.len().div_ceil(2) - 1;
    *values.select_nth_unstable(place).1
}

/// Every rule about the reports' number, keys, times, spread and signatures.
pub fn check_quorum(draft: &Draft, quorum: &MarketReports, time: i64) -> Law<()> {
    check_keys(draft, quorum)?;
    for signed in &quorum.reports {
        check_report(&signed.report, draft.preset().expiries_max)?;
        if signed.report.underlying != quorum.underlying {
            let detail = format!("underlying = {}", signed.report.underlying);
            return Err(reject(Reason::ReportOfOtherMarket, detail));
        }
    }
    check_times(draft, quorum, time)?;
    check_agreement(draft, quorum)?;
    check_signatures(draft, quorum)
}

/// A quorum exactly, of distinct registered keys in ascending order.
fn check_keys(draft: &Draft, quorum: &MarketReports) -> Law<()> {
    let needed = draft.parameters().quorum();
    let count = quorum.reports.len();
    if count != needed {
        return Err(reject(Reason::WrongReportCount, format!("{count} reports, not {needed}")));
    }
    let oracles: Vec<i64> = quorum.reports.iter().map(|signed| signed.oracle).collect();
    if !oracles.is_sorted_by(|a, b| a < b) {
        return Err(reject(Reason::ReportsNotDistinct, format!("oracles = {oracles:?}")));
    }
    let keys = draft.parameters().oracle_keys.len() as i64;
    if oracles.first().is_some_and(|first| *first < 0)
        || oracles.last().is_some_and(|last| *last >= keys)
    {
        return Err(reject(Reason::UnknownOracle, format!("oracles = {oracles:?}")));
    }
    Ok(())
}

/// One grid second, newer than every snapshot before it, neither old nor ahead of the round.
fn check_times(draft: &Draft, quorum: &MarketReports, time: i64) -> Law<()> {
    let market = draft.market(quorum.underlying)?;
    let times = || quorum.reports.iter().map(|signed| signed.report.time);
    let Some(moment) = times().next() else { return Ok(()) };
    if times().any(|other| other != moment) {
        let detail = format!("times = {:?}", times().collect::<Vec<_>>());
        return Err(reject(Reason::ReportTimesDiffer, detail));
    }
    if moment % ORACLE_GRID_S != 0 {
        let detail = format!("time = {moment}, grid {ORACLE_GRID_S} s");
        return Err(reject(Reason::ReportOffGrid, detail));
    }
    if !(time - SNAPSHOT_AGE_MAX_S..=time).contains(&moment) {
        return Err(reject(Reason::ReportNotOfNow, format!("time = {moment}, round {time}")));
    }
    let latest = market.current.time.max(market.halt.pending.time);
    if moment <= latest {
        return Err(reject(Reason::ReportNotNewer, format!("time = {moment}, latest {latest}")));
    }
    Ok(())
}

/// The same expiries in every report, and an index spread within the limit.
fn check_agreement(draft: &Draft, quorum: &MarketReports) -> Law<()> {
    let days =
        |report: &Report| -> Vec<i64> { report.expiries.iter().map(|expiry| expiry.day).collect() };
    let mut reports = quorum.reports.iter().map(|signed| &signed.report);
    let Some(first) = reports.next() else { return Ok(()) };
    let expected = days(first);
    let (mut low, mut high) = (first.index_price, first.index_price);
    let mut differ = false;
    for report in reports {
        differ |= days(report) != expected;
        low = low.min(report.index_price);
        high = high.max(report.index_price);
    }
    if differ {
        return Err(reject(
            Reason::ReportExpiriesDiffer,
            format!("days = {expected:?} and others"),
        ));
    }
    let spread = i128::from(draft.parameters().oracle_spread_ppm);
    if i128::from(high - low) * 1_000_000 > spread * i128::from(low) {
        return Err(reject(Reason::IndexSpreadTooWide, format!("index from {low} to {high}")));
    }
    Ok(())
}

/// Every report is signed by its oracle's key.
fn check_signatures(draft: &Draft, quorum: &MarketReports) -> Law<()> {
    let parameters = draft.parameters();
    let mut checks = Checks::default();
    let mut elements = Vec::new();
    let mut offsets = vec![0];
    for signed in &quorum.reports {
        report_elements(&signed.report, parameters, &mut elements);
        offsets.push(elements.len());
        let key = parameters.oracle_keys[signed.oracle as usize]; // in range: `check_keys`
        checks.push(key, &signed.signature);
    }
    let digests = hash_ragged(REPORT, &elements, &offsets);
    if draft.judge_signatures(&checks, &digests)?.contains(&false) {
        let detail = format!("underlying = {}", quorum.underlying);
        return Err(reject(Reason::InvalidReportSignature, detail));
    }
    Ok(())
}

/// Every field's median over a checked quorum; the time is common to all.
#[must_use]
pub fn median_snapshot(quorum: &MarketReports) -> Snapshot {
    let reports: Vec<&Report> = quorum.reports.iter().map(|signed| &signed.report).collect();
    let of = |field: &dyn Fn(&Report) -> i64| median(reports.iter().map(|r| field(r)).collect());
    let expiries = reports.first().map_or(0, |first| first.expiries.len());
    let expiry = |place: usize| ExpiryFields {
        day: of(&|report| report.expiries[place].day),
        basis_ppm: of(&|report| report.expiries[place].basis_ppm),
        vols_ppm: (0..reports[0].expiries[place].vols_ppm.len())
            .map(|node| of(&|report| report.expiries[place].vols_ppm[node]))
            .collect(),
    };
    Snapshot {
        time: of(&|report| report.time),
        index_price: of(&|report| report.index_price),
        premium_ppm: of(&|report| report.premium_ppm),
        mean: of(&|report| report.mean),
        expiries: (0..expiries).map(expiry).collect(),
    }
}

/// The snapshot with every smile that is not admissible replaced by the last accepted one; also
/// the days refused. An expiry with neither is left out.
#[must_use]
pub fn admissible_snapshot(
    parameters: &MarketParameters,
    before: &Snapshot,
    mut snapshot: Snapshot,
) -> (Snapshot, Vec<i64>) {
    let (vol_min, vol_max) = (parameters.risk.vol_min_ppm, parameters.risk.vol_max_ppm);
    let mut refused = Vec::new();
    let mut kept: Vec<ExpiryFields> = Vec::with_capacity(snapshot.expiries.len());
    let mut nearer: Option<(usize, i64)> = None;
    for mut expiry in std::mem::take(&mut snapshot.expiries) {
        let left = expiry_time(expiry.day) - snapshot.time;
        let known = nearer.map(|(place, left)| (&kept[place].vols_ppm[..], left));
        let admissible =
            left > 0 && smile_is_admissible(&expiry.vols_ppm, left, vol_min, vol_max, known);
        if !admissible {
            refused.push(expiry.day);
            // of two with one day, the law takes the last
            let old = before.expiries.iter().rev().find(|old| old.day == expiry.day);
            let Some(old) = old else { continue };
            expiry.vols_ppm.clone_from(&old.vols_ppm);
        }
        kept.push(expiry);
        nearer = (left > 0).then_some((kept.len() - 1, left));
    }
    snapshot.expiries = kept;
    (snapshot, refused)
}

/// |new − old| > old (a + b Δt): too far for the time between them. Never from no price.
#[must_use]
pub fn jumps(parameters: &MarketParameters, before: &Snapshot, after: &Snapshot) -> bool {
    if before.index_price == 0 {
        return false;
    }
    let seconds = i128::from(after.time - before.time);
    let drift = i128::from(parameters.halt_drift_ppm_s) * seconds;
    let limit_ppm = i128::from(parameters.halt_jump_ppm) + drift;
    let old = i128::from(before.index_price);
    (i128::from(after.index_price) - old).abs() * 1_000_000 > old * limit_ppm
}

/// A halted market sees one more quorum snapshot: it agrees with the last, or starts over.
#[must_use]
pub fn next_halt(parameters: &MarketParameters, halt: &Halt, snapshot: &Arc<Snapshot>) -> Halt {
    let agrees = halt.agreeing > 0 && !jumps(parameters, &halt.pending, snapshot);
    let agreeing = if agrees { halt.agreeing + 1 } else { 1 };
    Halt { since: halt.since, agreeing, pending: Arc::clone(snapshot) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_lower_of_two_middles() {
        assert_eq!(median(vec![]), 0);
        assert_eq!(median(vec![7]), 7);
        assert_eq!(median(vec![9, 1]), 1);
        assert_eq!(median(vec![9, 1, 5]), 5);
        assert_eq!(median(vec![4, 3, 2, 1]), 2);
    }
}
