"""Bytes near valid encodings, for the decoders' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from novate.spec.errors import DecodeError


@st.composite
def near(draw: st.DrawFn, data: bytes) -> bytes:
    """A mutation of some bytes: a piece replaced, cut out, repeated or put in."""
    start = draw(st.integers(0, len(data)))
    if draw(st.booleans()):
        start = min(start, draw(st.integers(0, 80)))
    length = draw(st.sampled_from((0, 1, 1, 1, 2, 4, 8, 40)))
    put_in = draw(
        st.one_of(
            st.binary(min_size=length, max_size=length),
            st.sampled_from((b"", bytes(length), b"\xff" * length, data[start : start + 60])),
        )
    )
    return data[:start] + put_in + data[start + length :]


def assert_decodes_or_names(
    decode: Callable[[bytes], Any], encode: Callable[[Any], bytes], data: bytes
) -> None:
    """The bytes are refused by a named error, or are the one encoding of a value."""
    try:
        value = decode(data)
    except DecodeError as error:
        assert error.reason
    else:
        assert encode(value) == data
