"""What anybody can find out: the state from L1 alone, what may leave, the law applied again.

Three texts of the law meet here: the engine replays what is on L1, the specification judges the
same batches once more, and both have to come to the roots that the contract keeps.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from novate.l1.batch_data import published
from novate.l1.history import History
from novate.l1.rebuild import Rebuild, SpecificationLaw, StateCodec
from novate.lab.demo_chain import DemoChain
from novate.lab.progress import Progress
from novate.native import NativePrimitives
from novate.node.archive import Archive
from novate.node.port import EngineKit
from novate.spec.batch import begin_batch, open_round
from novate.spec.commitment import commit
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch, Round
from novate.spec.public_data.header import DataForm
from novate.spec.state import Roots, State
from novate.spec.valuation import withdrawable


class Audit:
    """Reads one venue on L1."""

    def __init__(self, chain: DemoChain, kit: EngineKit, folder: Path) -> None:
        """Nothing is read yet; states are kept in `folder`."""
        self.chain = chain
        self.primitives = NativePrimitives()
        self._rebuild = Rebuild(
            chain.rpc,
            chain.contract("settlement").artifact,
            folder,
            law=kit.start,
            codec=StateCodec(kit.encode_state, kit.decode_state),
            primitives=self.primitives,
        )

    def state(self) -> State:
        """The state after the last batch that stands on L1. Unlawful if a batch is not lawful."""
        return self._rebuild.catch_up(self.chain.history())


def may_withdraw(state: State, accounts: range) -> dict[int, int]:
    """What each account may take out at the marks of its state, micro-USDC."""
    number, time = state.system.batch_number + 1, state.system.time
    content = Round(time=time)
    draft = begin_batch(state, Batch(number, state.system.fork, None, False, (content,)))
    opened = open_round(draft, content, NativePrimitives())
    return {k: withdrawable(draft, opened, draft.account(k)) for k in accounts}


class Judged(NamedTuple):
    """The specification's own way through every batch."""

    state: State
    roots: Roots
    journals: list[Journal]
    from_l1: int
    """Batches whose transactions were read from L1; those of the others from the node's disk."""
    agree: bool
    """Every batch came to the roots that L1 has."""


def judge(chain: DemoChain, archive: Archive, progress: Progress) -> Judged:
    """Apply the specification to every batch that stands, from genesis.

    A `full` batch is read from L1. A `diff` batch has no transactions there: the node's own file of
    it is read, and must come to what L1 says.
    """
    history = chain.history()
    primitives = NativePrimitives()
    law = SpecificationLaw(history.first_state(), primitives)
    journals: list[Journal] = []
    from_l1 = 0
    agree = True
    for number in range(1, history.committed + 1):
        batch = history.standing[number]
        if batch.header.form == DataForm.FULL:
            data = published(chain.rpc, chain.contract("settlement").artifact, batch).data
            from_l1 += 1
        else:
            data = archive.batch(number, batch.header.root_after).data
        journal = law.apply_data(data)
        journals.append(journal)
        roots = journal.roots_after
        assert roots is not None
        header = batch.header
        agree &= (roots.settlement_root, roots.root) == (
            header.settlement_root_after,
            header.root_after,
        )
        progress.at(number, history.committed, f"batch {number} of {history.committed}")
    state = law.state()
    return Judged(state, commit(state, primitives), journals, from_l1, agree)


class Costs(NamedTuple):
    """What batches of one form and carrier cost L1."""

    batches: int
    fills: int
    data_bytes: int
    """In calldata and blobs, without the rest of the transaction."""
    gas: int
    """Of the commits of batches with fills."""
    gas_of_all: int


def costs(chain: DemoChain, history: History, journals: list[Journal]) -> dict[str, Costs]:
    """Bytes and gas by form and carrier; per fill only batches with fills count."""
    found: dict[str, Costs] = {}
    for number in range(1, history.committed + 1):
        batch = history.standing[number]
        receipt = chain.l1.receipt(batch.transaction)
        assert receipt is not None, "a standing batch has a transaction"
        fills = len(journals[number - 1].fills)
        size = sum(part.length for part in batch.polynomials)
        carrier = batch.polynomials[0].carrier.name.lower()
        name = f"{batch.header.form.name.lower()}, {carrier}"
        before = found.get(name, Costs(0, 0, 0, 0, 0))
        found[name] = Costs(
            before.batches + 1,
            before.fills + fills,
            before.data_bytes + (size if fills else 0),
            before.gas + (receipt.gas if fills else 0),
            before.gas_of_all + receipt.gas,
        )
    return found
