"""The waterfall with numbers worked out by hand: see `liquidated_stage` for the situation."""

from __future__ import annotations

import pytest

from novate.spec.bounds import PRICE_MAX, QUANTITY_MAX
from novate.spec.journal import Journal, LiquidationEntry
from novate.spec.journal import LiquidationStage as L
from novate.spec.liquidation import shares
from novate.spec.messages.batch import DeleverageFund, Liquidate, Touch
from novate.spec.messages.inbox import FundDeposit
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    CASH,
    ETH,
    ETH_PERP,
    ETH_PRICE,
    USDC,
    Stage,
    later,
    liquidated_stage,
    poor_stage,
)

CRASH = 8_000_000
"""At 80,000 account 1 has equity 159.8 − 200 = −40.2; its margin would be 96."""
STEP = 1
"""One micro-USDC."""


def stages(journal: Journal) -> list[tuple[L, int]]:
    """Stage and amount of every event of the waterfall."""
    return [(entry.stage, entry.amount) for entry in journal.liquidations]


def touch(stage: Stage, *accounts: int) -> Journal:
    """A round that touches accounts."""
    act = stage.round()
    act.due.extend(Touch(account) for account in accounts)
    return stage.apply(act)


def liquidate(stage: Stage, *accounts: int) -> Journal:
    """Liquidate accounts under a later snapshot."""
    return stage.apply(later(stage, *(Liquidate(account) for account in accounts or (1,))))


def test_the_status_is_set_below_maintenance_and_cleared_at_initial_margin() -> None:
    stage = poor_stage()
    stage.drift(9_500_000)
    assert stages(touch(stage, 1)) == [(L.STATUS_SET, 4_200_000)]  # 114 − 109.8
    since = stage.time
    stage.play(stage.round().prices(BTC, 9_750_000))  # 134.8: above 117, below 152.1
    assert stages(touch(stage, 1)) == []
    assert stage.account(1).liquidation_since == since
    stage.play(stage.round().prices(BTC, 9_954_977))
    assert stages(touch(stage, 1)) == []
    # v − 840.2 >= 0.156 v from v = 995.4977 on, where one micro-USDC is to spare
    stage.play(stage.round().prices(BTC, 9_954_978))
    [(what, spare)] = stages(touch(stage, 1))
    assert what == L.STATUS_CLEARED
    assert 0 <= spare < 100
    assert stage.account(1).liquidation_since == 0


def test_takeover_with_penalty() -> None:
    stage = liquidated_stage(fund=114 * USDC)  # exactly the margin it takes over
    journal = liquidate(stage)
    assert stages(journal) == [(L.TAKEOVER, 11_400_000), (L.STATUS_CLEARED, 98_400_000)]
    assert stage.account(1).positions == ()
    assert stage.account(1).cash == 98_400_000  # 109.8 less a tenth of 114
    [held] = stage.fund().positions
    assert held.quantity == 100
    assert stage.fund().cash == 114 * USDC - 950 * USDC + 11_400_000
    assert stage.instrument().open_interest == 100
    assert [row.quantity for row in journal.ledger] == [-100, 100]


def test_the_penalty_takes_at_most_what_is_there() -> None:
    stage = liquidated_stage(index_price=8_410_000, fund=200 * USDC)  # equity 0.8, margin 100.92
    assert stages(liquidate(stage))[0] == (L.TAKEOVER, 800_000)
    assert stage.account(1).cash == 0


def test_takeover_with_deficit() -> None:
    stage = liquidated_stage(CRASH, fund=136_200_000)  # 40.2 of deficit and 96 of margin
    assert stages(liquidate(stage)) == [(L.TAKEOVER, 0), (L.STATUS_CLEARED, 0)]
    assert (stage.account(1).cash, stage.account(1).positions) == (0, ())
    assert stage.fund().cash == 136_200_000 - 40_200_000 - 800 * USDC
    assert stage.fund().debt == 0


def test_a_fund_one_micro_short_of_margin_does_not_take_over() -> None:
    stage = liquidated_stage(CRASH, others=100, fund=136_200_000 - STEP)
    # but it meets the deficit, so the deleveraging is at the mark
    assert stages(liquidate(stage)) == [(L.DELEVERAGE, 40_200_000), (L.STATUS_CLEARED, 0)]
    assert stage.account(1).cash == 0
    assert stage.fund().cash == 96 * USDC - STEP


def test_deleverage_at_the_mark_without_deficit() -> None:
    stage = liquidated_stage(others=100)
    before = stage.account(2).cash
    journal = liquidate(stage)
    assert stages(journal) == [(L.DELEVERAGE, 0), (L.STATUS_CLEARED, 109_800_000)]
    [closed] = journal.deleverages
    assert (closed.quantity, closed.price) == (100, 9_500_000)
    assert (closed.factor_before, closed.factor_after) == (2**30, 2**29)
    assert (stage.account(1).cash, stage.account(1).positions) == (109_800_000, ())
    assert stage.instrument().open_interest == 100
    assert stage.instrument().clearing == -950 * USDC  # what the shorts still owe
    touch(stage, 2, 3)
    assert (stage.lots(2), stage.lots(3)) == (-100, 100)
    assert stage.account(2).cash == before - 950 * USDC
    assert stage.instrument().clearing == 0


def test_deleverage_with_a_price_shift() -> None:
    stage = liquidated_stage(CRASH, others=100, fund=20 * USDC)
    before = stage.account(2).cash
    journal = liquidate(stage)
    # the fund meets 20 of 40.2; 20.2 over 100 lots is 0.202 a lot, 202,000 ticks
    assert stages(journal) == [(L.DELEVERAGE, 20 * USDC), (L.STATUS_CLEARED, 0)]
    assert journal.deleverages[0].price == CRASH + 202_000
    assert (stage.account(1).cash, stage.fund().cash, stage.fund().debt) == (0, 0, 0)
    touch(stage, 2)
    assert stage.account(2).cash == before - 100 * (CRASH + 202_000)


def indebted_stage() -> Stage:
    """As above, with shifts of at most 1 % of index: 8 of the 20.2 are recovered."""
    stage = liquidated_stage(CRASH, others=100, fund=20 * USDC)
    stage.craft_parameters({"deleverage_cap_ppm": 10_000})
    journal = liquidate(stage)
    assert journal.deleverages[0].price == CRASH + 80_000
    assert stages(journal) == [
        (L.DELEVERAGE, 20 * USDC),
        (L.FUND_DEBT, 12_200_000),
        (L.STATUS_CLEARED, 0),
    ]
    return stage


def test_what_nobody_meets_becomes_fund_debt() -> None:
    stage = indebted_stage()
    assert (stage.account(1).cash, stage.fund().cash) == (0, 0)
    assert stage.fund().debt == 12_200_000


def test_debt_is_shared_pro_rata_by_whoever_leaves() -> None:
    stage = indebted_stage()
    vault = 160 * USDC + 3 * CASH + 20 * USDC
    assert stage.state.system.vault == vault
    journal = stage.apply(stage.round().withdraw(4, 1_000 * USDC))
    payout = 1_000 * USDC * vault // (vault + 12_200_000)
    assert journal.withdrawals[0].payout == payout == 999_595_922
    assert stage.fund().debt == 12_200_000 - (1_000 * USDC - payout)
    # whoever comes next gets the same fraction, to the micro-USDC
    journal = stage.apply(stage.round().withdraw(4, 1_000 * USDC))
    assert abs(journal.withdrawals[0].payout - payout) <= 1


def test_the_treasury_repays_debt_by_a_fund_deposit() -> None:
    stage = indebted_stage()
    stage.request(FundDeposit(BTC, 9, 12_200_000))
    assert (stage.fund().debt, stage.fund().cash) == (0, 0)
    journal = stage.apply(stage.round().withdraw(4, 1_000 * USDC))
    assert journal.withdrawals[0].payout == 1_000 * USDC


def test_emptying_a_side_settles_the_instrument() -> None:
    stage = liquidated_stage()
    before = stage.account(2).cash
    journal = liquidate(stage)
    [settlement] = journal.settlements
    assert (settlement.instrument, settlement.value) == (BTC_PERP, 9_500_000)
    assert not settlement.by_expiry
    assert stage.instrument().settled
    touch(stage, 2)
    assert (stage.account(2).cash, stage.account(2).positions) == (before - 950 * USDC, ())
    assert BTC_PERP not in stage.state.instruments
    stage.apply(stage.round().fill(3, 4, 9_500_000, 1))  # and may be opened again
    assert stage.instrument().long.factor == 2**30


def fund_stage(index_price: int) -> Stage:
    """The fund took account 1 over: long 100 with equity 125.4 at 95,000. Then the price fell."""
    stage = liquidated_stage(others=100, fund=114 * USDC)
    stage.play(later(stage, Liquidate(1)))
    if index_price * 100 < 9_500_000 * 92:
        stage.jump(index_price)
    else:
        stage.drift(index_price)
    return stage


def test_fund_deleverage_at_the_mark() -> None:
    stage = fund_stage(9_000_000)  # equity 75.4 of 108 needed
    journal = stage.apply(later(stage, DeleverageFund(BTC)))
    assert journal.liquidations == [LiquidationEntry(L.FUND_DELEVERAGE, -1, BTC, 0)]
    assert (stage.fund().cash, stage.fund().positions) == (75_400_000, ())
    assert stage.instrument().short.factor == 2**29


def test_fund_deleverage_with_a_price_shift() -> None:
    stage = fund_stage(CRASH)  # 125.4 − 150 = −24.6
    journal = stage.apply(later(stage, DeleverageFund(BTC)))
    assert journal.deleverages[0].price == CRASH + 246_000
    assert (stage.fund().cash, stage.fund().debt) == (0, 0)


def test_fund_deleverage_may_leave_debt() -> None:
    stage = fund_stage(CRASH)
    stage.craft_parameters({"deleverage_cap_ppm": 10_000})
    journal = stage.apply(later(stage, DeleverageFund(BTC)))
    assert stages(journal) == [(L.FUND_DEBT, 16_600_000), (L.FUND_DELEVERAGE, 16_600_000)]
    assert (stage.fund().cash, stage.fund().debt) == (0, 16_600_000)


def test_a_short_is_closed_below_the_mark() -> None:
    stage = Stage()
    stage.craft_account(2, cash=200 * USDC)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100).fill(3, 4, BTC_PRICE, 100))
    stage.jump(12_500_000)  # the short lost 250 of 199.5
    touch(stage, 2)
    journal = liquidate(stage, 2)
    assert journal.deleverages[0].price == 12_500_000 - 505_000
    before = stage.account(1).cash
    touch(stage, 1)
    assert (stage.lots(1), stage.account(1).cash) == (50, before + 50 * (12_500_000 - 505_000))
    assert (stage.account(2).cash, stage.fund().debt) == (0, 0)


def test_a_price_shift_never_leaves_the_range_of_prices() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1).fill(3, 2, BTC_PRICE, 1))
    stage.craft_account(2, cash=10**12)
    stage.jump(PRICE_MAX - 10)
    stage.craft_account(1, cash=-PRICE_MAX - 1_000 * USDC)
    touch(stage, 1)
    journal = liquidate(stage)
    assert journal.deleverages[0].price == PRICE_MAX
    assert stage.fund().debt > 0


def test_a_fund_s_lots_fit_their_field() -> None:
    """However rich: a position of 2**31 lots could not be written down."""
    stage = Stage()
    for account in (1, 2):
        stage.craft_account(account, cash=10**13)
    stage.jump(1_000)
    act = stage.round().fill(1, 2, 1_000, QUANTITY_MAX)
    stage.play(act.fill(3, 4, 1_000, 1))
    stage.request(FundDeposit(BTC, 9, 10**15))
    for account, lots in ((1, QUANTITY_MAX), (3, 1)):
        stage.craft_account(account, cash=10 - 1_000 * lots)
    touch(stage, 1, 3)
    journal = liquidate(stage, 1, 3)
    found = [(e.stage, e.holder) for e in journal.liquidations if e.stage != L.STATUS_CLEARED]
    assert found == [(L.TAKEOVER, 1), (L.DELEVERAGE, 3)]


def two_market_stage() -> Stage:
    """Account 1 is long 1,000 USDC in BTC and 400 in ETH, then loses 200 on BTC: −40.4."""
    stage = poor_stage()
    stage.craft_account(1, cash=stage.account(1).cash + 100 * USDC)
    stage.play(stage.round().fill(1, 2, ETH_PRICE, 1_000, ETH_PERP))
    stage.play(stage.round().fill(3, 2, BTC_PRICE, 100).fill(3, 2, ETH_PRICE, 1_000, ETH_PERP))
    stage.craft_account(1, cash=stage.account(1).cash - 100 * USDC)
    stage.jump(CRASH)
    touch(stage, 1)
    return stage


def test_a_deficit_is_split_by_margin() -> None:
    stage = two_market_stage()
    # margins 96 and 48, deficit 159.8 − 200 − 0.08 = −40.28: two thirds and one third
    act = later(stage).prices(ETH)
    act.due.append(Liquidate(1))
    stage.craft_fund(BTC, 1_000 * USDC)
    journal = stage.apply(act)
    prices = {entry.instrument: entry.price for entry in journal.deleverages}
    # ETH: 13.426666 over 1,000 lots, rounded down; BTC's fund takes the rest
    assert prices == {ETH_PERP: ETH_PRICE + 13_426}
    assert stage.fund(BTC).cash == 1_000 * USDC - 800 * USDC - 26_853_334
    assert stage.fund(ETH).debt == 666  # what the ticks could not raise
    assert stage.account(1).cash == 0


def test_a_halted_market_s_share_stays_with_the_account() -> None:
    stage = two_market_stage()
    act = later(stage).prices(ETH, 200_000)  # ETH halts
    act.due.append(Liquidate(1))
    journal = stage.apply(act)
    assert [entry.instrument for entry in journal.deleverages] == [BTC_PERP]
    assert stage.lots(1, ETH_PERP) == 1_000
    assert stage.account(1).cash == -ETH_PRICE * 1_000 - (40_280_000 - 26_853_334)
    assert stage.fund(BTC).debt == 34  # 26.853334 over 100 lots, rounded down to ticks
    assert stage.account(1).liquidation_since


def test_a_deficit_without_positions_goes_to_the_market_last_traded() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1).fill(1, 2, ETH_PRICE, 1, ETH_PERP))
    stage.play(stage.round().fill(2, 1, BTC_PRICE, 1).fill(2, 1, ETH_PRICE, 1, ETH_PERP))
    stage.craft_account(1, cash=-7)
    touch(stage, 1)
    journal = stage.apply(later(stage, Liquidate(1)).prices(ETH))
    assert journal.liquidations[0] == LiquidationEntry(L.DELEVERAGE, 1, ETH, 0)
    assert journal.liquidations[1] == LiquidationEntry(L.FUND_DEBT, 1, ETH, 7)
    assert (stage.account(1).cash, stage.fund(ETH).debt) == (0, 7)


@pytest.mark.parametrize(
    "amount, weights, expected",
    [
        (10, {0: 1, 1: 2}, {0: 4, 1: 6}),
        (10, {0: 0, 1: 3}, {0: 0, 1: 10}),
        (1, {0: 0, 3: 1, 5: 1}, {0: 0, 3: 1, 5: 0}),
        (10, {0: 0, 1: 0}, {7: 10}),
        (10, {}, {7: 10}),
        (0, {0: 5}, {0: 0}),
    ],
)
def test_shares(amount: int, weights: dict[int, int], expected: dict[int, int]) -> None:
    assert shares(amount, weights, 7) == expected
