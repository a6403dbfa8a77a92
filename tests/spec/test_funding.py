"""Funding to the micro-USDC: the rate from the premium, and what longs pay shorts."""

from __future__ import annotations

import pytest

from novate.spec.funding import funding_rate
from novate.spec.journal import FundingEntry
from novate.spec.messages.batch import Touch
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, Stage, world

ONE = 2**30


@pytest.mark.parametrize(
    ("premium", "rate"),
    [
        *((0, 0), (500, 0), (-500, 0), (501, 1), (-501, -1)),
        *((7_999, 7_499), (8_000, 7_500), (8_001, 7_500), (-8_001, -7_500)),
    ],
)
def test_the_rate_is_the_premium_beyond_half_a_permille(premium: int, rate: int) -> None:
    assert funding_rate(world().state.parameters.markets[BTC], premium) == rate


def funded_stage(premium_ppm: int, seconds: int = 225) -> Stage:
    """Account 1 is long 100 lots against 2; a snapshot with a premium comes after some time."""
    stage = Stage()
    stage.play(stage.round(5).prices(BTC).fill(1, 2, BTC_PRICE, 100))
    journal = stage.apply(stage.round(seconds).prices(BTC, premium_ppm=premium_ppm))
    assert [entry.seconds for entry in journal.funding] == [seconds]
    return stage


def touch_both(stage: Stage) -> tuple[int, int]:
    """What a touch brings to accounts 1 and 2."""
    before = stage.cash(1), stage.cash(2)
    act = stage.round()
    act.due += [Touch(1), Touch(2)]
    stage.apply(act)
    return stage.cash(1) - before[0], stage.cash(2) - before[1]


@pytest.mark.parametrize("premium", [1_780, -1_780])
def test_longs_pay_shorts_a_positive_rate(premium: int) -> None:
    """1,280 ppm in 8 hours, 10 ppm in 225 seconds: 100 ticks of 10,000,000, for 100 lots."""
    stage = funded_stage(premium)
    sign = 1 if premium > 0 else -1
    instrument = stage.instrument()
    assert (instrument.long.cash, instrument.short.cash) == (-sign * 100 * ONE, sign * 100 * ONE)
    assert touch_both(stage) == (-sign * 10_000, sign * 10_000)
    assert stage.instrument().clearing == 0


def test_the_payer_pays_up_and_the_receiver_gets_down() -> None:
    """1 ppm for 5 seconds is 1/576 tick a lot, 0.17 micro-USDC for 100 lots."""
    stage = funded_stage(501, seconds=5)
    instrument = stage.instrument()
    assert instrument.short.cash == ONE // 576
    assert instrument.long.cash == -(ONE // 576) - 1
    assert touch_both(stage) == (-1, 0)
    assert stage.instrument().clearing == 1


def test_many_small_steps_cost_what_one_large_step_costs() -> None:
    """No remainder is lost but 2**-30 of a tick a lot and step."""
    stage = Stage()
    stage.play(stage.round(5).prices(BTC).fill(1, 2, BTC_PRICE, 100))
    for _ in range(20):
        stage.play(*[stage.round(5 * k).prices(BTC, premium_ppm=600) for k in (1, 2, 3)])
    exact = 10**7 * 100 * 300 * ONE / (10**6 * 28_800)
    assert exact - 60 <= stage.instrument().short.cash <= exact
    assert exact <= -stage.instrument().long.cash <= exact + 60
    assert touch_both(stage) == (-1_042, 1_041)  # 10.4166 a lot


def test_nothing_is_paid_without_a_premium_or_open_interest() -> None:
    stage = Stage()
    journal = stage.apply(stage.round(100).prices(BTC, premium_ppm=5_000))
    assert journal.funding == []
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    assert stage.apply(stage.round(100).prices(BTC, premium_ppm=500)).funding == []


def test_who_comes_later_does_not_pay_for_the_time_before() -> None:
    stage = funded_stage(1_780)
    stage.play(stage.round().fill(3, 2, BTC_PRICE, 100))
    before = stage.cash(3)
    act = stage.round()
    act.due.append(Touch(3))
    stage.apply(act)
    assert stage.cash(3) == before


def test_the_journal_tells_the_step() -> None:
    stage = Stage()
    stage.play(stage.round(5).prices(BTC).fill(1, 2, BTC_PRICE, 100))
    journal = stage.apply(stage.round(225).prices(BTC, premium_ppm=1_780))
    assert journal.funding == [FundingEntry(BTC_PERP, 1_280, 225, -100 * ONE, 100 * ONE)]
