"""A recorded option chain as oracle fields and two-sided quotes of linear USDC options.

Input: one snapshot of `shared/data/options` (Deribit, inverse options quoted in coin). A coin price
times the forward is the price of the linear option with the same strike and expiry. Floats end
here: everything given out is integer ticks, lots and ppm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import log, sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from novate.spec.instruments import Instrument, Kind, day_of, encode
from novate.spec.pricing import YEAR_S
from novate.spec.smile import NODE_QUARTERS
from novate.spec.state import ExpiryFields

DAY_S = 86_400
NODES_X = tuple(quarters / 4 for quarters in NODE_QUARTERS)


class ChainQuote(NamedTuple):
    """One option's quote and its real activity."""

    instrument: int
    bid: int
    """Ticks; 0: none."""
    ask: int
    """Ticks; 0: none."""
    volume: int
    """Lots traded in the 24 hours before the snapshot."""


@dataclass(frozen=True)
class OptionChain:
    """One coin's chain at one moment."""

    time: int
    """Unix seconds."""
    index_price: int
    """Ticks."""
    expiries: tuple[ExpiryFields, ...]
    quotes: tuple[ChainQuote, ...]
    rows: int
    """Rows of the file that were used."""


def read_chain(
    path: Path,
    coin: str,
    underlying: int,
    ticks_per_unit: int,
    lots_per_unit: int,
    strike_tick: int,
) -> OptionChain:
    """The chain of one coin in one file. Expiries need five strikes with a volatility."""
    rows = [row for row in pq.read_table(path).to_pylist() if row["underlying"] == coin]
    moment: datetime = rows[0]["timestamp_utc"]
    now = int(moment.timestamp())
    index = float(min(rows, key=lambda row: row["ticker_seq"])["index_price"])
    by_day: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_day.setdefault(day_of(int(row["expiry"].timestamp())), []).append(row)
    expiries = []
    quotes = []
    for day in sorted(by_day):
        fields = _expiry_fields(by_day[day], day, now, index)
        if fields is not None:
            expiries.append(fields)
            quotes += [
                _quote(row, underlying, day, ticks_per_unit, lots_per_unit, strike_tick)
                for row in by_day[day]
            ]
    return OptionChain(
        now, round(index * ticks_per_unit), tuple(expiries), tuple(quotes), len(quotes)
    )


def _expiry_fields(
    rows: list[dict[str, Any]], day: int, now: int, index: float
) -> ExpiryFields | None:
    """Basis and node volatilities of one expiry, from its marks; None with too few strikes."""
    forward = float(np.median([row["underlying_price"] for row in rows]))
    smile: dict[float, float] = {}
    for row in rows:  # the out-of-the-money side of each strike says its volatility best
        outside = (row["type"] == "call") == (row["strike"] >= forward)
        if row["mark_iv"] and outside:
            smile[row["strike"]] = row["mark_iv"]
    if len(smile) < 5:
        return None
    seconds = int(rows[0]["expiry"].timestamp()) - now
    scale = sqrt(max(seconds, DAY_S) / YEAR_S)
    strikes = sorted(smile)
    places = [log(strike / forward) / scale for strike in strikes]
    variances = [smile[strike] ** 2 for strike in strikes]
    nodes = np.interp(NODES_X, places, variances)
    vols = tuple(round(1e6 * sqrt(variance)) for variance in nodes)
    return ExpiryFields(day, round(1e6 * (forward / index - 1)), vols)


def _quote(
    row: dict[str, Any],
    underlying: int,
    day: int,
    ticks_per_unit: int,
    lots_per_unit: int,
    strike_tick: int,
) -> ChainQuote:
    """One option's quote in ticks of its linear twin."""
    kind = Kind.CALL if row["type"] == "call" else Kind.PUT
    strike = round(row["strike"] * ticks_per_unit) // strike_tick
    forward = row["underlying_price"] * ticks_per_unit
    bid = int(row["bid"] * forward) if row["bid"] is not None else 0
    ask = int(np.ceil(row["ask"] * forward)) if row["ask"] is not None else 0
    instrument = encode(Instrument(underlying, day, kind, strike))
    return ChainQuote(instrument, bid, ask, round(row["volume"] * lots_per_unit))
