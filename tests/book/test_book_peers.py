"""The same orders through three installable books: equal fills, equal levels.

`orderly-chaos` and `pyorderbook` report trades, `limit-order-book` only levels. The streams hold
what all of them know: limit and market orders, cancels, and reductions where a peer has them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from novate.book.admission import Positions, admit_all
from novate.book.events import Filled
from novate.book.exchange import Exchange
from novate.book.operations import Operation, OperationKind, submit_operation
from novate.book.orders import Order, Side, TimeInForce, market_order
from novate.lab.market_replay import MarketReplay, ReplaySettings

TRADES_BOOK = Path(__file__).resolve().parents[3] / "shared" / "data" / "trades_book"
PERP = 7
HIGHEST = 10_000
Fill = tuple[int, int, int, int]  # maker, taker, price, quantity


def random_stream(seed: int, length: int) -> Iterator[Operation]:
    """Limit 60 %, market 10 %, cancel 30 %; the middle drifts so that both sides are swept."""
    draw = random.Random(seed)
    middle = HIGHEST // 2
    for order_id in range(1, length + 1):
        middle = min(max(middle + draw.randint(-2, 2), 100), HIGHEST - 100)
        kind = draw.random()
        if kind < 0.3:
            target = draw.randint(max(1, order_id - 200), order_id)
            yield Operation(OperationKind.CANCEL, 1, target, instrument=PERP, order_id=target)
            continue
        side = Side(draw.randint(0, 1))
        away = draw.randint(-4, 20)
        price = middle - away if side == Side.BUY else middle + away
        # an account of its own for each order: the peers know no self-trades
        order = Order(order_id, order_id, order_id, PERP, side, price, draw.randint(1, 50))
        if kind < 0.4:
            order = market_order(order, HIGHEST if side == Side.BUY else 1)
        yield submit_operation(order, 1)


def real_stream(messages: int) -> Iterator[Operation]:
    """The first depth messages of the recorded BTCUSDT minutes, with their trades."""
    accounts = ReplaySettings(PERP, range(10, 20), range(30, 40), messages_max=messages)
    yield from MarketReplay.from_folder(TRADES_BOOK, accounts).operations()


class Ours:
    """The reference book."""

    def __init__(self) -> None:
        positions = Positions()
        self.exchange = Exchange(admit_all, positions.position, positions.listen)
        self.book = self.exchange.book(PERP)

    def apply(self, operation: Operation) -> list[Fill]:
        return [
            (event.maker_order_id, event.taker_order_id, event.price, event.quantity)
            for event in self.exchange.run([operation])
            if isinstance(event, Filled)
        ]

    def levels(self, side: Side) -> list[tuple[int, int, int]]:
        return [tuple(level) for level in self.book.depth(side, 1 << 20)]


class OrderlyChaos:
    """orderly-chaos: trades by callback; an amend down is its `reduce`."""

    def __init__(self) -> None:
        peer = pytest.importorskip("orderly_chaos")
        self.trades: list[Fill] = []
        self.book = peer.LimitOrderBook(on_trade=self.on_trade)
        self.sides = (peer.Side.BUY, peer.Side.SELL)
        self.filled: dict[int, int] = {}

    def on_trade(self, trade: object) -> None:
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
        peer = pytest.importorskip("pyorderbook")
        self.book = peer.Book()
        self.makers = (peer.bid, peer.ask)
        self.orders: dict[int, object] = {}
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


def compare(ours: Ours, peer: OrderlyChaos | PyOrderBook, stream: Iterator[Operation]) -> int:
    """Fills equal after each operation, levels at the end; the number of fills."""
    fills = 0
    for number, operation in enumerate(stream):
        expected = peer.apply(operation)
        assert ours.apply(operation) == expected, f"operation {number}: {operation}"
        fills += len(expected)
    for side in Side:
        assert ours.levels(side) == peer.levels(side)
    return fills


@pytest.mark.parametrize("peer", [OrderlyChaos, PyOrderBook])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_stream(peer: type, seed: int) -> None:
    assert compare(Ours(), peer(), random_stream(seed, 4_000)) > 1_000


@pytest.mark.skipif(not TRADES_BOOK.is_dir(), reason="no recorded depth beside the repository")
@pytest.mark.parametrize("peer", [OrderlyChaos, PyOrderBook])
def test_real_stream(peer: type) -> None:
    assert compare(Ours(), peer(), real_stream(200)) > 200


def test_levels_of_limit_order_book() -> None:
    """It reports no trades: best prices, quantity and count at each level, after each operation."""
    peer = pytest.importorskip("limit_order_book").LimitOrderBook()
    ours = Ours()
    for operation in random_stream(4, 3_000):
        ours.apply(operation)
        side_is_buy = operation.side == Side.BUY
        if operation.kind == OperationKind.CANCEL:
            if peer.has(operation.order_id):
                peer.cancel(operation.order_id)
        elif operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL:
            peer.market(side_is_buy, operation.order_id, operation.quantity)
        else:
            peer.limit(side_is_buy, operation.order_id, operation.quantity, operation.price)
        assert peer.count() == len(ours.book)
        for side, best in ((Side.BUY, peer.best_buy()), (Side.SELL, peer.best_sell())):
            assert (ours.book.best_price(side) or 0) == best
            for price, quantity, orders in ours.book.depth(side, 3):
                assert (peer.volume(price), peer.count_at(price)) == (quantity, orders)
    for side in Side:
        for price, quantity, orders in ours.levels(side):
            assert (peer.volume(price), peer.count_at(price)) == (quantity, orders)
