"""The demo's node: the real processes, configured, started, killed, stopped, and told the time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from novate.l1.deploy import Deployment
from novate.lab.demo_chain import SEQUENCER, demo_secret
from novate.lab.demo_market import oracle_seeds
from novate.native import key_of_secret, secret_of_seed
from novate.node.client import Client
from novate.node.config import write_genesis
from novate.node.protocol import Clock
from novate.node.sequencer import Stand
from novate.node.sources import write_reports
from novate.spec.messages.oracle import Report
from novate.spec.presets import MAIN
from novate.spec.primitives import PublicKey
from novate.spec.state import State

START_S: Final = 60.0
"""How long a node may take until it answers."""
STOP_S: Final = 60.0
WAIT_S: Final = 60.0
"""How long the oracles or the base chain's requests may take to arrive."""
POLL_S: Final = 0.005
LINE_MAX: Final = 200
"""Characters of one line of the node's log that are worth showing."""
RECEIPTS_SEED: Final = b"novate demo, key of the sequencer's receipts"


class NodeFailed(Exception):
    """The node ended, or does not do what it must in time."""


class Policy(NamedTuple):
    """What one life of the node is configured for."""

    form: str
    carrier: str
    round_age_s: int
    drift_ppm: int
    rounds_per_batch: int = 4
    batch_age_s: int = 3_600


SESSION: Final = Policy("full", "calldata", 30, 5_000)
"""Rounds on age and drift, and never more fills than one transaction's calldata can carry."""
QUIET: Final = Policy("full", "blob", 240, 1, rounds_per_batch=12)
"""Every report that moves the price opens a round; rounds are small, so blobs are nearly empty."""
AFTER: Final = Policy("diff", "calldata", 30, 5_000)


class DemoNode:
    """The node's files and its processes."""

    def __init__(self, folder: Path, deployment: Deployment, genesis: State) -> None:
        """Write everything that the node reads; nothing runs yet."""
        self.folder = folder
        self.config = folder / "node.toml"
        self.socket = folder / "sequencer.socket"
        self.data = folder / "node"
        self._url = ""
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        deployment.save(folder / "deployment.json")
        write_genesis(folder / "genesis.json", genesis)
        write_secret(folder / "sequencer.key", [RECEIPTS_SEED])
        write_secret(folder / "oracles.key", oracle_seeds())
        write_secret(folder / "l1.key", [demo_secret(SEQUENCER)])

    @property
    def receipts_key(self) -> PublicKey:
        """The key that receipts are signed with."""
        return key_of_secret(secret_of_seed(RECEIPTS_SEED))

    def write_reports(self, reports: Iterable[Report]) -> None:
        """What the oracles will say."""
        write_reports(self.folder / "reports.json", reports)

    def configure(self, policy: Policy, l1_url: str) -> None:
        """Write the configuration of the next life."""
        self.config.write_text(
            f"""\
# Written by `novate demo`.
[node]
folder = "node"
genesis = "genesis.json"
socket = "sequencer.socket"
clock = "told"

[sequencer]
key = "sequencer.key"
round_age_s = {policy.round_age_s}
drift_ppm = {policy.drift_ppm}
fills_per_round = 600
rounds_per_batch = {policy.rounds_per_batch}
fills_per_batch = 900
batch_age_s = {policy.batch_age_s}
snapshot_every = 10_000

[batcher]
form = "{policy.form}"
carrier = "{policy.carrier}"

[oracle]
keys = "oracles.key"

[[oracle.market]]
underlying = 0
source = "reports"
file = "reports.json"

[l1]
rpc = "{l1_url}"
deployment = "deployment.json"
key = "l1.key"
confirmations = 0
""",
            encoding="utf-8",
        )

    def start(self) -> None:
        """Start all processes and wait until the sequencer answers. NodeFailed if it does not."""
        command = [sys.executable, "-m", "novate.cli", "node", "--config", str(self.config)]
        with (self.folder / "node.log").open("ab") as sink:
            self._process = subprocess.Popen(
                [*command, "--watched"],  # its input ends with this process, however that ends
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        with self.client(START_S) as client:
            client.stand()

    def client(self, timeout_s: float = WAIT_S) -> Client:
        """A connection to the sequencer. NodeFailed if there is none in time."""
        try:
            return Client(self.socket, MAIN, timeout_s)
        except OSError as error:
            raise NodeFailed(f"no sequencer at {self.socket}: {error}") from None

    def kill(self) -> None:
        """SIGKILL to every process of the node at once."""
        process, self._process = self._process, None
        assert process is not None, "a node runs"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        wait_for_group(process.pid)

    def stop(self) -> int:
        """Stop in order; the exit code, 0 after a clean stop or if nothing ran."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        try:
            code = process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        return code

    def last_lines(self, count: int = 12) -> str:
        """The end of what the node said."""
        log = self.folder / "node.log"
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        return "\n".join(line[:LINE_MAX] for line in lines[-count:])


def tell_time(client: Client, now: int) -> Stand:
    """The time is `now`."""
    answer = client.ask(Clock(1_000 * now))
    if not isinstance(answer, Stand):
        raise NodeFailed(f"told the time, the sequencer says {answer}")
    return answer


def wait_for_reports(client: Client, now: int) -> Stand:
    """Until the oracles have spoken of a grid second, and the sequencer has seen the time since."""
    limit = time.monotonic() + WAIT_S
    while client.stand().reports_time < now:
        if time.monotonic() > limit:
            raise NodeFailed(f"no reports of second {now} after {WAIT_S:.0f} s")
        time.sleep(POLL_S)
    return tell_time(client, now)


def wait_for_requests(client: Client, count: int) -> Stand:
    """Until the sequencer has the base chain's first `count` requests."""
    limit = time.monotonic() + WAIT_S
    while (stand := client.stand()).inbox_next < count:
        if time.monotonic() > limit:
            raise NodeFailed(f"{stand.inbox_next} of {count} requests after {WAIT_S:.0f} s")
        time.sleep(POLL_S)
    return stand


def wait_for_group(group: int) -> None:
    """Until no process of a killed group runs. NodeFailed if one stays.

    One that has ended and is not yet waited for by the system's first process holds no file and no
    port, and that process may take its time: it does not count.
    """
    limit = time.monotonic() + STOP_S
    while running_in(group):
        if time.monotonic() > limit:
            raise NodeFailed(f"process group {group} runs {STOP_S:.0f} s after SIGKILL")
        time.sleep(POLL_S)


def running_in(group: int) -> set[int]:
    """Threads of a group's processes that have not ended, from /proc (proc(5)).

    Threads, since a process whose first one has ended keeps its files until the last one has.
    """
    found = set()
    for stat in Path("/proc").glob("[0-9]*/task/[0-9]*/stat"):
        try:
            state, _, its_group, *_ = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if int(its_group) == group and state not in "ZX":
            found.add(int(stat.parent.name))
    return found


def write_secret(path: Path, seeds: list[bytes]) -> None:
    """A file of seeds that only this user may read."""
    path.touch(mode=0o600, exist_ok=True)
    path.write_text("".join(seed.hex() + "\n" for seed in seeds), encoding="ascii")
