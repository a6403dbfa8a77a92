"""Where a run of the demo kills its node, and where the node stood when it answered again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from novate.node.sequencer import Stand
from novate.spec.journal import Journal
from novate.spec.primitives import Digest

DELAY_S_MAX: Final = 0.1
"""A point lies up to so long after messages were sent: they are then read, logged, matched."""


class Restart(NamedTuple):
    """One kill, seen from outside."""

    acknowledged: int
    """The last record that somebody had a receipt of."""
    unanswered: int
    """Messages that were sent and had no answer."""
    stand: Stand
    """Of the new life, at its first answer."""


class Kills:
    """Chooses points of a run at random; without a share there is one, half-way in the session."""

    def __init__(self, share: float = 0.0, seed: int = 0) -> None:
        """`share`: chance of a kill at each point, 0 to 1."""
        if not 0 <= share <= 1:
            raise ValueError(f"share is {share}: not in 0..1")
        self.share = share
        self.restarts: list[Restart] = []
        self._random = Random(seed)

    def due(self, halfway: bool = False) -> bool:
        """Whether the node dies at this point; if so, some moments have passed."""
        if not self.share:
            return halfway and not self.restarts
        if self._random.random() >= self.share:
            return False
        time.sleep(self._random.uniform(0, DELAY_S_MAX))
        return True

    def stood_right(self, first: Digest, journals: Sequence[Journal]) -> bool:
        """Whether each new life stood at the specification's root, and with all acknowledged.

        `first`: root of the genesis. `journals`: of batches 1, 2, ... of the specification.
        """
        roots = [first, *(roots.root for j in journals if (roots := j.roots_after) is not None)]
        return bool(self.restarts) and all(
            one.stand.root == roots[one.stand.batch] and one.stand.sequence >= one.acknowledged
            for one in self.restarts
        )
