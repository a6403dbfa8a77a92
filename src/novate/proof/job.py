"""A proof in a process of its own: phases as they pass, an end at any moment, memory beforehand.

The child is given a folder: relation, profile, traces and public values as one .npz file. It writes
the proof beside it. Ending the child ends the work, whatever it was doing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np

from novate.native import Prover as Core
from novate.native import report_phases
from novate.proof.prover import ProofError, Prover, Words

JOB, PROOF, ERROR = "job.npz", "proof", "error"
CGROUP = Path("/sys/fs/cgroup")
"""Where Linux says what a container may use."""


MALLOC: Final = {"hugetlb": 1, "mmap_max": 0, "trim_threshold": 1 << 40, "top_pad": 1 << 28}
PROVER_ENVIRONMENT: Final = {
    "GLIBC_TUNABLES": ":".join(f"glibc.malloc.{name}={value}" for name, value in MALLOC.items())
}
"""Of a process that proves: large pages, and no memory goes back to the system before its end. A
vector of gigabytes that is mapped anew in each phase costs a fifth of the time of a proof."""


class Phase(NamedTuple):
    """A phase of a proof that began (`seconds` is None) or ended."""

    depth: int
    name: str
    seconds: float | None


class ProofJob:
    """One proof under way. Use as a context: leaving it ends the child."""

    def __init__(
        self,
        prover: Prover,
        traces: list[Words],
        publics: Mapping[str, int],
        listen: Callable[[Phase], None] = lambda _: None,
    ) -> None:
        """Start proving. ProofError if the machine has less memory than the proof will take."""
        require_memory(prover.memory_bytes)
        self._folder = TemporaryDirectory(prefix="novate-proof-")
        self._path = Path(self._folder.name)
        write_job(self._path / JOB, prover, traces, publics)
        self._child = subprocess.Popen(
            [sys.executable, "-m", "novate.proof.job", str(self._path)],
            stderr=subprocess.PIPE,
            text=True,
            env=PROVER_ENVIRONMENT | os.environ,
        )
        self._other: list[str] = []
        self._cancelled = False
        self._listener = threading.Thread(target=self._hear, args=(listen,), daemon=True)
        self._listener.start()

    def _hear(self, listen: Callable[[Phase], None]) -> None:
        """Pass phases on; keep what else the child says."""
        assert self._child.stderr is not None
        for line in self._child.stderr:
            phase = read_phase(line.rstrip("\n"))
            if phase is None:
                self._other.append(line)
            else:
                listen(phase)

    def result(self, timeout_s: float | None = None) -> bytes:
        """The proof. ProofError if it failed or was cancelled; TimeoutError if it is not there."""
        try:
            code = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            raise TimeoutError(f"no proof after {timeout_s} s") from late
        self._listener.join()
        if code == 0:
            return (self._path / PROOF).read_bytes()
        error = self._path / ERROR
        said = error.read_text() if error.exists() else "".join(self._other[-5:])
        if code == -signal.SIGKILL and not self._cancelled:
            said = "the prover's process was killed: the system does so when memory runs out"
        raise ProofError(said or f"the prover's process ended with code {code}")

    @property
    def pid(self) -> int:
        """Of the child."""
        return self._child.pid

    def cancel(self) -> None:
        """End the child."""
        self._cancelled = True
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait()

    def __enter__(self) -> ProofJob:
        """The job."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the child and forget its files."""
        self.cancel()
        self._listener.join()
        self._folder.cleanup()


def read_phase(line: str) -> Phase | None:
    """The phase that a line of the child tells of; None if it says something else."""
    words = line.split(" ", 3)
    if words[0] == "begin" and len(words) >= 3:
        return Phase(int(words[1]), " ".join(words[2:]), None)
    if words[0] == "phase" and len(words) == 4:
        return Phase(int(words[1]), words[3], int(words[2]) / 1e6)
    return None


def available_bytes() -> int:
    """Memory that can be had without swapping, on the machine and in the container."""
    left = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            left = int(line.split()[1]) * 1024
    return min([left, *container_bytes(CGROUP)])


def container_bytes(folder: Path) -> list[int]:
    """What the limit of a control group leaves; empty if it has none.

    Files that are cached and not in use do not count: the kernel drops them when it needs to.
    """
    limit, used, stat = (folder / f"memory.{name}" for name in ("max", "current", "stat"))
    if not (limit.exists() and used.exists() and stat.exists()):
        return []
    most = limit.read_text().strip()
    if most == "max":
        return []
    held = dict(line.split() for line in stat.read_text().splitlines())
    return [max(0, int(most) - int(used.read_text()) + int(held.get("inactive_file", 0)))]


def require_memory(needed: int) -> None:
    """ProofError if less memory is available than a proof is estimated to take."""
    available = available_bytes()
    if needed > available:
        detail = f"{needed:,} bytes estimated, {available:,} available: use a smaller profile"
        raise ProofError(f"too little memory for this proof: {detail}")


def write_job(path: Path, prover: Prover, traces: list[Words], publics: Mapping[str, int]) -> None:
    """Everything the child needs."""
    profile = prover.profile
    forms = prover.relation.forms
    arrays: dict[str, Any] = {
        "words": prover.relation.words(),
        "log_rows": np.array([profile.log_rows[form.name] for form in forms]),
        "folds": np.array(profile.folds),
        "rates": np.array(profile.rates, dtype=np.int64),
        "numbers": np.array(
            [
                profile.security_level,
                profile.pow_bits,
                profile.sumcheck_pow_bits,
                profile.starting_log_inv_rate,
            ]
        ),
    }
    for place, (form, trace) in enumerate(zip(forms, traces, strict=True)):
        arrays[f"trace_{place}"] = trace
        arrays[f"public_{place}"] = np.array([publics[n] for n in form.publics], dtype=np.uint64)
    np.savez(path, **arrays)


def child(folder: Path) -> int:
    """What the process does: prove the folder's job; 1 with a message in `error` if it cannot."""
    report_phases()
    with np.load(folder / JOB) as job:
        level, pow_bits, sumcheck_pow_bits, rate = job["numbers"].tolist()
        heights = job["log_rows"].tolist()
        try:
            core = Core(
                job["words"],
                heights,
                level,
                pow_bits,
                sumcheck_pow_bits,
                rate,
                job["folds"].tolist(),
                job["rates"].tolist(),
            )
            places = range(len(heights))
            proof = core.prove(
                [job[f"trace_{place}"] for place in places],
                [job[f"public_{place}"] for place in places],
            )
        except (ValueError, RuntimeError) as error:
            (folder / ERROR).write_text(str(error))
            return 1
    (folder / PROOF).write_bytes(proof)
    return 0


if __name__ == "__main__":
    sys.exit(child(Path(sys.argv[1])))
