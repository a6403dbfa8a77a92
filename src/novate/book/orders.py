"""What a trader asks of the book: orders, quotes and sheets, all integers.

Prices are ticks of 10^-d USDC and quantities lots of 10^(d-6) units, as in the law; the book needs
neither d nor the instrument's meaning.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

PRICE_LIMIT = 1 << 31
QUANTITY_LIMIT = 1 << 31
GOOD_TILL_CANCELLED = (1 << 32) - 1  # seconds; the law has no order without an end
QUOTES_PER_SHEET_MAX = 64


class Side(IntEnum):
    """Side of an order. `SIGN` of a buy is +1: what a fill does to the position."""

    BUY = 0
    SELL = 1


SIGN = (1, -1)  # indexed by Side


class TimeInForce(IntEnum):
    """What happens to the part that does not trade at once."""

    GOOD_TILL = 0  # rests until its good_till
    IMMEDIATE_OR_CANCEL = 1  # is cancelled
    FILL_OR_KILL = 2  # there is none: the whole order trades or nothing does


class SelfTrade(IntEnum):
    """Who yields when an order meets one of the same owner group; the taker's mode decides."""

    CANCEL_MAKER = 0  # and go on matching
    CANCEL_TAKER = 1  # the maker stays
    CANCEL_BOTH = 2


class Flags(IntFlag):
    """Bits of an order."""

    NONE = 0
    POST_ONLY = 1  # refused if it would trade at once
    REDUCE_ONLY = 2  # never fills past a flat position
    QUOTE = 4  # one side of a quote; set by the book, not by the sender


class Order(NamedTuple):
    """One signed order. `quantity` is the total over all revisions, as in the law."""

    order_id: int  # 64 bits, unique among the resting orders of its instrument
    account: int  # 32 bits
    owner_group: int  # 32 bits, accounts of one owner share it
    instrument: int  # 50 bits
    side: Side
    price: int  # ticks, 1 to below 2^31
    quantity: int  # lots, 1 to below 2^31
    flags: Flags = Flags.NONE
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER
    good_till: int = GOOD_TILL_CANCELLED  # seconds; dead from this second on


class Quote(NamedTuple):
    """Both sides of one instrument; quantity 0 means no quote on that side."""

    instrument: int
    bid_price: int
    bid_quantity: int
    ask_price: int
    ask_quantity: int


class Sheet(NamedTuple):
    """A mass quote: replaces the account's previous sheet. Side s of quote k is the order
    `first_order_id + 2k + s`, as the law's slots are laid out."""

    account: int
    owner_group: int
    first_order_id: int
    quotes: tuple[Quote, ...]  # at most 64
    flags: Flags = Flags.NONE  # of every order of the sheet: POST_ONLY or none
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER
    good_till: int = GOOD_TILL_CANCELLED


def market_order(order: Order, cap: int) -> Order:
    """The order as a market order: trades at once at `cap` or better, the rest is cancelled."""
    return order._replace(price=cap, time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL)


def same_owner(left: Order, right: Order) -> bool:
    """True if a trade between the two is a self-trade; one account never trades with itself."""
    return left.owner_group == right.owner_group or left.account == right.account


def quote_orders(sheet: Sheet, index: int) -> tuple[Order | None, Order | None]:
    """Bid and ask order of the sheet's quote `index`; None where its quantity is 0."""
    quote = sheet.quotes[index]
    first = Order(
        order_id=sheet.first_order_id + 2 * index,
        account=sheet.account,
        owner_group=sheet.owner_group,
        instrument=quote.instrument,
        side=Side.BUY,
        price=quote.bid_price,
        quantity=quote.bid_quantity,
        flags=sheet.flags | Flags.QUOTE,
        self_trade=sheet.self_trade,
        good_till=sheet.good_till,
    )
    second = first._replace(
        order_id=first.order_id + 1,
        side=Side.SELL,
        price=quote.ask_price,
        quantity=quote.ask_quantity,
    )
    return first if first.quantity else None, second if second.quantity else None
