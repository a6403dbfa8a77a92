"""Fees: by tier and role, on notional; an option's is capped by its premium."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.worlds import future, option
from novate.spec.instruments import Kind
from novate.spec.messages.account import SetTier
from novate.spec.parameters import FeeTier
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, DAY, Stage

CALL = option(BTC, DAY + 7, Kind.CALL, 200_000)


def fees(stage: Stage, price: int, lots: int, instrument: int, maker_is_buyer: bool) -> list[int]:
    """Fees of buyer and seller of one fill."""
    act = stage.round().fill(1, 2, price, lots, instrument, maker_is_buyer=maker_is_buyer)
    [entry] = stage.apply(act).fills
    return [entry.buyer_fee, entry.seller_fee]


@pytest.mark.parametrize("instrument", [BTC_PERP, future(BTC, DAY)])
def test_a_linear_s_fee_is_on_notional(instrument: int) -> None:
    # 3 lots at 100,000.01: 30,000,003 micro-USDC, rounded up
    assert fees(Stage(), BTC_PRICE + 1, 3, instrument, True) == [6_001, 15_001]
    assert fees(Stage(), BTC_PRICE + 1, 3, instrument, False) == [15_001, 6_001]


@pytest.mark.parametrize(
    "price, expected",
    [
        (0, [0, 0]),
        (20_000, [20_000, 25_000]),  # 200 ppm of 100 USDC; the cap, 12.5 % of 0.2
        (20_001, [20_000, 25_001]),  # the cap is rounded down: 25,001.25
        (40_000, [20_000, 50_000]),  # 500 ppm of 100 USDC
        (400_000, [20_000, 50_000]),
    ],
)
def test_an_option_s_fee_is_on_the_index_within_its_premium(
    price: int, expected: list[int]
) -> None:
    assert fees(Stage(), price, 10, CALL, True) == expected


def test_a_rebate_is_rounded_toward_the_venue_and_capped_too() -> None:
    for price, lots, instrument, expected in (
        (BTC_PRICE + 1, 3, BTC_PERP, [-1_500, 15_001]),  # 1,500.00015
        (20_000, 10, CALL, [-5_000, 25_000]),
        (100, 10, CALL, [-125, 125]),
    ):
        stage = Stage()
        act = stage.round()
        act.changes.append(SetTier(1, 2))
        stage.play(act)
        assert fees(stage, price, lots, instrument, True) == expected


def test_a_tier_that_is_listed_no_more_counts_as_the_first() -> None:
    stage = Stage()
    act = stage.round()
    act.changes.append(SetTier(1, 2))
    stage.play(act)
    parameters = replace(stage.state.parameters, fee_tiers=(FeeTier(300, 400),))
    stage.play(stage.round(), parameters=parameters)
    assert fees(stage, BTC_PRICE, 1, BTC_PERP, True) == [3_000, 4_000]


def test_fees_reach_the_treasury_at_the_end_of_the_round() -> None:
    stage = Stage()
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1).fill(3, 4, BTC_PRICE, 1), stage.round(10))
    assert stage.account(0).cash == 2 * 7_000
