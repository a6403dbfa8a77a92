"""Phase 2: requests from L1, in L1 order, none skipped. Outcomes are functions of the state.

Deposits, keys, the transfer allow-list and cancels are here; forced withdrawal, close and
liquidation have files of their own.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.bounds import CASH_MAX, GOLDILOCKS
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.funds import credit_fund
from novate.spec.holders import touch_account
from novate.spec.journal import ChangeEntry, RequestEntry, RequestOutcome, WithdrawalEntry
from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
    Request,
)
from novate.spec.primitives import ZERO_KEY
from novate.spec.state import Account
from novate.spec.transactions.changes import next_epoch
from novate.spec.transactions.forced_close import forced_close
from novate.spec.transactions.forced_liquidation import forced_liquidation
from novate.spec.transactions.forced_withdrawal import forced_withdrawal
from novate.spec.valuation import RoundState, mark_touched


def apply_request(draft: Draft, round_state: RoundState, request: Request) -> None:
    """Carry out one request, or record why it is a no-op; its content never raises."""
    checkpoint = draft.checkpoint()
    reason = ""
    try:
        outcome = _dispatch(draft, round_state, request)
    except Rejection as rejection:
        draft.rollback(checkpoint)
        outcome, reason = RequestOutcome.NO_OP, rejection.reason
        if isinstance(request, Deposit):  # money that came in is credited or paid back
            outcome = refund(draft, request.sender, request.amount)
    system = draft.system
    draft.put_system(replace(system, inbox_cursor=system.inbox_cursor + 1))
    draft.record(draft.journal.requests, RequestEntry(request, outcome, reason))


def _dispatch(draft: Draft, round_state: RoundState, request: Request) -> RequestOutcome:
    """The request's own rule."""
    match request:
        case Deposit():
            return deposit(draft, round_state, request)
        case FundDeposit():
            return fund_deposit(draft, request)
        case RegisterKey():
            return register_key(draft, request)
        case AllowOwner():
            return allow_owner(draft, request)
        case ForcedCancel():
            return forced_cancel(draft, request)
        case ForcedWithdrawal():
            require_owner(draft, request.account, request.owner)
            return forced_withdrawal(draft, round_state, request)
        case ForcedClose():
            require_owner(draft, request.account, request.owner)
            return forced_close(draft, round_state, request)
        case ForcedLiquidation():
            return forced_liquidation(draft, round_state, request)


def require_owner(draft: Draft, index: int, owner: int) -> Account:
    """The account, if the L1 sender owns it."""
    account = draft.account(index)
    if account.owner != owner:
        raise Rejection(Reason.NOT_THE_OWNER, f"account = {index}, sender = {owner:#x}")
    return account


def deposit(draft: Draft, round_state: RoundState, request: Deposit) -> RequestOutcome:
    """Credit cash, opening the next free account; otherwise owe the sender the amount back."""
    if not _can_credit(draft, request):
        return refund(draft, request.sender, request.amount)
    system = draft.system
    opens = request.account == system.account_count
    account = Account(owner=request.owner) if opens else touch_account(draft, request.account)
    draft.put_account(request.account, replace(account, cash=account.cash + request.amount))
    draft.put_system(
        replace(
            system,
            vault=system.vault + request.amount,
            account_count=system.account_count + int(opens),
        )
    )
    mark_touched(draft, round_state, request.account)
    return RequestOutcome.DONE


def refund(draft: Draft, sender: int, amount: int) -> RequestOutcome:
    """Owe a deposit back to who sent it; the vault's V never counted it."""
    draft.record(draft.journal.withdrawals, WithdrawalEntry(-1, sender, amount, amount))
    return RequestOutcome.REFUNDED


def fund_deposit(draft: Draft, request: FundDeposit) -> RequestOutcome:
    """Capital for a market's fund; repays its debt first, like any revenue."""
    vault = draft.system.vault + request.amount
    if request.underlying not in draft.markets or vault > CASH_MAX:
        return refund(draft, request.sender, request.amount)
    draft.put_system(replace(draft.system, vault=vault))
    credit_fund(draft, request.underlying, request.amount)
    return RequestOutcome.DONE


def _can_credit(draft: Draft, request: Deposit) -> bool:
    """Whether the account exists or is next, belongs to the owner named, and has room."""
    index, count = request.account, draft.system.account_count
    if draft.system.vault + request.amount > CASH_MAX:
        return False
    if index == count:
        return count < draft.preset.accounts_max and request.owner != 0
    if not 0 <= index < count or draft.account(index).owner != request.owner:
        return False
    return touch_account(draft, index).cash + request.amount <= CASH_MAX


def register_key(draft: Draft, request: RegisterKey) -> RequestOutcome:
    """Bind a trading key; L1 overrides what was rotated on L2.

    Words that are not elements bind the zero key, which cannot sign: no leaf can hold them.
    """
    account = require_owner(draft, request.account, request.owner)
    epoch = next_epoch(account.key_epoch)
    key = request.key if max(request.key) < GOLDILOCKS else ZERO_KEY
    draft.put_account(request.account, replace(account, key=key, key_epoch=epoch))
    draft.record(draft.journal.changes, ChangeEntry(request.account, "key", epoch))
    return RequestOutcome.DONE


def allow_owner(draft: Draft, request: AllowOwner) -> RequestOutcome:
    """Allow transfers to accounts of one other owner."""
    account = require_owner(draft, request.account, request.owner)
    draft.put_account(request.account, replace(account, allowed_owner=request.allowed))
    draft.record(draft.journal.changes, ChangeEntry(request.account, "allow", request.allowed))
    return RequestOutcome.DONE


def forced_cancel(draft: Draft, request: ForcedCancel) -> RequestOutcome:
    """Raise the account's cancel epoch."""
    account = require_owner(draft, request.account, request.owner)
    epoch = next_epoch(account.cancel_epoch)
    draft.put_account(request.account, replace(account, cancel_epoch=epoch))
    draft.record(draft.journal.changes, ChangeEntry(request.account, "cancel", epoch))
    return RequestOutcome.DONE
