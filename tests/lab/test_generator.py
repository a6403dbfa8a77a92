"""The random generator: the same batches for a seed, every kind tried, and books that add up."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest

from novate.lab.audited_world import ROOTS_EVERY, WorldResult, run_world
from novate.lab.auditor import Auditor, Violation, check_again, check_leaves
from novate.lab.generator import Generated, Generator
from novate.lab.generator.count import KINDS
from novate.lab.generator.drive import BATCHES_A_WORLD
from novate.spec.crypto import SpecPrimitives
from novate.spec.errors import Fault, Reason

SEED = 5
RARE = {"DeleverageFund", "ForcedLiquidation marked", "ForcedLiquidation", "FundDeposit refunded"}
"""Kinds that a short run may miss; the claim of a million transactions may not."""


@pytest.fixture(scope="module")
def result() -> WorldResult:
    """One audited world of a few thousand transactions."""
    return run_world(SEED, 1)


@pytest.fixture(scope="module")
def first() -> list[Generated]:
    """The first batches of a world."""
    return list(islice(Generator(SEED).batches(), 12))


def test_a_world_is_audited(result: WorldResult) -> None:
    assert result.batches == result.counts["checks"]["books"] == BATCHES_A_WORLD
    assert result.counts["checks"]["roots from scratch"] == BATCHES_A_WORLD // ROOTS_EVERY
    assert sum(result.counts["accepted"].values()) > 1_500


def test_every_kind_is_reached(result: WorldResult) -> None:
    assert set(KINDS) - set(result.counts["accepted"]) <= RARE
    assert set(result.counts["accepted"]) <= set(KINDS)


def test_most_rejections_are_reached_as_aimed(result: WorldResult) -> None:
    names = {key.split(":", 1)[1] for key in result.counts["refused"]}
    assert len(names & {str(name) for name in (*Reason, *Fault)}) > 60
    assert sum(result.counts["aimed"].values()) > 250
    assert not [what for what in result.counts["surprises"] if ", got " not in what]


def test_equal_seeds_give_equal_batches(first: list[Generated]) -> None:
    again = list(islice(Generator(SEED).batches(), len(first)))
    assert [item.batch for item in again] == [item.batch for item in first]
    assert again[-1].journal.roots_after == first[-1].journal.roots_after
    assert next(Generator(SEED + 1).batches()).batch != first[0].batch


def test_the_laws_own_cryptography_agrees(first: list[Generated]) -> None:
    item = first[2]
    check_again(item.before, item.batch, item.journal, SpecPrimitives())


def test_the_auditor_sees_a_micro_dollar_too_much(first: list[Generated]) -> None:
    auditor = Auditor(first[0].before)
    *before, last = first
    for item in before:
        auditor.check(item.before, item.batch, item.journal)
    after = last.journal.after
    assert after is not None
    richer = replace(after.accounts[2], cash=after.accounts[2].cash + 1)
    forged = replace(last.journal, after=replace(after, accounts={**after.accounts, 2: richer}))
    with pytest.raises(Violation):
        auditor.check(last.before, last.batch, forged)


def test_the_auditor_sees_a_lot_from_nowhere(first: list[Generated]) -> None:
    books = Auditor(first[0].before)
    for item in first:
        after = item.journal.after
        assert after is not None
        books.check(item.before, item.batch, item.journal)
        for index, account in after.accounts.items():
            if account.positions:
                position = account.positions[0]._replace(quantity=account.positions[0].quantity + 1)
                more = replace(account, positions=(position, *account.positions[1:]))
                accounts = {**after.accounts, index: more}
                forged = replace(item.journal, after=replace(after, accounts=accounts))
                with pytest.raises(Violation):
                    Auditor(item.before).check(item.before, item.batch, forged)
                return
    pytest.fail("no position in the first batches")


def test_the_auditor_sees_a_change_the_journal_does_not_name(first: list[Generated]) -> None:
    item = first[5]
    after = item.journal.after
    assert after is not None
    index = min(after.accounts.keys() & item.journal.accounts_before.keys())
    named = {k: v for k, v in item.journal.accounts_before.items() if k != index}
    hidden = replace(item.journal, accounts_before=named)
    check_leaves(item.before, after, item.journal)
    with pytest.raises(Violation, match="changed unseen"):
        check_leaves(item.before, after, hidden)
