"""The `full` form in the engine: the same bytes, and the same refusals of damaged ones."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from novate.engine import Engine
from novate.lab.generator import Generated, Generator
from novate.lab.twin_venue import Outcome, require_same_journal, require_same_outcome
from novate.native import NativePrimitives
from novate.spec.batch import apply_batch
from novate.spec.errors import DecodeError
from novate.spec.journal import Journal
from novate.spec.public_data.full import decode_full, encode_full


@pytest.fixture(scope="module")
def items() -> list[Generated]:
    """Generated batches of one world, parameters and slot resets among them."""
    return list(islice(Generator(9).batches(), 25))


def judged(item: Generated, data: bytes) -> tuple[Outcome, Outcome]:
    """What specification and engine say of the bytes of a batch."""
    primitives = NativePrimitives()

    def law() -> Journal:
        """Decode, then apply."""
        batch = decode_full(data, item.before.preset)
        return apply_batch(item.before, batch, primitives)

    return Outcome(law), Outcome(lambda: Engine(item.before).apply_data(data))


def test_whole_batches_are_read(items: list[Generated]) -> None:
    for item in items:
        ours, theirs = judged(item, encode_full(item.batch))
        assert isinstance(ours.result, Journal)
        assert isinstance(theirs.result, Journal)
        require_same_journal(ours.result, theirs.result)
    assert any(item.batch.parameters for item in items)
    assert any(item.batch.reset_slots for item in items)


def damaged(rng: Random, data: bytes) -> bytes:
    """The bytes with one of them changed, some cut off or some added."""
    which = rng.random()
    if which < 0.15:
        return data[: rng.randrange(len(data))]
    if which < 0.25:
        return data + bytes(rng.randrange(1, 4))
    place = rng.randrange(min(len(data), 300) if which < 0.5 else len(data))
    return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]


def test_damaged_bytes_are_refused_alike(items: list[Generated]) -> None:
    rng = Random(1)
    names = set()
    for item in items[::3]:
        data = encode_full(item.batch)
        for _ in range(40):
            ours, theirs = judged(item, damaged(rng, data))
            require_same_outcome("damaged full data", ours, theirs)
            names.add(ours.name)
    assert {"DecodeError truncated", "DecodeError trailing_bytes"} < names
    assert len(names) > 12


def test_bytes_of_a_larger_preset_are_refused(items: list[Generated]) -> None:
    item = items[0]
    count = item.before.preset.rounds_max + 1
    data = encode_full(item.batch._replace(rounds=item.batch.rounds[:1] * count))
    with pytest.raises(DecodeError, match="rounds"):
        Engine(item.before).apply_data(data)
