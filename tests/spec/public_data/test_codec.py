"""The codecs that every layout is made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.spec.errors import DecodeError
from novate.spec.public_data import codec
from novate.spec.public_data.codec import (
    Listed,
    Optional,
    Reader,
    Repeated,
    Signed,
    Sparse,
    Unsigned,
    put_signed,
    signed_width,
    unsigned_width,
)
from novate.spec.public_data.difference import SystemChange

BYTE = Unsigned("byte", 1)


@given(st.integers(-(2**70), 2**70))
def test_signed_width_is_the_least_that_holds(value: int) -> None:
    width = signed_width(value)
    out = bytearray()
    put_signed(out, width, value)
    assert Reader(bytes(out)).signed(width) == value
    if width:
        with pytest.raises(DecodeError, match="does_not_fit"):
            put_signed(bytearray(), width - 1, value)


@pytest.mark.parametrize(
    ("value", "width"), [(0, 0), (1, 1), (-1, 1), (127, 1), (128, 2), (-128, 1), (-129, 2)]
)
def test_signed_width_at_the_edges(value: int, width: int) -> None:
    assert signed_width(value) == width


@given(st.integers(0, 2**70))
def test_unsigned_width_is_the_least_that_holds(value: int) -> None:
    width = unsigned_width(value)
    assert value < 256**width
    assert width == 0 or value >= 256 ** (width - 1)


@pytest.mark.parametrize(
    ("layout", "data", "reason"),
    [
        (Unsigned("n", 2, 1, 300), b"\0\0", "out_of_range"),
        (Unsigned("n", 2, 1, 300), b"\1\x2d", "out_of_range"),
        (Unsigned("n", 2), b"\0", "truncated"),
        (Unsigned("n", 1), b"\0\0", "trailing_bytes"),
        (Signed("n", 1, 100), b"\xff", "out_of_range"),
        (Signed("n", 1, 100, -5), b"\x7a", "out_of_range"),
        (Listed("items", BYTE, 1, 3), b"\4\0\0\0\0", "out_of_range"),
        (Listed("items", BYTE, 1, 3, 1), b"\0", "out_of_range"),
        (Listed("items", BYTE, 1, 3), b"\3\0\0", "truncated"),
        (Optional("item", BYTE), b"\2\0", "unknown_tag"),
        (codec.Flag(), b"\2", "unknown_tag"),
        (codec.Tagged("kind", ((int, BYTE),)), b"\1\0", "unknown_tag"),
        (codec.Enumerated("kind", int, 2), b"\2", "unknown_tag"),
        (Sparse("bits", SystemChange, (("time", BYTE),)), b"\2\0", "unknown_tag"),
        (codec.KeyCodec(), b"\xff" * 40, "element_not_canonical"),
        (codec.DigestCodec(), b"\xff" * 32, "element_not_canonical"),
        (codec.SignatureCodec(), b"\0" * 16 + b"\xff" * 40, "scalar_not_canonical"),
    ],
)
def test_refusals_by_name(layout: codec.Codec[object], data: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as caught:
        codec.decode(layout, data)
    assert caught.value.reason == reason


def test_repeated_items_have_no_count() -> None:
    layout = Repeated("items", BYTE, 3)
    assert codec.encode(layout, (1, 2, 3)) == b"\1\2\3"
    assert codec.decode(layout, b"\1\2\3") == (1, 2, 3)
    with pytest.raises(DecodeError, match="out_of_range"):
        codec.encode(layout, (1, 2))
