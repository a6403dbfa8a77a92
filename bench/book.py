"""Order book operations a second: the reference book and three installable ones.

    python -m bench.book

All take the same stream in the same run, called one by one from Python except the reference book,
whose batch call is also Python. Streams: a random one (limit 60 %, market 10 %, cancel 30 %) and,
where the recording is present, the BTCUSDT perpetual's depth and trades as order flow.

`limit-order-book` reports no trades and knows neither reductions nor capped market orders: there
an amend is a cancel and a new order, and a taker's rest is cancelled by a second call.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import limit_order_book
import orderly_chaos
import pyorderbook

from bench.common import ROOT, measure, report
from novate.book.admission import Positions, admit_all
from novate.book.events import Filled
from novate.book.exchange import Exchange
from novate.book.operations import Operation, OperationKind, submit_operation
from novate.book.orders import Order, Side, TimeInForce, market_order
from novate.lab.market_replay import MarketReplay, ReplaySettings

RECORDING = ROOT.parent / "shared" / "data" / "trades_book"
SEED = 20240808
RANDOM_OPERATIONS = 50_000
REAL_MESSAGES = 1_000
"""Depth messages of the recording that are used, of 6,546."""
INSTRUMENT = 1
HIGHEST = 20_000

Stream = list[Operation]
SUBMIT, AMEND, CANCEL = OperationKind.SUBMIT, OperationKind.AMEND, OperationKind.CANCEL
IMMEDIATE = TimeInForce.IMMEDIATE_OR_CANCEL


def random_stream() -> Stream:
    """Orders of accounts of their own, about a middle that drifts."""
    draw = random.Random(SEED)
    middle = HIGHEST // 2
    stream = []
    for order_id in range(1, RANDOM_OPERATIONS + 1):
        middle = min(max(middle + draw.randint(-2, 2), 100), HIGHEST - 100)
        kind = draw.random()
        if kind < 0.3:
            target = draw.randint(max(1, order_id - 500), order_id)
            stream.append(Operation(CANCEL, 1, target, instrument=INSTRUMENT, order_id=target))
            continue
        side = Side(draw.randint(0, 1))
        away = draw.randint(-4, 20)
        price = middle - away if side == Side.BUY else middle + away
        order = Order(order_id, order_id, order_id, INSTRUMENT, side, price, draw.randint(1, 50))
        if kind < 0.4:
            order = market_order(order, HIGHEST if side == Side.BUY else 1)
        stream.append(submit_operation(order, 1))
    return stream


def real_stream(folder: Path) -> Stream:
    """The first part of the recording; see `novate.lab.market_replay`."""
    settings = ReplaySettings(
        INSTRUMENT, range(100, 116), range(200, 216), messages_max=REAL_MESSAGES
    )
    replay = MarketReplay.from_folder(folder, settings)
    stream = list(replay.operations())
    print(f"recording: {replay.counts}")
    return stream


def reference(stream: Stream) -> int:
    """The reference book through its batch call; fills."""
    positions = Positions()
    exchange = Exchange(admit_all, positions.position, positions.listen)
    return sum(isinstance(event, Filled) for event in exchange.run(stream))


def orderly(stream: Stream, report_trades: bool) -> int | None:
    """orderly-chaos; fills if trades are reported to Python."""
    trades: list[object] = []
    filled: dict[int, int] = {}

    def on_trade(trade: orderly_chaos.Trade) -> None:
        trades.append(trade)
        filled[trade.maker_id] = filled.get(trade.maker_id, 0) + trade.quantity

    book = orderly_chaos.LimitOrderBook(on_trade if report_trades else None)
    sides = (orderly_chaos.Side.BUY, orderly_chaos.Side.SELL)
    for operation in stream:
        order_id = operation.order_id
        if operation.kind == SUBMIT:
            traded = book.limit(
                sides[operation.side], order_id, operation.quantity, operation.price
            )
            if operation.time_in_force == IMMEDIATE and traded < operation.quantity:
                book.cancel(order_id)
        elif book.has(order_id):
            if operation.kind == CANCEL:
                book.cancel(order_id)
            else:
                # Silent, it does not know what was filled: it then reduces to the new total.
                left = operation.quantity - filled.get(order_id, 0)
                open_quantity = book.get(order_id).quantity
                if open_quantity > left:
                    book.reduce(order_id, open_quantity - left)
    return len(trades) if report_trades else None


def pure_python(stream: Stream) -> int:
    """pyorderbook; fills."""
    book = pyorderbook.Book()
    makers = (pyorderbook.bid, pyorderbook.ask)
    orders: dict[int, pyorderbook.Order] = {}
    fills = 0
    for operation in stream:
        if operation.kind == SUBMIT:
            order = makers[operation.side]("X", operation.price, operation.quantity)
            orders[operation.order_id] = order
            fills += len(book.match(order).trades)
            if operation.time_in_force == IMMEDIATE and order.quantity:
                book.cancel(order)
            continue
        order = orders.get(operation.order_id)
        if order is not None and order.id in book.order_map:
            if operation.kind == CANCEL:
                book.cancel(order)
            else:
                filled = order.original_quantity - order.quantity
                order.original_quantity = operation.quantity
                order.quantity = operation.quantity - filled
    return fills


def kautenja(stream: Stream) -> None:
    """limit-order-book; it reports no trades."""
    book = limit_order_book.LimitOrderBook()
    sides: dict[int, bool] = {}
    for operation in stream:
        order_id = operation.order_id
        if operation.kind == SUBMIT:
            is_buy = operation.side == Side.BUY
            sides[order_id] = is_buy
            book.limit(is_buy, order_id, operation.quantity, operation.price)
            if operation.time_in_force == IMMEDIATE and book.has(order_id):
                book.cancel(order_id)
        elif book.has(order_id):
            book.cancel(order_id)
            if operation.kind == AMEND:
                book.limit(sides[order_id], order_id, operation.quantity, operation.price)


BOOKS: dict[str, Callable[[Stream], int | None]] = {
    "novate reference (Python)": reference,
    "pyorderbook (Python)": pure_python,
    "orderly-chaos (C++), trades reported": lambda stream: orderly(stream, True),
    "orderly-chaos (C++), silent": lambda stream: orderly(stream, False),
    "limit-order-book (C++), silent": kautenja,
}


def main() -> int:
    """Time every book on every stream; 1 if two books that report trades disagree."""
    streams = {"random": random_stream()}
    if RECORDING.is_dir():
        streams["BTCUSDT"] = real_stream(RECORDING)
    rows: list[dict[str, object]] = []
    agreed = True
    for name, stream in streams.items():
        fills = {book: run(stream) for book, run in BOOKS.items()}
        agreed &= len({count for count in fills.values() if count is not None}) == 1
        rates: dict[str, float] = {}
        for book, run in BOOKS.items():
            rates[book] = len(stream) / measure(partial(run, stream), repeats=3, warmups=0)
            rows.append(
                {
                    "stream": name,
                    "book": book,
                    "operations": len(stream),
                    "fills": fills[book],
                    "operations/s": rates[book],
                    "ratio to reference": rates[book] / rates["novate reference (Python)"],
                }
            )
    report("book", rows)
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
