"""Reads the inbox: every request in L1 order, its bytes decoded, the rolling hash recomputed.

What it emits can be taken back: if a reorganisation removes blocks that it has read, it first says
from which request on nothing stands, then emits what stands instead. With enough confirmations that
does not happen. A gap, a request without meaning or a wrong hash is an error: the node lies.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from eth_hash.auto import keccak

from novate.l1.abi import Log
from novate.l1.client import Contract
from novate.l1.files import write_atomically
from novate.l1.follower import Block, Follower
from novate.l1.rpc import L1Error, Rpc
from novate.spec.errors import DecodeError
from novate.spec.messages.inbox import Request
from novate.spec.public_data.calldata import EMPTY_INBOX
from novate.spec.public_data.codec import decode
from novate.spec.public_data.requests import REQUEST

CONFIRMATIONS: Final = 12
"""Blocks on top of a request before a node hands it on, unless it says otherwise."""


class InboxError(L1Error):
    """The events are not those of an inbox: the node lies, or is not the right chain."""


class Arrived(NamedTuple):
    """A request in the queue."""

    number: int
    """Its place in the queue, counted from 0."""
    request: Request
    rolling: bytes
    """Rolling hash after it, 32 bytes."""
    block: int
    """Its L1 block: deadlines count from there."""


class Dropped(NamedTuple):
    """Requests from `first` on do not stand any more."""

    first: int


class InboxReader:
    """Follows one inbox."""

    def __init__(
        self, rpc: Rpc, inbox: Contract, start: int, confirmations: int = CONFIRMATIONS
    ) -> None:
        """`start`: the block the inbox was deployed in, or an earlier one."""
        self.follower = Follower(rpc, [inbox], start, confirmations)
        self._seen: list[tuple[int, bytes]] = []
        """Block and rolling hash of every request."""

    @property
    def length(self) -> int:
        """Requests read."""
        return len(self._seen)

    @property
    def rolling(self) -> bytes:
        """Rolling hash after the last one."""
        return self._seen[-1][1] if self._seen else EMPTY_INBOX

    def poll(self) -> list[Arrived | Dropped]:
        """What happened since the last poll, in order. InboxError, Unreachable, DeepReorg."""
        found: list[Arrived | Dropped] = []
        while (step := self.follower.step()) is not None:
            if step.kept is not None:
                found += self._back_to(step.kept)
            found += [self._arrived(log) for log in step.logs if log.name == "RequestQueued"]
        return found

    def _back_to(self, kept: int) -> list[Arrived | Dropped]:
        """Forget requests of blocks after `kept`."""
        standing = sum(block <= kept for block, _ in self._seen)
        if standing == len(self._seen):
            return []
        del self._seen[standing:]
        return [Dropped(standing)]

    def _arrived(self, log: Log) -> Arrived:
        """The request of an event, checked against those before it."""
        data, claimed = bytes(log.arguments["request"]), bytes(log.arguments["rollingHash"])
        index = log.arguments["index"]
        if index != self.length:
            raise InboxError(f"request {index} in block {log.block}, {self.length} is next")
        rolling = bytes(keccak(self.rolling + data))
        if rolling != claimed:
            raise InboxError(f"request {index}: rolling hash {claimed.hex()}, is {rolling.hex()}")
        try:
            request = decode(REQUEST, data)
        except DecodeError as error:
            raise InboxError(f"request {index}: {error}") from error
        self._seen.append((log.block, rolling))
        return Arrived(index, request, rolling, log.block)

    def save(self, path: Path) -> None:
        """Keep where the reader stands; call it when what was emitted is safe elsewhere."""
        content: dict[str, Any] = {
            "recent": [list(block) for block in self.follower.recent],
            "seen": [[block, rolling.hex()] for block, rolling in self._seen],
        }
        write_atomically(path, json.dumps(content).encode())

    def resume(self, path: Path) -> None:
        """Go on where `save` was called; from the start without a file. InboxError if damaged."""
        if not path.exists():
            return
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            recent = [
                Block(int(n), str(identity), int(at)) for n, identity, at in content["recent"]
            ]
            seen = [(int(block), bytes.fromhex(rolling)) for block, rolling in content["seen"]]
        except (ValueError, KeyError, TypeError) as error:
            raise InboxError(f"{path}: not the state of an inbox reader: {error!r}") from error
        self.follower.resume(recent)
        self._seen = seen
