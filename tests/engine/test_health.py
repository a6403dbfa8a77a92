"""What the engine tells of an open round, against the specification's own valuation of it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random

import pytest

from novate.engine import Engine
from novate.lab.generator import Generator
from novate.native import NativePrimitives
from novate.spec.batch import begin_batch, check_round, open_round
from novate.spec.draft import Draft
from novate.spec.errors import Rejection
from novate.spec.holders import Positions, quantity_of, touch_account, underlying_of
from novate.spec.journal import Health
from novate.spec.messages.batch import Batch, Round
from novate.spec.state import Account, Position, State
from novate.spec.valuation import RoundState, account_health, is_fresh, mark_of_id

BATCHES = 32
OFFSETS_S = (0, 5, 3_600, 86_400)
"""Times from the last round at which a round is opened: prices age, expiries come."""
UNKNOWN_UNDERLYING = 200 << 42
NO_INSTRUMENT = 1 << 24


@cache
def states() -> list[State]:
    """States of one generated world in which somebody holds something."""
    batches = islice(Generator(3).batches(), BATCHES)
    return [each.before for each in batches if each.before.instruments]


def opened(state: State, after_s: int) -> tuple[Engine, Draft, RoundState]:
    """An engine and a draft in the same round, without snapshots."""
    content = Round(time=state.system.time + after_s)
    header = Batch(state.system.batch_number + 1, state.system.fork, None, False, (content,))
    draft = begin_batch(state, header)
    check_round(draft, content, is_first=True)
    round_state = open_round(draft, content, NativePrimitives())
    engine = Engine(state)
    engine.begin(fork=state.system.fork)
    engine.open(content.time)
    return engine, draft, round_state


def touched(draft: Draft, index: int) -> Account:
    """The account brought up to date, without a trace in the draft."""
    checkpoint = draft.checkpoint()
    account = touch_account(draft, index)
    draft.rollback(checkpoint)
    return account


@pytest.mark.parametrize("after_s", OFFSETS_S)
def test_every_accounts_health_and_every_mark(after_s: int) -> None:
    held = 0
    for state in states()[::8]:
        engine, draft, round_state = opened(state, after_s)
        for instrument in draft.instruments:
            assert engine.mark(instrument) == mark_of_id(round_state.views, instrument)
        for index in state.accounts:
            account = touched(draft, index)
            held += len(account.positions)
            assert engine.health(index) == account_health(round_state.views, account)
            for position in account.positions:
                assert engine.position(index, position.instrument) == position.quantity
    assert held > 20


def filled(positions: Positions, instrument: int, lots: int) -> Positions:
    """Positions after so many more lots; factors do not matter to their value."""
    others = [position for position in positions if position.instrument != instrument]
    after = quantity_of(positions, instrument) + lots
    if after:
        others.append(Position(instrument, after, 1, 0))
    return tuple(sorted(others))


def health_with(
    draft: Draft, round_state: RoundState, index: int, fills: list[tuple[int, int, int]]
) -> Health:
    """The specification's answer: the account with changed positions and cash."""
    account = touched(draft, index)
    for instrument, lots, price in fills:
        positions = filled(account.positions, instrument, lots)
        account = replace(account, positions=positions, cash=account.cash - lots * price)
    return account_health(round_state.views, account)


def test_health_after_fills_that_have_not_happened() -> None:
    rng = Random(5)
    for state in states()[::6]:
        engine, draft, round_state = opened(state, 5)
        listed = [key for key, value in draft.instruments.items() if not value.settled]
        indices = sorted(state.accounts)
        for _ in range(25 if listed else 0):
            fills = [
                (rng.choice(listed), rng.randint(-40, 40), rng.randint(0, 20_000_000))
                for _ in range(rng.randint(1, 4))
            ]
            index = rng.choice(indices)
            expected = health_with(draft, round_state, index, fills)
            before = engine.health(index)
            assert engine.health_after(index, fills) == expected
            assert engine.health(index) == before


def test_an_instrument_that_nobody_holds_can_be_asked_about() -> None:
    engine, draft, round_state = opened(states()[-1], 5)
    for underlying in range(len(draft.markets)):
        perpetual = underlying << 42
        expected = health_with(draft, round_state, 1, [(perpetual, -3, 77)])
        assert engine.health_after(1, [(perpetual, -3, 77)]) == expected


@pytest.mark.parametrize(
    ("account", "instrument", "reason"),
    [
        (10**6, 0, "unknown_account"),
        (-1, 0, "unknown_account"),
        (1, UNKNOWN_UNDERLYING, "unknown_market"),
        (1, NO_INSTRUMENT, "unknown_instrument"),
        (1, -5, "unknown_instrument"),
    ],
)
def test_what_cannot_be_asked_about(account: int, instrument: int, reason: str) -> None:
    engine, _, _ = opened(states()[-1], 5)
    with pytest.raises(Rejection) as caught:
        engine.health_after(account, [(instrument, 1, 1)])
    assert caught.value.reason == reason


@pytest.mark.parametrize("after_s", OFFSETS_S)
def test_who_is_below_maintenance_margin(after_s: int) -> None:
    found = 0
    for state in states()[::4]:
        engine, draft, round_state = opened(state, after_s)
        below = []
        for index in sorted(state.accounts):
            account = touched(draft, index)
            now = account_health(round_state.views, account)
            lacks = bool(state.accounts[index].positions) and now.equity < now.maintenance
            if account.liquidation_since or lacks:
                below.append(index)
        assert engine.below_maintenance() == below
        found += len(below)
    assert found > 0


def test_prices_of_the_states_are_old_and_new() -> None:
    """Guards the offsets: rounds without snapshots are opened at fresh and at stale prices."""
    fresh = set()
    for after_s in OFFSETS_S:
        _, draft, _ = opened(states()[-1], after_s)
        fresh |= {is_fresh(draft, underlying_of(key)) for key in draft.instruments}
    assert fresh == {True, False}
