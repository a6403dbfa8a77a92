"""The margin rule of accounts with an act of their own in a round, and what it calls reducing risk.

E, M, I: equity, maintenance and initial margin; a prime marks "after". Before and after are valued
at the same snapshot; "before" is the opening account with what it received from others.
"""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.journal import Health, MarginEntry
from novate.spec.rounding import ppm_down
from novate.spec.state import Account
from novate.spec.valuation import (
    RoundState,
    account_health,
    health,
    withdrawal_obstacle,
)


def is_risk_reducing(before: Health, after: Health, step_loss_ppm: int) -> bool:
    """M' <= M and E' >= E; or M' < M, E >= 0, E'·M >= E·M' and E − E' <= step of (M − M').

    The second form lets a trader pay a spread to reduce risk, and stops equity being given away
    as "relief": closing everything off-market would have E'·M = 0·M >= E·0.
    """
    if after.maintenance <= before.maintenance and after.equity >= before.equity:
        return True
    freed = before.maintenance - after.maintenance
    return (
        freed > 0
        and before.equity >= 0
        and after.equity * before.maintenance >= before.equity * after.maintenance
        and before.equity - after.equity <= ppm_down(freed, step_loss_ppm)
    )


def judge(draft: Draft, round_state: RoundState, index: int) -> MarginEntry:
    """The numbers of the margin rule for one account, as the round stands."""
    opening = round_state.opening[index]
    account = draft.account(index)
    inflow = round_state.inflow.get(index, 0)
    before = health(round_state.views, opening.cash + inflow, opening.positions)
    after = account_health(round_state.views, account)
    return MarginEntry(
        account=index,
        before=before,
        after=after,
        gave=before.equity - round_state.paid.get(index, 0) - after.equity,
        risk_reducing=is_risk_reducing(before, after, draft.parameters.step_loss_ppm),
    )


def require_margin(draft: Draft, round_state: RoundState, index: int) -> MarginEntry:
    """Rejection unless the account may end the round as it stands."""
    entry = judge(draft, round_state, index)
    covered = entry.after.equity >= entry.after.initial
    if index in round_state.must_reduce and not entry.risk_reducing:
        raise Rejection(Reason.NOT_RISK_REDUCING, f"account {index}: {entry}")
    if not covered and not entry.risk_reducing:
        raise Rejection(Reason.INSUFFICIENT_MARGIN, f"account {index}: {entry}")
    if index in round_state.moved_out:
        if not covered:
            raise Rejection(Reason.INSUFFICIENT_MARGIN, f"account {index}: {entry}")
        _require_withdrawable(draft, round_state, index)
    elif gave_away(draft, entry):
        _require_may_give(draft, round_state, entry)
    return entry


def gave_away(draft: Draft, entry: MarginEntry) -> bool:
    """Whether the account's trades lost more than the tolerated part of its maintenance margin.

    Not of the notional traded: trading a worthless option back and forth makes any notional.
    """
    margin = max(entry.before.maintenance, entry.after.maintenance)
    return entry.gave > ppm_down(margin, draft.parameters.give_tolerance_ppm)


def _require_may_give(draft: Draft, round_state: RoundState, entry: MarginEntry) -> None:
    """Giving value away needs the withdrawal test.

    Who reduces risk need not wait for a halt to end; and who was below initial margin need not be
    safe at the reference either. Others would open at the mark and close far from it to give.
    """
    if not entry.risk_reducing:
        _require_withdrawable(draft, round_state, entry.account)
    elif entry.before.equity >= entry.before.initial:
        _require_safe_at_reference(draft, round_state, entry.account)


def _require_withdrawable(draft: Draft, round_state: RoundState, index: int) -> None:
    """The withdrawal test: no halt, no missing fixing, and E' >= I' at the reference as well."""
    obstacle = withdrawal_obstacle(draft, draft.account(index).positions)
    if obstacle:
        raise Rejection(Reason.WITHDRAWAL_BLOCKED, f"account {index}: {obstacle}")
    _require_safe_at_reference(draft, round_state, index)


def _require_safe_at_reference(draft: Draft, round_state: RoundState, index: int) -> None:
    """E' >= I' with the reference's index, premium, basis and smile."""
    account: Account = draft.account(index)
    then = account_health(round_state.references, account)
    if then.equity < then.initial:
        raise Rejection(Reason.UNSAFE_AT_REFERENCE, f"account {index}: {then}")


def require_fund_margin(draft: Draft, round_state: RoundState, underlying: int) -> None:
    """A fund that traded must have reduced its risk, at little cost: it has no signature to ask."""
    opening = round_state.fund_opening[underlying]
    fund = draft.market(underlying).fund
    before = health(round_state.views, opening.cash, opening.positions)
    after = health(round_state.views, fund.cash, fund.positions)
    if not is_risk_reducing(before, after, draft.parameters.fund_loss_ppm):
        raise Rejection(Reason.NOT_RISK_REDUCING, f"fund {underlying}: {before} to {after}")
