"""Sizes of a deployment. `MAIN` is what users get; `MINIMAL` is small, for tests, not weaker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """Depths and row limits; fixed for the life of a deployment."""

    name: str
    account_depth: int
    """Levels of the account tree; 2**depth accounts."""
    market_depth: int
    """Levels of the market tree; 2**depth underlyings, at most 256."""
    instrument_depth: int
    """Levels of each of the two instrument trees; 2**depth open and 2**depth settled ones."""
    slot_depth: int
    """Levels of an account's slot tree; 2**depth groups of `SLOT_GROUP` slots."""
    positions_max: int
    """Positions of one account."""
    rounds_max: int
    """Rounds of one batch."""
    fills_max: int
    """Fills of one batch."""
    inbox_max: int
    """Inbox requests of one batch."""
    reports_max: int
    """Oracle reports of one market in one round."""
    expiries_max: int
    """Expiries of one snapshot."""
    sheet_quotes_max: int
    """Quotes of one mass-quote sheet."""

    @property
    def accounts_max(self) -> int:
        """Accounts the tree can hold."""
        return 1 << self.account_depth

    @property
    def markets_max(self) -> int:
        """Underlyings the tree can hold."""
        return 1 << self.market_depth

    @property
    def open_instruments_max(self) -> int:
        """Unsettled instruments with open interest at one time."""
        return 1 << self.instrument_depth

    @property
    def records_max(self) -> int:
        """Orders, sheets, changes, due transactions or moves of one round, each kind by itself."""
        return 8 * self.fills_max

    @property
    def slots_max(self) -> int:
        """Order slots of one account."""
        return SLOT_GROUP << self.slot_depth


SLOT_GROUP = 8
"""Slots hashed together: one leaf of an account's slot tree."""

MAIN = Preset(
    name="main",
    account_depth=24,
    market_depth=8,
    instrument_depth=11,
    slot_depth=7,
    positions_max=256,
    rounds_max=16,
    fills_max=1 << 14,
    inbox_max=256,
    reports_max=22,
    expiries_max=16,
    sheet_quotes_max=64,
)

MINIMAL = Preset(
    name="minimal",
    account_depth=6,
    market_depth=1,
    instrument_depth=5,
    slot_depth=1,
    positions_max=8,
    rounds_max=4,
    fills_max=64,
    inbox_max=8,
    reports_max=4,
    expiries_max=4,
    sheet_quotes_max=4,
)
