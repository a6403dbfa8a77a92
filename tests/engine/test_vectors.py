"""`vectors/law` through the engine: refusals, roots, changed leaves and journals as they say."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from novate.engine import Engine, TooWide
from novate.lab.law_vectors import changed_leaves, encode_object, journal_lists
from novate.lab.vector_json import Decoder, Encoder
from novate.spec.errors import DecodeError, LawError
from novate.spec.messages.batch import Batch
from novate.spec.public_data.full import encode_full
from novate.spec.state import State

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "law"
FILES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "public_data")


@cache
def read(name: str) -> tuple[Decoder, list[Any]]:
    """A file's decoder and vectors."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    return Decoder(content["shared"]), content["vectors"]


def resolved(decoder: Decoder, value: Any) -> Any:
    """An expectation with every law value decoded."""
    if isinstance(value, dict) and not any(key.startswith("$") for key in value):
        return {key: resolved(decoder, item) for key, item in value.items()}
    return decoder.decode(value)


def answer(before: State, batch: Batch) -> Any:
    """What the engine says, in the form of an expectation, through JSON and back."""
    engine = Engine(before)
    try:
        journal = engine.apply(batch)
    except LawError as error:
        assert engine.state() == before
        family = DecodeError if isinstance(error, TooWide) else type(error)
        return {"error": family.__name__, "reason": error.reason}
    assert journal.after is not None
    found = {
        "roots_before": journal.roots_before,
        "roots_after": journal.roots_after,
        "changed": changed_leaves(before, journal.after),
        "journal": journal_lists(journal),
    }
    encoder = Encoder()
    encoded = json.loads(json.dumps(encode_object(encoder, found)))
    return resolved(Decoder(encoder.shared), encoded)


@pytest.mark.parametrize("name", FILES)
def test_the_engine_gives_what_the_vectors_say(name: str) -> None:
    decoder, vectors = read(name)
    for each in vectors:
        before, batch = decoder.decode(each["before"]), decoder.decode(each["batch"])
        assert answer(before, batch) == resolved(decoder, each["expected"]), each["name"]


def test_the_engine_reads_and_seals_the_full_form_of_the_vectors() -> None:
    decoder, vectors = read("public_data")
    for each in vectors:
        before, batch = decoder.decode(each["before"]), decoder.decode(each["batch"])
        data = bytes.fromhex(each["full"])
        assert data == encode_full(batch)
        whole, from_bytes = Engine(before), Engine(before)
        assert from_bytes.apply_data(data).roots_after == whole.apply(batch).roots_after
        assert from_bytes.state() == whole.state()


def test_a_vector_of_another_batch_is_not_passed() -> None:
    """Guards the tests above: they can fail."""
    decoder, vectors = read("trade")
    each = vectors[0]
    before, batch = decoder.decode(each["before"]), decoder.decode(each["batch"])
    later = batch.rounds[0]._replace(time=batch.rounds[0].time + 5)
    changed = batch._replace(rounds=(later, *batch.rounds[1:]))
    assert answer(before, changed) != resolved(decoder, each["expected"])
