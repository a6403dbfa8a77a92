"""Oracle and report pool: what is signed, which quorum opens a round, where prices come from."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from novate.lab.play.scene import INDEX, Scene
from novate.lab.worlds import START, Prices, report_of
from novate.native import NativePrimitives
from novate.node.oracle import Oracle
from novate.node.reports import ReportPool, signed_by_its_oracle
from novate.node.sources import Recording, Surface, Walk, read_quotes, report_at, window_mean
from novate.spec.instruments import day_of, expiry_time
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import check_report
from novate.spec.smile import NODES

SCENE = Scene()
PARAMETERS = SCENE.world.state.parameters
PRIMITIVES = NativePrimitives()
SURFACE = Surface(100, 1_000, 600_000, 2)


def pooled(*quorums: MarketReports) -> ReportPool:
    pool = ReportPool()
    for quorum in quorums:
        for signed in quorum.reports:
            pool.add(signed)
    return pool


def test_reports_are_signed_once_a_grid_second_and_verify() -> None:
    secrets = [oracle.secret for oracle in SCENE.world.oracles[:3]]
    walk = Walk(1, INDEX, START, 200)
    oracle = Oracle(PARAMETERS, secrets, {0: walk}, SURFACE, PRIMITIVES)
    [reports] = oracle.due(START + 7)
    assert {signed.report.time for signed in reports.reports} == {START + 5}
    assert signed_by_its_oracle(reports.reports, PARAMETERS, PRIMITIVES) == [True] * 3
    assert oracle.due(START + 9) == []
    assert len(oracle.due(START + 10)) == 1
    for signed in reports.reports:
        check_report(signed.report, SCENE.world.state.preset.expiries_max, NODES)


def test_forged_and_unknown_reports_are_told_apart() -> None:
    [quorum, _] = SCENE.reports(START)
    first, second, third = quorum.reports
    forged = second._replace(report=second.report._replace(index_price=1))
    unknown = third._replace(oracle=99)
    verdicts = signed_by_its_oracle((first, forged, unknown), PARAMETERS, PRIMITIVES)
    assert verdicts == [True, False, False]


def test_a_secret_without_a_registered_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no registered oracle"):
        Oracle(PARAMETERS, [12_345], {}, SURFACE, PRIMITIVES)


def test_the_newest_quorum_in_time_is_given() -> None:
    old, new = (SCENE.reports(START + at)[0] for at in (0, 10))
    pool = pooled(old, new)
    assert pool.quorum(0, 0, START + 12, PARAMETERS) == new
    assert pool.quorum(0, 0, START + 5, PARAMETERS) == old
    assert pool.quorum(0, START + 10, START + 12, PARAMETERS) is None
    assert pool.quorum(0, 0, START + 41, PARAMETERS) is None, "30 s are too old for the law"
    assert pool.quorum(1, 0, START + 12, PARAMETERS) is None
    pool.spoil([new])
    assert pool.quorum(0, 0, START + 12, PARAMETERS) == old


def test_an_outlier_does_not_spoil_a_quorum() -> None:
    reports = []
    for number, price in enumerate((INDEX, INDEX + 10, INDEX * 2, INDEX + 5)):
        days = SCENE.days
        report = report_of(0, START, Prices(price, days=days))
        other = SCENE.world.reports(0, START, Prices(INDEX, days=days)).reports[0]
        reports.append(other._replace(oracle=number, report=report))
    pool = ReportPool()
    for signed in reports:
        pool.add(signed)
    found = pool.quorum(0, 0, START, PARAMETERS)
    assert found is not None
    assert [signed.oracle for signed in found.reports] == [0, 1, 3]
    assert pool.price(0) == INDEX + 5
    few = ReportPool()
    for signed in reports[:3]:
        few.add(signed)
    assert few.quorum(0, 0, START, PARAMETERS) is None


def test_a_walk_is_a_function_of_its_seed() -> None:
    one, same, other = (
        Walk(1, INDEX, START, 500),
        Walk(1, INDEX, START, 500),
        Walk(2, INDEX, START, 500),
    )
    seconds = range(START, START + 2_000, 5)
    prices = [one.price(second) for second in seconds]
    assert [same.price(second) for second in reversed(seconds)] == prices[::-1]
    assert [other.price(second) for second in seconds] != prices
    assert one.price(START - 5) is None
    steps = [abs(b - a) for a, b in pairwise(prices) if a and b]
    assert max(steps) <= INDEX * 2 * 500 // 1_000_000
    assert min(steps) < max(steps)


def test_a_recording_is_read_and_shifted(tmp_path: Path) -> None:
    path = tmp_path / "quotes.parquet"
    rows = {"tx_ts_ms": [10_000, 10_400, 12_000], "bid": [1.0, 2.0, 3.0], "ask": [3.0, 3.0, 4.0]}
    parquet.write_table(pa.table(rows), path)
    prints = read_quotes(path, 100)
    assert prints == [(10, 250), (12, 350)]
    recording = Recording(prints, START)
    assert [recording.price(START + at) for at in (-1, 0, 1, 2, 500)] == [None, 250, 250, 350, 350]
    with pytest.raises(ValueError, match="without prints"):
        Recording([], START)


def test_the_mean_is_that_of_the_window() -> None:
    end = expiry_time(day_of(START) + 1)
    assert window_mean(end - 1_800, lambda _: 7) == 7, "that of the day before"
    running = {end - 1_795: 10, end - 1_790: 20}
    assert window_mean(end - 1_790, running.get) == 15
    assert window_mean(end - 1_790, lambda _: None) == 0
    assert window_mean(end, lambda second: second - end + 1_800) == sum(range(5, 1_801, 5)) // 360


def test_a_report_names_the_expiries_to_come() -> None:
    walk = Walk(1, INDEX, START, 200)
    report = report_at(0, START, walk, SURFACE)
    assert report is not None
    days = [expiry.day for expiry in report.expiries]
    assert all(expiry_time(day) > START for day in days)
    assert expiry_time(days[0]) - START <= 86_400
    assert report_at(0, START - 60, walk, SURFACE) is None
