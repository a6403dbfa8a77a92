"""A batch's header: 195 bytes that L1 reads, hashes and keeps as one word.

It says which batch it is, under which fork, epoch and parameters, what it moves (roots, inbox) and
in which form its data are. The widths of a `diff` batch stand at the front of its data instead:
D binds them there, L1 has no use for them, and the header is the same for both forms.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from novate.spec import layout
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch
from novate.spec.messages.domain import VERSION
from novate.spec.primitives import Digest, Primitives
from novate.spec.public_data.codec import Codec, Enumerated, Record, Unsigned, decode, encode
from novate.spec.public_data.fields import COUNTER, CURSOR, DIGEST, FLAG, TIME


class DataForm(IntEnum):
    """What the bound data of a batch are."""

    FULL = 0
    """The transactions with their signatures: anyone can recompute, and anyone can prove."""
    DIFF = 1
    """State differences: only who holds the transactions can prove."""


class Header(NamedTuple):
    """What L1 knows of a batch besides D, z and y."""

    version: int
    form: DataForm
    reset_slots: bool
    """The batch begins with empty slots: `full` may follow `diff` only so."""
    number: int
    time: int
    """Time of the last round, unix seconds."""
    fork: int
    venue_epoch: int
    """After the batch."""
    inbox_before: int
    """Requests processed before the batch."""
    inbox_after: int
    parameters: Digest
    """Digest of the parameters the batch is under."""
    settlement_root_before: Digest
    root_before: Digest
    settlement_root_after: Digest
    root_after: Digest


HEADER: Codec[Header] = Record(
    Header,
    (
        ("version", Unsigned("version", 1, VERSION, VERSION)),
        ("form", Enumerated("form", DataForm, len(DataForm))),
        ("reset_slots", FLAG),
        ("number", COUNTER),
        ("time", TIME),
        ("fork", COUNTER),
        ("venue_epoch", COUNTER),
        ("inbox_before", CURSOR),
        ("inbox_after", CURSOR),
        ("parameters", DIGEST),
        ("settlement_root_before", DIGEST),
        ("root_before", DIGEST),
        ("settlement_root_after", DIGEST),
        ("root_after", DIGEST),
    ),
)
HEADER_BYTES: Final = 195


def header_from(batch: Batch, journal: Journal, form: DataForm, primitives: Primitives) -> Header:
    """The header of a batch that the law has judged."""
    before, after = journal.before, journal.after
    assert before is not None
    assert after is not None
    assert journal.roots_before is not None
    assert journal.roots_after is not None
    parameters = layout.parameters_elements(after.parameters)
    return Header(
        version=VERSION,
        form=form,
        reset_slots=batch.reset_slots,
        number=after.system.batch_number,
        time=after.system.time,
        fork=after.system.fork,
        venue_epoch=after.system.venue_epoch,
        inbox_before=before.system.inbox_cursor,
        inbox_after=after.system.inbox_cursor,
        parameters=primitives.hash_many(layout.PARAMETERS_TAG, [parameters])[0],
        settlement_root_before=journal.roots_before.settlement_root,
        root_before=journal.roots_before.root,
        settlement_root_after=journal.roots_after.settlement_root,
        root_after=journal.roots_after.root,
    )


def encode_header(header: Header) -> bytes:
    """The 195 bytes of a header; DecodeError if a field is out of range."""
    return encode(HEADER, header)


def decode_header(data: bytes) -> Header:
    """The header of exactly these bytes; DecodeError if there is none."""
    return decode(HEADER, data)
