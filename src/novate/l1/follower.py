"""Walks the blocks of L1 and emits events in order; takes back those of blocks that vanished.

The follower remembers the hashes of recent blocks. At each step it first looks whether its tip is
still on the chain; if not, it goes back to the last block that is and says so. Then it reads on:
the headers must link, every log must belong to the header of its height, and the last block must
still be there afterwards, or the step is done again, since the chain moved under it. So what was
read is at all times the events of one chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from novate.l1.abi import Log
from novate.l1.client import Contract
from novate.l1.rpc import L1Error, Rpc, address_hex, to_int

REMEMBERED: Final = 512
"""Blocks whose hashes are kept: deeper reorganisations are not survived but refused."""
STEP_BLOCKS: Final = 2_000
"""Blocks of one request for logs; hosted nodes refuse much wider ranges."""
LINKED_BLOCKS: Final = 128
"""Newest blocks of a step whose headers are read; older ones are covered by the hash of these."""
RETRIES: Final = 16


class DeepReorg(L1Error):
    """The chain changed further back than the follower remembers."""


class ChainMoved(L1Error):
    """The chain changed while it was being read; nothing was taken over."""


class Block(NamedTuple):
    """A block that the follower stands on, or stood on."""

    number: int
    hash: str
    time: int
    """unix seconds."""


class Step(NamedTuple):
    """What one step found."""

    kept: int | None
    """Number of the last block that still stands, if blocks vanished; None: none did."""
    logs: tuple[Log, ...]
    """Events after it, in order."""
    tip: Block


class Follower:
    """Follows the events of some contracts."""

    def __init__(
        self, rpc: Rpc, contracts: Sequence[Contract], start: int, confirmations: int = 0
    ) -> None:
        """Read from block `start` on: the one the contracts were deployed in, or earlier.

        `confirmations`: newest blocks that are left alone, since they are the likeliest to go.
        """
        self.rpc = rpc
        self.confirmations = confirmations
        self._by_address = {contract.address: contract.artifact for contract in contracts}
        self.recent: list[Block] = []
        """Blocks remembered, ascending; not every height is among them after a long step."""
        self.start = start

    @property
    def tip(self) -> Block | None:
        """The last block read."""
        return self.recent[-1] if self.recent else None

    def resume(self, recent: Sequence[Block]) -> None:
        """Go on from remembered blocks, as `recent` once was."""
        self.recent = list(recent)

    def step(self) -> Step | None:
        """Read on; None if nothing is new. DeepReorg, Unreachable."""
        why = ""
        for _ in range(RETRIES):
            try:
                return self._step()
            except ChainMoved as moved:
                why = str(moved)
        raise ChainMoved(f"{self.rpc.url} moved {RETRIES} times while it was read; last: {why}")

    def _step(self) -> Step | None:
        """One attempt; ChainMoved leaves the follower as it was."""
        kept = self._standing()
        recent = self.recent if kept is None else [b for b in self.recent if b.number <= kept]
        first = recent[-1].number + 1 if recent else self.start
        head = to_int(self.rpc.call("eth_blockNumber"))
        last = min(head - self.confirmations, first + STEP_BLOCKS - 1)
        if last < first:
            if kept is None:
                return None
            self.recent = recent
            return Step(kept, (), recent[-1])
        blocks = self._headers(max(first, last - LINKED_BLOCKS + 1), last, recent)
        logs = self._logs(first, last, {block.number: block.hash for block in blocks})
        if self._block(last).hash != blocks[-1].hash:
            raise ChainMoved(f"block {last} was replaced")
        self.recent = (recent + blocks)[-REMEMBERED:]
        return Step(kept, logs, blocks[-1])

    def _standing(self) -> int | None:
        """None if the tip stands; else the number of the last remembered block that does."""
        if not self.recent or self._stands(self.recent[-1]):
            return None
        # Whether a block stands is monotone in its height, so halving finds the last that does.
        low, high = -1, len(self.recent) - 1  # recent[low] stands, recent[high] does not
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._stands(self.recent[middle]) else (low, middle)
        if low < 0:
            raise DeepReorg(f"block {self.recent[0].number}, the oldest remembered, was replaced")
        return self.recent[low].number

    def _stands(self, block: Block) -> bool:
        """Whether the chain has this block at its height."""
        raw = self.rpc.call("eth_getBlockByNumber", hex(block.number), False)
        return raw is not None and raw["hash"] == block.hash

    def _block(self, number: int) -> Block:
        """The block of a height. ChainMoved if there is none any more."""
        return _block(self.rpc.call("eth_getBlockByNumber", hex(number), False), number)

    def _headers(self, first: int, last: int, recent: Sequence[Block]) -> list[Block]:
        """The blocks of heights first … last, each the parent of the next."""
        calls = [("eth_getBlockByNumber", (hex(n), False)) for n in range(first, last + 1)]
        raws = self.rpc.many(calls)
        before = recent[-1] if recent and recent[-1].number == first - 1 else None
        blocks = []
        for number, raw in zip(range(first, last + 1), raws, strict=True):
            block = _block(raw, number)
            if before is not None and raw["parentHash"] != before.hash:
                raise ChainMoved(f"block {number} does not follow block {before.number}")
            blocks.append(block)
            before = block
        return blocks

    def _logs(self, first: int, last: int, hashes: dict[int, str]) -> tuple[Log, ...]:
        """Events of heights first … last. ChainMoved if one is of another block than ours."""
        query = {
            "fromBlock": hex(first),
            "toBlock": hex(last),
            "address": [address_hex(address) for address in self._by_address],
        }
        found = []
        for raw in self.rpc.call("eth_getLogs", query):
            log = self._by_address[int(raw["address"], 16)].log(raw)
            if log is None:
                continue
            if hashes.get(log.block, log.block_hash) != log.block_hash or raw.get("removed"):
                raise ChainMoved(f"block {log.block} was replaced")
            found.append(log)
        return tuple(sorted(found, key=lambda log: (log.block, log.place)))


def _block(raw: Any, number: int) -> Block:
    """A block of a node's answer. ChainMoved if there is none."""
    if raw is None:
        raise ChainMoved(f"there is no block {number} any more")
    return Block(number, str(raw["hash"]), to_int(raw["timestamp"]))
