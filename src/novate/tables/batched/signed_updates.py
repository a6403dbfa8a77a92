"""The witness of a whole batch of signed updates. Mirrors `tables/signed_updates.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from novate.native import MerkleTree, add_and_encode, signature_bytes, verify_rows
from novate.spec.bounds import EPOCH_MAX
from novate.spec.crypto import merkle
from novate.spec.crypto.scalar import N
from novate.spec.layout import ACCOUNT_TAG, account_elements
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.tables.batched.columns import (
    Columns,
    Words,
    named,
    named_quintics,
    ones,
    state_columns,
)
from novate.tables.batched.curve import (
    Multiplied,
    base_window_columns,
    key_window_columns,
    multiply_base_columns,
    multiply_key_columns,
)
from novate.tables.batched.hashing import Hashed, sponge
from novate.tables.batched.tree import updated
from novate.tables.cancel_all import ACCOUNT_ELEMENTS, DOMAIN
from novate.tables.multiply import BASE_CHUNKS, CHUNK_BITS, chunks_of
from novate.tables.signed_updates import SignedUpdate

RESPONSE = slice(2, 7)
"""Words of the response in a signature of seven."""


class BatchedWitness(NamedTuple):
    """What is proved: primary columns by table, and the public values."""

    primary: dict[str, Columns]
    publics: dict[str, int]


class Messages(NamedTuple):
    """What the messages of a batch say, as arrays of n rows."""

    places: Words
    before: Words
    """(n, 16): the leaf's elements."""
    after: Words
    signed: Words
    """(n, 9): the message's elements."""
    epochs: Words
    """(n, 2): of key and cancel-all."""
    signatures: Words
    """(n, 7)."""

    @property
    def keys(self) -> Words:
        """(n, 5)."""
        return np.ascontiguousarray(self.before[:, 3:8])


def witness(
    domain: Domain, tree: merkle.Tree | MerkleTree, updates: Sequence[SignedUpdate]
) -> BatchedWitness:
    """The witness of updates of different accounts, whose leaves are in the tree.

    ValueError for a signature that is not valid or an account with positions.
    """
    messages = messages_of(domain, updates)
    signed = sponge(CANCEL_TAG, messages.signed)
    require_valid(messages, signed.digests)
    before, after = sponge(ACCOUNT_TAG, messages.before), sponge(ACCOUNT_TAG, messages.after)
    tables, schnorr = signature_tables(messages, signed.digests)
    changed = updated(tree, messages.places, after.digests)
    hashed = np.concatenate([signed.states, before.states, after.states], axis=1)
    states = np.concatenate([hashed.reshape(-1, 12), schnorr.states.reshape(-1, 12)])
    publics = dict(zip(DOMAIN, domain.elements(0)[:-1], strict=True)) | {"messages": len(updates)}
    for place in range(4):
        publics[f"old_root_{place}"] = int(changed.old_root[place])
        publics[f"new_root_{place}"] = int(changed.new_root[place])
    primary = {
        "range16": {},
        "poseidon2_8": state_columns(changed.pairs),
        "poseidon2_12": state_columns(states),
        "cancel_all": cancel_all_columns(messages, signed, before, after),
        "merkle_update": changed.columns,
        "roots": {"active": ones(1)},
        **tables,
    }
    return BatchedWitness(primary, publics)


def messages_of(domain: Domain, updates: Sequence[SignedUpdate]) -> Messages:
    """Updates as arrays. ValueError for an account with positions or no room for another epoch."""
    before, after, signed = [], [], []
    for index, account, _ in updates:
        raised = replace(account, cancel_epoch=account.cancel_epoch + 1)
        before.append(account_elements(account))
        after.append(account_elements(raised))
        signed.append(CancelAll(index).elements(domain, account.cancel_epoch))
        if len(before[-1]) != ACCOUNT_ELEMENTS:
            detail = f"its leaf has {len(before[-1])} elements"
            raise ValueError(f"account {index} has positions: {detail}")
        if raised.cancel_epoch > EPOCH_MAX:
            detail = f"cancel epoch = {account.cancel_epoch}, below {EPOCH_MAX}"
            raise ValueError(f"account {index}: {detail}")
    epochs = [(account.key_epoch, account.cancel_epoch) for _, account, _ in updates]
    data = b"".join(signature_bytes(update.signature) for update in updates)
    return Messages(
        places=np.array([update.place for update in updates], dtype=np.uint64),
        before=np.array(before, dtype=np.uint64),
        after=np.array(after, dtype=np.uint64),
        signed=np.array(signed, dtype=np.uint64),
        epochs=np.array(epochs, dtype=np.uint64),
        signatures=np.frombuffer(data, "<u8").reshape(-1, 7),
    )


def require_valid(messages: Messages, digests: Words) -> None:
    """ValueError for the first signature that is not valid."""
    verdicts = verify_rows(messages.keys, np.ascontiguousarray(digests), messages.signatures)
    if not verdicts.all():
        digest = tuple(digests[int(np.argmin(verdicts))].tolist())
        raise ValueError(f"the signature of digest {digest} is not valid")


def cancel_all_columns(
    messages: Messages, signed: Hashed, before: Hashed, after: Hashed
) -> Columns:
    """Columns of `cancel_all`."""
    leaf = messages.before.T
    room = np.uint64(EPOCH_MAX - 1) - messages.epochs[:, 1]
    return {
        "active": ones(len(messages.places)),
        "account": messages.places,
        **named("owner", leaf[:3]),
        **named("key", leaf[3:8]),
        "cash": leaf[8],
        "key_epoch": messages.epochs[:, 0],
        "cancel_epoch": messages.epochs[:, 1],
        "status": leaf[10],
        **named("allowed", leaf[11:14]),
        **named("forced", leaf[14:16]),
        "room": room,
        **named("message_capacity", signed.capacities.T),
        **named("old_capacity", before.capacities.T),
        **named("new_capacity", after.capacities.T),
        **named("digest", signed.digests.T),
        **named("old", before.digests.T),
        **named("new", after.digests.T),
    }


def signature_tables(messages: Messages, digests: Words) -> tuple[dict[str, Columns], Hashed]:
    """Columns of all tables that show signatures, and the hashes of their challenges."""
    distinct = sorted(set(map(tuple, messages.keys.tolist())))
    place_of = {key: place for place, key in enumerate(distinct)}
    of = np.array([place_of[tuple(key)] for key in messages.keys.tolist()], dtype=np.uint64)
    key_columns, windows = key_window_columns(np.array(distinct, dtype=np.uint64))
    by_key = multiply_key_columns(windows, of, np.ascontiguousarray(messages.signatures[:, :2]))
    by_base = multiply_base_columns(np.ascontiguousarray(messages.signatures[:, RESPONSE]))
    columns, hashed = signature_columns(messages, digests, of, by_key, by_base)
    tables = {
        "base_windows": base_window_columns(),
        "key_windows": key_columns,
        "multiply_key": by_key.columns,
        "multiply_base": by_base.columns,
        "signature": columns,
    }
    return tables, hashed


def signature_columns(
    messages: Messages, digests: Words, of: Words, by_key: Multiplied, by_base: Multiplied
) -> tuple[Columns, Hashed]:
    """Columns of `signature`, and the hashes that give the challenges."""
    key_points = np.ascontiguousarray(by_key.products)
    base_points = np.ascontiguousarray(by_base.products)
    sums = add_and_encode(base_points, key_points)
    hashed = sponge("schnorr", np.concatenate([sums[:, 10:], messages.keys, digests], axis=1))
    chunks = np.ascontiguousarray(messages.signatures).view("<u4").astype(np.uint64)
    rooms, borrows = rooms_below_the_order(chunks[:, 4:])
    columns = {
        "active": ones(len(of)),
        "number": of + np.uint64(1),
        **named("key", messages.keys.T),
        **named("digest", digests.T),
        **named("challenge", chunks[:, :4].T),
        **named("response", chunks[:, 4:].T),
        **named("room", rooms),
        **named("borrow", borrows),
        **named_quintics(("key_x", "key_u"), key_points.T),
        **named_quintics(("base_x", "base_u"), base_points.T),
        **named_quintics(("x", "u", "w"), sums.T),
        **named("capacity", hashed.capacities.T),
        **named("unused", hashed.digests[:, 2:].T),
    }
    return columns, hashed


def rooms_below_the_order(responses: Words) -> tuple[Words, Words]:
    """Chunks of n − 1 − s (10, n) from those of s (n, 10), and what each but the last borrows."""
    rooms, borrows = [], [np.zeros(len(responses), dtype=np.int64)]
    for place, limit in enumerate(chunks_of(N - 1, BASE_CHUNKS)):
        left = limit - responses[:, place].astype(np.int64) - borrows[-1]
        borrows.append((left < 0).astype(np.int64))
        rooms.append(left + (borrows[-1] << CHUNK_BITS))
    return np.array(rooms, dtype=np.uint64), np.array(borrows[1:-1], dtype=np.uint64)
