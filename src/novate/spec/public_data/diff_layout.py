"""The layout of `diff` data under the widths of a batch: bytes of every record but the holders'."""

from __future__ import annotations

from novate.spec.bounds import FACTOR_ONE, PRICE_MAX, check_range
from novate.spec.presets import Preset
from novate.spec.public_data.codec import (
    Codec,
    Enumerated,
    Flag,
    Listed,
    Optional,
    Reader,
    Record,
    Signed,
    Sparse,
    Unsigned,
    put_signed,
)
from novate.spec.public_data.difference import (
    Difference,
    ExpiryChange,
    InstrumentChange,
    MarketChange,
    PastSide,
    SnapshotChange,
    SnapshotDelta,
    Source,
    SystemChange,
)
from novate.spec.public_data.fields import COUNTER, CURSOR, INSTRUMENT, TIME, UNDERLYING
from novate.spec.public_data.holders_codec import AccountsCodec, FundCodec
from novate.spec.public_data.parameters import parameters_codec
from novate.spec.public_data.reports import DAY
from novate.spec.public_data.widths import WIDTH_MAX, Widths
from novate.spec.smile import NODES

LIMIT = 1 << 8 * WIDTH_MAX
FACTOR = Unsigned("factor", 4, 0, FACTOR_ONE)
SAME_DAYS = 128
"""Bit of a snapshot's count of expiries: the days are those of its base, and are left out."""
PAST_SIDES_MAX = 2**16 - 1
SOURCE = Enumerated("source", Source, len(Source))


def difference_codec(preset: Preset, widths: Widths) -> Codec[Difference]:
    """The layout of a difference under given widths."""
    instruments = 2 * preset.open_instruments_max
    return Record(
        Difference,
        (
            ("system", system_codec(widths)),
            ("parameters", Optional("parameters", parameters_codec(preset))),
            ("opened", Listed("opened", INSTRUMENT, 2, preset.open_instruments_max, 0, 7)),
            (
                "past_sides",
                Listed("past_sides", past_side_codec(widths), 2, PAST_SIDES_MAX, 0, 5),
            ),
            (
                "instruments",
                Listed("instruments", instrument_codec(widths), 2, instruments),
            ),
            ("markets", Listed("markets", market_codec(preset, widths), 2, preset.markets_max)),
            ("accounts", AccountsCodec(widths)),
        ),
    )


def _change(name: str, width: int) -> Codec[int]:
    """A signed change in a width of the batch."""
    return Signed(name, width, LIMIT)


def system_codec(widths: Widths) -> Codec[SystemChange]:
    """The system leaf."""
    return Sparse(
        "system",
        SystemChange,
        (
            ("time", TIME),
            ("inbox_cursor", CURSOR),
            ("fork", COUNTER),
            ("venue_epoch", COUNTER),
            ("vault", _change("vault", widths.balance)),
            ("account_count", Unsigned("account_count", 4)),
        ),
    )


def past_side_codec(widths: Widths) -> Codec[PastSide]:
    """A side at some moment of the batch."""
    return Record(
        PastSide,
        (
            ("place", Unsigned("place", widths.place)),
            ("is_long", Flag()),
            ("factor", FACTOR),
            ("cash", _change("past_side.cash", widths.side_cash)),
        ),
    )


def instrument_codec(widths: Widths) -> Codec[InstrumentChange]:
    """An instrument: its place, then the fields that changed."""
    return Sparse(
        "instrument",
        InstrumentChange,
        (
            ("open_interest", _change("open_interest", widths.open_interest)),
            ("clearing", _change("clearing", widths.balance)),
            ("long_factor", FACTOR),
            ("long_cash", _change("side.cash", widths.side_cash)),
            ("short_factor", FACTOR),
            ("short_cash", _change("side.cash", widths.side_cash)),
            ("settlement", Unsigned("settlement", 4, 0, PRICE_MAX)),
        ),
        always=(("place", Unsigned("place", widths.place)),),
    )


def market_codec(preset: Preset, widths: Widths) -> Codec[MarketChange]:
    """A market: its underlying, then the fields that changed."""
    snapshot = SnapshotCodec(preset, widths)
    return Sparse(
        "market",
        MarketChange,
        (
            ("current", snapshot),
            ("reference", snapshot),
            ("candidate", snapshot),
            ("pending", snapshot),
            ("halt_since", TIME),
            ("agreeing", COUNTER),
            ("concentration_ppm", COUNTER),
            ("fund", FundCodec(widths)),
        ),
        always=(("underlying", UNDERLYING),),
    )


class SnapshotCodec:
    """One byte that says where a snapshot comes from, and its difference where that is needed."""

    def __init__(self, preset: Preset, widths: Widths) -> None:
        """The preset bounds the number of expiries."""
        self.expiries_max = preset.expiries_max
        self.widths = widths

    def write(self, out: bytearray, value: SnapshotChange) -> None:
        """Append a snapshot's change."""
        SOURCE.write(out, value.source)
        if value.delta is not None:
            self._write_delta(out, value.delta)

    def _write_delta(self, out: bytearray, delta: SnapshotDelta) -> None:
        """Append a snapshot's difference from the market's current one before the batch."""
        put_signed(out, self.widths.price, delta.time)
        put_signed(out, self.widths.price, delta.index_price)
        put_signed(out, self.widths.rate, delta.premium_ppm)
        put_signed(out, self.widths.price, delta.mean)
        out.append(len(delta.expiries) | (SAME_DAYS if delta.days is None else 0))
        for day in delta.days or ():
            DAY.write(out, day)
        for expiry in delta.expiries:
            put_signed(out, self.widths.rate, expiry.basis_ppm)
            for vol in expiry.vols_ppm:
                put_signed(out, self.widths.vol, vol)

    def read(self, reader: Reader) -> SnapshotChange:
        """Read a snapshot's change."""
        source = SOURCE.read(reader)
        if source != Source.DELTA:
            return SnapshotChange(source)
        return SnapshotChange(source, self._read_delta(reader))

    def _read_delta(self, reader: Reader) -> SnapshotDelta:
        """Read a snapshot's difference."""
        time = reader.signed(self.widths.price)
        index_price = reader.signed(self.widths.price)
        premium_ppm = reader.signed(self.widths.rate)
        mean = reader.signed(self.widths.price)
        head = reader.unsigned(1)
        count = check_range("snapshot.expiries", head & ~SAME_DAYS, 0, self.expiries_max)
        days = None if head & SAME_DAYS else tuple(DAY.read(reader) for _ in range(count))
        expiries = tuple(self._read_expiry(reader) for _ in range(count))
        return SnapshotDelta(time, index_price, premium_ppm, mean, days, expiries)

    def _read_expiry(self, reader: Reader) -> ExpiryChange:
        """Read one expiry's difference."""
        basis_ppm = reader.signed(self.widths.rate)
        return ExpiryChange(basis_ppm, tuple(reader.signed(self.widths.vol) for _ in range(NODES)))
