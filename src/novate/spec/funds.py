"""The insurance funds: revenue, losses and debt.

Sum of all cash (accounts, funds, clearing balances) = V + B, V the vault and B the funds' debt.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.draft import Draft
from novate.spec.holders import put_fund
from novate.spec.rounding import div_down
from novate.spec.valuation import total_debt


def credit_fund(draft: Draft, underlying: int, amount: int) -> None:
    """Revenue of a fund: repays its own debt first. A negative amount is a loss it bears.

    A fund's cash may be negative while it holds long positions; what counts is its equity.
    """
    fund = draft.market(underlying).fund
    repaid = min(max(amount, 0), fund.debt)
    put_fund(
        draft,
        underlying,
        replace(fund, cash=fund.cash + amount - repaid, debt=fund.debt - repaid),
    )


def add_debt(draft: Draft, underlying: int, amount: int) -> None:
    """A deficit that nobody has paid, amount >= 0."""
    fund = draft.market(underlying).fund
    put_fund(draft, underlying, replace(fund, debt=fund.debt + amount))


def reduce_debt(draft: Draft, amount: int) -> None:
    """Take `amount` (the unpaid part of a debit) off the funds' debts, pro rata.

    amount <= B. Shares are rounded down; the remainder goes to the lowest underlyings with debt.
    """
    total = total_debt(draft)
    left = amount
    for underlying in sorted(draft.markets):
        fund = draft.market(underlying).fund
        share = div_down(amount * fund.debt, total) if total else 0
        put_fund(draft, underlying, replace(fund, debt=fund.debt - share))
        left -= share
    for underlying in sorted(draft.markets):
        fund = draft.market(underlying).fund
        share = min(left, fund.debt)
        put_fund(draft, underlying, replace(fund, debt=fund.debt - share))
        left -= share
