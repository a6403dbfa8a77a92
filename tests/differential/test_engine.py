"""Specification and engine on 300 generated batches: equal refusals, journals, states and bytes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from novate.engine import Engine
from novate.lab.audited_world import WorldResult
from novate.lab.generator import Generator
from novate.lab.twin_venue import Difference, TwinVenue, require_same_journal
from novate.lab.twin_world import run_twin_world
from novate.native import NativePrimitives
from novate.spec.errors import Fault, Reason
from novate.spec.messages.batch import Touch

SEED = 4
WORLDS = 6
BATCHES = 50


@cache
def world(number: int) -> WorldResult:
    """The first batches of one world, compared."""
    return run_twin_world(SEED, number, BATCHES)


@pytest.mark.parametrize("number", range(1, WORLDS + 1))
def test_the_engine_is_the_specifications_equal(number: int) -> None:
    result = world(number)
    compared = result.counts["compared"]
    assert result.batches == compared["sealed"] == BATCHES
    assert compared["whole batch"] + compared["whole batch from bytes"] == BATCHES
    assert compared["Trade accepted"] > 100 and compared["Trade refused"] > 20


def test_most_names_of_refusals_were_compared() -> None:
    refused: Counter[str] = Counter()
    for number in range(1, WORLDS + 1):
        for key, many in world(number).counts["refused"].items():
            refused[key.split(":", 1)[1]] += many
    assert len({str(name) for name in (*Reason, *Fault)} & set(refused)) > 65


def twin() -> TwinVenue:
    """A twin venue at the first state of a generated world."""
    first = next(Generator(SEED).batches())
    return TwinVenue(first.before, NativePrimitives())


def test_a_state_that_differs_by_a_micro_dollar_is_seen() -> None:
    venue = twin()
    account = venue.state.accounts[0]
    richer = {**venue.state.accounts, 0: replace(account, cash=account.cash + 1)}
    venue.sequencer = Engine(replace(venue.state, accounts=richer, trees=None, roots=None))
    venue.begin()
    venue.open(venue.state.system.time + 5)
    venue.close()
    with pytest.raises(Difference, match="roots_before"):
        venue.seal()


def test_a_record_that_only_one_accepts_is_seen() -> None:
    venue = twin()
    venue.begin()
    venue.open(venue.state.system.time + 5)
    venue.sequencer.bring = lambda due: None  # type: ignore[method-assign]
    with pytest.raises(Difference, match="unknown_account"):
        venue.bring(Touch(10**6))


def test_a_journal_with_a_changed_row_is_seen() -> None:
    items = Generator(SEED).batches()
    journal = next(item.journal for item in items if item.journal.fills)
    changed = replace(journal, fills=[*journal.fills[:-1], journal.fills[-1]._replace(buyer=9)])
    with pytest.raises(Difference, match=r"journal\.fills"):
        require_same_journal(journal, changed)
