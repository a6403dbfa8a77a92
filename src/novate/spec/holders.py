"""Positions of a holder (an account or a fund): bringing them up to date, and changing them.

Funding, deleveraging and settlement reach a position only when its holder is touched. Until then
the instrument's clearing balance stands in for all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from novate.spec.draft import Draft
from novate.spec.instruments import ID_BITS, UNDERLYING_BITS
from novate.spec.journal import LazyFlow
from novate.spec.rounding import div_down
from novate.spec.state import Account, Fund, InstrumentState, Position, Side

Positions = tuple[Position, ...]


def fund_holder(underlying: int) -> int:
    """The journal's name of a market's fund: −1 − underlying."""
    return -1 - underlying


class Settled(NamedTuple):
    """A position brought up to date: what is left of it and the cash that came with it."""

    quantity: int
    cash: int


def side_of(state: InstrumentState, quantity: int) -> Side:
    """The side of the instrument on which a signed quantity lies."""
    return state.long if quantity > 0 else state.short


def settle_position(state: InstrumentState, position: Position) -> Settled:
    """Whole lots left and cash due of a position; cash is rounded against the holder.

    The fraction of a lot that is not left is bought out at the instrument's mark: dropping it would
    give a short the value of a lot. |q0| < 2**31 and the accumulators' difference < 2**63, so the
    product needs limbs in the proof; fraction · mark < factor · mark < 2**61.
    """
    side = side_of(state, position.quantity)
    held = abs(position.quantity)
    lots = div_down(held * side.factor, position.factor)
    fraction = held * side.factor - lots * position.factor
    quantity, fraction = (lots, fraction) if position.quantity > 0 else (-lots, -fraction)
    due = held * (side.cash - position.cash) + fraction * state.mark
    cash = div_down(due, position.factor)
    if state.settled:
        return Settled(0, cash + quantity * state.mark)
    return Settled(quantity, cash)


def is_current(state: InstrumentState, position: Position) -> bool:
    """Whether nothing has happened to the position since it was touched."""
    side = side_of(state, position.quantity)
    return not state.settled and position.factor == side.factor and position.cash == side.cash


def settle_positions(draft: Draft, holder: int, positions: Positions) -> tuple[Positions, int]:
    """All positions brought up to date: what is left, and the sum of the cash due."""
    kept: list[Position] = []
    total = 0
    for position in positions:
        state = draft.instruments[position.instrument]
        if is_current(state, position):
            kept.append(position)
            continue
        quantity, cash = settle_position(state, position)
        total += cash
        gone = quantity == 0
        draft.put_instrument(
            state._replace(clearing=state.clearing - cash, holders=state.holders - int(gone))
        )
        draft.record(
            draft.journal.flows,
            LazyFlow(holder, position.instrument, position.quantity, quantity, cash),
        )
        if not gone:
            side = side_of(state, quantity)
            kept.append(Position(position.instrument, quantity, side.factor, side.cash))
    return tuple(kept), total


def touch_account(draft: Draft, index: int) -> Account:
    """The account with every position up to date; written back if anything changed."""
    account = draft.account(index)
    positions, cash = settle_positions(draft, index, account.positions)
    if positions != account.positions or cash:
        account = replace(account, positions=positions, cash=account.cash + cash)
        draft.put_account(index, account)
    return account


def touch_fund(draft: Draft, underlying: int) -> Fund:
    """The market's fund with every position up to date; written back if anything changed."""
    fund = draft.market(underlying).fund
    positions, cash = settle_positions(draft, fund_holder(underlying), fund.positions)
    if positions != fund.positions or cash:
        fund = replace(fund, positions=positions, cash=fund.cash + cash)
        put_fund(draft, underlying, fund)
    return fund


def put_fund(draft: Draft, underlying: int, fund: Fund) -> None:
    """Write a market's fund."""
    draft.put_market(underlying, replace(draft.market(underlying), fund=fund))


def quantity_of(positions: Positions, instrument: int) -> int:
    """Signed lots held in an instrument; 0 if none."""
    for position in positions:
        if position.instrument == instrument:
            return position.quantity
    return 0


def change_position(draft: Draft, positions: Positions, instrument: int, change: int) -> Positions:
    """Up-to-date positions with `change` lots added; open interest and holder count follow.

    Open interest counts long lots. A fill's two changes add to zero, so long and short stay equal.
    """
    state = draft.instruments[instrument]
    before = quantity_of(positions, instrument)
    after = before + change
    draft.put_instrument(
        state._replace(
            open_interest=state.open_interest + max(after, 0) - max(before, 0),
            holders=state.holders + int(after != 0) - int(before != 0),
        )
    )
    others = [position for position in positions if position.instrument != instrument]
    if after:
        side = side_of(state, after)
        others.append(Position(instrument, after, side.factor, side.cash))
    return tuple(sorted(others))


def underlying_of(instrument: int) -> int:
    """The underlying of an instrument id."""
    return instrument >> ID_BITS - UNDERLYING_BITS
