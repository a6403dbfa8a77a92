"""What the tests of L1 share: an anvil, and a contract small enough to write in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from novate.l1.abi import Artifact
from novate.l1.anvil import Anvil, AnvilMissing, ChainControl, find_anvil
from novate.l1.client import L1, Contract
from novate.l1.wallet import L1Wallet, Transaction, funded_wallet

START = 1_800_000_000
"""Time of the genesis block."""
BELL_ABI = {
    "type": "event",
    "name": "Rang",
    "inputs": [{"type": "uint256", "name": "number", "indexed": True}],
}
BELL = Artifact("Bell", (BELL_ABI,), b"")
RING_GAS = 50_000


class Chain(NamedTuple):
    """A running anvil and ways to it."""

    anvil: Anvil
    l1: L1
    control: ChainControl

    def wallet(self, index: int = 0) -> L1Wallet:
        """A funded account."""
        return funded_wallet(index, self.l1.chain_id())


def require_anvil() -> None:
    """Skip the test where there is no anvil binary."""
    try:
        find_anvil()
    except AnvilMissing as missing:
        pytest.skip(str(missing))


@contextmanager
def running(anvil: Anvil) -> Iterator[Chain]:
    """An anvil, started and stopped."""
    require_anvil()
    with anvil, anvil.rpc() as rpc:
        yield Chain(anvil, L1(rpc), ChainControl(rpc))


def bell_code() -> bytes:
    """Creation code of a contract that emits Rang(first word of the calldata)."""
    # CALLDATALOAD(0), PUSH32 topic, size 0, offset 0, LOG2, STOP
    runtime = bytes.fromhex("6000357f") + BELL.topic("Rang") + bytes.fromhex("60006000a200")
    size = len(runtime)
    # CODECOPY(0, 12, size), RETURN(0, size): twelve bytes
    return bytes([0x60, size, 0x60, 12, 0x60, 0, 0x39, 0x60, size, 0x60, 0, 0xF3]) + runtime


def deploy_bell(chain: Chain) -> Contract:
    """Deploy it."""
    receipt = chain.l1.transact(chain.wallet(), Transaction(None, bell_code(), 200_000))
    assert receipt.created is not None
    return Contract(BELL, receipt.created)


def ring(chain: Chain, bell: Contract, number: int) -> str:
    """Send Rang(number), whether or not a block is mined for it; the transaction's hash."""
    wallet = chain.wallet()
    nonce = chain.l1.nonce(wallet.address)
    transaction = Transaction(bell.address, number.to_bytes(32, "big"), RING_GAS)
    return chain.l1.push(wallet.sign(transaction, nonce, chain.l1.fees()))
