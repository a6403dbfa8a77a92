"""The sequencer: one writer that gives every record its place and seals rounds and batches.

What users send is checked (signature), given to the desk, logged, and acknowledged with a signed
receipt after the log is durable: a whole group in one sync. Rounds end on drift of the price, age,
size, and at 08:00 UTC; batches on their number of rounds, size, age, and for what only the begin of
one can bring: requests from L1, new parameters, a new fork. After every record the open round
could be sealed. If anything unforeseen happens the process must end: the log knows better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from novate.node.archive import Archive, SnapshotFile
from novate.node.image import encode_desk
from novate.node.log import Log
from novate.node.outcome import Notice, Outcome
from novate.node.port import EngineKit
from novate.node.receipts import Receipt, Venue, sign_receipts
from novate.node.records import (
    BeginBatch,
    Input,
    LogRecord,
    OpenRound,
    Rewind,
    SealBatch,
    SealedBatch,
    SealRound,
    Stamped,
    encode_stamped,
)
from novate.node.reports import ReportPool
from novate.node.restart import Restarted, keep
from novate.node.segment import Entry
from novate.node.signatures import objections
from novate.spec.bounds import DAY_S, ORACLE_GRID_S
from novate.spec.instruments import day_of, expiry_time
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.inbox import Request
from novate.spec.messages.oracle import SignedReport
from novate.spec.parameters import Parameters
from novate.spec.primitives import Digest, Primitives
from novate.spec.state import Market

PPM: Final = 1_000_000
BLIND_FACTOR: Final = 2
"""Without new reports a round may be this many times older before the next opens without any."""


@dataclass(frozen=True)
class Limits:
    """When rounds and batches end."""

    round_age_s: int = 30
    drift_ppm: int = 5_000
    """Move of a market's index since the round opened."""
    fills_per_round: int = 4_000
    rounds_per_batch: int = 4
    fills_per_batch: int = 8_000
    batch_age_s: int = 120
    snapshot_every: int = 50_000
    """Records after which the next sealed batch is followed by a snapshot."""
    snapshots_kept: int = 4


class Ack(NamedTuple):
    """The answer to one input."""

    reason: str
    """'' if it was taken."""
    order_id: int
    filled: int
    open: int
    receipt: Receipt | None
    """None if it was not logged: nobody signed it."""


class Stand(NamedTuple):
    """Where the sequencer stands."""

    sequence: int
    batch: int
    """The last sealed one."""
    root: Digest
    inbox_next: int
    """Index of the first request from L1 that it does not have yet."""
    time_ms: int
    fork: int
    round_time: int
    """When the open round was opened, unix seconds; 0: none is open."""
    reports_time: int
    """The newest second of which every market has a quorum of reports; 0: there is none."""


class Sequencer:
    """The only writer of one log."""

    def __init__(
        self,
        log: Log,
        archive: Archive,
        kit: EngineKit,
        limits: Limits,
        primitives: Primitives,
        secret: int,
        back: Restarted,
    ) -> None:
        """Go on where `restart` left the desk. `secret` signs receipts."""
        self.desk = desk = back.desk
        self.log = log
        self.archive = archive
        self.limits = limits
        self.notices: list[Notice] = []
        """What became of queued records; whoever reads them clears the list."""
        self._kit = kit
        self._primitives = primitives
        self._secret = secret
        self._time_ms = back.time_ms
        self._pool = ReportPool()
        self._requests: dict[int, Request] = {}
        self._fork = desk.domain.fork
        self._parameters: Parameters | None = None
        self._reset_slots = False
        self._snapshot_at = back.snapshot
        self._halted = is_any_halted(desk.engine.state().markets)

    # What comes in.

    def take(self, inputs: Sequence[Input], now_ms: int) -> list[Ack]:
        """Answer a group of inputs; their records are durable when this returns."""
        self.tick(now_ms)
        now_ms = self._time_ms
        reasons = objections(
            inputs, self.desk.domain, self.desk.floor.identity, now_ms // 1_000, self._primitives
        )
        done: list[tuple[Outcome, Entry] | None] = []
        for record, reason in zip(inputs, reasons, strict=True):
            if reason:
                done.append(None)
                continue
            if self._is_full():
                self._turn(now_ms, may_change=False)
            done.append(self._write(record, now_ms))
        self.log.commit()
        venue = Venue(self.desk.parameters.chain_id, self.desk.parameters.settlement_contract)
        written = [(found[1], now_ms) for found in done if found is not None]
        receipts = iter(sign_receipts(self._secret, venue, written, self._primitives))
        return [
            Ack(reason, 0, 0, 0, None)
            if found is None
            else Ack(found[0].reason, *found[0][1:4], next(receipts))
            for reason, found in zip(reasons, done, strict=True)
        ]

    def report(self, signed: SignedReport) -> None:
        """A report whose signature was found good."""
        self._pool.add(signed)

    def request(self, index: int, request: Request) -> str:
        """L1's request number `index`; '' or why it is not taken. Known ones are passed over."""
        if index > self.stand().inbox_next:
            return f"request {index} before request {self.stand().inbox_next}"
        self._requests.setdefault(index, request)
        return ""

    def follow_parameters(self, parameters: Parameters) -> None:
        """The parameters in force on L1: the next batch brings them if it must."""
        self._parameters = parameters if parameters != self.desk.parameters else None

    def reset_slots(self) -> None:
        """The next batch begins with empty slots: every open order dies, no money moves."""
        self._reset_slots = True

    def rewind(self, number: int, root: Digest, fork: int, now_ms: int) -> None:
        """L1 reverted every batch above `number`: go on from that one's state under a new fork."""
        self._time_ms = max(self._time_ms, now_ms)
        record = Rewind(number, root)
        outcome, entry = self._write(record, self._time_ms)
        self.log.commit()
        keep(self.archive, entry.sequence, record, outcome)
        self._fork = max(self._fork, fork)
        self._halted = is_any_halted(self.desk.engine.state().markets)

    def stand(self) -> Stand:
        """Where the sequencer stands."""
        known = self._cursor
        while known in self._requests:
            known += 1
        return Stand(
            self.log.sequence,
            self.desk.system.batch_number,
            self.desk.engine.roots().root,
            known,
            self._time_ms,
            self.desk.domain.fork,
            self.desk.round_time if self.desk.round_open else 0,
            self._pool.complete(self.desk.parameters),
        )

    @property
    def _cursor(self) -> int:
        """The first request that neither a sealed batch nor the open one took."""
        return self.desk.system.inbox_cursor + self.desk.requests_taken

    # Rounds and batches.

    def tick(self, now_ms: int) -> None:
        """Let time pass: seal what is over, open what is next, and make it durable."""
        self._time_ms = now_ms = max(self._time_ms, now_ms)
        if not self.desk.round_open or self._is_over(now_ms // 1_000) or self._is_full():
            self._turn(now_ms)
        self.log.commit()

    def _is_full(self) -> bool:
        """Whether the open round is as large as a round may be."""
        clearing, preset = self.desk.floor.clearing, self.desk.preset
        fills = self.desk.round_open and (
            clearing.fills_of_round >= min(self.limits.fills_per_round, preset.fills_max // 2)
            or clearing.fills >= preset.fills_max - preset.fills_max // 8
        )
        return fills or clearing.orders_of_round >= preset.records_max - preset.records_max // 8

    def _is_over(self, now: int) -> bool:
        """Whether the open round has to end at this second, and another can open."""
        opened = self.desk.round_time
        time = grid(now)
        if time <= opened:
            return False
        if time >= next_fixing(opened):
            return True
        age = now - opened
        if age >= BLIND_FACTOR * self.limits.round_age_s:
            return True
        fresh = bool(self._quorums(time))
        return fresh and (age >= self.limits.round_age_s or self._halted or self._has_drifted())

    def _has_drifted(self) -> bool:
        """Whether a market's price has left that of the open round."""
        for underlying, opened in self.desk.opened.items():
            price, before = self._pool.price(underlying), opened.index_price
            if price is not None and abs(price - before) * PPM >= before * self.limits.drift_ppm:
                return True
        return False

    def _turn(self, now_ms: int, may_change: bool = True) -> None:
        """Seal the open round, the batch if it is over, and open the next.

        `may_change`: whether the fork may change with it; not amid a group judged under the old.
        """
        if self.desk.round_open:
            self._write(SealRound(), now_ms)
        if self.desk.batch_open and self.desk.rounds and self._batch_is_over(now_ms // 1_000):
            self._seal_batch(now_ms)
        if not self.desk.batch_open:
            self._begin_batch(now_ms, may_change)
        if self.desk.batch_open:
            self._open_round(now_ms)

    def _batch_is_over(self, now: int) -> bool:
        """Whether the open batch ends with this round."""
        limits, preset = self.limits, self.desk.preset
        most = min(limits.fills_per_batch, preset.fills_max - preset.fills_max // 8)
        return (
            self.desk.rounds >= min(limits.rounds_per_batch, preset.rounds_max)
            or self.desk.floor.clearing.fills >= most
            or now - self.desk.batch_time >= limits.batch_age_s
            or self._waits_for_a_batch()
        )

    def _waits_for_a_batch(self) -> bool:
        """Whether something waits that only the begin of a batch can bring."""
        next_request = self._cursor in self._requests
        fork = self._fork > self.desk.domain.fork
        return next_request or fork or self._parameters is not None or self._reset_slots

    def _seal_batch(self, now_ms: int) -> None:
        """Seal the batch, keep it, and take a snapshot if it is time for one."""
        outcome, sealing = self._write(SealBatch(), now_ms)
        assert outcome.sealed is not None
        journal = outcome.sealed.journal
        assert journal.roots_after is not None
        assert journal.after is not None
        number, root = outcome.sealed.batch.number, journal.roots_after.root
        _, entry = self._write(SealedBatch(number, root), now_ms)
        self.log.commit()
        keep(self.archive, sealing.sequence, SealBatch(), outcome)
        self._halted = is_any_halted(journal.after.markets)
        self._forget_requests()
        if self.log.sequence - self._snapshot_at >= self.limits.snapshot_every:
            self._take_snapshot(entry, number, root)

    def _take_snapshot(self, entry: Entry, number: int, root: Digest) -> None:
        """Keep the desk as it stands after a record."""
        desk = encode_desk(self.desk, self._kit)
        place = entry.sequence, self._time_ms, entry.running_hash
        snapshot = SnapshotFile(*place, number, root, desk)
        self.archive.put_snapshot(snapshot, self.limits.snapshots_kept)
        self._snapshot_at = entry.sequence

    def _forget_requests(self) -> None:
        """Requests below the cursor stay for a while: a revert may ask for them again."""
        oldest = self.desk.system.inbox_cursor - REQUESTS_KEPT
        self._requests = {i: request for i, request in self._requests.items() if i >= oldest}

    def _begin_batch(self, now_ms: int, may_change: bool) -> None:
        """Begin a batch under what L1 says now."""
        fork = self._fork if may_change else self.desk.domain.fork
        record = BeginBatch(fork, self._parameters, self._reset_slots)
        outcome = self._write_if_taken(record, now_ms)
        if outcome.reason:  # parameters that the law refuses must not stop the venue
            self._parameters = None
            self._write_if_taken(BeginBatch(fork, None, self._reset_slots), now_ms)
        self._parameters, self._reset_slots = None, False

    def _open_round(self, now_ms: int) -> None:
        """Open a round with every quorum and, first in its batch, with L1's requests."""
        time = max(grid(now_ms // 1_000), self.desk.round_time)
        reports = self._quorums(time)
        requests = self._next_requests() if self.desk.rounds == 0 else ()
        tries = [(reports, requests), (reports, ()), ((), ())]
        for with_reports, with_requests in dict.fromkeys(tries):
            record = OpenRound(time, with_reports, with_requests)
            if not self._write_if_taken(record, now_ms).reason:
                return
            if not with_requests:
                self._pool.spoil(with_reports)

    def _quorums(self, time: int) -> tuple[MarketReports, ...]:
        """A quorum for every market that has a new one."""
        parameters = self.desk.parameters
        found = (
            self._pool.quorum(underlying, self._latest(underlying), time, parameters)
            for underlying in range(len(parameters.markets))
        )
        return tuple(quorum for quorum in found if quorum is not None)

    def _latest(self, underlying: int) -> int:
        """Time of the last reports of a market that opened a round; 0 without any."""
        opened = self.desk.opened.get(underlying)
        return opened.time if opened is not None else 0

    def _next_requests(self) -> tuple[Request, ...]:
        """The requests that the batch has to take, in L1's order."""
        first = self._cursor
        found: list[Request] = []
        while len(found) < self.desk.preset.inbox_max and first + len(found) in self._requests:
            found.append(self._requests[first + len(found)])
        return tuple(found)

    # The log.

    def _write(self, record: LogRecord, now_ms: int) -> tuple[Outcome, Entry]:
        """Apply a record and append it to the log; it is durable after the next commit."""
        stamped = Stamped(now_ms, record)
        payload = encode_stamped(stamped, self.desk.preset)
        outcome = self.desk.apply(self.log.sequence + 1, stamped)
        self.notices += outcome.notices
        return outcome, self.log.append(payload)

    def _write_if_taken(self, record: BeginBatch | OpenRound, now_ms: int) -> Outcome:
        """The same of a record that is logged only if the law takes it: else nothing happened."""
        stamped = Stamped(now_ms, record)
        payload = encode_stamped(stamped, self.desk.preset)
        outcome = self.desk.apply(self.log.sequence + 1, stamped)
        if not outcome.reason:
            self.notices += outcome.notices
            self.log.append(payload)
        return outcome


REQUESTS_KEPT: Final = 4_096


def is_any_halted(markets: Sequence[Market]) -> bool:
    """Whether a market waits for agreeing snapshots: rounds then follow them one by one."""
    return any(market.halt.since for market in markets)


def grid(now: int) -> int:
    """The last grid second."""
    return now - now % ORACLE_GRID_S


def next_fixing(time: int) -> int:
    """The next 08:00 UTC after a time: no round may be open across it."""
    today = expiry_time(day_of(time))
    return today if today > time else today + DAY_S
