"""Fees: a rate of the notional by tier and role; an option's is capped by its premium."""

from __future__ import annotations

import pytest

from novate.lab.worlds import option
from novate.spec.instruments import Kind
from novate.spec.messages.account import SetTier
from novate.spec.parameters import FeeTier
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, DAY, Stage

CALL = option(BTC, DAY + 7, Kind.CALL, 100_000)


def fees_of(
    tiers: tuple[int, int], price: int, lots: int, instrument: int = BTC_PERP
) -> tuple[int, int]:
    """Fees of maker 1, who buys, and taker 2."""
    stage = Stage()
    act = stage.round()
    act.changes += [SetTier(1, tiers[0]), SetTier(2, tiers[1])]
    journal = stage.apply(act.fill(1, 2, price, lots, instrument))
    [entry] = journal.fills
    assert stage.account(0).cash == entry.buyer_fee + entry.seller_fee
    return entry.buyer_fee, entry.seller_fee


@pytest.mark.parametrize(
    ("tiers", "fees"),
    [
        ((0, 0), (2_000, 5_000)),  # 200 and 500 ppm of 10 USDC
        ((1, 1), (0, 3_500)),
        ((2, 2), (-500, 3_000)),
    ],
)
def test_maker_and_taker_rates_by_tier(tiers: tuple[int, int], fees: tuple[int, int]) -> None:
    assert fees_of(tiers, BTC_PRICE, 1) == fees


def test_fees_round_up_and_rebates_down() -> None:
    price = BTC_PRICE + 1
    assert fees_of((0, 0), price, 1) == (2_001, 5_001)
    assert fees_of((2, 2), price, 1) == (-500, 3_001)


def test_an_option_pays_on_its_underlying_up_to_an_eighth_of_its_premium() -> None:
    # 200 and 500 ppm of 10 USDC a lot; 125,000 ppm of the premium of 300,000
    assert fees_of((0, 0), 300_000, 10, CALL) == (20_000, 50_000)
    # an eighth of 23,000 · 10 is 28,750
    stage = Stage()
    far = option(BTC, DAY + 7, Kind.CALL, 120_000)
    journal = stage.apply(stage.round().fill(1, 2, 23_000, 10, far))
    assert (journal.fills[0].buyer_fee, journal.fills[0].seller_fee) == (20_000, 28_750)
    journal = stage.apply(stage.round().fill(1, 2, 0, 10, far))
    assert (journal.fills[0].buyer_fee, journal.fills[0].seller_fee) == (0, 0)


def test_a_rebate_is_capped_as_well() -> None:
    assert fees_of((2, 0), 1_000, 10, option(BTC, DAY + 7, Kind.CALL, 120_000)) == (
        -1_250,
        1_250,
    )


def test_a_tier_that_is_gone_counts_as_the_first() -> None:
    stage = Stage()
    act = stage.round()
    act.changes += [SetTier(1, 2), SetTier(2, 2)]
    stage.play(act)
    stage.craft_parameters(fee_tiers=(FeeTier(100, 400),))
    journal = stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1))
    assert (journal.fills[0].buyer_fee, journal.fills[0].seller_fee) == (1_000, 4_000)
