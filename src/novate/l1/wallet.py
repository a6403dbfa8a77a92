"""An L1 account: signs EIP-1559 and blob transactions with an explicit nonce, gas and fees."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from novate.l1.anvil import MNEMONIC
from novate.l1.blobs import Sidecar, network_form
from novate.l1.rpc import L1Error, address_hex, to_hex

GAS_MAX: Final = 16_777_216
"""Of one transaction (EIP-7825)."""
TIP: Final = 1_000_000_000
"""wei a gas; the smallest tip that nodes commonly rank."""
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8
"""A replacement pays 12.5 % more; nodes ask at least 10 % of an ordinary transaction."""
BLOB_BUMP: Final = 2
"""And twice as much for a blob transaction (go-ethereum's blob pool)."""


class Fees(NamedTuple):
    """What a transaction offers, wei a gas."""

    tip: int
    maximum: int
    """Base fee and tip together."""
    blob_maximum: int = 0
    """A blob gas; 0 without blobs."""

    def bumped(self, market: Fees) -> Fees:
        """Fees that replace these: raised as nodes ask, and no less than the market's."""
        if self.blob_maximum:
            raised = Fees(*(value * BLOB_BUMP for value in self))
        else:
            raised = Fees(*(_raise(value) for value in self))
        return Fees(*(max(ours, theirs) for ours, theirs in zip(raised, market, strict=True)))


def _raise(value: int) -> int:
    """An eighth more, rounded up, so that it grows whatever it was."""
    return -(-value * BUMP_NUMERATOR // BUMP_DENOMINATOR)


class Transaction(NamedTuple):
    """What a transaction does, before nonce and fees."""

    to: int | None
    """Address; None creates a contract."""
    data: bytes
    gas: int
    value: int = 0
    """wei."""
    sidecar: Sidecar | None = None


class Signed(NamedTuple):
    """A signed transaction."""

    raw: bytes
    """As it is sent, with the sidecar of blobs."""
    hash: str
    nonce: int


class L1Wallet:
    """A secp256k1 key of the base chain. It never prints or logs its key."""

    def __init__(self, secret: bytes, chain_id: int) -> None:
        """`secret`: 32 bytes. ValueError if it is no key."""
        # Half a second to load, and whoever only reads L1 never needs it.
        from eth_account import Account

        self._account = Account.from_key(secret)
        self.chain_id = chain_id
        self.address = int(self._account.address, 16)

    def __repr__(self) -> str:
        """The address alone."""
        return f"L1Wallet({address_hex(self.address)})"

    def sign(self, transaction: Transaction, nonce: int, fees: Fees) -> Signed:
        """The signed transaction. L1Error if its gas is more than L1 lets one have."""
        if not 0 < transaction.gas <= GAS_MAX:
            raise L1Error(f"gas = {transaction.gas}: 1 to {GAS_MAX} (EIP-7825)")
        fields: dict[str, Any] = {
            "type": 2 if transaction.sidecar is None else 3,
            "chainId": self.chain_id,
            "nonce": nonce,
            "gas": transaction.gas,
            "value": transaction.value,
            "data": transaction.data,
            "maxPriorityFeePerGas": fees.tip,
            "maxFeePerGas": fees.maximum,
            "accessList": [],
        }
        if transaction.to is not None:
            fields["to"] = self._checksummed(transaction.to)
        if transaction.sidecar is not None:
            fields["maxFeePerBlobGas"] = fees.blob_maximum
            fields["blobVersionedHashes"] = transaction.sidecar.versioned_hashes()
        signed = self._account.sign_transaction(fields)
        raw = bytes(signed.raw_transaction)
        identity = to_hex(bytes(signed.hash))
        if transaction.sidecar is not None:
            raw = network_form(raw, transaction.sidecar)
        return Signed(raw, identity, nonce)

    def _checksummed(self, address: int) -> bytes:
        """The 20 bytes of an address; eth-account takes them as they are."""
        return address.to_bytes(20, "big")

    def sign_typed(self, message: dict[str, Any]) -> bytes:
        """The 65 bytes of an EIP-712 signature over a full message (types, domain, message)."""
        from eth_account.messages import encode_typed_data

        signed = self._account.sign_message(encode_typed_data(full_message=message))
        return bytes(signed.signature)


def funded_wallet(index: int, chain_id: int) -> L1Wallet:
    """The `index`-th funded account of anvil. Its key is public: for tests and the demo."""
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return L1Wallet(bytes(account.key), chain_id)
