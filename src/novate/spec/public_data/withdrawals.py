"""What L1 owes from a batch: payments, and the Keccak tree by which each is claimed.

The contract computes the root at commit from the calldata; a claim shows a path. A leaf hashes 72
bytes and an inner node 64, so neither passes for the other. A level of odd length is completed with
32 zero bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from novate.spec.crypto.keccak import keccak_256
from novate.spec.errors import DecodeError
from novate.spec.journal import Journal
from novate.spec.public_data.codec import Codec, Record, Unsigned, encode, put_unsigned
from novate.spec.public_data.fields import ADDRESS, AMOUNT

WITHDRAWAL_TAG: Final = b"novate withdrawal"
NO_ACCOUNT: Final = 2**32 - 1
"""Stands for the account of a deposit that is paid back to its sender."""
ZERO_NODE: Final = bytes(32)


class Payment(NamedTuple):
    """One payment that L1 owes."""

    account: int
    """Account index, or NO_ACCOUNT."""
    recipient: int
    """L1 address."""
    amount: int
    """micro-USDC."""


PAYMENT: Codec[Payment] = Record(
    Payment, (("account", Unsigned("account", 4)), ("recipient", ADDRESS), ("amount", AMOUNT))
)
PAYMENT_BYTES: Final = 32


def payments_of(journal: Journal) -> tuple[Payment, ...]:
    """The payments of a batch in the order they arose."""
    return tuple(
        Payment(NO_ACCOUNT if entry.account < 0 else entry.account, entry.recipient, entry.payout)
        for entry in journal.withdrawals
    )


def withdrawal_domain(chain_id: int, settlement_contract: int) -> bytes:
    """Which venue the payments are of: keccak(tag ‖ chain id 32 ‖ contract 20)."""
    place = chain_id.to_bytes(32, "big") + settlement_contract.to_bytes(20, "big")
    return keccak_256(WITHDRAWAL_TAG + place)


def leaf(domain: bytes, payment: Payment, number: int, index: int) -> bytes:
    """keccak(domain 32 ‖ account 4 ‖ recipient 20 ‖ amount 8 ‖ batch number 4 ‖ index 4)."""
    out = bytearray(domain + encode(PAYMENT, payment))
    put_unsigned(out, 4, number)
    put_unsigned(out, 4, index)
    return keccak_256(bytes(out))


def leaves(domain: bytes, payments: Sequence[Payment], number: int) -> list[bytes]:
    """The leaf of every payment of a batch."""
    return [leaf(domain, payment, number, index) for index, payment in enumerate(payments)]


def levels(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Every level of the tree from the leaves to the root; one level with nothing for no leaf."""
    found = [list(hashes)]
    while len(found[-1]) > 1:
        level = found[-1] + [ZERO_NODE] * (len(found[-1]) % 2)
        found[-1] = level
        found.append([keccak_256(level[k] + level[k + 1]) for k in range(0, len(level), 2)])
    return found


def withdrawals_root(hashes: Sequence[bytes]) -> bytes:
    """The root of the leaves; 32 zero bytes for none."""
    top = levels(hashes)[-1]
    return top[0] if top else ZERO_NODE


def withdrawal_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings of a leaf from the bottom up; DecodeError `no_such_leaf`."""
    if not 0 <= index < len(hashes):
        raise DecodeError("no_such_leaf", f"index = {index}, {len(hashes)} leaves")
    path = []
    for level in levels(hashes)[:-1]:
        path.append(level[index ^ 1])
        index >>= 1
    return path


def verify_withdrawal(root: bytes, hashed: bytes, index: int, path: Sequence[bytes]) -> bool:
    """Whether a leaf stands at an index under a root: what the contract checks of a claim."""
    if not 0 <= index < 1 << len(path):
        return False
    node = hashed
    for sibling in path:
        node = keccak_256(sibling + node if index & 1 else node + sibling)
        index >>= 1
    return node == root
