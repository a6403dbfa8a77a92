"""Phase 2: a withdrawal asked for on L1."""

from __future__ import annotations

from novate.spec.errors import Reason
from novate.spec.journal import RequestOutcome, WithdrawalEntry
from novate.spec.messages.inbox import ForcedWithdrawal
from tests.spec.kit import BTC, BTC_PRICE, CASH, USDC, Stage


def forced(stage: Stage, account: int, owner: int, amount: int) -> WithdrawalEntry:
    """The payment that a forced withdrawal leads to."""
    act = stage.round()
    act.requests.append(ForcedWithdrawal(account, owner, amount))
    journal = stage.apply(act)
    assert journal.requests[-1].outcome == RequestOutcome.DONE
    [entry] = journal.withdrawals
    return entry


def test_it_pays_the_amount_or_what_is_free() -> None:
    stage = Stage()
    assert forced(stage, 1, 101, 3 * USDC) == WithdrawalEntry(1, 101, 3 * USDC, 3 * USDC)
    assert stage.cash(1) == -3 * USDC
    assert forced(stage, 2, 102, 2**63 - 1) == WithdrawalEntry(2, 102, CASH, CASH)


def test_it_leaves_initial_margin() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    # equity 10,000 − 0.2 of fee, initial margin 156
    assert forced(stage, 1, 101, CASH).payout == 9_999_800_000 - 156_000_000
    stage.no_op(Reason.NOTHING_WITHDRAWABLE, ForcedWithdrawal(1, 101, CASH))


def test_it_is_judged_at_the_reference_too() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.jump(BTC_PRICE * 3 // 2)
    # the profit of 500 came after the reference snapshot: it stays
    assert forced(stage, 1, 101, CASH).payout == 9_999_800_000 - 156_000_000
    assert stage.cash(1) == -BTC_PRICE * 100 - 200_000 - (9_999_800_000 - 156_000_000)


def test_nothing_withdrawable() -> None:
    stage = Stage()
    stage.no_op(Reason.NOTHING_WITHDRAWABLE, ForcedWithdrawal(1, 101, 0))
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.play(stage.round().prices(BTC, 12_000_000))
    stage.no_op(Reason.NOTHING_WITHDRAWABLE, ForcedWithdrawal(1, 101, CASH))  # halted
    forced(stage, 3, 103, CASH)  # who holds nothing there may go


def test_it_pays_a_fraction_while_funds_have_debt() -> None:
    stage = Stage()
    stage.craft_fund(BTC, 0, debt=CASH)  # the vault holds 30,000 against claims of 40,000
    assert stage.state.system.vault == 3 * CASH
    assert forced(stage, 1, 101, 4_000_000_001).payout == 3_000_000_000
    assert stage.fund().debt == CASH - 1_000_000_001
    assert stage.state.system.vault == 3 * CASH - 3_000_000_000
