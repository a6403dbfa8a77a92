"""Thefts that a search found, or that reasoning did: each must stay impossible.

What was found, why the law allowed it and what was changed: docs/decisions/0004-theft-search.md.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.law_vectors import without_trees
from novate.lab.worlds import future, option
from novate.spec.bounds import FACTOR_MIN, FACTOR_ONE
from novate.spec.errors import Fault, Reason, Rejection
from novate.spec.holders import settle_position
from novate.spec.instruments import Kind
from novate.spec.messages.batch import DeleverageFund, Liquidate, Touch
from novate.spec.messages.inbox import ForcedClose, ForcedLiquidation, FundDeposit
from novate.spec.state import InstrumentState, Position, Side
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    CASH,
    DAY,
    ETH,
    ETH_PERP,
    ETH_PRICE,
    FUND,
    USDC,
    Stage,
    in_liquidation,
    later,
    liquidated_stage,
)

MARK = 9_500_000
"""Mark of `liquidated_stage`."""


def touch(stage: Stage, *accounts: int) -> None:
    """A round that touches accounts."""
    act = stage.round()
    act.due.extend(Touch(account) for account in accounts)
    stage.play(act)


# Dust of deleveraging


def test_a_deleveraged_short_of_one_lot_pays_for_it() -> None:
    """Dropping the fraction of a lot made a short vanish unpaid, at the fund's cost."""
    stage = liquidated_stage(others=900)
    stage.play(stage.round().fill(3, 4, MARK, 1))
    before = stage.account(4).cash
    stage.apply(later(stage, Liquidate(1)))  # no fund: 100 of 1,001 lots, against every short
    touch(stage, 2, 4)
    assert stage.lots(4) == 0
    assert before - MARK - 1 <= stage.account(4).cash <= before - MARK


@pytest.mark.parametrize("quantity", [1, 7, 1_000_003, -1, -7, -1_000_003])
@pytest.mark.parametrize("factor", [FACTOR_ONE - 1, FACTOR_ONE // 3, FACTOR_MIN + 1])
def test_a_fraction_of_a_lot_is_worth_its_mark(quantity: int, factor: int) -> None:
    """Value before = value after, up to one micro-USDC against the holder."""
    price = 9_876_543
    side = Side(factor, 0)
    state = InstrumentState(BTC_PERP, price, 10**9, side, side)
    left, cash = settle_position(state, Position(BTC_PERP, quantity, FACTOR_ONE, 0))
    exact = quantity * factor * price  # in 1 / FACTOR_ONE
    assert 0 <= exact - (left * price + cash) * FACTOR_ONE < FACTOR_ONE


def test_rounding_of_a_low_factor_is_paid_for() -> None:
    """At a low factor its rounding removed 30 lots of a million for the price of one."""
    stage = Stage()
    stage.craft_account(1, cash=10**15)
    stage.craft_account(2, cash=10**15)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1_000_000))
    stage.play(stage.round().fill(3, 2, BTC_PRICE, 1))
    low = FACTOR_MIN + 1_000
    state = stage.instrument()
    lowered = state._replace(short=Side(low, 0))
    [position] = stage.account(2).positions
    holder = replace(stage.account(2), positions=(position._replace(factor=low),))
    stage.craft(instruments={BTC_PERP: lowered}, accounts={**stage.state.accounts, 2: holder})
    close = ForcedClose(3, 103, BTC_PERP)
    stage.request(close)
    stage.play(stage.round(259_200).prices(BTC))
    before = stage.account(2)
    [held] = before.positions
    act = stage.round()
    act.requests.append(close)
    stage.play(act)
    touch(stage, 2)
    after = stage.account(2)
    [left] = after.positions
    gained = after.cash - before.cash + (left.quantity - held.quantity) * BTC_PRICE
    # who is closed against gets lots 1 % of index below the mark; rounding took 57 more lots
    assert gained <= (left.quantity - held.quantity) * BTC_PRICE // 100


# Settlement when a side is emptied


def test_emptying_a_side_does_not_settle_others_at_the_closer_s_price() -> None:
    """A short that closes by factor at a worsened mark made every other short pay it too."""
    stage = Stage()
    stage.craft_account(2, cash=10**12)
    stage.craft_account(1, cash=10**12)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1_000))
    stage.play(stage.round().fill(1, 3, BTC_PRICE, 500))
    state = stage.instrument()
    low = FACTOR_MIN + 1
    [position] = stage.account(1).positions
    holder = replace(stage.account(1), positions=(position._replace(factor=low),))
    stage.craft(
        instruments={BTC_PERP: state._replace(long=Side(low, 0))},
        accounts={**stage.state.accounts, 1: holder},
    )
    close = ForcedClose(2, 102, BTC_PERP)
    stage.request(close)
    stage.play(stage.round(259_200).prices(BTC))
    bystander = stage.account(3).cash
    act = stage.round()
    act.requests.append(close)
    assert stage.play(act).settlements[0].value == BTC_PRICE
    long = stage.account(1).cash
    touch(stage, 1, 3)
    assert stage.account(3).cash == bystander - 500 * BTC_PRICE
    worse = BTC_PRICE // 100
    gained = stage.account(1).cash - long - 1_500 * BTC_PRICE
    assert abs(gained - 1_000 * worse) <= worse * 1_500 // low + 1


# Sides without a signature


def test_a_step_may_not_cost_more_than_takeover() -> None:
    """A maker in league with the operator took up to half of the margin freed."""
    stage = liquidated_stage()
    act = later(stage).fill(3, in_liquidation(1), MARK - 300_000, 10)
    stage.refuse(Reason.NOT_RISK_REDUCING, act)
    stage.apply(later(stage).fill(3, in_liquidation(1), MARK - 100_000, 10))


def test_a_step_may_not_turn_a_position_around() -> None:
    """100 long to 90 short frees margin as well as 100 to 90, and leaves the holder short."""
    stage = liquidated_stage()
    stage.craft_parameters(overshoot_ppm=10_000_000)
    act = later(stage).fill(3, in_liquidation(1), MARK, 190)
    stage.refuse(Reason.NOT_A_HEDGE, act)


def test_a_fund_s_inventory_is_not_given_away() -> None:
    """An account taken over bought its position back from the fund at 5 % below the mark."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.request(FundDeposit(BTC, 9, 1_000 * USDC))
    stage.request(ForcedClose(1, 101, BTC_PERP))
    stage.refuse(Reason.NOT_RISK_REDUCING, stage.round().fill(3, FUND, BTC_PRICE - 50_000, 100))
    stage.apply(stage.round().fill(3, FUND, BTC_PRICE - 24_000, 100))


# Old prices


def test_snapshot_too_old() -> None:
    """The fund sold at the last price while the market ran away; up to 300 seconds of it."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.request(FundDeposit(BTC, 9, 1_000 * USDC))
    stage.request(ForcedClose(1, 101, BTC_PERP))
    since = stage.state.markets[BTC].current.time
    late = since + 35 - stage.time
    stage.refuse(Reason.SNAPSHOT_TOO_OLD, stage.round(late).fill(3, FUND, BTC_PRICE, 1))
    act = stage.round(late)
    act.due.append(DeleverageFund(BTC))
    stage.refuse(Reason.SNAPSHOT_TOO_OLD, act)
    stage.apply(stage.round(late - 5).fill(3, FUND, BTC_PRICE, 1))


def test_a_fund_does_not_trade_in_a_halted_market() -> None:
    """Found by the search: who was short bought from the fund at the price before the jump."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.request(FundDeposit(BTC, 9, 1_000 * USDC))
    stage.request(ForcedClose(1, 101, BTC_PERP))
    stage.play(stage.round().prices(BTC, BTC_PRICE * 105 // 100))
    stage.refuse(Reason.MARKET_HALTED, stage.round().fill(2, FUND, BTC_PRICE, 50))


def test_takeover_waits_for_a_fresh_snapshot() -> None:
    stage = liquidated_stage(fund=1_000 * USDC)
    stage.play(later(stage))
    for act in (stage.round(35), stage.round(35).fill(3, in_liquidation(1), MARK, 10)):
        if not act.trades:
            act.due.append(Liquidate(1))
        stage.refuse(Reason.WATERFALL_NOT_OPEN, act)
    act = stage.round(30)
    act.due.append(Liquidate(1))
    stage.apply(act)


@pytest.mark.parametrize("request_", [ForcedClose(1, 101, BTC_PERP), ForcedLiquidation(1)])
def test_requests_at_old_prices(request_: ForcedClose | ForcedLiquidation) -> None:
    """L1 asks once; whoever orders the batches must not choose an old price to answer at."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    act = stage.round(60).prices(BTC)
    act.requests.append(request_)
    stage.refuse(Fault.REQUESTS_AT_OLD_PRICES, act)  # ETH is open and its price is old
    stage.apply(act.prices(ETH))


# Giving value away


def test_worthless_options_do_not_pay_for_giving_away() -> None:
    """Any notional could be traded back and forth in options of no value, for no fee at all."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 300))
    stage.play(stage.round().prices(BTC, 12_000_000))  # halted: what BTC is worth is not known
    call = option(ETH, DAY, Kind.CALL, 400_000)
    act = stage.round()
    act.fill(2, 3, 0, 2_000_000, call)
    act.fill(3, 2, 0, 2_000_000, call)
    act.fill(2, 3, ETH_PRICE + 20_000, 50_000, ETH_PERP)
    act.fill(3, 2, ETH_PRICE, 50_000, ETH_PERP)
    stage.refuse(Reason.WITHDRAWAL_BLOCKED, act)


def test_value_does_not_leave_by_opening_fair_and_closing_far() -> None:
    """Closing counts as reducing risk, which was free to give half of the margin it frees."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 3_000))
    stage.play(stage.round(3_600).prices(BTC).prices(ETH))
    later_price = 12_500_000
    stage.jump(later_price)
    stage.craft_account(1, cash=stage.account(1).cash - 10_300 * USDC)
    stage.play(stage.round().prices(BTC, later_price).prices(ETH))
    stage.play(stage.round().fill(1, 3, ETH_PRICE, 10_000, ETH_PERP))
    act = stage.round().fill(3, 1, ETH_PRICE - 15_000, 10_000, ETH_PERP)
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, act)


# Room for settlement


def test_what_is_open_has_its_place_among_the_settled() -> None:
    """With the settled tree full, an expiry lived on: its value moved and it needed no margin."""
    stage = Stage()
    state = stage.state
    room = state.preset.open_instruments_max
    old = {
        future(BTC, DAY - 1 - k): InstrumentState(future(BTC, DAY - 1 - k), settled=True)
        for k in range(room)
    }
    stage.state = without_trees(replace(state, instruments=old))
    with pytest.raises(Rejection) as caught:
        stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    assert caught.value.reason == Reason.TOO_MANY_INSTRUMENTS
    assert stage.account(1).cash == CASH
