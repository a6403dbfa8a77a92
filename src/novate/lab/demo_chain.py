"""The demo's base chain: anvil with the venue's contracts, wallets that pay, a ledger of gas."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from novate.l1.anvil import CHAIN_ID, Anvil, ChainControl
from novate.l1.client import L1, RECEIPT_TIMEOUT_S, Contract, Receipt
from novate.l1.deploy import Deployment, Terms, deploy, deploy_token
from novate.l1.follower import Follower
from novate.l1.history import History
from novate.l1.payments import Claim
from novate.l1.rpc import L1Error, address_hex, to_hex, to_int
from novate.l1.wallet import Fees, L1Wallet, Transaction
from novate.native import NativePrimitives
from novate.spec.parameters import Parameters
from novate.spec.presets import MAIN
from novate.spec.primitives import PublicKey
from novate.spec.state import State

DEPLOYER, SEQUENCER, ROGUE, CHALLENGER = "deployer", "sequencer", "rogue", "challenger"
"""Who acts on the base chain besides the accounts' owners."""
TERMS: Final = Terms(
    challenge_window=300,
    proof_time=100,
    proof_deadline=300,
    request_commit_time=21_600,
    request_final_time=50_400,
    outflow_limit=10**15,
)
"""As deployed in earnest, but for windows of an hour of blocks and a vault that pays at once."""
ETHER: Final = 10**18
REQUEST_GAS: Final = 400_000
CALL_GAS: Final = 1_000_000
REQUEST_VALUE: Final = 10**16
"""wei sent with a request; the excess of the fee comes back."""


class Call(NamedTuple):
    """One transaction of a crowd."""

    wallet: L1Wallet
    contract: Contract
    name: str
    arguments: tuple[object, ...]
    value: int = 0


class DemoChain:
    """A running anvil with a venue on it."""

    def __init__(self, anvil: Anvil) -> None:
        """Anvil runs; nothing is deployed yet."""
        self.anvil = anvil
        self.rpc = anvil.rpc()
        self.control = ChainControl(self.rpc)
        self.l1 = L1(self.rpc)
        self.gas: dict[str, list[int]] = {}
        """Gas of every transaction that the demo sent, by the function called."""
        self.owners: dict[int, L1Wallet] = {}
        """Owner of each account that was opened."""
        self._follower: Follower | None = None
        self._history = History()

    def deploy(self, parameters: Parameters, genesis_time: int) -> State:
        """Deploy token and contracts; returns the genesis state."""
        everyone = (DEPLOYER, SEQUENCER, ROGUE, CHALLENGER)
        self._give_ether([self.wallet(role) for role in everyone], 10_000 * ETHER)
        deployer = self.wallet(DEPLOYER)
        self.token = deploy_token(self.l1, deployer)
        deployed = deploy(
            self.l1,
            deployer,
            preset=MAIN,
            parameters=parameters,
            treasury=deployer.address,
            token=self.token.address,
            sequencers=tuple(self.wallet(k).address for k in (SEQUENCER, ROGUE)),
            primitives=NativePrimitives(),
            time=genesis_time,
            terms=TERMS,
        )
        self.deployment: Deployment = deployed.deployment
        self.l1 = self.deployment.client(self.rpc)
        contracts = [self.contract("settlement"), self.contract("parameters")]
        self._follower = Follower(self.rpc, contracts, self.deployment.block)
        return deployed.state

    def wallet(self, role: str) -> L1Wallet:
        """The wallet of somebody who is not an owner."""
        return L1Wallet(demo_secret(role), CHAIN_ID)

    def contract(self, role: str) -> Contract:
        """One of the venue's contracts."""
        return self.deployment.contract(role)

    # Transactions.

    def send(
        self,
        wallet: L1Wallet,
        role: str,
        name: str,
        *arguments: object,
        value: int = 0,
        gas: int = CALL_GAS,
    ) -> Receipt:
        """One transaction, mined. ContractError if it reverted."""
        receipt = self.l1.send(wallet, self.contract(role), name, *arguments, gas=gas, value=value)
        self.gas.setdefault(name, []).append(receipt.gas)
        return receipt

    def crowd(self, calls: Sequence[Call]) -> list[Receipt]:
        """Transactions of many wallets, executed in this order. L1Error if one of them fails."""
        market = self.l1.fees()
        nonces = {call.wallet.address: 0 for call in calls}
        nonces = {address: self.l1.nonce(address) for address in nonces}
        raw, hashes = [], []
        for place, call in enumerate(calls):
            data = call.contract.artifact.call(call.name, *call.arguments)
            transaction = Transaction(call.contract.address, data, REQUEST_GAS, call.value)
            extra = len(calls) - place  # blocks are filled by tip
            fees = Fees(market.tip + extra, 2 * market.maximum + extra)
            nonce = nonces[call.wallet.address]
            nonces[call.wallet.address] += 1
            signed = call.wallet.sign(transaction, nonce, fees)
            raw.append(to_hex(signed.raw))
            hashes.append(signed.hash)
        self.control.set_automine(False)
        try:
            self.rpc.many([("eth_sendRawTransaction", (one,)) for one in raw])
            receipts = self._mined(hashes)
        finally:
            self.control.set_automine(True)
        for call, receipt in zip(calls, receipts, strict=True):
            if not receipt.succeeded:
                raise L1Error(f"{call.name} of {call.wallet} reverted: {receipt.hash}")
            self.gas.setdefault(call.name, []).append(receipt.gas)
        return receipts

    def _mined(self, hashes: Sequence[str]) -> list[Receipt]:
        """Mine until blocks hold them all."""
        limit = time.monotonic() + RECEIPT_TIMEOUT_S
        while True:
            self.control.mine()
            found = [self.l1.receipt(identity) for identity in hashes[-1:]]
            if all(found) and all(found := [self.l1.receipt(identity) for identity in hashes]):
                return [receipt for receipt in found if receipt is not None]
            if time.monotonic() > limit:
                raise L1Error(f"{len(hashes)} transactions are not all mined in time")

    def _give_ether(self, wallets: Sequence[L1Wallet], amount: int) -> None:
        """Wei from nowhere."""
        for wallet in wallets:
            self.rpc.call("anvil_setBalance", address_hex(wallet.address), to_hex(amount))

    # What users do.

    def open_accounts(self, amounts: dict[int, int], keys: dict[int, PublicKey]) -> None:
        """Each account's owner, a wallet of its own, deposits and registers a trading key."""
        owners = {
            account: L1Wallet(demo_secret(f"owner {account}"), CHAIN_ID) for account in amounts
        }
        self._give_ether(list(owners.values()), 10 * ETHER)
        vault = self.deployment.addresses["vault"]
        inbox, registry = self.contract("inbox"), self.contract("keys")
        funded: list[Call] = []
        for account, owner in owners.items():
            arguments = (owner.address, amounts[account])
            funded.append(Call(owner, self.token, "mint", arguments))
            funded.append(Call(owner, self.token, "approve", (vault, amounts[account])))
        self.crowd(funded)
        receipts = self.crowd(
            [
                Call(
                    owner, inbox, "depositToNewAccount", (owner.address, amounts[k]), REQUEST_VALUE
                )
                for k, owner in owners.items()
            ]
        )
        for (expected, owner), receipt in zip(owners.items(), receipts, strict=True):
            logs = (inbox.artifact.log(raw) for raw in receipt.logs if same(raw, inbox))
            opened = [log for log in logs if log is not None and log.name == "AccountOpened"]
            if opened[0].arguments["account"] != expected:
                raise L1Error(f"account {opened[0].arguments['account']} opened, not {expected}")
            self.owners[expected] = owner
        self.crowd(
            [
                Call(owner, registry, "registerKey", (k, list(keys[k])), REQUEST_VALUE)
                for k, owner in owners.items()
            ]
        )

    def fund(self, amount: int) -> None:
        """The deployer gives the market's fund its capital."""
        deployer = self.wallet(DEPLOYER)
        vault = self.deployment.addresses["vault"]
        self.crowd(
            [
                Call(deployer, self.token, "mint", (deployer.address, amount)),
                Call(deployer, self.token, "approve", (vault, amount)),
                Call(deployer, self.contract("inbox"), "depositToFund", (0, amount), REQUEST_VALUE),
            ]
        )

    def claim(self, claims: Sequence[Claim]) -> int:
        """The owners claim their payments from the vault; micro-USDC received."""
        vault = self.contract("vault")
        by_address = {owner.address: owner for owner in self.owners.values()}
        before = self.vault_balance()
        self.crowd(
            [
                Call(
                    by_address[claim.payment.recipient],
                    vault,
                    "claim",
                    tuple(claim),
                )
                for claim in claims
            ]
        )
        return before - self.vault_balance()

    # Time and state.

    def time(self) -> int:
        """Of the latest block."""
        return to_int(self.rpc.call("eth_getBlockByNumber", "latest", False)["timestamp"])

    def follow_clock(self, now: int) -> None:
        """A block of this time at the earliest: no header may be later than its block."""
        if self.time() < now:
            self.control.set_time(now)

    def history(self) -> History:
        """What L1 says now."""
        assert self._follower is not None, "the contracts are deployed"
        self._history.follow(self._follower)
        return self._history

    def vault_balance(self) -> int:
        """The vault's tokens, micro-USDC."""
        return int(self.l1.view(self.token, "balanceOf", self.deployment.addresses["vault"]))

    def wait_for(self, what: str, holds: Callable[[History], bool], limit_s: float) -> History:
        """What L1 says once something holds. L1Error if it does not come to hold in time."""
        limit = time.monotonic() + limit_s
        while not holds(history := self.history()):
            if time.monotonic() > limit:
                raise L1Error(
                    f"waited {limit_s:.0f} s for {what}: {history.committed} batches committed, "
                    f"{history.finalized} final, fork {history.fork}"
                )
            time.sleep(0.05)
        return history


def same(raw: dict[str, str], contract: Contract) -> bool:
    """Whether a log of a receipt is a contract's."""
    return int(raw["address"], 16) == contract.address


def demo_secret(role: str) -> bytes:
    """The base-chain key of somebody in the demo: public, like all of it."""
    return hashlib.sha256(f"novate demo, {role}".encode()).digest()
