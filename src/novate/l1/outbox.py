"""One transaction at a time from one account, kept on disk from before it is sent until it is known
what became of it.

A nonce is chosen once and every replacement keeps it, so whatever is sent again, after a crash, a
lost pool or a rise of fees, L1 executes at most one of the versions. The file is written before
the first version leaves: a process that dies in between finds it and goes on, and one that dies
earlier has sent nothing. What a transaction did is read from L1 alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

from novate.l1.blobs import sidecar_of
from novate.l1.client import L1, Receipt
from novate.l1.files import write_atomically
from novate.l1.rpc import L1Error, RpcError, to_bytes, to_hex
from novate.l1.wallet import Fees, L1Wallet, Signed, Transaction

BUMP_AFTER_S: Final = 60
"""Seconds in no block after which a transaction is replaced by one that pays more: five slots."""
SETTLE_S: Final = 0.1
"""A node may count a nonce a moment before it has the receipt. To give a transaction up too early
does no harm: what is done next is again decided by what L1 says."""
FEE_CAP: Final = 2_000 * 10**9
"""wei a gas beyond which no fee is raised."""
DEFERRED: Final = (
    *("underpriced", "nonce too low", "nonce too high", "already used"),
    *("less than block base fee", "fee cap less than"),
)
"""What nodes say when another version, or another process of this account, has the nonce; and when
the base fee has risen beyond what a version offers. Time or `poll` settles both."""


class Fate(Enum):
    """What became of a transaction."""

    DONE = "done"
    FAILED = "failed"
    """In a block, and reverted."""
    SUPERSEDED = "superseded"
    """Another transaction of the account has its nonce: another process sent it."""
    CUT_OFF = "cut off"
    """An earlier transaction of the account vanished with its block. This one waits for a nonce
    that nobody uses, and what it was to do has to be decided again.
    """


class Outcome(NamedTuple):
    """A transaction that is decided."""

    label: str
    fate: Fate
    receipt: Receipt | None
    """Only if a block holds it."""
    error: str = ""
    """Why it failed."""


class Pending(NamedTuple):
    """A transaction under way."""

    label: str
    transaction: Transaction
    nonce: int
    fees: Fees
    versions: tuple[str, ...]
    """Hashes of every version that may have been sent, the latest last."""
    raw: bytes
    """The latest."""
    since: int
    """When the latest was made, unix seconds."""


class Outbox:
    """Sends transactions of one account, one after another."""

    def __init__(
        self,
        l1: L1,
        wallet: L1Wallet,
        path: Path,
        clock: Callable[[], int],
        bump_after_s: int = BUMP_AFTER_S,
    ) -> None:
        """Go on with what `path` holds, if anything. `clock`: unix seconds."""
        self.l1 = l1
        self.wallet = wallet
        self.clock = clock
        self.bump_after_s = bump_after_s
        self._path = path
        self.pending: Pending | None = _read(path)

    def put(self, label: str, transaction: Transaction) -> None:
        """Begin a transaction. L1Error if one is under way.

        Unreachable from here on means nothing is lost: `poll` sends it again.
        """
        if self.pending is not None:
            raise L1Error(f"{label}: {self.pending.label} is still under way")
        nonce = self.l1.nonce(self.wallet.address, "latest")
        self._send(label, transaction, nonce, self._market(transaction), ())

    def poll(self) -> Outcome | None:
        """What became of the transaction under way; None while that is open, or if there is none.

        Sends it again if the node lost it, and replaces it if it waits for too long.
        """
        pending = self.pending
        if pending is None:
            return None
        outcome = self._outcome(pending)
        if outcome is not None:
            self._keep(None)
            return outcome
        if self.clock() - pending.since >= self.bump_after_s:
            self._bump(pending)
        elif not self._is_waiting(pending.versions[-1]):
            self._push(Signed(pending.raw, pending.versions[-1], pending.nonce))
        return None

    def _is_waiting(self, version: str) -> bool:
        """Whether the node has a version in its pool.

        One that it places in a block, though there is no receipt, was in a block that vanished.
        """
        known = self.l1.rpc.call("eth_getTransactionByHash", version)
        return known is not None and known.get("blockHash") is None

    def _outcome(self, pending: Pending) -> Outcome | None:
        """What L1 says of the transaction; None if no block holds a version, or another's."""
        for pause_s in (SETTLE_S, 0.0):
            next_nonce = self.l1.nonce(self.wallet.address, "latest")
            found = self._receipt(pending)
            if found is not None or next_nonce == pending.nonce:
                return found
            time.sleep(pause_s)
        fate = Fate.SUPERSEDED if next_nonce > pending.nonce else Fate.CUT_OFF
        return Outcome(pending.label, fate, None)

    def _receipt(self, pending: Pending) -> Outcome | None:
        """Success or failure of the version that a block holds, if one does."""
        for version in pending.versions:
            receipt = self.l1.receipt(version)
            if receipt is None:
                continue
            if receipt.succeeded:
                return Outcome(pending.label, Fate.DONE, receipt)
            why = self.l1.failure(self.wallet.address, pending.transaction, receipt)
            return Outcome(pending.label, Fate.FAILED, receipt, str(why))
        return None

    def _market(self, transaction: Transaction) -> Fees:
        """What L1 asks now."""
        return self.l1.fees(transaction.sidecar is not None)

    def _bump(self, pending: Pending) -> None:
        """Replace the latest version by one that pays more, up to the cap."""
        fees = pending.fees.bumped(self._market(pending.transaction))
        if max(fees) > FEE_CAP:
            self._push(Signed(pending.raw, pending.versions[-1], pending.nonce))
            return
        self._send(pending.label, pending.transaction, pending.nonce, fees, pending.versions)

    def _send(
        self,
        label: str,
        transaction: Transaction,
        nonce: int,
        fees: Fees,
        earlier: tuple[str, ...],
    ) -> None:
        """Sign a version, keep it, send it."""
        signed = self.wallet.sign(transaction, nonce, fees)
        versions = (*earlier, signed.hash)
        self._keep(Pending(label, transaction, nonce, fees, versions, signed.raw, self.clock()))
        self._push(signed)

    def _push(self, signed: Signed) -> None:
        """Give a version to the node; a refusal that will pass is left to later polls."""
        try:
            self.l1.push(signed)
        except RpcError as error:
            if not any(text in error.message.lower() for text in DEFERRED):
                raise

    def _keep(self, pending: Pending | None) -> None:
        """Write what is under way to disk, whole or not at all, before anything is sent."""
        self.pending = pending
        write_atomically(self._path, json.dumps(_shown(pending)).encode())


def _shown(pending: Pending | None) -> dict[str, Any] | None:
    """The JSON of a pending transaction."""
    if pending is None:
        return None
    sent = pending.transaction
    blobs = () if sent.sidecar is None else sent.sidecar.blobs
    return {
        "label": pending.label,
        "to": sent.to,
        "data": to_hex(sent.data),
        "gas": sent.gas,
        "value": sent.value,
        "blobs": [to_hex(blob) for blob in blobs],
        "nonce": pending.nonce,
        "fees": list(pending.fees),
        "versions": list(pending.versions),
        "raw": to_hex(pending.raw),
        "since": pending.since,
    }


def _read(path: Path) -> Pending | None:
    """The pending transaction that a file holds. L1Error if the file is none of ours."""
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found is None:
            return None
        blobs = [to_bytes(blob) for blob in found["blobs"]]
        transaction = Transaction(
            to=found["to"],
            data=to_bytes(found["data"]),
            gas=found["gas"],
            value=found["value"],
            sidecar=sidecar_of(blobs) if blobs else None,
        )
        return Pending(
            label=found["label"],
            transaction=transaction,
            nonce=found["nonce"],
            fees=Fees(*found["fees"]),
            versions=tuple(found["versions"]),
            raw=to_bytes(found["raw"]),
            since=found["since"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise L1Error(f"{path}: not the state of an outbox: {error!r}") from error
