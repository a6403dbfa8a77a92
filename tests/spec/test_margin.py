"""Margin: an independent float oracle, the brief's two squeezes, promises of every charge."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec import margin
from novate.spec.bounds import QUANTITY_MAX
from novate.spec.instruments import Instrument, Kind, encode, expiry_time
from novate.spec.margin import (
    Holding,
    Line,
    between_nodes,
    concentration,
    concentration_rate,
    cross_expiry_basis,
    cross_expiry_vega,
    grid_loss,
    portfolio_margin,
    ramp,
    risk_array,
    sag_share,
    short_option_minimum,
    worst_loss,
)
from novate.spec.marks import MarketView, moved_value, terms_of
from novate.spec.pricing import VOL_BITS
from novate.spec.risk_parameters import (
    MINIMAL_RISK,
    RiskParameters,
    Scenario,
    undamped_spots,
)
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, Snapshot
from tests.native.risk_markets import DAY_S, DEFAULT, INDEX, PARAMETERS, PERPETUAL
from tools import render_between_nodes, search_between_nodes

DAY = 2_500
# Days after DAY with basis and volatility; the reference below needs a table point of the shock
# term structure, so each is a power of two of days away from NOW.
NOW = expiry_time(DAY) - DAY_S
MARKET = {DAY: (0, 0.9), DAY + 1: (1_000, 0.8), DAY + 7: (4_000, 0.6), DAY + 63: (20_000, 0.5)}


def market_view(
    risk: RiskParameters = DEFAULT,
    now: int = NOW,
    market: dict[int, tuple[int, float]] = MARKET,
    rates: tuple[int, int] = (0, 0),
) -> MarketView:
    """A market with one volatility an expiry."""
    expiries = tuple(
        ExpiryFields(day, basis, (round(vol * 1e6),) * NODES)
        for day, (basis, vol) in market.items()
    )
    snapshot = Snapshot(now, INDEX, 500, INDEX, expiries)
    return MarketView(replace(PARAMETERS, risk=risk), snapshot, now, *rates)


def option(day: int, kind: Kind, strike_usdc: int) -> int:
    """Id of an option struck at whole USDC."""
    return encode(Instrument(0, day, kind, strike_usdc))


def future(day: int) -> int:
    """Id of a future."""
    return encode(Instrument(0, day, Kind.FUTURE, 0))


def held(positions: dict[int, int]) -> list[Holding]:
    """Unsettled holdings of the positions that are not zero."""
    return [Holding(i, q, None) for i, q in sorted(positions.items()) if q]


def lines_of(view: MarketView, positions: dict[int, int]) -> list[Line]:
    """The same with their risk arrays."""
    return [Line(q, risk_array(view, i)) for i, q in positions.items() if q]


MENU = [
    PERPETUAL,
    *(future(day) for day in (DAY, DAY + 63)),
    *(
        option(day, kind, strike)
        for day, strikes in (
            (DAY, (94_000, 100_000, 106_000)),
            (DAY + 7, (80_000, 98_000, 130_000)),
            (DAY + 63, (50_000, 110_000)),
        )
        for kind in (Kind.CALL, Kind.PUT)
        for strike in strikes
    ),
]
PORTFOLIOS = st.dictionaries(
    st.sampled_from(MENU), st.integers(-5_000, 5_000).filter(bool), min_size=1, max_size=8
)
RISKS = st.sampled_from((DEFAULT, MINIMAL_RISK))


# An oracle that shares no code with the law: QuantLib prices, floats, the formulas as written.


class Oracle:
    """Margin of a portfolio in floats."""

    def __init__(self, risk: RiskParameters, rates: tuple[int, int]) -> None:
        self.risk = risk
        self.rates = rates
        spots = sorted({s.spot_ppm for s in risk.scenarios if s.weight_ppm == 1_000_000})
        self.spacing = max(b - a for a, b in pairwise(spots)) / 1e6
        self.lowest = spots[0] / 1e6

    def forward(self, identifier: int, move: float) -> float:
        """Forward or perpetual mark after a move."""
        day = identifier >> 26 & 0xFFFF
        basis = MARKET[day][0] if day else 500
        return INDEX * (1 + basis / 1e6) * (1 + move)

    def total_vol(self, identifier: int, direction: int) -> float:
        """σ√T with the shock (30 days / T)^0.30 below 30 days, ^0.13 above."""
        day = identifier >> 26 & 0xFFFF
        days = day - DAY + 1
        term = (30 / days) ** (0.30 if days <= 30 else 0.13)
        shock = {-1: -self.risk.vol_down_ppm, 0: 0, 1: self.risk.vol_up_ppm}[direction] / 1e6
        vol = min(max(MARKET[day][1] * (1 + shock * term), self.risk.vol_min_ppm / 1e6), 5.0)
        return float(vol * np.sqrt((days * DAY_S - 1_200) / 31_536_000))

    def value(self, identifier: int, move: float, direction: int) -> float:
        """Value of a lot."""
        kind, strike = identifier >> 24 & 3, (identifier & 0xFFFFFF) * 100.0
        forward = self.forward(identifier, move)
        if kind < 2:
            return forward
        side = ql.Option.Call if kind == 2 else ql.Option.Put
        return float(ql.blackFormula(side, strike, forward, self.total_vol(identifier, direction)))

    def profit(self, identifier: int, scenario: Scenario) -> float:
        """Change of a lot's value in a scenario."""
        moved = self.value(identifier, scenario.spot_ppm / 1e6, scenario.vol_direction)
        return moved - self.value(identifier, 0, 0)

    def sag(self, identifier: int) -> float:
        """The charge of a long option lot, its integral by quadrature."""
        spacing = self.spacing * self.forward(identifier, 0)
        u = self.total_vol(identifier, -1) * self.forward(identifier, self.lowest) / spacing
        return spacing * share_by_quadrature(u)

    def requirement(self, positions: dict[int, int], rate_ppm: int) -> float:
        """Grid loss and every charge."""
        grid, crowd = 0.0, 0.0
        for s in self.risk.scenarios:
            total = sum(q * self.profit(i, s) for i, q in positions.items())
            grid = max(grid, -total * s.weight_ppm / 1e6)
        basis: defaultdict[int, float] = defaultdict(float)
        vega: defaultdict[int, float] = defaultdict(float)
        shock = self.risk.basis_shock_ppm / 1e6
        for i, q in positions.items():
            day = i >> 26 & 0xFFFF
            basis[day] += q * (self.value(i, shock, 0) - self.value(i, -shock, 0)) / 2
            vega[day] += q * (self.value(i, 0, 1) - self.value(i, 0, 0)) if i >> 24 & 3 > 1 else 0
            crowd += max(-q * self.profit(i, s) * s.weight_ppm / 1e6 for s in self.risk.scenarios)
        short = -sum(q for i, q in positions.items() if q < 0 and i >> 24 & 3 > 1)
        return (
            grid
            + short * INDEX * self.risk.short_option_minimum_ppm / 1e6
            + offset_of(basis)
            + offset_of(vega) * self.risk.vega_offset_ppm / 1e6
            + self.between(positions)
            + crowd * rate_ppm / 1e6
        )

    def between(self, positions: dict[int, int]) -> float:
        """Σ min(sag, value + reach of everything else)."""
        reach = {i: q * self.spacing * self.forward(i, 0) for i, q in positions.items()}
        linear = abs(sum(reach[i] for i in positions if i >> 24 & 3 < 2))
        shorts = sum(-reach[i] for i, q in positions.items() if q < 0 and i >> 24 & 3 > 1)
        longs = [i for i, q in positions.items() if q > 0 and i >> 24 & 3 > 1]
        total = 0.0
        for day in {i >> 26 for i in longs}:
            own = [i for i in longs if i >> 26 == day]
            sag = sum(positions[i] * self.sag(i) for i in own)
            value = sum(positions[i] * max(self.value(i, 0, d) for d in (-1, 0, 1)) for i in own)
            others = sum(reach[i] for i in longs if i >> 26 != day)
            total += min(sag, value + linear + shorts + others)
        return total

    def margin(self, positions: dict[int, int]) -> tuple[float, float, float]:
        """(value, maintenance, initial), capped by the long options' value plus the rest."""
        long = {i: q for i, q in positions.items() if q > 0 and i >> 24 & 3 > 1}
        rest = {i: q for i, q in positions.items() if i not in long}
        paid = sum(q * self.value(i, 0, 0) for i, q in long.items())
        value = sum(q * self.value(i, 0, 0) for i, q in positions.items())
        maintenance, initial = (
            min(
                factor * self.requirement(positions, rate),
                paid + factor * self.requirement(rest, rate),
            )
            for factor, rate in zip(
                (1, self.risk.initial_factor_ppm / 1e6), self.rates, strict=True
            )
        )
        return value, maintenance, initial


def offset_of(exposures: dict[int, float]) -> float:
    """(Σ|x| − |Σ x|) / 2."""
    return (sum(map(abs, exposures.values())) - abs(sum(exposures.values()))) / 2


def share_by_quadrature(u: float) -> float:
    """E[max(0, 1 − 2u|Z|)] / 4 by the trapezoid rule."""
    end = min(9.0, 1 / (2 * u)) if u > 0 else 9.0
    z = np.linspace(0, end, 20_001)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(2 * weight * np.maximum(0, 1 - 2 * u * z), z)) / 4


@settings(max_examples=60)
@given(PORTFOLIOS, RISKS)
def test_margin_agrees_with_the_float_oracle(
    positions: dict[int, int], risk: RiskParameters
) -> None:
    rates = (30_000, 80_000)
    got = portfolio_margin(market_view(risk, rates=rates), held(positions))
    value, maintenance, initial = Oracle(risk, rates).margin(positions)
    lots = sum(map(abs, positions.values()))
    # A tick or two a lot for rounded values, forwards and shocked volatilities (1 ppm of a
    # volatility is worth up to 2 ticks here), three for sag and spacing; chords of the sag table
    # lie up to 0.2 % above it.
    slack = 8 * lots + 50
    assert abs(got.value - value) <= 2 * lots
    assert -slack <= got.maintenance - maintenance <= slack + 0.002 * maintenance
    assert -slack <= got.initial - initial <= 1.3 * slack + 0.002 * initial


# The squeezes of the brief: one volatility, so that the figures can be checked by hand.


def still(risk: RiskParameters) -> RiskParameters:
    """The same scenarios with volatility that never moves, and no other charge."""
    return replace(
        risk,
        vol_up_ppm=0,
        vol_down_ppm=0,
        vol_min_ppm=1_000,
        short_option_minimum_ppm=0,
        basis_shock_ppm=0,
        vega_offset_ppm=0,
    )


def true_loss(view: MarketView, positions: dict[int, int]) -> int:
    """The worst loss at any spot inside the undamped grid, in steps of 0.01 %."""
    spots = undamped_spots(view.parameters.risk, 1)
    terms = [(q, terms_of(view, decode_id(i))) for i, q in positions.items()]
    base = sum(q * moved_value(t, 0, 0) for q, t in terms)
    return max(
        base - sum(q * moved_value(t, move, 0) for q, t in terms)
        for move in range(spots[0], spots[-1] + 1, 100)
    )


def decode_id(identifier: int) -> Instrument:
    """Fields of an id, read by hand."""
    kind = Kind(identifier >> 24 & 3)
    return Instrument(identifier >> 42, identifier >> 26 & 0xFFFF, kind, identifier & 0xFFFFFF)


def test_a_squeeze_of_one_perpetual_against_two_calls_is_covered() -> None:
    # One hour to expiry; 36.7 % over the 2,400 s of variance left.
    now = expiry_time(DAY) - 3_600
    view = market_view(still(DEFAULT), now, {DAY: (0, 0.367)})
    view = view._replace(snapshot=view.snapshot._replace(premium_ppm=0))
    positions = {PERPETUAL: -1, option(DAY, Kind.CALL, 102_000): 2}
    assert grid_loss(view.parameters.risk, lines_of(view, positions)) == 0
    loss = true_loss(view, positions)
    assert abs(loss - 173_900) < 100  # 1,739 USDC
    assert loss <= portfolio_margin(view, held(positions)).maintenance <= 200_010


def test_a_squeeze_of_deep_puts_against_calls_of_another_expiry_is_covered() -> None:
    # Two-hour puts as a short linear, calls 26 hours away at 1.68 %: nearly a kink.
    now = expiry_time(DAY) - 7_200
    view = market_view(still(DEFAULT), now, {DAY: (0, 0.0168), DAY + 1: (0, 0.0168)})
    positions = {option(DAY, Kind.PUT, 130_000): 10, option(DAY + 1, Kind.CALL, 107_900): 400}
    grid = grid_loss(view.parameters.risk, lines_of(view, positions))
    assert abs(grid - 4_000_000) < 100  # 40,000 USDC
    loss = true_loss(view, positions)
    assert abs(loss - 7_670_700) < 1_000  # 76,707 USDC
    margin = portfolio_margin(view, held(positions)).maintenance
    assert loss <= margin <= grid + 5_010_000


def test_the_search_finds_no_portfolio_that_loses_more_than_its_margin() -> None:
    state = search_between_nodes.search(search_between_nodes.load_fresh(seed=7), count=6_000)
    assert state["violations"] == 0
    # The search has teeth: it finds losses of more than 0.5 % of notional that the grid misses,
    # and charges used up almost wholly.
    assert state["missed_by_grid"]["measure"] > 5_000
    assert 0.9 < state["closest"]["measure"] <= 1


def test_the_search_finds_the_hole_in_a_weaker_charge(monkeypatch: pytest.MonkeyPatch) -> None:
    # margins are remembered by view: neither may the search see older ones, nor others its own
    margin._portfolio_margins.cache_clear()
    monkeypatch.setattr(
        "novate.spec.margin.between_nodes", lambda lines: between_nodes(lines) * 97 // 100
    )
    state = search_between_nodes.search(search_between_nodes.load_fresh(seed=7), count=3_000)
    margin._portfolio_margins.cache_clear()
    assert state["violations"] > 0


# Between nodes.


def test_sag_share_is_never_below_the_integral_and_hardly_above() -> None:
    for u in [0.0, 0.001, *np.linspace(0.01, 3.0, 300), 10.0, 300.0]:
        exact = share_by_quadrature(float(u))
        got = sag_share(int(u * 2**VOL_BITS)) / 2**VOL_BITS
        assert exact - 1e-9 <= got <= exact * 1.006 + 1e-6


@settings(max_examples=80)
@given(
    st.integers(60, 365 * DAY_S),
    st.floats(0.02, 3.0),
    st.integers(84_000, 116_000),
    st.sampled_from((Kind.CALL, Kind.PUT)),
    RISKS,
)
def test_no_option_sags_by_more_than_its_charge(
    seconds_left: int, vol: float, strike: int, kind: Kind, risk: RiskParameters
) -> None:
    view = market_view(risk, expiry_time(DAY) - seconds_left, {DAY: (0, vol)})
    identifier = option(DAY, kind, strike)
    terms, array = terms_of(view, decode_id(identifier)), risk_array(view, identifier)
    for direction in (-1, 1):
        for left, right in pairwise(undamped_spots(risk, direction)):
            ends = [moved_value(terms, spot, direction) for spot in (left, right)]
            for k in range(1, 12):
                spot = left + (right - left) * k // 12
                line = ends[0] + (ends[1] - ends[0]) * (spot - left) / (right - left)
                assert line - moved_value(terms, spot, direction) <= array.sag


def test_the_table_is_as_rendered() -> None:
    assert render_between_nodes.main(["--check"]) == 0


# What every margin promises.


@settings(max_examples=100)
@given(PORTFOLIOS, RISKS)
def test_margins_are_ordered_and_grow_with_the_portfolio(
    positions: dict[int, int], risk: RiskParameters
) -> None:
    view = market_view(risk, rates=(10_000, 20_000))
    once = portfolio_margin(view, held(positions))
    assert 0 <= once.maintenance <= once.initial
    thrice = portfolio_margin(view, held({i: 3 * q for i, q in positions.items()}))
    assert thrice.value == 3 * once.value
    assert 0 <= 3 * once.maintenance - thrice.maintenance <= 30
    assert 0 <= 3 * once.initial - thrice.initial <= 60


@settings(max_examples=100)
@given(PORTFOLIOS, RISKS)
def test_long_options_never_need_more_than_their_value(
    positions: dict[int, int], risk: RiskParameters
) -> None:
    view = market_view(risk, rates=(500_000, 500_000))
    long = {i: abs(q) for i, q in positions.items() if i >> 24 & 3 > 1}
    margin = portfolio_margin(view, held(long))
    assert margin.maintenance <= margin.initial <= margin.value


@settings(max_examples=100)
@given(PORTFOLIOS, PORTFOLIOS, RISKS)
def test_two_accounts_need_no_less_than_one_but_for_the_charges_on_offsets(
    first: dict[int, int], second: dict[int, int], risk: RiskParameters
) -> None:
    """Grid, short minimum and concentration are subadditive, so splitting saves nothing of them.

    Basis, vega and between nodes price hedges that one account holds and two do not: each of the
    two then carries its unhedged side in full in its own grid.
    """
    view = market_view(risk, rates=(40_000, 40_000))
    both = {i: first.get(i, 0) + second.get(i, 0) for i in {**first, **second}}
    parts = [lines_of(view, positions) for positions in (first, second, both)]
    grids = [grid_loss(risk, part) for part in parts]
    assert grids[2] <= grids[0] + grids[1] + 1
    minima = [short_option_minimum(risk, INDEX, part) for part in parts]
    assert minima[2] <= minima[0] + minima[1]
    crowds = [concentration(part, 40_000) for part in parts]
    assert crowds[2] <= crowds[0] + crowds[1]
    # The whole margin, of a market that is not crowded (the cap on long options leaves their
    # concentration out):
    calm = market_view(risk)
    needs = [portfolio_margin(calm, held(p)).maintenance for p in (first, second, both)]
    offsets = (
        cross_expiry_basis(parts[2]) + cross_expiry_vega(risk, parts[2]) + between_nodes(parts[2])
    )
    assert needs[2] <= needs[0] + needs[1] + offsets + 1


@settings(max_examples=60)
@given(PORTFOLIOS, RISKS)
def test_halving_every_position_into_two_accounts_changes_nothing(
    positions: dict[int, int], risk: RiskParameters
) -> None:
    view = market_view(risk, rates=(40_000, 90_000))
    half = portfolio_margin(view, held(positions))
    whole = portfolio_margin(view, held({i: 2 * q for i, q in positions.items()}))
    assert 0 <= 2 * half.maintenance - whole.maintenance <= 20
    assert 0 <= 2 * half.initial - whole.initial <= 40


@given(PORTFOLIOS, st.integers(0, 10**9))
def test_settled_holdings_have_value_and_no_risk(
    positions: dict[int, int], settlement: int
) -> None:
    settled = [Holding(i, q, settlement) for i, q in positions.items()]
    margin = portfolio_margin(market_view(), settled)
    assert margin == (settlement * sum(positions.values()), 0, 0)
    alone = portfolio_margin(market_view(), held({PERPETUAL: -7}))
    together = portfolio_margin(market_view(), [*held({PERPETUAL: -7}), *settled])
    assert together == (alone.value + margin.value, alone.maintenance, alone.initial)


def test_expired_holdings_have_value_and_no_risk() -> None:
    view = market_view(now=expiry_time(DAY))
    margin = portfolio_margin(view, held({option(DAY, Kind.CALL, 90_000): -5, future(DAY): 3}))
    assert margin == (-5 * 1_000_000 + 3 * INDEX, 0, 0)


def test_nothing_held_needs_nothing() -> None:
    assert portfolio_margin(market_view(), []) == (0, 0, 0)


# Each charge.


def test_a_linear_needs_the_widest_undamped_move() -> None:
    for quantity in (1_000, -1_000):
        margin = portfolio_margin(market_view(), held({PERPETUAL: quantity}))
        mark = 10_005_000
        assert abs(margin.maintenance - 1_000 * mark * 16 // 100) <= 1_000
        assert abs(margin.initial - 1.3 * margin.maintenance) <= 1


def test_damped_tails_count_losses_only() -> None:
    risk = replace(still(DEFAULT), scenarios=(Scenario(500_000, 0, 100_000), Scenario(0, 0, 10**6)))
    view = market_view(risk)
    assert grid_loss(risk, lines_of(view, {PERPETUAL: 10})) == 0
    moved = risk_array(view, PERPETUAL).changes[0]
    assert grid_loss(risk, lines_of(view, {PERPETUAL: -10})) == moved  # 10 lots at a tenth
    assert worst_loss(view, PERPETUAL, -10) == 10 * -(-moved // 10)
    assert worst_loss(view, PERPETUAL, 10) == 0


def test_short_minimum_sets_no_option_against_another() -> None:
    view = market_view()
    call, put = option(DAY, Kind.CALL, 100_000), option(DAY, Kind.PUT, 100_000)
    other = option(DAY, Kind.CALL, 106_000)
    charge = INDEX * 10_000 // 1_000_000
    for positions, lots in (
        ({call: -10, put: 10}, 10),
        ({call: -10, put: -10}, 20),
        ({call: -10, other: 30}, 10),
        ({call: 10, put: 10, PERPETUAL: -50}, 0),
    ):
        assert short_option_minimum(DEFAULT, INDEX, lines_of(view, positions)) == lots * charge


def test_basis_charges_the_offset_between_expiries() -> None:
    view = market_view()
    near, far = future(DAY), future(DAY + 63)
    one_percent = INDEX // 100
    assert cross_expiry_basis(lines_of(view, {near: 10, far: 10})) == 0
    assert cross_expiry_basis(lines_of(view, {near: 10})) == 0
    spread = cross_expiry_basis(lines_of(view, {near: 10, far: -30}))
    assert abs(spread - 10 * one_percent) <= 10
    with_perpetual = cross_expiry_basis(lines_of(view, {PERPETUAL: -25, near: 10, far: 10}))
    assert abs(with_perpetual - (20 * one_percent + 10 * one_percent // 50)) <= 20


def test_vega_charges_the_offset_between_expiries() -> None:
    view = market_view()
    near, far = option(DAY + 7, Kind.CALL, 98_000), option(DAY + 63, Kind.CALL, 110_000)
    vegas = [risk_array(view, i).vega for i in (near, far)]
    assert cross_expiry_vega(DEFAULT, lines_of(view, {near: 10, far: 10})) == 0
    charge = cross_expiry_vega(DEFAULT, lines_of(view, {near: 1_000, far: -1_000}))
    assert charge == -(-1_000 * min(vegas) * 250_000 // 1_000_000)
    same = option(DAY + 7, Kind.PUT, 80_000)
    assert cross_expiry_vega(DEFAULT, lines_of(view, {near: 10, same: -10})) == 0


@given(PORTFOLIOS, st.integers(0, 400_000), st.integers(0, 100_000))
def test_charges_grow_with_their_rates(positions: dict[int, int], rate: int, more: int) -> None:
    view = market_view()
    lines = lines_of(view, positions)
    assert 0 <= concentration(lines, rate) <= concentration(lines, rate + more)
    low = replace(DEFAULT, vega_offset_ppm=rate, short_option_minimum_ppm=rate)
    high = replace(low, vega_offset_ppm=rate + more, short_option_minimum_ppm=rate + more)
    assert cross_expiry_vega(low, lines) <= cross_expiry_vega(high, lines)
    assert short_option_minimum(low, INDEX, lines) <= short_option_minimum(high, INDEX, lines)
    calmer = portfolio_margin(view._replace(concentration_maintenance_ppm=rate), held(positions))
    crowded = portfolio_margin(
        view._replace(concentration_maintenance_ppm=rate + more), held(positions)
    )
    assert calmer.maintenance <= crowded.maintenance


def test_concentration_follows_open_interest_to_its_cap() -> None:
    free = DEFAULT.concentration_free // INDEX
    rates = [concentration_rate(PARAMETERS, lots * free // 2, INDEX) for lots in range(20)]
    assert rates[:5] == [0, 0, 0, 50_000, 100_000]
    assert rates == sorted(rates)
    assert rates[-1] == DEFAULT.concentration_cap_ppm


def test_concentration_in_maintenance_rises_slowly_and_falls_at_once() -> None:
    assert ramp(10_000, 500_000, 3_600, PARAMETERS) == 46_000
    assert ramp(10_000, 500_000, 5, PARAMETERS) == 10_050
    assert ramp(10_000, 12_000, 3_600, PARAMETERS) == 12_000
    assert ramp(500_000, 0, 0, PARAMETERS) == 0
    stepped = 0
    for _ in range(720):
        stepped = ramp(stepped, 500_000, 5, PARAMETERS)
    assert stepped == ramp(0, 500_000, 3_600, PARAMETERS)


def test_wash_trading_cannot_raise_maintenance_before_initial() -> None:
    view = market_view(rates=(0, 500_000))
    calm = portfolio_margin(market_view(), held({PERPETUAL: 100}))
    margin = portfolio_margin(view, held({PERPETUAL: 100}))
    assert margin.maintenance == calm.maintenance
    assert margin.initial > calm.initial


# Widths.


def test_sums_stay_below_half_the_field_at_the_bounds_of_positions() -> None:
    """Gross 2^58, all of it short: what margin returns is below 2^62."""
    view = market_view(rates=(500_000, 500_000))
    lots = min(QUANTITY_MAX, (2**52 - 1) // INDEX)
    menu = MENU + [option(DAY + 63, kind, 60_000 + 500 * k) for k in range(30) for kind in (2, 3)]
    positions = dict.fromkeys(menu[:64], -lots)
    margin = portfolio_margin(view, held(positions))
    assert margin.maintenance > 2**55
    assert max(map(abs, margin)) < 2**62
