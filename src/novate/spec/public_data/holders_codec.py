"""Accounts and funds in `diff` data.

A holder begins with a flags byte: 1 cash changed | 2, 4 how many positions changed (3: a count
of 2 bytes follows) | 8, 16 freshness | 32, 64, 128 the holder's own. An account that traded one
instrument takes gap 1 + flags 1 + cash 5 + place 1 + lots 3 bytes.
"""

from __future__ import annotations

from novate.spec.bounds import EPOCH_MAX, TIME_MAX
from novate.spec.errors import DecodeError
from novate.spec.public_data.codec import (
    Codec,
    Reader,
    Sparse,
    Unsigned,
    put_signed,
    put_unsigned,
)
from novate.spec.public_data.difference import (
    AccountChange,
    AccountRest,
    Freshness,
    FundChange,
    LotsChange,
    PositionsChange,
    Stale,
)
from novate.spec.public_data.fields import ADDRESS, INSTRUMENT, KEY, TIME, UNDERLYING
from novate.spec.public_data.widths import Widths, account_gaps

HAS_CASH = 1
LOTS_SHIFT = 1
LOTS_MANY = 3
FRESHNESS_SHIFT = 3
HAS_LAST_UNDERLYING = 32
HAS_LIQUIDATION = 64
HAS_REST = 128
HAS_DEBT = 32
COUNT_WIDTH = 2

REST: Codec[AccountRest] = Sparse(
    "account",
    AccountRest,
    (
        ("owner", ADDRESS),
        ("key", KEY),
        ("key_epoch", Unsigned("key_epoch", 4, 0, EPOCH_MAX)),
        ("cancel_epoch", Unsigned("cancel_epoch", 4, 0, EPOCH_MAX)),
        ("tier", Unsigned("tier", 1)),
        ("allowed_owner", ADDRESS),
        ("forced_close_instrument", INSTRUMENT),
        ("forced_close_time", Unsigned("forced_close_time", 4, 0, TIME_MAX)),
    ),
)
NO_REST = AccountRest()


def positions_flags(change: PositionsChange) -> int:
    """The bits of a flags byte that describe a holder's positions."""
    return min(len(change.lots), LOTS_MANY) << LOTS_SHIFT | int(change.freshness) << FRESHNESS_SHIFT


def write_positions(out: bytearray, widths: Widths, change: PositionsChange) -> None:
    """Append what the flags byte does not say of a holder's positions."""
    if len(change.lots) >= LOTS_MANY:
        put_unsigned(out, COUNT_WIDTH, len(change.lots))
    for lots in change.lots:
        put_unsigned(out, widths.place, lots.place)
        put_signed(out, widths.lots, lots.lots)
    if change.freshness == Freshness.MIXED:
        put_unsigned(out, COUNT_WIDTH, len(change.stale))
        for stale in change.stale:
            put_unsigned(out, widths.stale_place, stale.place)
            put_unsigned(out, widths.source, stale.source)


def read_positions(reader: Reader, widths: Widths, flags: int) -> PositionsChange:
    """Read a holder's positions under its flags byte."""
    count = flags >> LOTS_SHIFT & LOTS_MANY
    if count == LOTS_MANY:
        count = reader.unsigned(COUNT_WIDTH)
    _require_plausible(reader, count, widths.place, widths.lots)
    lots = tuple(
        LotsChange(reader.unsigned(widths.place), reader.signed(widths.lots)) for _ in range(count)
    )
    kind = flags >> FRESHNESS_SHIFT & 3
    if kind > Freshness.MIXED:
        raise DecodeError("unknown_tag", f"freshness = {kind}")
    stale: tuple[Stale, ...] = ()
    if kind == Freshness.MIXED:
        count = reader.unsigned(COUNT_WIDTH)
        _require_plausible(reader, count, widths.stale_place, widths.source)
        stale = tuple(
            Stale(reader.unsigned(widths.stale_place), reader.unsigned(widths.source))
            for _ in range(count)
        )
    return PositionsChange(lots, Freshness(kind), stale)


def _require_plausible(reader: Reader, count: int, place: int, value: int) -> None:
    """DecodeError if `count` records of ascending places cannot follow.

    Places of `place` bytes are at most 256**place, so records without bytes cannot be many.
    """
    if count > 1 << 8 * place or count * (place + value) > reader.remaining:
        raise DecodeError("truncated", f"{count} records, {reader.remaining} bytes left")


class FundCodec:
    """A market's fund."""

    def __init__(self, widths: Widths) -> None:
        """Under the batch's widths."""
        self.widths = widths

    def write(self, out: bytearray, value: FundChange) -> None:
        """Append a fund's changes."""
        flags = positions_flags(value.positions)
        flags |= HAS_CASH if value.cash else 0
        flags |= HAS_DEBT if value.debt else 0
        out.append(flags)
        if value.cash:
            put_signed(out, self.widths.balance, value.cash)
        if value.debt:
            put_signed(out, self.widths.balance, value.debt)
        write_positions(out, self.widths, value.positions)

    def read(self, reader: Reader) -> FundChange:
        """Read a fund's changes."""
        flags = reader.unsigned(1)
        if flags >= 2 * HAS_DEBT:
            raise DecodeError("unknown_tag", f"fund flags = {flags}")
        cash = reader.signed(self.widths.balance) if flags & HAS_CASH else 0
        debt = reader.signed(self.widths.balance) if flags & HAS_DEBT else 0
        return FundChange(cash, debt, read_positions(reader, self.widths, flags))


class AccountsCodec:
    """The accounts that changed: a count of 3 bytes, then gap, flags and fields of each."""

    def __init__(self, widths: Widths) -> None:
        """Under the batch's widths."""
        self.widths = widths

    def write(self, out: bytearray, value: tuple[AccountChange, ...]) -> None:
        """Append all accounts, which ascend by index."""
        put_unsigned(out, 3, len(value))
        for gap, account in zip(account_gaps(a.account for a in value), value, strict=True):
            put_unsigned(out, self.widths.gap, gap)
            self._write(out, account)

    def _write(self, out: bytearray, value: AccountChange) -> None:
        """Append one account without its index."""
        flags = positions_flags(value.positions)
        flags |= HAS_CASH if value.cash else 0
        flags |= HAS_LAST_UNDERLYING if value.last_underlying is not None else 0
        flags |= HAS_LIQUIDATION if value.liquidation_since is not None else 0
        flags |= HAS_REST if value.rest != NO_REST else 0
        out.append(flags)
        if value.cash:
            put_signed(out, self.widths.cash, value.cash)
        write_positions(out, self.widths, value.positions)
        if value.last_underlying is not None:
            UNDERLYING.write(out, value.last_underlying)
        if value.liquidation_since is not None:
            TIME.write(out, value.liquidation_since)
        if value.rest != NO_REST:
            REST.write(out, value.rest)

    def read(self, reader: Reader) -> tuple[AccountChange, ...]:
        """Read all accounts."""
        count = reader.unsigned(3)
        if count * (1 + self.widths.gap) > reader.remaining:
            raise DecodeError("truncated", f"{count} accounts, {reader.remaining} bytes left")
        accounts = []
        last = -1
        for _ in range(count):
            last += reader.unsigned(self.widths.gap) + 1
            accounts.append(self._read(reader, last))
        return tuple(accounts)

    def _read(self, reader: Reader, index: int) -> AccountChange:
        """Read one account of a known index."""
        flags = reader.unsigned(1)
        return AccountChange(
            account=index,
            cash=reader.signed(self.widths.cash) if flags & HAS_CASH else 0,
            positions=read_positions(reader, self.widths, flags),
            last_underlying=UNDERLYING.read(reader) if flags & HAS_LAST_UNDERLYING else None,
            liquidation_since=TIME.read(reader) if flags & HAS_LIQUIDATION else None,
            rest=REST.read(reader) if flags & HAS_REST else NO_REST,
        )
