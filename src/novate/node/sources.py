"""Where an oracle's prices come from: a seeded walk, a recorded series of prints, or whole reports.

A walk or a series gives the index of a market at any grid second; everything else a report says is
a setting then: premium, one basis and one flat volatility for the next expiries. The mean over the
settlement window is computed from the source's own prints. Recorded reports say all of it, smiles
included. Floats end where a file is read.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from novate.node.settings import ConfigError
from novate.spec.bounds import ORACLE_GRID_S, PRICE_MAX, SETTLEMENT_WINDOW_S
from novate.spec.instruments import day_of, expiry_time
from novate.spec.messages.oracle import Report
from novate.spec.rounding import clamp, div_down
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields

PPM: Final = 1_000_000


class Source(Protocol):
    """Prints of one market."""

    def price(self, time: int) -> int | None:
        """Index at a grid second, ticks; None if the source has none."""


class Walk:
    """A seeded walk in integer steps: equal seeds, equal prices, whenever it is asked."""

    def __init__(self, seed: int, start: int, time: int, step_ppm: int) -> None:
        """`start` ticks at `time`; each grid second moves by up to `step_ppm`, one way or other."""
        self._seed = seed
        self._step_ppm = step_ppm
        self._first = time - time % ORACLE_GRID_S
        self._prices = [start]

    def price(self, time: int) -> int | None:
        """Index at a grid second; before the first one, none."""
        place = div_down(time - self._first, ORACLE_GRID_S)
        if place < 0:
            return None
        while len(self._prices) <= place:
            self._prices.append(self._moved(len(self._prices), self._prices[-1]))
        return self._prices[place]

    def _moved(self, place: int, price: int) -> int:
        """The next price."""
        digest = hashlib.blake2b(b"%d %d" % (self._seed, place), digest_size=8).digest()
        width = 2 * self._step_ppm + 1
        move_ppm = int.from_bytes(digest, "little") % width - self._step_ppm
        return clamp(price + div_down(price * move_ppm, PPM), 1, PRICE_MAX)


class Recording:
    """A recorded series, replayed from a moment on; past its end, the last print."""

    def __init__(self, prints: Sequence[tuple[int, int]], time: int) -> None:
        """(second, ticks) in order of time; the first one is replayed at `time`."""
        if not prints:
            raise ValueError("a recording without prints")
        self._shift = time - prints[0][0]
        self._times = [second for second, _ in prints]
        self._ticks = [ticks for _, ticks in prints]

    def price(self, time: int) -> int | None:
        """The last print at or before a second; before the first one, none."""
        place = bisect_right(self._times, time - self._shift)
        return self._ticks[place - 1] if place else None


def read_quotes(path: Path, ticks_per_unit: int) -> list[tuple[int, int]]:
    """Mid prices of a parquet file of best quotes (`tx_ts_ms`, `bid`, `ask`), one a second."""
    from pyarrow import parquet  # loads longer than all of the node; few processes read a file

    table = parquet.read_table(path, columns=["tx_ts_ms", "bid", "ask"])
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    prints: dict[int, int] = {}
    for time_ms, bid, ask in rows:
        prints[time_ms // 1_000] = round((bid + ask) * ticks_per_unit / 2)
    return sorted(prints.items())


class RecordedReports:
    """Whole reports by grid second."""

    def __init__(self, reports: Iterable[Report]) -> None:
        """Reports of one market."""
        self._reports = {report.time: report for report in reports}

    def price(self, time: int) -> int | None:
        """Index at a recorded second; at any other, none."""
        report = self._reports.get(time)
        return None if report is None else report.index_price

    def report(self, time: int) -> Report | None:
        """The report of a second."""
        return self._reports.get(time)


def write_reports(path: Path, reports: Iterable[Report]) -> None:
    """Write reports down as JSON; the expiries, which seldom change, are kept once each."""
    surfaces: dict[tuple[ExpiryFields, ...], int] = {}
    rows = [
        [*report[:5], surfaces.setdefault(report.expiries, len(surfaces))] for report in reports
    ]
    path.write_text(json.dumps({"surfaces": list(surfaces), "reports": rows}), encoding="utf-8")


def read_reports(path: Path) -> RecordedReports:
    """The reports that `write_reports` wrote. ConfigError if the file is not of it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        surfaces = [
            tuple(ExpiryFields(day, basis_ppm, tuple(vols)) for day, basis_ppm, vols in surface)
            for surface in content["surfaces"]
        ]
        rows = [
            Report(market, time, index_price, premium_ppm, mean, surfaces[surface])
            for market, time, index_price, premium_ppm, mean, surface in content["reports"]
        ]
        return RecordedReports(rows)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise ConfigError(f"{path}: not recorded reports: {error!r}") from error


@dataclass(frozen=True)
class Surface:
    """What a report says besides the index."""

    premium_ppm: int
    basis_ppm: int
    vol_ppm: int
    expiries: int
    """Days reported: the next ones with an expiry at 08:00 UTC."""


def report_at(underlying: int, time: int, source: Source, surface: Surface) -> Report | None:
    """The report of one market at a grid second; None if the source has no price."""
    if isinstance(source, RecordedReports):
        return source.report(time)
    price = source.price(time)
    if price is None:
        return None
    first = day_of(time) if expiry_time(day_of(time)) > time else day_of(time) + 1
    vols = (surface.vol_ppm,) * NODES
    return Report(
        underlying=underlying,
        time=time,
        index_price=price,
        premium_ppm=surface.premium_ppm,
        mean=window_mean(time, source.price) or price,
        expiries=tuple(
            ExpiryFields(day, surface.basis_ppm, vols)
            for day in range(first, first + surface.expiries)
        ),
    )


def window_mean(time: int, price: Callable[[int], int | None]) -> int:
    """Mean of the prints of the settlement window that holds `time`, or of the last one over.

    0 if there are none. Inside the window it is the running mean.
    """
    today = expiry_time(day_of(time))
    end = today if time > today - SETTLEMENT_WINDOW_S else expiry_time(day_of(time) - 1)
    seconds = range(end - SETTLEMENT_WINDOW_S + ORACLE_GRID_S, min(end, time) + 1, ORACLE_GRID_S)
    prints = [found for second in seconds if (found := price(second)) is not None]
    return div_down(sum(prints), len(prints)) if prints else 0
