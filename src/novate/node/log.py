"""The log: an append-only sequence of records in segment files, with one writer.

`append` gives a record its number; `commit` makes everything appended durable in one write and one
sync, and only then may anybody be told of it. A write or sync that fails closes the log for good:
what reached the disk is then unknown, and only reading it again can say.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from novate.node.files import sync_folder
from novate.node.segment import (
    GENESIS_HASH,
    HEADER,
    PAYLOAD_MAX,
    Entry,
    LogError,
    Segment,
    chain,
    frame_of,
    hash_record,
    header_of,
    name_of,
)

SEGMENT_BYTES: Final = 64 << 20
"""Size after which the next group begins a new segment."""


class Log:
    """The writer's end. Hold it by `with`, or call `close`."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        """Open or begin the log of a folder; what a crash tore off its end is cut off.

        LogError if another writer has it, or if the last segment is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.segment_bytes = segment_bytes
        self.cut = 0
        """Bytes of a torn tail that were cut off when the log was opened."""
        self._lock = lock_folder(folder)
        self._pending = bytearray()
        self._failed = ""
        try:
            self._open_last()
        except BaseException:
            os.close(self._lock)
            raise

    def _open_last(self) -> None:
        """Find the end of the log."""
        paths = segment_paths(self.folder)
        if paths and not was_begun(paths[-1]):
            paths.pop().unlink()
            sync_folder(self.folder)
        if not paths:
            self.sequence, self.running_hash = 0, GENESIS_HASH
            self._begin_segment()
            return
        found = Segment(paths[-1]).scan()
        self.sequence, self.running_hash, self.cut = found.sequence, found.running_hash, found.torn
        self._file = os.open(paths[-1], os.O_WRONLY | os.O_APPEND)
        self._size = found.size
        if found.torn:
            os.ftruncate(self._file, found.size)
            os.fsync(self._file)

    def _begin_segment(self) -> None:
        """A new segment file after the last record."""
        path = self.folder / name_of(self.sequence + 1)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        header = header_of(self.sequence + 1, self.running_hash)
        write_all(self._file, header)
        os.fsync(self._file)
        sync_folder(self.folder)
        self._size = len(header)

    def append(self, payload: bytes) -> Entry:
        """The next record; not durable before `commit`. LogError on a payload beyond the limit."""
        if self._failed:
            raise LogError(f"{self.folder}: closed after a failed write: {self._failed}")
        if not 1 <= len(payload) <= PAYLOAD_MAX:
            raise LogError(f"payload has {len(payload)} bytes, 1 to {PAYLOAD_MAX}")
        self.sequence += 1
        record_hash = hash_record(payload)
        self.running_hash = chain(self.running_hash, self.sequence, record_hash)
        self._pending += frame_of(self.sequence, payload, self.running_hash)
        return Entry(self.sequence, payload, record_hash, self.running_hash)

    def commit(self) -> None:
        """Make every record appended so far durable. LogError if that failed."""
        if not self._pending:
            return
        try:
            write_all(self._file, self._pending)
            os.fdatasync(self._file)
            self._size += len(self._pending)
            self._pending.clear()
            if self._size >= self.segment_bytes:
                os.close(self._file)
                self._begin_segment()
        except OSError as error:
            self._failed = str(error)
            raise LogError(f"{self.folder}: {error}") from error

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """The records on disk with a sequence above `after`, in order; see `read_log`."""
        return read_log(self.folder, after)

    def close(self) -> None:
        """Let the next writer in. What was not committed is lost, as nobody was told of it."""
        os.close(self._file)
        os.close(self._lock)

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lock_folder(folder: Path) -> int:
    """An exclusive lock, held until the descriptor is closed; LogError if another has it."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise LogError(f"{folder}: another process writes to it") from error
    return descriptor


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write every byte; OSError as by write."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def segment_paths(folder: Path) -> list[Path]:
    """The segment files of a folder, by their first record."""
    return sorted(folder.glob("*.log"))


def was_begun(path: Path) -> bool:
    """False if a crash came before the segment's header was durable: it never held a record."""
    size = path.stat().st_size
    return size > HEADER.size or (size == HEADER.size and path.read_bytes().strip(b"\0") != b"")


def read_log(folder: Path, after: int = 0) -> Iterator[Entry]:
    """The records with a sequence above `after`, in order, each checked against the chain.

    Begins with the segment that holds the first of them. A torn tail of the last segment is left
    out. LogError where a record is damaged or a segment is missing.
    """
    paths = segment_paths(folder)
    firsts = [int(path.stem) for path in paths]
    start = max((place for place, first in enumerate(firsts) if first <= after + 1), default=0)
    if firsts and firsts[start] > after + 1:
        raise LogError(f"{folder}: record {after + 1} is missing, the log has {firsts[start]} on")
    running: bytes | None = None
    expected = 0
    for place in range(start, len(paths)):
        is_last = place == len(paths) - 1
        if is_last and not was_begun(paths[place]):
            return
        segment = Segment(paths[place])
        if running is not None and (segment.first, segment.running_before) != (expected, running):
            raise LogError(f"{paths[place]}: does not continue record {expected - 1}")
        expected, running = segment.first, segment.running_before
        for entry in segment.entries(may_be_torn=is_last):
            expected, running = entry.sequence + 1, entry.running_hash
            if entry.sequence > after:
                yield entry
