"""What is due when a round opens: touches, takeovers, and the steps of accounts in liquidation.

A function of the engine's state alone, so a replay does the same. An account seen below maintenance
is touched, which sets its status. In later rounds it is first reduced through the book, order by
order at prices the law allows a step to cost; if that has not helped in time, or its equity is
gone, the funds take over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from novate.node.port import Engine
from novate.spec.bounds import PRICE_MAX
from novate.spec.errors import LawError
from novate.spec.holders import underlying_of
from novate.spec.journal import Health
from novate.spec.messages.batch import Liquidate, Touch
from novate.spec.parameters import Parameters
from novate.spec.rounding import clamp, mul_div_down
from novate.spec.state import Position

STEPS_S: Final = 120
"""How long an account in liquidation is only reduced through the book."""
STEPS_OF_ROUND: Final = 128
"""Steps of one round, all accounts together: the order ids of one log record."""


class Step(NamedTuple):
    """An order that reduces an account in liquidation."""

    account: int
    instrument: int
    is_buy: bool
    price: int
    """The worst price, ticks."""
    quantity: int


def bring_due(engine: Engine, time: int) -> list[int]:
    """Phase 4 of the open round; returns the accounts that are to be reduced in phase 5.

    What the law refuses is left for a later round.
    """
    to_reduce = []
    for account in engine.holders_of_settled():
        _bring(engine, Touch(account))
    for account in engine.below_maintenance():
        now = engine.health(account)
        since = engine.account(account).liquidation_since
        if since == 0 or now.equity >= now.initial:
            _bring(engine, Touch(account))
        elif now.equity < now.maintenance and (now.equity <= 0 or time - since > STEPS_S):
            _bring(engine, Liquidate(account))
        elif now.equity < now.maintenance:
            to_reduce.append(account)
    return to_reduce


def _bring(engine: Engine, due: Touch | Liquidate) -> bool:
    """Whether the law took it now."""
    try:
        engine.bring(due)
    except LawError:
        return False
    return True


def steps(engine: Engine, parameters: Parameters, accounts: list[int]) -> Iterator[Step]:
    """The orders that reduce accounts in liquidation, their largest positions first."""
    for index in accounts:
        account, now = engine.account(index), engine.health(index)
        marks = {p.instrument: engine.mark(p.instrument) for p in account.positions}
        held = sorted(account.positions, key=lambda p: -abs(p.quantity) * marks[p.instrument])
        gross = sum(abs(p.quantity) * marks[p.instrument] for p in held)
        for position in held:
            yield _step(index, position, marks[position.instrument], gross, now, parameters)


def _step(
    account: int,
    position: Position,
    mark: int,
    gross: int,
    now: Health,
    parameters: Parameters,
) -> Step:
    """The part of a position that brings equity back to initial margin, at a bounded loss.

    Freeing a share of the maintenance margin may cost `penalty_ppm` of that share, so per lot the
    price may be worse than the mark by mark · penalty · M / gross.
    """
    penalty_ppm = parameters.markets[underlying_of(position.instrument)].penalty_ppm
    slack = mul_div_down(mark * penalty_ppm, now.maintenance, max(1, gross) * 1_000_000)
    is_buy = position.quantity < 0
    price = clamp(mark + slack if is_buy else mark - slack, 1, PRICE_MAX)
    held = abs(position.quantity)
    lots = mul_div_down(held, max(0, now.initial - now.equity), max(1, now.initial)) + 1
    return Step(account, position.instrument, is_buy, price, min(held, lots))
