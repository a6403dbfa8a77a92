"""Oracle reports that must be refused, and headers, rounds and batches of the wrong form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from novate.lab.generator.crowd import TrustingPrimitives
from novate.lab.generator.stage import Stage
from novate.lab.worlds import World
from novate.spec.bounds import TIME_MAX
from novate.spec.errors import Fault, Reason
from novate.spec.messages.batch import (
    Batch,
    Fill,
    MarketReports,
    Round,
    SideKind,
    SideOf,
    Touch,
    Trade,
)
from novate.spec.messages.inbox import ForcedLiquidation
from novate.spec.messages.oracle import REPORT_TAG, Report, SignedReport
from novate.spec.oracle import SNAPSHOT_AGE_MAX_S
from novate.spec.state import State


def sign_reports(
    world: World, primitives: TrustingPrimitives, reports: list[Report]
) -> list[SignedReport]:
    """Report k signed by oracle k."""
    parameters = world.state.parameters
    domain = parameters.chain_id, parameters.settlement_contract
    return [
        SignedReport(
            oracle,
            report,
            primitives.sign(world.oracles[oracle], REPORT_TAG, report.elements(*domain)),
        )
        for oracle, report in enumerate(reports)
    ]


def wrong_reports(stage: Stage, reports: list[Report]) -> tuple[MarketReports, Reason]:
    """A quorum spoiled in one way, and the reason it must be refused for."""
    rng = stage.rng
    first, *rest = reports
    market = stage.draft.market(first.underlying)
    latest = max(market.current.time, market.halt.pending.time)
    if latest >= first.time - SNAPSHOT_AGE_MAX_S and rng.random() < 0.3:
        old = [report._replace(time=latest) for report in reports]
        signed = sign_reports(stage.world, stage.primitives, old)
        return MarketReports(first.underlying, tuple(signed)), Reason.REPORT_NOT_NEWER
    aim = rng.choice(list(SPOILED) + ["count", "distinct", "oracle", "forged"])
    underlying = first.underlying
    if aim in SPOILED:
        field, change, every, reason = SPOILED[aim]
        value = getattr(first, field)
        spoiled = replace_field(first, field, change(value))
        reports = (
            [replace_field(r, field, change(value)) for r in reports]
            if every
            else [
                spoiled,
                *rest,
            ]
        )
        signed = sign_reports(stage.world, stage.primitives, reports)
        return MarketReports(underlying, tuple(signed)), reason
    signed = sign_reports(stage.world, stage.primitives, reports)
    if aim == "count":
        return MarketReports(underlying, tuple(signed[:-1])), Reason.WRONG_REPORT_COUNT
    if aim == "distinct":
        twice = (signed[0], signed[0], *signed[2:])
        return MarketReports(underlying, twice), Reason.REPORTS_NOT_DISTINCT
    if aim == "oracle":
        stranger = signed[-1]._replace(oracle=99)
        return MarketReports(underlying, (*signed[:-1], stranger)), Reason.UNKNOWN_ORACLE
    signature = signed[0].signature
    forged = signed[0]._replace(signature=signature._replace(s=signature.s ^ 1))
    return MarketReports(underlying, (forged, *signed[1:])), Reason.INVALID_REPORT_SIGNATURE


def replace_field(report: Report, field: str, value: object) -> Report:
    """The report with one field replaced."""
    changed: dict[str, Any] = {field: value}
    return report._replace(**changed)


SPOILED: dict[str, tuple[str, Callable[..., object], bool, Reason]] = {
    "market": ("underlying", lambda u: u + 1, False, Reason.REPORT_OF_OTHER_MARKET),
    "times": ("time", lambda t: t - 5, False, Reason.REPORT_TIMES_DIFFER),
    "grid": ("time", lambda t: t - 1, True, Reason.REPORT_OFF_GRID),
    "now": ("time", lambda t: t - 35, True, Reason.REPORT_NOT_OF_NOW),
    "expiries": ("expiries", lambda e: e[:-1], False, Reason.REPORT_EXPIRIES_DIFFER),
    "spread": ("index_price", lambda p: p + p // 150 + 1, False, Reason.INDEX_SPREAD_TOO_WIDE),
}
"""By name: field, change, whether of every report or of the first, reason."""


def wrong_header(stage: Stage, rng: Random) -> None:
    """A batch header that must be refused, tried before the real one."""
    state = stage.venue.state
    parameters = state.parameters
    market = parameters.markets[0]
    which = rng.randrange(5)
    if which == 0:
        back = max(0, state.system.fork - 1)
        if back < state.system.fork:
            stage.attempt("begin", lambda: stage.venue.begin(back), Fault.FORK_WENT_BACK)
        return
    wrong, expected = [
        (replace(parameters, chain_id=1), Fault.IMMUTABLE_PARAMETER),
        (replace(parameters, markets=parameters.markets[:1]), Fault.IMMUTABLE_PARAMETER),
        (replace(parameters, fee_tiers=()), Fault.MALFORMED_PARAMETERS),
        (
            replace(parameters, markets=(replace(market, strike_tick=0), *parameters.markets[1:])),
            Fault.MALFORMED_PARAMETERS,
        ),
    ][which - 1]
    stage.attempt("begin", lambda: stage.venue.begin(state.system.fork, wrong), expected)


def wrong_round(stage: Stage, time: int, quorums: list[MarketReports], first: bool) -> None:
    """An opening of a round that must be refused, tried before the real one."""
    state = stage.draft.system
    openings: list[tuple[Callable[[], None], Fault]] = [
        (lambda: stage.venue.open(time + 1), Fault.TIME_OFF_GRID),
        (lambda: stage.venue.open(state.time - 5), Fault.TIME_WENT_BACK),
        (lambda: stage.venue.open(TIME_MAX + 5), Fault.TIME_OUT_OF_RANGE),
    ]
    if len(quorums) == 2:
        swapped = quorums[::-1]
        openings.append((lambda: stage.venue.open(time, swapped), Fault.REPORTS_NOT_SORTED))
    if not first:
        request = (ForcedLiquidation(1),)
        opening = (lambda: stage.venue.open(time, (), request), Fault.REQUESTS_NOT_IN_FIRST_ROUND)
        openings += [opening, opening]
    action, expected = stage.rng.choice(openings)
    stage.attempt("open", action, expected)


def wrong_batch(stage: Stage, before: State, batch: Batch) -> None:
    """A sealed batch spoiled as a whole; the law must refuse it without a trace."""
    rounds_max = before.preset.rounds_max
    fill = Fill(0, 1, 1, SideOf(SideKind.FUND), SideOf(SideKind.FUND), True)
    many = Round(0, trades=(Trade((fill,) * (before.preset.fills_max + 1)),))
    asking = Round(0, requests=(ForcedLiquidation(0),) * (before.preset.inbox_max + 1))
    busy = Round(0, due=(Touch(0),) * (before.preset.records_max + 1))
    idle = [
        content._replace(orders=content.orders + content.orders[:1]) for content in batch.rounds
    ]
    whole = any(content.orders for content in batch.rounds)
    spoiled, expected = stage.rng.choice(
        (
            *([(batch._replace(rounds=tuple(idle)), Fault.UNUSED_ORDER)] if whole else []),
            (batch._replace(number=batch.number + 1), Fault.WRONG_BATCH_NUMBER),
            (batch._replace(rounds=()), Fault.WRONG_ROUND_COUNT),
            (batch._replace(rounds=batch.rounds * (rounds_max + 1)), Fault.WRONG_ROUND_COUNT),
            (batch._replace(rounds=(many,)), Fault.TOO_MANY_FILLS),
            (batch._replace(rounds=(asking,)), Fault.TOO_MANY_REQUESTS),
            (batch._replace(rounds=(busy,)), Fault.TOO_MANY_RECORDS),
        )
    )
    stage.attempt("batch", lambda: stage.venue.judge(before, spoiled), expected)
