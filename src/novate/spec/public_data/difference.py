"""What a batch changed in the state, slots aside, as typed records: one difference, one form.

Not everything is said. What follows from the rest by a rule is left out, because bytes are dear:
the mark of an open instrument (from the market's current snapshot), its number of holders (from the
positions that came and went), the removal of an instrument (nobody holds it), the batch number.
Open interest is said only where it is not what the changes of positions make it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from novate.spec.parameters import Parameters
from novate.spec.primitives import PublicKey


class LotsChange(NamedTuple):
    """A position that grew or shrank."""

    place: int
    """Of the instrument in the batch's list: those open or settled before, and those opened."""
    lots: int
    """Change, never 0."""


class Stale(NamedTuple):
    """A position whose factor and accumulator are not its side's after the batch."""

    place: int
    """Of the position in the holder's list after the batch."""
    source: int
    """0: as before the batch; k: the k-th past side of its instrument and side."""


class Freshness(IntEnum):
    """Where the factor and accumulator of a holder's positions come from."""

    CURRENT = 0
    """All equal their side's after the batch."""
    KEPT = 1
    """No position changed at all, and not all are current."""
    MIXED = 2
    """Current but for the positions listed as stale."""


class PositionsChange(NamedTuple):
    """How the positions of one holder changed."""

    lots: tuple[LotsChange, ...] = ()
    """Ascending by place."""
    freshness: Freshness = Freshness.CURRENT
    stale: tuple[Stale, ...] = ()
    """Ascending by place; only if MIXED."""


class AccountRest(NamedTuple):
    """Fields of an account that few batches change; None: unchanged."""

    owner: int | None = None
    key: PublicKey | None = None
    key_epoch: int | None = None
    cancel_epoch: int | None = None
    tier: int | None = None
    allowed_owner: int | None = None
    forced_close_instrument: int | None = None
    forced_close_time: int | None = None


class AccountChange(NamedTuple):
    """An account that changed, or was opened."""

    account: int
    cash: int
    """Change."""
    positions: PositionsChange
    last_underlying: int | None
    liquidation_since: int | None
    rest: AccountRest


class PastSide(NamedTuple):
    """A side of an instrument as it was at some moment of the batch, for positions touched then."""

    place: int
    is_long: bool
    factor: int
    cash: int


class InstrumentChange(NamedTuple):
    """An instrument whose leaf is not what the rules make it; None: as they make it."""

    place: int
    open_interest: int | None = None
    """Less what the changes of positions make it."""
    clearing: int | None = None
    """Change."""
    long_factor: int | None = None
    """New value."""
    long_cash: int | None = None
    """Change."""
    short_factor: int | None = None
    short_cash: int | None = None
    settlement: int | None = None
    """The value it settled at in this batch."""


class ExpiryChange(NamedTuple):
    """Fields of one expiry less those of its base."""

    basis_ppm: int
    vols_ppm: tuple[int, ...]


class SnapshotDelta(NamedTuple):
    """A snapshot less the market's current one before the batch."""

    time: int
    index_price: int
    premium_ppm: int
    mean: int
    days: tuple[int, ...] | None
    """None: the same expiries."""
    expiries: tuple[ExpiryChange, ...]


class Source(IntEnum):
    """Where a snapshot of a market comes from."""

    CURRENT = 0
    """The market's current one after the batch."""
    OLD_CURRENT = 1
    OLD_REFERENCE = 2
    OLD_CANDIDATE = 3
    OLD_PENDING = 4
    NONE = 5
    """The empty snapshot."""
    DELTA = 6
    """None of these: it is given by its difference."""


class SnapshotChange(NamedTuple):
    """A snapshot that changed: the first source that gives it."""

    source: Source
    delta: SnapshotDelta | None = None
    """Only for DELTA."""


class FundChange(NamedTuple):
    """A market's fund that changed; changes, 0: none."""

    cash: int
    debt: int
    positions: PositionsChange


class MarketChange(NamedTuple):
    """A market that changed; None: unchanged."""

    underlying: int
    current: SnapshotChange | None = None
    reference: SnapshotChange | None = None
    candidate: SnapshotChange | None = None
    pending: SnapshotChange | None = None
    halt_since: int | None = None
    agreeing: int | None = None
    concentration_ppm: int | None = None
    fund: FundChange | None = None


class SystemChange(NamedTuple):
    """The system leaf; None: unchanged. New values, but for the vault, which is a change."""

    time: int | None = None
    inbox_cursor: int | None = None
    fork: int | None = None
    venue_epoch: int | None = None
    vault: int | None = None
    account_count: int | None = None


class Difference(NamedTuple):
    """S[n+1] less S[n], slots aside. Every list is ascending, nothing unchanged is in it."""

    system: SystemChange
    parameters: Parameters | None
    opened: tuple[int, ...]
    """Ids of instruments opened and still held."""
    past_sides: tuple[PastSide, ...]
    """Every one of them is used."""
    instruments: tuple[InstrumentChange, ...]
    markets: tuple[MarketChange, ...]
    accounts: tuple[AccountChange, ...]
