"""Phase 4: touches, liquidations and fund deleveraging."""

from __future__ import annotations

from novate.spec.errors import Reason
from novate.spec.journal import LazyFlow, LiquidationEntry, LiquidationStage
from novate.spec.messages.batch import DeleverageFund, Liquidate, Touch
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    USDC,
    Stage,
    later,
    liquidated_stage,
    poor_stage,
)


def test_a_touch_brings_an_account_up_to_date() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.drift(BTC_PRICE, premium_ppm=1_000)  # 500 ppm in 8 hours, 52.95 ticks in 305 seconds
    before = stage.cash(1)
    act = stage.round()
    act.due += [Touch(1), Touch(1)]
    journal = stage.apply(act)
    assert journal.flows == [LazyFlow(1, BTC_PERP, 100, 100, -5_296)]
    assert stage.cash(1) == before - 5_296
    assert stage.instrument().clearing == 5_296


def test_a_touch_sets_the_status_below_margin() -> None:
    stage = poor_stage()
    stage.drift(9_500_000)
    act = stage.round()
    act.due.append(Touch(1))
    journal = stage.apply(act)
    assert journal.liquidations == [
        LiquidationEntry(LiquidationStage.STATUS_SET, 1, -1, 114 * USDC - 109_800_000)
    ]
    assert stage.account(1).liquidation_since == stage.time


def test_a_touch_of_nobody() -> None:
    stage = Stage()
    act = stage.round()
    act.due.append(Touch(9))
    stage.refuse(Reason.UNKNOWN_ACCOUNT, act)


def test_the_waterfall_needs_status_and_a_later_snapshot() -> None:
    stage = poor_stage()
    stage.drift(9_500_000)
    stage.refuse(Reason.WATERFALL_NOT_OPEN, later(stage, Liquidate(1)))
    stage = liquidated_stage(fund=114 * USDC)
    act = stage.round()
    act.due.append(Liquidate(1))
    stage.refuse(Reason.WATERFALL_NOT_OPEN, act)
    stage.refuse(Reason.WATERFALL_NOT_OPEN, later(stage, Liquidate(3)))
    stage.apply(later(stage, Liquidate(1)))


def test_no_takeover_in_a_halted_market() -> None:
    stage = liquidated_stage(fund=114 * USDC)
    act = stage.round().prices(BTC, 5_000_000)
    act.due.append(Liquidate(1))
    stage.refuse(Reason.WATERFALL_NOT_OPEN, act)


def test_fund_not_below_margin() -> None:
    stage = liquidated_stage(fund=114 * USDC)
    stage.play(later(stage, Liquidate(1)))
    # the fund is long 100 lots with equity 125.4 (114 and the penalty), margin 114
    stage.refuse(Reason.FUND_NOT_BELOW_MARGIN, later(stage, DeleverageFund(BTC)))
    edge = 9_370_455  # 125.4 − (950 − v) >= 0.12 v from v = 937.0455 on
    stage.drift(edge)
    stage.refuse(Reason.FUND_NOT_BELOW_MARGIN, later(stage, DeleverageFund(BTC)))
    stage.drift(edge - 1)
    stage.apply(later(stage, DeleverageFund(BTC)))


def test_a_fund_that_holds_nothing_or_does_not_exist() -> None:
    stage = Stage()
    for underlying, reason in (
        (BTC, Reason.FUND_NOT_BELOW_MARGIN),
        (2, Reason.UNKNOWN_MARKET),
    ):
        act = stage.round()
        act.due.append(DeleverageFund(underlying))
        stage.refuse(reason, act)


def test_no_fund_is_deleveraged_in_a_halted_market() -> None:
    stage = liquidated_stage(fund=114 * USDC)
    stage.play(later(stage, Liquidate(1)))
    act = stage.round().prices(BTC, 5_000_000)
    act.due.append(DeleverageFund(BTC))
    stage.refuse(Reason.MARKET_HALTED, act)
