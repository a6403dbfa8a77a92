"""Payments that a batch owes on L1, from its published data, and the claim of each.

A claim shows the payment's path to the withdrawals' root that the contract computed at commit. All
of it is on L1: nobody has to be asked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from novate.l1.batch_data import contract_data
from novate.l1.client import L1, Contract
from novate.l1.history import Commit
from novate.l1.rpc import L1Error
from novate.spec.errors import DecodeError
from novate.spec.presets import MAIN
from novate.spec.public_data.calldata import decode_calldata
from novate.spec.public_data.withdrawals import (
    Payment,
    leaves,
    withdrawal_domain,
    withdrawal_path,
    withdrawals_root,
)

CLAIM_GAS = 300_000
"""A bound above a claim's gas; paths have at most 32 levels of 42 gas a hash and their calldata."""


class Claim(NamedTuple):
    """Arguments of `Vault.claim`."""

    number: int
    body_hash: bytes
    withdrawals_root: bytes
    payment: Payment
    place: int
    """Of the payment in the tree: the argument `index`."""
    path: tuple[bytes, ...]


def payments_of_batch(l1: L1, settlement: Contract, commit: Commit) -> tuple[Payment, ...]:
    """Every payment of a batch, in the order of its tree. L1Error if the data cannot be read."""
    try:
        data = contract_data(l1.rpc, settlement.artifact, commit)
        return decode_calldata(data, MAIN).payments
    except DecodeError as error:
        raise L1Error(f"batch {commit.number}: {error}") from error


def claims_of(l1: L1, settlement: Contract, commit: Commit) -> list[Claim]:
    """The claim of every payment of a batch. L1Error if they do not lead to the root on L1."""
    payments = payments_of_batch(l1, settlement, commit)
    domain = withdrawal_domain(l1.chain_id(), settlement.address)
    hashes = leaves(domain, payments, commit.number)
    if withdrawals_root(hashes) != commit.withdrawals_root:
        raise L1Error(f"batch {commit.number}: the payments do not lead to the root on L1")
    body_hash: Any = l1.view(settlement, "hashOf", commit.struct)[0]
    return [
        Claim(
            commit.number,
            body_hash,
            commit.withdrawals_root,
            payment,
            index,
            tuple(withdrawal_path(hashes, index)),
        )
        for index, payment in enumerate(payments)
    ]
