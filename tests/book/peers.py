"""Two installable order books that report their trades, as oracles for fills.

They know limit and market orders and cancels; an amend must keep the price and not grow. They know
no accounts, so a stream must have no self-trades.
"""

from __future__ import annotations

import importlib
from decimal import Decimal
from typing import Any

from novate.book.operations import Operation, OperationKind
from novate.book.orders import Side, TimeInForce

Fill = tuple[int, int, int, int]
"""Maker, taker, price, quantity."""


class OrderlyChaos:
    """orderly-chaos: trades by callback; an amend down is its `reduce`."""

    def __init__(self) -> None:
        peer = importlib.import_module("orderly_chaos")
        self.trades: list[Fill] = []
        self.book = peer.LimitOrderBook(on_trade=self.on_trade)
        self.sides = (peer.Side.BUY, peer.Side.SELL)
        self.filled: dict[int, int] = {}

    def on_trade(self, trade: Any) -> None:
        fill = (trade.maker_id, trade.taker_id, trade.price, trade.quantity)
        self.filled[trade.maker_id] = self.filled.get(trade.maker_id, 0) + trade.quantity
        self.trades.append(fill)

    def apply(self, operation: Operation) -> list[Fill]:
        self.trades = []
        order_id = operation.order_id
        if operation.kind == OperationKind.SUBMIT:
            side = self.sides[operation.side]
            self.book.limit(side, order_id, operation.quantity, operation.price)
            if operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL and order_id in self.book:
                self.book.cancel(order_id)
        elif order_id in self.book:
            if operation.kind == OperationKind.CANCEL:
                self.book.cancel(order_id)
            else:
                left = operation.quantity - self.filled.get(order_id, 0)
                self.book.reduce(order_id, self.book.get(order_id).quantity - left)
        return self.trades

    def levels(self, side: Side) -> list[tuple[int, int, int]]:
        depth = self.book.depth(self.sides[side], 1 << 16)
        return [(level.price, level.volume, level.count) for level in depth]


class PyOrderBook:
    """pyorderbook: trades in its blotter; an amend down writes the order's quantity."""

    def __init__(self) -> None:
        peer = importlib.import_module("pyorderbook")
        self.book = peer.Book()
        self.makers = (peer.bid, peer.ask)
        self.orders: dict[int, Any] = {}
        self.ids: dict[object, int] = {}

    def apply(self, operation: Operation) -> list[Fill]:
        if operation.kind == OperationKind.SUBMIT:
            return self.submit(operation)
        order = self.orders.get(operation.order_id)
        if order is not None and self.book.get_order(order.id) is not None:
            if operation.kind == OperationKind.CANCEL:
                self.book.cancel(order)
            else:
                filled = order.original_quantity - order.quantity
                order.original_quantity = operation.quantity
                order.quantity = operation.quantity - filled
        return []

    def submit(self, operation: Operation) -> list[Fill]:
        order = self.makers[operation.side]("X", operation.price, operation.quantity)
        self.orders[operation.order_id] = order
        self.ids[order.id] = operation.order_id
        blotter = self.book.match(order)
        if operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL and order.quantity:
            self.book.cancel(order)
        return [
            (
                self.ids[trade.standing_order_id],
                operation.order_id,
                int(trade.fill_price),
                trade.fill_quantity,
            )
            for trade in blotter.trades
        ]

    def levels(self, side: Side) -> list[tuple[int, int, int]]:
        name = ("bid", "ask")[side]
        found = [
            (
                int(level.price),
                sum(order.quantity for order in level.orders.values()),
                len(level.orders),
            )
            for level in self.book.levels["X"][name]
            if level.orders
        ]
        assert all(
            level.price == Decimal(int(level.price)) for level in self.book.levels["X"][name]
        )
        return sorted(found, reverse=side == Side.BUY)


PEERS = {"orderly-chaos": OrderlyChaos, "pyorderbook": PyOrderBook}
