"""Every test of the law that plays batches on a stage, with the engine at its side.

The tests of `tests/spec` are collected a second time. Whatever batch they have the law judge, the
engine judges too: the same reason of refusal with nothing changed, or the same journal, state and
roots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from types import FunctionType

import pytest

from novate.engine import Engine
from novate.lab.law_vectors import without_trees
from novate.spec.batch import apply_batch
from novate.spec.errors import LawError
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Primitives
from novate.spec.state import State

MODULES = (
    "test_batch",
    "test_expiry",
    "test_fees",
    "test_funding",
    "test_holders",
    "test_liquidation",
    "test_margin_rule",
    "test_oracle",
    "test_payments",
    "test_thefts",
    "transactions.test_changes",
    "transactions.test_due",
    "transactions.test_forced_close",
    "transactions.test_forced_liquidation",
    "transactions.test_forced_withdrawal",
    "transactions.test_inbox",
    "transactions.test_moves",
    "transactions.test_snapshot",
    "transactions.test_trade",
    "transactions.test_unsigned",
)
"""Modules of `tests.spec` whose tests play batches on a stage of the kit."""


def judged_by_both(state: State, batch: Batch, primitives: Primitives) -> Journal:
    """The law's verdict, after the engine was found to say the same."""
    engine = Engine(state)
    try:
        journal = apply_batch(state, batch, primitives)
    except LawError as error:
        with pytest.raises(type(error)) as caught:
            engine.apply(batch)
        assert caught.value.reason == error.reason, (caught.value, error)
        assert engine.state() == state
        raise
    found = engine.apply(batch)
    for field in fields(Journal):
        assert getattr(found, field.name) == getattr(journal, field.name), field.name
    assert journal.after is not None
    assert engine.state() == without_trees(journal.after)
    assert engine.roots() == journal.roots_after
    return journal


@pytest.fixture(autouse=True)
def engine_at_its_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law's tests call the law by these names."""
    for module in ("tests.spec.kit", "tests.spec.test_batch"):
        monkeypatch.setattr(f"{module}.apply_batch", judged_by_both)


def law_tests() -> Iterator[tuple[str, FunctionType]]:
    """Name and function of every test of the modules."""
    for name in MODULES:
        module = import_module(f"tests.spec.{name}")
        for label, value in vars(module).items():
            if label.startswith("test_") and isinstance(value, FunctionType):
                yield f"{name.split('.')[-1]}_{label.removeprefix('test_')}", value


globals().update(law_tests())
