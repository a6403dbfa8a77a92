"""Vectors of the law: a state, a batch, and what must come of it.

A vector is taken from a test while it runs (`recording`), so one source yields both. What must come
of it is computed anew by `expectation` with the specification's own cryptography.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from novate.lab.vector_json import Encoder, Json
from novate.spec.batch import apply_batch
from novate.spec.errors import LawError
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Digest, Primitives, SignatureCheck
from novate.spec.state import State

NOT_LISTED = {"before", "after", "roots_before", "roots_after", "accounts_before"}
"""Fields of a journal that a vector holds elsewhere."""


@dataclass(frozen=True)
class Case:
    """One application of the law."""

    before: State
    batch: Batch


_RECORDER: ContextVar[list[Case] | None] = ContextVar("recorder", default=None)


@contextmanager
def recording() -> Iterator[list[Case]]:
    """A list that receives every case of the tests run inside."""
    cases: list[Case] = []
    token = _RECORDER.set(cases)
    try:
        yield cases
    finally:
        _RECORDER.reset(token)


def record(before: State, batch: Batch) -> None:
    """Hand a case to whoever is recording."""
    cases = _RECORDER.get()
    if cases is not None:
        cases.append(Case(without_trees(before), batch))


def without_trees(state: State) -> State:
    """The state by its meaning alone: trees and roots are to be computed again."""
    return replace(state, trees=None, roots=None)


def expectation(case: Case, primitives: Primitives) -> dict[str, Any]:
    """What the law says of a case, as values: an error's name, or roots, leaves and journal."""
    try:
        journal = apply_batch(case.before, case.batch, primitives)
    except LawError as error:
        return {"error": type(error).__name__, "reason": error.reason}
    assert journal.after is not None
    return {
        "roots_before": journal.roots_before,
        "roots_after": journal.roots_after,
        "changed": changed_leaves(case.before, journal.after),
        "journal": journal_lists(journal),
    }


def changed_leaves(before: State, after: State) -> dict[str, Any]:
    """Every leaf that differs; null for one that is gone."""
    changed: dict[str, Any] = {"system": after.system}
    if after.parameters != before.parameters:
        changed["parameters"] = after.parameters
    tables: tuple[tuple[str, Mapping[Any, Any], Mapping[Any, Any]], ...] = (
        ("markets", dict(enumerate(before.markets)), dict(enumerate(after.markets))),
        ("instruments", before.instruments, after.instruments),
        ("accounts", before.accounts, after.accounts),
        ("slots", before.slots, after.slots),
    )
    for name, old, new in tables:
        keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        if keys:
            changed[name] = [[key, new.get(key)] for key in keys]
    return changed


def journal_lists(journal: Journal) -> dict[str, Any]:
    """The journal's lists that are not empty."""
    listed = {field.name: getattr(journal, field.name) for field in fields(journal)}
    return {name: rows for name, rows in listed.items() if rows and name not in NOT_LISTED}


class Remembering:
    """Primitives that answer the same question once: vectors of one state share most leaves."""

    def __init__(self, primitives: Primitives) -> None:
        """Ask these primitives."""
        self._hash = lru_cache(maxsize=None)(lambda tag, row: primitives.hash_many(tag, [row])[0])
        self._compress = lru_cache(maxsize=None)(lambda pair: primitives.compress_many([pair])[0])
        self._verify = lru_cache(maxsize=None)(lambda check: primitives.verify_many([check])[0])

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """Digest of each row."""
        return [self._hash(tag, tuple(row)) for row in rows]

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """Parent of each pair."""
        return [self._compress(pair) for pair in pairs]

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """Verdict on each signature."""
        return [self._verify(check) for check in checks]


def encode_object(encoder: Encoder, value: Any) -> Json:
    """JSON of a value in which plain dictionaries with string keys are plain objects."""
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: encode_object(encoder, item) for key, item in value.items()}
    return encoder.encode(value)


def vector(encoder: Encoder, name: str, case: Case, primitives: Primitives) -> Json:
    """One vector: its name, state, batch and expectation."""
    return {
        "name": name,
        "before": encoder.encode(case.before),
        "batch": encoder.encode(case.batch),
        "expected": encode_object(encoder, expectation(case, primitives)),
    }
