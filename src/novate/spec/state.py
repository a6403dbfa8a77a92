"""The state S. Everything is immutable; a batch makes a new State from an old one.

Units: cash in micro-USDC (signed), prices in ticks, quantities in lots (so price · quantity is
cash), times in unix seconds, rates and volatilities in ppm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from novate.spec.bounds import FACTOR_ONE
from novate.spec.crypto.merkle import Tree
from novate.spec.parameters import Parameters
from novate.spec.presets import Preset
from novate.spec.primitives import ZERO_KEY, Digest, PublicKey

FEE_ACCOUNT = 0
"""The account that fees are credited to; opened at genesis for the operator's treasury."""


class ExpiryFields(NamedTuple):
    """What the oracle says of one expiry."""

    day: int
    """Expiry day (days since 2020-01-01)."""
    basis_ppm: int
    """Forward = index · (1 + basis); signed."""
    vols_ppm: tuple[int, ...]
    """Volatility at each smile node."""


class Snapshot(NamedTuple):
    """One accepted oracle snapshot of one market."""

    time: int = 0
    """Grid second of the reports; 0: there never was one."""
    index_price: int = 0
    """Spot index, ticks."""
    premium_ppm: int = 0
    """Time-averaged premium of the perpetual over the index, signed."""
    mean: int = 0
    """Mean of the index prints of the latest 07:30-08:00 UTC window, running inside it, ticks."""
    expiries: tuple[ExpiryFields, ...] = ()
    """Sorted by day."""


class Halt(NamedTuple):
    """Whether a market is halted, and how far it is on the way back."""

    since: int = 0
    """Round time at which it halted; 0: not halted."""
    agreeing: int = 0
    """Consecutive quorum snapshots that agree with each other."""
    pending: Snapshot = Snapshot()
    """The latest of them."""


class Side(NamedTuple):
    """One side (long or short) of an instrument: how its holders' positions have been changed.

    A holder with quantity q0 taken at (factor0, cash0) now holds |q0| · factor / factor0 lots and
    is owed |q0| · (cash − cash0) / factor0 of cash, both rounded down.
    """

    factor: int = FACTOR_ONE
    """Deleveraging factor, FACTOR_MIN to FACTOR_ONE."""
    cash: int = 0
    """Cash accumulator of funding and deleveraging, ticks · FACTOR_ONE a lot; signed."""


class InstrumentState(NamedTuple):
    """One instrument with open interest (or not yet collected settlement)."""

    instrument: int
    """Instrument id, below 2**50."""
    mark: int = 0
    """Mark of the last batch; of a settled one, its settlement price."""
    open_interest: int = 0
    """Lots long, equal to lots short (dust of rounded positions included)."""
    long: Side = Side()
    short: Side = Side()
    clearing: int = 0
    """Clearing balance: the counterparty of every lazy flow."""
    holders: int = 0
    """Accounts and funds that hold a position in it."""
    settled: bool = False


class Position(NamedTuple):
    """A holding, with the side's factor and accumulator at the time it was last touched."""

    instrument: int
    quantity: int
    """Lots, signed, never 0."""
    factor: int
    cash: int


@dataclass(frozen=True)
class Account:
    """One account. Accounts of one owner are sub-accounts of each other."""

    owner: int
    """L1 address, below 2**160."""
    key: PublicKey = ZERO_KEY
    """Trading key; the zero key cannot sign."""
    key_epoch: int = 0
    """Raised with each change of key; part of every session certificate's domain."""
    cash: int = 0
    positions: tuple[Position, ...] = ()
    """Sorted by instrument id."""
    last_underlying: int = 0
    """Underlying last traded: it bears a deficit that no position explains."""
    cancel_epoch: int = 0
    """Part of every order's domain; raising it kills all open orders."""
    liquidation_since: int = 0
    """Round time at which equity was first seen below maintenance; 0: not in liquidation."""
    tier: int = 0
    """Fee tier."""
    allowed_owner: int = 0
    """Another owner to whom transfers are allowed (set on L1); 0: none."""
    forced_close_instrument: int = 0
    """Instrument of a forced close that the fund could not take whole; 0: none (id of nothing)."""
    forced_close_time: int = 0
    """Round time of that request; 0: none."""


@dataclass(frozen=True)
class Fund:
    """The insurance fund of one market: cash and positions of that underlying only."""

    cash: int = 0
    positions: tuple[Position, ...] = ()
    debt: int = 0
    """Deficits nobody has paid yet; withdrawals are scaled while any fund has debt."""


NO_SNAPSHOT = Snapshot()
NEVER_OPENED = Halt(since=1)
"""A market starts halted: it opens after the first agreeing snapshots."""
NO_FUND = Fund()


@dataclass(frozen=True)
class Market:
    """One underlying."""

    current: Snapshot = NO_SNAPSHOT
    """The last accepted snapshot."""
    reference: Snapshot = NO_SNAPSHOT
    """An older one that withdrawals must also be safe at."""
    candidate: Snapshot = NO_SNAPSHOT
    """The next reference."""
    halt: Halt = NEVER_OPENED
    concentration_ppm: int = 0
    """Concentration rate in maintenance margin: follows the market's own with a limited rise."""
    fund: Fund = NO_FUND


class Slot(NamedTuple):
    """An order slot: the newest nonce seen and how much of that order is filled."""

    nonce: int = 0
    filled: int = 0


EMPTY_SLOT = Slot()


@dataclass(frozen=True)
class System:
    """What belongs to no market and no account."""

    batch_number: int = 0
    time: int = 0
    """Time of the last round, unix seconds."""
    inbox_cursor: int = 0
    """L1 requests processed so far."""
    fork: int = 0
    """Raised by L1 with every revert; part of every message's domain."""
    venue_epoch: int = 0
    """Raised by every slot reset; part of every message's domain."""
    vault: int = 0
    """V: deposits credited − payouts, micro-USDC."""
    account_count: int = 0
    """Accounts opened; indices are 0 .. account_count − 1."""


@dataclass(frozen=True)
class Roots:
    """The commitments of one state."""

    system: Digest
    markets: Digest
    instruments: Digest
    accounts: Digest
    slots: Digest
    settlement_root: Digest
    root: Digest


class Trees(NamedTuple):
    """The trees of a state that a batch updates. Never part of the state's meaning."""

    accounts: Tree
    slots: Tree
    """Leaf: root of the account's slot tree; absent for an account whose slots are all empty."""
    account_slots: Mapping[int, Tree]


@dataclass(frozen=True)
class State:
    """S: everything that the next batch depends on."""

    preset: Preset
    parameters: Parameters
    system: System = field(default_factory=System)
    markets: tuple[Market, ...] = ()
    """By underlying; one for each of parameters.markets."""
    instruments: Mapping[int, InstrumentState] = field(default_factory=dict)
    """Open and settled ones by id."""
    accounts: Mapping[int, Account] = field(default_factory=dict)
    """By index, dense from 0."""
    slots: Mapping[tuple[int, int], Slot] = field(default_factory=dict)
    """(account, slot) to a slot that is not empty."""
    trees: Trees | None = field(default=None, compare=False, repr=False)
    """Remembered by `apply_batch` so that the next batch need not rebuild them."""
    roots: Roots | None = field(default=None, compare=False, repr=False)
    """Remembered likewise."""
