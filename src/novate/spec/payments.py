"""Paying cash out to L1. While funds have debt every debit pays the same fraction V / (V + B)."""

from __future__ import annotations

from dataclasses import replace

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.funds import reduce_debt
from novate.spec.journal import WithdrawalEntry
from novate.spec.valuation import payout_of, total_debt


def pay_out(draft: Draft, index: int, debit: int, min_payout: int = 0) -> int:
    """Debit an account and owe its owner the payout on L1; returns the payout.

    The unpaid part of the debit takes as much off the funds' debt, so the fraction stays the same
    for whoever comes next and running first gains nothing.
    """
    account = draft.account(index)
    vault = draft.system.vault
    if debit > vault + total_debt(draft):
        raise Rejection(Reason.VAULT_TOO_SMALL, f"debit = {debit}, vault = {vault}")
    payout = payout_of(draft, debit)
    if payout < min_payout:
        raise Rejection(Reason.PAYOUT_TOO_SMALL, f"payout = {payout}, min_payout = {min_payout}")
    draft.put_account(index, replace(account, cash=account.cash - debit))
    draft.put_system(replace(draft.system, vault=vault - payout))
    reduce_debt(draft, debit - payout)
    entry = WithdrawalEntry(index, account.owner, debit, payout)
    draft.record(draft.journal.withdrawals, entry)
    return payout
