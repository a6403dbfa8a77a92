"""Phase 2: a close asked for on L1: by the fund, in part, and after the wait by factor."""

from __future__ import annotations

from dataclasses import replace

from novate.lab.worlds import future, option
from novate.spec.bounds import FACTOR_ONE, QUANTITY_MAX
from novate.spec.errors import Reason
from novate.spec.instruments import Kind
from novate.spec.journal import RequestOutcome
from novate.spec.messages.batch import Touch
from novate.spec.messages.inbox import ForcedClose, FundDeposit
from novate.spec.state import Position
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, DAY, USDC, Stage

CLOSE = ForcedClose(1, 101, BTC_PERP)
WORSE = 50_000
"""The penalty: 5,000 ppm of index, ticks."""
WAIT = 259_200


def stage_with_fund(capital: int, lots: int = 100) -> Stage:
    """Account 1 is long against account 2; the fund has some capital."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, lots))
    if capital:
        stage.request(FundDeposit(BTC, 9, capital))
    return stage


def test_the_fund_takes_the_whole_at_a_worsened_mark() -> None:
    stage = stage_with_fund(115 * USDC)  # its margin of 120 less what the penalty brings
    before = stage.cash(1)
    assert stage.request(CLOSE).outcome == RequestOutcome.DONE
    assert stage.lots(1) == 0
    assert stage.cash(1) - before == 100 * (BTC_PRICE - WORSE)
    [held] = stage.fund().positions
    assert held.quantity == 100
    assert stage.fund().cash == 115 * USDC - 100 * (BTC_PRICE - WORSE)


def test_a_short_pays_the_worsened_mark() -> None:
    stage = stage_with_fund(115 * USDC)
    before = stage.cash(2)
    assert stage.request(ForcedClose(2, 102, BTC_PERP)).outcome == RequestOutcome.DONE
    assert stage.cash(2) - before == -100 * (BTC_PRICE + WORSE)


def test_a_fund_without_margin_takes_nothing_and_the_close_is_deferred() -> None:
    stage = stage_with_fund(115 * USDC - 1)
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED
    account = stage.account(1)
    assert stage.lots(1) == 100
    assert (account.forced_close_instrument, account.forced_close_time) == (BTC_PERP, stage.time)


def test_the_fund_takes_up_to_its_inventory() -> None:
    stage = stage_with_fund(1_000 * USDC)
    stage.craft_parameters({"fund_inventory_max": 30})
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED
    assert stage.lots(1) == 70
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED
    assert stage.lots(1) == 70


def test_the_fund_takes_no_more_lots_than_a_position_can_hold() -> None:
    """An inventory limit above `QUANTITY_MAX` is legal; a request must not stop the venue by it."""
    stage = Stage()
    stage.play(stage.round().fill(1, 3, BTC_PRICE, 5))
    stage.craft_parameters({"fund_inventory_max": 2**32 - 1})
    stage.craft_fund(BTC, 2**58)
    stage.craft_account(2, cash=2**59)
    grown, lots = stage.state.instruments[BTC_PERP], QUANTITY_MAX - 2
    held = Position(BTC_PERP, lots, FACTOR_ONE, grown.long.cash)
    owed = held._replace(quantity=-lots, cash=grown.short.cash)
    first, *others = stage.state.markets
    stage.craft(
        markets=(replace(first, fund=replace(first.fund, positions=(held,))), *others),
        accounts={**stage.state.accounts, 2: replace(stage.account(2), positions=(owed,))},
        instruments={BTC_PERP: grown._replace(open_interest=5 + lots, holders=4)},
    )
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED
    assert (stage.lots(1), stage.fund().positions[0].quantity) == (3, QUANTITY_MAX)


def wait(stage: Stage, seconds: int) -> None:
    """Time passes, with prices as before."""
    stage.play(stage.round(seconds).prices(BTC))


def test_after_the_wait_the_rest_is_closed_by_factor() -> None:
    stage = stage_with_fund(0, lots=50)
    stage.play(stage.round().fill(3, 2, BTC_PRICE, 50))
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED
    asked = stage.time
    wait(stage, WAIT - 10)
    assert stage.request(CLOSE).outcome == RequestOutcome.DEFERRED  # 5 seconds too early
    assert stage.account(1).forced_close_time == asked
    before = stage.cash(1), stage.cash(2)
    assert stage.request(CLOSE).outcome == RequestOutcome.DONE
    account = stage.account(1)
    assert (account.forced_close_instrument, account.forced_close_time) == (0, 0)
    assert (account.positions, stage.cash(1) - before[0]) == ((), 50 * (BTC_PRICE - 2 * WORSE))
    assert stage.instrument().short.factor == 2**29
    act = stage.round()
    act.due.append(Touch(2))
    stage.apply(act)
    assert (stage.lots(2), stage.cash(2) - before[1]) == (-50, -50 * (BTC_PRICE - 2 * WORSE))


def test_a_close_that_empties_a_side_settles_the_instrument() -> None:
    stage = stage_with_fund(0)
    stage.request(CLOSE)
    wait(stage, WAIT)
    act = stage.round()
    act.requests.append(CLOSE)
    journal = stage.apply(act)
    [settlement] = journal.settlements
    assert (settlement.value, settlement.by_expiry) == (BTC_PRICE, False)
    assert stage.instrument().settled
    act = stage.round()
    act.due.append(Touch(2))
    stage.apply(act)
    assert stage.account(2).positions == ()
    assert BTC_PERP not in stage.state.instruments
    # sold 100 at 100,000.00, bought back at 99,000.00, paid 0.5 USDC of fee
    assert stage.cash(2) == 100 * 2 * WORSE - 500_000


def test_no_position() -> None:
    stage = Stage()
    stage.no_op(Reason.NO_POSITION, CLOSE)
    stage.no_op(Reason.NO_POSITION, ForcedClose(1, 101, 2**50 - 1))


def test_it_is_a_no_op_in_a_halted_market() -> None:
    stage = stage_with_fund(1_000 * USDC)
    stage.play(stage.round().prices(BTC, 12_000_000))
    stage.no_op(Reason.MARKET_HALTED, CLOSE)


def test_it_is_a_no_op_after_expiry() -> None:
    stage = Stage()
    instrument = future(BTC, DAY)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10, instrument))
    # the last snapshot is from before 08:00: the settlement price is not known yet
    until = 1_577_836_800 + DAY * 86_400 + 28_800 - stage.time
    stage.play(stage.round(until - 5).prices(BTC, days=(DAY, DAY + 7), mean=BTC_PRICE))
    stage.no_op(Reason.INSTRUMENT_EXPIRED, ForcedClose(1, 101, instrument))


def test_closing_a_hedge_must_leave_the_account_covered() -> None:
    stage = Stage()
    put = option(BTC, DAY + 7, Kind.PUT, 100_000)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 700))
    stage.play(stage.round().fill(1, 2, 600_000, 700, put))
    stage.request(FundDeposit(BTC, 9, 10_000 * USDC))
    stage.craft_account(1, cash=stage.account(1).cash - 9_000 * USDC)  # poor all at once
    stage.no_op(Reason.NOT_RISK_REDUCING, ForcedClose(1, 101, put))
    assert stage.request(CLOSE).outcome == RequestOutcome.DONE
