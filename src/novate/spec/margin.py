"""Maintenance and initial margin of a portfolio in one underlying.

    maintenance = worst loss over the scenarios + charges; initial = factor × the same

with no offset between underlyings. Each charge is one function here: its formula, its reason and
its source. All charges are at least 0 and homogeneous: twice the portfolio, twice the charge.

Units: quantities in lots, values of a lot in ticks, so products are micro-USDC. Rounded up where a
charge is divided. While |quantity| · index < 2^52 for each position and 2^58 for their sum, and
values of a lot stay below 16 · index, every sum here is below 2^62; a position whose index fell
since it was opened may pass that: limbs.

Sources: Deribit, "Portfolio Margin"; Derive, "Portfolio Margin Parameters" and its contracts'
documentation; docs/decisions/0003-margin-between-nodes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from operator import mul
from typing import NamedTuple

from novate.spec.between_nodes_table import SAG_SHARE, SAG_TAIL, STEP_BITS
from novate.spec.instruments import Kind, decode, is_option
from novate.spec.marks import MarketView, Terms, moved_forward, moved_value, terms_of
from novate.spec.parameters import MarketParameters
from novate.spec.pricing import VOL_BITS
from novate.spec.risk_parameters import (
    RiskParameters,
    Scenario,
    lowest_spot_ppm,
    spot_spacing_ppm,
)
from novate.spec.rounding import div_down, div_up, mul_div_up, ppm_up

HOUR_S = 3_600


class Holding(NamedTuple):
    """One position of a portfolio."""

    instrument: int
    """Instrument id; all of one portfolio have the same underlying."""
    quantity: int
    """Lots, signed."""
    settlement: int | None
    """Settlement value of a lot if the instrument is settled, else None."""


class Margin(NamedTuple):
    """Value and margins of a portfolio in one underlying, micro-USDC."""

    value: int
    """Sum of quantity · mark (or settlement value), signed."""
    maintenance: int
    """At least 0."""
    initial: int
    """At least maintenance where the initial concentration rate is at least the other one."""


class RiskArray(NamedTuple):
    """What margin needs of one lot of one instrument at one view; ticks."""

    base: int
    """The mark."""
    changes: tuple[int, ...]
    """Value in each scenario minus the mark, signed, unweighted."""
    expiry_day: int
    """0: perpetual."""
    is_option: bool
    basis: int
    """Value with the forward up by the basis shock minus value with it down; signed."""
    vega: int
    """Value with volatility up minus the mark, signed."""
    highest: int
    """The highest of the values with volatility down, as it is and up."""
    spacing: int
    """The widest move of the forward between neighbouring scenarios; 0: nothing moves it."""
    sag: int
    """How far a long lot can sag under the line between neighbours; 0 for linear."""
    worst_long: int
    """Worst weighted loss of a long lot, at least 0."""
    worst_short: int
    """Worst weighted loss of a short lot, at least 0."""


class Line(NamedTuple):
    """A live position: its lots and the risk of one of them."""

    quantity: int
    array: RiskArray


# One lot.


def weighted_loss(change: int, scenario: Scenario) -> int:
    """Loss in one scenario as it counts: weight · max(0, −change), rounded up."""
    return ppm_up(-change, scenario.weight_ppm) if change < 0 else 0


def sag_share(deviation: int) -> int:
    """Largest sag under the line between two scenarios over their spacing; 2^-24, rounded up.

    deviation: standard deviation of the forward over the spacing, 2^-24, in [0, 2^56]. Straight
    lines between the table's entries, from u = 2 on φ(0)/(8u). Products < 2^48.
    """
    step = VOL_BITS - STEP_BITS
    row = deviation >> step
    if row >= len(SAG_SHARE) - 1:
        return div_up(SAG_TAIL << VOL_BITS, deviation)
    fall = (SAG_SHARE[row] - SAG_SHARE[row + 1]) * (deviation - (row << step))
    return SAG_SHARE[row] - (fall >> step)


def spacing_of(terms: Terms, risk: RiskParameters) -> int:
    """The widest move of an instrument's forward between neighbouring undamped scenarios, ticks.

    A move is proportional to the spot move, so the widest one is h · forward, of which only the
    part of the settlement average still to come moves; one tick more for rounding.
    """
    moved = moved_forward(terms, spot_spacing_ppm(risk)) - moved_forward(terms, 0)
    return moved + 1 if terms.seconds_left else 0


def sag_of(terms: Terms, risk: RiskParameters, spacing: int) -> int:
    """How far a long option lot can sag under the line between neighbouring scenarios, ticks.

    The value is convex in the forward f with second derivative (density of a normal d1)/(f · w),
    so the sag is the mean of a tent over a lognormal; a normal of the deviation at the lowest
    scenario, centred on the tent, is the worst (derivation: docs/decisions/0003). Volatility down
    sags most. Two ticks more for the rounding of the values compared. Products < 2^56.
    """
    if terms.kind <= Kind.FUTURE or spacing == 0:
        return 0
    lowest = moved_forward(terms, lowest_spot_ppm(risk))
    deviation = div_down(terms.total_vols[0] * lowest, spacing)
    return mul_div_up(spacing, sag_share(deviation), 1 << VOL_BITS) + 2


def _risk_array(view: MarketView, identifier: int) -> RiskArray:
    """`risk_array` by instrument id, computed."""
    risk = view.parameters.risk
    instrument = decode(identifier)
    terms = terms_of(view, instrument)
    down, base, up = (moved_value(terms, 0, direction) for direction in (-1, 0, 1))
    shock = risk.basis_shock_ppm
    changes = tuple(
        moved_value(terms, scenario.spot_ppm, scenario.vol_direction) - base
        for scenario in risk.scenarios
    )
    losses = tuple(map(weighted_loss, changes, risk.scenarios))
    gains = tuple(
        weighted_loss(-change, scenario)
        for change, scenario in zip(changes, risk.scenarios, strict=True)
    )
    spacing = spacing_of(terms, risk)
    return RiskArray(
        base=base,
        changes=changes,
        expiry_day=instrument.expiry_day,
        is_option=is_option(instrument),
        basis=moved_value(terms, shock, 0) - moved_value(terms, -shock, 0),
        vega=up - base,
        highest=max(down, base, up),
        spacing=spacing,
        sag=sag_of(terms, risk, spacing),
        worst_long=max(losses, default=0),
        worst_short=max(gains, default=0),
    )


@lru_cache(maxsize=64)
def _risk_arrays(view: MarketView) -> Callable[[int], RiskArray]:
    """The risk arrays of one view by id, each computed once."""
    return lru_cache(maxsize=4_096)(partial(_risk_array, view))


def risk_array(view: MarketView, identifier: int) -> RiskArray:
    """Everything margin needs of one lot of an instrument; a pure function, remembered by view."""
    return _risk_arrays(view)(identifier)


def worst_loss(view: MarketView, identifier: int, quantity: int) -> int:
    """Worst weighted scenario loss of one position by itself, micro-USDC, at least 0."""
    array = risk_array(view, identifier)
    return quantity * array.worst_long if quantity >= 0 else -quantity * array.worst_short


# A portfolio.


def grid_loss(risk: RiskParameters, lines: Sequence[Line]) -> int:
    """Worst weighted loss over the scenarios, at least 0.

    max over s of weight_s · max(0, −Σ q·change_s). Only losses are weighted, and a scenario's gain
    is used nowhere. Source: Deribit's risk matrix with its dampened extended table.
    """
    if not lines:
        return 0
    quantities = [line.quantity for line in lines]
    columns = zip(*(line.array.changes for line in lines), strict=True)
    profits = (sum(map(mul, quantities, column)) for column in columns)
    return max(map(weighted_loss, profits, risk.scenarios), default=0)


def short_option_minimum(risk: RiskParameters, index: int, lines: Iterable[Line]) -> int:
    """rate · index · Σ of the short lots of every option: strike by strike, expiry by expiry.

    A call is not set against a put, nor one strike against another: a far option that is worthless
    in every scenario may still have to be bought back. Source: Deribit charges 0.01 BTC for every
    net short option of a strike; Derive's option contingency.
    """
    lots = sum(-quantity for quantity, array in lines if quantity < 0 and array.is_option)
    return ppm_up(lots * index, risk.short_option_minimum_ppm)


def _offset(exposures: dict[int, int]) -> int:
    """(Σ|x| − |Σ x|) / 2: the part of the exposures that is set against each other; exact."""
    long = sum(x for x in exposures.values() if x > 0)
    return min(long, long - sum(exposures.values()))


def cross_expiry_basis(lines: Iterable[Line]) -> int:
    """(Σ|x_e| − |Σ x_e|)/2, x_e the profit of expiry e when its forward alone rises by the shock.

    The scenarios move all forwards together, so a long of one expiry covers a short of another
    wholly; bases do not move together. x_e is half the difference between the shock up and down;
    the perpetual is an expiry of its own. Source: Deribit, 1 % of offsetting futures; Derive's
    forward contingency.
    """
    doubled: dict[int, int] = {}
    for quantity, array in lines:
        day = array.expiry_day
        doubled[day] = doubled.get(day, 0) + quantity * array.basis
    return div_up(_offset(doubled), 2)


def cross_expiry_vega(risk: RiskParameters, lines: Iterable[Line]) -> int:
    """rate · (Σ|x_e| − |Σ x_e|)/2, x_e the profit of expiry e in the rise of its volatility.

    The scenarios shock all expiries together, so long vega of one expiry covers short vega of
    another; term structures twist. Source: Deribit, contingency for offsetting vega in different
    expirations.
    """
    exposures: dict[int, int] = {}
    for quantity, array in lines:
        day = array.expiry_day
        exposures[day] = exposures.get(day, 0) + quantity * array.vega
    return ppm_up(_offset(exposures), risk.vega_offset_ppm)


def between_nodes(lines: Iterable[Line]) -> int:
    """Σ over expiries of min(sag_e, V_e + reach_e): what scenarios miss between their spot moves.

    Between two neighbouring scenarios short options and linears lose no more than at the worse
    end; long options can sag below the line between the ends by sag_e = Σ long lots · sag. Or, from
    the end nearer to the present spot on, the long options of the expiry lose at most their value
    V_e (at the highest of the three volatilities) while everything else moves by at most
    reach_e = short option lots, net linears of the whole underlying and long options of the other
    expiries, each times the spacing. Derivation: docs/decisions/0003-margin-between-nodes.md.
    """
    linear = short = long = 0
    by_expiry: dict[int, tuple[int, int, int]] = {}
    for quantity, array in lines:
        reach = quantity * array.spacing
        if not array.is_option:
            linear += reach
        elif quantity < 0:
            short -= reach
        else:
            long += reach
            sag, value, own = by_expiry.get(array.expiry_day, (0, 0, 0))
            by_expiry[array.expiry_day] = (
                sag + quantity * array.sag,
                value + quantity * array.highest,
                own + reach,
            )
    elsewhere = short + abs(linear) + long
    return sum(min(sag, value + elsewhere - own) for sag, value, own in by_expiry.values())


def concentration(lines: Iterable[Line], rate_ppm: int) -> int:
    """rate · Σ |q| · worst loss of a lot on its side.

    A crowded market cannot be closed at the mark. The rate is the market's, from its open interest,
    and the sum is over single positions, so splitting an account changes nothing. Reason: Derive
    and Deribit scale by account size, which sub-accounts evade.
    """
    if rate_ppm == 0:  # the usual case
        return 0
    exposure = sum(
        quantity * array.worst_long if quantity >= 0 else -quantity * array.worst_short
        for quantity, array in lines
    )
    return ppm_up(exposure, rate_ppm)


def _requirements(view: MarketView, lines: Sequence[Line]) -> tuple[int, int]:
    """(maintenance, initial) of live positions before the cap on long options."""
    if not lines:
        return 0, 0
    risk = view.parameters.risk
    common = (
        grid_loss(risk, lines)
        + short_option_minimum(risk, view.snapshot.index_price, lines)
        + cross_expiry_basis(lines)
        + cross_expiry_vega(risk, lines)
        + between_nodes(lines)
    )
    maintenance = common + concentration(lines, view.concentration_maintenance_ppm)
    undiminished = common + concentration(lines, view.concentration_initial_ppm)
    return maintenance, ppm_up(undiminished, risk.initial_factor_ppm)


def _portfolio_margin(view: MarketView, holdings: tuple[Holding, ...]) -> Margin:
    """`portfolio_margin`, computed."""
    value = 0
    lines: list[Line] = []
    for identifier, quantity, settlement in holdings:
        if settlement is not None:
            value += quantity * settlement
            continue
        array = risk_array(view, identifier)
        value += quantity * array.base
        if array.spacing:
            lines.append(Line(quantity, array))
    maintenance, initial = _requirements(view, lines)
    long = sum(q * array.base for q, array in lines if q > 0 and array.is_option)
    if long < max(maintenance, initial) and any(q > 0 and array.is_option for q, array in lines):
        rest = [line for line in lines if line.quantity < 0 or not line.array.is_option]
        rest_maintenance, rest_initial = _requirements(view, rest)
        maintenance = min(maintenance, long + rest_maintenance)
        initial = min(initial, long + rest_initial)
    return Margin(value, maintenance, initial)


@lru_cache(maxsize=64)
def _portfolio_margins(view: MarketView) -> Callable[[tuple[Holding, ...]], Margin]:
    """The margins of one view by holdings, each computed once: most accounts stay as they are."""
    return lru_cache(maxsize=4_096)(partial(_portfolio_margin, view))


def portfolio_margin(view: MarketView, holdings: Sequence[Holding]) -> Margin:
    """Value, maintenance and initial margin of holdings in one underlying.

    Settled holdings and expired ones have value and no risk. Neither margin exceeds the value of
    the long options plus what the rest would need alone: a bought option cannot lose more than it
    is worth, so a paid-for long-only portfolio is never liquidated. A pure function, remembered.
    """
    return _portfolio_margins(view)(tuple(holdings))


# The concentration rate.


def concentration_rate(parameters: MarketParameters, open_interest_lots: int, index: int) -> int:
    """The market's rate, ppm: slope for each free amount of notional above the first, to the cap.

    open_interest_lots: of all instruments of the underlying together, at least 0. Rounded up.
    """
    risk = parameters.risk
    excess = max(0, open_interest_lots * index - risk.concentration_free)
    rise = mul_div_up(risk.concentration_slope_ppm, excess, risk.concentration_free)
    return min(risk.concentration_cap_ppm, rise)


def ramp(rate_before: int, rate_now: int, dt: int, parameters: MarketParameters) -> int:
    """The rate in maintenance margin after dt seconds: the market's, with a limited rise.

    It falls at once; it rises by at most the parameter an hour, rounded down, so that somebody who
    trades with himself to raise open interest cannot have others liquidated by it.
    """
    rise = div_down(parameters.risk.concentration_ramp_ppm_h * dt, HOUR_S)
    return min(rate_now, rate_before + rise)
