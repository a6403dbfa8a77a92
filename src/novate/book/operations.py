"""Requests as one flat record of integers: what the log stores and a packed buffer would carry.

A sheet is a SHEET record (order_id: the first order id; quantity: the number of quotes) followed
by a QUOTE record for the bid and one for the ask of each quote.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from novate.book.orders import (
    GOOD_TILL_CANCELLED,
    Flags,
    Order,
    Quote,
    SelfTrade,
    Sheet,
    Side,
    TimeInForce,
)


class OperationKind(IntEnum):
    """Which request; the comment names the fields it reads besides now and account."""

    SUBMIT = 0  # all
    AMEND = 1  # instrument, order_id, price, quantity, good_till
    CANCEL = 2  # instrument, order_id
    CANCEL_ALL = 3  # nothing more: all instruments
    EXPIRE = 4  # nothing more, nor account
    SHEET = 5  # owner_group, order_id, quantity, flags, self_trade, good_till
    QUOTE = 6  # instrument, side, price, quantity


class Operation(NamedTuple):
    """One request."""

    kind: OperationKind  # 8 bits
    now: int  # 32, unix seconds
    account: int = 0  # 32
    owner_group: int = 0  # 32
    instrument: int = 0  # 50
    order_id: int = 0  # 64
    side: Side = Side.BUY  # 1
    price: int = 0  # 31
    quantity: int = 0  # 31
    flags: Flags = Flags.NONE  # 8
    time_in_force: TimeInForce = TimeInForce.GOOD_TILL  # 2
    self_trade: SelfTrade = SelfTrade.CANCEL_MAKER  # 2
    good_till: int = GOOD_TILL_CANCELLED  # 32, seconds


def submit_operation(order: Order, now: int) -> Operation:
    """The record of a new order."""
    return Operation(
        OperationKind.SUBMIT,
        now,
        order.account,
        order.owner_group,
        order.instrument,
        order.order_id,
        order.side,
        order.price,
        order.quantity,
        order.flags,
        order.time_in_force,
        order.self_trade,
        order.good_till,
    )


def operation_order(operation: Operation) -> Order:
    """The order of a SUBMIT record."""
    return Order(
        operation.order_id,
        operation.account,
        operation.owner_group,
        operation.instrument,
        operation.side,
        operation.price,
        operation.quantity,
        operation.flags,
        operation.time_in_force,
        operation.self_trade,
        operation.good_till,
    )


def sheet_operations(sheet: Sheet, now: int) -> list[Operation]:
    """The records of a sheet: its header, then bid and ask of each quote."""
    records = [
        Operation(
            OperationKind.SHEET,
            now,
            sheet.account,
            sheet.owner_group,
            order_id=sheet.first_order_id,
            quantity=len(sheet.quotes),
            flags=sheet.flags,
            self_trade=sheet.self_trade,
            good_till=sheet.good_till,
        )
    ]
    for quote in sheet.quotes:
        for side, price, quantity in (
            (Side.BUY, quote.bid_price, quote.bid_quantity),
            (Side.SELL, quote.ask_price, quote.ask_quantity),
        ):
            records.append(
                Operation(
                    OperationKind.QUOTE,
                    now,
                    sheet.account,
                    instrument=quote.instrument,
                    side=side,
                    price=price,
                    quantity=quantity,
                )
            )
    return records


def read_sheet(header: Operation, following: Iterator[Operation]) -> Sheet:
    """The sheet of a SHEET record and the QUOTE records that follow; ValueError if they do not."""
    quotes = []
    if header.quantity < 0:
        raise ValueError(f"sheet of {header.quantity} quotes")
    for _ in range(header.quantity):
        bid, ask = next(following, None), next(following, None)
        if (
            bid is None
            or ask is None
            or (bid.kind, bid.side) != (OperationKind.QUOTE, Side.BUY)
            or (ask.kind, ask.side) != (OperationKind.QUOTE, Side.SELL)
            or bid.instrument != ask.instrument
        ):
            raise ValueError(f"sheet of {header.quantity} quotes: record {bid} with {ask}")
        quotes.append(Quote(bid.instrument, bid.price, bid.quantity, ask.price, ask.quantity))
    return Sheet(
        header.account,
        header.owner_group,
        header.order_id,
        tuple(quotes),
        header.flags,
        header.self_trade,
        header.good_till,
    )
