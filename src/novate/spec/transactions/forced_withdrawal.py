"""Phase 2: a withdrawal asked for on L1 pays what can leave the account now."""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import touch_account
from novate.spec.journal import RequestOutcome
from novate.spec.messages.inbox import ForcedWithdrawal
from novate.spec.payments import pay_out
from novate.spec.valuation import RoundState, mark_touched, total_debt, withdrawable


def forced_withdrawal(
    draft: Draft, round_state: RoundState, request: ForcedWithdrawal
) -> RequestOutcome:
    """Debit min(amount, withdrawable now, vault + debt); a no-op if that is nothing."""
    account = touch_account(draft, request.account)
    free = withdrawable(draft, round_state, account)
    debit = min(request.amount, free, draft.system.vault + total_debt(draft))
    if debit <= 0:
        raise Rejection(Reason.NOTHING_WITHDRAWABLE, f"account = {request.account}")
    pay_out(draft, request.account, debit)
    mark_touched(draft, round_state, request.account)
    return RequestOutcome.DONE
