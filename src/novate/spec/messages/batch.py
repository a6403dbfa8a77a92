"""A batch: what is committed and proved. It holds rounds; a round holds transactions by phase."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from novate.spec.messages.account import Change, Move
from novate.spec.messages.inbox import Request
from novate.spec.messages.oracle import SignedReport
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import Parameters


class SideKind(IntEnum):
    """Who stands on one side of a fill, and by what right."""

    ORDER = 0
    QUOTE = 1
    LIQUIDATION = 2
    """An account in liquidation, without its signature."""
    FUND = 3
    """The instrument's market fund, without a signature."""


class SideOf(NamedTuple):
    """One side of a fill."""

    kind: SideKind
    number: int = 0
    """Order or sheet: its place in the round; liquidation: the account; fund: 0."""
    quote: int = 0
    """Quote within the sheet."""


class Fill(NamedTuple):
    """One instrument changes hands."""

    instrument: int
    price: int
    quantity: int
    """Lots, positive: the buyer's gain."""
    buyer: SideOf
    seller: SideOf
    maker_is_buyer: bool


class Trade(NamedTuple):
    """One fill, or several (legs) that happen all or not at all."""

    fills: tuple[Fill, ...]


class MarketReports(NamedTuple):
    """The quorum of reports that opens a round for one market."""

    underlying: int
    reports: tuple[SignedReport, ...]


class Touch(NamedTuple):
    """Bring an account up to date and see whether it is below maintenance margin."""

    account: int


class Liquidate(NamedTuple):
    """Takeover by the funds or deleveraging of an account whose waterfall is open."""

    account: int


class DeleverageFund(NamedTuple):
    """Deleveraging of a fund whose equity is below its own maintenance margin."""

    underlying: int


Due = Touch | Liquidate | DeleverageFund
"""Transactions of phase 4."""


class Round(NamedTuple):
    """Transactions under one snapshot, by phase; order within a phase is log order."""

    time: int
    reports: tuple[MarketReports, ...] = ()
    """Phase 1, sorted by underlying, at most one a market."""
    requests: tuple[Request, ...] = ()
    """Phase 2; only the batch's first round may have any."""
    changes: tuple[Change, ...] = ()
    """Phase 3."""
    due: tuple[Due, ...] = ()
    """Phase 4."""
    orders: tuple[SignedOrder, ...] = ()
    """What the trades refer to."""
    sheets: tuple[SignedSheet, ...] = ()
    trades: tuple[Trade, ...] = ()
    """Phase 5."""
    moves: tuple[Move, ...] = ()
    """Phase 6."""


class Batch(NamedTuple):
    """T[n]: everything that f is given besides the state."""

    number: int
    """The state's batch number + 1."""
    fork: int
    """L1 fork, at least the state's."""
    parameters: Parameters | None
    """New parameters set on L1; None: unchanged."""
    reset_slots: bool
    """Empty every order slot and raise the venue epoch before the first round."""
    rounds: tuple[Round, ...]
