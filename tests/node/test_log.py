"""The log: torn at every byte, bits flipped, segments missing, two writers, failing disks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from novate.node.log import Log, read_log, segment_paths
from novate.node.segment import (
    FRAME_BYTES,
    HEADER,
    PAYLOAD_MAX,
    UNWRITTEN_BYTES,
    LogError,
    Segment,
)

PAYLOADS = [bytes([number]) * (1 + 7 * number) for number in range(12)]


def written(folder: Path, segment_bytes: int = 1 << 20) -> list[bytes]:
    """A log of all payloads in groups of three; their running hashes."""
    hashes = []
    with Log(folder, segment_bytes) as log:
        for number, payload in enumerate(PAYLOADS):
            hashes.append(log.append(payload).running_hash)
            if number % 3 == 2:
                log.commit()
    return hashes


def payloads(folder: Path, after: int = 0) -> list[bytes]:
    return [entry.payload for entry in read_log(folder, after)]


def test_what_was_committed_is_read_back_from_any_place(tmp_path: Path) -> None:
    written(tmp_path, segment_bytes=150)
    assert len(segment_paths(tmp_path)) > 2
    for after in range(len(PAYLOADS) + 1):
        assert payloads(tmp_path, after) == PAYLOADS[after:]
    assert [entry.sequence for entry in read_log(tmp_path)] == list(range(1, 13))


def test_what_was_not_committed_is_gone(tmp_path: Path) -> None:
    with Log(tmp_path) as log:
        log.append(b"kept")
        log.commit()
        log.append(b"lost")
    assert payloads(tmp_path) == [b"kept"]
    with Log(tmp_path) as log:
        assert log.sequence == 1
        log.append(b"next")
        log.commit()
    assert payloads(tmp_path) == [b"kept", b"next"]


def test_the_hash_goes_on_over_segments_and_openings(tmp_path: Path) -> None:
    whole = written(tmp_path / "whole")
    assert written(tmp_path / "split", segment_bytes=100) == whole
    for payload in PAYLOADS:
        with Log(tmp_path / "one by one", segment_bytes=100) as log:
            entry = log.append(payload)
            log.commit()
    assert entry.running_hash == whole[-1]


def test_a_tail_torn_at_any_byte_is_cut_off(tmp_path: Path) -> None:
    written(tmp_path / "log")
    [path] = segment_paths(tmp_path / "log")
    data = path.read_bytes()
    last = len(data) - FRAME_BYTES - len(PAYLOADS[-1])
    for size in range(last, len(data)):
        grown = len(data) - size
        for zeros in (0, grown) if grown >= UNWRITTEN_BYTES else (0,):
            folder = tmp_path / f"torn {size} {zeros}"
            folder.mkdir()
            (folder / path.name).write_bytes(data[:size] + bytes(zeros))
            assert payloads(folder) == PAYLOADS[:-1]
            with Log(folder) as log:
                assert log.sequence == len(PAYLOADS) - 1
                assert log.cut == size - last + zeros
                log.append(b"again")
                log.commit()
            assert payloads(folder) == [*PAYLOADS[:-1], b"again"]
            shutil.rmtree(folder)


def test_every_flipped_bit_is_an_error_that_names_the_place(tmp_path: Path) -> None:
    written(tmp_path / "log")
    [path] = segment_paths(tmp_path / "log")
    data = path.read_bytes()
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        path.write_bytes(flipped)
        with pytest.raises(LogError, match=f"{path.name}: offset"):
            payloads(tmp_path / "log")
        with pytest.raises(LogError, match=f"{path.name}: offset"):
            Log(tmp_path / "log")


def test_a_record_that_is_cut_out_is_missed(tmp_path: Path) -> None:
    written(tmp_path / "log")
    [path] = segment_paths(tmp_path / "log")
    data = path.read_bytes()
    first = FRAME_BYTES + len(PAYLOADS[0])
    path.write_bytes(data[: HEADER.size] + data[HEADER.size + first :])
    with pytest.raises(LogError, match="record 1: the head says record 2"):
        payloads(tmp_path / "log")


def test_a_torn_segment_before_the_last_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, segment_bytes=150)
    path = segment_paths(tmp_path)[1]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LogError, match=path.name):
        payloads(tmp_path)


def test_a_missing_segment_is_an_error(tmp_path: Path) -> None:
    written(tmp_path, segment_bytes=150)
    segment_paths(tmp_path)[1].unlink()
    with pytest.raises(LogError, match="does not continue"):
        payloads(tmp_path)
    segment_paths(tmp_path)[0].unlink()
    with pytest.raises(LogError, match="record 1 is missing"):
        payloads(tmp_path)


@pytest.mark.parametrize("left", [b"", b"nov", bytes(HEADER.size)])
def test_a_crash_while_a_segment_is_begun_leaves_nothing(tmp_path: Path, left: bytes) -> None:
    written(tmp_path)
    (tmp_path / f"{len(PAYLOADS) + 1:020d}.log").write_bytes(left)
    assert payloads(tmp_path) == PAYLOADS
    with Log(tmp_path) as log:
        log.append(b"next")
        log.commit()
    assert payloads(tmp_path) == [*PAYLOADS, b"next"]


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with Log(tmp_path), pytest.raises(LogError, match="another process writes"):
        Log(tmp_path)
    Log(tmp_path).close()


def test_after_a_failed_write_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with Log(tmp_path) as log:
        log.append(b"kept")
        log.commit()
        log.append(b"unknown")
        monkeypatch.setattr(os, "fdatasync", full)
        with pytest.raises(LogError, match="No space left"):
            log.commit()
        monkeypatch.undo()
        with pytest.raises(LogError, match="closed after a failed write"):
            log.append(b"more")


@pytest.mark.parametrize("size", [0, PAYLOAD_MAX + 1])
def test_a_payload_out_of_bounds_is_refused(tmp_path: Path, size: int) -> None:
    with Log(tmp_path) as log:
        with pytest.raises(LogError, match=f"payload has {size} bytes"):
            log.append(bytes(size))
        assert log.sequence == 0


def test_a_group_is_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = []
    sync = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: (syncs.append(file), sync(file)))
    with Log(tmp_path) as log:
        for _ in range(100):
            log.append(b"record")
        log.commit()
        log.commit()
    assert len(syncs) == 1
    assert Segment(segment_paths(tmp_path)[0]).scan().sequence == 100
