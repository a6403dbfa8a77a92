"""From disk to a desk that stands where the log ends: snapshot, then replay by the same code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from novate.node.archive import Archive, RewoundFile, SealedFile, SnapshotFile
from novate.node.desk import Desk, Divergence
from novate.node.image import decode_desk
from novate.node.log import Log
from novate.node.outcome import Outcome
from novate.node.port import BookFactory, EngineKit, Sealed
from novate.node.records import BeginBatch, LogRecord, OpenRound, Rewind, decode_stamped
from novate.node.segment import Entry, LogError
from novate.spec.state import State

SYSTEM_RECORDS = (BeginBatch, OpenRound)
"""Records that are logged only after the law took them."""


class Restarted(NamedTuple):
    """A desk at the end of its log."""

    desk: Desk
    time_ms: int
    """Of the last record; 0 for an empty log."""
    snapshot: int
    """The record after which the replay began; 0: genesis."""
    replayed: int
    """Records replayed."""


def sealed_file(sealed: Sealed) -> SealedFile:
    """What is kept of a batch that the law has judged."""
    journal = sealed.journal
    assert journal.roots_before is not None
    assert journal.roots_after is not None
    batch = sealed.batch
    roots = journal.roots_before.root, journal.roots_after.root
    return SealedFile(batch.number, batch.fork, *roots, sealed.data)


def restart(
    log: Log, archive: Archive, genesis: State, kit: EngineKit, make_book: BookFactory
) -> Restarted:
    """Replay the log from the newest snapshot. Batches that are not kept yet are kept again.

    LogError if the log is damaged or shorter than a snapshot knows; Divergence if a record comes to
    something else than the log says.
    """
    snapshot = archive.newest_snapshot()
    if snapshot is None:
        desk = Desk(genesis, kit, make_book, archive.state_at)
        entries = log.entries()
    else:
        entries = _after_snapshot(log, snapshot)
        desk = decode_desk(snapshot.desk, kit, make_book, archive.state_at)
        desk.require(snapshot.number, snapshot.root)
    time_ms = snapshot.time_ms if snapshot is not None else 0
    replayed = 0
    for entry in entries:
        time_ms = apply_entry(desk, archive, entry)
        replayed += 1
    return Restarted(desk, time_ms, snapshot.sequence if snapshot else 0, replayed)


def _after_snapshot(log: Log, snapshot: SnapshotFile) -> Iterator[Entry]:
    """The records after a snapshot; LogError unless the log is the one it was taken of."""
    entries = log.entries(snapshot.sequence - 1)
    first = next(entries, None)
    if first is None or first.running_hash != snapshot.running_hash:
        found = "ends before it" if first is None else "has another history"
        raise LogError(f"{log.folder}: snapshot of record {snapshot.sequence}: the log {found}")
    return entries


def apply_entry(desk: Desk, archive: Archive, entry: Entry) -> int:
    """Replay one record; returns its time. A batch it seals is kept."""
    stamped = decode_stamped(entry.payload, desk.preset)
    outcome = desk.apply(entry.sequence, stamped)
    if outcome.reason and isinstance(stamped.record, SYSTEM_RECORDS):
        raise Divergence(f"record {entry.sequence}: {outcome.reason}")
    keep(archive, entry.sequence, stamped.record, outcome)
    return stamped.time_ms


def keep(archive: Archive, sequence: int, record: LogRecord, outcome: Outcome) -> None:
    """Keep the batch that a record sealed, or the rewind that it is."""
    if outcome.sealed is not None:
        archive.put_batch(sealed_file(outcome.sealed))
    if isinstance(record, Rewind):
        archive.put_rewind(RewoundFile(sequence, record.number, record.root))


def log_folder(folder: Path) -> Path:
    """Where a node's log lies."""
    return folder / "log"
