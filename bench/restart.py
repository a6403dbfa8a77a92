"""How long a node takes to come back, against the records in its log and after its snapshot.

    python -m bench.restart [--records 1000000] [--tail 10000]

A log of so many records is written; at its end stands a snapshot of a small venue (minimal preset,
compiled engine and book), after it `--tail` records of real play. Timed are opening the log (its
last segment is checked), loading the snapshot and replaying what follows, through the same code as
live, signatures verified at first fills again. Also: the whole chain of hashes read and checked,
and appending. Peer in the same run: SQLite (WAL, synchronous=FULL) with the same payloads in groups
of the same size, and reading them all back; it checks no hashes.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from bench.common import report
from novate.book.compiled import CompiledExchange
from novate.lab.play.scene import Node, Scene, open_venue, play, start_node
from novate.native import NativePrimitives
from novate.node.archive import Archive, SnapshotFile
from novate.node.image import encode_desk
from novate.node.kit import CompiledKit
from novate.node.log import SEGMENT_BYTES, Log, read_log
from novate.node.restart import log_folder, restart
from novate.node.sequencer import Limits
from novate.spec.commitment import commit

GROUP = 256
"""Records of one sync."""
LIMITS = Limits(round_age_s=30, snapshot_every=10**9)
GENESIS = Scene().world.state


def payloads(count: int) -> Iterator[bytes]:
    """Payloads as long as an order's record."""
    random = Random(1)
    for _ in range(count):
        yield random.randbytes(97)


def node_of(folder: Path) -> Node:
    """The node of a folder, on compiled engine and book."""
    return start_node(folder, GENESIS, CompiledKit(), CompiledExchange, LIMITS, SEGMENT_BYTES)


def write_log(folder: Path, count: int) -> float:
    """A log of `count` records that nobody replays; seconds it took."""
    started = time.perf_counter()
    with Log(log_folder(folder)) as log:
        for number, payload in enumerate(payloads(count), 1):
            log.append(payload)
            if number % GROUP == 0:
                log.commit()
        log.commit()
    return time.perf_counter() - started


def put_snapshot(folder: Path) -> None:
    """A snapshot of a venue that has been played in, at the end of the log."""
    with tempfile.TemporaryDirectory() as elsewhere:
        node = node_of(Path(elsewhere))
        open_venue(Scene(), node)
        desk = node.sequencer.desk
        node.sequencer.tick(1_000 * (desk.round_time + 3_600))
        if desk.round_open:
            desk._seal_round()
        desk._seal_batch()
        data = encode_desk(desk, CompiledKit())
        number, root = desk.system.batch_number, desk.engine.roots().root
        node.log.close()
    with Log(log_folder(folder)) as log:
        place = log.sequence, 1_000 * desk.round_time, log.running_hash
    archive_of(folder).put_snapshot(SnapshotFile(*place, number, root, data), 1)


def archive_of(folder: Path) -> Archive:
    """Where a folder's snapshots and batches are."""
    return Archive(folder, CompiledKit(), GENESIS, commit(GENESIS, NativePrimitives()).root)


def play_on(folder: Path, count: int) -> int:
    """Real play after the snapshot, in groups; returns the records it logged."""
    node = node_of(folder)
    before = node.log.sequence
    scene = Scene()
    scene.nonce = before
    groups = play(scene, 5, 1 << 30, start=2 * 3_700)
    while node.log.sequence - before < count:
        group = next(groups)
        inputs = list(group.inputs)
        while len(inputs) < GROUP:
            inputs += next(groups).inputs
        if group.index_price is not None:
            second = group.time_ms // 1_000
            scene.report(node.sequencer, second - second % 5, group.index_price)
        scene.learn(inputs, node.sequencer.take(inputs, group.time_ms))
    logged = node.log.sequence - before
    node.log.close()
    return logged


def timed_restart(folder: Path) -> dict[str, object]:
    """Open, load, replay."""
    archive = archive_of(folder)
    started = time.perf_counter()
    log = Log(log_folder(folder))
    opened = time.perf_counter()
    back = restart(log, archive, GENESIS, CompiledKit(), CompiledExchange)
    done = time.perf_counter()
    log.close()
    return {
        "records": log.sequence,
        "replayed": back.replayed,
        "open_s": opened - started,
        "load and replay_s": done - opened,
        "restart_s": done - started,
        "us a replayed record": 1e6 * (done - opened) / back.replayed if back.replayed else None,
    }


def chain_row(folder: Path, count: int, write_s: float) -> dict[str, object]:
    """Appending and reading with hashes."""
    started = time.perf_counter()
    found = sum(1 for _ in read_log(log_folder(folder)))
    read_s = time.perf_counter() - started
    assert found == count
    return speed_row("log: hash chain, fdatasync a group", count, write_s, read_s)


def sqlite_row(folder: Path, count: int) -> dict[str, object]:
    """The same payloads in SQLite."""
    base = sqlite3.connect(folder / "peer.sqlite", isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE log (sequence INTEGER PRIMARY KEY, payload BLOB)")
    started = time.perf_counter()
    group: list[tuple[bytes]] = []
    for payload in payloads(count):
        group.append((payload,))
        if len(group) == GROUP:
            insert(base, group)
    insert(base, group)
    write_s = time.perf_counter() - started
    started = time.perf_counter()
    found = sum(1 for _ in base.execute("SELECT sequence, payload FROM log ORDER BY sequence"))
    read_s = time.perf_counter() - started
    base.close()
    assert found == count
    return speed_row("SQLite: WAL, synchronous=FULL", count, write_s, read_s)


def insert(base: sqlite3.Connection, group: list[tuple[bytes]]) -> None:
    """One transaction; the group is empty afterwards."""
    base.execute("BEGIN")
    base.executemany("INSERT INTO log (payload) VALUES (?)", group)
    base.execute("COMMIT")
    group.clear()


def speed_row(name: str, count: int, write_s: float, read_s: float) -> dict[str, object]:
    """Microseconds a record."""
    return {
        "store": name,
        "records": count,
        "append_us": 1e6 * write_s / count,
        "read_us": 1e6 * read_s / count,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--tail", type=int, default=10_000)
    arguments = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="novate-restart-"))
    rows, stores = [], []
    try:
        for count in sorted({arguments.records // 100, arguments.records // 10, arguments.records}):
            shutil.rmtree(folder)
            write_s = write_log(folder, count)
            if count == arguments.records:
                stores = [chain_row(folder, count, write_s), sqlite_row(folder, count)]
            put_snapshot(folder)
            rows.append(timed_restart(folder))
            play_on(folder, arguments.tail)
            rows.append(timed_restart(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report("restart", rows)
    print()
    report("restart_stores", stores)


if __name__ == "__main__":
    main()
