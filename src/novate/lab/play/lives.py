"""Lives of a node that end by SIGKILL, against a life that does not end.

A node (sequencer and batcher under their watcher) runs in processes of its own and is killed with
all of them at a random moment, while a client plays into it. Between lives a torn write may be
left at the log's end, as a power cut would. One desk in this process, on the specification and the
reference book, follows the same log from genesis and is never restarted: what was acknowledged must
be in the log, and must have come to what that desk says.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Timer
from typing import Final

from novate.book.exchange import Exchange
from novate.l1.submission import Queue
from novate.lab.play.scene import FIRST, LIMITS, SEQUENCER_KEY, SEQUENCER_SEED, Group, Scene, play
from novate.lab.play.spec_engine import SpecKit
from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.client import Client
from novate.node.config import write_genesis
from novate.node.desk import Desk
from novate.node.log import read_log, segment_paths
from novate.node.outcome import Outcome
from novate.node.protocol import Clock, Message, RequestsFrom
from novate.node.receipts import Receipt, Venue, verify_receipts
from novate.node.records import decode_stamped
from novate.node.restart import keep, log_folder
from novate.node.segment import chain, frame_of, hash_record
from novate.node.sequencer import Ack, Stand
from novate.spec.commitment import commit
from novate.spec.messages.account import SignedCancelAll

SOURCES: Final = Path(__file__).resolve().parents[3]
ACT_GROUPS: Final = 600
"""Groups of one act: five minutes of play."""
AHEAD: Final = 3
"""Groups sent before the answers of the first are awaited."""
CATCH_UP_S: Final = 300.0
"""How long the batcher may take for all batches of a run, seconds."""
CONFIG: Final = """
[node]
folder = "node"
genesis = "genesis.json"
socket = "door"
clock = "told"

[sequencer]
key = "sequencer.key"
"""


class Lost(AssertionError):
    """An acknowledged record is not in the log, or came to something else."""


@dataclass
class Lives:
    """One node, one play, many lives."""

    folder: Path
    seed: int
    role: str | None = None
    """The process to run; None: all under the watcher."""
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Write configuration, genesis and keys; begin the life that does not end."""
        self.scene = Scene()
        genesis = self.scene.world.state
        self.folder.mkdir(parents=True, exist_ok=True)
        limits = "".join(f"{name} = {value}\n" for name, value in vars(LIMITS).items())
        self.config = self.folder / "node.toml"
        self.config.write_text(CONFIG + limits)
        write_genesis(self.folder / "genesis.json", genesis)
        key = self.folder / "sequencer.key"
        key.write_text(SEQUENCER_SEED.hex())
        key.chmod(0o600)
        primitives = NativePrimitives()
        kit = SpecKit()
        root = commit(genesis, primitives).root
        self._archive = Archive(self.folder / "witness", kit, genesis, root)
        self._desk = Desk(genesis, kit, Exchange, self._archive.state_at)
        self._outcomes: dict[int, Outcome] = {}
        self._hashes: dict[int, tuple[bytes, bytes]] = {}
        self._act = 0
        self._acked: list[Ack] = []
        self._resume()
        self._random = Random(self.seed + self.counts["lives"])
        self._groups = self._acts()

    def _resume(self) -> None:
        """Go on where an earlier run of this folder and seed was cut off."""
        path = self.folder / "lives.json"
        if not path.exists():
            return
        kept = json.loads(path.read_text())
        if kept["seed"] != self.seed:
            raise ValueError(f"{path} is of seed {kept['seed']}, not of {self.seed}")
        self.counts.update(kept["counts"])
        for name in ("records", "batches"):  # read again from the log
            self.counts[name] = 0
        self._act, self.scene.nonce, self.scene.price = kept["act"], kept["nonce"], kept["price"]

    def _keep(self) -> None:
        """Remember where the run is, so that it can be cut off."""
        kept = {
            "seed": self.seed,
            "counts": dict(self.counts),
            "act": self._act,
            "nonce": self.scene.nonce,
            "price": self.scene.price,
        }
        fresh = self.folder / "lives.new"
        fresh.write_text(json.dumps(kept))
        fresh.replace(self.folder / "lives.json")

    # The play.

    def _acts(self) -> Iterator[Group]:
        """The opening of the venue if this is the first run, then inputs without end."""
        if self._act == 0:
            for second in range(FIRST, FIRST + 20, 5):
                yield Group(1_000 * second, None, [])
        for number in range(self._act, 1 << 30):
            self._act = number + 1
            yield from play(self.scene, self.seed + number, ACT_GROUPS, start=number * ACT_GROUPS)

    def _messages(self, group: Group) -> list[Message]:
        """What is sent for one group."""
        second = group.time_ms // 1_000
        found: list[Message] = []
        if second < FIRST + 20 or group.index_price is not None:
            prices = () if group.index_price is None else (group.index_price,)
            found += self.scene.reports(second - second % 5, *prices)
        return [*found, Clock(group.time_ms), *group.inputs]

    # One life.

    def live(self, kill_after_s: float) -> None:
        """Start the node, play until it is killed, look at what it left."""
        process = self._start()
        timer = Timer(kill_after_s, self._kill, [process])
        try:
            with Client(self.folder / "door", self.scene.world.state.preset) as client:
                self._greet(client)
                timer.start()
                self._play(client)
        except ConnectionError:
            self.counts["connections cut"] += 1
        finally:
            timer.cancel()
            self._kill(process)
            process.wait()
        self.counts["lives"] += 1
        self._judge()
        if self._random.random() < 0.4:
            self._tear()
        self._keep()

    def stop(self) -> None:
        """One last life with a clean stop, then a final look at log and queue."""
        process = self._start()
        with Client(self.folder / "door", self.scene.world.state.preset) as client:
            self._greet(client)
            for _ in range(20):
                self._answers(client, self._send(client))
            if self.role is None:
                self._await_batch(client.stand().batch)
        process.send_signal(signal.SIGTERM)
        code = process.wait()
        if code != 0:
            raise Lost(f"a clean stop ended with {code}")
        self._judge()
        if self.role is None:
            self._judge_queue()

    def _await_batch(self, number: int) -> None:
        """Wait for the batcher. Lost if it does not come."""
        queue = Queue(self.folder / "node" / "queue")
        end = time.monotonic() + CATCH_UP_S
        while queue.get(number) is None:
            if time.monotonic() > end:
                raise Lost(f"batch {number} is not in the queue after {CATCH_UP_S:.0f} s")
            time.sleep(0.1)

    def _start(self) -> subprocess.Popen[bytes]:
        """A node in a process group of its own."""
        roles = [] if self.role is None else [self.role]
        command = [sys.executable, "-m", "novate.cli", "node", *roles, "--config"]
        environment = {**os.environ, "PYTHONPATH": str(SOURCES), "RAYON_NUM_THREADS": "1"}
        with open(self.folder / "node.err", "ab") as errors:
            return subprocess.Popen(
                [*command, str(self.config)],
                env=environment,
                stderr=errors,
                start_new_session=True,
            )

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to every process of the node; nothing if they are gone."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            self.counts["ended before they were killed"] += 1

    def _greet(self, client: Client) -> None:
        """Compare where the node stands; tell it the requests of L1 that it does not have."""
        stand = client.stand()
        self.follow(stand)
        self._learn_epochs()
        requests = tuple(self.scene.requests())[stand.inbox_next :]
        reason = client.tell(RequestsFrom(stand.inbox_next, requests))
        if reason:
            raise Lost(f"requests from {stand.inbox_next}: {reason}")

    def _learn_epochs(self) -> None:
        """What traders sign under from now on: a cancel that was lost did not raise their epoch."""
        for account in self.scene.wallets:
            if account < self._desk.system.account_count:
                epoch = self._desk.engine.account(account).cancel_epoch
                waiting = [
                    c for _, c in self._desk.pending_changes if isinstance(c, SignedCancelAll)
                ]
                epoch += sum(change.message.account == account for change in waiting)
                self.scene.epochs[account] = epoch

    def _play(self, client: Client) -> None:
        """Groups without end, some ahead of their answers."""
        outstanding: list[int] = []
        while True:
            outstanding.append(self._send(client))
            if len(outstanding) > AHEAD:
                self._answers(client, outstanding.pop(0))

    def _send(self, client: Client) -> int:
        """Send the next group; returns the number of answers to come."""
        messages = self._messages(next(self._groups))
        client.send(messages)
        return len(messages)

    def _answers(self, client: Client, count: int) -> None:
        """Keep the acknowledgements among the answers."""
        for _ in range(count):
            answer = client.receive()
            if isinstance(answer, Ack) and answer.receipt is not None:
                self._acked.append(answer)

    # What is left.

    def follow(self, stand: Stand) -> None:
        """The life without end reads what is new in the log; it must stand where the node does."""
        for entry in read_log(log_folder(self.folder / "node"), len(self._hashes)):
            if entry.sequence > stand.sequence:
                break
            self._apply(entry.sequence, entry.payload)
            self._hashes[entry.sequence] = entry.record_hash, entry.running_hash
        ours = len(self._hashes), self._desk.system.batch_number, self._desk.engine.roots().root
        if ours != (stand.sequence, stand.batch, stand.root):
            raise Lost(f"the restarted node stands at {stand}, the life without end at {ours}")
        self.counts["roots compared"] += 1

    def _apply(self, sequence: int, payload: bytes) -> None:
        """One record in the life without end."""
        stamped = decode_stamped(payload, self._desk.preset)
        outcome = self._desk.apply(sequence, stamped)
        keep(self._archive, sequence, stamped.record, outcome)
        self._outcomes[sequence] = outcome._replace(events=(), sealed=None)
        self.counts["records"] += 1
        self.counts["batches"] += int(outcome.sealed is not None)

    def _judge(self) -> None:
        """Every acknowledgement of the last life is in the log, and came to what it says."""
        for entry in read_log(log_folder(self.folder / "node"), len(self._hashes)):
            self._apply(entry.sequence, entry.payload)
            self._hashes[entry.sequence] = entry.record_hash, entry.running_hash
        receipts = []
        for ack in self._acked:
            receipt = ack.receipt
            assert receipt is not None
            self._require(ack, receipt)
            receipts.append(receipt)
        parameters = self.scene.world.state.parameters
        venue = Venue(parameters.chain_id, parameters.settlement_contract)
        if not all(verify_receipts(SEQUENCER_KEY, venue, receipts, NativePrimitives())):
            raise Lost("a receipt is not signed by the sequencer")
        self.counts["acknowledged"] += len(receipts)
        self._acked.clear()

    def _require(self, ack: Ack, receipt: Receipt) -> None:
        """Lost unless the record stands and came to what was acknowledged."""
        found = self._hashes.get(receipt.sequence)
        if found != (receipt.record_hash, receipt.running_hash):
            raise Lost(f"record {receipt.sequence} was acknowledged and is not in the log")
        outcome = self._outcomes[receipt.sequence]
        said = ack.reason, ack.order_id, ack.filled, ack.open
        if said != (str(outcome.reason), *outcome[1:4]):
            raise Lost(f"record {receipt.sequence}: acknowledged {said}, the replay has {outcome}")
        self.counts["fills acknowledged"] += int(ack.filled > 0)

    def _tear(self) -> None:
        """Leave part of a frame that nobody was told of at the end of the log."""
        path = segment_paths(log_folder(self.folder / "node"))[-1]
        sequence = len(self._hashes) + 1
        payload = self._random.randbytes(self._random.randint(1, 300))
        running = self._hashes[sequence - 1][1] if sequence > 1 else bytes(32)
        whole = frame_of(sequence, payload, chain(running, sequence, hash_record(payload)))
        part = whole[: self._random.randrange(1, len(whole))]
        with open(path, "ab") as file:
            file.write(part + bytes(self._random.choice((0, 0, len(whole) - len(part)))))
        self.counts["torn tails"] += 1

    def _judge_queue(self) -> None:
        """Every batch the log sealed is queued for L1 as sealed, but one sealed at the end."""
        queue = Queue(self.folder / "node" / "queue")
        last = self._desk.system.batch_number
        for number in range(1, last + 1):
            submission = queue.get(number)
            sealed = self._archive.batches(number)[0]
            if submission is None:
                if number < last:
                    raise Lost(f"batch {number} of {last} is not in the queue")
                continue
            if submission.header.root_after != sealed.root or submission.data != sealed.data:
                raise Lost(f"batch {number} in the queue is not the one that was sealed")
            self.counts["batches queued for L1"] += 1
