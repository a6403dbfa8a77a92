"""The desk between two batches as bytes: its state, live orders and what waits for the next round.

Orders are written in the order of their places, so a book that is filled in that order has the same
queues. Fills are in the open quantities; the book counts from there on.
"""

from __future__ import annotations

from typing import NamedTuple

from novate.book.orders import Flags, SelfTrade, Side
from novate.book.orders import Quote as BookQuote
from novate.book.orders import Sheet as BookSheet
from novate.node.desk import Desk, StateAt
from novate.node.floor import Entered
from novate.node.orders import Working, book_order, last_second, owner_group, side_of
from novate.node.port import BookFactory, EngineKit
from novate.node.records import SELF_TRADE
from novate.spec.messages.account import Change
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.presets import Preset
from novate.spec.public_data.acts import CHANGE
from novate.spec.public_data.codec import (
    Codec,
    Listed,
    Record,
    Tagged,
    Unsigned,
    decode,
    encode,
)
from novate.spec.public_data.fields import ACCOUNT, FLAG, NONCE, QUANTITY, SLOT
from novate.spec.public_data.orders import ORDER, SheetCodec

COUNT_MAX = (1 << 32) - 1


class RestingOrder(NamedTuple):
    """A live order."""

    order_id: int
    signed: SignedOrder
    self_trade: SelfTrade
    open: int
    filled: int
    waiting: bool


class RestingSide(NamedTuple):
    """What is left of one side of a quote."""

    number: int
    """2k + s within the sheet."""
    open: int
    filled: int


class RestingSheet(NamedTuple):
    """A live sheet."""

    first_order_id: int
    signed: SignedSheet
    self_trade: SelfTrade
    post_only: bool
    sides: tuple[RestingSide, ...]


class SeenNonce(NamedTuple):
    """The newest nonce of a slot."""

    account: int
    slot: int
    nonce: int


class PendingChange(NamedTuple):
    """A change that waits for the next round."""

    sequence: int
    change: Change


class Image(NamedTuple):
    """Everything of a desk besides the state."""

    resting: tuple[RestingOrder | RestingSheet, ...]
    seen: tuple[SeenNonce, ...]
    changes: tuple[PendingChange, ...]


WIDE = Unsigned("order_id", 8)


def image_codec(preset: Preset) -> Codec[Image]:
    """The layout of an image."""
    order: Codec[RestingOrder] = Record(
        RestingOrder,
        (
            ("order_id", WIDE),
            ("signed", ORDER),
            ("self_trade", SELF_TRADE),
            ("open", QUANTITY),
            ("filled", QUANTITY),
            ("waiting", FLAG),
        ),
    )
    side: Codec[RestingSide] = Record(
        RestingSide, (("number", Unsigned("number", 1)), ("open", QUANTITY), ("filled", QUANTITY))
    )
    sheet: Codec[RestingSheet] = Record(
        RestingSheet,
        (
            ("first_order_id", WIDE),
            ("signed", SheetCodec(preset)),
            ("self_trade", SELF_TRADE),
            ("post_only", FLAG),
            ("sides", Listed("sides", side, 1, 2 * preset.sheet_quotes_max, 0, 9)),
        ),
    )
    resting = Tagged("resting", ((RestingOrder, order), (RestingSheet, sheet)))
    seen: Codec[SeenNonce] = Record(
        SeenNonce, (("account", ACCOUNT), ("slot", SLOT), ("nonce", NONCE))
    )
    change: Codec[PendingChange] = Record(PendingChange, (("sequence", WIDE), ("change", CHANGE)))
    return Record(
        Image,
        (
            ("resting", Listed("resting", resting, 4, COUNT_MAX)),
            ("seen", Listed("seen", seen, 4, COUNT_MAX, 0, 9)),
            ("changes", Listed("changes", change, 4, COUNT_MAX)),
        ),
    )


def image_of(desk: Desk) -> Image:
    """The image of a desk that has no batch open."""
    assert not desk.batch_open, "a desk is imaged between batches"
    live = sorted(desk.floor.orders.by_id.values(), key=lambda working: working.place)
    resting: list[RestingOrder | RestingSheet] = []
    done: set[int] = set()
    for working in live:
        if working.signed is not None:
            resting.append(
                RestingOrder(
                    working.order_id,
                    working.signed,
                    working.self_trade,
                    working.open,
                    working.filled,
                    working.waiting,
                )
            )
        elif working.sheet is not None and working.order_id not in done:
            sides = [other for other in live if other.sheet is working.sheet]
            done.update(other.order_id for other in sides)
            resting.append(_resting_sheet(sides))
    seen = tuple(SeenNonce(*key, nonce) for key, nonce in sorted(desk.floor.orders.seen.items()))
    return Image(tuple(resting), seen, tuple(PendingChange(*p) for p in desk.pending_changes))


def _resting_sheet(sides: list[Working]) -> RestingSheet:
    """The sheet of live sides."""
    first = sides[0]
    assert first.sheet is not None
    return RestingSheet(
        first_order_id=first.order_id - _number(first),
        signed=first.sheet,
        self_trade=first.self_trade,
        post_only=first.post_only,
        sides=tuple(
            RestingSide(_number(side), side.open, side.filled)
            for side in sorted(sides, key=_number)
        ),
    )


def _number(side: Working) -> int:
    """2k + s of one side of one quote."""
    return 2 * side.quote + int(side.side)


def encode_desk(desk: Desk, kit: EngineKit) -> bytes:
    """State and image of a desk that has no batch open: length 8, state, image."""
    state = kit.encode_state(desk.engine.state())
    image = encode(image_codec(desk.preset), image_of(desk))
    return len(state).to_bytes(8, "big") + state + image


def decode_desk(data: bytes, kit: EngineKit, make_book: BookFactory, state_at: StateAt) -> Desk:
    """A desk as it was. DecodeError on other bytes."""
    size = int.from_bytes(data[:8], "big")
    desk = Desk(kit.decode_state(data[8 : 8 + size]), kit, make_book, state_at)
    image = decode(image_codec(desk.preset), data[8 + size :])
    desk.pending_changes = [(pending.sequence, pending.change) for pending in image.changes]
    desk.floor.load(_entered(desk, resting) for resting in image.resting)
    desk.floor.orders.seen = {(seen.account, seen.slot): seen.nonce for seen in image.seen}
    return desk


def state_of_desk(data: bytes) -> bytes:
    """The state's bytes within those of a desk."""
    return data[8 : 8 + int.from_bytes(data[:8], "big")]


def _entered(desk: Desk, resting: RestingOrder | RestingSheet) -> Entered:
    """What rested, in the forms of table and book."""
    account = resting.signed.message.account
    group = owner_group(desk.engine.account(account))
    if isinstance(resting, RestingSheet):
        return _sheet_sides(resting), _book_sheet(resting, group)
    order = resting.signed.message
    working = Working(
        order_id=resting.order_id,
        account=account,
        instrument=order.instrument,
        side=side_of(order.is_buy),
        price=order.limit_price,
        slot=order.slot,
        nonce=order.nonce,
        signed=resting.signed,
        self_trade=resting.self_trade,
        open=resting.open,
        filled=resting.filled,
        before=resting.filled,
        waiting=resting.waiting,
    )
    if resting.waiting:
        return [working], None
    entered = book_order(working, group)._replace(quantity=resting.open)
    return [working], entered


def _sheet_sides(resting: RestingSheet) -> list[Working]:
    """The live sides of a sheet."""
    sheet = resting.signed.message
    sides = []
    for number, still_open, filled in resting.sides:
        quote, side = sheet.quotes[number >> 1], Side(number & 1)
        is_bid = side == Side.BUY
        sides.append(
            Working(
                order_id=resting.first_order_id + number,
                account=sheet.account,
                instrument=quote.instrument,
                side=side,
                price=quote.bid_price if is_bid else quote.ask_price,
                slot=sheet.slot(number >> 1, is_bid),
                nonce=sheet.nonce,
                sheet=resting.signed,
                quote=number >> 1,
                self_trade=resting.self_trade,
                post_only=resting.post_only,
                open=still_open,
                filled=filled,
                before=filled,
            )
        )
    return sides


def _book_sheet(resting: RestingSheet, group: int) -> BookSheet:
    """The sheet with what is open of it."""
    sheet = resting.signed.message
    open_of = {side.number: side.open for side in resting.sides}
    return BookSheet(
        account=sheet.account,
        owner_group=group,
        first_order_id=resting.first_order_id,
        quotes=tuple(
            BookQuote(
                quote.instrument,
                quote.bid_price,
                open_of.get(2 * number, 0),
                quote.ask_price,
                open_of.get(2 * number + 1, 0),
            )
            for number, quote in enumerate(sheet.quotes)
        ),
        flags=Flags.POST_ONLY if resting.post_only else Flags.NONE,
        self_trade=resting.self_trade,
        good_till=last_second(resting.signed),
    )
