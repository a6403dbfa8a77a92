"""Recorded reports as an oracle's source, and the quorum that a teller of time waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.lab.worlds import oracle_wallets, parameters
from novate.native import NativePrimitives
from novate.node.oracle import Oracle
from novate.node.reports import ReportPool
from novate.node.settings import ConfigError
from novate.node.sources import RecordedReports, Surface, read_reports, write_reports
from novate.spec.messages.oracle import Report
from novate.spec.risk_parameters import MINIMAL_RISK
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields

FLAT = Surface(premium_ppm=7, basis_ppm=7, vol_ppm=7, expiries=2)
TIME = 1_800_000_000


def expiries(vol_ppm: int) -> tuple[ExpiryFields, ...]:
    """A smile that no flat setting gives."""
    return (ExpiryFields(3_000, -150, tuple(vol_ppm + 1_000 * k for k in range(NODES))),)


def recorded(underlying: int = 0) -> list[Report]:
    """Three grid seconds; the last two have one surface."""
    return [
        Report(underlying, TIME, 7_000_000, -30, 7_000_100, expiries(500_000)),
        Report(underlying, TIME + 5, 7_000_010, 0, 7_000_090, expiries(510_000)),
        Report(underlying, TIME + 10, 7_000_020, 12, 7_000_080, expiries(510_000)),
    ]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "reports.json"
    write_reports(path, recorded())
    found = read_reports(path)
    assert [found.report(TIME + 5 * k) for k in range(3)] == recorded()
    assert found.report(TIME + 1) is None
    assert (found.price(TIME + 5), found.price(TIME + 15)) == (7_000_010, None)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reports.json"
    for text in ('{"surfaces": [], "reports": [[0, 5, 1, 0, 1, 0]]}', "[]", "{}", "no"):
        path.write_text(text)
        with pytest.raises(ConfigError, match="not recorded reports"):
            read_reports(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_reports(tmp_path / "none.json")


def oracle(underlyings: int, keys: int) -> Oracle:
    """Some oracles of the small world, with recorded reports of some markets."""
    wallets = oracle_wallets()
    sources = {k: RecordedReports(recorded(k)) for k in range(underlyings)}
    secrets = [one.secret for one in wallets[:keys]]
    return Oracle(parameters(wallets, MINIMAL_RISK), secrets, sources, FLAT, NativePrimitives())


def test_the_oracle_signs_the_record_and_not_its_own_settings() -> None:
    [found] = oracle(underlyings=1, keys=2).reports(TIME + 5)
    assert {signed.report for signed in found.reports} == {recorded()[1]}
    assert oracle(underlyings=1, keys=2).reports(TIME + 20) == []


def test_a_second_is_complete_when_every_market_has_a_quorum() -> None:
    rules = parameters(oracle_wallets(), MINIMAL_RISK)
    pool = ReportPool()

    def add(underlying: int, time: int, keys: int) -> None:
        """Reports of some oracles."""
        for reports in oracle(2, keys).reports(time):
            for signed in reports.reports if reports.underlying == underlying else ():
                pool.add(signed)

    assert pool.complete(rules) == 0
    add(0, TIME, rules.quorum)
    add(1, TIME, rules.quorum - 1)
    assert pool.complete(rules) == 0
    add(1, TIME, rules.quorum)
    assert pool.complete(rules) == TIME
    add(0, TIME + 5, rules.quorum)
    assert pool.complete(rules) == TIME
    add(1, TIME + 5, rules.quorum)
    assert pool.complete(rules) == TIME + 5
