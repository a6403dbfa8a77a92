"""The ledger: every change of a holder's position by trade, in sequence, with the running lots."""

from __future__ import annotations

from novate.spec.draft import Draft
from novate.spec.holders import quantity_of
from novate.spec.journal import LedgerRow
from novate.spec.valuation import RoundState


def record_row(
    draft: Draft, round_state: RoundState, holder: int, instrument: int, quantity: int, cash: int
) -> None:
    """Append a row after the holder's position changed; `holder` < 0 is a fund."""
    sequence = round_state.sequence.get("next", 0)
    draft.assign(round_state.sequence, "next", sequence + 1)
    held = draft.market(-1 - holder).fund if holder < 0 else draft.account(holder)
    running = quantity_of(held.positions, instrument)
    draft.record(
        draft.journal.ledger, LedgerRow(holder, instrument, sequence, quantity, cash, running)
    )
