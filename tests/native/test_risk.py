"""The compiled prices, risk arrays and margins are those of the specification, bit by bit."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novate.lab.vector_json import Decoder
from novate.native import risk as native
from novate.native.risk import MarketRisk, market_risk, portfolios_of
from novate.spec import margin as law
from novate.spec import smile
from novate.spec.bounds import PRICE_MAX, QUANTITY_MAX, VOL_PPM_MAX
from novate.spec.errors import DecodeError
from novate.spec.instruments import Instrument, Kind, decode, encode, expiry_time
from novate.spec.margin import Holding, Margin, portfolio_margin, risk_array
from novate.spec.marks import MarketView, mark, terms_of
from novate.spec.pricing import TOTAL_VOL_MAX, option_value
from novate.spec.risk_parameters import (
    MAIN_SCENARIOS,
    MINIMAL_RISK,
    RiskParameters,
    Scenario,
    is_well_formed,
)
from novate.spec.smile import NODES
from novate.spec.state import Account, ExpiryFields, Fund, State
from tests.native.risk_markets import (
    DAY_S,
    DAYS,
    DEFAULT,
    IDS,
    INDEX,
    MENU,
    PARAMETERS,
    PERPETUAL,
    PORTFOLIOS,
    QUANTITIES,
    a_view,
    held,
    views,
)

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "law"

# Prices


def test_option_values_over_every_size() -> None:
    source = np.random.default_rng(1)
    count = 6_000
    sizes = np.exp(source.uniform(0, np.log(PRICE_MAX), (2, count))).astype(np.int64)
    near = sizes[0] * source.integers(500, 2_000, count) // 1_000
    strikes = np.where(source.random(count) < 0.7, np.minimum(near, PRICE_MAX), sizes[1])
    total_vols = np.exp(source.uniform(0, np.log(TOTAL_VOL_MAX), count)).astype(np.int64)
    calls = source.random(count) < 0.5
    found = native.option_values(sizes[0], strikes, total_vols, calls).tolist()
    rows = zip(*(column.tolist() for column in (sizes[0], strikes, total_vols, calls)), strict=True)
    assert found == [option_value(*row) for row in rows]
    assert len(set(found)) > count // 3


def test_option_values_at_the_edges() -> None:
    prices = (0, 1, 2, 3, 255, 256, 65_535, 10**7, 10**7 + 1, 2**30, PRICE_MAX - 1, PRICE_MAX)
    vols = (0, 1, 2, 255, 2**16, 2**24 - 1, 2**24, TOTAL_VOL_MAX)
    rows = [(f, k, w, c) for f in prices for k in prices for w in vols for c in (True, False)]
    forwards, strikes, total_vols, calls = (np.array(column) for column in zip(*rows, strict=True))
    found = native.option_values(forwards, strikes, total_vols, calls)
    assert found.tolist() == [option_value(*row) for row in rows]


def ids_of(day: int) -> list[int]:
    """Linear and option instruments of one day, and the perpetual."""
    return [i for i in MENU if decode(i).expiry_day in (0, day)]


@pytest.mark.parametrize("left", [90 * DAY_S, 1_801, 1_800, 1_799, 900, 5, 1, 0, -1, -DAY_S])
def test_every_kind_through_the_life_of_an_expiry(left: int) -> None:
    view = a_view(now=expiry_time(DAYS[0]) - left)
    ids = ids_of(DAYS[0])
    market = market_risk(view)
    assert market.marks(ids) == [mark(view, decode(i)) for i in ids]
    assert market.terms(ids) == [terms_of(view, decode(i)) for i in ids]
    assert market.risk_arrays(ids) == [risk_array(view, i) for i in ids]
    live = [array.spacing > 0 for array in market.risk_arrays(ids)]
    assert live == [left > 0 or decode(i).kind == Kind.PERPETUAL for i in ids]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(views(), st.lists(IDS, min_size=1, max_size=4, unique=True))
def test_one_lot_at_any_view(view: MarketView, ids: list[int]) -> None:
    market = market_risk(view)
    assert market.marks(ids) == [mark(view, decode(i)) for i in ids]
    assert market.terms(ids) == [terms_of(view, decode(i)) for i in ids]
    assert market.risk_arrays(ids) == [risk_array(view, i) for i in ids]
    assert market.marks(ids) == [array.base for array in market.risk_arrays(ids)]


# Smiles

SMILE_TIMES = st.one_of(
    st.integers(0, 2**32 - 1), st.integers(0, 2 * DAY_S), st.integers(DAY_S, 400 * DAY_S)
)
WILD = st.lists(st.integers(1, VOL_PPM_MAX), min_size=NODES - 1, max_size=NODES + 1)
MILD = st.builds(
    lambda base, bends: [base * (100 + bend) // 100 for bend in bends],
    st.integers(100_000, 1_500_000),
    st.lists(st.integers(0, 12), min_size=NODES, max_size=NODES),
)


@given(st.one_of(WILD, MILD), SMILE_TIMES, st.integers(1, 200_000), st.integers(0, VOL_PPM_MAX))
def test_a_smile_by_itself(vols: list[int], left: int, low: int, high: int) -> None:
    found = native.smile_is_admissible(vols, left, low, high, None)
    assert found == smile.smile_is_admissible(vols, left, low, high)


@settings(max_examples=300)
@given(MILD, SMILE_TIMES, MILD, SMILE_TIMES)
def test_a_smile_after_a_nearer_one(
    vols: list[int], left: int, nearer: list[int], nearer_left: int
) -> None:
    found = native.smile_is_admissible(vols, left, 1, VOL_PPM_MAX, (nearer, nearer_left))
    assert found == smile.smile_is_admissible(vols, left, 1, VOL_PPM_MAX, (nearer, nearer_left))


def test_every_verdict_on_smiles_occurs_and_agrees() -> None:
    source = random.Random(3)
    seen = set()
    for _ in range(600):
        left, nearer_left = sorted(source.randrange(600, 40 * DAY_S) for _ in range(2))[::-1]
        spread = source.choice((0, 2, 6, 30))
        base, before = source.randrange(200_000, 900_000), source.randrange(200_000, 900_000)
        vols = [base * (100 + source.randint(0, spread)) // 100 for _ in range(NODES)]
        nearer = [before * (100 + source.randint(0, 2)) // 100 for _ in range(NODES)]
        alone = native.smile_is_admissible(vols, left, 1, VOL_PPM_MAX, None)
        after = native.smile_is_admissible(vols, left, 1, VOL_PPM_MAX, (nearer, nearer_left))
        assert alone == smile.is_free_of_butterflies(vols, left)
        assert after == (alone and smile.is_free_of_calendars(nearer, nearer_left, vols, left))
        seen.add((alone, after))
    assert seen == {(True, True), (True, False), (False, False)}


# Portfolios

ZERO_CHARGES = replace(
    DEFAULT,
    scenarios=(Scenario(0, 0, 1_000_000),),
    short_option_minimum_ppm=0,
    basis_shock_ppm=0,
    vega_offset_ppm=0,
)
"""No grid, no spacing but the tick of rounding, and no charge."""
FUTURES = [encode(Instrument(0, day, Kind.FUTURE, 0)) for day in DAYS]
CALLS = [encode(Instrument(0, day, Kind.CALL, 100_000)) for day in DAYS]
PUTS = [encode(Instrument(0, day, Kind.PUT, 94_000)) for day in DAYS]


def lines_of(view: MarketView, positions: dict[int, int]) -> list[law.Line]:
    """Live positions with their arrays."""
    return [law.Line(q, risk_array(view, i)) for i, q in positions.items()]


CHARGES: dict[str, tuple[RiskParameters, tuple[int, int], dict[int, int], Callable[..., int]]] = {
    "grid": (
        replace(ZERO_CHARGES, scenarios=MAIN_SCENARIOS),
        (0, 0),
        {PERPETUAL: -700, FUTURES[1]: 20},
        lambda view, lines: law.grid_loss(view.parameters.risk, lines),
    ),
    "short option minimum": (
        replace(ZERO_CHARGES, short_option_minimum_ppm=10_001),
        (0, 0),
        {CALLS[0]: -3, PUTS[0]: -7, CALLS[2]: 10},
        lambda view, lines: law.short_option_minimum(
            view.parameters.risk, view.snapshot.index_price, lines
        ),
    ),
    "basis": (
        replace(ZERO_CHARGES, basis_shock_ppm=9_999),
        (0, 0),
        {PERPETUAL: 500, FUTURES[0]: -333, FUTURES[3]: -41},
        lambda view, lines: law.cross_expiry_basis(lines),
    ),
    "vega": (
        replace(ZERO_CHARGES, vega_offset_ppm=333_333),
        (0, 0),
        {CALLS[1]: -40, PUTS[1]: -2, CALLS[3]: 39},
        lambda view, lines: law.cross_expiry_vega(view.parameters.risk, lines),
    ),
    "between nodes": (
        replace(ZERO_CHARGES, scenarios=MAIN_SCENARIOS),
        (0, 0),
        {PERPETUAL: -10, CALLS[0]: 20, PUTS[2]: 5, CALLS[1]: -1},
        lambda view, lines: law.between_nodes(lines),
    ),
    "concentration": (
        replace(ZERO_CHARGES, scenarios=MAIN_SCENARIOS),
        (123_457, 654_321),
        {PERPETUAL: 9, FUTURES[2]: -9, CALLS[0]: -1},
        lambda view, lines: law.concentration(lines, view.concentration_initial_ppm),
    ),
}


@pytest.mark.parametrize("name", CHARGES)
def test_each_charge_where_it_matters(name: str) -> None:
    risk, rates, positions, charge = CHARGES[name]
    view = a_view(risk, rates=rates)
    assert charge(view, lines_of(view, positions)) > 0
    [found] = market_risk(view).margins([held(positions)])
    assert found == portfolio_margin(view, held(positions))
    for instrument, quantity in positions.items():
        more = held(positions | {instrument: quantity + 1})
        assert market_risk(view).margins([more]) == [portfolio_margin(view, more)]


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(views(), st.lists(PORTFOLIOS, min_size=1, max_size=3))
def test_portfolios_at_any_view(view: MarketView, portfolios: list[dict[int, int]]) -> None:
    holdings = [held(positions) for positions in portfolios]
    found = market_risk(view).margins(holdings)
    assert found == [portfolio_margin(view, each) for each in holdings]


@pytest.mark.parametrize("risk", [DEFAULT, MINIMAL_RISK])
@pytest.mark.parametrize("left", [DAY_S, 1_200, 0])
def test_many_random_portfolios(risk: RiskParameters, left: int) -> None:
    source = random.Random(left)
    view = a_view(risk, expiry_time(DAYS[0]) - left)
    holdings = [
        held({source.choice(MENU): source.randint(-5_000, 5_000) for _ in range(size % 12)})
        for size in range(250)
    ]
    assert market_risk(view).margins(holdings) == [portfolio_margin(view, h) for h in holdings]


def test_sums_beyond_64_bits() -> None:
    view = a_view(index=PRICE_MAX - 999)
    strikes = range(1, 41)
    menu = [
        encode(Instrument(0, day, kind, strike * 400_000))
        for day in DAYS
        for kind in (Kind.CALL, Kind.PUT)
        for strike in strikes
    ]
    long = dict.fromkeys(menu, QUANTITY_MAX)
    short = dict.fromkeys(menu, -QUANTITY_MAX)
    mixed = {i: QUANTITY_MAX * (-1) ** place for place, i in enumerate(menu)}
    cases = [held(each | {PERPETUAL: -QUANTITY_MAX}) for each in (long, short, mixed)]
    found = market_risk(view).margins(cases)
    assert found == [portfolio_margin(view, case) for case in cases]
    assert max(margin.maintenance for margin in found) > 2**65
    portfolios = portfolios_of(market_risk(view), [long, short, mixed])
    for place, positions in enumerate((long, short, mixed)):
        more = held(positions | {PERPETUAL: -QUANTITY_MAX})
        changed = portfolios.margin_with(place, PERPETUAL, -QUANTITY_MAX)
        assert Margin(*changed) == portfolio_margin(view, more)


def test_around_the_width_of_the_fast_sums() -> None:
    """2^32 lots whose values move by nearly 2^31 each: the last sums of 64 bits, and the next."""
    grid = tuple(Scenario(spot, 0, 1_000_000) for spot in (-999_999, 0, 2_000_000))
    view = a_view(replace(DEFAULT, scenarios=grid), index=PRICE_MAX - 999)
    extra = encode(Instrument(0, DAYS[2], Kind.FUTURE, 0))
    for lots in (1, 2, 3, 4, 100, 2**22):
        for sign in (1, -1):
            positions = {PERPETUAL: sign * QUANTITY_MAX, FUTURES[0]: sign * QUANTITY_MAX}
            case = held(positions | {extra: sign * lots})
            assert market_risk(view).margins([case]) == [portfolio_margin(view, case)]


def test_settled_expired_repeated_and_empty_holdings() -> None:
    view = a_view(now=expiry_time(DAYS[0]) + 60)
    live = encode(Instrument(0, DAYS[1], Kind.CALL, 100_000))
    cases = [
        [],
        [Holding(PUTS[0], -5, 123_456), Holding(live, -5, None)],
        [Holding(CALLS[0], -5, None)],
        [Holding(live, 7, None), Holding(live, -7, None), Holding(live, 0, None)],
        [Holding(live, 0, None)],
    ]
    assert market_risk(view).margins(cases) == [portfolio_margin(view, case) for case in cases]


@given(
    st.integers(0, 2**63),
    st.integers(0, 2**32 - 1),
    st.integers(1, 2**63 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**20),
)
def test_concentration_rates(lots: int, slope: int, free: int, before: int, dt: int) -> None:
    risk = replace(
        DEFAULT,
        concentration_slope_ppm=slope,
        concentration_free=free,
        concentration_cap_ppm=2**32 - 1,
    )
    view = a_view(risk)
    found = market_risk(view).view
    rate = law.concentration_rate(view.parameters, lots, INDEX)
    assert found.concentration_rate(lots) == rate
    assert found.ramp(before, rate, dt) == law.ramp(before, rate, dt, view.parameters)


# Portfolios kept up to date


def expected(view: MarketView, positions: dict[int, int]) -> tuple[int, int, int]:
    """The specification's margin of the positions that are not 0."""
    return portfolio_margin(view, held({i: q for i, q in positions.items() if q}))


@pytest.mark.parametrize("seed", range(6))
def test_changes_one_by_one_equal_a_fresh_sum(seed: int) -> None:
    source = random.Random(seed)
    risk = (DEFAULT, MINIMAL_RISK)[seed % 2]
    view = a_view(risk)
    positions: list[dict[int, int]] = [{}, dict.fromkeys(MENU[:12], 5)]
    market = market_risk(view)
    portfolios = portfolios_of(market, positions)
    for step in range(150):
        place = source.randrange(2)
        instrument = source.choice(MENU)
        size = source.choice((0, 1, 50, 5_000, QUANTITY_MAX))
        quantity = source.randint(-size, size)
        there = positions[place]
        what_if = portfolios.margin_with(place, instrument, quantity)
        assert what_if == expected(view, there | {instrument: quantity})
        assert portfolios.set(place, instrument, quantity) == there.get(instrument, 0)
        there[instrument] = quantity
        assert portfolios.margin(place) == what_if
        if step % 25 == 24:
            left = source.choice((DAY_S, 1_500, 0, -5))
            view = a_view(risk, expiry_time(DAYS[0]) - left, index=source.randint(1, 2 * INDEX))
            market = market_risk(view)
            portfolios.move_to(market.view)
            assert portfolios.margin(0) == expected(view, positions[0])
            assert portfolios.margin(1) == expected(view, positions[1])
    for place, there in enumerate(positions):
        live = sorted((i, q) for i, q in there.items() if q)
        assert portfolios.positions(place) == live
        assert [Margin(*portfolios.margin(place))] == market.margins([held(dict(live))])


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(views(), st.lists(st.tuples(IDS, QUANTITIES), max_size=8))
def test_changes_at_any_view(view: MarketView, changes: list[tuple[int, int]]) -> None:
    portfolios = portfolios_of(market_risk(view), [{}])
    positions: dict[int, int] = {}
    for instrument, quantity in changes:
        portfolios.set(0, instrument, quantity)
        positions[instrument] = quantity
        assert portfolios.margin(0) == expected(view, positions)
    for instrument in positions:
        portfolios.set(0, instrument, 0)
    assert (portfolios.margin(0), portfolios.positions(0)) == ((0, 0, 0), [])


def test_who_is_below_maintenance() -> None:
    source = random.Random(5)
    view = a_view()
    positions = [
        {source.choice(MENU): source.randint(-50, 50) or 1 for _ in range(6)} for _ in range(60)
    ]
    margins = [expected(view, each) for each in positions]
    cash = [m.maintenance - m.value + source.choice((-1, 0, 1)) for m in map(Margin._make, margins)]
    portfolios = portfolios_of(market_risk(view), positions)
    found = portfolios.below_maintenance(np.array(cash, np.int64)).tolist()
    below = [
        place
        for place, margin in enumerate(map(Margin._make, margins))
        if cash[place] + margin.value < margin.maintenance
    ]
    assert found == below
    assert 0 < len(below) < portfolios.count == 60


# The states of the law's vectors


@cache
def vector_states() -> list[State]:
    """Every state that a vector of the law starts from."""
    states = []
    for path in sorted(VECTORS.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        decoder = Decoder(content["shared"])
        states += [
            decoder.decode(each["before"]) for each in content["vectors"] if "before" in each
        ]
    return [state for state in states if isinstance(state, State)]


def holders_of(state: State) -> Iterator[tuple[int, list[Holding]]]:
    """Underlying and holdings there of every account and fund, at their stored quantities."""
    holders: list[Account | Fund] = [*state.accounts.values()]
    holders += [market.fund for market in state.markets]
    for holder in holders:
        for underlying in range(len(state.markets)):
            found = [
                Holding(position.instrument, position.quantity, None)
                for position in holder.positions
                if decode(position.instrument).underlying == underlying
            ]
            if found:
                yield underlying, found


def test_the_states_of_the_vectors() -> None:
    compared = 0
    for state in vector_states():
        markets: dict[int, tuple[MarketView, MarketRisk]] = {}
        for underlying, market in enumerate(state.markets):
            parameters = state.parameters.markets[underlying]
            snapshot = market.current
            view = MarketView(parameters, snapshot, snapshot.time, market.concentration_ppm, 777)
            markets[underlying] = view, market_risk(view)
        for underlying, holdings in holders_of(state):
            view, market_of = markets[underlying]
            assert market_of.margins([holdings]) == [portfolio_margin(view, holdings)]
            compared += 1
    assert compared > 500


# What is refused


@settings(max_examples=200)
@given(
    st.lists(
        st.builds(
            Scenario,
            st.sampled_from((-1_000_000, -999_999, -5, 0, 5)),
            st.integers(-2, 2),
            st.sampled_from((0, 1, 1_000_000, 1_000_001)),
        ),
        max_size=4,
    ),
    st.sampled_from([field for field in RiskParameters.__dataclass_fields__ if "_" in field]),
    st.sampled_from((-1, 0, 1, 499_999, 500_000, 999_999, 1_000_000, 1_000_001, 2**62)),
    st.booleans(),
)
def test_parameters_are_refused_like_the_law_does(
    scenarios: list[Scenario], field: str, value: int, sound_grid: bool
) -> None:
    if sound_grid:
        scenarios = list(MAIN_SCENARIOS)
    risk = replace(DEFAULT, scenarios=tuple(scenarios), **{field: value})
    view = a_view()._replace(parameters=replace(PARAMETERS, risk=risk))
    if is_well_formed(risk):
        assert market_risk(view).marks([PERPETUAL]) == [mark(view, decode(PERPETUAL))]
    else:
        with pytest.raises(ValueError, match="risk"):
            market_risk(view)


def test_wrong_arguments_are_named() -> None:
    one = np.array([1], np.int64)
    yes = np.array([True])
    for field, arguments in (
        ("strikes has 2 entries", (one, np.array([1, 2]), one, yes)),
        (r"forwards\[0\] is -1", (-one, one, one, yes)),
        (r"strikes\[0\] is 2147483648", (one, one * 2**31, one, yes)),
        ("total_vols", (one, one, one * (TOTAL_VOL_MAX + 1), yes)),
        ("calls is an array of int64", (one, one, one, one)),
        ("forwards is a list", ([1], one, one, yes)),
        ("forwards is an array of shape", (one.reshape(1, 1), one, one, yes)),
    ):
        with pytest.raises(ValueError, match=field):
            native.option_values(*arguments)
    market = market_risk(a_view())
    for wrong in (1 << 50, 1 << 24, -1, 1 << 64):
        with pytest.raises(ValueError, match="id"):
            market.marks([wrong])
    with pytest.raises(ValueError, match="nearer volatilities"):
        native.smile_is_admissible([1] * NODES, 1, 1, 1, ([1], 1))
    with pytest.raises(ValueError, match="seconds_left"):
        native.smile_is_admissible([1] * NODES, -1, 1, 1, None)


@given(st.one_of(st.integers(0, 2**50 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**42)))
def test_what_is_no_instrument_is_refused_like_the_law_does(identifier: int) -> None:
    market = market_risk(a_view())
    try:
        instrument = decode(identifier)
    except DecodeError as error:
        with pytest.raises(ValueError, match=re.escape(f"no instrument: {error}")):
            market.marks([identifier])
    else:
        assert market.marks([identifier]) == [mark(a_view(), instrument)]


def test_wrong_markets_and_portfolios_are_named() -> None:
    view = a_view()
    short = (ExpiryFields(DAYS[0], 0, (1,)),)
    for field, wrong in (
        ("moment", view._replace(time=2**32)),
        ("prices", view._replace(snapshot=view.snapshot._replace(index_price=PRICE_MAX + 1))),
        ("market", view._replace(parameters=replace(PARAMETERS, strike_tick=-1))),
        ("vols", view._replace(snapshot=view.snapshot._replace(expiries=short))),
        ("moment", view._replace(concentration_initial_ppm=2**63)),
    ):
        with pytest.raises(ValueError, match=field):
            market_risk(wrong)
    portfolios = portfolios_of(market_risk(view), [{PERPETUAL: 1}])
    with pytest.raises(IndexError, match="portfolio is 1, must be below 1"):
        portfolios.margin(1)
    with pytest.raises(ValueError, match="no instrument"):
        portfolios.set(0, 1 << 24, 5)
    with pytest.raises(ValueError, match="cash has 2 entries"):
        portfolios.below_maintenance(np.zeros(2, np.int64))
    with pytest.raises(ValueError, match="quantity"):
        portfolios_of(market_risk(view), [{PERPETUAL: 2**63}])
