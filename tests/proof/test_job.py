"""A proof in a child process: the same bytes, phases, an end on demand, errors in words."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import monotonic

import numpy as np
import pytest

from novate.circuit.relation import compile_relation
from novate.proof import job as job_module
from novate.proof.job import Phase, ProofJob, available_bytes, container_bytes, read_phase
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover, Words
from novate.tables.range16 import LOG_ROWS, Range16
from tests.circuit.small_tables import PRIMARY, PUBLICS, Division, Squares, Sums

RELATION = compile_relation([Squares(), Sums(), Division(), Range16()])
HEIGHTS = {"squares": 8, "sums": 9, "division": 6, "range16": LOG_ROWS}


@pytest.fixture(name="prover", scope="module")
def _prover() -> Prover:
    return Prover(RELATION, Profile("tests", HEIGHTS, (6, 4, 4)))


@pytest.fixture(name="traces")
def _traces(prover: Prover) -> list[Words]:
    return prover.fill(PRIMARY, PUBLICS)


def test_child_proves_the_same(prover: Prover, traces: list[Words]) -> None:
    phases: list[Phase] = []
    with ProofJob(prover, traces, PUBLICS, phases.append) as job:
        proof = job.result(60)
    assert proof == prover.prove(traces, PUBLICS)
    ended = [phase for phase in phases if phase.seconds is not None]
    assert ended
    assert {phase.name for phase in ended} <= {phase.name for phase in phases}


def test_cancelled_job_ends(prover: Prover, traces: list[Words]) -> None:
    started = monotonic()
    with ProofJob(prover, traces, PUBLICS) as job:
        job.cancel()
        with pytest.raises(ProofError, match="ended with code -9"):
            job.result(60)
    assert monotonic() - started < 60


def test_failure_is_an_error_with_its_reason(prover: Prover, traces: list[Words]) -> None:
    traces[0][0][0] += np.uint64(1)
    with ProofJob(prover, traces, PUBLICS) as job, pytest.raises(ProofError, match="witness"):
        job.result(60)


def test_too_little_memory_is_said_before(
    prover: Prover, traces: list[Words], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_module, "available_bytes", lambda: prover.memory_bytes - 1)
    with pytest.raises(ProofError, match="too little memory for this proof"):
        ProofJob(prover, traces, PUBLICS)


def test_killed_child_says_so(prover: Prover, traces: list[Words]) -> None:
    """Killed by another than us: what the system does for lack of memory."""
    with ProofJob(prover, traces, PUBLICS) as job:
        os.kill(job.pid, signal.SIGKILL)
        with pytest.raises(ProofError, match="was killed: the system does so"):
            job.result(60)


def test_memory_is_what_machine_and_container_leave(tmp_path: Path) -> None:
    assert container_bytes(tmp_path) == []
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("300\n")
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 50\n")
    assert container_bytes(tmp_path) == []
    (tmp_path / "memory.max").write_text("1000\n")
    assert container_bytes(tmp_path) == [750]
    (tmp_path / "memory.current").write_text("1300\n")
    assert container_bytes(tmp_path) == [0]
    assert 0 < available_bytes() <= os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_lines_of_the_child() -> None:
    assert read_phase("begin 2 commit to tables") == Phase(2, "commit to tables", None)
    assert read_phase("phase 1 1500000 prove") == Phase(1, "prove", 1.5)
    assert read_phase("thread panicked") is None
