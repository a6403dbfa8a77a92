"""Sealed batches and snapshots on disk: any state of the recent past can be had again from them.

A batch file is named by its number and root, so a batch that L1 reverted and the one that took its
number both stay. Snapshots are of the desk between two batches, at a place in the log; they bound
what a restart has to replay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from novate.node.files import DamagedFile, read_whole, write_whole
from novate.node.image import state_of_desk
from novate.node.port import EngineKit
from novate.spec.crypto import goldilocks
from novate.spec.errors import DecodeError
from novate.spec.primitives import Digest
from novate.spec.public_data.codec import Reader
from novate.spec.state import State

BATCH_MAGIC: Final = b"novate sealed 1\n"
REWIND_MAGIC: Final = b"novate rewind 1\n"
SNAPSHOT_MAGIC: Final = b"novate desk 1\n"
HASH_BYTES: Final = 32


class SealedFile(NamedTuple):
    """A sealed batch as it is kept."""

    number: int
    fork: int
    root_before: Digest
    root: Digest
    """After the batch."""
    data: bytes
    """Its `full` form."""


class RewoundFile(NamedTuple):
    """A log record after which the venue went on from an earlier batch."""

    sequence: int
    number: int
    root: Digest


class SnapshotFile(NamedTuple):
    """A desk as it is kept."""

    sequence: int
    """The log record after which it stood so."""
    time_ms: int
    """Of that record."""
    running_hash: bytes
    number: int
    """Its batch."""
    root: Digest
    desk: bytes


class Archive:
    """The folder of sealed batches and the folder of snapshots of one node."""

    def __init__(self, folder: Path, kit: EngineKit, genesis: State, genesis_root: Digest) -> None:
        """Folders are made when the first file is written."""
        self._batches = folder / "sealed"
        self._snapshots = folder / "snapshots"
        self._kit = kit
        self._genesis = genesis
        self._genesis_root = genesis_root

    # Batches.

    def batch_path(self, number: int, root: Digest) -> Path:
        """Where a batch is kept."""
        return self._batches / f"{number:010d}-{digest_bytes(root)[:8].hex()}.full"

    def put_batch(self, sealed: SealedFile) -> None:
        """Keep a batch, durably; nothing happens if it is there already."""
        path = self.batch_path(sealed.number, sealed.root)
        if not path.exists():
            roots = digest_bytes(sealed.root_before) + digest_bytes(sealed.root)
            numbers = sealed.number.to_bytes(8, "big") + sealed.fork.to_bytes(8, "big")
            write_whole(path, BATCH_MAGIC, numbers + roots + sealed.data)

    def batch(self, number: int, root: Digest) -> SealedFile:
        """A kept batch. DamagedFile or OSError if it is not there whole."""
        return read_batch(self.batch_path(number, root))

    def batches(self, number: int) -> list[SealedFile]:
        """Every kept batch of a number: more than one after a revert."""
        return [read_batch(path) for path in sorted(self._batches.glob(f"{number:010d}-*.full"))]

    def put_rewind(self, rewound: RewoundFile) -> None:
        """Keep that the venue went back, durably; nothing happens if it is there already."""
        path = self._batches / f"{rewound.sequence:020d}.rewind"
        if not path.exists():
            body = rewound.sequence.to_bytes(8, "big") + rewound.number.to_bytes(8, "big")
            write_whole(path, REWIND_MAGIC, body + digest_bytes(rewound.root))

    def rewinds(self, after: int) -> list[RewoundFile]:
        """Where the venue went back to in log records above `after`, in order."""
        paths = sorted(self._batches.glob("*.rewind"))
        return [read_rewind(path) for path in paths if int(path.stem) > after]

    # Snapshots.

    def put_snapshot(self, snapshot: SnapshotFile, keep: int) -> None:
        """Keep a snapshot, durably, and forget all but the newest `keep`."""
        path = self._snapshots / f"{snapshot.sequence:020d}.desk"
        head = snapshot.sequence.to_bytes(8, "big") + snapshot.time_ms.to_bytes(8, "big")
        head += snapshot.running_hash
        head += snapshot.number.to_bytes(8, "big") + digest_bytes(snapshot.root)
        write_whole(path, SNAPSHOT_MAGIC, head + snapshot.desk)
        for old in self._snapshot_paths()[keep:]:
            old.unlink()

    def _snapshot_paths(self) -> list[Path]:
        """Snapshot files, newest first."""
        return sorted(self._snapshots.glob("*.desk"), reverse=True)

    def snapshots(self) -> list[SnapshotFile]:
        """Every snapshot that is whole, newest first; a damaged one is passed over."""
        found = []
        for path in self._snapshot_paths():
            try:
                found.append(read_snapshot(path))
            except (DamagedFile, DecodeError):
                continue
        return found

    def newest_snapshot(self) -> SnapshotFile | None:
        """The newest snapshot that is whole."""
        for path in self._snapshot_paths():
            try:
                return read_snapshot(path)
            except (DamagedFile, DecodeError):
                continue
        return None

    # States.

    def state_at(self, number: int, root: Digest) -> State:
        """The state after a batch: from the nearest snapshot before it, or genesis, batch by batch.

        DamagedFile or OSError if a batch on the way is missing; LawError if one does not apply.
        """
        known = {(snap.number, snap.root): snap for snap in self.snapshots()}
        waiting: list[SealedFile] = []
        while (number, root) not in known and number > 0:
            waiting.append(self.batch(number, root))
            number, root = number - 1, waiting[-1].root_before
        found = known.get((number, root))
        if found is not None:
            state = self._kit.decode_state(state_of_desk(found.desk))
        elif root == self._genesis_root:
            state = self._genesis
        else:
            raise DamagedFile(f"{self._batches}: the batches lead to another genesis")
        if not waiting:
            return state
        engine = self._kit.start(state)
        for sealed in reversed(waiting):
            engine.apply_data(sealed.data)
        return engine.state()


def digest_bytes(digest: Digest) -> bytes:
    """The 32 bytes of a digest."""
    return b"".join(goldilocks.to_bytes(element) for element in digest)


def _read_digest(reader: Reader) -> Digest:
    """A digest of 32 bytes; DecodeError if it is not canonical."""
    a, b, c, d = (goldilocks.from_bytes(reader.take(8)) for _ in range(4))
    return a, b, c, d


def read_batch(path: Path) -> SealedFile:
    """The batch of a file. DamagedFile, DecodeError or OSError if it is not whole."""
    reader = Reader(read_whole(path, BATCH_MAGIC))
    number, fork = reader.unsigned(8), reader.unsigned(8)
    before, after = _read_digest(reader), _read_digest(reader)
    return SealedFile(number, fork, before, after, reader.take(reader.remaining))


def read_rewind(path: Path) -> RewoundFile:
    """The rewind of a file. DamagedFile, DecodeError or OSError if it is not whole."""
    reader = Reader(read_whole(path, REWIND_MAGIC))
    found = RewoundFile(reader.unsigned(8), reader.unsigned(8), _read_digest(reader))
    reader.finish()
    return found


def read_snapshot(path: Path) -> SnapshotFile:
    """The snapshot of a file. DamagedFile, DecodeError or OSError if it is not whole."""
    reader = Reader(read_whole(path, SNAPSHOT_MAGIC))
    sequence, time_ms = reader.unsigned(8), reader.unsigned(8)
    running = reader.take(HASH_BYTES)
    number, root = reader.unsigned(8), _read_digest(reader)
    return SnapshotFile(sequence, time_ms, running, number, root, reader.take(reader.remaining))
