"""A sealed batch on its way to L1: header, polynomials and D, in memory and as one file.

The batcher writes files, the submitter reads them; a file is whole or absent, and carries a
checksum against a disk that lies.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from novate.l1.files import write_atomically
from novate.spec.crypto import goldilocks
from novate.spec.errors import DecodeError
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Digest, Primitives
from novate.spec.public_data.blob import split
from novate.spec.public_data.calldata import calldata_of, encode_calldata
from novate.spec.public_data.codec import Reader
from novate.spec.public_data.diff import encode_diff
from novate.spec.public_data.full import encode_full
from novate.spec.public_data.header import (
    HEADER_BYTES,
    DataForm,
    Header,
    decode_header,
    encode_header,
    header_from,
)
from novate.spec.public_data.opening import Carrier, Part, data_digest, parts_of

MAGIC: Final = b"novate batch 1\n"
CHECKSUM_BYTES: Final = 32


class Submission(NamedTuple):
    """Everything that L1 is given of a batch."""

    header: Header
    parts: tuple[Part, ...]
    """Polynomials: the data's, then those of the contract's part, which are always calldata."""
    data_parts: int
    """How many of them are the data's."""
    digest: Digest
    """D."""

    @property
    def data(self) -> bytes:
        """The data, in the form the header says."""
        return b"".join(part.data for part in self.parts[: self.data_parts])

    @property
    def calldata(self) -> bytes:
        """The contract's part."""
        return b"".join(part.data for part in self.parts[self.data_parts :])

    @property
    def blobs(self) -> tuple[Part, ...]:
        """The polynomials that blobs carry."""
        return tuple(part for part in self.parts if part.carrier == Carrier.BLOB)


def submission_of(
    header: Header, data: bytes, calldata: bytes, carrier: Carrier, primitives: Primitives
) -> Submission:
    """A submission of data and of the contract's part, both as bytes."""
    parts = tuple(parts_of(data, calldata, carrier))
    return Submission(header, parts, len(split(data)), data_digest(parts, primitives))


def submission_from(
    batch: Batch, journal: Journal, form: DataForm, carrier: Carrier, primitives: Primitives
) -> Submission:
    """The submission of a batch that the law has judged."""
    header = header_from(batch, journal, form, primitives)
    data = encode_full(batch) if form == DataForm.FULL else encode_diff(journal)
    return submission_of(header, data, encode_calldata(calldata_of(journal)), carrier, primitives)


def encode_submission(submission: Submission) -> bytes:
    """The content of a file."""
    out = bytearray(MAGIC)
    out += encode_header(submission.header)
    out += b"".join(goldilocks.to_bytes(element) for element in submission.digest)
    out += bytes([submission.data_parts, len(submission.parts)])
    for part in submission.parts:
        out += bytes([part.carrier]) + len(part.data).to_bytes(4, "big") + part.data
    return bytes(out) + hashlib.sha256(out).digest()


def decode_submission(content: bytes) -> Submission:
    """The submission of a file's content. DecodeError if it is none, or was damaged."""
    if not content.startswith(MAGIC) or len(content) < len(MAGIC) + CHECKSUM_BYTES:
        raise DecodeError("submission", f"{len(content)} bytes that do not begin with {MAGIC!r}")
    body, checksum = content[:-CHECKSUM_BYTES], content[-CHECKSUM_BYTES:]
    if hashlib.sha256(body).digest() != checksum:
        raise DecodeError("submission", "the checksum is not that of the content")
    reader = Reader(body[len(MAGIC) :])
    header = decode_header(reader.take(HEADER_BYTES))
    a, b, c, d = (goldilocks.from_bytes(reader.take(8)) for _ in range(4))
    data_parts, count = reader.unsigned(1), reader.unsigned(1)
    parts = []
    for _ in range(count):
        carrier = reader.unsigned(1)
        if carrier not in (Carrier.CALLDATA, Carrier.BLOB):
            raise DecodeError("unknown_tag", f"carrier = {carrier}")
        parts.append(Part(Carrier(carrier), reader.take(reader.unsigned(4))))
    reader.finish()
    return Submission(header, tuple(parts), data_parts, (a, b, c, d))


class Queue:
    """A folder of submissions, one file a batch number; the newest attempt replaces older ones."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first file is written."""
        self.folder = folder

    def _path(self, number: int) -> Path:
        """The file of a batch."""
        return self.folder / f"{number:010d}.batch"

    def put(self, submission: Submission) -> None:
        """Write a submission, durably."""
        write_atomically(self._path(submission.header.number), encode_submission(submission))

    def get(self, number: int) -> Submission | None:
        """The submission of a batch number, or None. DecodeError if its file was damaged."""
        path = self._path(number)
        return decode_submission(path.read_bytes()) if path.exists() else None

    def forget(self, number: int) -> None:
        """Remove the files of batches up to a number that is final on L1."""
        for path in self.folder.glob("*.batch"):
            if int(path.stem) <= number:
                path.unlink()
