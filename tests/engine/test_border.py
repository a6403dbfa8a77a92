"""The border encoding: one value, one encoding, the same on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from itertools import islice
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.engine import Engine, EngineError
from novate.engine.border import decode, encode
from novate.lab.generator import Generated, Generator
from novate.spec.errors import DecodeError, LawError
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch, SideKind
from novate.spec.state import State

INTEGERS = st.integers(-(2**320), 2**320)


class Pair(NamedTuple):
    """A record of two fields."""

    left: int
    right: bool


class Single(NamedTuple):
    """Another one."""

    text: str


class Colour(IntEnum):
    """An enumeration with a gap."""

    RED = 0
    BLUE = 2


@pytest.fixture(scope="module")
def items() -> list[Generated]:
    """Some generated batches of one world."""
    return list(islice(Generator(8).batches(), 15))


@given(INTEGERS)
def test_an_integer_comes_back(value: int) -> None:
    data = encode(int, value)
    assert decode(int, data) == value
    assert len(data) == 1 + (abs(value).bit_length() + 7) // 8


@given(st.binary(max_size=6))
def test_whatever_decodes_is_encoded_like_that(data: bytes) -> None:
    for kind in (int, str, int | None, tuple[int, ...], Mapping[int, bool], Pair | Single):
        try:
            value = decode(kind, data)
        except DecodeError:
            continue
        assert encode(kind, value) == data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (int, "80"),
        (int, "0100"),
        (int, "020100"),
        (int, "0201"),
        (int, ""),
        (bool, "0102"),
        (Colour, "0101"),
        (SideKind, "0104"),
        (int | None, "02"),
        (str, "01000000ff"),
        (tuple[int, ...], "02000000"),
        (tuple[int, ...], "ffffffff00"),
        (tuple[int, int], "000000"),
        (Mapping[int, int], "02000000" + "0102" + "00" + "0101" + "00"),
        (Mapping[int, int], "02000000" + "0101" + "00" + "0101" + "00"),
        (Pair | Single, "02"),
    ],
)
def test_what_is_no_encoding_is_refused(kind: object, data: str) -> None:
    with pytest.raises(DecodeError):
        decode(kind, bytes.fromhex(data))


def test_the_bytes_are_what_the_page_says() -> None:
    assert encode(int, 0) == b"\x00"
    assert encode(int, -256) == b"\x82\x00\x01"
    assert encode(tuple[int, ...], (1, 2)) == bytes.fromhex("02000000" + "0101" + "0102")
    assert encode(tuple[int, int], (1, 2)) == bytes.fromhex("0101" + "0102")
    assert encode(Pair | Single, Single("a")) == bytes.fromhex("01" + "01000000" + "61")
    assert encode(Mapping[int, bool], {2: True, -1: False}) == bytes.fromhex(
        "02000000" + "8101" + "00" + "0102" + "0101"
    )
    assert encode(int | None, None) == b"\x00"


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(DecodeError):
        encode(Pair | Single, Colour.RED)
    with pytest.raises(TypeError):
        encode(float, 1.0)
    with pytest.raises(DecodeError):
        encode(int, 1 << 1_017)


def test_states_batches_and_journals_come_back(items: list[Generated]) -> None:
    for item in items:
        assert decode(State, encode(State, item.before)) == item.before
        assert decode(Batch, encode(Batch, item.batch)) == item.batch
        found = decode(Journal, encode(Journal, item.journal))
        assert found.fills == item.journal.fills
        assert found.accounts_before == item.journal.accounts_before
        assert found.before is None


def test_the_engine_writes_the_bytes_that_it_was_given(items: list[Generated]) -> None:
    for item in items:
        data = encode(State, item.before)
        assert Engine.of(data).dump() == data


def test_damaged_bytes_are_an_error_or_a_state(items: list[Generated]) -> None:
    rng = Random(3)
    data = encode(State, items[-1].before)
    outcomes = set()
    for _ in range(2_000):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(data))] = rng.randrange(256)
        try:
            state = Engine.of(bytes(damaged)).state()
        except (LawError, EngineError) as error:
            outcomes.add(type(error).__name__)
            continue
        assert encode(State, state) == bytes(damaged)
        outcomes.add("state")
    assert outcomes == {"TooWide", "EngineError", "state"}
