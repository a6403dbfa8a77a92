"""One segment file of the log: its header, its frames, and where it stops being whole.

    header   magic 16 | first sequence 8 | running hash before it 32 | BLAKE2b-128 of these 16
    frame    length 4 | sequence 8 | CRC-32 of these 4 | payload | first 16 bytes of running hash

All little-endian. The running hash chains every record to the first one, over segments too:
h[n] = BLAKE2b-256(h[n−1] ‖ sequence ‖ BLAKE2b-256(payload)).

What follows the last whole frame is a *torn tail* if the file ends inside the next frame or is
zero up to its end: what a crash, or a file system that grew the file before it wrote the data, can
leave of a group that nobody was told of. Anything else is damage, and damage is an error.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

MAGIC: Final = b"novate log 1\0\0\0\0"
HEADER: Final = struct.Struct("<16sQ32s16s")
HEAD: Final = struct.Struct("<IQI")
CHECK_BYTES: Final = 16
UNWRITTEN_BYTES: Final = 8
"""Zeros at the end of a frame that no damage of single bits makes: it was not written whole."""
FRAME_BYTES: Final = HEAD.size + CHECK_BYTES
"""Bytes a frame has besides its payload."""
PAYLOAD_MAX: Final = 1 << 20
"""Largest payload, bytes: a round's reports and requests with room to spare."""
GENESIS_HASH: Final = bytes(32)
"""The running hash before the first record."""


class LogError(Exception):
    """The log cannot be used; the message names the file, the place and what is wrong."""


class Entry(NamedTuple):
    """One record as it stands in the log."""

    sequence: int
    """1 for the first record, without gaps."""
    payload: bytes
    record_hash: bytes
    """BLAKE2b-256 of the payload."""
    running_hash: bytes
    """Of all records up to this one."""


class Scan(NamedTuple):
    """Where a segment's whole frames end."""

    sequence: int
    """Of the last whole record; the one before the segment's first if there is none."""
    running_hash: bytes
    size: int
    """Bytes up to and with the last whole frame."""
    torn: int
    """Bytes after it."""


def hash_record(payload: bytes) -> bytes:
    """The hash that stands for a record in the chain."""
    return hashlib.blake2b(payload, digest_size=32).digest()


def chain(running: bytes, sequence: int, record_hash: bytes) -> bytes:
    """The running hash after one more record."""
    content = running + sequence.to_bytes(8, "little") + record_hash
    return hashlib.blake2b(content, digest_size=32).digest()


def header_of(first: int, running: bytes) -> bytes:
    """The header of a segment that begins with record `first`."""
    content = HEADER.pack(MAGIC, first, running, bytes(16))[:-16]
    return content + hashlib.blake2b(content, digest_size=16).digest()


def frame_of(sequence: int, payload: bytes, running: bytes) -> bytes:
    """A record's frame; `running` is the running hash with it."""
    head = struct.pack("<IQ", len(payload), sequence)
    check = struct.pack("<I", zlib.crc32(head))
    return head + check + payload + running[:CHECK_BYTES]


def name_of(first: int) -> str:
    """The file name of a segment."""
    return f"{first:020d}.log"


class Segment:
    """A segment file being read."""

    def __init__(self, path: Path) -> None:
        """Read the file whole. LogError unless it begins with its header."""
        self.path = path
        self.data = path.read_bytes()
        if len(self.data) < HEADER.size:
            raise LogError(f"{path}: {len(self.data)} bytes, a header has {HEADER.size}")
        magic, self.first, self.running_before, _ = HEADER.unpack_from(self.data)
        whole = self.data[: HEADER.size] == header_of(self.first, self.running_before)
        if magic != MAGIC or not whole or path.name != name_of(self.first):
            raise LogError(f"{path}: offset 0: not the header of this segment")

    def entries(self, may_be_torn: bool) -> Iterator[Entry]:
        """All records in order. LogError where one is damaged.

        A torn tail ends the iteration if it may be there, and is an error otherwise.
        """
        sequence, running, at = self.first, self.running_before, HEADER.size
        while at < len(self.data):
            problem = self._problem(at, sequence, running)
            if problem == "":
                length = HEAD.unpack_from(self.data, at)[0]
                start = at + HEAD.size
                payload = self.data[start : start + length]
                record_hash = hash_record(payload)
                running = chain(running, sequence, record_hash)
                yield Entry(sequence, payload, record_hash, running)
                at = start + length + CHECK_BYTES
                sequence += 1
                continue
            if may_be_torn and self._is_torn(at):
                return
            raise LogError(f"{self.path}: offset {at}: record {sequence}: {problem}")

    def scan(self) -> Scan:
        """The end of the whole frames of a last segment. LogError on damage."""
        sequence, running, size = self.first - 1, self.running_before, HEADER.size
        for entry in self.entries(may_be_torn=True):
            sequence, running = entry.sequence, entry.running_hash
            size += FRAME_BYTES + len(entry.payload)
        return Scan(sequence, running, size, len(self.data) - size)

    def _problem(self, at: int, sequence: int, running: bytes) -> str:
        """What is wrong with the frame at an offset; '' if nothing is."""
        if at + HEAD.size > len(self.data):
            return "the file ends inside the frame's head"
        length, number, check = HEAD.unpack_from(self.data, at)
        if zlib.crc32(self.data[at : at + HEAD.size - 4]) != check:
            return "the head's checksum is wrong"
        if number != sequence:
            return f"the head says record {number}"
        if length > PAYLOAD_MAX:
            return f"length {length} is above {PAYLOAD_MAX}"
        start = at + HEAD.size
        end = start + length + CHECK_BYTES
        if end > len(self.data):
            return "the file ends inside the record"
        record_hash = hash_record(self.data[start : start + length])
        expected = chain(running, sequence, record_hash)[:CHECK_BYTES]
        if self.data[end - CHECK_BYTES : end] != expected:
            return "the running hash is wrong"
        return ""

    def _is_torn(self, at: int) -> bool:
        """Whether the bad frame at an offset is what an interrupted write can leave."""
        rest = self.data[at:]
        if len(rest) < HEAD.size or not rest.strip(b"\0"):
            return True
        length, _, check = HEAD.unpack_from(rest)
        if zlib.crc32(rest[: HEAD.size - 4]) != check:
            return not rest[HEAD.size :].strip(b"\0")
        size = HEAD.size + length + CHECK_BYTES
        return len(rest) < size or not rest[size - UNWRITTEN_BYTES :].strip(b"\0")
