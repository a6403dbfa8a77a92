"""The follower against reorganisations of a real chain: what stands is what it has emitted."""

from __future__ import annotations

from random import Random

import pytest

from novate.l1.anvil import Anvil
from novate.l1.follower import REMEMBERED, DeepReorg, Follower, Step
from novate.l1.rpc import address_hex
from tests.l1.chain import START, Chain, deploy_bell, ring, running


class Heard:
    """The events that stand after every step taken so far."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.events: list[tuple[int, int]] = []
        """Block and number."""
        self.rollbacks = 0

    def listen(self) -> None:
        """Follow to the tip."""
        while (step := self.follower.step()) is not None:
            self.take(step)

    def take(self, step: Step) -> None:
        if step.kept is not None:
            self.rollbacks += 1
            self.events = [event for event in self.events if event[0] <= step.kept]
        self.events += [(log.block, log.arguments["number"]) for log in step.logs]


def on_chain(chain: Chain, address: int) -> list[tuple[int, int]]:
    """What the node itself says, read at once."""
    logs = chain.l1.rpc.call(
        "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": address_hex(address)}
    )
    return [(int(log["blockNumber"], 16), int(log["topics"][1], 16)) for log in logs]


@pytest.mark.parametrize("depth", [1, 8, 64])
def test_events_of_replaced_blocks_are_taken_back(depth: int) -> None:
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        heard = Heard(Follower(chain.l1.rpc, [bell], 0))
        for number in range(3):
            chain.l1.wait(ring(chain, bell, number))
        chain.control.mine(depth)
        chain.l1.wait(ring(chain, bell, 100))
        heard.listen()
        before = list(heard.events)
        assert [number for _, number in before] == [0, 1, 2, 100]
        chain.control.reorg(depth)
        heard.listen()
        assert heard.rollbacks == 1
        assert heard.events == before[:-1] == on_chain(chain, bell.address)
        chain.l1.wait(ring(chain, bell, 200))
        heard.listen()
        assert heard.events == on_chain(chain, bell.address)
        assert [number for _, number in heard.events] == [0, 1, 2, 200]


def test_random_reorgs_leave_exactly_the_chain_s_events() -> None:
    rng = Random(4)
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.control.mine(70)
        heard = Heard(Follower(chain.l1.rpc, [bell], 0))
        for number in range(40):
            chain.l1.wait(ring(chain, bell, number))
            if rng.random() < 0.5:
                chain.control.mine(rng.randint(1, 5))
            if rng.random() < 0.4:
                chain.control.reorg(rng.randint(1, 12), rng.choice(["none", "all"]))
            if rng.random() < 0.6:
                heard.listen()
                assert heard.events == on_chain(chain, bell.address)
        heard.listen()
        assert heard.events == on_chain(chain, bell.address)
        assert heard.rollbacks > 3


def test_a_follower_goes_on_from_what_it_remembered() -> None:
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.control.mine(10)
        heard = Heard(Follower(chain.l1.rpc, [bell], 0))
        chain.l1.wait(ring(chain, bell, 1))
        heard.listen()
        chain.control.reorg(4)
        again = Follower(chain.l1.rpc, [bell], 0)
        again.resume(heard.follower.recent)
        heard.follower = again
        chain.l1.wait(ring(chain, bell, 2))
        heard.listen()
        assert [number for _, number in heard.events] == [2]


def test_a_chain_that_changed_beyond_memory_is_refused() -> None:
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.control.mine(20)
        follower = Follower(chain.l1.rpc, [bell], 0)
        assert follower.step() is not None
        follower.resume(follower.recent[-5:])
        chain.control.reorg(10)
        with pytest.raises(DeepReorg, match="oldest remembered"):
            follower.step()


def test_long_histories_are_read_in_steps_and_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("novate.l1.follower.STEP_BLOCKS", 300)
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.l1.wait(ring(chain, bell, 1))
        chain.control.mine(1_500)
        chain.l1.wait(ring(chain, bell, 2))
        follower = Follower(chain.l1.rpc, [bell], 0)
        steps = []
        while (step := follower.step()) is not None:
            steps.append(step)
        assert [log.arguments["number"] for step in steps for log in step.logs] == [1, 2]
        assert len(steps) == 6
        assert len(follower.recent) <= REMEMBERED
        assert follower.tip is not None
        assert follower.tip.number == chain.l1.height()


def test_unconfirmed_blocks_are_left_alone() -> None:
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.control.mine(10)
        follower = Follower(chain.l1.rpc, [bell], 0, confirmations=5)
        chain.l1.wait(ring(chain, bell, 1))
        step = follower.step()
        assert step is not None
        assert (step.tip.number, step.logs) == (chain.l1.height() - 5, ())
        chain.control.reorg(5)  # nothing of it was read
        assert follower.step() is None
        chain.l1.wait(ring(chain, bell, 2))
        chain.control.mine(4)
        step = follower.step()
        assert step is not None
        assert (step.kept, step.logs) == (None, ())
        chain.control.mine(1)
        step = follower.step()
        assert step is not None
        assert [log.arguments["number"] for log in step.logs] == [2]


def test_a_step_that_only_goes_back_says_so() -> None:
    with running(Anvil(START)) as chain:
        bell = deploy_bell(chain)
        chain.control.mine(10)
        follower = Follower(chain.l1.rpc, [bell], 0)
        assert follower.step() is not None
        chain.control.reorg(8)
        follower.confirmations = 8
        step = follower.step()
        assert step is not None
        assert (step.kept, step.tip.number, step.logs) == (3, 3, ())
        assert follower.step() is None
