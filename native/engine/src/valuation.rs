//! Equity and margin of holders, at the opening snapshot of a round and at the reference
//! (`novate.spec.valuation`).
//!
//! Margins are kept up to date per holder: what a trade costs does not depend on how many positions
//! its holders have. Everything remembered is keyed by the shared lists it was computed from, so a
//! rollback cannot leave it wrong: it can only make it unused.

use std::collections::BTreeMap;
use std::sync::Arc;

use novate_risk::{
    Holding, Instrument, Margin, MarketParameters, MarketView, Portfolio, concentration_rate,
    portfolio_margin,
};
use rustc_hash::FxHashMap;

use crate::arithmetic::mul_div_down;
use crate::bounds::SNAPSHOT_AGE_MAX_S;
use crate::draft::Draft;
use crate::error::{Law, corrupt};
use crate::holders::{fund_holder, touch_account, underlying_of};
use crate::listing::decode_named;
use crate::round::RoundState;
use crate::types::journal::Health;
use crate::types::state::{InstrumentState, Market, Money, Position, Positions, Snapshot};

/// What valuations are remembered by. Each entry holds what it was computed from.
#[derive(Debug, Default)]
pub struct Caches {
    /// By underlying: views that outlive a round while snapshot and parameters stay the same.
    views: Vec<RememberedViews>,
    /// By holder, at the views of the open round.
    holders: FxHashMap<i64, Valued>,
}

/// The two views of a market, and what they were made of.
#[derive(Debug)]
struct RememberedViews {
    parameters: Arc<MarketParameters>,
    current: Arc<Snapshot>,
    reference: Arc<Snapshot>,
    view: MarketView,
    reference_view: MarketView,
}

/// What a holder's positions come to, over all underlyings.
#[derive(Debug, Default)]
struct Valued {
    /// By underlying: one portfolio for each ever held in the round.
    portfolios: Vec<(i64, Portfolio)>,
    /// The positions last valued, and their sums.
    now: Option<(Positions, Margin)>,
    /// The positions before the holder's first act of the round, and their sums.
    opening: Option<(Positions, Margin)>,
}

/// A round that opens now: the views at the markets' current and reference snapshots. It takes over
/// what the round before remembers.
pub fn open_views(draft: &mut Draft, time: i64) -> Law<RoundState> {
    let lots = open_interests(draft);
    let mut known = std::mem::take(&mut draft.round_mut().caches.views).into_iter();
    let mut remembered = Vec::with_capacity(draft.markets().len());
    for (underlying, (market, lots)) in (0..).zip(draft.markets().iter().zip(lots)) {
        let parameters = draft.market_parameters(underlying)?;
        let rate = concentration_rate(parameters, lots, market.current.index_price);
        remembered.push(RememberedViews::of(parameters, market, rate, known.next()));
    }
    let views = remembered.iter().map(|entry| entry.view.clone()).collect();
    let references = remembered.iter().map(|entry| entry.reference_view.clone()).collect();
    let mut round = RoundState::new(time, views, references);
    round.caches.views = remembered;
    Ok(round)
}

impl RememberedViews {
    /// The views of a market; those known if they are of the same snapshots and parameters.
    fn of(
        parameters: &Arc<MarketParameters>,
        market: &Market,
        initial_rate_ppm: i64,
        known: Option<Self>,
    ) -> Self {
        let (current, reference) = (&market.current, &market.reference);
        let maintenance_rate_ppm = market.concentration_ppm;
        let same = |known: &Self| {
            Arc::ptr_eq(&known.parameters, parameters)
                && Arc::ptr_eq(&known.current, current)
                && Arc::ptr_eq(&known.reference, reference)
        };
        if let Some(known) = known.filter(same) {
            let with_rates =
                |view: &MarketView| view.with_rates(maintenance_rate_ppm, initial_rate_ppm);
            let view = with_rates(&known.view);
            let reference_view = with_rates(&known.reference_view);
            return Self { view, reference_view, ..known };
        }
        let at = |snapshot: Arc<Snapshot>| {
            let parameters = Arc::clone(parameters);
            let time = current.time;
            MarketView::new(parameters, snapshot, time, maintenance_rate_ppm, initial_rate_ppm)
        };
        let view = at(Arc::clone(current));
        let reference_view = match reference.time {
            0 => view.clone(),
            _ => at(Arc::new(reference_snapshot(current, reference))),
        };
        Self {
            parameters: Arc::clone(parameters),
            current: Arc::clone(current),
            reference: Arc::clone(reference),
            view,
            reference_view,
        }
    }
}

/// The index, premium, basis and smiles of a reference that was taken, with what only the current
/// snapshot has: the mean, and expiries absent from the reference.
fn reference_snapshot(current: &Snapshot, reference: &Snapshot) -> Snapshot {
    let mut merged: BTreeMap<i64, _> = BTreeMap::new();
    for fields in current.expiries.iter().chain(&reference.expiries) {
        merged.insert(fields.day, fields);
    }
    Snapshot {
        time: reference.time,
        index_price: reference.index_price,
        premium_ppm: reference.premium_ppm,
        mean: current.mean,
        expiries: merged.into_values().cloned().collect(),
    }
}

/// Open interest of all unsettled instruments of each underlying together, lots, by underlying.
fn open_interests(draft: &Draft) -> Vec<i128> {
    let mut lots = vec![0; draft.markets().len()];
    for state in draft.instruments().values().filter(|state| !state.settled) {
        let place = usize::try_from(underlying_of(state.instrument)).ok();
        if let Some(sum) = place.and_then(|place| lots.get_mut(place)) {
            *sum += i128::from(state.open_interest);
        }
    }
    lots
}

/// Open interest of all unsettled instruments of an underlying together, lots.
#[must_use]
pub fn open_interest_of(draft: &Draft, underlying: i64) -> i128 {
    let states = draft.instruments().values();
    let counted = states.filter(|s| !s.settled && underlying_of(s.instrument) == underlying);
    counted.map(|state| i128::from(state.open_interest)).sum()
}

impl Valued {
    /// Sums over the underlyings of the value and margins of positions that are up to date.
    fn worth(&mut self, views: &[MarketView], positions: &Positions) -> Law<Margin> {
        if let Some((known, sums)) = &self.now
            && Arc::ptr_eq(known, positions)
        {
            return Ok(*sums);
        }
        let mut sums = Margin::default();
        for group in by_underlying(positions) {
            let portfolio = self.portfolio(views, underlying_of(group[0].instrument))?;
            follow(portfolio, group);
            add_margin(&mut sums, portfolio.margin());
        }
        self.now = Some((Arc::clone(positions), sums));
        Ok(sums)
    }

    /// The portfolio in one underlying, an empty one at first.
    fn portfolio(&mut self, views: &[MarketView], underlying: i64) -> Law<&mut Portfolio> {
        let known = self.portfolios.iter().position(|(known, _)| *known == underlying);
        let place = match known {
            Some(place) => place,
            None => {
                let portfolio = Portfolio::new(view_of(views, underlying)?, &[]);
                self.portfolios.push((underlying, portfolio));
                self.portfolios.len() - 1
            }
        };
        Ok(&mut self.portfolios[place].1)
    }
}

/// Makes a portfolio hold exactly some positions, sorted by instrument, in one underlying.
fn follow(portfolio: &mut Portfolio, held: &[Position]) {
    let same = held.iter().map(|position| (position.instrument as u64, position.quantity));
    if portfolio.positions().eq(same) {
        return;
    }
    let mut changes: Vec<(u64, i64)> = Vec::new();
    let mut known = portfolio.positions().peekable();
    for position in held {
        let (id, quantity) = (position.instrument as u64, position.quantity);
        while let Some((gone, _)) = known.next_if(|(known, _)| *known < id) {
            changes.push((gone, 0));
        }
        let before = known.next_if(|(known, _)| *known == id).map_or(0, |(_, lots)| lots);
        if before != quantity {
            changes.push((id, quantity));
        }
    }
    changes.extend(known.map(|(gone, _)| (gone, 0)));
    for (id, quantity) in changes {
        portfolio.set(id, quantity);
    }
}

/// Positions in groups of one underlying each, ascending.
pub fn by_underlying(positions: &[Position]) -> impl Iterator<Item = &[Position]> {
    positions.chunk_by(|a, b| underlying_of(a.instrument) == underlying_of(b.instrument))
}

fn view_of(views: &[MarketView], underlying: i64) -> Law<&MarketView> {
    let found = usize::try_from(underlying).ok().and_then(|place| views.get(place));
    found.ok_or_else(|| corrupt(format!("underlying {underlying} is held but has no view")))
}

fn add_margin(sums: &mut Margin, margin: Margin) {
    sums.value += margin.value;
    sums.maintenance += margin.maintenance;
    sums.initial += margin.initial;
}

/// Far from the ends of 128 bits: cash is below 2^98 (`state_check`); value and margins are below
/// 2^102: at most 2^12 positions of 2^33 lots, and 2^57 a lot (a price or index below 2^31, the
/// rate of a charge and the initial factor below 2^13 each).
fn health_of(cash: Money, worth: Margin) -> Health {
    Health { equity: cash + worth.value, maintenance: worth.maintenance, initial: worth.initial }
}

/// Value and margins of up-to-date positions by underlying, ascending, from scratch.
pub fn margins_by_underlying(
    views: &[MarketView],
    positions: &[Position],
) -> Law<Vec<(i64, Margin)>> {
    let margin = |group: &[Position]| {
        let underlying = underlying_of(group[0].instrument);
        let holdings: Vec<Holding> = group.iter().map(holding).collect();
        Ok((underlying, portfolio_margin(view_of(views, underlying)?, &holdings)))
    };
    by_underlying(positions).map(margin).collect()
}

fn holding(position: &Position) -> Holding {
    let instrument = position.instrument as u64;
    Holding { instrument, quantity: position.quantity, settlement: None }
}

/// Equity, maintenance and initial margin of up-to-date positions, from scratch; no offset between
/// underlyings.
pub fn health(views: &[MarketView], cash: Money, positions: &[Position]) -> Law<Health> {
    let mut sums = Margin::default();
    for (_, margin) in margins_by_underlying(views, positions)? {
        add_margin(&mut sums, margin);
    }
    Ok(health_of(cash, sums))
}

/// Value and margins of a holder's positions at the views of the round.
fn worth_now(draft: &mut Draft, holder: i64, positions: &Positions) -> Law<Margin> {
    let round = draft.round_mut();
    round.caches.holders.entry(holder).or_default().worth(&round.views, positions)
}

/// Health of an up-to-date account at the opening snapshot.
pub fn account_health(draft: &mut Draft, index: i64) -> Law<Health> {
    let account = draft.account(index)?;
    let (cash, positions) = (account.cash, Arc::clone(&account.positions));
    Ok(health_of(cash, worth_now(draft, index, &positions)?))
}

/// Health of an up-to-date fund at the opening snapshot.
pub fn fund_health(draft: &mut Draft, underlying: i64) -> Law<Health> {
    let fund = &draft.market(underlying)?.fund;
    let (cash, positions) = (fund.cash, Arc::clone(&fund.positions));
    Ok(health_of(cash, worth_now(draft, fund_holder(underlying), &positions)?))
}

/// Health of an up-to-date account at the reference snapshot.
pub fn reference_health(draft: &Draft, index: i64) -> Law<Health> {
    let account = draft.account(index)?;
    health(&draft.round().references, account.cash, &account.positions)
}

/// Health of a holder as it was before its first act of the round, with `cash` of then or more.
pub fn opening_health(
    draft: &Draft,
    holder: i64,
    cash: Money,
    positions: &Positions,
) -> Law<Health> {
    let round = draft.round();
    let valued = round.caches.holders.get(&holder).and_then(|valued| valued.opening.as_ref());
    match valued {
        Some((known, sums)) if Arc::ptr_eq(known, positions) => Ok(health_of(cash, *sums)),
        _ => health(&round.views, cash, positions),
    }
}

/// Values a holder's positions before its first act, so that nobody has to do it again.
pub fn remember_opening_worth(draft: &mut Draft, holder: i64, positions: &Positions) -> Law<()> {
    worth_now(draft, holder, positions)?;
    let valued = draft.round_mut().caches.holders.entry(holder).or_default();
    valued.opening.clone_from(&valued.now);
    Ok(())
}

/// Health of an account as if it had also filled (instrument, signed lots, price) each, without
/// fees, its positions brought up to date; leaves no trace.
///
/// Rejections: `unknown_account`, `unknown_instrument`, `unknown_market`.
pub fn health_after(draft: &mut Draft, index: i64, fills: &[(i64, i64, i64)]) -> Law<Health> {
    let checkpoint = draft.checkpoint();
    let result = touch_account(draft, index).and_then(|()| health_with(draft, index, fills));
    draft.rollback(checkpoint);
    result
}

fn health_with(draft: &mut Draft, index: i64, fills: &[(i64, i64, i64)]) -> Law<Health> {
    let mut now = account_health(draft, index)?;
    let mut changed: Vec<(i64, Portfolio)> = Vec::new();
    for &(instrument, lots, price) in fills {
        decode_named(instrument)?;
        let underlying = underlying_of(instrument);
        draft.market(underlying)?;
        now.equity -= Money::from(lots) * Money::from(price);
        if !changed.iter().any(|(known, _)| *known == underlying) {
            changed.push((underlying, held_portfolio(draft, index, underlying)?));
        }
        for (_, portfolio) in changed.iter_mut().filter(|(known, _)| *known == underlying) {
            let id = instrument as u64;
            portfolio.set(id, portfolio.quantity(id).saturating_add(lots));
        }
    }
    for (underlying, portfolio) in changed {
        let before = held_portfolio(draft, index, underlying)?.margin();
        let after = portfolio.margin();
        now.equity += after.value - before.value;
        now.maintenance += after.maintenance - before.maintenance;
        now.initial += after.initial - before.initial;
    }
    Ok(now)
}

/// A copy of the portfolio an account that was just valued holds in an underlying.
fn held_portfolio(draft: &mut Draft, index: i64, underlying: i64) -> Law<Portfolio> {
    let positions = Arc::clone(&draft.account(index)?.positions);
    let round = draft.round_mut();
    let valued = round.caches.holders.entry(index).or_default();
    let portfolio = valued.portfolio(&round.views, underlying)?;
    let mut groups = by_underlying(&positions);
    follow(portfolio, groups.find(|g| underlying_of(g[0].instrument) == underlying).unwrap_or(&[]));
    Ok(portfolio.clone())
}

/// Whether the market's snapshot is as new as one that may open a round.
pub fn is_fresh(draft: &Draft, underlying: i64) -> Law<bool> {
    let taken = draft.market(underlying)?.current.time;
    Ok(draft.system().time - taken <= SNAPSHOT_AGE_MAX_S)
}

/// The mark at the round's snapshot of an instrument of a market, whatever it is.
pub fn mark_of_id(draft: &Draft, instrument: i64) -> Law<i64> {
    Ok(draft.view(underlying_of(instrument))?.mark_of_id(instrument as u64))
}

/// The mark at the round's snapshot; of a settled instrument its settlement value.
pub fn mark_of(draft: &Draft, state: &InstrumentState) -> Law<i64> {
    if state.settled { Ok(state.mark) } else { mark_of_id(draft, state.instrument) }
}

/// Whether an instrument's expiry has come; never for what is no instrument.
#[must_use]
pub fn is_expired(instrument: i64, time: i64) -> bool {
    let expiry = Instrument::decode(instrument as u64).ok().and_then(Instrument::expiry_time);
    expiry.is_some_and(|expiry| expiry <= time)
}

/// Why nothing may leave the account whatever its equity: a halt or a missing fixing; or none.
pub fn withdrawal_obstacle(draft: &Draft, positions: &[Position]) -> Law<Option<String>> {
    for position in positions {
        let underlying = underlying_of(position.instrument);
        if draft.market(underlying)?.halt.since != 0 {
            return Ok(Some(format!("market {underlying} is halted")));
        }
        if is_expired(position.instrument, draft.system().time) {
            return Ok(Some(format!("instrument {} is not settled yet", position.instrument)));
        }
    }
    Ok(None)
}

/// The largest debit of an up-to-date account after which E >= I at this snapshot and at the
/// reference; at least 0.
pub fn withdrawable(draft: &mut Draft, index: i64) -> Law<Money> {
    if withdrawal_obstacle(draft, &draft.account(index)?.positions)?.is_some() {
        return Ok(0);
    }
    let now = account_health(draft, index)?;
    let then = reference_health(draft, index)?;
    Ok((now.equity - now.initial).min(then.equity - then.initial).max(0))
}

/// B: fund debt of all markets together.
#[must_use]
pub fn total_debt(draft: &Draft) -> Money {
    draft.markets().iter().map(|market| market.fund.debt).sum()
}

/// What a debit pays out: all of it, or debit · V / (V + B) rounded down while B > 0.
#[must_use]
pub fn payout_of(draft: &Draft, debit: Money) -> Money {
    let (vault, debt) = (draft.system().vault, total_debt(draft));
    if debt == 0 { debit } else { mul_div_down(debit, vault, vault + debt) }
}

/// An account is about to act: brings it up to date and remembers it as it was before.
pub fn begin_act(draft: &mut Draft, index: i64) -> Law<()> {
    touch_account(draft, index)?;
    if draft.round().opening(index).is_none() {
        let account = draft.account(index)?.clone();
        remember_opening_worth(draft, index, &account.positions)?;
        draft.remember_opening(index, account);
    }
    draft.mark_touched(index);
    Ok(())
}
