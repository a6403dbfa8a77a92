"""Contracts behind a node: views, transactions with receipts, and errors people can read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from novate.l1.abi import Artifact, Errors
from novate.l1.rpc import L1Error, Rpc, RpcError, address_hex, to_bytes, to_hex, to_int
from novate.l1.wallet import GAS_MAX, TIP, Fees, L1Wallet, Signed, Transaction

RECEIPT_TIMEOUT_S: Final = 60.0
POLL_S: Final = 0.01
KNOWN: Final = ("already known", "already imported", "transaction already in mempool")
"""What nodes say of a raw transaction that they have: as good as accepted."""


class Contract(NamedTuple):
    """A deployed contract."""

    artifact: Artifact
    address: int


class Receipt(NamedTuple):
    """What became of a transaction."""

    hash: str
    succeeded: bool
    block: int
    block_hash: str
    gas: int
    """Used."""
    price: int
    """wei a gas."""
    created: int | None
    """Address of the contract it created."""
    logs: tuple[Any, ...]
    """As the node gives them."""


class L1:
    """A node, and the contracts whose errors it may raise."""

    def __init__(self, rpc: Rpc, artifacts: Sequence[Artifact] = ()) -> None:
        """Errors of `artifacts` are decoded."""
        self.rpc = rpc
        self.errors = Errors(artifacts)

    def chain_id(self) -> int:
        """The chain's number."""
        return to_int(self.rpc.call("eth_chainId"))

    def height(self) -> int:
        """Number of the latest block."""
        return to_int(self.rpc.call("eth_blockNumber"))

    def balance(self, address: int) -> int:
        """wei of an account."""
        return to_int(self.rpc.call("eth_getBalance", address_hex(address), "latest"))

    def nonce(self, address: int, block: str = "pending") -> int:
        """Transactions an account has sent, those in the pool included unless `latest`."""
        return to_int(self.rpc.call("eth_getTransactionCount", address_hex(address), block))

    def view(self, contract: Contract, name: str, *arguments: object, block: str = "latest") -> Any:
        """What a function returns: one value, or a tuple. ContractError if it reverts."""
        data = contract.artifact.call(name, *arguments)
        transaction = Transaction(contract.address, data, GAS_MAX)
        return contract.artifact.result(name, self.simulate(transaction, block=block))

    def simulate(
        self,
        transaction: Transaction,
        sender: int = 0,
        block: str = "latest",
        surroundings: dict[str, str] | None = None,
    ) -> bytes:
        """What a transaction would return on the state after a block. ContractError if it reverts.

        `surroundings`: fields of the block it would be in, if not those of that block.
        """
        call: dict[str, Any] = {
            "from": address_hex(sender),
            "data": to_hex(transaction.data),
            "value": to_hex(transaction.value),
            "gas": to_hex(transaction.gas),
        }
        if transaction.to is not None:
            call["to"] = address_hex(transaction.to)
        if transaction.sidecar is not None:
            call["blobVersionedHashes"] = [
                to_hex(h) for h in transaction.sidecar.versioned_hashes()
            ]
        try:
            others = () if surroundings is None else ({}, surroundings)
            return to_bytes(self.rpc.call("eth_call", call, block, *others))
        except RpcError as error:
            called = "creation" if transaction.to is None else address_hex(transaction.to)
            raise self.errors.raised(error, called) from error

    def fees(self, with_blobs: bool = False) -> Fees:
        """Fees that the next blocks accept: twice the base fee and a tip."""
        block = self.rpc.call("eth_getBlockByNumber", "latest", False)
        maximum = 2 * to_int(block["baseFeePerGas"]) + TIP
        if not with_blobs:
            return Fees(TIP, maximum)
        return Fees(TIP, maximum, 2 * to_int(self.rpc.call("eth_blobBaseFee")))

    def push(self, signed: Signed) -> str:
        """Give a signed transaction to the node; its hash. Fine if the node has it already."""
        try:
            return str(self.rpc.call("eth_sendRawTransaction", to_hex(signed.raw)))
        except RpcError as error:
            if any(text in error.message.lower() for text in KNOWN):
                return signed.hash
            raise self.errors.raised(error, signed.hash) from error

    def receipt(self, identity: str) -> Receipt | None:
        """The receipt of a transaction, or None while no block holds it."""
        raw = self.rpc.call("eth_getTransactionReceipt", identity)
        if raw is None:
            return None
        created = raw.get("contractAddress")
        return Receipt(
            hash=identity,
            succeeded=to_int(raw["status"]) == 1,
            block=to_int(raw["blockNumber"]),
            block_hash=str(raw["blockHash"]),
            gas=to_int(raw["gasUsed"]),
            price=to_int(raw["effectiveGasPrice"]),
            created=None if created is None else int(created, 16),
            logs=tuple(raw["logs"]),
        )

    def wait(self, identity: str, timeout_s: float = RECEIPT_TIMEOUT_S) -> Receipt:
        """The receipt, once a block holds the transaction. L1Error after the time-out."""
        limit = time.monotonic() + timeout_s
        while True:
            receipt = self.receipt(identity)
            if receipt is not None:
                return receipt
            if time.monotonic() > limit:
                raise L1Error(f"transaction {identity}: in no block after {timeout_s} s")
            time.sleep(POLL_S)

    def transact(self, wallet: L1Wallet, transaction: Transaction) -> Receipt:
        """Send a transaction at the pending nonce and wait. ContractError if it reverted."""
        fees = self.fees(transaction.sidecar is not None)
        signed = wallet.sign(transaction, self.nonce(wallet.address), fees)
        receipt = self.wait(self.push(signed))
        if not receipt.succeeded:
            raise self.failure(wallet.address, transaction, receipt)
        return receipt

    def failure(self, sender: int, transaction: Transaction, receipt: Receipt) -> L1Error:
        """Why a transaction reverted: it is run again, at its block's time on the state before."""
        block = self.rpc.call("eth_getBlockByNumber", hex(receipt.block), False)
        own = {"number": hex(receipt.block), "time": block["timestamp"]}
        try:
            self.simulate(transaction, sender, hex(receipt.block - 1), own)
        except L1Error as error:
            return error
        return L1Error(f"transaction {receipt.hash} reverted, with {receipt.gas} gas used")

    def send(
        self,
        wallet: L1Wallet,
        contract: Contract,
        name: str,
        *arguments: object,
        gas: int,
        value: int = 0,
    ) -> Receipt:
        """Call a function in a transaction and wait. ContractError if it reverted."""
        data = contract.artifact.call(name, *arguments)
        return self.transact(wallet, Transaction(contract.address, data, gas, value))
