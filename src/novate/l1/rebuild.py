"""The state from L1 alone: events, then the published data of every batch that stands.

`full` data are replayed through a law that is passed in, `diff` data are applied; after each batch
the settlement root must be the header's, after a replayed one the root and the contract's part too:
a `full` batch that fails here is one to challenge. Reverted batches are not read at all. Every few
batches the state is kept in a file under the batch's hash, so that a rebuild that was cut off, or
is run again a day later, goes on; a reorganisation or a revert makes it go back to the last file
whose batch still stands. It uses memory for one state and, of each batch, what its event says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from novate.l1.abi import Artifact
from novate.l1.batch_data import Published, published
from novate.l1.blob_sources import BlobSource, node_blobs
from novate.l1.files import write_atomically
from novate.l1.history import Commit, History
from novate.l1.rpc import L1Error, Rpc
from novate.spec.batch import apply_batch
from novate.spec.commitment import build_trees, commit, roots_of, update_trees
from novate.spec.crypto import goldilocks, merkle
from novate.spec.errors import DecodeError, LawError
from novate.spec.journal import Journal
from novate.spec.primitives import Digest, Primitives
from novate.spec.public_data.calldata import calldata_of, encode_calldata
from novate.spec.public_data.diff import apply_diff
from novate.spec.public_data.full import decode_full
from novate.spec.public_data.header import DataForm
from novate.spec.state import State, Trees

CHECKPOINT_EVERY: Final = 64
"""Batches between two files: each costs the writing of the whole state."""
KEPT: Final = 3
"""Files kept: a revert takes the newest away, seldom more."""
MAGIC: Final = b"novate state 1\n"
HASH_BYTES: Final = 32


class Law(Protocol):
    """What replays `full` data: a state, and batches that move it on."""

    def state(self) -> State:
        """The state now."""

    def apply_data(self, data: bytes) -> Journal:
        """Judge a batch in `full` form and go on to the next state. LawError: nothing changed."""


class StateCodec(NamedTuple):
    """How a state becomes the bytes of a checkpoint and back."""

    encode: Callable[[State], bytes]
    decode: Callable[[bytes], State]
    """DecodeError unless exactly these bytes are those of a state."""


class Unlawful(L1Error):
    """A batch on L1 that the law does not allow: a `full` one can be challenged."""

    def __init__(self, number: int, why: str) -> None:
        """Keep the number."""
        super().__init__(f"batch {number}: {why}")
        self.number = number


class SpecificationLaw:
    """The specification as a Law: slow, and right by definition."""

    def __init__(self, state: State, primitives: Primitives) -> None:
        """Begin at a state."""
        self._state = state
        self._primitives = primitives

    def state(self) -> State:
        """The state now."""
        return self._state

    def apply_data(self, data: bytes) -> Journal:
        """Judge a batch in `full` form and go on."""
        journal = apply_batch(self._state, decode_full(data, self._state.preset), self._primitives)
        assert journal.after is not None
        self._state = journal.after
        return journal


class Progress(NamedTuple):
    """How far a rebuild is."""

    number: int
    """Batch just read."""
    last: int
    """Last batch that stands."""
    form: DataForm
    input_bytes: int
    """Of its commit transaction."""


class Rebuild:
    """A rebuild in a folder. The history it reads is passed in, so that it can be followed live."""

    def __init__(
        self,
        rpc: Rpc,
        settlement: Artifact,
        folder: Path,
        *,
        law: Callable[[State], Law],
        codec: StateCodec,
        primitives: Primitives,
        report: Callable[[Progress], None] = lambda progress: None,
        source: BlobSource = node_blobs,
    ) -> None:
        """Nothing is read yet."""
        self.rpc = rpc
        self.settlement = settlement
        self.folder = folder
        self.primitives = primitives
        self.report = report
        self.source = source
        self._begin = law
        self._codec = codec
        self._law: Law | None = None
        self._state: State | None = None
        """The state if no law holds it: at the start, after a file, after `diff` data."""
        self.number = -1
        """Batch that the state is after; -1: there is none yet."""
        self._hash = b""

    def state(self) -> State:
        """The state rebuilt so far. L1Error before anything was read."""
        if self._law is not None:
            return self._law.state()
        if self._state is None:
            raise L1Error("nothing has been rebuilt yet")
        return self._state

    def catch_up(self, history: History, last: int | None = None) -> State:
        """Read every standing batch, at most to number `last`. Unlawful, L1Error.

        A state that was rebuilt before stays if its batch still stands; otherwise the newest file
        of a standing batch up to `last` is read, or the genesis is begun from.
        """
        last = history.committed if last is None else min(last, history.committed)
        if self.number > last or not self._stands(history, self.number, self._hash):
            self._restart(history, last)
        while self.number < last:
            batch = history.standing[self.number + 1]
            found = published(self.rpc, self.settlement, batch, self.source)
            try:
                self._apply(batch, found)
            except Unlawful:
                self._hash = b""  # the law may have gone on: begin at a file next time
                raise
            self.number, self._hash = batch.number, batch.hash
            if self.number % CHECKPOINT_EVERY == 0 or self.number == last:
                self._write()
            self.report(Progress(self.number, last, batch.header.form, found.input_bytes))
        return self.state()

    @staticmethod
    def _stands(history: History, number: int, identity: bytes) -> bool:
        """Whether a batch of this hash stands under this number."""
        batch = history.standing.get(number)
        return batch is not None and batch.hash == identity

    def _restart(self, history: History, last: int) -> None:
        """Go to the newest file of a standing batch up to `last`, or to the genesis."""
        self._law = None
        for path in sorted(self.folder.glob("*.state"), reverse=True):
            if int(path.stem) > last:
                continue
            found = read_checkpoint(path, self._codec)
            if self._stands(history, found.number, found.hash):
                self.number, self._hash, self._state = found
                return
        first = history.first_state()
        roots = commit(first, self.primitives)
        began = history.began
        assert began is not None, "first_state needs it"
        if digest_bytes(roots.settlement_root) != began.settlement_root:
            raise L1Error("genesis: the parameters on L1 do not lead to the settlement root there")
        if digest_bytes(roots.root) != began.root:
            raise L1Error("genesis: the parameters on L1 do not lead to the root there")
        self.number, self._hash, self._state = 0, history.standing[0].hash, first

    def _apply(self, batch: Commit, found: Published) -> None:
        """Move the state on by one batch and check what can be checked."""
        if batch.header.form == DataForm.FULL:
            self._replay(batch, found)
        else:
            self._differ(batch, found.data)

    def _replay(self, batch: Commit, found: Published) -> None:
        """A `full` batch through the law: roots and the contract's part must be its."""
        law = self._law or self._begin(self.state())
        try:
            journal = law.apply_data(found.data)
        except (LawError, DecodeError) as error:
            raise Unlawful(batch.number, f"the law refuses it: {error}") from error
        self._law, self._state = law, None
        roots, header = journal.roots_after, batch.header
        assert roots is not None
        for name, ours, theirs in (
            ("settlement root", roots.settlement_root, header.settlement_root_after),
            ("root", roots.root, header.root_after),
        ):
            if ours != theirs:
                raise Unlawful(batch.number, f"{name} {theirs}, the law says {ours}")
        if encode_calldata(calldata_of(journal)) != found.contract_data:
            raise Unlawful(batch.number, "requests or payments are not those of the law")

    def _differ(self, batch: Commit, data: bytes) -> None:
        """A `diff` batch: the next state has no slots, and the header's settlement root."""
        before = self.state()
        try:
            after = apply_diff(before, data)
        except DecodeError as error:
            raise Unlawful(batch.number, f"not a difference from the state: {error}") from error
        after = self._with_trees(before, after)
        assert after.roots is not None
        ours = after.roots.settlement_root
        theirs = batch.header.settlement_root_after
        if ours != theirs:
            raise Unlawful(batch.number, f"settlement root {theirs}, the data give {ours}")
        self._law, self._state = None, after

    def _with_trees(self, before: State, after: State) -> State:
        """The state with its trees and roots, from those before: accounts that are the same object
        have the same leaf.
        """
        trees = before.trees or build_trees(replace(before, slots={}), self.primitives)
        changed = [k for k, found in after.accounts.items() if before.accounts.get(k) is not found]
        none = merkle.empty(after.preset.account_depth, self.primitives.compress_many)
        trees = Trees(trees.accounts, none, {})
        trees = update_trees(trees, after, changed, (), self.primitives)
        return replace(after, trees=trees, roots=roots_of(after, trees, self.primitives))

    def _write(self) -> None:
        """Keep the state in a file; older files but one go."""
        body = self.number.to_bytes(4, "big") + self._hash + self._codec.encode(self.state())
        path = self.folder / f"{self.number:010d}.state"
        write_atomically(path, MAGIC + body + hashlib.sha256(body).digest())
        for old in sorted(self.folder.glob("*.state"))[:-KEPT]:
            old.unlink()


class Checkpoint(NamedTuple):
    """A state in a file."""

    number: int
    """Batch that it is after."""
    hash: bytes
    """Of that batch on L1."""
    state: State


def read_checkpoint(path: Path, codec: StateCodec) -> Checkpoint:
    """The state of a file. L1Error if it is damaged: without it, the file before is gone on from.

    A file is written whole or not at all, so damage is the disk's.
    """
    content = path.read_bytes()
    body, checksum = content[len(MAGIC) : -HASH_BYTES], content[-HASH_BYTES:]
    if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != checksum:
        raise L1Error(f"{path}: damaged; remove it")
    try:
        state = codec.decode(body[4 + HASH_BYTES :])
    except DecodeError as error:
        raise L1Error(f"{path}: {error}; remove it") from error
    return Checkpoint(int.from_bytes(body[:4], "big"), body[4 : 4 + HASH_BYTES], state)


def digest_bytes(digest: Digest) -> bytes:
    """A digest as L1 keeps it: four little-endian elements."""
    return b"".join(goldilocks.to_bytes(element) for element in digest)
