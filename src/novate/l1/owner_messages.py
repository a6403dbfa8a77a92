"""What an owner signs so that anybody may bring it to the key registry: EIP-712 typed data."""

from __future__ import annotations

from typing import Any

from novate.l1.rpc import address_hex
from novate.spec.primitives import PublicKey

DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
KEY_FIELDS = [
    {"name": "owner", "type": "address"},
    {"name": "account", "type": "uint32"},
    {"name": "key", "type": "uint64[5]"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


def key_registration(
    chain_id: int,
    registry: int,
    owner: int,
    account: int,
    key: PublicKey,
    nonce: int,
    deadline: int,
) -> dict[str, Any]:
    """The message that binds a trading key. `nonce`: the registry's for the owner; `deadline`:
    unix seconds.
    """
    return {
        "types": {"EIP712Domain": DOMAIN_FIELDS, "RegisterKey": KEY_FIELDS},
        "primaryType": "RegisterKey",
        "domain": {
            "name": "Novate KeyRegistry",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": address_hex(registry),
        },
        "message": {
            "owner": address_hex(owner),
            "account": account,
            "key": list(key),
            "nonce": nonce,
            "deadline": deadline,
        },
    }
