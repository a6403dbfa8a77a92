"""Brings sealed batches and proofs to L1 and makes batches final: one transaction at a time.

What is committed is read from L1 at every step, never remembered: so a crash, a reorganisation, a
stopped L1 or a second submitter changes what the next step does, and nothing else. A batch is sent
only if it follows the last one on L1 and its commit would succeed now; the contract takes a number
once, the outbox a nonce once, so a batch is committed once whoever sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from novate.l1.abi import ContractError
from novate.l1.blobs import Sidecar, blob_of, opening_proof, sidecar_of
from novate.l1.client import L1, Contract
from novate.l1.follower import Follower
from novate.l1.history import Commit, History
from novate.l1.outbox import Fate, Outbox, Outcome
from novate.l1.rpc import L1Error
from novate.l1.submission import Queue, Submission
from novate.l1.wallet import GAS_MAX, Transaction
from novate.spec.crypto import goldilocks
from novate.spec.public_data.header import DataForm, encode_header
from novate.spec.public_data.opening import Carrier, data_point
from novate.spec.public_data.withdrawals import PAYMENT_BYTES

FINALIZE_MAX: Final = 16
"""Batches made final in one transaction."""
SAFE_DEPTH: Final = 64
"""Blocks on a finality event before the batch's file is forgotten: one epoch and more."""

# Gas limits: bounds above what the contracts use, which `bench/l1_cost.py` measures. A limit costs
# nothing that is not used.
COMMIT_GAS: Final = 700_000
BYTE_GAS: Final = 44
"""40 by the floor of EIP-7623 for a byte that is not zero; Horner and hashing on a plain 16 are
less."""
PAYMENT_GAS: Final = 2_500
"""Leaf and inner node of the withdrawals' tree, and reading."""
BLOB_GAS_LIMIT: Final = 120_000
FINALIZE_GAS: Final = 250_000
"""A batch."""
RETRY_BITS_MAX: Final = 10
"""A transaction that keeps reverting is tried every 2^10 blocks, three and a half hours."""
PROVE_GAS: Final = GAS_MAX
"""Whatever a verifier takes."""


class Stale(NamedTuple):
    """The next batch in the queue does not follow what is on L1: it is to be made again."""

    number: int
    why: str


class Refused(NamedTuple):
    """The contract would not take the next batch now."""

    number: int
    error: ContractError


class Began(NamedTuple):
    """A transaction is under way."""

    label: str


Happened = Stale | Refused | Began | Outcome


@dataclass
class Submitter:
    """One submitter of one sequencer's account."""

    l1: L1
    settlement: Contract
    follower: Follower
    """Of the settlement contract, and of the parameters'."""
    history: History
    queue: Queue
    outbox: Outbox
    challenge_window: int
    """Blocks; as deployed."""
    proofs: Callable[[Commit], bytes | None] = lambda batch: None
    """The proof of a batch if there is one: it says where its payee is this account."""
    _turn: int = 0
    """Who is asked first: commits, proofs and finality take turns, so that none waits for ever."""
    _failed: bytes = b""
    """Calldata of the last transaction that reverted."""
    _failures: int = 0
    """How often in a row it did."""
    _retry_block: int = 0
    """L1 block from which it may be paid for again: it may have been the block's time, or another
    sequencer's commit that a reorganisation then removed."""
    _prepared: tuple[tuple[bytes, Submission], Transaction] | None = None
    """The last commit made, by parent and batch: openings of blobs take a second."""

    def step(self) -> Happened | None:
        """Do what can be done now; None if there is nothing, or a transaction still waits.

        Unreachable while L1 is stopped: call again later, nothing is lost.
        """
        waiting = self.outbox.pending
        outcome = self.outbox.poll()
        if waiting is not None:
            if outcome is not None and outcome.fate == Fate.FAILED:
                self._note_failure(waiting.transaction.data)
            return outcome
        self.history.follow(self.follower)
        self._forget()
        turns = (self._finalize, self._commit, self._prove)
        found: Happened | None = None
        for place in range(self._turn, self._turn + len(turns)):
            happened = turns[place % len(turns)]()
            if isinstance(happened, Began):
                self._turn = (place + 1) % len(turns)
                return happened
            found = found or happened
        return found

    def _note_failure(self, data: bytes) -> None:
        """Wait twice as long before each further attempt at the same."""
        self._failures = self._failures + 1 if data == self._failed else 1
        self._failed = data
        self._retry_block = self.l1.height() + 2 ** min(self._failures, RETRY_BITS_MAX)

    def _commit(self) -> Happened | None:
        """Send the batch after the last committed one, if the queue has it and it fits."""
        number = self.history.committed + 1
        submission = None if self.history.frozen else self.queue.get(number)
        if submission is None:
            return None
        parent = self.history.standing[number - 1]
        why = misfit(submission, parent, self.history.fork)
        if why:
            return Stale(number, why)
        key = parent.hash, submission
        if self._prepared is None or self._prepared[0] != key:
            self._prepared = key, commit_transaction(self.settlement, parent, submission)
        return self._begin(f"commit {number}", number, self._prepared[1])

    def _begin(self, label: str, number: int, transaction: Transaction) -> Happened | None:
        """Send a transaction that would succeed now."""
        if transaction.data == self._failed and self.l1.height() < self._retry_block:
            return None
        try:
            self.l1.simulate(transaction, self.outbox.wallet.address)
        except ContractError as error:
            return Refused(number, error)
        self.outbox.put(label, transaction)
        return Began(label)

    def _prove(self) -> Happened | None:
        """Send the proof of the oldest batch that has one and is not proven."""
        for number in range(self.history.finalized + 1, self.history.committed + 1):
            batch = self.history.standing[number]
            proof = None if number in self.history.proven else self.proofs(batch)
            if proof is not None:
                payee = self.outbox.wallet.address
                data = self.settlement.artifact.call("prove", batch.struct, payee, proof)
                transaction = Transaction(self.settlement.address, data, PROVE_GAS)
                return self._begin(f"prove {number}", number, transaction)
        return None

    def _finalize(self) -> Happened | None:
        """Make final what can be."""
        ready = self._finalizable()
        if not ready or not self.l1.view(self.settlement, "isFinalizable", ready[0].struct):
            return None
        data = self.settlement.artifact.call("finalize", [batch.struct for batch in ready])
        first, last = ready[0].number, ready[-1].number
        transaction = Transaction(self.settlement.address, data, FINALIZE_GAS * len(ready))
        return self._begin(f"finalize {first} to {last}", first, transaction)

    def _finalizable(self) -> list[Commit]:
        """The next batches that proof or window has made ready, in order."""
        height = self.l1.height()
        ready: list[Commit] = []
        for number in range(self.history.finalized + 1, self.history.committed + 1):
            batch = self.history.standing[number]
            waited = height > batch.block + self.challenge_window
            by_window = batch.header.form == DataForm.FULL and waited
            contested = number in self.history.challengers
            if len(ready) == FINALIZE_MAX or contested:
                break
            if number not in self.history.proven and not by_window:
                break
            ready.append(batch)
        return ready

    def _forget(self) -> None:
        """Remove files of batches that have been final for long."""
        settled = self.history.finalized_by(self.l1.height() - SAFE_DEPTH)
        if settled:
            self.queue.forget(settled)


def misfit(submission: Submission, parent: Commit, fork: int) -> str:
    """Why a batch does not follow another on L1; empty if it does."""
    header = submission.header
    if header.settlement_root_before != parent.header.settlement_root_after:
        return f"settlement root before is not that after batch {parent.number} on L1"
    if header.root_before != parent.header.root_after:
        return f"root before is not that after batch {parent.number} on L1"
    if header.fork != fork:
        return f"fork = {header.fork}, L1 is at {fork}"
    if header.inbox_before != parent.header.inbox_after:
        return f"inbox before = {header.inbox_before}, {parent.header.inbox_after} on L1"
    return ""


def commit_transaction(settlement: Contract, parent: Commit, submission: Submission) -> Transaction:
    """The transaction that commits a batch. L1Error if it exceeds what L1 lets one have."""
    header = encode_header(submission.header)
    digest = b"".join(goldilocks.to_bytes(element) for element in submission.digest)
    contract_data = submission.calldata
    name, sidecar = "commitCalldata", None
    data: object = submission.data
    if submission.blobs:
        blobs = [blob_of(part.data) for part in submission.blobs]
        sidecar = sidecar_of(blobs)
        name, data = "commitBlobs", blob_openings(submission, header, sidecar)
    calldata = settlement.artifact.call(name, parent.struct, header, digest, data, contract_data)
    gas = commit_gas(calldata, len(contract_data), len(submission.blobs))
    if gas > GAS_MAX:
        raise L1Error(
            f"batch {submission.header.number}: {len(calldata)} bytes of calldata need up to {gas}"
            f" gas, a transaction has at most {GAS_MAX}: use blobs, or smaller batches"
        )
    return Transaction(settlement.address, calldata, gas, sidecar=sidecar)


def blob_openings(
    submission: Submission, header: bytes, sidecar: Sidecar
) -> list[tuple[int, int, bytes, bytes]]:
    """Length, y, commitment and proof of each blob, opened at the batch's z."""
    waiting = sidecar.versioned_hashes()
    carriers = [
        waiting.pop(0) if part.carrier == Carrier.BLOB else bytes(keccak(part.data))
        for part in submission.parts
    ]
    point = data_point(submission.digest, carriers, header)
    openings = []
    for part, blob, commitment in zip(
        submission.blobs, sidecar.blobs, sidecar.commitments, strict=True
    ):
        proof, value = opening_proof(blob, point)
        openings.append((len(part.data), value, commitment, proof))
    return openings


def commit_gas(data: bytes, contract_bytes: int, blobs: int) -> int:
    """A bound above the gas of a commit."""
    zero = data.count(0)
    intrinsic = 10 * zero + BYTE_GAS * (len(data) - zero)
    payments = contract_bytes // PAYMENT_BYTES
    return COMMIT_GAS + intrinsic + PAYMENT_GAS * payments + BLOB_GAS_LIMIT * blobs


def failed(happened: Happened | None) -> bool:
    """Whether something happened that a person, or the batcher, has to look at."""
    if isinstance(happened, Outcome):
        return happened.fate == Fate.FAILED
    return isinstance(happened, Stale | Refused)
