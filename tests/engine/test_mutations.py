"""States and batches with fields changed at random: the engine says what the law says, or refuses.

The seeds are the vectors of the law. What the law cannot work with (a number wider than a word, a
state that contradicts itself) the engine refuses by name; it never crashes and never guesses.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields
from functools import cache
from pathlib import Path
from random import Random

import pytest

from novate.engine import Engine, EngineError, TooWide
from novate.engine.border import decode, encode
from novate.lab.law_vectors import Case, without_trees
from novate.lab.vector_json import Decoder
from novate.native import NativePrimitives
from novate.native.engine import Engine as Compiled
from novate.spec.batch import apply_batch
from novate.spec.errors import LawError
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch
from novate.spec.state import State
from tests.engine.mutation import mutated, mutated_bytes

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "law"
TRIALS = 150
"""Mutations of one test."""
STATES_MUTATED = 0.6
"""Share of mutations that change the state; the others change the batch."""


@cache
def cases() -> list[Case]:
    """State and batch of every vector of the law."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem != "public_data":
            content = json.loads(path.read_text())
            decoder = Decoder(content["shared"])
            for each in content["vectors"]:
                found.append(Case(decoder.decode(each["before"]), decoder.decode(each["batch"])))
    return found


def mutant(rng: Random) -> Case:
    """A vector's case with one to three changes."""
    case = rng.choice(cases())
    state, batch = case.before, case.batch
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < STATES_MUTATED:
            state = mutated(rng, state)
        else:
            batch = mutated(rng, batch)
    return Case(state, batch)


def verdict_of_the_law(case: Case) -> Journal | Exception:
    """The journal or the error; of a state that contradicts itself, what Python says of it."""
    try:
        return apply_batch(case.before, case.batch, NativePrimitives())
    except (LawError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return error


def judge(case: Case) -> str:
    """What came of a case; AssertionError where engine and law differ."""
    try:
        engine = Engine(case.before)
    except (ValueError, LawError):  # also a value that is not of its type any more
        return "state refused"
    expected = verdict_of_the_law(case)
    try:
        found = engine.apply(case.batch)
    except EngineError:
        return "not decided"
    except ValueError:
        return "not writable"
    except LawError as error:
        if isinstance(error, TooWide):
            return "too wide"  # for the engine's words: no rule has seen it
        assert isinstance(expected, LawError), (error, expected)
        assert (type(error), error.reason) == (type(expected), expected.reason)
        assert engine.state() == without_trees(case.before)
        return "refused alike"
    assert isinstance(expected, Journal), expected
    for field in fields(Journal):
        if field.name not in ("before", "after"):
            assert getattr(found, field.name) == getattr(expected, field.name), field.name
    assert expected.after is not None
    assert engine.state() == without_trees(expected.after)
    return "equal"


@pytest.mark.parametrize("seed", range(8))
def test_engine_and_law_agree_on_mutated_states_and_batches(seed: int) -> None:
    rng = Random(seed)
    results = Counter(judge(mutant(rng)) for _ in range(TRIALS))
    assert results["equal"] > TRIALS // 10, results
    assert results["refused alike"] > TRIALS // 10, results
    assert results["not decided"] < TRIALS // 20, results


@pytest.mark.parametrize("what", [State, Batch])
def test_changed_bytes_are_read_alike_or_refused(what: type) -> None:
    rng = Random(1)
    results: Counter[str] = Counter()
    for _ in range(2 * TRIALS):
        case = rng.choice(cases())
        value = case.before if what is State else case.batch
        data = mutated_bytes(rng, encode(what, value))
        read_by_python, read_by_rust = reads(what, data), compiled_reads(case, what, data)
        # Rust also refuses words that do not fit and states that contradict themselves
        assert read_by_python or not read_by_rust
        results[f"{read_by_python} {read_by_rust}"] += 1
    assert results["False False"] > TRIALS // 2, results
    assert results["True True"] > TRIALS // 10, results


def reads(what: type, data: bytes) -> bool:
    """Whether the reflective codec reads the bytes; it then writes the same."""
    try:
        value = decode(what, data)
    except (LawError, ValueError):
        return False
    assert encode(what, value) == data
    return True


def compiled_reads(case: Case, what: type, data: bytes) -> bool:
    """Whether the engine reads the bytes as a state, or as a batch to judge."""
    try:
        if what is State:
            Compiled(data)
        else:
            Compiled(encode(State, case.before)).apply(data)
    except ValueError as error:
        return what is not State and error.args[0] in ("Rejection", "InvalidBatch")
    return True
