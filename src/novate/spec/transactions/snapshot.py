"""Phase 1: the oracle's snapshot of a market, and what follows from it.

Halts, settlement of expiries, funding, the concentration ramp, the reference for withdrawals.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.draft import Draft
from novate.spec.errors import Fault, InvalidBatch
from novate.spec.expiry import settle_expired
from novate.spec.funding import accrue_funding
from novate.spec.journal import SnapshotEntry, SnapshotOutcome
from novate.spec.margin import concentration_rate, ramp
from novate.spec.messages.batch import MarketReports
from novate.spec.oracle import (
    admissible_snapshot,
    check_quorum,
    jumps,
    median_snapshot,
    next_halt,
)
from novate.spec.primitives import Primitives
from novate.spec.state import Halt, Market, Snapshot
from novate.spec.valuation import open_interest_of


def apply_snapshot(draft: Draft, quorum: MarketReports, time: int, primitives: Primitives) -> None:
    """Judge a quorum of reports and let the market follow it. Rejections: see `oracle`."""
    reports = check_quorum(draft, quorum, time, primitives)
    underlying = quorum.underlying
    market = draft.market(underlying)
    parameters = draft.market_parameters(underlying)
    snapshot, refused = admissible_snapshot(parameters, market.current, median_snapshot(reports))
    if market.halt.since:
        outcome = _while_halted(draft, underlying, snapshot, time)
    elif jumps(parameters, market.current, snapshot):
        halt = Halt(since=time, agreeing=1, pending=snapshot)
        draft.put_market(underlying, replace(market, halt=halt))
        outcome = SnapshotOutcome.HALTED
    else:
        seconds = snapshot.time - market.current.time
        accept(draft, underlying, snapshot, time)
        accrue_funding(draft, underlying, snapshot.index_price, snapshot.premium_ppm, seconds)
        outcome = SnapshotOutcome.ACCEPTED
    draft.record(draft.journal.snapshots, SnapshotEntry(underlying, snapshot, outcome, refused))


def _while_halted(draft: Draft, underlying: int, snapshot: Snapshot, time: int) -> SnapshotOutcome:
    """Count agreement; after enough agreeing snapshots accept the last one and resume."""
    market = draft.market(underlying)
    halt = next_halt(draft.market_parameters(underlying), market.halt, snapshot)
    if halt.agreeing < draft.parameters.resume_snapshots:
        draft.put_market(underlying, replace(market, halt=halt))
        return SnapshotOutcome.PENDING
    draft.put_market(underlying, replace(market, halt=Halt()))
    accept(draft, underlying, snapshot, time)
    return SnapshotOutcome.RESUMED


def accept(draft: Draft, underlying: int, snapshot: Snapshot, time: int) -> None:
    """Make the snapshot the market's current one; settle what it settles."""
    market = draft.market(underlying)
    settle_expired(draft, underlying, market.current, snapshot, time)
    parameters = draft.market_parameters(underlying)
    rate = concentration_rate(parameters, open_interest_of(draft, underlying), snapshot.index_price)
    seconds = snapshot.time - market.current.time
    rate = ramp(market.concentration_ppm, rate, seconds, parameters)
    aged = _age_reference(draft, market, snapshot)
    draft.put_market(underlying, replace(aged, current=snapshot, concentration_ppm=rate))


def _age_reference(draft: Draft, market: Market, snapshot: Snapshot) -> Market:
    """An old enough candidate becomes the reference, and the new snapshot the candidate."""
    if market.candidate.time == 0:
        return replace(market, candidate=snapshot, reference=snapshot)
    if snapshot.time - market.candidate.time >= draft.parameters.reference_age_s:
        return replace(market, reference=market.candidate, candidate=snapshot)
    return market


def open_markets(draft: Draft, time: int) -> None:
    """What happens to every market at the opening of a round, snapshot or not.

    A market without an accepted snapshot for `gap_s` is halted; expiries settle by the last mean
    when their time has run out.
    """
    for underlying in sorted(draft.markets):
        market = draft.market(underlying)
        gap = time - market.current.time
        if market.halt.since == 0 and gap > draft.market_parameters(underlying).gap_s:
            draft.put_market(underlying, replace(market, halt=Halt(since=time)))
        settle_expired(draft, underlying, market.current, market.current, time)


def check_markets_sorted(quorums: tuple[MarketReports, ...]) -> None:
    """At most one quorum a market, ascending."""
    order = [quorum.underlying for quorum in quorums]
    if order != sorted(set(order)):
        raise InvalidBatch(Fault.REPORTS_NOT_SORTED, f"underlyings = {order}")
