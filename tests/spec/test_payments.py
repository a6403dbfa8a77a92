"""Payments out, while funds have debt and when the vault is short."""

from __future__ import annotations

import pytest

from novate.spec.draft import Draft
from novate.spec.errors import Reason
from novate.spec.funds import reduce_debt
from novate.spec.messages.inbox import ForcedWithdrawal
from tests.spec.kit import BTC, BTC_PRICE, ETH, USDC, Stage


def test_vault_too_small() -> None:
    """The winner of a crash may not take more than all there is before the loser is dealt with."""
    stage = Stage()
    stage.craft_account(1, cash=950 * USDC)
    stage.craft_account(3, cash=0)
    stage.craft_account(4, cash=0)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 600))  # needs 936
    stage.jump(1_000_000)  # 5,400 lost: account 2 has 15,397, the vault 10,950
    vault = 10_950 * USDC
    assert stage.state.system.vault == vault
    stage.refuse(Reason.VAULT_TOO_SMALL, stage.round().withdraw(2, vault + 1))
    stage.refuse(Reason.UNSAFE_AT_REFERENCE, stage.round().withdraw(2, vault))
    for _ in range(2):
        stage.play(stage.round(3_600).prices(BTC, 1_000_000))
    stage.apply(stage.round().withdraw(2, vault))
    assert stage.state.system.vault == 0


def test_a_forced_withdrawal_takes_at_most_the_vault() -> None:
    stage = Stage()
    stage.craft_account(1, cash=950 * USDC)
    for account in (3, 4):
        stage.craft_account(account, cash=0)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 600))
    stage.jump(1_000_000)
    for _ in range(2):
        stage.play(stage.round(3_600).prices(BTC, 1_000_000))
    act = stage.round()
    act.requests.append(ForcedWithdrawal(2, 102, 2**63 - 1))
    [entry] = stage.apply(act).withdrawals
    assert entry.payout == 10_950 * USDC


def test_running_first_gains_nothing() -> None:
    """Whatever was withdrawn before, a debit pays V / (V + B) of the beginning, up to rounding."""
    stage = Stage()
    stage.craft_fund(BTC, 0, debt=7_123_456_789)
    vault = stage.state.system.vault
    for amount in (1, 999, 5_000 * USDC, 7, 4_000 * USDC):
        [entry] = stage.apply(stage.round().withdraw(1, amount)).withdrawals
        exact = amount * vault
        assert 0 <= exact - entry.payout * (vault + 7_123_456_789) < 2 * (vault + 7_123_456_789)


@pytest.mark.parametrize(
    "debts, amount, left",
    [
        ((10, 20), 3, (9, 18)),
        ((10, 20), 4, (8, 18)),  # 1.33 and 2.67: the remainder to the lowest
        ((0, 5), 4, (0, 1)),
        ((1, 5), 6, (0, 0)),
        ((1, 2), 2, (0, 1)),
        ((0, 0), 0, (0, 0)),
    ],
)
def test_debt_falls_pro_rata(debts: tuple[int, int], amount: int, left: tuple[int, int]) -> None:
    stage = Stage()
    stage.craft_fund(BTC, 0, debts[0])
    stage.craft_fund(ETH, 0, debts[1])
    draft = Draft(stage.state)
    reduce_debt(draft, amount)
    assert tuple(draft.market(underlying).fund.debt for underlying in (BTC, ETH)) == left
