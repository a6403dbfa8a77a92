"""Cancel-all by signed messages: one row a message. Mirrors `spec/transactions/changes.py`.

The message and the account leaf before and after are the law's; the leaf holds the key that
signed. Accounts with positions have longer leaves, which the tables of the whole law will take.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from novate.circuit.buses import Interaction, receive, send
from novate.circuit.columns import Column, column, columns, flag, scan
from novate.circuit.expressions import FIRST, LAST, TRANSITION, Expression, Public, lift
from novate.circuit.tables import Table, rule
from novate.spec.bounds import EPOCH_MAX
from novate.spec.crypto.sponge import hash_elements
from novate.spec.layout import ACCOUNT_TAG, account_elements
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.spec.state import Account
from novate.tables.curve import DEGREE, named, put
from novate.tables.merkle_update import NODE
from novate.tables.multiply import put_scalars
from novate.tables.poseidon2 import DIGEST
from novate.tables.signature import SIGNED
from novate.tables.sponge import hash_messages, sponge_rows

EPOCH_BITS: Final = EPOCH_MAX.bit_length()
ACCOUNT_ELEMENTS: Final = 16
"""Of a leaf without positions."""
DOMAIN: Final = ("chain_id", "contract_0", "contract_1", "contract_2", "version", "fork", "venue")
"""Public values: the domain of every message, the account's epoch aside."""


def counted(active: Column) -> Column:
    """Active rows so far."""
    return scan(active, lambda above: above + active.next)


class CancelAllTable(Table):
    """One row a message: the account's leaf, its key's signature, its cancel epoch raised."""

    name = "cancel_all"
    active = flag()
    account = column()
    owner = columns(3)
    key = columns(DEGREE)
    cash = column()
    key_epoch = column(EPOCH_BITS)
    cancel_epoch = column(EPOCH_BITS)
    status = column(48)
    """Liquidation time, tier and last underlying; the number of positions above them is 0."""
    allowed = columns(3)
    forced = columns(2)
    old_capacity, new_capacity, message_capacity = columns(4), columns(4), columns(4)
    old, new, digest = columns(DIGEST), columns(DIGEST), columns(DIGEST)
    room = column(EPOCH_BITS)
    count = counted(active)

    @rule()
    def epoch_has_room(self) -> Expression:
        """epoch + 1 is an epoch."""
        return self.active * (EPOCH_MAX - 1 - self.cancel_epoch - self.room)

    @rule(on=LAST)
    def all_are_counted(self) -> Expression:
        """The statement says how many messages were applied."""
        return self.count - Public("messages")

    def messages(self) -> list[Interaction]:
        """Hashes message and leaves, asks for the signature, changes the leaf."""
        epoch = self.cancel_epoch
        domain = [Public(name) for name in DOMAIN]
        signed = [*domain, epoch, self.account]
        leaf = named("old", self.old) | named("new", self.new)
        return [
            *self._hash(CANCEL_TAG, signed, self.message_capacity, self.digest),
            *self._hash(ACCOUNT_TAG, self._leaf(epoch), self.old_capacity, self.old),
            *self._hash(ACCOUNT_TAG, self._leaf(epoch + 1), self.new_capacity, self.new),
            send(SIGNED, self.active, **named("key", self.key), **named("digest", self.digest)),
            send(NODE, self.active, level=0, index=self.account, **leaf),
        ]

    def _leaf(self, epoch: Expression) -> list[Expression]:
        """The sixteen elements of an account's leaf."""
        epochs = self.key_epoch + epoch * (1 << 32)
        middle = [*self.owner, *self.key, self.cash, epochs, self.status]
        return [*middle, *self.allowed, *self.forced]

    def _hash(
        self,
        tag: str,
        elements: Sequence[Expression],
        capacity: Sequence[Expression],
        digest: Sequence[Expression],
    ) -> list[Interaction]:
        """A hash that active rows ask for."""
        return hash_messages(self.active, tag, elements, capacity, digest)


class Roots(Table):
    """The first row takes the root's node: what the statement says of the tree."""

    name = "roots"
    active = flag()

    def __init__(self, depth: int) -> None:
        """Levels of the tree."""
        self.depth = depth

    @rule()
    def first_row_alone(self) -> list[Expression]:
        """One root."""
        return [FIRST * (self.active - 1), TRANSITION * self.active.next]

    def messages(self) -> list[Interaction]:
        """The root before and after."""
        old = [Public(f"old_root_{place}") for place in range(DIGEST)]
        new = [Public(f"new_root_{place}") for place in range(DIGEST)]
        node = named("old", old) | named("new", new)
        return [receive(NODE, self.active, level=lift(self.depth), index=0, **node)]


def fill(
    domain: Domain, accounts: Sequence[tuple[int, Account]]
) -> tuple[dict[str, list[int]], list[list[int]]]:
    """Primary columns for the accounts whose epochs are raised; states that hashes permute."""
    found: dict[str, list[int]] = {}
    states: list[list[int]] = []
    for index, account in accounts:
        states += _fill_row(found, domain, index, account)
    return found, states


def _fill_row(
    found: dict[str, list[int]], domain: Domain, index: int, account: Account
) -> list[list[int]]:
    """One message's row; the states its hashes permute."""
    raised = replace(account, cancel_epoch=account.cancel_epoch + 1)
    before, after = account_elements(account), account_elements(raised)
    if len(before) != ACCOUNT_ELEMENTS:
        raise ValueError(f"account {index} has positions: its leaf has {len(before)} elements")
    message = CancelAll(index).elements(domain, account.cancel_epoch)
    put_scalars(found, active=1, account=index, cash=before[8], status=before[10])
    put(found, "owner", before[:3])
    put(found, "key", before[3:8])
    put_scalars(found, key_epoch=account.key_epoch, cancel_epoch=account.cancel_epoch)
    put(found, "allowed", before[11:14])
    put(found, "forced", before[14:16])
    put_scalars(found, room=EPOCH_MAX - 1 - account.cancel_epoch)
    states: list[list[int]] = []
    for tag, elements, capacity, digest in (
        (CANCEL_TAG, message, "message_capacity", "digest"),
        (ACCOUNT_TAG, before, "old_capacity", "old"),
        (ACCOUNT_TAG, after, "new_capacity", "new"),
    ):
        permuted, capacities = sponge_rows(tag, elements)
        put(found, capacity, capacities)
        put(found, digest, hash_elements(tag, elements))
        states += permuted
    return states
