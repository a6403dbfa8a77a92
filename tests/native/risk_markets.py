"""Markets and portfolios for the tests of the compiled risk: a plain one, and any within bounds."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from novate.spec.bounds import PPM_SIGNED_MAX, PRICE_MAX, QUANTITY_MAX, VOL_PPM_MAX
from novate.spec.instruments import EXPIRY_DAY_MAX, Instrument, Kind, encode, expiry_time
from novate.spec.margin import Holding
from novate.spec.marks import MarketView
from novate.spec.parameters import MarketParameters
from novate.spec.risk_parameters import MINIMAL_RISK, RiskParameters, Scenario
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, Snapshot

DAYS = (2_500, 2_501, 2_507, 2_563)
DAY_S = 86_400
NOW = expiry_time(DAYS[0]) - DAY_S
DEFAULT = RiskParameters()
PARAMETERS = MarketParameters(
    symbol="BTC",
    price_decimals=2,
    strike_tick=100,
    strike_step=1,
    horizon_days=400,
    band_ppm=50_000,
    gap_s=60,
    halt_jump_ppm=50_000,
    halt_drift_ppm_s=100,
    funding_rate_max_ppm=10_000,
    premium_max_ppm=5_000,
    vol_default_ppm=600_000,
    penalty_ppm=50_000,
    close_penalty_ppm=10_000,
    fund_inventory_max=1_000,
    deleverage_cap_ppm=100_000,
)
PERPETUAL = encode(Instrument(0, 0, Kind.PERPETUAL, 0))
INDEX = 10_000_000


def chain(strikes: tuple[int, ...] = (60_000, 94_000, 100_000, 100_001, 140_000)) -> list[int]:
    """The perpetual, and on each of `DAYS` the future and both options of each strike."""
    options = [
        encode(Instrument(0, day, kind, strike))
        for day in DAYS
        for kind in (Kind.CALL, Kind.PUT)
        for strike in strikes
    ]
    return [PERPETUAL, *(encode(Instrument(0, day, Kind.FUTURE, 0)) for day in DAYS), *options]


MENU = chain()


def a_view(
    risk: RiskParameters = DEFAULT,
    now: int = NOW,
    rates: tuple[int, int] = (4_000, 20_000),
    index: int = INDEX,
) -> MarketView:
    """A market with a skewed smile on each of `DAYS`."""
    skew = (70, 50, 30, 12, 5, 0, -2, 1, 8, 25, 50)
    expiries = tuple(
        ExpiryFields(day, 700 * place, tuple(9_000 * (60 + 5 * place + bend) for bend in skew))
        for place, day in enumerate(DAYS)
    )
    return MarketView(
        replace(PARAMETERS, risk=risk),
        Snapshot(now, index, 300, index + 999, expiries),
        now,
        *rates,
    )


PRICES = st.one_of(st.sampled_from((0, 1, 2, PRICE_MAX)), st.integers(0, PRICE_MAX))
VOLS = st.one_of(st.sampled_from((1, VOL_PPM_MAX)), st.integers(1, VOL_PPM_MAX))
RATES = st.one_of(st.sampled_from((0, 1, 999_999, 1_000_000)), st.integers(0, 3_000_000))
EXPIRY_DAYS = st.one_of(st.sampled_from(DAYS), st.integers(1, 2**16 - 1))
EXPIRIES = st.lists(
    st.builds(
        ExpiryFields,
        day=EXPIRY_DAYS,
        basis_ppm=st.integers(-999_999, PPM_SIGNED_MAX),
        vols_ppm=st.lists(VOLS, min_size=NODES, max_size=NODES).map(tuple),
    ),
    max_size=4,
    unique_by=lambda fields: fields.day,
).map(lambda found: tuple(sorted(found)))
SNAPSHOTS = st.builds(
    Snapshot,
    time=st.just(NOW),
    index_price=PRICES,
    premium_ppm=st.integers(-PPM_SIGNED_MAX, PPM_SIGNED_MAX),
    mean=PRICES,
    expiries=EXPIRIES,
)
TIMES = st.one_of(
    st.integers(0, 2**32 - 1),
    st.integers(-DAY_S, DAY_S).map(lambda before: expiry_time(DAYS[0]) - before),
    st.integers(-10, 1_810).map(lambda before: expiry_time(DAYS[0]) - before),
)
SPOTS = st.lists(
    st.one_of(st.integers(-999_999, 3_000_000), st.just(2**40)), max_size=6, unique=True
)


@st.composite
def risks(draw: st.DrawFn) -> RiskParameters:
    """Well-formed parameters far from the defaults."""
    grid = [0, *(spot for spot in draw(SPOTS) if spot)]
    directions = draw(st.sets(st.sampled_from((-1, 0, 1)), min_size=1))
    scenarios = [Scenario(spot, way, 1_000_000) for spot in grid for way in sorted(directions)]
    tails = st.builds(
        Scenario, st.integers(-999_999, 9_000_000), st.integers(-1, 1), st.integers(1, 999_999)
    )
    scenarios += draw(st.lists(tails, max_size=4))
    draw(st.randoms(use_true_random=False)).shuffle(scenarios)
    low = draw(st.integers(1, VOL_PPM_MAX))
    return RiskParameters(
        scenarios=tuple(scenarios),
        vol_up_ppm=draw(st.integers(0, 2**32 - 1)),
        vol_down_ppm=draw(st.integers(0, 1_000_000)),
        vol_min_ppm=low,
        vol_max_ppm=draw(st.integers(low, 2**32 - 1)),
        initial_factor_ppm=draw(st.integers(1_000_000, 2**32 - 1)),
        short_option_minimum_ppm=draw(RATES),
        basis_shock_ppm=draw(st.integers(0, 499_999)),
        vega_offset_ppm=draw(RATES),
    )


@st.composite
def views(draw: st.DrawFn) -> MarketView:
    """Any market that the law's bounds allow."""
    parameters = replace(
        PARAMETERS,
        strike_tick=draw(st.sampled_from((1, 100, 2**32 - 1))),
        premium_max_ppm=draw(st.sampled_from((0, 5_000, 2**32 - 1))),
        vol_default_ppm=draw(st.sampled_from((0, 600_000, 2**32 - 1))),
        risk=draw(st.one_of(st.sampled_from((DEFAULT, MINIMAL_RISK)), risks())),
    )
    return MarketView(parameters, draw(SNAPSHOTS), draw(TIMES), draw(RATES), draw(RATES))


STRIKES = st.one_of(st.integers(1, 2**24 - 1), st.integers(1, 200_000))
IDS = st.one_of(
    st.just(PERPETUAL),
    st.sampled_from(MENU),
    st.builds(
        lambda day, kind, strike: encode(Instrument(7, day, kind, strike)),
        st.integers(1, EXPIRY_DAY_MAX),
        st.sampled_from((Kind.CALL, Kind.PUT)),
        STRIKES,
    ),
)
QUANTITIES = st.one_of(
    st.integers(-5_000, 5_000),
    st.sampled_from((QUANTITY_MAX, -QUANTITY_MAX)),
    st.integers(-QUANTITY_MAX, QUANTITY_MAX),
)
PORTFOLIOS = st.dictionaries(IDS, QUANTITIES, max_size=6)


def held(positions: dict[int, int]) -> list[Holding]:
    """Unsettled holdings."""
    return [Holding(i, q, None) for i, q in sorted(positions.items())]
