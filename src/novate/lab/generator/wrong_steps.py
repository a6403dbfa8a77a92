"""Liquidation steps that must be refused: too much, the wrong way, no hedge, or no longer due."""

from __future__ import annotations

from novate.lab.generator.plans import (
    Plan,
    fill_of,
    gross_of,
    live_instruments,
    mark_at,
    room_for,
    signed_side,
    submit,
    with_maker,
)
from novate.lab.generator.stage import Stage
from novate.spec.bounds import ACCOUNT_GROSS_MAX, QUANTITY_MAX
from novate.spec.errors import Reason
from novate.spec.holders import quantity_of, underlying_of
from novate.spec.instruments import decode, is_linear, is_option
from novate.spec.journal import Health
from novate.spec.liquidation import waterfall_obstacle
from novate.spec.messages.batch import SideKind, SideOf
from novate.spec.state import Position
from novate.spec.valuation import health


def wrong_step_of_the_ill(stage: Stage) -> None:
    """One wrong step of an account whose waterfall is open."""
    round_state = stage.venue.round.state
    ill = [
        k
        for k in stage.accounts()
        if stage.draft.account(k).liquidation_since
        and not waterfall_obstacle(
            stage.draft, round_state, round_state.opening.get(k) or stage.up_to_date(k)
        )
    ]
    if not ill or not stage.fills_left:
        return
    account = stage.rng.choice(ill)
    sound = [
        k
        for k in stage.traders()
        if k != account
        and gross_of(stage, k) <= ACCOUNT_GROSS_MAX
        and stage.health(k).equity > 3 * stage.health(k).initial
    ]
    if not sound:
        return
    other = max(sound, key=lambda k: stage.health(k).equity)
    if stage.health(account).equity >= stage.health(account).initial:
        _one_more(stage, account, other)
    else:
        aims = (_too_much, _done_and_more, _done_and_more, _wrong_way, _no_hedge)
        stage.rng.choice(aims)(stage, account, other)


def _submit(
    stage: Stage, account: int, other: int, instrument: int, change: int, expected: str
) -> None:
    """The account's position would change by `change` lots at mark."""
    if not room_for(stage, other, instrument):
        return
    price = mark_at(stage, instrument)
    buys = change > 0
    buyer, seller = (account, other) if buys else (other, account)
    plan = with_maker(stage, Plan(instrument, price, abs(change), buyer, seller))
    if plan is None:
        return
    signed = signed_side(stage, plan, not buys)
    unsigned = SideOf(SideKind.LIQUIDATION, account)
    sides = (unsigned, signed) if buys else (signed, unsigned)
    submit(stage, [fill_of(plan, *sides)], "unexpected", (account, other), expected)


def _one_more(stage: Stage, account: int, other: int) -> None:
    """A step after the steps of this round have brought equity to initial margin."""
    for position in stage.draft.account(account).positions:
        if position.instrument in live_instruments(stage):
            one = -1 if position.quantity > 0 else 1
            _submit(stage, account, other, position.instrument, one, Reason.LIQUIDATION_DONE)
            return


def _after(stage: Stage, account: int, position: Position, lots: int) -> Health:
    """Health after so many lots of a position were closed at mark."""
    held = stage.up_to_date(account)
    left = abs(position.quantity) - lots
    quantity = left if position.quantity > 0 else -left
    positions = tuple(
        p._replace(quantity=quantity) if p.instrument == position.instrument else p
        for p in held.positions
        if quantity or p.instrument != position.instrument
    )
    sold = position.quantity - quantity
    cash = held.cash + sold * mark_at(stage, position.instrument)
    return health(stage.venue.round.state.views, cash, positions)


def _enough(stage: Stage, account: int, position: Position) -> int:
    """The fewest lots to close so that equity is a little above initial margin; 0 if none do."""
    low, high = 0, abs(position.quantity)
    found = _after(stage, account, position, high)
    if found.equity < found.initial + found.initial // 100:
        return 0
    while high - low > 1:
        middle = (low + high) >> 1
        found = _after(stage, account, position, middle)
        if found.equity >= found.initial + found.initial // 100:
            high = middle
        else:
            low = middle
    return high


def _done_and_more(stage: Stage, account: int, other: int) -> None:
    """A step that brings equity to initial margin, then one more."""
    for position in stage.up_to_date(account).positions:
        lots = _enough(stage, account, position)
        if 0 < lots < abs(position.quantity) and position.instrument in live_instruments(stage):
            change = -lots if position.quantity > 0 else lots
            _submit(stage, account, other, position.instrument, change, "")
            found = stage.health(account)
            if found.equity >= found.initial:
                _one_more(stage, account, other)
            return


def _too_much(stage: Stage, account: int, other: int) -> None:
    """A position is closed whole although less would do."""
    before = stage.health(account)
    for position in stage.up_to_date(account).positions:
        lots = abs(position.quantity)
        after = _after(stage, account, position, lots)
        too_far = after.equity > after.initial + before.initial // 8
        if (
            too_far
            and lots > 1
            and after.maintenance < before.maintenance
            and position.instrument in live_instruments(stage)
            and mark_at(stage, position.instrument) * lots < 2**47
        ):
            change = -position.quantity
            _submit(stage, account, other, position.instrument, change, Reason.STEP_TOO_LARGE)
            return


def _wrong_way(stage: Stage, account: int, other: int) -> None:
    """The only position, a linear one, is enlarged."""
    positions = stage.up_to_date(account).positions
    if len(positions) != 1 or not is_linear(decode(positions[0].instrument)):
        return
    [position] = positions
    far_from_caps = abs(position.quantity) < QUANTITY_MAX // 2
    if position.instrument in live_instruments(stage) and far_from_caps:
        one = 1 if position.quantity > 0 else -1
        _submit(stage, account, other, position.instrument, one, Reason.NOT_RISK_REDUCING)


def _no_hedge(stage: Stage, account: int, other: int) -> None:
    """An option is bought, or a linear of an underlying that the account does not hold."""
    positions = stage.up_to_date(account).positions
    held = {underlying_of(position.instrument) for position in positions}
    opening = stage.venue.round.state.opening.get(account)
    if opening is not None or not positions:
        return
    for instrument in live_instruments(stage):
        unrelated = is_option(decode(instrument)) or underlying_of(instrument) not in held
        if (
            unrelated
            and quantity_of(positions, instrument) >= 0
            and room_for(stage, account, instrument)
        ):
            _submit(stage, account, other, instrument, 1, Reason.NOT_A_HEDGE)
            return
