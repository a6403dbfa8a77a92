"""What the demo runs on: recorded market data where it is at hand, else a seeded synthetic hour.

Recorded: the BTCUSDT perpetual's depth and trades as order flow, two Deribit chains of one morning
(before and after an expiry) as option quotes, and the hourly bar of a crash. The perpetual's prices
are scaled by one constant so that both recordings describe one market.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, sqrt
from pathlib import Path
from random import Random

import pyarrow.parquet as pq

from novate.book.operations import Operation
from novate.book.orders import Side
from novate.lab.market_replay import DepthMessage, MarketReplay, MarketTrade, ReplaySettings
from novate.lab.option_chain import ChainQuote, OptionChain, read_chain
from novate.lab.price_path import PricePath
from novate.spec.instruments import Instrument, Kind, day_of, encode, expiry_time
from novate.spec.pricing import option_value, root_time, total_volatility
from novate.spec.smile import NODES, smile_vol
from novate.spec.state import ExpiryFields

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
TICKS, LOTS, STRIKE_TICK = 100, 10_000, 100
"""BTC: d = 2; strikes in whole USDC."""
CHAIN_BEFORE = "deribit_chain_20260327T045944Z.parquet"
CHAIN_AFTER = "deribit_chain_20260327T094709Z.parquet"
CRASH_HOUR = "2021-05-19 12:00"
CRASH_START_S = 900
"""The crash hour begins this long after the second chain."""


@dataclass(frozen=True)
class DemoData:
    """Everything the demo needs, in integers."""

    sources: tuple[str, ...]
    """What was read, and how much of it."""
    start: int
    """First second of the session, on the oracle grid."""
    seconds: int
    """Length of the session."""
    chain: OptionChain
    chain_after: OptionChain
    path: PricePath
    crash_start: int
    crash_seconds: int
    replay: MarketReplay
    scale: tuple[int, int]
    """Session prices are multiplied by this fraction."""

    def blocks(self) -> Iterator[tuple[int, list[Operation]]]:
        """(second, operations) of the session's order flow, on the demo's clock and scale."""
        first: int | None = None
        for block in self.replay.blocks():
            if not block:
                continue
            first = block[0].now if first is None else first
            second = self.start + block[0].now - first
            if second >= self.start + self.seconds:
                return
            yield second, [self._scaled(operation, second) for operation in block]

    def _scaled(self, operation: Operation, second: int) -> Operation:
        """The operation at the demo's second and price; the scale keeps price order."""
        numerator, denominator = self.scale
        price = operation.price * numerator // denominator
        return operation._replace(now=second, price=price)


def load(settings: ReplaySettings, seconds: int) -> DemoData:
    """Recorded data if the data folder is there, else synthetic."""
    if (DATA / "options" / CHAIN_BEFORE).exists():
        return recorded(settings, seconds)
    return synthetic(settings, seconds)


def recorded(settings: ReplaySettings, seconds: int) -> DemoData:
    """The demo on real data."""
    chains = [
        read_chain(DATA / "options" / name, "BTC", 0, TICKS, LOTS, STRIKE_TICK)
        for name in (CHAIN_BEFORE, CHAIN_AFTER)
    ]
    start = chains[0].time + -chains[0].time % 5
    quotes = pq.read_table(
        DATA / "trades_book" / "btcusdt_20240808_bbo.parquet", columns=["tx_ts_ms", "bid", "ask"]
    ).to_pylist()
    mids = [(row["tx_ts_ms"] // 1_000, round(50 * (row["bid"] + row["ask"]))) for row in quotes]
    scale = (chains[0].index_price, mids[0][1])
    session = {
        start + second - mids[0][0]: mid * scale[0] // scale[1]
        for second, mid in mids
        if second - mids[0][0] < seconds
    }
    bar = _crash_bar()
    crash_start = chains[1].time + CRASH_START_S
    crash_start += -crash_start % 60
    crash = [
        (crash_start + second, round(chains[1].index_price * price / bar[0]))
        for second, price in zip((0, 900, 2_700, 3_600), bar, strict=True)
    ]
    prints = [*sorted(session.items()), (chains[1].time, chains[1].index_price), *crash]
    trades = pq.read_metadata(DATA / "trades_book" / "btcusdt_20240808_trades.parquet").num_rows
    return DemoData(
        sources=(
            f"BTCUSDT perpetual, 2024-08-08: depth and {trades} trades recorded over 345 s; the "
            f"first {seconds} s are replayed, prices times {scale[0] / scale[1]:.4f}",
            f"Deribit BTC options, 2026-03-27 04:59 UTC: {chains[0].rows} of {chains[0].rows} rows "
            "as quotes, in linear USDC",
            f"Deribit BTC options, 2026-03-27 09:47 UTC: {chains[1].rows} rows as oracle fields; "
            "between the two the index is a straight line",
            f"BTCUSDT hour of {CRASH_HOUR} UTC ({100 * (bar[2] / bar[0] - 1):.1f} % at its low), "
            "scaled to the second chain's index",
        ),
        start=start,
        seconds=seconds,
        chain=chains[0],
        chain_after=chains[1],
        path=PricePath(prints),
        crash_start=crash_start,
        crash_seconds=3_600,
        replay=MarketReplay.from_folder(DATA / "trades_book", settings),
        scale=scale,
    )


def _crash_bar() -> tuple[float, float, float, float]:
    """Open, high, low and close of the crash hour."""
    rows = pq.read_table(DATA / "prices" / "btcusdt_1h.parquet").to_pylist()
    row = next(r for r in rows if f"{r['open_time_utc']:%Y-%m-%d %H:%M}" == CRASH_HOUR)
    return row["open"], row["high"], row["low"], row["close"]


def synthetic(
    settings: ReplaySettings,
    seconds: int,
    seed: int = 7,
    start: int = 1_774_587_600,
    calm_s: int = 17_220,
) -> DemoData:
    """The demo without recorded data: a seeded market of the same shape, far smaller.

    `start`: before 08:00 UTC of its day, when options expire; `calm_s`: from there to the second
    chain, after that.
    """
    random = Random(seed)
    steps = [(0, 6_850_000)]
    for second in range(1, seconds + 1):
        move = exp(0.6 * sqrt(1 / 31_536_000) * random.gauss(0, 1))
        steps.append((second, round(steps[-1][1] * move)))
    path = [(start + second, price) for second, price in steps]
    after = start + calm_s
    crash_start = after + CRASH_START_S
    crash = [
        (crash_start + second, steps[-1][1] * per_mille // 1_000)
        for second, per_mille in ((0, 990), (900, 993), (2_700, 890), (3_600, 905))
    ]
    chains = [_synthetic_chain(moment, steps[-1][1]) for moment in (start, after)]
    messages = list(_synthetic_depth(steps, random))
    trades = list(_synthetic_trades(steps, random))
    return DemoData(
        sources=(
            f"synthetic, seed {seed} (no recorded data found): {len(messages)} depth messages and "
            f"{len(trades)} trades in {seconds} s, {chains[0].rows} option quotes, a crash hour",
        ),
        start=start,
        seconds=seconds,
        chain=chains[0],
        chain_after=chains[1],
        path=PricePath([*path, (after, steps[-1][1] * 99 // 100), *crash]),
        crash_start=crash_start,
        crash_seconds=3_600,
        replay=MarketReplay(iter(messages), iter(trades), settings),
        scale=(1, 1),
    )


def _synthetic_depth(steps: list[tuple[int, int]], random: Random) -> Iterator[DepthMessage]:
    """Ten levels a side around each second's price, whole again every second."""
    shown: set[tuple[Side, int]] = set()
    for second, price in steps:
        levels: dict[tuple[Side, int], int] = dict.fromkeys(shown, 0)
        for level in range(10):
            levels[Side.BUY, price - 10 * (level + 1)] = random.randint(500, 20_000)
            levels[Side.SELL, price + 10 * (level + 1)] = random.randint(500, 20_000)
        shown = {key for key, quantity in levels.items() if quantity}
        listed = [(side, at, quantity) for (side, at), quantity in levels.items()]
        yield DepthMessage(1_000 * second, second == 0, listed)


def _synthetic_trades(steps: list[tuple[int, int]], random: Random) -> Iterator[MarketTrade]:
    """A few trades a second at the touch."""
    for second, price in steps[:-1]:
        for _ in range(random.randint(0, 6)):
            side = random.choice((Side.BUY, Side.SELL))
            at = price + (10 if side == Side.BUY else -10)
            yield MarketTrade(1_000 * second + 500, side, at, random.randint(1, 400))


def _synthetic_chain(moment: int, index: int) -> OptionChain:
    """Five expiries with one smile, quotes 1 % of the index's thousandth around Black-76."""
    vols = tuple(550_000 + 6_000 * abs(node - NODES // 2) ** 2 for node in range(NODES))
    today = day_of(moment)
    first = today if expiry_time(today) > moment else today + 1
    expiries = tuple(ExpiryFields(first + ahead, 20 * ahead, vols) for ahead in (0, 1, 7, 28, 91))
    quotes = []
    for fields in expiries:
        left = expiry_time(fields.day) - moment
        for strike in range(50_000, 90_001, 2_000):
            vol = smile_vol(vols, index, strike * TICKS, left)
            spread = max(500, index // 5_000)
            for kind in (Kind.CALL, Kind.PUT):
                total = total_volatility(vol, root_time(left))
                value = option_value(index, strike * TICKS, total, kind == Kind.CALL)
                instrument = encode(Instrument(0, fields.day, kind, strike))
                quotes.append(ChainQuote(instrument, max(0, value - spread), value + spread, 1_000))
    return OptionChain(moment, index, expiries, tuple(quotes), len(quotes))
