"""Phase 2: anyone may ask on L1 that an account below maintenance margin be dealt with."""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import touch_account
from novate.spec.journal import RequestOutcome
from novate.spec.liquidation import liquidate, update_status
from novate.spec.messages.inbox import ForcedLiquidation
from novate.spec.valuation import RoundState


def forced_liquidation(
    draft: Draft, round_state: RoundState, request: ForcedLiquidation
) -> RequestOutcome:
    """Takeover or deleveraging if the waterfall is open; else set the status if E < M."""
    account = touch_account(draft, request.account)
    now = update_status(draft, round_state, request.account)
    if now.equity >= now.maintenance:
        raise Rejection(Reason.NOT_BELOW_MARGIN, f"account {request.account}: {now}")
    if account.liquidation_since == 0:
        return RequestOutcome.MARKED
    liquidate(draft, round_state, request.account)
    return RequestOutcome.DONE
