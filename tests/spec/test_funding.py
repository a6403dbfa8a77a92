"""Funding to the micro-USDC, by numbers worked out by hand."""

from __future__ import annotations

import pytest

from novate.spec.funding import funding_rate
from novate.spec.journal import FundingEntry, LazyFlow
from novate.spec.messages.batch import Liquidate, Touch
from novate.spec.messages.inbox import Deposit
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    CASH,
    ETH,
    ETH_PERP,
    FUND,
    USDC,
    Stage,
    later,
    liquidated_stage,
)


@pytest.mark.parametrize(
    "premium, rate",
    [
        (0, 0),
        (500, 0),
        (501, 1),
        (1_000, 500),
        (8_000, 7_500),
        (9_000, 7_500),
        (-500, 0),
        (-501, -1),
        (-2_000, -1_500),
        (-16_000_000, -7_500),
    ],
)
def test_the_rate_is_free_inside_and_clamped_outside(premium: int, rate: int) -> None:
    assert funding_rate(Stage().state.parameters.markets[BTC], premium) == rate


def funded(premium_ppm: int, seconds: int = 300) -> Stage:
    """100 lots change hands, then so many seconds pass at the premium."""
    stage = Stage()
    stage.play(stage.round().prices(BTC).fill(1, 2, BTC_PRICE, 100))
    stage.play(stage.round(seconds).prices(BTC, premium_ppm=premium_ppm))
    return stage


def touched(stage: Stage, *accounts: int) -> list[LazyFlow]:
    """What reaches accounts when they are touched."""
    act = stage.round(0)
    act.due.extend(Touch(account) for account in accounts)
    return stage.apply(act).flows


def test_longs_pay_a_positive_rate_and_both_round_against_themselves() -> None:
    stage = funded(1_000)
    # 10^7 · 500 ppm · 300 / 28,800 = 52.08333 ticks a lot: 5,208.33 for 100
    flows = touched(stage, 1, 2)
    assert [flow.cash for flow in flows] == [-5_209, 5_208]
    assert stage.instrument().clearing == 1


def test_shorts_pay_a_negative_rate() -> None:
    stage = funded(-2_500)  # −2,000 ppm: 208.3333 ticks a lot
    assert [flow.cash for flow in touched(stage, 1, 2)] == [20_833, -20_834]


def test_eight_hours_cost_the_rate() -> None:
    stage = funded(1_000, seconds=28_800)
    assert [flow.cash for flow in touched(stage, 1, 2)] == [-500_000, 500_000]


def test_what_the_journal_says_of_it() -> None:
    stage = Stage()
    stage.play(stage.round().prices(BTC).fill(1, 2, BTC_PRICE, 100))
    journal = stage.apply(stage.round(300).prices(BTC, premium_ppm=1_000))
    exact = 2**30 * 10**7 * 500 * 300  # over 10^6 · 28,800
    down, up = exact // 28_800_000_000, -(-exact // 28_800_000_000)
    assert journal.funding == [FundingEntry(BTC_PERP, 500, 300, -up, down)]


def test_inside_the_free_band_nothing_is_paid() -> None:
    stage = funded(500)
    assert touched(stage, 1, 2) == []
    assert stage.instrument().long.cash == 0


def test_funding_of_several_steps_adds_up() -> None:
    stage = funded(1_000, 100)
    for _ in range(2):
        stage.play(stage.round(100).prices(BTC, premium_ppm=1_000))
    assert [flow.cash for flow in touched(stage, 1, 2)] == [-5_209, 5_208]


def test_a_position_opened_later_pays_only_from_then_on() -> None:
    stage = funded(1_000)
    stage.play(stage.round(0).fill(3, 4, BTC_PRICE, 100))
    assert touched(stage, 3, 4) == []
    stage.play(stage.round(300).prices(BTC, premium_ppm=1_000))
    assert [flow.cash for flow in touched(stage, 3, 4)] == [-5_209, 5_208]
    # two steps of 52.08333 at once: 10,416.67
    assert [flow.cash for flow in touched(stage, 1, 2)] == [-10_417, 10_416]


def test_an_act_of_any_kind_settles_it_first() -> None:
    stage = funded(1_000)
    before = stage.cash(1)
    act = stage.round(0)
    act.requests.append(Deposit(1, 101, 101, USDC))
    stage.apply(act)
    assert stage.cash(1) == before + USDC - 5_209
    before = stage.cash(2)
    stage.apply(stage.round(0).withdraw(2, USDC))
    assert stage.cash(2) == before - USDC + 5_208


def test_the_dust_goes_to_the_fund_with_the_last_holder() -> None:
    stage = funded(1_000)
    stage.apply(stage.round(0).fill(2, 1, BTC_PRICE, 100))
    assert BTC_PERP not in stage.state.instruments
    assert stage.fund().cash == 1


def test_the_fund_pays_and_receives_like_anyone() -> None:
    stage = liquidated_stage(fund=CASH)
    stage.play(later(stage, Liquidate(1)))
    before = stage.fund().cash
    act = stage.round(300).prices(BTC, 9_500_000, premium_ppm=1_000)
    stage.play(act)
    stage.play(stage.round(0).fill(3, FUND, 9_500_000, 1))
    # 9.5 · 10^6 · 500 ppm · 300 / 28,800 = 49.479 ticks a lot
    assert stage.fund().cash == before - 4_948 + 9_500_000


def test_a_deleveraged_side_pays_on_what_is_left() -> None:
    stage = liquidated_stage(others=100)
    stage.play(later(stage, Liquidate(1)))  # the shorts' factor is one half now
    touched(stage, 2, 3)
    stage.play(stage.round(300).prices(BTC, 9_500_000, premium_ppm=1_000))
    flows = touched(stage, 2, 3)
    assert [(flow.holder, flow.quantity_after) for flow in flows] == [(2, -100), (3, 100)]
    assert [flow.cash for flow in flows] == [4_947, -4_948]  # 49.479 ticks a lot


def test_other_instruments_owe_no_funding() -> None:
    stage = Stage()
    stage.play(stage.round().prices(BTC).prices(ETH).fill(1, 2, 400_000, 100, ETH_PERP))
    stage.play(stage.round(300).prices(BTC, premium_ppm=1_000).prices(ETH))
    assert stage.instrument(ETH_PERP).long.cash == 0
