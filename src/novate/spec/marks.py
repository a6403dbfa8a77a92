"""Marks, and the value of any instrument after a move of spot and volatility.

A valuation is total: every instrument has a value at every snapshot, whatever the oracle reported.
Prices in ticks, clamped to [0, PRICE_MAX]; rates and volatilities in ppm; total volatilities in
2^-24 (`pricing`). Products of a price and a factor are below 2^31 · 2^25 = 2^56.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from novate.spec.bounds import PRICE_MAX
from novate.spec.instruments import Instrument, Kind, expiry_time, is_linear
from novate.spec.parameters import MarketParameters
from novate.spec.pricing import averaged_forward, option_value, root_time, total_volatility
from novate.spec.pricing_tables import VOL_SHOCK_TERM_PPM
from novate.spec.rounding import PPM, clamp, mul_div_down
from novate.spec.smile import NODES, shocked_vol, smile_vol
from novate.spec.state import ExpiryFields, Snapshot

DIRECTIONS = (-1, 0, 1)
"""Volatility down, as it is, up: the order of `Terms.total_vols`."""
NEVER_S = 1 << 32
"""Seconds left of a perpetual: beyond every settlement window."""


class MarketView(NamedTuple):
    """Everything that valuation needs of one market at one moment. Hashable."""

    parameters: MarketParameters
    snapshot: Snapshot
    """The last accepted one, or the reference."""
    time: int
    """Now, for time to expiry; unix seconds."""
    concentration_maintenance_ppm: int
    """Rate in maintenance margin (`margin.ramp`)."""
    concentration_initial_ppm: int
    """Rate in initial margin (`margin.concentration_rate`)."""


class Terms(NamedTuple):
    """What the value of one instrument depends on besides the move of spot."""

    kind: Kind
    strike: int
    """Ticks; 0 for linear."""
    forward: int
    """What a move of spot scales: the forward, or the perpetual's mark; ticks."""
    mean: int
    """Mean of the prints of the settlement window, ticks."""
    seconds_left: int
    """Until expiry, at least 0; a perpetual never enters its window."""
    total_vols: tuple[int, int, int]
    """Total volatility in each of `DIRECTIONS`; zeros for linear."""


def expiry_fields(view: MarketView, day: int) -> ExpiryFields:
    """The reported fields of an expiry, or the best there is.

    Else the nearest earlier expiry's, else the first expiry's, else basis 0 and the default
    volatility at every node. Total; `day` of the result is the one asked for.
    """
    found: ExpiryFields | None = None
    for fields in view.snapshot.expiries:  # sorted by day
        if found is None or fields.day <= day:
            found = fields
    if found is None:
        return ExpiryFields(day, 0, (view.parameters.vol_default_ppm,) * NODES)
    return found._replace(day=day)


def _scaled(price: int, rate_ppm: int) -> int:
    """price · (1 + rate), rounded down, clamped to [0, PRICE_MAX]; rate signed, |.| < 2^24."""
    return clamp(mul_div_down(price, PPM + rate_ppm, PPM), 0, PRICE_MAX)


def perpetual_mark(view: MarketView) -> int:
    """index · (1 + premium), the premium clamped to the market's limit; ticks, rounded down."""
    limit = view.parameters.premium_max_ppm
    return _scaled(view.snapshot.index_price, clamp(view.snapshot.premium_ppm, -limit, limit))


def forward_price(view: MarketView, day: int) -> int:
    """index · (1 + basis of the expiry), ticks, rounded down."""
    return _scaled(view.snapshot.index_price, expiry_fields(view, day).basis_ppm)


def window_mean(view: MarketView) -> int:
    """Mean of the settlement window's prints; the index where none was ever reported."""
    return view.snapshot.mean or view.snapshot.index_price


def seconds_to_expiry(view: MarketView, day: int) -> int:
    """Seconds until 08:00 UTC of a day, 0 from then on."""
    return max(0, expiry_time(day) - view.time)


def _total_vols(
    view: MarketView, fields: ExpiryFields, forward: int, strike: int, seconds_left: int
) -> tuple[int, int, int]:
    """Total volatility of a strike with volatility down, as it is and up.

    Sticky strike: the smile is read once, at the forward before any move of spot.
    """
    risk = view.parameters.risk
    vol = smile_vol(fields.vols_ppm, forward, strike, seconds_left)
    root = root_time(seconds_left)
    down, flat, up = (
        total_volatility(
            shocked_vol(
                vol, shock, seconds_left, VOL_SHOCK_TERM_PPM, risk.vol_min_ppm, risk.vol_max_ppm
            ),
            root,
        )
        for shock in (-risk.vol_down_ppm, 0, risk.vol_up_ppm)
    )
    return down, flat, up


def terms_of(view: MarketView, instrument: Instrument) -> Terms:
    """The terms of an instrument; a strike is clamped to PRICE_MAX so that valuation is total."""
    kind, day = instrument.kind, instrument.expiry_day
    if kind == Kind.PERPETUAL:
        return Terms(kind, 0, perpetual_mark(view), 0, NEVER_S, (0, 0, 0))
    seconds_left = seconds_to_expiry(view, day)
    forward = forward_price(view, day)
    if is_linear(instrument):
        return Terms(kind, 0, forward, window_mean(view), seconds_left, (0, 0, 0))
    strike = min(instrument.strike * view.parameters.strike_tick, PRICE_MAX)
    vols = _total_vols(view, expiry_fields(view, day), forward, strike, seconds_left)
    return Terms(kind, strike, forward, window_mean(view), seconds_left, vols)


def moved_forward(terms: Terms, spot_ppm: int) -> int:
    """Expected settlement price (of a perpetual its mark) after a move of spot; ticks.

    Inside the last half hour only the part of the average still to come moves; after expiry,
    nothing does.
    """
    forward = _scaled(terms.forward, spot_ppm)
    return averaged_forward(terms.mean, forward, terms.seconds_left)


def moved_value(terms: Terms, spot_ppm: int, vol_direction: int) -> int:
    """Value of one lot after a move of spot and, with a direction, of volatility; ticks."""
    forward = moved_forward(terms, spot_ppm)
    if terms.kind <= Kind.FUTURE:
        return forward
    total_vol = terms.total_vols[vol_direction + 1]
    return option_value(forward, terms.strike, total_vol, terms.kind == Kind.CALL)


def _mark(view: MarketView, instrument: Instrument) -> int:
    """`mark`, computed."""
    return moved_value(terms_of(view, instrument), 0, 0)


@lru_cache(maxsize=64)
def _marks(view: MarketView) -> Callable[[Instrument], int]:
    """The marks of one view, each computed once: the view is hashed once a call, not deeper."""
    return lru_cache(maxsize=4_096)(partial(_mark, view))


def mark(view: MarketView, instrument: Instrument) -> int:
    """Mark in ticks, 0 to PRICE_MAX.

    Perpetual: index · (1 + clamped premium). Future: forward, in the last half hour the expected
    average. Option: Black-76 on that. From expiry until it is fixed: the mean of the window for a
    future, intrinsic on it for an option.
    """
    return _marks(view)(instrument)
