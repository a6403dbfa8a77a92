"""Between L1 and the sequencer: requests go in, reverts take it back.

The follower tells the sequencer every request that has its confirmations, which parameters are in
force, and, when L1 reverted batches, from which one to go on and under which fork. Where the
sequencer stands is asked of it, never remembered, so both may die at any time.
"""

from __future__ import annotations

from dataclasses import dataclass

from novate.l1.follower import Follower
from novate.l1.history import History, read_parameters
from novate.l1.inbox_reader import Arrived, Dropped, InboxReader
from novate.l1.rpc import L1Error
from novate.node.client import Client
from novate.node.protocol import REQUESTS_MAX, NewParameters, RequestsFrom, RewindTo
from novate.node.sequencer import Stand
from novate.spec.messages.inbox import Request
from novate.spec.presets import Preset


@dataclass
class L1Link:
    """Follows the inbox and the batches of one venue for one sequencer."""

    inbox: InboxReader
    follower: Follower
    history: History
    client: Client
    requests: list[Request]
    """Every request read, by its number."""
    preset: Preset
    told: bytes = b""
    """Digest of the parameters that the sequencer was told last."""

    def step(self) -> str:
        """Pass on what is new; a line about it, or ''. L1Error if L1 cannot be read.

        L1Error too if a request vanished that the sequencer has taken: confirmations were too few.
        """
        for event in self.inbox.poll():
            match event:
                case Arrived():
                    self.requests.append(event.request)
                case Dropped():
                    del self.requests[event.first :]
        self.history.follow(self.follower)
        stand = self.client.stand()
        if self.history.fork > stand.fork:
            return self._rewind()
        if self.history.parameters and self.history.parameters[-1][0] != self.told:
            return self._parameters()
        return self._requests(stand)

    def _rewind(self) -> str:
        """Take the sequencer back to the last batch that stands."""
        number = self.history.committed
        header = self.history.standing[number].header
        fork = self.history.fork
        reason = self.client.tell(RewindTo(number, header.root_after, fork))
        if reason:
            raise L1Error(f"back to batch {number}: the sequencer says {reason}")
        return f"L1 reverted batches: back to batch {number}, fork {fork}"

    def _parameters(self) -> str:
        """Tell the sequencer which parameters are in force."""
        digest, data = self.history.parameters[-1]
        reason = self.client.tell(NewParameters(read_parameters(data, self.preset)))
        if reason:
            raise L1Error(f"parameters {digest.hex()}: the sequencer says {reason}")
        self.told = digest
        return f"parameters {digest.hex()} are in force"

    def _requests(self, stand: Stand) -> str:
        """Tell the sequencer the requests it does not have."""
        first = stand.inbox_next
        if first > len(self.requests):
            raise L1Error(f"the sequencer took {first} requests, L1 has {len(self.requests)}")
        fresh = tuple(self.requests[first : first + REQUESTS_MAX])
        if not fresh:
            return ""
        reason = self.client.tell(RequestsFrom(first, fresh))
        if reason:
            raise L1Error(f"requests from {first}: the sequencer says {reason}")
        return f"{len(fresh)} requests from {first}"
