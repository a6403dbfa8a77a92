"""A whole statement: N signed messages by known keys were applied to a tree of accounts.

Public: the messages' domain, how many there are, the tree's root before and after. The messages are
cancel-alls; signatures, hashes, leaves and tree are the law's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from novate.circuit.relation import Relation, compile_relation
from novate.spec.crypto import merkle
from novate.spec.crypto.sponge import hash_elements
from novate.spec.layout import ACCOUNT_TAG, account_elements
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.spec.primitives import Digest, PublicKey, Signature, SignatureCheck
from novate.spec.state import Account
from novate.tables import base_windows, cancel_all, key_windows, merkle_update, multiply, signature
from novate.tables.base_windows import BaseWindows
from novate.tables.cancel_all import DOMAIN, CancelAllTable, Roots
from novate.tables.key_windows import KeyWindows
from novate.tables.merkle_update import MerkleUpdate
from novate.tables.multiply import MultiplyBase, MultiplyKey
from novate.tables.poseidon2 import Poseidon2Width8, Poseidon2Width12
from novate.tables.range16 import Range16
from novate.tables.signature import SignatureTable

Columns = dict[str, list[int]]


class SignedUpdate(NamedTuple):
    """An account, as it is, and its key's signature of a cancel-all."""

    place: int
    account: Account
    signature: Signature


class Witness(NamedTuple):
    """What is proved: primary columns by table, and the public values."""

    primary: dict[str, Columns]
    publics: dict[str, int]


def relation(depth: int) -> Relation:
    """The relation for trees of a depth."""
    return compile_relation(
        [
            Range16(),
            Poseidon2Width8(),
            Poseidon2Width12(),
            BaseWindows(),
            KeyWindows(),
            MultiplyKey(),
            MultiplyBase(),
            SignatureTable(),
            MerkleUpdate(),
            CancelAllTable(),
            Roots(depth),
        ]
    )


def witness(domain: Domain, tree: merkle.Tree, updates: Sequence[SignedUpdate]) -> Witness:
    """The witness of updates of different accounts, whose leaves are in the tree.

    ValueError for a signature that is not valid or an account with positions.
    """
    checks = [_check(domain, update) for update in updates]
    keys = sorted({check.key for check in checks})
    numbers: dict[tuple[int, ...], int] = {key: place + 1 for place, key in enumerate(keys)}
    signatures, signed_states = signature.fill(checks, numbers)
    accounts = [(update.place, update.account) for update in updates]
    rows, states = cancel_all.fill(domain, accounts)
    levels = merkle_update.changed_levels(tree, _new_leaves(accounts))
    nodes = merkle_update.fill(levels, tree)
    old_root, new_root = levels[-1][0]
    publics = dict(zip(DOMAIN, domain.elements(0)[:-1], strict=True)) | {"messages": len(updates)}
    for place in range(4):
        publics[f"old_root_{place}"] = old_root[place]
        publics[f"new_root_{place}"] = new_root[place]
    primary = {
        "range16": {},
        "poseidon2_8": _states(_pairs(nodes), 8),
        "poseidon2_12": _states(states + signed_states, 12),
        "cancel_all": rows,
        "merkle_update": nodes,
        "signature": signatures,
        "roots": {"active": [1]},
        **_multiplications(checks, keys, numbers),
    }
    return Witness(primary, publics)


def _check(domain: Domain, update: SignedUpdate) -> SignatureCheck:
    """What has to be signed, by which key."""
    elements = CancelAll(update.place).elements(domain, update.account.cancel_epoch)
    digest = hash_elements(CANCEL_TAG, elements)
    return SignatureCheck(update.account.key, digest, update.signature)


def _multiplications(
    checks: Sequence[SignatureCheck],
    keys: Sequence[PublicKey],
    numbers: Mapping[tuple[int, ...], int],
) -> dict[str, Columns]:
    """Windows of base and keys, and the runs of every signature."""
    windows = base_windows.fill()
    of_key = {key: key_windows.window(key_windows.element_of(key)) for key in keys}
    runs = []
    for check in checks:
        challenge = check.signature.e0 + (check.signature.e1 << 64)
        runs.append((numbers[check.key], challenge, of_key[check.key]))
    responses = [check.signature.s for check in checks]
    return {
        "base_windows": windows,
        "key_windows": key_windows.fill(list(keys)),
        "multiply_key": multiply.fill_key(runs),
        "multiply_base": multiply.fill_base(responses, windows),
    }


def _new_leaves(accounts: Sequence[tuple[int, Account]]) -> dict[int, Digest]:
    """The leaves after the messages."""
    raised = {i: replace(a, cancel_epoch=a.cancel_epoch + 1) for i, a in accounts}
    return {i: hash_elements(ACCOUNT_TAG, account_elements(a)) for i, a in raised.items()}


def _pairs(nodes: Columns) -> list[list[int]]:
    """The children of every node row, old and new."""
    found = []
    for when in ("old", "new"):
        names = [f"{when}_{side}_{place}" for side in ("left", "right") for place in range(4)]
        found += [list(row) for row in zip(*(nodes[name] for name in names), strict=True)]
    return found


def _states(states: Sequence[Sequence[int]], width: int) -> Columns:
    """Distinct states to permute, as columns."""
    distinct = list(dict.fromkeys(map(tuple, states)))
    return {f"state_{place}": [state[place] for state in distinct] for place in range(width)}
