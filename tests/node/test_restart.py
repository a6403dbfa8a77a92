"""Restart: cut at any record, from snapshot or genesis, the desk is as if it had never stopped."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest

from novate.book.exchange import Exchange
from novate.lab.play.scene import (
    FIRST,
    INDEX,
    LIMITS,
    PERPETUAL,
    Node,
    Scene,
    open_venue,
    perform,
    play,
    start_node,
)
from novate.lab.play.spec_engine import TrustingKit
from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.desk import Desk, Divergence
from novate.node.files import DamagedFile, read_whole, write_whole
from novate.node.image import encode_desk, image_of
from novate.node.log import Log, read_log, segment_paths
from novate.node.records import SealBatch, SealedBatch, Stamped, decode_stamped, encode_stamped
from novate.node.restart import apply_entry, log_folder
from novate.node.segment import HEAD, HEADER, LogError
from novate.node.sequencer import Limits
from novate.spec.commitment import commit
from novate.spec.state import State

SCENE = Scene()
GENESIS = SCENE.world.state
NO_SNAPSHOTS = Limits(
    round_age_s=10, fills_per_round=12, rounds_per_batch=3, fills_per_batch=40, batch_age_s=60
)


def played(folder: Path, groups: int, limits: Limits = LIMITS, seed: int = 3) -> Node:
    """A node that has lived through a play and was closed."""
    scene = Scene()
    node = start_node(folder, GENESIS, limits=limits)
    open_venue(scene, node)
    for group in play(scene, seed, groups):
        perform(scene, node, group)
    node.log.close()
    return node


class Witness:
    """A desk that follows a log from genesis and keeps what it stood for after each record."""

    def __init__(self, folder: Path, source: Path) -> None:
        kit = TrustingKit()
        archive = Archive(folder, kit, GENESIS, commit(GENESIS, NativePrimitives()).root)
        self.desk = Desk(GENESIS, kit, Exchange, archive.state_at)
        self.stands = [stand_of(self.desk)]
        for entry in read_log(log_folder(source)):
            apply_entry(self.desk, archive, entry)
            self.stands.append(stand_of(self.desk))


def stand_of(desk: Desk) -> object:
    """What may not differ: batch, root, phase, live orders with all their quantities, nonces."""
    orders = [
        (w.order_id, w.open, w.filled, w.price, w.waiting)
        for w in sorted(desk.floor.orders.by_id.values(), key=lambda w: w.order_id)
    ]
    accounts = [desk.engine.account(k) for k in range(desk.system.account_count)]
    return (
        desk.system,
        desk.engine.roots().root,
        desk.batch_open,
        desk.round_open,
        desk.rounds,
        orders,
        dict(desk.floor.orders.seen),
        desk.pending_changes[:],
        desk.moves[:],
        accounts,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Witness]:
    """A play with snapshots, and its witness."""
    folder = tmp_path_factory.mktemp("whole")
    played(folder, 90)
    return folder, Witness(tmp_path_factory.mktemp("witness"), folder)


def offsets(path: Path) -> list[int]:
    """Where each frame of a segment ends."""
    data = path.read_bytes()
    found, at = [], HEADER.size
    while at < len(data):
        at += HEAD.size + HEAD.unpack_from(data, at)[0] + 16
        found.append(at)
    return found


def cut(source: Path, folder: Path, sequence: int, torn: int) -> None:
    """A copy of a node as a crash left it: the log up to a record, and part of the next frame.

    Snapshots and batches that were written after it are not there yet.
    """
    shutil.copytree(log_folder(source), log_folder(folder))
    for path in segment_paths(log_folder(folder)):
        first = int(path.stem)
        ends = offsets(path)
        if first > sequence + 1 or (first == sequence + 1 and not torn):
            path.unlink()
            continue
        kept = sequence - first + 1
        if kept < len(ends):
            start = ends[kept - 1] if kept else HEADER.size
            part = min(torn, ends[kept] - start - 1)
            path.write_bytes(path.read_bytes()[: start + part])
    for kind in ("snapshots", "sealed"):
        (folder / kind).mkdir()
    for path in (source / "snapshots").glob("*.desk"):
        if int(path.stem) <= sequence:
            shutil.copy(path, folder / "snapshots")


def test_a_crash_after_any_record_loses_nothing_before_it(
    whole: tuple[Path, Witness], tmp_path: Path
) -> None:
    source, witness = whole
    random = Random(4)
    last = len(witness.stands) - 1
    assert last > 300
    assert len(list((source / "snapshots").glob("*.desk"))) == LIMITS.snapshots_kept
    for sequence in sorted(random.sample(range(1, last), 60)):
        folder = tmp_path / "node"
        cut(source, folder, sequence, torn=random.choice((0, 1, 20, 90)))
        node = start_node(folder, GENESIS)
        assert node.log.sequence == sequence
        assert stand_of(node.sequencer.desk) == witness.stands[sequence]
        node.log.close()
        shutil.rmtree(folder)


def test_from_a_snapshot_or_from_genesis_the_future_is_the_same(
    whole: tuple[Path, Witness], tmp_path: Path
) -> None:
    source, witness = whole
    shutil.copytree(source, tmp_path / "quick")
    shutil.copytree(source, tmp_path / "slow")
    shutil.rmtree(tmp_path / "slow" / "snapshots")
    quick, slow = (start_node(tmp_path / name, GENESIS) for name in ("quick", "slow"))
    assert quick.restarted.replayed < slow.restarted.replayed == slow.log.sequence
    assert stand_of(quick.sequencer.desk) == stand_of(slow.sequencer.desk) == witness.stands[-1]
    futures = []
    for node in (quick, slow):
        scene = Scene()
        scene.nonce = 1 << 20
        engine = node.sequencer.desk.engine
        scene.epochs = {k: engine.account(k).cancel_epoch for k in scene.wallets}
        groups = play(scene, 99, 60, start=200)
        futures.append([perform(scene, node, group) for group in groups])
        node.log.close()
    assert futures[0] == futures[1]
    assert sum(ack.filled for acks in futures[0] for ack in acks) > 100


def test_a_snapshot_holds_the_whole_desk(tmp_path: Path) -> None:
    node = played(tmp_path, 60, Limits(**{**vars(LIMITS), "snapshot_every": 1}))
    again = start_node(tmp_path, GENESIS)
    assert again.restarted.snapshot > 0
    for one in (node, again):
        desk = one.sequencer.desk
        if desk.round_open:
            desk._seal_round()
        if desk.batch_open:
            desk._seal_batch()
    assert image_of(node.sequencer.desk) == image_of(again.sequencer.desk)
    kit = TrustingKit()
    assert encode_desk(node.sequencer.desk, kit)[8:] != b""
    again.log.close()


def test_a_damaged_snapshot_is_passed_over(whole: tuple[Path, Witness], tmp_path: Path) -> None:
    source, witness = whole
    shutil.copytree(source, tmp_path / "node")
    newest = sorted((tmp_path / "node" / "snapshots").glob("*.desk"))[-1]
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)
    node = start_node(tmp_path / "node", GENESIS)
    assert 0 < node.restarted.snapshot < int(newest.stem)
    assert stand_of(node.sequencer.desk) == witness.stands[-1]
    node.log.close()


def test_a_log_that_a_snapshot_contradicts_is_refused(
    whole: tuple[Path, Witness], tmp_path: Path
) -> None:
    source, _ = whole
    shutil.copytree(source, tmp_path / "short")
    newest = max(int(p.stem) for p in (source / "snapshots").glob("*.desk"))
    shutil.rmtree(log_folder(tmp_path / "short"))
    cut(source, tmp_path / "cut", newest - 1, 0)
    shutil.copytree(log_folder(tmp_path / "cut"), log_folder(tmp_path / "short"))
    with pytest.raises(LogError, match="ends before it"):
        start_node(tmp_path / "short", GENESIS)
    other = tmp_path / "other"
    played(other, 90, NO_SNAPSHOTS, seed=4)
    shutil.copytree(source / "snapshots", other / "snapshots")
    with pytest.raises(LogError, match="another history"):
        start_node(other, GENESIS)


def test_batches_that_a_crash_kept_from_disk_are_kept_again(
    whole: tuple[Path, Witness], tmp_path: Path
) -> None:
    source, _ = whole
    shutil.copytree(source, tmp_path / "node")
    before = {p.name: p.read_bytes() for p in (source / "sealed").iterdir()}
    shutil.rmtree(tmp_path / "node" / "sealed")
    shutil.rmtree(tmp_path / "node" / "snapshots")
    start_node(tmp_path / "node", GENESIS).log.close()
    after = {p.name: p.read_bytes() for p in (tmp_path / "node" / "sealed").iterdir()}
    assert after == before
    assert len(before) > 3


def test_a_log_that_says_another_root_is_a_divergence(tmp_path: Path) -> None:
    played(tmp_path / "node", 60, NO_SNAPSHOTS)
    preset = GENESIS.preset
    with Log(log_folder(tmp_path / "forged")) as forged:
        for entry in read_log(log_folder(tmp_path / "node")):
            stamped = decode_stamped(entry.payload, preset)
            if isinstance(stamped.record, SealedBatch) and stamped.record.number == 3:
                a, b, c, d = stamped.record.root
                stamped = stamped._replace(record=SealedBatch(3, (a, b, c, d ^ 1)))
            forged.append(encode_stamped(stamped, preset))
        forged.commit()
    with pytest.raises(Divergence, match="batch 3"):
        start_node(tmp_path / "forged", GENESIS)


def test_any_sealed_state_can_be_had_again(whole: tuple[Path, Witness]) -> None:
    source, witness = whole
    archive = Archive(source, TrustingKit(), GENESIS, commit(GENESIS, NativePrimitives()).root)
    for number in range(1, witness.desk.system.batch_number + 1):
        [sealed] = archive.batches(number)
        state: State = archive.state_at(number, sealed.root)
        assert commit(state, NativePrimitives()).root == sealed.root
        assert state.system.batch_number == number
    with pytest.raises(OSError):
        archive.state_at(2, (1, 2, 3, 4))


def test_after_a_revert_the_venue_goes_on_from_the_batch_that_stands(tmp_path: Path) -> None:
    scene = Scene()
    node = start_node(tmp_path, GENESIS)
    open_venue(scene, node)
    for group in play(scene, 5, 60):
        perform(scene, node, group)
    [kept] = node.archive.batches(3)
    [reverted] = node.archive.batches(4)
    now = 1_000 * (FIRST + 60)
    node.sequencer.rewind(3, kept.root, 1, now)
    stand = node.sequencer.stand()
    assert (stand.batch, stand.root) == (3, kept.root)
    scene.report(node.sequencer, FIRST + 60)
    node.sequencer.tick(now)
    assert node.sequencer.desk.domain.fork == 1
    scene.domain = scene.domain._replace(fork=1)
    scene.nonce = 1 << 16
    scene.epochs = {k: node.sequencer.desk.engine.account(k).cancel_epoch for k in scene.wallets}
    acks = node.sequencer.take(
        [scene.order(1, PERPETUAL, 9, INDEX), scene.order(2, PERPETUAL, -9, INDEX)], now
    )
    assert [ack.reason for ack in acks] == ["", ""]
    assert acks[1].filled == 9
    for group in play(scene, 6, 60, start=100):
        perform(scene, node, group)
    assert node.sequencer.stand().batch >= 5
    assert len(node.archive.batches(4)) == 2
    assert reverted in node.archive.batches(4)
    stands = stand_of(node.sequencer.desk)
    node.log.close()
    for keep_snapshots in (True, False):
        if not keep_snapshots:
            shutil.rmtree(tmp_path / "snapshots")
        again = start_node(tmp_path, GENESIS)
        assert stand_of(again.sequencer.desk) == stands
        again.log.close()


def test_a_file_is_whole_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"magic\n", b"content")
    assert read_whole(path, b"magic\n") == b"content"
    data = path.read_bytes()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        path.write_bytes(changed)
        with pytest.raises(DamagedFile):
            read_whole(path, b"magic\n")
        path.write_bytes(data[:at])
        with pytest.raises(DamagedFile):
            read_whole(path, b"magic\n")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert Stamped(1, SealBatch()).now == 0
