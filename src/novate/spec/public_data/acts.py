"""Phases 3, 4 and 6 of a round in bytes: changes, due transactions, moves."""

from __future__ import annotations

from typing import Any, TypeVar

from novate.spec.messages.account import (
    CancelAll,
    MovePosition,
    RotateKey,
    SetTier,
    SignedCancelAll,
    SignedMovePosition,
    SignedRotateKey,
    SignedTransfer,
    SignedWithdrawal,
    Transfer,
    Withdrawal,
)
from novate.spec.messages.batch import DeleverageFund, Liquidate, Touch
from novate.spec.public_data.codec import Codec, Record, Tagged, Unsigned
from novate.spec.public_data.fields import (
    ACCOUNT,
    AMOUNT,
    INSTRUMENT,
    KEY,
    NONCE,
    SIGNED_QUANTITY,
    SLOT,
    TIME,
    UNDERLYING,
)
from novate.spec.public_data.orders import AUTHORIZATION

T = TypeVar("T")

REPLAY_FIELDS: tuple[tuple[str, Codec[Any]], ...] = (
    ("slot", SLOT),
    ("nonce", NONCE),
    ("good_till", TIME),
)


def _signed(make: type[T], message: Codec[Any]) -> tuple[type[T], Codec[T]]:
    """A message with its authorization."""
    return make, Record(make, (("message", message), ("authorization", AUTHORIZATION)))


CHANGE = Tagged(
    "change",
    (
        _signed(SignedRotateKey, Record(RotateKey, (("account", ACCOUNT), ("key", KEY)))),
        _signed(SignedCancelAll, Record(CancelAll, (("account", ACCOUNT),))),
        (SetTier, Record(SetTier, (("account", ACCOUNT), ("tier", Unsigned("tier", 1))))),
    ),
)
CHANGE_BYTES_MIN = 5

DUE = Tagged(
    "due",
    (
        (Touch, Record(Touch, (("account", ACCOUNT),))),
        (Liquidate, Record(Liquidate, (("account", ACCOUNT),))),
        (DeleverageFund, Record(DeleverageFund, (("underlying", UNDERLYING),))),
    ),
)
DUE_BYTES_MIN = 2

MOVE = Tagged(
    "move",
    (
        _signed(
            SignedTransfer,
            Record(
                Transfer,
                (
                    ("account", ACCOUNT),
                    ("recipient", ACCOUNT),
                    ("amount", AMOUNT),
                    *REPLAY_FIELDS,
                ),
            ),
        ),
        _signed(
            SignedMovePosition,
            Record(
                MovePosition,
                (
                    ("account", ACCOUNT),
                    ("recipient", ACCOUNT),
                    ("instrument", INSTRUMENT),
                    ("quantity", SIGNED_QUANTITY),
                    *REPLAY_FIELDS,
                ),
            ),
        ),
        _signed(
            SignedWithdrawal,
            Record(
                Withdrawal,
                (
                    ("account", ACCOUNT),
                    ("amount", AMOUNT),
                    ("min_payout", AMOUNT),
                    *REPLAY_FIELDS,
                ),
            ),
        ),
    ),
)
MOVE_BYTES_MIN = 82
