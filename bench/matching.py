"""Matching, operations a second: the compiled books, the reference and installable peers.

    python -m bench.matching

All take the same stream in the same run. *One by one* is one Python call an operation: every book
gets the same rows of plain integers and makes the calls its interface needs. *Batched* is one call
for 10,000 packed requests, which answers with packed events; no peer has that. Packing is a row of
its own, for a log or a socket delivers packed records.

Streams: a plain one (limit 60 %, market 10 %, cancel 30 %) and, where the recording is present,
the BTCUSDT perpetual's depth and trades as order flow. `limit-order-book` reports no trades and,
like litebook, cannot reduce an order: there an amend is a cancel and a new order, so that in the
second stream its queues and fills are not the others'. Where a peer has no capped market order, its
rest is cancelled by a second call. liquibook tells of trades by listeners only; it has none here,
for its calls alone are already the fastest of the peers. Peers that are not installed are left
out, and said so.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from bench.common import ROOT, measure, report
from novate.book.admission import Positions, admit_all
from novate.book.compiled import CompiledExchange
from novate.book.events import Filled
from novate.book.exchange import Exchange
from novate.book.operations import Operation, OperationKind, operation_order
from novate.book.orders import TimeInForce
from novate.book.packed import FILLED, Records, pack_operations
from novate.lab.market_replay import MarketReplay, ReplaySettings
from novate.lab.order_flow import plain_flow

RECORDING = ROOT.parent / "shared" / "data" / "trades_book"
SEED = 20240808
PLAIN_OPERATIONS = 100_000
REAL_MESSAGES = 1_000
"""Depth messages of the recording that are used, of 6,546."""
INSTRUMENT = 1
REQUESTED = 14
"""The core's number of the reason `requested`."""
BATCH = 10_000
"""Requests a call of the batched run."""


class Row(NamedTuple):
    """What a peer needs of an operation, as plain integers."""

    kind: int
    immediate: bool
    side: int
    order_id: int
    quantity: int
    price: int
    account: int


class Stream(NamedTuple):
    """A stream as records, rows and packed."""

    operations: list[Operation]
    rows: list[Row]
    packed: Records


SUBMIT, AMEND, CANCEL = (
    int(kind) for kind in (OperationKind.SUBMIT, OperationKind.AMEND, OperationKind.CANCEL)
)
IMMEDIATE = int(TimeInForce.IMMEDIATE_OR_CANCEL)


def stream_of(operations: list[Operation]) -> Stream:
    """The three forms of a stream."""
    rows = [
        Row(
            int(operation.kind),
            operation.time_in_force == IMMEDIATE,
            int(operation.side),
            operation.order_id,
            operation.quantity,
            operation.price,
            operation.account,
        )
        for operation in operations
    ]
    return Stream(operations, rows, pack_operations(operations))


def real_operations(folder: Path) -> list[Operation]:
    """The first part of the recording; see `novate.lab.market_replay`."""
    accounts = range(100, 116), range(200, 216)
    settings = ReplaySettings(INSTRUMENT, *accounts, messages_max=REAL_MESSAGES)
    replay = MarketReplay.from_folder(folder, settings)
    operations = [operation._replace(now=1) for operation in replay.operations()]
    print(f"recording: {replay.counts}")
    return operations


# Ours.


def reference(stream: Stream) -> int:
    """The reference book through its batch call, which is Python too; fills."""
    positions = Positions()
    exchange = Exchange(admit_all, positions.position, positions.listen)
    return sum(isinstance(event, Filled) for event in exchange.run(stream.operations))


def typed(stream: Stream) -> int:
    """Order objects in, event objects out; fills."""
    exchange = CompiledExchange()
    fills = 0
    for operation in stream.operations:
        if operation.kind == SUBMIT:
            events = exchange.submit(operation_order(operation), 1)
        elif operation.kind == CANCEL:
            events = exchange.cancel(operation.account, INSTRUMENT, operation.order_id, 1)
        else:
            events = exchange.amend(
                operation.account,
                INSTRUMENT,
                operation.order_id,
                operation.price,
                operation.quantity,
                1,
            )
        fills += sum(isinstance(event, Filled) for event in events)
    return fills


def one_by_one(stream: Stream) -> int:
    """Plain integers in, lots traded out, all events as one array at the end; fills."""
    exchange = CompiledExchange()
    submit, amend, cancel = exchange.core.submit, exchange.core.amend, exchange.core.cancel
    never = (1 << 32) - 1
    for kind, immediate, side, order_id, quantity, price, account in stream.rows:
        if kind == SUBMIT:
            # fmt: off
            submit(1, order_id, account, account, INSTRUMENT, side, price, quantity,
                   0, immediate, 0, never)
            # fmt: on
        elif kind == CANCEL:
            cancel(1, order_id, account, INSTRUMENT, REQUESTED)
        else:
            amend(1, order_id, account, INSTRUMENT, price, quantity, never)
    return fills_of(exchange.take_packed())


def fills_of(events: Records) -> int:
    """Number of fills among EVENT records."""
    return int((events["kind"] == FILLED).sum())


def batched(stream: Stream) -> int:
    """Packed requests in, packed events out, BATCH requests a call; fills."""
    exchange = CompiledExchange()
    batches = range(0, len(stream.packed), BATCH)
    return sum(fills_of(exchange.run_packed(stream.packed[at : at + BATCH])) for at in batches)


def packing(stream: Stream) -> None:
    """What it costs to pack the requests of Python objects."""
    pack_operations(stream.operations)


# Peers.


def limit_order_book(stream: Stream) -> None:
    """limit-order-book, C++; it reports no trades."""
    book = importlib.import_module("limit_order_book").LimitOrderBook()
    limit, has, cancel = book.limit, book.has, book.cancel
    sides: dict[int, bool] = {}
    for kind, immediate, side, order_id, quantity, price, _ in stream.rows:
        if kind == SUBMIT:
            sides[order_id] = is_buy = side == 0
            limit(is_buy, order_id, quantity, price)
            if immediate and has(order_id):
                cancel(order_id)
        elif has(order_id):
            cancel(order_id)
            if kind == AMEND:
                limit(sides[order_id], order_id, quantity, price)


def orderly_chaos(stream: Stream, report_trades: bool) -> int | None:
    """orderly-chaos, C++; fills if trades are reported to Python."""
    peer = importlib.import_module("orderly_chaos")
    trades: list[object] = []
    filled: dict[int, int] = {}

    def on_trade(trade: Any) -> None:
        trades.append(trade)
        filled[trade.maker_id] = filled.get(trade.maker_id, 0) + trade.quantity

    book = peer.LimitOrderBook(on_trade if report_trades else None)
    limit, has, cancel = book.limit, book.has, book.cancel
    sides = (peer.Side.BUY, peer.Side.SELL)
    for kind, immediate, side, order_id, quantity, price, _ in stream.rows:
        if kind == SUBMIT:
            traded = limit(sides[side], order_id, quantity, price)
            if immediate and traded < quantity:
                cancel(order_id)
        elif has(order_id):
            if kind == CANCEL:
                cancel(order_id)
            else:
                # Silent, it does not know what was filled: it then reduces to the new total.
                left = quantity - filled.get(order_id, 0)
                open_quantity = book.get(order_id).quantity
                if open_quantity > left:
                    book.reduce(order_id, open_quantity - left)
    return len(trades) if report_trades else None


def pyorderbook(stream: Stream) -> int:
    """pyorderbook, Python; fills."""
    peer = importlib.import_module("pyorderbook")
    book = peer.Book()
    makers = (peer.bid, peer.ask)
    orders: dict[int, Any] = {}
    fills = 0
    for kind, immediate, side, order_id, quantity, price, _ in stream.rows:
        if kind == SUBMIT:
            orders[order_id] = order = makers[side]("X", price, quantity)
            fills += len(book.match(order).trades)
            if immediate and order.quantity:
                book.cancel(order)
            continue
        order = orders.get(order_id)
        if order is not None and order.id in book.order_map:
            if kind == CANCEL:
                book.cancel(order)
            else:
                filled = order.original_quantity - order.quantity
                order.original_quantity = quantity
                order.quantity = quantity - filled
    return fills


def liquibook(stream: Stream) -> None:
    """liquibook, C++; it could report trades to Python, and does not here."""
    peer = importlib.import_module("liquibook")
    book = peer.DepthOrderBook("X")
    add, cancel, replace, make = book.add, book.cancel, book.replace, peer.SimpleOrder
    conditions = (peer.oc_no_conditions, peer.oc_immediate_or_cancel)
    orders: dict[int, Any] = {}
    totals: dict[int, int] = {}
    for kind, immediate, side, order_id, quantity, price, _ in stream.rows:
        if kind == SUBMIT:
            orders[order_id] = order = make(side == 0, price, quantity)
            totals[order_id] = quantity
            add(order, conditions[immediate])
        elif order_id in orders:
            if kind == CANCEL:
                cancel(orders[order_id])
            else:
                replace(orders[order_id], quantity - totals[order_id], price)
                totals[order_id] = quantity


def litebook(stream: Stream) -> int | None:
    """litebook, Rust; fills, unless the stream has amends, which it cannot."""
    peer = importlib.import_module("litebook")
    book = peer.OrderBook(tick_size=1.0)
    create, add, cancel = book.create_order, book.add, book.cancel
    sides = (peer.OrderType.Buy, peer.OrderType.Sell)
    ids: dict[int, tuple[int, int]] = {}
    fills = 0
    for kind, immediate, side, order_id, quantity, price, _ in stream.rows:
        if kind != SUBMIT and order_id in ids:
            number, side = ids[order_id]
            cancel(number)
        if kind != CANCEL:
            order = create(sides[side], float(price), float(quantity))
            ids[order_id] = (order.id, side)
            made = add(order)
            fills += len(made)
            if immediate:
                cancel(order.id)
    return None if any(row.kind == AMEND for row in stream.rows) else fills


class Contender(NamedTuple):
    """A book of the comparison."""

    name: str
    module: str  # that must be there; ours have none
    run: Callable[[Stream], int | None]


REFERENCE = "novate reference (Python)"
CONTENDERS = (
    Contender("novate compiled, batched", "", batched),
    Contender("novate compiled, integers one by one", "", one_by_one),
    Contender("novate compiled, objects one by one", "", typed),
    Contender("packing of requests", "", packing),
    Contender(REFERENCE, "", reference),
    Contender("limit-order-book (C++), silent", "limit_order_book", limit_order_book),
    Contender(
        "orderly-chaos (C++), silent", "orderly_chaos", partial(orderly_chaos, report_trades=False)
    ),
    Contender(
        "orderly-chaos (C++), trades told",
        "orderly_chaos",
        partial(orderly_chaos, report_trades=True),
    ),
    Contender("pyorderbook (Python)", "pyorderbook", pyorderbook),
    Contender("liquibook (C++), silent", "liquibook", liquibook),
    Contender("litebook (Rust)", "litebook", litebook),
)


def installed(contender: Contender) -> bool:
    """Whether a contender can run here; says so if not."""
    found = not contender.module or importlib.util.find_spec(contender.module) is not None
    if not found:
        print(f"not installed: {contender.module}")
    return found


def compare(name: str, stream: Stream, contenders: Sequence[Contender]) -> list[dict[str, object]]:
    """The rows of one stream, one by one and batched."""
    rates: dict[str, float] = {}
    fills: dict[str, int | None] = {}
    for contender in contenders:
        fills[contender.name] = contender.run(stream)
        seconds = measure(partial(contender.run, stream), repeats=3, warmups=0)
        rates[contender.name] = len(stream.rows) / seconds
    best_peer = max(rates[contender.name] for contender in contenders if contender.module)
    return [
        {
            "stream": name,
            "book": book,
            "operations": len(stream.rows),
            "fills": fills.get(book),
            "operations/s": rate,
            "ratio to best peer": rate / best_peer,
            "ratio to reference": rate / rates[REFERENCE],
        }
        for book, rate in rates.items()
    ]


def main() -> int:
    """Time every book on every stream; 1 if two books that report the same trades disagree."""
    streams = {"plain": list(plain_flow(SEED, PLAIN_OPERATIONS, INSTRUMENT))}
    if RECORDING.is_dir():
        streams["BTCUSDT"] = real_operations(RECORDING)
    contenders = [contender for contender in CONTENDERS if installed(contender)]
    found = [
        compare(name, stream_of(operations), contenders) for name, operations in streams.items()
    ]
    agreed = all(
        len({row["fills"] for row in rows if row["fills"] is not None}) == 1 for rows in found
    )
    report("matching", list(chain.from_iterable(found)))
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
