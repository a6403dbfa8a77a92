"""A batch of signed messages at full size: a tree of many accounts, some of which sign."""

from __future__ import annotations

from random import Random

import numpy as np

from novate.lab.wallets import wallet
from novate.native import MerkleTree, NativePrimitives, hash_rows
from novate.proof.statements import TREE_DEPTH, Batch
from novate.spec.layout import ACCOUNT_TAG, account_elements
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.spec.state import Account
from novate.tables.signed_updates import SignedUpdate


def signed_batch(
    domain: Domain, batch: Batch, accounts: int, seed: int
) -> tuple[MerkleTree, list[SignedUpdate]]:
    """Accounts 0 … accounts − 1 without positions, and a cancel-all of each of a few.

    ValueError if more sign than there are. The others differ in their cash alone.
    """
    if batch.messages > accounts:
        raise ValueError(f"messages = {batch.messages}, at most {accounts} accounts")
    random, primitives = Random(seed), NativePrimitives()
    wallets = [wallet(f"signed batch {seed} {place}") for place in range(batch.keys)]
    updates = []
    for place, index in enumerate(random.sample(range(accounts), batch.messages)):
        owner = wallets[place % batch.keys]
        account = Account(
            owner=random.getrandbits(160),
            key=owner.key,
            cash=random.randrange(10**12),
            cancel_epoch=random.randrange(1000),
        )
        elements = CancelAll(index).elements(domain, account.cancel_epoch)
        updates.append(SignedUpdate(index, account, owner.sign(primitives, CANCEL_TAG, elements)))
    return tree_of(accounts, updates), updates


def tree_of(accounts: int, updates: list[SignedUpdate]) -> MerkleTree:
    """The tree of the accounts that sign and of all others."""
    leaves = np.tile(np.array(account_elements(Account(owner=1)), dtype=np.uint64), (accounts, 1))
    leaves[:, 8] = np.arange(accounts)
    for index, account, _ in updates:
        leaves[index] = account_elements(account)
    tree = MerkleTree(TREE_DEPTH)
    tree.update(np.arange(accounts, dtype=np.uint64), hash_rows(ACCOUNT_TAG, leaves))
    return tree
