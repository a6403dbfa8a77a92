"""A recorded market as order flow: public depth updates and trades become requests to the book.

Input: the depth and trades of one perpetual as in `btcusdt_20240808_{depth,trades}.parquet`
(Binance USD-M futures: one snapshot, absolute level updates about every 50 ms, every single trade).
A public feed has no order ids, so orders are made up so that two things hold exactly:

* after each depth message, the quantity resting at every level inside the band is the feed's;
* each trade of the feed is one immediate-or-cancel order that prints at the feed's price for the
  feed's quantity.

How:
* A level that grows gets a new post-only order for the difference. A level that shrinks loses its
  newest orders first; the last of them is amended down, which keeps its place.
* Trades come before the first depth message whose transaction time is not earlier: that message's
  quantities already include them.
* Between two messages the market moved unseen. Before a trade, levels that its price proves gone
  are cancelled, and quantity that it proves present is added. The next depth message sets every
  level touched this way back to the feed's quantity.
* Depth messages and trades from before the snapshot are dropped, as are levels outside the band
  around the snapshot's mid price. `ReplayCounts` says how many rows that is.

Orders are dealt out to the maker and taker accounts in turn. Floats end here: prices and
quantities are rounded to ticks and lots when they are read.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as parquet

from novate.book.operations import Operation, OperationKind, submit_operation
from novate.book.orders import Flags, Order, Side, TimeInForce

PPM = 1_000_000


class DepthMessage(NamedTuple):
    """Levels with their new absolute quantities."""

    time_ms: int  # transaction time
    is_snapshot: bool
    levels: list[tuple[Side, int, int]]  # side, price in ticks, quantity in lots


class MarketTrade(NamedTuple):
    """One trade of the feed."""

    time_ms: int
    taker_side: Side
    price: int
    quantity: int


@dataclass(frozen=True)
class ReplaySettings:
    """Into which instrument, for which accounts, and how much of the feed."""

    instrument: int
    maker_accounts: Sequence[int]
    taker_accounts: Sequence[int]  # disjoint from the makers: the replay has no self-trades
    first_order_id: int = 1
    ticks_per_unit: int = 100  # BTC: d = 2
    lots_per_unit: int = 10_000  # BTC: 10^(6-d)
    band_ppm: int = 10_000  # levels kept, either side of the snapshot's mid
    messages_max: int | None = None  # depth messages from the snapshot on; None: all


@dataclass
class ReplayCounts:
    """Rows of the feed that were used, and those that were not."""

    depth_messages: int = 0
    depth_rows: int = 0
    depth_rows_outside_band: int = 0
    depth_rows_before_snapshot: int = 0
    trades: int = 0
    trades_before_snapshot: int = 0
    submitted: int = 0
    amended: int = 0
    cancelled: int = 0


@dataclass(slots=True)
class _Working:
    """An order the replay has in the book."""

    order_id: int
    account: int
    total: int
    open: int


def read_depth(path: Path, settings: ReplaySettings) -> Iterator[DepthMessage]:
    """The depth messages of a parquet file, in order of arrival."""
    columns = parquet.read_table(path, columns=["seq", "tx_ts_ms", "kind", "side", "price", "qty"])
    rows = zip(*(column.to_pylist() for column in columns.columns), strict=True)
    for _, group in groupby(rows, key=lambda row: row[0]):
        message = list(group)
        levels = [
            (
                Side.BUY if side == "bid" else Side.SELL,
                round(price * settings.ticks_per_unit),
                round(quantity * settings.lots_per_unit),
            )
            for _, _, _, side, price, quantity in message
        ]
        yield DepthMessage(message[0][1], message[0][2] == "snapshot", levels)


def read_trades(path: Path, settings: ReplaySettings) -> Iterator[MarketTrade]:
    """The trades of a parquet file, in order of arrival."""
    columns = parquet.read_table(path, columns=["tx_ts_ms", "aggressor_side", "price", "qty"])
    for time_ms, side, price, quantity in zip(
        *(column.to_pylist() for column in columns.columns), strict=True
    ):
        yield MarketTrade(
            time_ms,
            Side.BUY if side == "buy" else Side.SELL,
            round(price * settings.ticks_per_unit),
            round(quantity * settings.lots_per_unit),
        )


class MarketReplay:
    """Requests that replay a feed. `counts` is final when the iterator is exhausted."""

    def __init__(
        self,
        depth: Iterator[DepthMessage],
        trades: Iterator[MarketTrade],
        settings: ReplaySettings,
    ) -> None:
        self.counts = ReplayCounts()
        self._settings = settings
        self._depth = depth
        self._trades = trades
        self._next_order_id = settings.first_order_id
        self._now = 0
        # Per side: what the feed last said, the orders at each level (oldest first), the sorted
        # prices of levels that hold orders, and the levels that trades have moved off the feed.
        self._visible: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._working: tuple[dict[int, list[_Working]], dict[int, list[_Working]]] = ({}, {})
        self._prices: tuple[list[int], list[int]] = ([], [])
        self._touched: set[tuple[Side, int]] = set()

    @classmethod
    def from_folder(cls, folder: Path, settings: ReplaySettings) -> MarketReplay:
        """The replay of the recorded BTCUSDT minutes."""
        return cls(
            read_depth(folder / "btcusdt_20240808_depth.parquet", settings),
            read_trades(folder / "btcusdt_20240808_trades.parquet", settings),
            settings,
        )

    def operations(self) -> Iterator[Operation]:
        """All requests, in order."""
        for block in self.blocks():
            yield from block

    def blocks(self) -> Iterator[list[Operation]]:
        """The requests in groups: the trades before a depth message, then the message itself.

        After each group the visible depth is the feed's.
        """
        snapshot = self._skip_to_snapshot()
        if snapshot is None:
            return
        low, high = self._band(snapshot)
        pending = self._trades_after(snapshot.time_ms)
        trade = next(pending, None)
        message: DepthMessage | None = snapshot
        while message is not None:
            block: list[Operation] = []
            while trade is not None and trade.time_ms <= message.time_ms:
                block += self._print_trade(trade)
                trade = next(pending, None)
            self._now = max(self._now, message.time_ms // 1_000)
            self._read_levels(message, low, high)
            block += self._restore()
            yield block
            self.counts.depth_messages += 1
            limit = self._settings.messages_max
            if limit is not None and self.counts.depth_messages >= limit:
                return
            message = next(self._depth, None)

    def visible(self, side: Side) -> dict[int, int]:
        """The feed's lots by price inside the band, as of the last group."""
        return dict(self._visible[side])

    def _skip_to_snapshot(self) -> DepthMessage | None:
        for message in self._depth:
            if message.is_snapshot:
                return message
            self.counts.depth_rows_before_snapshot += len(message.levels)
        return None

    def _trades_after(self, time_ms: int) -> Iterator[MarketTrade]:
        for trade in self._trades:
            if trade.time_ms > time_ms:
                yield trade
            else:
                self.counts.trades_before_snapshot += 1

    def _band(self, snapshot: DepthMessage) -> tuple[int, int]:
        """Lowest and highest price kept."""
        best_bid = max(price for side, price, _ in snapshot.levels if side == Side.BUY)
        best_ask = min(price for side, price, _ in snapshot.levels if side == Side.SELL)
        half_width = (best_bid + best_ask) * self._settings.band_ppm // (2 * PPM)
        middle = (best_bid + best_ask) // 2
        return middle - half_width, middle + half_width

    def _read_levels(self, message: DepthMessage, low: int, high: int) -> None:
        """Take note of what the feed says; what is inside the band is touched."""
        for side, price, quantity in message.levels:
            if not low <= price <= high:
                self.counts.depth_rows_outside_band += 1
                continue
            self.counts.depth_rows += 1
            self._touched.add((side, price))
            if quantity:
                self._visible[side][price] = quantity
            else:
                self._visible[side].pop(price, None)

    def _restore(self) -> list[Operation]:
        """Bring the touched levels to the feed's quantities: first what shrinks, so that nothing
        crosses, then what grows."""
        operations: list[Operation] = []
        grows: list[tuple[Side, int, int]] = []
        for side, price in sorted(self._touched):
            missing = self._visible[side].get(price, 0) - self._resting(side, price)
            if missing < 0:
                operations += self._shrink(side, price, -missing)
            elif missing > 0:
                grows.append((side, price, missing))
        for side, price, missing in grows:
            operations.append(self._grow(side, price, missing))
        self._touched.clear()
        return operations

    def _print_trade(self, trade: MarketTrade) -> list[Operation]:
        """The requests that make the trade happen at its price for its quantity."""
        self.counts.trades += 1
        self._now = max(self._now, trade.time_ms // 1_000)
        maker_side = Side(1 - trade.taker_side)
        operations: list[Operation] = []
        for side, price in self._disproved(maker_side, trade.price):
            operations += self._shrink(side, price, self._resting(side, price))
        missing = trade.quantity - self._resting(maker_side, trade.price)
        if missing > 0:
            operations.append(self._grow(maker_side, trade.price, missing))
        operations.append(self._take(trade))
        self._consume(maker_side, trade.price, trade.quantity)
        self._touched.add((maker_side, trade.price))
        return operations

    def _disproved(self, maker_side: Side, price: int) -> list[tuple[Side, int]]:
        """Levels that cannot be there if a maker of this side trades at this price."""
        bids, asks = self._prices
        if maker_side == Side.SELL:
            better, crossed = asks[: bisect_left(asks, price)], bids[bisect_left(bids, price) :]
        else:
            better, crossed = bids[bisect_right(bids, price) :], asks[: bisect_right(asks, price)]
        return [(maker_side, level) for level in better] + [
            (Side(1 - maker_side), level) for level in crossed
        ]

    def _resting(self, side: Side, price: int) -> int:
        """Lots the replay has at a level."""
        return sum(order.open for order in self._working[side].get(price, ()))

    def _grow(self, side: Side, price: int, quantity: int) -> Operation:
        """A new order at the back of a level."""
        makers = self._settings.maker_accounts
        account = makers[self._next_order_id % len(makers)]
        order_id = self._take_order_id()
        if price not in self._working[side]:
            self._working[side][price] = []
            at = bisect_left(self._prices[side], price)
            self._prices[side].insert(at, price)
        self._working[side][price].append(_Working(order_id, account, quantity, quantity))
        self._touched.add((side, price))
        self.counts.submitted += 1
        order = Order(
            order_id,
            account,
            account,
            self._settings.instrument,
            side,
            price,
            quantity,
            flags=Flags.POST_ONLY,
        )
        return submit_operation(order, self._now)

    def _shrink(self, side: Side, price: int, quantity: int) -> list[Operation]:
        """Take quantity from the newest orders of a level."""
        operations: list[Operation] = []
        queue = self._working[side][price]
        self._touched.add((side, price))
        while quantity >= queue[-1].open:
            order = queue.pop()
            quantity -= order.open
            self.counts.cancelled += 1
            operations.append(self._request(OperationKind.CANCEL, order))
            if not queue:
                self._drop_level(side, price)
                return operations
        if quantity:
            queue[-1].total -= quantity
            queue[-1].open -= quantity
            self.counts.amended += 1
            operations.append(
                self._request(OperationKind.AMEND, queue[-1])._replace(
                    price=price, quantity=queue[-1].total
                )
            )
        return operations

    def _consume(self, side: Side, price: int, quantity: int) -> None:
        """Follow a trade: the oldest orders of the level are filled first."""
        queue = self._working[side][price]
        while quantity and quantity >= queue[0].open:
            quantity -= queue.pop(0).open
            if not queue:
                self._drop_level(side, price)
                return
        queue[0].open -= quantity

    def _drop_level(self, side: Side, price: int) -> None:
        del self._working[side][price]
        del self._prices[side][bisect_left(self._prices[side], price)]

    def _take(self, trade: MarketTrade) -> Operation:
        """The aggressive order of a trade."""
        takers = self._settings.taker_accounts
        account = takers[self._next_order_id % len(takers)]
        self.counts.submitted += 1
        order = Order(
            self._take_order_id(),
            account,
            account,
            self._settings.instrument,
            trade.taker_side,
            trade.price,
            trade.quantity,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        return submit_operation(order, self._now)

    def _request(self, kind: OperationKind, order: _Working) -> Operation:
        return Operation(
            kind,
            self._now,
            account=order.account,
            instrument=self._settings.instrument,
            order_id=order.order_id,
        )

    def _take_order_id(self) -> int:
        self._next_order_id += 1
        return self._next_order_id - 1
