"""Oracle quorums, medians and halts: how a round gets its snapshot.

Exactly a quorum of reports of distinct registered keys, all for one grid second; each field is the
median of the reports. A price that jumps too far halts the market; it resumes after some quorum
snapshots that agree with each other, not with the price before the halt.
"""

from __future__ import annotations

from collections.abc import Sequence

from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.instruments import expiry_time
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import REPORT_TAG, Report, check_report
from novate.spec.parameters import MarketParameters
from novate.spec.primitives import Primitives, SignatureCheck
from novate.spec.rounding import PPM, div_up
from novate.spec.smile import NODES, smile_is_admissible
from novate.spec.state import ExpiryFields, Halt, Snapshot

SNAPSHOT_AGE_MAX_S = 30
"""A snapshot is at most this much older than the round it opens."""


def median(values: Sequence[int]) -> int:
    """The ⌈k/2⌉-th smallest of k values, counted from 1."""
    return sorted(values)[div_up(len(values), 2) - 1]


def check_quorum(
    draft: Draft, quorum: MarketReports, time: int, primitives: Primitives
) -> list[Report]:
    """The reports, after every rule about their number, keys, times, spread and signatures."""
    reports = [signed.report for signed in quorum.reports]
    _check_keys(draft, quorum)
    for report in reports:
        check_report(report, draft.preset.expiries_max, NODES)
        if report.underlying != quorum.underlying:
            raise Rejection(Reason.REPORT_OF_OTHER_MARKET, f"underlying = {report.underlying}")
    _check_times(draft, quorum.underlying, reports, time)
    _check_agreement(draft, reports)
    _check_signatures(draft, quorum, primitives)
    return reports


def _check_keys(draft: Draft, quorum: MarketReports) -> None:
    """A quorum exactly, of distinct registered keys in ascending order."""
    needed = draft.parameters.quorum
    if len(quorum.reports) != needed:
        raise Rejection(Reason.WRONG_REPORT_COUNT, f"{len(quorum.reports)} reports, not {needed}")
    oracles = [signed.oracle for signed in quorum.reports]
    if oracles != sorted(set(oracles)):
        raise Rejection(Reason.REPORTS_NOT_DISTINCT, f"oracles = {oracles}")
    if oracles and not 0 <= oracles[0] <= oracles[-1] < len(draft.parameters.oracle_keys):
        raise Rejection(Reason.UNKNOWN_ORACLE, f"oracles = {oracles}")


def _check_times(draft: Draft, underlying: int, reports: list[Report], time: int) -> None:
    """One grid second, newer than every snapshot before it, neither old nor ahead of the round."""
    market = draft.market(underlying)
    moment = reports[0].time
    if any(report.time != moment for report in reports):
        raise Rejection(Reason.REPORT_TIMES_DIFFER, f"times = {[r.time for r in reports]}")
    if moment % ORACLE_GRID_S:
        raise Rejection(Reason.REPORT_OFF_GRID, f"time = {moment}, grid {ORACLE_GRID_S} s")
    if not time - SNAPSHOT_AGE_MAX_S <= moment <= time:
        raise Rejection(Reason.REPORT_NOT_OF_NOW, f"time = {moment}, round {time}")
    latest = max(market.current.time, market.halt.pending.time)
    if moment <= latest:
        raise Rejection(Reason.REPORT_NOT_NEWER, f"time = {moment}, latest {latest}")


def _check_agreement(draft: Draft, reports: list[Report]) -> None:
    """The same expiries in every report, and an index spread within the limit."""
    days = [tuple(expiry.day for expiry in report.expiries) for report in reports]
    if any(listed != days[0] for listed in days):
        raise Rejection(Reason.REPORT_EXPIRIES_DIFFER, f"days = {days}")
    low = min(report.index_price for report in reports)
    high = max(report.index_price for report in reports)
    if (high - low) * PPM > draft.parameters.oracle_spread_ppm * low:
        raise Rejection(Reason.INDEX_SPREAD_TOO_WIDE, f"index from {low} to {high}")


def _check_signatures(draft: Draft, quorum: MarketReports, primitives: Primitives) -> None:
    """Every report is signed by its oracle's key."""
    parameters = draft.parameters
    digests = primitives.hash_many(
        REPORT_TAG,
        [
            signed.report.elements(parameters.chain_id, parameters.settlement_contract)
            for signed in quorum.reports
        ],
    )
    checks = [
        SignatureCheck(parameters.oracle_keys[signed.oracle], digest, signed.signature)
        for signed, digest in zip(quorum.reports, digests, strict=True)
    ]
    if not all(primitives.verify_many(checks)):
        raise Rejection(Reason.INVALID_REPORT_SIGNATURE, f"underlying = {quorum.underlying}")


def median_snapshot(reports: list[Report]) -> Snapshot:
    """Every field's median; the time is common to all."""
    expiries = tuple(
        ExpiryFields(
            day=fields[0].day,
            basis_ppm=median([field.basis_ppm for field in fields]),
            vols_ppm=tuple(
                median(node) for node in zip(*(field.vols_ppm for field in fields), strict=True)
            ),
        )
        for fields in zip(*(report.expiries for report in reports), strict=True)
    )
    return Snapshot(
        time=reports[0].time,
        index_price=median([report.index_price for report in reports]),
        premium_ppm=median([report.premium_ppm for report in reports]),
        mean=median([report.mean for report in reports]),
        expiries=expiries,
    )


def admissible_snapshot(
    parameters: MarketParameters, before: Snapshot, snapshot: Snapshot
) -> tuple[Snapshot, tuple[int, ...]]:
    """The snapshot with every smile that is not admissible replaced by the last accepted one.

    Also the days refused. An expiry without an admissible smile and without an old one is left
    out, and then valued like its nearest neighbour.
    """
    old = {expiry.day: expiry for expiry in before.expiries}
    risk = parameters.risk
    kept: list[ExpiryFields] = []
    refused: list[int] = []
    nearer: tuple[tuple[int, ...], int] | None = None
    for expiry in snapshot.expiries:
        left = expiry_time(expiry.day) - snapshot.time
        vols = expiry.vols_ppm
        admissible = left > 0 and smile_is_admissible(
            vols, left, risk.vol_min_ppm, risk.vol_max_ppm, nearer
        )
        if not admissible:
            refused.append(expiry.day)
            if expiry.day not in old:
                continue
            vols = old[expiry.day].vols_ppm
        kept.append(expiry._replace(vols_ppm=vols))
        nearer = (vols, left) if left > 0 else None
    return snapshot._replace(expiries=tuple(kept)), tuple(refused)


def jumps(parameters: MarketParameters, before: Snapshot, after: Snapshot) -> bool:
    """|new − old| > old (a + b Δt): too far for the time between them. Never from no price."""
    if before.index_price == 0:
        return False
    seconds = after.time - before.time
    limit_ppm = parameters.halt_jump_ppm + parameters.halt_drift_ppm_s * seconds
    return abs(after.index_price - before.index_price) * PPM > before.index_price * limit_ppm


def next_halt(parameters: MarketParameters, halt: Halt, snapshot: Snapshot) -> Halt:
    """A halted market sees one more quorum snapshot: it agrees with the last, or starts over."""
    agrees = halt.agreeing > 0 and not jumps(parameters, halt.pending, snapshot)
    return Halt(halt.since, halt.agreeing + 1 if agrees else 1, snapshot)
