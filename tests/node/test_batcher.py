"""The batcher: L1 is given what was sealed, in either form, also after reverts and stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.submission import Submission
from novate.lab.play.scene import FIRST, Node, Scene, open_venue, perform, play, start_node
from novate.lab.play.spec_engine import TrustingKit
from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.batcher import Batcher
from novate.node.files import DamagedFile
from novate.node.policy import Policy
from novate.spec.commitment import commit
from novate.spec.public_data.calldata import decode_calldata
from novate.spec.public_data.diff import apply_diff
from novate.spec.public_data.full import replay_full
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier

PRIMITIVES = NativePrimitives()
GENESIS = Scene().world.state
ROOT = commit(GENESIS, PRIMITIVES).root


def played(folder: Path, groups: int = 60) -> tuple[Scene, Node]:
    """A node after a play, its log still open."""
    scene = Scene()
    node = start_node(folder, GENESIS)
    open_venue(scene, node)
    for group in play(scene, 3, groups):
        perform(scene, node, group)
    return scene, node


def batcher(folder: Path, policy: Policy | None = None) -> Batcher:
    kit = TrustingKit()
    archive = Archive(folder, kit, GENESIS, ROOT)
    return Batcher(folder, archive, (GENESIS, ROOT), kit, policy or Policy(), PRIMITIVES)


def all_of(worker: Batcher) -> list[Submission]:
    found = []
    while (submission := worker.step()) is not None:
        found.append(submission)
    return found


def test_full_submissions_replay_to_the_venues_root(tmp_path: Path) -> None:
    _, node = played(tmp_path)
    submissions = all_of(batcher(tmp_path))
    assert [s.header.number for s in submissions] == list(
        range(1, node.sequencer.stand().batch + 1)
    )
    state = GENESIS
    requests = 0
    for submission in submissions:
        assert submission.header.form == DataForm.FULL
        state = replay_full(state, submission.data, PRIMITIVES)
        requests += len(decode_calldata(submission.calldata, state.preset).requests)
    assert commit(state, PRIMITIVES).root == node.sequencer.stand().root
    assert requests == 14
    node.log.close()


def test_diff_submissions_apply_to_the_venues_settlement_root(tmp_path: Path) -> None:
    _, node = played(tmp_path)
    policy = Policy(DataForm.DIFF, Carrier.BLOB)
    state = GENESIS
    for submission in all_of(batcher(tmp_path, policy)):
        assert {part.carrier for part in submission.parts[: submission.data_parts]} == {
            Carrier.BLOB
        }
        state = apply_diff(state, submission.data)
        roots = commit(state, PRIMITIVES)
        assert roots.settlement_root == submission.header.settlement_root_after
    node.log.close()


def test_a_batcher_goes_on_where_another_stopped(tmp_path: Path) -> None:
    _, node = played(tmp_path)
    first = batcher(tmp_path)
    head = [first.step(), first.step()]
    rest = all_of(batcher(tmp_path))
    numbers = [s.header.number for s in (*head, *rest) if s is not None]
    assert numbers == list(range(1, node.sequencer.stand().batch + 1))
    assert batcher(tmp_path).step() is None
    node.log.close()


def test_full_follows_diff_only_with_empty_slots(tmp_path: Path) -> None:
    scene, node = played(tmp_path)
    all_of(batcher(tmp_path, Policy(DataForm.DIFF)))
    worker = batcher(tmp_path, Policy(DataForm.FULL))
    for group in play(scene, 4, 60, start=60):
        perform(scene, node, group)
    assert {s.header.form for s in all_of(worker)} == {DataForm.DIFF}
    node.sequencer.reset_slots()
    for group in play(scene, 5, 60, start=120):
        perform(scene, node, group)
    later = all_of(worker)
    resets = [s.header.reset_slots for s in later]
    assert resets.count(True) == 1
    at = resets.index(True)
    assert {s.header.form for s in later[:at]} <= {DataForm.DIFF}
    assert {s.header.form for s in later[at:]} == {DataForm.FULL}
    node.log.close()


def test_after_a_revert_the_new_batches_take_the_places_of_the_old(tmp_path: Path) -> None:
    scene, node = played(tmp_path)
    worker = batcher(tmp_path)
    before = all_of(worker)
    [kept] = node.archive.batches(2)
    now = 1_000 * (FIRST + 100)
    node.sequencer.rewind(2, kept.root, 1, now)
    for second in range(FIRST + 100, FIRST + 150, 5):
        scene.report(node.sequencer, second)
        node.sequencer.tick(1_000 * second)
    for anew in (worker, batcher(tmp_path)):
        all_of(anew)
    third = worker.queue.get(3)
    assert third is not None
    assert third.header.fork == 1
    assert third.header.root_before == kept.root == before[2].header.root_before
    assert third.header != before[2].header
    node.log.close()


def test_a_batch_that_is_not_what_was_sealed_stops_the_batcher(tmp_path: Path) -> None:
    _, node = played(tmp_path)
    [first] = node.archive.batches(1)
    node.log.close()
    path = node.archive.batch_path(1, first.root)
    path.unlink()
    node.archive.put_batch(first._replace(root=(1, 2, 3, 4)))
    with pytest.raises(DamagedFile, match="batch 1: root"):
        batcher(tmp_path).step()
