"""Paying out to L1: whole while no fund has debt, the same fraction for everybody while one has."""

from __future__ import annotations

from novate.spec.errors import Reason
from novate.spec.messages.inbox import ForcedWithdrawal
from tests.spec.kit import BTC, CASH, ETH, USDC, Stage


def indebted_stage() -> Stage:
    """Accounts 40,000; BTC's fund owes 10,000 and ETH's 6,000: the vault holds 24,000, 60 %."""
    stage = Stage()
    stage.craft_fund(BTC, 0, debt=10_000 * USDC)
    stage.craft_fund(ETH, 0, debt=6_000 * USDC)
    return stage


def test_vault_too_small() -> None:
    """An account that owes 20,001 leaves others more cash than the vault holds."""
    stage = Stage()
    stage.craft_account(2, cash=-20_001 * USDC)
    vault = stage.state.system.vault
    assert vault == CASH - USDC
    stage.refuse(Reason.VAULT_TOO_SMALL, stage.round().withdraw(1, vault + 1))
    stage.apply(stage.round().withdraw(1, vault))
    assert stage.state.system.vault == 0


def test_a_request_is_cut_to_what_the_vault_holds() -> None:
    stage = Stage()
    stage.craft_account(2, cash=-20_001 * USDC)
    stage.request(ForcedWithdrawal(1, 101, CASH))
    assert (stage.account(1).cash, stage.state.system.vault) == (USDC, 0)


def test_while_funds_have_debt_everyone_is_paid_the_same_fraction() -> None:
    stage = indebted_stage()
    for account in (1, 2, 3, 4):
        journal = stage.apply(stage.round().withdraw(account, CASH))
        assert journal.withdrawals[0].payout == 6_000 * USDC
    assert stage.state.system.vault == 0
    assert stage.fund(BTC).debt == stage.fund(ETH).debt == 0


def test_the_unpaid_part_takes_debt_off_pro_rata() -> None:
    stage = indebted_stage()
    stage.apply(stage.round().withdraw(1, 1_000 * USDC))  # 400 unpaid: 250 and 150
    assert (stage.fund(BTC).debt, stage.fund(ETH).debt) == (9_750 * USDC, 5_850 * USDC)


def test_payouts_round_down_and_debt_shares_leave_no_remainder() -> None:
    stage = indebted_stage()
    journal = stage.apply(stage.round().withdraw(1, 7))  # 4.2 paid, 3 unpaid: 1 and 1, then 1
    assert journal.withdrawals[0].payout == 4
    assert (stage.fund(BTC).debt, stage.fund(ETH).debt) == (
        10_000 * USDC - 2,
        6_000 * USDC - 1,
    )
