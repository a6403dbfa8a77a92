"""The typed door to the compiled risk engine: the law's prices and margins, many at a time.

Takes and gives the specification's types. Results are those of `novate.spec.pricing`, `smile`,
`marks` and `margin`, bit by bit; arguments outside the law's bounds are a ValueError that names the
field, the value and the limit. Work is done without holding the interpreter.

`market_risk(view)` is one market at one moment, with what it computes remembered; `portfolios_of`
keeps the margins of many holders up to date while single positions change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from novate.native._native import Portfolios, RiskView, option_values, smile_is_admissible
from novate.spec.instruments import Kind
from novate.spec.margin import Holding, Margin, RiskArray
from novate.spec.marks import MarketView, Terms
from novate.spec.risk_parameters import RiskParameters
from novate.spec.smile import NODES

__all__ = [
    "MarketRisk",
    "Portfolios",
    "RiskView",
    "market_risk",
    "option_values",
    "portfolios_of",
    "smile_is_admissible",
]

Signed: TypeAlias = NDArray[np.int64]
Ids: TypeAlias = NDArray[np.uint64]
Row = TypeVar("Row")


@dataclass(frozen=True)
class MarketRisk:
    """One market at one moment; equal to the functions of the specification at the same view."""

    view: RiskView

    def marks(self, ids: Sequence[int]) -> list[int]:
        """Marks of instruments by id, ticks."""
        marks: list[int] = self.view.marks(ids_array(ids)).tolist()
        return marks

    def terms(self, ids: Sequence[int]) -> list[Terms]:
        """Terms of instruments by id."""
        return [
            Terms(Kind(kind), strike, forward, mean, left, (down, flat, up))
            for kind, strike, forward, mean, left, down, flat, up in self.view.terms(
                ids_array(ids)
            ).tolist()
        ]

    def risk_arrays(self, ids: Sequence[int]) -> list[RiskArray]:
        """Risk arrays of instruments by id."""
        rows, changes = self.view.risk_arrays(ids_array(ids))
        return [
            RiskArray(
                base=base,
                changes=tuple(change),
                expiry_day=day,
                is_option=bool(is_option),
                basis=basis,
                vega=vega,
                highest=highest,
                spacing=spacing,
                sag=sag,
                worst_long=long,
                worst_short=short,
            )
            for (
                (base, day, is_option, basis, vega, highest, spacing, sag, long, short),
                change,
            ) in zip(rows.tolist(), changes.tolist(), strict=True)
        ]

    def margins(self, portfolios: Sequence[Sequence[Holding]]) -> list[Margin]:
        """Margin of each portfolio, from scratch."""
        holdings = [holding for portfolio in portfolios for holding in portfolio]
        margins = self.view.margins(
            ids_array([holding.instrument for holding in holdings]),
            signed_array("quantity", [holding.quantity for holding in holdings]),
            np.array([holding.settlement is not None for holding in holdings], dtype=np.bool_),
            signed_array("settlement", [holding.settlement or 0 for holding in holdings]),
            offsets_of(portfolios),
        )
        return [Margin(*margin) for margin in margins]


def market_risk(view: MarketView) -> MarketRisk:
    """The compiled counterpart of a view; ValueError where a field is outside the law's bounds."""
    parameters, snapshot = view.parameters, view.snapshot
    for expiry in snapshot.expiries:
        if len(expiry.vols_ppm) != NODES:
            raise ValueError(f"expiry {expiry.day} has {len(expiry.vols_ppm)} vols, not {NODES}")
    market = [parameters.strike_tick, parameters.premium_max_ppm, parameters.vol_default_ppm]
    moment = [view.time, snapshot.index_price, snapshot.premium_ppm, snapshot.mean]
    moment += [view.concentration_maintenance_ppm, view.concentration_initial_ppm]
    scenarios = [number for scenario in parameters.risk.scenarios for number in scenario]
    expiries = [
        number
        for expiry in snapshot.expiries
        for number in (expiry.day, expiry.basis_ppm, *expiry.vols_ppm)
    ]
    return MarketRisk(
        RiskView(
            signed_array("market", market),
            signed_array("risk", risk_scalars(parameters.risk)),
            signed_array("scenarios", scenarios).reshape(-1, 3),
            signed_array("moment", moment),
            signed_array("expiries", expiries).reshape(-1, 2 + NODES),
        )
    )


def portfolios_of(market: MarketRisk, positions: Sequence[Mapping[int, int]]) -> Portfolios:
    """Portfolios of {instrument id: lots}, valued at a market."""
    ids = [identifier for held in positions for identifier in held]
    lots = [quantity for held in positions for quantity in held.values()]
    quantities = signed_array("quantity", lots)
    return Portfolios(market.view, ids_array(ids), quantities, offsets_of(positions))


def risk_scalars(risk: RiskParameters) -> list[int]:
    """Every parameter but the scenarios, in the order of the fields."""
    return [
        risk.vol_up_ppm,
        risk.vol_down_ppm,
        risk.vol_min_ppm,
        risk.vol_max_ppm,
        risk.initial_factor_ppm,
        risk.short_option_minimum_ppm,
        risk.basis_shock_ppm,
        risk.vega_offset_ppm,
        risk.concentration_free,
        risk.concentration_slope_ppm,
        risk.concentration_cap_ppm,
        risk.concentration_ramp_ppm_h,
    ]


def ids_array(ids: Sequence[int]) -> Ids:
    """Ids as an array; ValueError where one is negative or too large for a word."""
    try:
        return np.array(ids, dtype=np.uint64)
    except OverflowError:
        raise out_of_width("id", ids, np.iinfo(np.uint64)) from None


def signed_array(field: str, values: Sequence[int]) -> Signed:
    """Numbers as an array; ValueError where one does not fit 64 signed bits."""
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        raise out_of_width(field, values, np.iinfo(np.int64)) from None


def out_of_width(field: str, values: Sequence[int], limits: np.iinfo) -> ValueError:
    """An error naming the first value that is out of its type's limits."""
    place = next(i for i, value in enumerate(values) if not limits.min <= value <= limits.max)
    return ValueError(f"{field}[{place}] = {values[place]} is not in [{limits.min}, {limits.max}]")


def offsets_of(rows: Sequence[Sequence[Row] | Mapping[int, int]]) -> Ids:
    """Where each row starts when they lie end to end, and where the last one ends."""
    return np.array(list(accumulate(map(len, rows), initial=0)), dtype=np.uint64)
