"""Orders and mass quotes: the right to trade, signed by a trading key or a session key."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

from novate.spec.bounds import (
    INDEX_MAX,
    NONCE_MAX,
    PPM_SIGNED_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    TIME_MAX,
    check_elements,
    check_range,
)
from novate.spec.instruments import ID_BITS
from novate.spec.messages.domain import Domain, signed_element
from novate.spec.primitives import PublicKey, Signature

ORDER_TAG = "order"
SHEET_TAG = "sheet"
CERTIFICATE_TAG = "cert"


class OrderFlags(IntFlag):
    """Flags of an order. Only `REDUCE_ONLY` and `TRIGGER_ABOVE` bind the law."""

    NONE = 0
    REDUCE_ONLY = 1
    POST_ONLY = 2
    IMMEDIATE_OR_CANCEL = 4
    FILL_OR_KILL = 8
    TRIGGER_ABOVE = 16
    """The trigger is met at or above its price; without the flag at or below it."""


ORDER_FLAGS_MAX = 31


class Scope(IntFlag):
    """What a session key may sign."""

    NONE = 0
    TRADE = 1
    CANCEL = 2


class Certificate(NamedTuple):
    """A trading key's word that a session key may sign for the account, until `expiry`."""

    key: PublicKey
    scope: int
    expiry: int
    """Unix seconds; the certificate is valid before it."""
    signature: Signature

    def elements(self, domain: Domain, account: int, key_epoch: int) -> tuple[int, ...]:
        """What the trading key signs under `CERTIFICATE_TAG`."""
        return (*domain.elements(key_epoch), account, self.scope, self.expiry, *self.key)


class Authorization(NamedTuple):
    """A signature by the trading key, or by the session key that the certificate names."""

    signature: Signature
    certificate: Certificate | None = None


class Order(NamedTuple):
    """A signed limit order. The same (slot, nonce) signed again is an edit: `quantity` is total."""

    account: int
    instrument: int
    is_buy: bool
    limit_price: int
    """Ticks."""
    quantity: int
    """Lots in total, over all revisions of this (slot, nonce)."""
    slot: int
    nonce: int
    good_till: int
    """Unix seconds; fills are legal in rounds before it."""
    max_fee_ppm: int
    """Largest fee rate the signer accepts; may be negative (a rebate is then required)."""
    trigger_price: int = 0
    """Mark at which the order becomes active; 0: active at once."""
    flags: int = 0

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `ORDER_TAG`."""
        return (
            *domain.elements(epoch),
            self.account,
            self.instrument,
            int(self.is_buy) | self.flags << 1,
            self.limit_price,
            self.quantity,
            self.slot | self.nonce << 32,
            self.good_till,
            signed_element(self.max_fee_ppm),
            self.trigger_price,
        )


def check_order(order: Order) -> None:
    """DecodeError unless every field of the order is within its bound."""
    check_range("order.instrument", order.instrument, 0, (1 << ID_BITS) - 1)
    check_range("order.limit_price", order.limit_price, 0, PRICE_MAX)
    check_range("order.quantity", order.quantity, 1, QUANTITY_MAX)
    check_range("order.slot", order.slot, 0, INDEX_MAX)
    check_range("order.nonce", order.nonce, 1, NONCE_MAX)
    check_range("order.good_till", order.good_till, 0, TIME_MAX)
    check_range("order.max_fee_ppm", order.max_fee_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)
    check_range("order.trigger_price", order.trigger_price, 0, PRICE_MAX)
    check_range("order.flags", order.flags, 0, ORDER_FLAGS_MAX)


class Quote(NamedTuple):
    """A two-sided quote; a side of quantity 0 is absent."""

    instrument: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


class Sheet(NamedTuple):
    """A mass quote: one signature over many quotes.

    Side s (0 bid, 1 ask) of quote k lives in slot `base_slot` + 2k + s with the sheet's nonce.
    """

    account: int
    base_slot: int
    nonce: int
    good_till: int
    max_fee_ppm: int
    quotes: tuple[Quote, ...]

    def elements(self, domain: Domain, epoch: int) -> tuple[int, ...]:
        """What is signed under `SHEET_TAG`: the header, then three elements a quote."""
        return (
            *domain.elements(epoch),
            self.account,
            self.base_slot | self.nonce << 32,
            self.good_till,
            signed_element(self.max_fee_ppm),
            len(self.quotes),
            *(element for quote in self.quotes for element in quote_elements(quote)),
        )

    def slot(self, quote: int, is_bid: bool) -> int:
        """The order slot of one side of one quote."""
        return self.base_slot + 2 * quote + (0 if is_bid else 1)


def quote_elements(quote: Quote) -> tuple[int, int, int]:
    """Instrument, then price and quantity packed in 31 + 31 bits for each side."""
    return (
        quote.instrument,
        quote.bid_price | quote.bid_quantity << 31,
        quote.ask_price | quote.ask_quantity << 31,
    )


def check_sheet(sheet: Sheet, quotes_max: int) -> None:
    """DecodeError unless every field of the sheet is within its bound."""
    check_range("sheet.base_slot", sheet.base_slot, 0, INDEX_MAX)
    check_range("sheet.nonce", sheet.nonce, 1, NONCE_MAX)
    check_range("sheet.good_till", sheet.good_till, 0, TIME_MAX)
    check_range("sheet.max_fee_ppm", sheet.max_fee_ppm, -PPM_SIGNED_MAX, PPM_SIGNED_MAX)
    check_range("sheet.quotes", len(sheet.quotes), 1, quotes_max)
    for quote in sheet.quotes:
        check_range("quote.instrument", quote.instrument, 0, (1 << ID_BITS) - 1)
        check_range("quote.bid_price", quote.bid_price, 0, PRICE_MAX)
        check_range("quote.ask_price", quote.ask_price, 0, PRICE_MAX)
        check_range("quote.bid_quantity", quote.bid_quantity, 0, QUANTITY_MAX)
        check_range("quote.ask_quantity", quote.ask_quantity, 0, QUANTITY_MAX)


def check_certificate(certificate: Certificate) -> None:
    """DecodeError unless scope, expiry and the key's elements are within their bounds."""
    check_elements("certificate.key", certificate.key)
    check_range("certificate.scope", certificate.scope, 0, int(Scope.TRADE | Scope.CANCEL))
    check_range("certificate.expiry", certificate.expiry, 0, TIME_MAX)


class SignedOrder(NamedTuple):
    """An order with its authorization."""

    message: Order
    authorization: Authorization


class SignedSheet(NamedTuple):
    """A sheet with its authorization."""

    message: Sheet
    authorization: Authorization
