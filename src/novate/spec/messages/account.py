"""What an account's owner signs besides orders: keys, cancels, transfers, withdrawals.

Transfers, position moves and withdrawals use an order slot against replay: their nonce must be
newer than the slot's, and the slot is then exhausted. Key rotation and cancel-all raise the epoch
they are signed under, so they cannot be replayed either.
"""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.bounds import (
    AMOUNT_MAX,
    INDEX_MAX,
    NONCE_MAX,
    QUANTITY_MAX,
    TIME_MAX,
    check_elements,
    check_range,
)
from novate.spec.instruments import ID_BITS
from novate.spec.messages.domain import Domain, signed_element
from novate.spec.messages.orders import Authorization
from novate.spec.primitives import PublicKey

ROTATE_TAG = "rotate"
CANCEL_TAG = "cancel"
TRANSFER_TAG = "transf"
MOVE_TAG = "move"
WITHDRAW_TAG = "withdr"


class RotateKey(NamedTuple):
    """Replace the trading key; signed by the old key under the account's key epoch."""

    account: int
    key: PublicKey

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `ROTATE_TAG`."""
        return (*domain.elements(epoch), self.account, *self.key)


class CancelAll(NamedTuple):
    """Raise the account's cancel epoch: every open order dies."""

    account: int

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `CANCEL_TAG`."""
        return (*domain.elements(epoch), self.account)


class Transfer(NamedTuple):
    """Move cash to a sub-account of the same owner, or to an owner allowed on L1."""

    account: int
    recipient: int
    amount: int
    """micro-USDC, positive."""
    slot: int
    nonce: int
    good_till: int

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `TRANSFER_TAG`."""
        return (
            *domain.elements(epoch),
            self.account,
            self.recipient,
            self.amount,
            self.slot | self.nonce << 32,
            self.good_till,
        )


class MovePosition(NamedTuple):
    """Move part of a position to a sub-account of the same owner, at mark."""

    account: int
    recipient: int
    instrument: int
    quantity: int
    """Lots, signed like the position."""
    slot: int
    nonce: int
    good_till: int

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `MOVE_TAG`."""
        return (
            *domain.elements(epoch),
            self.account,
            self.recipient,
            self.instrument,
            signed_element(self.quantity),
            self.slot | self.nonce << 32,
            self.good_till,
        )


class Withdrawal(NamedTuple):
    """Debit `amount`; pay the owner on L1 at least `min_payout` (less than amount under debt)."""

    account: int
    amount: int
    min_payout: int
    slot: int
    nonce: int
    good_till: int

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `WITHDRAW_TAG`."""
        return (
            *domain.elements(epoch),
            self.account,
            self.amount,
            self.min_payout,
            self.slot | self.nonce << 32,
            self.good_till,
        )


def check_rotate(message: RotateKey) -> None:
    """DecodeError unless the new key's elements are canonical."""
    check_elements("rotate.key", message.key)


def check_move(message: Transfer | MovePosition | Withdrawal) -> None:
    """DecodeError unless every field fits the element it is signed in."""
    check_range("move.slot", message.slot, 0, INDEX_MAX)
    check_range("move.nonce", message.nonce, 1, NONCE_MAX)
    check_range("move.good_till", message.good_till, 0, TIME_MAX)
    match message:
        case Transfer():
            check_range("transfer.recipient", message.recipient, 0, INDEX_MAX)
            check_range("transfer.amount", message.amount, 0, AMOUNT_MAX)
        case MovePosition():
            check_range("move.recipient", message.recipient, 0, INDEX_MAX)
            check_range("move.instrument", message.instrument, 0, (1 << ID_BITS) - 1)
            check_range("move.quantity", message.quantity, -QUANTITY_MAX, QUANTITY_MAX)
        case Withdrawal():
            check_range("withdrawal.amount", message.amount, 0, AMOUNT_MAX)
            check_range("withdrawal.min_payout", message.min_payout, 0, AMOUNT_MAX)


class SetTier(NamedTuple):
    """The operator puts an account into a fee tier; orders bound the fee they accept."""

    account: int
    tier: int


class SignedRotateKey(NamedTuple):
    """A key rotation with its authorization (never by a session key)."""

    message: RotateKey
    authorization: Authorization


class SignedCancelAll(NamedTuple):
    """A cancel-all with its authorization."""

    message: CancelAll
    authorization: Authorization


class SignedTransfer(NamedTuple):
    """A transfer with its authorization (never by a session key)."""

    message: Transfer
    authorization: Authorization


class SignedMovePosition(NamedTuple):
    """A position move with its authorization (never by a session key)."""

    message: MovePosition
    authorization: Authorization


class SignedWithdrawal(NamedTuple):
    """A withdrawal with its authorization (never by a session key)."""

    message: Withdrawal
    authorization: Authorization


Change = SignedRotateKey | SignedCancelAll | SetTier
"""Transactions of phase 3."""

Move = SignedTransfer | SignedMovePosition | SignedWithdrawal
"""Transactions of phase 6."""
