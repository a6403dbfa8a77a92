"""Quorums: every reason a set of reports is refused, and the medians of a good one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from novate.lab.wallets import sign_report
from novate.lab.worlds import report_of
from novate.spec.errors import Reason
from novate.spec.instruments import day_of
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import Report, SignedReport
from novate.spec.oracle import median
from novate.spec.parameters import Parameters
from tests.spec.kit import BTC, BTC_PRICE, DAY, ETH, PRICES, Act, Stage


def signed(stage: Stage, oracle: int, report: Report) -> SignedReport:
    """One oracle's signed report."""
    parameters = stage.state.parameters
    return sign_report(
        stage.world.oracles,
        oracle,
        report,
        parameters.chain_id,
        parameters.settlement_contract,
        stage.primitives,
    )


def quorum(
    stage: Stage,
    change: Callable[[int, Report], Report] = lambda _, report: report,
    oracles: tuple[int, ...] = (0, 1, 2),
    after: int = 5,
) -> Act:
    """A round with a quorum of BTC in which `change` has changed report k before signing."""
    act = stage.round(after)
    usual = report_of(BTC, act.time, PRICES[BTC])
    reports = tuple(signed(stage, o, change(k, usual)) for k, o in enumerate(oracles))
    act.reports.append(MarketReports(BTC, reports))
    return act


def test_any_quorum_of_the_registered_keys_will_do() -> None:
    stage = Stage()
    for oracles in ((0, 1, 2), (0, 2, 3), (1, 2, 3)):
        stage.apply(quorum(stage, oracles=oracles))


def test_every_field_is_a_median() -> None:
    stage = Stage()

    def change(place: int, report: Report) -> Report:
        [first, second] = report.expiries
        return report._replace(
            index_price=(10_000_000, 10_020_000, 10_010_000)[place],
            premium_ppm=(-300, 500, 100)[place],
            mean=(9_999_990, 9_999_970, 9_999_980)[place],
            expiries=(
                first._replace(basis_ppm=(9, 7, 8)[place]),
                second._replace(vols_ppm=((610_000, 590_000, 600_000)[place],) * 11),
            ),
        )

    [entry] = stage.apply(quorum(stage, change)).snapshots
    assert entry.median == stage.state.markets[BTC].current
    assert entry.median.index_price == 10_010_000
    assert entry.median.premium_ppm == 100
    assert entry.median.mean == 9_999_980
    assert entry.median.expiries[0].basis_ppm == 8
    assert entry.median.expiries[1].vols_ppm == (600_000,) * 11


@pytest.mark.parametrize(
    "values, expected",
    [((5,), 5), ((2, 1), 1), ((3, 1, 2), 2), ((4, 1, 3, 2), 2), ((5, 1, 4, 2, 3), 3)],
)
def test_the_median_is_the_lower_middle(values: tuple[int, ...], expected: int) -> None:
    assert median(values) == expected


def test_the_quorum_is_more_than_two_thirds() -> None:
    parameters = Stage().state.parameters
    key = parameters.oracle_keys[0]

    def with_keys(count: int) -> Parameters:
        return replace(parameters, oracle_keys=(key,) * count)

    quorums = [with_keys(count).quorum for count in range(1, 11)]
    assert quorums == [1, 2, 3, 3, 4, 5, 5, 6, 7, 7]


def test_wrong_report_count() -> None:
    stage = Stage()
    for oracles in ((), (0, 1), (0, 1, 2, 3)):
        stage.refuse(Reason.WRONG_REPORT_COUNT, quorum(stage, oracles=oracles))


def test_reports_not_distinct() -> None:
    stage = Stage()
    for oracles in ((0, 1, 1), (1, 0, 2)):
        stage.refuse(Reason.REPORTS_NOT_DISTINCT, quorum(stage, oracles=oracles))


def test_unknown_oracle() -> None:
    stage = Stage()
    for place, oracle in ((2, 4), (0, -1)):
        act = quorum(stage)
        reports = list(act.reports[0].reports)
        reports[place] = reports[place]._replace(oracle=oracle)
        act.reports[0] = MarketReports(BTC, tuple(reports))
        stage.refuse(Reason.UNKNOWN_ORACLE, act)


def test_report_of_other_market() -> None:
    stage = Stage()
    act = quorum(stage, lambda k, report: report._replace(underlying=ETH if k == 1 else BTC))
    stage.refuse(Reason.REPORT_OF_OTHER_MARKET, act)


def test_a_quorum_of_no_market() -> None:
    stage = Stage()
    act = quorum(stage, lambda _, report: report._replace(underlying=2))
    act.reports[0] = act.reports[0]._replace(underlying=2)
    stage.refuse(Reason.UNKNOWN_MARKET, act)


def test_report_times_differ() -> None:
    stage = Stage()
    act = quorum(
        stage, lambda k, report: report._replace(time=report.time - 5 * (k == 2)), after=10
    )
    stage.refuse(Reason.REPORT_TIMES_DIFFER, act)


def test_report_off_grid() -> None:
    stage = Stage()
    act = quorum(stage, lambda _, report: report._replace(time=report.time - 1), after=10)
    stage.refuse(Reason.REPORT_OFF_GRID, act)


def test_report_not_of_now() -> None:
    for late, reason in (
        (-35, Reason.REPORT_NOT_OF_NOW),
        (5, Reason.REPORT_NOT_OF_NOW),
        (-30, None),
    ):
        stage = Stage()
        act = quorum(
            stage, lambda _, report, d=late: report._replace(time=report.time + d), after=40
        )
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_report_not_newer() -> None:
    stage = Stage()
    stage.refuse(Reason.REPORT_NOT_NEWER, quorum(stage, after=0))
    halting = quorum(stage, lambda _, report: report._replace(index_price=5_000_000))
    stage.apply(halting)
    stage.refuse(Reason.REPORT_NOT_NEWER, quorum(stage, after=0))  # than the pending one either
    stage.apply(quorum(stage))


def test_report_expiries_differ() -> None:
    stage = Stage()
    act = quorum(stage, lambda k, report: report._replace(expiries=report.expiries[: 2 - (k == 2)]))
    stage.refuse(Reason.REPORT_EXPIRIES_DIFFER, act)


def test_index_spread_too_wide() -> None:
    stage = Stage()
    for spread, reason in ((50_001, Reason.INDEX_SPREAD_TOO_WIDE), (50_000, None)):  # 0.5 %
        act = quorum(
            stage,
            lambda k, report, d=spread: report._replace(index_price=BTC_PRICE + d * (k == 0)),
        )
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_invalid_report_signature() -> None:
    stage = Stage()
    act = quorum(stage)
    last = act.reports[0].reports[2]
    for forged in (
        last._replace(signature=act.reports[0].reports[1].signature),
        last._replace(report=last.report._replace(premium_ppm=1)),
        last._replace(oracle=3),
    ):
        act.reports[0] = MarketReports(BTC, (*act.reports[0].reports[:2], forged))
        stage.refuse(Reason.INVALID_REPORT_SIGNATURE, act)


@pytest.mark.parametrize(
    "change",
    [
        {"index_price": 0},
        {"index_price": 2**31},
        {"mean": 0},
        {"premium_ppm": 2**24},
        {"time": 2**32},
    ],
)
def test_fields_out_of_their_bounds_are_no_report(change: dict[str, int]) -> None:
    stage = Stage()
    stage.undecodable(quorum(stage, lambda _, report: report._replace(**change)))


def test_expiries_must_be_sorted_few_and_whole() -> None:
    stage = Stage()
    usual = report_of(BTC, 5, PRICES[BTC]).expiries
    more = tuple(usual[0]._replace(day=DAY + k) for k in range(5))
    cut = (usual[0]._replace(vols_ppm=(600_000,) * 10),)
    wild = (usual[0]._replace(basis_ppm=-1_000_000),)
    for expiries in (usual[::-1], more, cut, wild, (usual[0], usual[0])):
        stage.undecodable(quorum(stage, lambda _, report, e=expiries: report._replace(expiries=e)))
    assert day_of(stage.time) == DAY - 1
