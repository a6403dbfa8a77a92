"""Widths of the fields of `diff` data: for each batch the least that hold its values.

A width may be 0: then every value of the field is 0 and takes no bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from novate.spec.errors import DecodeError
from novate.spec.public_data.codec import Reader, signed_width, unsigned_width
from novate.spec.public_data.difference import (
    Difference,
    PositionsChange,
    SnapshotDelta,
)

WIDTH_MAX = 9
"""Bytes that the widest difference needs: two values below 2**63 in absolute terms."""


class Widths(NamedTuple):
    """Bytes of each kind of field; in the data one byte each, in this order."""

    gap: int = 0
    """Between the indices of two accounts, less 1."""
    cash: int = 0
    """Change of an account's cash, signed."""
    place: int = 0
    """Of an instrument in the batch's list."""
    lots: int = 0
    """Change of a position, signed."""
    stale_place: int = 0
    """Of a stale position in its holder's list."""
    source: int = 0
    """Of a stale position's values."""
    side_cash: int = 0
    """Change of a side's accumulator, and a past side's accumulator; signed."""
    balance: int = 0
    """Change of a clearing balance, of a fund's cash and debt, of the vault; signed."""
    open_interest: int = 0
    """Open interest less what is predicted, signed."""
    price: int = 0
    """Change of a snapshot's index, mean and time; signed."""
    rate: int = 0
    """Change of a premium or basis, signed."""
    vol: int = 0
    """Change of a volatility, signed."""

    def write(self, out: bytearray) -> None:
        """Append the widths."""
        out += bytes(self)


def read_widths(reader: Reader) -> Widths:
    """Read the widths; DecodeError if one is more than `WIDTH_MAX`."""
    widths = Widths(*reader.take(len(Widths._fields)))
    if max(widths) > WIDTH_MAX:
        raise DecodeError("width_too_large", f"{widths}, at most {WIDTH_MAX}")
    return widths


def account_gaps(indices: Iterable[int]) -> Iterator[int]:
    """index − previous index − 1 of each, the first counted from −1."""
    last = -1
    for index in indices:
        yield index - last - 1
        last = index


def widths_of(change: Difference) -> Widths:
    """The least widths that hold a difference."""
    positions = list(_positions(change))
    deltas = list(_snapshot_deltas(change))
    expiries = [expiry for delta in deltas for expiry in delta.expiries]
    return Widths(
        gap=_unsigned(account_gaps(account.account for account in change.accounts)),
        cash=_signed(account.cash for account in change.accounts),
        place=_unsigned(_places(change, positions)),
        lots=_signed(lots.lots for record in positions for lots in record.lots),
        stale_place=_unsigned(stale.place for record in positions for stale in record.stale),
        source=_unsigned(stale.source for record in positions for stale in record.stale),
        side_cash=_signed(_side_cash(change)),
        balance=_signed(_balances(change)),
        open_interest=_signed(record.open_interest or 0 for record in change.instruments),
        price=_signed(
            value for delta in deltas for value in (delta.time, delta.index_price, delta.mean)
        ),
        rate=_signed(
            chain(
                (delta.premium_ppm for delta in deltas),
                (expiry.basis_ppm for expiry in expiries),
            )
        ),
        vol=_signed(vol for expiry in expiries for vol in expiry.vols_ppm),
    )


def _unsigned(values: Iterable[int]) -> int:
    """The width that holds all of some integers >= 0."""
    return max(map(unsigned_width, values), default=0)


def _signed(values: Iterable[int]) -> int:
    """The width that holds all of some signed integers."""
    return max(map(signed_width, values), default=0)


def _positions(change: Difference) -> Iterator[PositionsChange]:
    """Every holder's change of positions."""
    for account in change.accounts:
        yield account.positions
    for market in change.markets:
        if market.fund is not None:
            yield market.fund.positions


def _places(change: Difference, positions: list[PositionsChange]) -> Iterator[int]:
    """Every place of an instrument."""
    for record in positions:
        for lots in record.lots:
            yield lots.place
    for past in change.past_sides:
        yield past.place
    for instrument in change.instruments:
        yield instrument.place


def _side_cash(change: Difference) -> Iterator[int]:
    """Every accumulator."""
    for record in change.instruments:
        yield record.long_cash or 0
        yield record.short_cash or 0
    for past in change.past_sides:
        yield past.cash


def _balances(change: Difference) -> Iterator[int]:
    """Every balance that is not an account's cash."""
    yield change.system.vault or 0
    for record in change.instruments:
        yield record.clearing or 0
    for market in change.markets:
        if market.fund is not None:
            yield market.fund.cash
            yield market.fund.debt


def _snapshot_deltas(change: Difference) -> Iterator[SnapshotDelta]:
    """Every snapshot that is given by its difference."""
    for market in change.markets:
        for snapshot in (market.current, market.reference, market.candidate, market.pending):
            if snapshot is not None and snapshot.delta is not None:
                yield snapshot.delta
