"""The same orders through three installable books: equal fills, equal levels.

`orderly-chaos` and `pyorderbook` report trades, `limit-order-book` only levels. The streams hold
what all of them know: limit and market orders, cancels, and reductions where a peer has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from novate.book.admission import Positions, admit_all
from novate.book.events import Filled
from novate.book.operations import Operation, OperationKind
from novate.book.orders import Side, TimeInForce
from novate.lab.market_replay import MarketReplay, ReplaySettings
from novate.lab.order_flow import plain_flow
from tests.book.implementations import MakeExchange
from tests.book.peers import Fill, OrderlyChaos, PyOrderBook

TRADES_BOOK = Path(__file__).resolve().parents[3] / "shared" / "data" / "trades_book"
PERP = 7


def real_stream(messages: int) -> Iterator[Operation]:
    """The first depth messages of the recorded BTCUSDT minutes, with their trades."""
    accounts = ReplaySettings(PERP, range(10, 20), range(30, 40), messages_max=messages)
    yield from MarketReplay.from_folder(TRADES_BOOK, accounts).operations()


class Ours:
    """One of our books."""

    def __init__(self, make_exchange: MakeExchange) -> None:
        positions = Positions()
        self.exchange = make_exchange(admit_all, positions.position, positions.listen)
        self.book = self.exchange.book(PERP)

    def apply(self, operation: Operation) -> list[Fill]:
        return [
            (event.maker_order_id, event.taker_order_id, event.price, event.quantity)
            for event in self.exchange.run([operation])
            if isinstance(event, Filled)
        ]

    def levels(self, side: Side) -> list[tuple[int, int, int]]:
        return [tuple(level) for level in self.book.depth(side, 1 << 20)]


@pytest.fixture
def ours(make_exchange: MakeExchange) -> Ours:
    return Ours(make_exchange)


@pytest.fixture(params=["orderly_chaos", "pyorderbook"])
def peer(request: pytest.FixtureRequest) -> OrderlyChaos | PyOrderBook:
    pytest.importorskip(request.param)
    return OrderlyChaos() if request.param == "orderly_chaos" else PyOrderBook()


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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_plain_stream(ours: Ours, peer: OrderlyChaos | PyOrderBook, seed: int) -> None:
    assert compare(ours, peer, plain_flow(seed, 4_000, PERP)) > 1_000


@pytest.mark.skipif(not TRADES_BOOK.is_dir(), reason="no recorded depth beside the repository")
def test_real_stream(ours: Ours, peer: OrderlyChaos | PyOrderBook) -> None:
    assert compare(ours, peer, real_stream(200)) > 200


def test_levels_of_limit_order_book(ours: Ours) -> None:
    """It reports no trades: best prices, quantity and count at each level, after each operation."""
    peer = pytest.importorskip("limit_order_book").LimitOrderBook()
    for operation in plain_flow(4, 3_000, PERP):
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
