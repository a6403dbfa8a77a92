"""The replay of a feed: depth as the feed says after each message, trades printed exactly."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.book.admission import Positions, admit_all
from novate.book.events import Event, Filled, Rejected
from novate.book.exchange import Exchange
from novate.book.orders import Side
from novate.lab.market_replay import (
    DepthMessage,
    MarketReplay,
    MarketTrade,
    ReplaySettings,
    read_depth,
    read_trades,
)

TRADES_BOOK = Path(__file__).resolve().parents[3] / "shared" / "data" / "trades_book"
BUY, SELL = Side.BUY, Side.SELL
PERP = 7
SETTINGS = ReplaySettings(PERP, [1, 2, 3], [8, 9])
SNAPSHOT = DepthMessage(5_000, True, [(BUY, 999, 10), (BUY, 998, 20), (SELL, 1_001, 10)])


class Venue:
    """An exchange that runs groups of a replay and remembers the fills."""

    def __init__(self) -> None:
        positions = Positions()
        self.exchange = Exchange(admit_all, positions.position, positions.listen)
        self.events: list[Event] = []

    def run(self, block: list) -> None:
        self.events += self.exchange.run(block)

    def depth(self, side: Side) -> dict[int, int]:
        levels = self.exchange.book(PERP).depth(side, 1 << 20)
        return {level.price: level.quantity for level in levels}

    def prints(self) -> list[tuple[int, int, int]]:
        """(taker side, price, quantity) of each taker order, its fills added up."""
        sums: dict[int, tuple[int, int, int]] = {}
        for event in self.events:
            if isinstance(event, Filled):
                _, price, quantity = sums.get(event.taker_order_id, (0, event.price, 0))
                assert price == event.price
                sums[event.taker_order_id] = (event.taker_side, price, quantity + event.quantity)
        return list(sums.values())


def replay(messages: list[DepthMessage], trades: list[MarketTrade]) -> tuple[MarketReplay, Venue]:
    venue = Venue()
    feed = MarketReplay(iter(messages), iter(trades), SETTINGS)
    for block in feed.blocks():
        venue.run(block)
    return feed, venue


def test_the_snapshot_is_the_first_depth() -> None:
    early = DepthMessage(4_000, False, [(BUY, 5, 5)])
    feed, venue = replay([early, SNAPSHOT], [MarketTrade(5_000, BUY, 1_001, 3)])
    assert venue.depth(BUY) == {999: 10, 998: 20}
    assert venue.depth(SELL) == {1_001: 10}
    assert (feed.counts.depth_rows, feed.counts.depth_rows_before_snapshot) == (3, 1)
    assert (feed.counts.trades, feed.counts.trades_before_snapshot) == (0, 1)


def test_levels_follow_the_feed() -> None:
    update = DepthMessage(5_050, False, [(BUY, 999, 4), (BUY, 998, 25), (SELL, 1_001, 0)])
    _, venue = replay([SNAPSHOT, update], [])
    assert venue.depth(BUY) == {999: 4, 998: 25}
    assert venue.depth(SELL) == {}
    assert venue.prints() == []


def test_a_trade_consumes_the_level_and_the_message_restores_it() -> None:
    """The feed sends no row for a level that was refilled to the same quantity."""
    update = DepthMessage(5_050, False, [(BUY, 998, 21)])
    _, venue = replay([SNAPSHOT, update], [MarketTrade(5_020, BUY, 1_001, 6)])
    assert venue.prints() == [(BUY, 1_001, 6)]
    assert venue.depth(SELL) == {1_001: 10}


def test_a_trade_that_the_visible_book_does_not_explain_prints_all_the_same() -> None:
    trades = [
        MarketTrade(5_010, BUY, 1_001, 25),  # more than was visible
        MarketTrade(5_020, SELL, 997, 5),  # through both bids
        MarketTrade(5_030, BUY, 996, 5),  # below what was the bid
    ]
    _, venue = replay([SNAPSHOT, DepthMessage(5_050, False, [])], trades)
    assert venue.prints() == [(BUY, 1_001, 25), (SELL, 997, 5), (BUY, 996, 5)]
    assert (venue.depth(BUY), venue.depth(SELL)) == ({999: 10, 998: 20}, {1_001: 10})


def test_rows_outside_the_band_are_left_out() -> None:
    """1 % either side of a mid of 1,000: 990 to 1,010."""
    far = SNAPSHOT._replace(levels=[*SNAPSHOT.levels, (BUY, 989, 1), (BUY, 990, 1)])
    feed, venue = replay(
        [far, DepthMessage(5_050, False, [(SELL, 1_011, 4), (SELL, 1_010, 4)])], []
    )
    assert venue.depth(BUY) == {999: 10, 998: 20, 990: 1}
    assert venue.depth(SELL) == {1_001: 10, 1_010: 4}
    assert (feed.counts.depth_rows, feed.counts.depth_rows_outside_band) == (5, 2)


def test_messages_max() -> None:
    settings = ReplaySettings(PERP, [1], [2], messages_max=1)
    feed = MarketReplay(iter([SNAPSHOT, SNAPSHOT]), iter([]), settings)
    assert len(list(feed.blocks())) == 1
    assert feed.counts.depth_messages == 1


def test_a_feed_without_a_snapshot_is_empty() -> None:
    feed, _ = replay([SNAPSHOT._replace(is_snapshot=False)], [])
    assert list(feed.operations()) == []
    assert feed.counts.depth_rows_before_snapshot == 3


bids = st.dictionaries(st.integers(995, 999), st.integers(0, 9))
asks = st.dictionaries(st.integers(1_001, 1_005), st.integers(0, 9))
trade = st.builds(
    MarketTrade, st.just(0), st.sampled_from(Side), st.integers(993, 1_007), st.integers(1, 30)
)


@given(st.lists(st.tuples(bids, asks, st.lists(trade, max_size=4)), max_size=8))
def test_any_feed(steps: list[tuple[dict[int, int], dict[int, int], list[MarketTrade]]]) -> None:
    """Whatever the levels and trades: prints are exact, depth is the feed's, nothing is refused."""
    messages, trades = [SNAPSHOT], []
    for number, (bid, ask, between) in enumerate(steps):
        time_ms = 6_000 + number
        trades += [t._replace(time_ms=time_ms) for t in between]
        levels = [(BUY, *row) for row in bid.items()] + [(SELL, *row) for row in ask.items()]
        messages.append(DepthMessage(time_ms, False, levels))
    venue = Venue()
    expected: tuple[dict[int, int], dict[int, int]] = ({}, {})
    feed = MarketReplay(iter(messages), iter(trades), SETTINGS)
    for message, block in zip(messages, feed.blocks(), strict=True):
        venue.run(block)
        for side, price, quantity in message.levels:
            expected[side][price] = quantity
        for side in Side:
            shown = {price: quantity for price, quantity in expected[side].items() if quantity}
            assert venue.depth(side) == shown == feed.visible(side)
    assert venue.prints() == [tuple(t[1:]) for t in trades]
    assert not [event for event in venue.events if isinstance(event, Rejected)]


@pytest.mark.skipif(not TRADES_BOOK.is_dir(), reason="no recorded depth beside the repository")
def test_real_feed() -> None:
    """The first 200 messages against the rows themselves; both makers and takers take turns."""
    settings = ReplaySettings(PERP, range(10, 14), range(20, 23), messages_max=200)
    feed = MarketReplay.from_folder(TRADES_BOOK, settings)
    venue = Venue()
    blocks = feed.blocks()
    messages = read_depth(TRADES_BOOK / "btcusdt_20240808_depth.parquet", settings)
    message = next(m for m in messages if m.is_snapshot)
    snapshot_time_ms = message.time_ms
    truth: defaultdict[Side, dict[int, int]] = defaultdict(dict)
    for block in blocks:
        venue.run(block)
        for side, price, quantity in message.levels:
            truth[side][price] = quantity
        for side in Side:
            levels = sorted(
                ((price, q) for price, q in truth[side].items() if q), reverse=side == BUY
            )
            assert list(venue.depth(side).items())[:500] == levels[:500]
        last_time_ms = message.time_ms
        message = next(messages)
    assert feed.counts.depth_messages == 200
    trades = [
        (trade.taker_side, trade.price, trade.quantity)
        for trade in read_trades(TRADES_BOOK / "btcusdt_20240808_trades.parquet", settings)
        if snapshot_time_ms < trade.time_ms <= last_time_ms
    ]
    assert venue.prints() == trades
    assert len(trades) == feed.counts.trades > 100
    assert not [event for event in venue.events if isinstance(event, Rejected)]
    accounts = {event.account for event in venue.events if not isinstance(event, Filled)}
    assert accounts == set(range(10, 14)) | set(range(20, 23))
