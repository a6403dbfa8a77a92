"""Caps on positions. They bind only acts that increase one; a mark may move past one."""

from __future__ import annotations

from novate.spec.bounds import ACCOUNT_GROSS_MAX, POSITION_NOTIONAL_MAX, QUANTITY_MAX
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import Positions, underlying_of
from novate.spec.valuation import RoundState


def require_room(
    draft: Draft, round_state: RoundState, positions: Positions, instrument: int, after: int
) -> None:
    """Rejection unless an account with these positions may hold `after` lots of the instrument."""
    if abs(after) > QUANTITY_MAX:
        raise Rejection(Reason.POSITION_TOO_LARGE, f"lots = {after}, max {QUANTITY_MAX}")
    index = round_state.views[underlying_of(instrument)].snapshot.index_price
    if abs(after) * index > POSITION_NOTIONAL_MAX:
        detail = f"notional = {abs(after) * index}, max {POSITION_NOTIONAL_MAX}"
        raise Rejection(Reason.POSITION_TOO_LARGE, detail)
    others = [position for position in positions if position.instrument != instrument]
    gross = abs(after) * index + sum(
        abs(position.quantity)
        * round_state.views[underlying_of(position.instrument)].snapshot.index_price
        for position in others
    )
    if gross > ACCOUNT_GROSS_MAX:
        raise Rejection(Reason.GROSS_TOO_LARGE, f"gross = {gross}, max {ACCOUNT_GROSS_MAX}")
    if len(others) + 1 > draft.preset.positions_max:
        raise Rejection(Reason.TOO_MANY_POSITIONS, f"max {draft.preset.positions_max}")
