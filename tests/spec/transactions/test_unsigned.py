"""Sides without a signature: liquidation steps, and funds reducing their inventory."""

from __future__ import annotations

from novate.lab.worlds import future, option
from novate.spec.errors import Reason
from novate.spec.instruments import Kind
from novate.spec.journal import LiquidationEntry, LiquidationStage
from novate.spec.messages.account import SetTier
from novate.spec.messages.batch import Liquidate, Touch
from novate.spec.messages.inbox import ForcedClose, FundDeposit
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    DAY,
    ETH,
    ETH_PERP,
    ETH_PRICE,
    FUND,
    USDC,
    Act,
    Stage,
    in_liquidation,
    later,
    liquidated_stage,
    poor_stage,
)

MARK = 9_500_000
STEP = in_liquidation(1)


def step(stage: Stage, lots: int, price: int = MARK, instrument: int = BTC_PERP) -> Act:
    """Account 1 sells lots to account 3 without its signature, under a later snapshot."""
    return later(stage).fill(3, STEP, price, lots, instrument)


def test_a_step_reduces_a_position_and_pays_the_usual_fee() -> None:
    stage = liquidated_stage()
    before = stage.cash(1)
    journal = stage.apply(step(stage, 10))
    assert stage.lots(1) == 90
    assert stage.cash(1) - before == 95 * USDC - 47_500  # 500 ppm of 95
    assert journal.liquidations == [LiquidationEntry(LiquidationStage.STEP, 1, BTC, 10)]
    assert stage.account(1).liquidation_since  # equity 109.75 is below initial margin 133.38


def test_waterfall_not_open() -> None:
    stage = poor_stage()
    stage.refuse(Reason.WATERFALL_NOT_OPEN, stage.round().fill(3, STEP, BTC_PRICE, 1))
    stage = liquidated_stage()
    same_snapshot = stage.round().fill(3, STEP, MARK, 1)
    stage.refuse(Reason.WATERFALL_NOT_OPEN, same_snapshot)
    stage.play(stage.round().prices(BTC, BTC_PRICE - 200_000))  # back to 98,000: 139.8 > 117.6
    stage.refuse(Reason.WATERFALL_NOT_OPEN, stage.round().fill(3, STEP, MARK, 1))


def test_step_too_large() -> None:
    # after 36 lots: 109.629 of equity, 94.848 + 14.82 allowed; after 37: 93.366 + 14.82
    stage = liquidated_stage()
    stage.refuse(Reason.STEP_TOO_LARGE, step(stage, 37))
    stage.apply(step(stage, 36))
    assert stage.account(1).liquidation_since == 0


def test_a_single_lot_is_never_too_large() -> None:
    stage = liquidated_stage()
    stage.craft_parameters(overshoot_ppm=0, step_loss_ppm=1_000_000)
    stage.refuse(Reason.STEP_TOO_LARGE, step(stage, 30))
    stage.apply(step(stage, 1))


def test_liquidation_done() -> None:
    stage = liquidated_stage()
    stage.refuse(Reason.LIQUIDATION_DONE, step(stage, 36).fill(3, STEP, MARK, 1))
    stage.apply(step(stage, 20).fill(3, STEP, MARK, 10))  # several steps in a round


def test_not_a_hedge() -> None:
    stage = liquidated_stage()
    stage.refuse(Reason.NOT_A_HEDGE, step(stage, 1, ETH_PRICE, ETH_PERP))
    call = option(BTC, DAY + 7, Kind.CALL, 200_000)
    stage.refuse(Reason.NOT_A_HEDGE, step(stage, 1, 0, call))
    stage.apply(step(stage, 10, MARK, future(BTC, DAY + 7)))
    assert stage.lots(1, future(BTC, DAY + 7)) == -10


def test_a_step_must_reduce_risk() -> None:
    stage = liquidated_stage()
    # 10 lots free 11.4 of margin: 10 % of it, 1.14, may be lost to price and fee together;
    # 109,304 ticks less cost 1.09304 and the fee is 0.046954
    stage.refuse(Reason.NOT_RISK_REDUCING, step(stage, 10, MARK - 109_305))
    stage.refuse(Reason.NOT_RISK_REDUCING, later(stage).fill(STEP, 3, MARK, 1))
    stage.apply(step(stage, 10, MARK - 109_304))


def test_no_step_in_a_halted_market() -> None:
    """Even if another market that the account holds is open."""
    stage = poor_stage()
    stage.play(stage.round().fill(1, 2, ETH_PRICE, 1, ETH_PERP))
    stage.drift(MARK)
    act = stage.round()
    act.due.append(Touch(1))
    stage.play(act)
    stage.play(stage.round().prices(BTC, 5_000_000))
    act = stage.round().prices(ETH).fill(3, STEP, MARK, 1)
    stage.refuse(Reason.MARKET_HALTED, act)
    act = stage.round().prices(ETH).fill(3, STEP, ETH_PRICE, 1, ETH_PERP)
    stage.apply(act)


def test_someone_else_s_account_may_not_be_traded() -> None:
    stage = liquidated_stage()
    act = later(stage).fill(STEP, in_liquidation(3), MARK, 1)
    stage.refuse(Reason.WATERFALL_NOT_OPEN, act)


def fund_stage() -> Stage:
    """The fund is long 100 lots at 99,500, with capital of 1,000 USDC."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.request(FundDeposit(BTC, 9, 1_000 * USDC))
    stage.request(ForcedClose(1, 101, BTC_PERP))
    return stage


def test_a_fund_sells_what_it_holds_and_pays_no_fee() -> None:
    stage = fund_stage()
    before = stage.fund().cash
    stage.apply(stage.round().fill(3, FUND, BTC_PRICE, 40))
    [held] = stage.fund().positions
    assert (held.quantity, stage.fund().cash - before) == (60, 40 * BTC_PRICE)


def test_fund_may_only_reduce() -> None:
    stage = fund_stage()
    reason = Reason.FUND_MAY_ONLY_REDUCE
    stage.refuse(reason, stage.round().fill(FUND, 3, BTC_PRICE, 1))
    stage.refuse(reason, stage.round().fill(3, FUND, BTC_PRICE, 101))
    stage.refuse(reason, stage.round().fill(3, FUND, ETH_PRICE, 1, ETH_PERP))
    stage.apply(stage.round().fill(3, FUND, BTC_PRICE, 100))
    assert stage.fund().positions == ()


def test_a_fund_s_round_must_reduce_its_risk() -> None:
    stage = fund_stage()
    # 10 lots free 12 of margin: at most 2 % of it may be lost, 0.24, 24,000 ticks a lot
    price = BTC_PRICE - 24_000
    stage.refuse(Reason.NOT_RISK_REDUCING, stage.round().fill(3, FUND, price - 1, 10))
    stage.apply(stage.round().fill(3, FUND, price, 10))


def test_negative_fees() -> None:
    stage = fund_stage()
    for tier, reason in ((2, Reason.NEGATIVE_FEES), (1, None)):  # rebate 50 ppm; maker free
        act = stage.round()
        act.changes.append(SetTier(3, tier))
        act.fill(3, FUND, BTC_PRICE, 10)
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_a_rebate_out_of_the_taker_s_fee_is_fine() -> None:
    stage = Stage()
    act = stage.round()
    act.changes.append(SetTier(1, 2))
    stage.apply(act.fill(1, 2, BTC_PRICE, 10))
    assert stage.cash(1) == -10 * BTC_PRICE + 5_000
    assert stage.account(0).cash == 50_000 - 5_000


def test_a_taken_over_account_has_no_more_steps() -> None:
    stage = liquidated_stage(fund=200 * USDC)
    act = later(stage, Liquidate(1)).fill(3, STEP, MARK, 1)
    stage.refuse(Reason.WATERFALL_NOT_OPEN, act)
