"""Phase 4: touches, liquidations and fund deleveraging, brought by the operator when due."""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.holders import touch_account
from novate.spec.liquidation import deleverage_fund, liquidate
from novate.spec.messages.batch import DeleverageFund, Due, Liquidate, Touch
from novate.spec.valuation import RoundState, mark_touched


def apply_due(draft: Draft, round_state: RoundState, due: Due) -> None:
    """Apply one of them; Rejection where the rule's condition does not hold."""
    match due:
        case Touch():
            touch_account(draft, due.account)
            mark_touched(draft, round_state, due.account)
        case Liquidate():
            liquidate(draft, round_state, due.account)
        case DeleverageFund():
            draft.market(due.underlying)
            deleverage_fund(draft, round_state, due.underlying)
