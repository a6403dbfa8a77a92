"""Phase 2: requests from L1. None is skipped; what cannot be done is a no-op or a refund."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.wallets import wallet
from novate.spec.bounds import CASH_MAX, EPOCH_MAX, GOLDILOCKS
from novate.spec.errors import Reason
from novate.spec.journal import RequestOutcome, WithdrawalEntry
from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
)
from novate.spec.primitives import ZERO_KEY
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, CASH, USDC, Stage


def test_a_deposit_credits_an_account_and_the_vault() -> None:
    stage = Stage()
    before = stage.state.system
    assert stage.request(Deposit(2, 102, 7, 5 * USDC)).outcome == RequestOutcome.DONE
    assert stage.cash(2) == 5 * USDC
    assert stage.state.system.vault == before.vault + 5 * USDC
    assert stage.state.system.inbox_cursor == before.inbox_cursor + 1


def test_a_deposit_to_the_next_index_opens_an_account() -> None:
    stage = Stage()
    assert stage.request(Deposit(5, 105, 105, USDC)).outcome == RequestOutcome.DONE
    account = stage.account(5)
    assert (account.owner, account.cash, account.key) == (105, USDC, ZERO_KEY)
    assert stage.state.system.account_count == 6


@pytest.mark.parametrize(
    "deposit",
    [
        Deposit(6, 106, 9, USDC),  # not the next index
        Deposit(-1, 106, 9, USDC),
        Deposit(1, 102, 9, USDC),  # another owner's account
        Deposit(5, 0, 9, USDC),  # an account of nobody
        Deposit(1, 101, 9, CASH_MAX),  # more than the vault may hold
        Deposit(1, 101, 9, 2**63 - 1),
    ],
)
def test_a_deposit_that_cannot_be_credited_is_paid_back(deposit: Deposit) -> None:
    check_refund(Stage(), deposit)


def check_refund(stage: Stage, deposit: Deposit | FundDeposit) -> None:
    """The request is refunded to its sender, and nothing else changes."""
    accounts, markets, vault = stage.state.accounts, stage.state.markets, stage.state.system.vault
    act = stage.round()
    act.requests.append(deposit)
    journal = stage.apply(act)
    assert journal.requests[-1].outcome == RequestOutcome.REFUNDED
    assert journal.withdrawals == [WithdrawalEntry(-1, 9, deposit.amount, deposit.amount)]
    assert (stage.state.accounts, stage.state.markets) == (accounts, markets)
    assert stage.state.system.vault == vault


def test_a_refund_and_a_full_tree() -> None:
    stage = Stage()
    check_refund(stage, Deposit(6, 106, 9, USDC))
    accounts = {index: stage.account(1) for index in range(5, 64)}
    system = stage.state.system
    stage.craft(
        accounts={**stage.state.accounts, **{k: replace(a, cash=0) for k, a in accounts.items()}},
        system=replace(system, account_count=64),
    )
    check_refund(stage, Deposit(64, 106, 9, USDC))


def test_a_deposit_that_meets_overflowing_cash_is_paid_back() -> None:
    """Funding due to the account would take it past the bound: the deposit must not be lost."""
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    stage.craft_account(2, cash=CASH_MAX - 10)
    stage.craft_account(1, cash=0)
    stage.craft_account(3, cash=0)
    stage.craft_account(4, cash=0)
    stage.craft(
        accounts={
            **stage.state.accounts,
            1: replace(stage.account(1), cash=stage.account(1).cash - 10 * CASH),
        },
        system=replace(stage.state.system, vault=stage.state.system.vault - 10 * CASH),
    )
    stage.play(stage.round(300).prices(BTC, premium_ppm=5_000))  # longs owe shorts funding
    accounts = stage.state.accounts
    act = stage.round()
    act.requests.append(Deposit(2, 102, 9, 1))
    journal = stage.apply(act)
    assert journal.requests[-1].outcome == RequestOutcome.REFUNDED
    assert journal.withdrawals == [WithdrawalEntry(-1, 9, 1, 1)]
    assert stage.state.accounts == accounts


def test_a_fund_deposit_is_capital() -> None:
    stage = Stage()
    assert stage.request(FundDeposit(BTC, 9, 7 * USDC)).outcome == RequestOutcome.DONE
    assert stage.fund().cash == 7 * USDC
    check_refund(stage, FundDeposit(2, 9, USDC))
    check_refund(stage, FundDeposit(BTC, 9, CASH_MAX))


def test_a_fund_deposit_repays_debt_first() -> None:
    stage = Stage()
    stage.craft_fund(BTC, 0, debt=5 * USDC)
    stage.request(FundDeposit(BTC, 9, 7 * USDC))
    assert (stage.fund().cash, stage.fund().debt) == (2 * USDC, 0)


def test_a_registered_key_replaces_the_trading_key() -> None:
    stage = Stage()
    new = wallet("new key")
    assert stage.request(RegisterKey(1, 101, new.key)).outcome == RequestOutcome.DONE
    assert (stage.account(1).key, stage.account(1).key_epoch) == (new.key, 2)
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().fill(1, 2, BTC_PRICE, 1))
    act = stage.round()
    stage.apply(act.fill(act.order(1, True, BTC_PRICE, 1, signer=new), 2, BTC_PRICE, 1))


def test_a_key_that_is_no_element_binds_the_zero_key() -> None:
    """L1 does not judge keys; a leaf that cannot be hashed would stop every later batch."""
    stage = Stage()
    for key in ((1, 2, 3, 4, GOLDILOCKS), (2**64 - 1,) * 5):
        assert stage.request(RegisterKey(1, 101, key)).outcome == RequestOutcome.DONE
        assert stage.account(1).key == ZERO_KEY
    not_a_point = (1, 1, 1, 1, 1)
    stage.request(RegisterKey(1, 101, not_a_point))
    assert stage.account(1).key == not_a_point
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().fill(1, 2, BTC_PRICE, 1))


def test_forced_cancel_kills_open_orders() -> None:
    stage = Stage()
    act = stage.round(10)
    act.fill(1, 2, BTC_PRICE, 1)
    assert stage.request(ForcedCancel(1, 101)).outcome == RequestOutcome.DONE
    assert stage.account(1).cancel_epoch == 1
    stage.refuse(Reason.INVALID_SIGNATURE, act)


def test_an_epoch_that_has_no_room_is_a_no_op() -> None:
    stage = Stage()
    stage.craft_account(1, key_epoch=EPOCH_MAX, cancel_epoch=EPOCH_MAX)
    stage.no_op(Reason.EPOCH_EXHAUSTED, ForcedCancel(1, 101))
    stage.no_op(Reason.EPOCH_EXHAUSTED, RegisterKey(1, 101, wallet("new key").key))


def test_allow_owner_opens_the_way_for_transfers() -> None:
    stage = Stage()
    stage.refuse(Reason.RECIPIENT_NOT_ALLOWED, stage.round().transfer(1, 2, USDC))
    assert stage.request(AllowOwner(1, 101, 102)).outcome == RequestOutcome.DONE
    stage.apply(stage.round().transfer(1, 2, USDC))
    assert stage.cash(2) == USDC
    stage.request(AllowOwner(1, 101, 0))
    stage.refuse(Reason.RECIPIENT_NOT_ALLOWED, stage.round().transfer(1, 2, USDC))


def test_not_the_owner() -> None:
    stage = Stage()
    for request in (
        RegisterKey(1, 102, wallet("thief").key),
        AllowOwner(1, 102, 102),
        ForcedWithdrawal(1, 102, USDC),
        ForcedClose(1, 102, BTC_PERP),
        ForcedCancel(1, 102),
    ):
        stage.no_op(Reason.NOT_THE_OWNER, request)


def test_requests_of_nobody_are_no_ops() -> None:
    stage = Stage()
    for request in (
        RegisterKey(9, 102, wallet("thief").key),
        AllowOwner(9, 102, 102),
        ForcedWithdrawal(9, 102, USDC),
        ForcedClose(9, 102, BTC_PERP),
        ForcedCancel(9, 102),
        ForcedLiquidation(9),
    ):
        stage.no_op(Reason.UNKNOWN_ACCOUNT, request)
