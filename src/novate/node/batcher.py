"""The batcher: sealed batches become what L1 is given, in a queue on disk.

It judges every batch again on an engine of its own, from the transactions alone, so nothing leaves
for L1 that only the sequencer's memory says. Its place is the queue itself: started again, it goes
on after the last batch that it finds there, from the nearest kept state.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from novate.l1.submission import Queue, Submission, submission_of
from novate.node.archive import Archive, RewoundFile, SealedFile
from novate.node.files import DamagedFile, read_whole, write_whole
from novate.node.policy import Policy
from novate.node.port import Engine, EngineKit
from novate.spec.messages.batch import Batch
from novate.spec.primitives import Digest, Primitives
from novate.spec.public_data.calldata import calldata_of, encode_calldata
from novate.spec.public_data.diff import encode_diff
from novate.spec.public_data.full import decode_full
from novate.spec.public_data.header import DataForm, header_from
from novate.spec.state import State

PLACE_MAGIC: Final = b"novate batcher 1\n"


class Batcher:
    """Follows the sealed batches of one node."""

    def __init__(
        self,
        folder: Path,
        archive: Archive,
        genesis: tuple[State, Digest],
        kit: EngineKit,
        policy: Policy,
        primitives: Primitives,
    ) -> None:
        """Go on after the batch that `folder/batcher` names; from genesis without it."""
        self._archive = archive
        self._kit = kit
        self._policy = policy
        self._primitives = primitives
        self._place = folder / "batcher"
        self._genesis = genesis
        self.queue = Queue(folder / "queue")
        self.number, self.root = 0, genesis[1]
        """The last batch that was queued."""
        self._rewound = 0
        """Log record of the last rewind that was obeyed."""
        self._engine: Engine | None = None
        self._read_place()

    def _read_place(self) -> None:
        """Where an earlier life of the batcher got to."""
        if self._place.exists():
            body = read_whole(self._place, PLACE_MAGIC)
            words = [int.from_bytes(body[at : at + 8], "big") for at in range(0, len(body), 8)]
            self._rewound, self.number, *root = words
            self.root = (root[0], root[1], root[2], root[3])

    def _write_place(self) -> None:
        """Remember the last batch that was queued, and the last rewind obeyed."""
        words = (self._rewound, self.number, *self.root)
        write_whole(self._place, PLACE_MAGIC, b"".join(word.to_bytes(8, "big") for word in words))

    def step(self) -> Submission | None:
        """Queue the next sealed batch; None if there is none yet.

        After a rewind the batches made since take the places of the reverted ones. LawError or
        DamagedFile if a batch is not what the sequencer says it is.
        """
        for rewound in self._archive.rewinds(self._rewound):
            self._obey(rewound)
        sealed = self._next()
        if sealed is None:
            return None
        batch = decode_full(sealed.data, self._genesis[0].preset)
        journal = self._engine_at(sealed).apply_data(sealed.data)
        assert journal.roots_after is not None
        if journal.roots_after.root != sealed.root:
            self._engine = None
            raise DamagedFile(
                f"batch {sealed.number}: root {journal.roots_after.root}, sealed as {sealed.root}"
            )
        form = self._form_of(batch)
        data = sealed.data if form == DataForm.FULL else encode_diff(journal)
        submission = submission_of(
            header_from(batch, journal, form, self._primitives),
            data,
            encode_calldata(calldata_of(journal)),
            self._policy.carrier,
            self._primitives,
        )
        self.queue.put(submission)
        self.number, self.root = sealed.number, sealed.root
        self._write_place()
        return submission

    def _form_of(self, batch: Batch) -> DataForm:
        """The policy's form, but `full` follows `diff` only with a reset of the slots.

        Without it whoever rebuilds from L1 could not know what was filled before.
        """
        if self._policy.form == DataForm.DIFF or batch.reset_slots or batch.number == 1:
            return self._policy.form
        before = self.queue.get(batch.number - 1)
        return DataForm.FULL if before is None else before.header.form

    def _next(self) -> SealedFile | None:
        """The sealed batch that follows the last one queued, of the latest fork."""
        following = [
            sealed
            for sealed in self._archive.batches(self.number + 1)
            if sealed.root_before == self.root
        ]
        return max(following, key=lambda sealed: sealed.fork, default=None)

    def _engine_at(self, sealed: SealedFile) -> Engine:
        """An engine at the state before a batch."""
        if self._engine is None or self._engine.roots().root != sealed.root_before:
            state = self._archive.state_at(sealed.number - 1, sealed.root_before)
            self._engine = self._kit.start(state)
        return self._engine

    def _obey(self, rewound: RewoundFile) -> None:
        """L1 reverted every batch above one: what is sealed after it is queued anew."""
        if rewound.number < self.number:
            self.number, self.root = rewound.number, rewound.root
        self._rewound = rewound.sequence
        self._write_place()
