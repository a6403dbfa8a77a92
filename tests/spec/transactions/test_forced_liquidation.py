"""Phase 2: anyone asks on L1 that an account below maintenance margin be dealt with."""

from __future__ import annotations

from novate.spec.errors import Reason
from novate.spec.journal import LiquidationStage, RequestOutcome
from novate.spec.messages.inbox import Deposit, ForcedLiquidation, FundDeposit
from tests.spec.kit import BTC, CASH, USDC, poor_stage


def test_not_below_margin() -> None:
    stage = poor_stage()
    stage.no_op(Reason.NOT_BELOW_MARGIN, ForcedLiquidation(1))
    edge = 9_547_728  # the value v where 159.8 − (1,000 − v) >= 0.12 v is 954.7728
    stage.drift(edge)
    stage.no_op(Reason.NOT_BELOW_MARGIN, ForcedLiquidation(1))
    stage.drift(edge - 1)
    assert stage.request(ForcedLiquidation(1)).outcome == RequestOutcome.MARKED


def test_the_first_request_marks_and_the_second_liquidates() -> None:
    stage = poor_stage()
    stage.drift(9_500_000)
    stage.request(FundDeposit(BTC, 9, CASH))
    assert stage.request(ForcedLiquidation(1)).outcome == RequestOutcome.MARKED
    assert stage.account(1).liquidation_since == stage.time
    # until there is a later snapshot nothing more may happen
    stage.no_op(Reason.WATERFALL_NOT_OPEN, ForcedLiquidation(1))
    act = stage.round().prices(BTC, 9_500_000)
    act.requests.append(ForcedLiquidation(1))
    journal = stage.apply(act)
    assert journal.requests[-1].outcome == RequestOutcome.DONE
    assert LiquidationStage.TAKEOVER in [entry.stage for entry in journal.liquidations]
    assert stage.account(1).positions == ()


def test_a_deposit_in_time_ends_it() -> None:
    stage = poor_stage()
    stage.drift(9_500_000)
    stage.request(ForcedLiquidation(1))
    act = stage.round().prices(BTC, 9_500_000)
    act.requests += [Deposit(1, 101, 101, 100 * USDC), ForcedLiquidation(1)]
    journal = stage.apply(act)
    assert journal.requests[-1].reason == Reason.NOT_BELOW_MARGIN
    assert [entry.stage for entry in journal.liquidations] == [LiquidationStage.STATUS_CLEARED]
    assert stage.account(1).liquidation_since == 0
