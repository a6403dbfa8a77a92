"""Inbox requests: kind, then the fields, each kind of a fixed length. L1 hashes the same bytes.

A request is never skipped, so one without bytes would stop the venue. The inbox on L1 must refuse,
before it hashes, whatever is out of range here: accounts from 2**24, amounts from 2**63,
underlyings from 2**8, instrument ids from 2**50, keys with an element from p.
"""

from __future__ import annotations

from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
)
from novate.spec.public_data.codec import Record, Tagged
from novate.spec.public_data.fields import (
    ACCOUNT,
    ADDRESS,
    AMOUNT,
    INSTRUMENT,
    KEY,
    UNDERLYING,
)

REQUEST = Tagged(
    "request",
    (
        (
            Deposit,
            Record(
                Deposit,
                (
                    ("account", ACCOUNT),
                    ("owner", ADDRESS),
                    ("sender", ADDRESS),
                    ("amount", AMOUNT),
                ),
            ),
        ),
        (
            FundDeposit,
            Record(
                FundDeposit,
                (("underlying", UNDERLYING), ("sender", ADDRESS), ("amount", AMOUNT)),
            ),
        ),
        (
            RegisterKey,
            Record(RegisterKey, (("account", ACCOUNT), ("owner", ADDRESS), ("key", KEY))),
        ),
        (
            AllowOwner,
            Record(AllowOwner, (("account", ACCOUNT), ("owner", ADDRESS), ("allowed", ADDRESS))),
        ),
        (
            ForcedWithdrawal,
            Record(
                ForcedWithdrawal,
                (("account", ACCOUNT), ("owner", ADDRESS), ("amount", AMOUNT)),
            ),
        ),
        (
            ForcedClose,
            Record(
                ForcedClose,
                (("account", ACCOUNT), ("owner", ADDRESS), ("instrument", INSTRUMENT)),
            ),
        ),
        (ForcedLiquidation, Record(ForcedLiquidation, (("account", ACCOUNT),))),
        (ForcedCancel, Record(ForcedCancel, (("account", ACCOUNT), ("owner", ADDRESS)))),
    ),
)
"""The order of the cases is the kind byte. The shortest, a forced liquidation, has 4 bytes."""
REQUEST_BYTES_MIN = 4
