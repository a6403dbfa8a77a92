"""Requests from L1. L1 gives them a sequence; the law processes every one of them in order.

`owner` is the L1 sender. A request that cannot be carried out is a proven no-op, never skipped.
"""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.primitives import PublicKey


class Deposit(NamedTuple):
    """Credit cash; opens the account if `account` is the next free index."""

    account: int
    owner: int
    """Owner of the account on L1."""
    sender: int
    """Who paid, and is paid back if the deposit cannot be credited."""
    amount: int
    """micro-USDC, positive."""


class FundDeposit(NamedTuple):
    """Capital for the fund of one market, from anyone; it is not paid back."""

    underlying: int
    sender: int
    """Who paid, and is paid back if there is no such market or no room."""
    amount: int
    """micro-USDC, positive."""


class RegisterKey(NamedTuple):
    """Bind a trading key; overrides a key rotated on L2. An undecodable key binds too."""

    account: int
    owner: int
    key: PublicKey


class AllowOwner(NamedTuple):
    """Allow transfers to accounts of another owner (0: to none)."""

    account: int
    owner: int
    allowed: int


class ForcedWithdrawal(NamedTuple):
    """Pay min(amount, withdrawable now) to the owner."""

    account: int
    owner: int
    amount: int


class ForcedClose(NamedTuple):
    """Close the account's position in one instrument against the market's fund."""

    account: int
    owner: int
    instrument: int


class ForcedLiquidation(NamedTuple):
    """Anyone asks that an account below maintenance margin be dealt with."""

    account: int


class ForcedCancel(NamedTuple):
    """Raise the account's cancel epoch."""

    account: int
    owner: int


Request = (
    Deposit
    | FundDeposit
    | RegisterKey
    | AllowOwner
    | ForcedWithdrawal
    | ForcedClose
    | ForcedLiquidation
    | ForcedCancel
)
