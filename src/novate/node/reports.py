"""Reports of the oracles as they come in, until a quorum of one grid second opens a round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import REPORT_TAG, SignedReport
from novate.spec.oracle import SNAPSHOT_AGE_MAX_S, median
from novate.spec.parameters import Parameters
from novate.spec.primitives import Primitives, SignatureCheck

KEPT_S: Final = 2 * SNAPSHOT_AGE_MAX_S
"""Reports older than this against the newest are of no use any more."""
PPM: Final = 1_000_000


class ReportPool:
    """Signed reports by market, grid second and oracle."""

    def __init__(self) -> None:
        """No reports."""
        self._kept: dict[int, dict[int, dict[int, SignedReport]]] = {}
        self._spoiled: set[tuple[int, int]] = set()
        """(market, second) of quorums that the law refused."""

    def add(self, signed: SignedReport) -> None:
        """Keep a report whose signature was found good; the first of an oracle counts."""
        report = signed.report
        of_market = self._kept.setdefault(report.underlying, {})
        of_market.setdefault(report.time, {}).setdefault(signed.oracle, signed)
        newest = max(of_market)
        for time in [time for time in of_market if time < newest - KEPT_S]:
            del of_market[time]

    def spoil(self, reports: Sequence[MarketReports]) -> None:
        """The law refused a round with these: they are not offered again."""
        self._spoiled.update(
            (quorum.underlying, quorum.reports[0].report.time) for quorum in reports
        )

    def quorum(
        self, underlying: int, after: int, time: int, parameters: Parameters
    ) -> MarketReports | None:
        """The newest quorum of a market later than `after` that may open a round at `time`."""
        of_market = self._kept.get(underlying, {})
        for moment in sorted(of_market, reverse=True):
            if not max(after + 1, time - SNAPSHOT_AGE_MAX_S) <= moment <= time:
                continue
            if (underlying, moment) in self._spoiled:
                continue
            chosen = closest(list(of_market[moment].values()), parameters)
            if chosen:
                return MarketReports(underlying, tuple(chosen))
        return None

    def complete(self, parameters: Parameters) -> int:
        """The newest second of which every market has a quorum of reports; 0 if there is none."""
        seconds: list[set[int]] = [
            {time for time, kept in self._kept.get(k, {}).items() if len(kept) >= parameters.quorum}
            for k in range(len(parameters.markets))
        ]
        return max(set.intersection(*seconds), default=0)

    def price(self, underlying: int) -> int | None:
        """The median index of the newest second that has reports; None without any."""
        of_market = self._kept.get(underlying)
        if not of_market:
            return None
        newest = of_market[max(of_market)]
        return median([signed.report.index_price for signed in newest.values()])


def closest(reports: list[SignedReport], parameters: Parameters) -> list[SignedReport]:
    """A quorum of reports with the same expiries and the least index spread, by oracle.

    Empty if there is none within the limit.
    """
    by_days: dict[tuple[int, ...], list[SignedReport]] = {}
    for signed in reports:
        days = tuple(expiry.day for expiry in signed.report.expiries)
        by_days.setdefault(days, []).append(signed)
    group = max(by_days.values(), key=len)
    group.sort(key=lambda signed: (signed.report.index_price, signed.oracle))
    needed = parameters.quorum
    windows = [group[at : at + needed] for at in range(len(group) - needed + 1)]
    if not windows:
        return []

    def spread(window: list[SignedReport]) -> int:
        """Highest less lowest index."""
        return window[-1].report.index_price - window[0].report.index_price

    best = min(windows, key=spread)
    lowest = best[0].report.index_price
    if spread(best) * PPM > parameters.oracle_spread_ppm * lowest:
        return []
    return sorted(best, key=lambda signed: signed.oracle)


def signed_by_its_oracle(
    reports: Sequence[SignedReport], parameters: Parameters, primitives: Primitives
) -> list[bool]:
    """Whether each report names a registered oracle and is signed by its key."""
    known = [0 <= signed.oracle < len(parameters.oracle_keys) for signed in reports]
    rows = [
        signed.report.elements(parameters.chain_id, parameters.settlement_contract)
        for signed in reports
    ]
    checks = [
        SignatureCheck(parameters.oracle_keys[signed.oracle], digest, signed.signature)
        for signed, digest, ours in zip(
            reports, primitives.hash_many(REPORT_TAG, rows), known, strict=True
        )
        if ours
    ]
    verdicts = iter(primitives.verify_many(checks))
    return [ours and next(verdicts) for ours in known]
