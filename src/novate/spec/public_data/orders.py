"""Orders, mass quotes, authorizations: most of the bytes of a `full` batch.

One flags byte says what an order's bytes contain, so an order without trigger and certificate has
89 bytes, 56 of them its signature.
"""

from __future__ import annotations

from functools import cache

from novate.spec.bounds import check_range
from novate.spec.errors import DecodeError
from novate.spec.messages.orders import (
    ORDER_FLAGS_MAX,
    Authorization,
    Certificate,
    Order,
    Quote,
    Scope,
    Sheet,
    SignedOrder,
    SignedSheet,
    check_certificate,
    check_order,
    check_sheet,
)
from novate.spec.presets import Preset
from novate.spec.public_data.codec import Codec, Listed, Optional, Reader, Record, Unsigned
from novate.spec.public_data.fields import (
    ACCOUNT,
    FEE_PPM,
    INSTRUMENT,
    KEY,
    NONCE,
    PRICE,
    QUANTITY,
    SIGNATURE,
    SLOT,
    TIME,
)

HAS_TRIGGER = 64
HAS_CERTIFICATE = 128
"""Bits of an order's flags byte above is_buy (1) and the order's own flags (2 to 32)."""

CERTIFICATE: Codec[Certificate] = Record(
    Certificate,
    (
        ("key", KEY),
        ("scope", Unsigned("scope", 1, 0, int(Scope.TRADE | Scope.CANCEL))),
        ("expiry", TIME),
        ("signature", SIGNATURE),
    ),
)
AUTHORIZATION: Codec[Authorization] = Record(
    Authorization,
    (("signature", SIGNATURE), ("certificate", Optional("certificate", CERTIFICATE))),
)


class OrderCodec:
    """flags | account | instrument | limit | quantity | slot | nonce | good till | fee | …"""

    def write(self, out: bytearray, value: SignedOrder) -> None:
        """Append a signed order; DecodeError if a field is out of range."""
        order, (signature, certificate) = value
        check_order(order)
        check_range("order.flags", order.flags, 0, ORDER_FLAGS_MAX)
        out.append(
            int(order.is_buy)
            | order.flags << 1
            | (HAS_TRIGGER if order.trigger_price else 0)
            | (HAS_CERTIFICATE if certificate else 0)
        )
        for name, codec in ORDER_FIELDS:
            codec.write(out, getattr(order, name))
        if order.trigger_price:
            PRICE.write(out, order.trigger_price)
        SIGNATURE.write(out, signature)
        if certificate:
            check_certificate(certificate)
            CERTIFICATE.write(out, certificate)

    def read(self, reader: Reader) -> SignedOrder:
        """Read a signed order; a trigger that is announced must not be 0."""
        flags = reader.unsigned(1)
        fields = {name: codec.read(reader) for name, codec in ORDER_FIELDS}
        trigger = PRICE.read(reader) if flags & HAS_TRIGGER else 0
        if flags & HAS_TRIGGER and trigger == 0:
            raise DecodeError("zero_trigger", "an order without a trigger has no trigger bytes")
        order = Order(
            is_buy=bool(flags & 1),
            flags=flags >> 1 & ORDER_FLAGS_MAX,
            trigger_price=trigger,
            **fields,
        )
        check_order(order)
        signature = SIGNATURE.read(reader)
        certificate = CERTIFICATE.read(reader) if flags & HAS_CERTIFICATE else None
        return SignedOrder(order, Authorization(signature, certificate))


ORDER_FIELDS: tuple[tuple[str, Codec[int]], ...] = (
    ("account", ACCOUNT),
    ("instrument", INSTRUMENT),
    ("limit_price", PRICE),
    ("quantity", QUANTITY),
    ("slot", SLOT),
    ("nonce", NONCE),
    ("good_till", TIME),
    ("max_fee_ppm", FEE_PPM),
)
ORDER = OrderCodec()
ORDER_BYTES_MIN = 89

QUOTE: Codec[Quote] = Record(
    Quote,
    (
        ("instrument", INSTRUMENT),
        ("bid_price", PRICE),
        ("bid_quantity", QUANTITY),
        ("ask_price", PRICE),
        ("ask_quantity", QUANTITY),
    ),
)
QUOTE_BYTES = 23
SHEET_BYTES_MIN = 19 + QUOTE_BYTES + 57


@cache
def sheet_codec(preset: Preset) -> Codec[Sheet]:
    """A mass quote of 1 to `sheet_quotes_max` quotes."""
    quotes = Listed("sheet.quotes", QUOTE, 1, preset.sheet_quotes_max, 1, QUOTE_BYTES)
    return Record(
        Sheet,
        (
            ("account", ACCOUNT),
            ("base_slot", SLOT),
            ("nonce", NONCE),
            ("good_till", TIME),
            ("max_fee_ppm", FEE_PPM),
            ("quotes", quotes),
        ),
    )


class SheetCodec:
    """A mass quote with its authorization."""

    def __init__(self, preset: Preset) -> None:
        """The preset bounds the number of quotes."""
        self.preset = preset
        self.sheet = sheet_codec(preset)

    def write(self, out: bytearray, value: SignedSheet) -> None:
        """Append a signed sheet; DecodeError if a field is out of range."""
        check_sheet(value.message, self.preset.sheet_quotes_max)
        self.sheet.write(out, value.message)
        AUTHORIZATION.write(out, value.authorization)

    def read(self, reader: Reader) -> SignedSheet:
        """Read a signed sheet."""
        sheet = self.sheet.read(reader)
        check_sheet(sheet, self.preset.sheet_quotes_max)
        return SignedSheet(sheet, AUTHORIZATION.read(reader))
