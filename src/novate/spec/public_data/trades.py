"""Fills in bytes. A flags byte carries who stands on each side and whether the trade goes on.

flags: 1 maker is the buyer | 2, 4 buyer's kind | 8, 16 seller's kind | 32 another leg follows.
A side is an order (its place in the round, 3 bytes), a quote (sheet 3, quote 1), an account in
liquidation (3) or the fund (nothing).
"""

from __future__ import annotations

from novate.spec.errors import DecodeError
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.public_data.codec import Reader, Unsigned
from novate.spec.public_data.fields import INSTRUMENT, PRICE, QUANTITY

ANOTHER_LEG = 32
FLAGS_MAX = 63
NUMBER = Unsigned("side.number", 3)
QUOTE_NUMBER = Unsigned("side.quote", 1)
FILL_BYTES_MIN = 16


class TradesCodec:
    """The fills of a round's trades: a count of 2 bytes, at most `fills_max`, then the fills."""

    def __init__(self, fills_max: int) -> None:
        """`fills_max` bounds the fills of one round as it does those of a batch."""
        self.fills_max = fills_max

    def write(self, out: bytearray, value: tuple[Trade, ...]) -> None:
        """Append all fills; DecodeError for a trade without a fill."""
        count = sum(len(trade.fills) for trade in value)
        Unsigned("fills", 2, 0, self.fills_max).write(out, count)
        for trade in value:
            if not trade.fills:
                raise DecodeError("empty_trade", "a trade has at least one fill")
            for place, fill in enumerate(trade.fills):
                _write_fill(out, fill, place + 1 < len(trade.fills))

    def read(self, reader: Reader) -> tuple[Trade, ...]:
        """Read all fills; the last one must end its trade."""
        count = Unsigned("fills", 2, 0, self.fills_max).read(reader)
        if count * FILL_BYTES_MIN > reader.remaining:
            raise DecodeError("truncated", f"{count} fills, {reader.remaining} bytes left")
        trades: list[Trade] = []
        legs: list[Fill] = []
        for _ in range(count):
            fill, goes_on = _read_fill(reader)
            legs.append(fill)
            if not goes_on:
                trades.append(Trade(tuple(legs)))
                legs = []
        if legs:
            raise DecodeError("unfinished_trade", f"{len(legs)} legs without the last one")
        return tuple(trades)


def _write_fill(out: bytearray, fill: Fill, goes_on: bool) -> None:
    """One fill; `goes_on`: another leg of its trade follows."""
    out.append(
        int(fill.maker_is_buyer)
        | fill.buyer.kind << 1
        | fill.seller.kind << 3
        | (ANOTHER_LEG if goes_on else 0)
    )
    INSTRUMENT.write(out, fill.instrument)
    PRICE.write(out, fill.price)
    QUANTITY.write(out, fill.quantity)
    _write_side(out, fill.buyer)
    _write_side(out, fill.seller)


def _read_fill(reader: Reader) -> tuple[Fill, bool]:
    """One fill and whether another leg of its trade follows."""
    flags = reader.unsigned(1)
    if flags > FLAGS_MAX:
        raise DecodeError("unknown_tag", f"fill flags = {flags}, at most {FLAGS_MAX}")
    instrument = INSTRUMENT.read(reader)
    price = PRICE.read(reader)
    quantity = QUANTITY.read(reader)
    buyer = _read_side(reader, SideKind(flags >> 1 & 3))
    seller = _read_side(reader, SideKind(flags >> 3 & 3))
    fill = Fill(instrument, price, quantity, buyer, seller, bool(flags & 1))
    return fill, bool(flags & ANOTHER_LEG)


def _write_side(out: bytearray, side: SideOf) -> None:
    """What a side's kind does not say; DecodeError if it says what its kind has no bytes for."""
    if (side.number and side.kind == SideKind.FUND) or (side.quote and side.kind != SideKind.QUOTE):
        raise DecodeError("side_not_canonical", f"{side}")
    if side.kind != SideKind.FUND:
        NUMBER.write(out, side.number)
    if side.kind == SideKind.QUOTE:
        QUOTE_NUMBER.write(out, side.quote)


def _read_side(reader: Reader, kind: SideKind) -> SideOf:
    """A side of a known kind."""
    number = 0 if kind == SideKind.FUND else NUMBER.read(reader)
    quote = QUOTE_NUMBER.read(reader) if kind == SideKind.QUOTE else 0
    return SideOf(kind, number, quote)
