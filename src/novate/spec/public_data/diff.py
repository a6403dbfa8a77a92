"""The `diff` form: the state's differences as bytes.

First the widths of this batch's fields, then system, parameters, opened instruments, past sides,
instruments, markets, accounts. The widths stand before everything else and not in the batch's
header, so that these bytes need no second input to be read. What is unchanged costs a bit at most.
"""

from __future__ import annotations

from novate.spec.errors import DecodeError
from novate.spec.journal import Journal
from novate.spec.presets import MAIN, Preset
from novate.spec.public_data.apply import apply_difference
from novate.spec.public_data.codec import Reader
from novate.spec.public_data.compare import difference
from novate.spec.public_data.diff_layout import difference_codec
from novate.spec.public_data.difference import Difference
from novate.spec.public_data.widths import read_widths, widths_of
from novate.spec.state import State


def encode_diff(journal: Journal) -> bytes:
    """The differences that a batch made, as bytes."""
    assert journal.before is not None
    assert journal.after is not None
    return encode_difference(difference(journal.before, journal.after))


def apply_diff(state: State, data: bytes) -> State:
    """The next state from `diff` data, with no slots: what is filled of orders is not in them.

    DecodeError unless the data are the encoding of a difference from this state: a difference has
    exactly one. That the difference is lawful is for the proof to show.
    """
    change = decode_difference(data, state.preset)
    after = apply_difference(state, change)
    if difference(state, after) != change:
        raise DecodeError("not_the_difference", "the states differ by something else")
    return after


def encode_difference(change: Difference) -> bytes:
    """A difference as bytes, under the least widths that hold it."""
    widths = widths_of(change)
    out = bytearray()
    widths.write(out)
    difference_codec(MAIN, widths).write(out, change)
    return bytes(out)


def decode_difference(data: bytes, preset: Preset) -> Difference:
    """The difference of exactly these bytes; DecodeError if they are not its encoding."""
    reader = Reader(data)
    widths = read_widths(reader)
    change = difference_codec(preset, widths).read(reader)
    reader.finish()
    if encode_difference(change) != data:
        raise DecodeError("not_canonical", "the difference has another encoding")
    return change
