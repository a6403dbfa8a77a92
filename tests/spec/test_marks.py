"""Marks: each kind against QuantLib or plain arithmetic, and a value for every view whatever."""

from __future__ import annotations

from math import sqrt

import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.bounds import PPM_SIGNED_MAX, PRICE_MAX, VOL_PPM_MAX
from novate.spec.instruments import EXPIRY_DAY_MAX, Instrument, Kind, expiry_time
from novate.spec.marks import (
    MarketView,
    expiry_fields,
    forward_price,
    mark,
    moved_forward,
    moved_value,
    terms_of,
    window_mean,
)
from novate.spec.parameters import MarketParameters
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, Snapshot

DAY = 2_500
INDEX = 10_000_000
PERPETUAL = Instrument(0, 0, Kind.PERPETUAL, 0)
FUTURE = Instrument(0, DAY, Kind.FUTURE, 0)
PARAMETERS = MarketParameters(
    symbol="BTC",
    price_decimals=2,
    strike_tick=100_000,
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


def flat(day: int, basis_ppm: int, vol_ppm: int) -> ExpiryFields:
    """An expiry with one volatility for every strike."""
    return ExpiryFields(day, basis_ppm, (vol_ppm,) * NODES)


def view(
    seconds_left: int = 30 * 86_400,
    premium_ppm: int = 0,
    mean: int = 0,
    expiries: tuple[ExpiryFields, ...] = (flat(DAY, 20_000, 500_000),),
) -> MarketView:
    """A market `seconds_left` before the expiry on DAY."""
    now = expiry_time(DAY) - seconds_left
    return MarketView(PARAMETERS, Snapshot(now, INDEX, premium_ppm, mean, expiries), now, 0, 0)


@pytest.mark.parametrize(
    "premium_ppm, expected",
    [(0, 10_000_000), (1_000, 10_010_000), (-1_000, 9_990_000), (90_000, 10_050_000)],
)
def test_perpetual_is_the_index_with_the_clamped_premium(premium_ppm: int, expected: int) -> None:
    assert mark(view(premium_ppm=premium_ppm), PERPETUAL) == expected


def test_future_is_the_forward_until_its_window_opens() -> None:
    assert mark(view(), FUTURE) == 10_200_000
    assert mark(view(1_800, mean=1), FUTURE) == 10_200_000


@pytest.mark.parametrize(
    "seconds_left, expected",
    [(1_200, (9_000_000 * 600 + 10_200_000 * 1_200) // 1_800), (0, 9_000_000), (-60, 9_000_000)],
)
def test_future_turns_into_the_mean_of_the_window(seconds_left: int, expected: int) -> None:
    assert mark(view(seconds_left, mean=9_000_000), FUTURE) == expected


def test_only_the_part_of_the_average_to_come_moves_with_spot() -> None:
    terms = terms_of(view(900, mean=10_000_000), FUTURE)
    assert moved_forward(terms, 40_000) - moved_forward(terms, 0) == 408_000 // 2
    expired = terms_of(view(0, mean=10_000_000), FUTURE)
    assert moved_forward(expired, 5_000_000) == moved_forward(expired, -900_000) == 10_000_000


def test_window_mean_is_the_index_where_no_window_was_seen() -> None:
    assert window_mean(view(mean=0)) == INDEX
    assert mark(view(0, mean=0), FUTURE) == INDEX


@pytest.mark.parametrize("kind, ql_kind", [(Kind.CALL, ql.Option.Call), (Kind.PUT, ql.Option.Put)])
@pytest.mark.parametrize("strike", [60, 90, 102, 110, 180])
@pytest.mark.parametrize("seconds_left", [7_200, 86_400, 30 * 86_400, 365 * 86_400])
def test_option_mark_is_black_76(kind: Kind, ql_kind: int, strike: int, seconds_left: int) -> None:
    total_vol = 0.5 * sqrt((seconds_left - 1_200) / 31_536_000)
    expected = ql.blackFormula(ql_kind, strike * 1e5, 1.02e7, total_vol)
    assert abs(mark(view(seconds_left), Instrument(0, DAY, kind, strike)) - expected) < 1.1


@pytest.mark.parametrize("kind, expected", [(Kind.CALL, 0), (Kind.PUT, 600_000)])
def test_option_is_intrinsic_on_the_mean_from_expiry_on(kind: Kind, expected: int) -> None:
    assert mark(view(0, mean=9_400_000), Instrument(0, DAY, kind, 100)) == expected
    assert mark(view(-5_000, mean=9_400_000), Instrument(0, DAY, kind, 100)) == expected


def test_volatility_moves_stay_inside_their_limits() -> None:
    low = terms_of(view(expiries=(flat(DAY, 0, 1),)), Instrument(0, DAY, Kind.CALL, 100))
    high = terms_of(view(expiries=(flat(DAY, 0, VOL_PPM_MAX),)), low_instrument())
    assert len(set(low.total_vols)) == 1 < len({0, *low.total_vols})
    assert len(set(high.total_vols)) == 1
    middle = terms_of(view(), low_instrument())
    assert middle.total_vols[0] < middle.total_vols[1] < middle.total_vols[2]
    values = [moved_value(middle, 0, direction) for direction in (-1, 0, 1)]
    assert values == sorted(set(values))


def low_instrument() -> Instrument:
    """The call at 100,000."""
    return Instrument(0, DAY, Kind.CALL, 100)


@pytest.mark.parametrize(
    "day, basis", [(DAY, 1), (DAY + 3, 1), (DAY + 7, 2), (DAY + 400, 2), (DAY - 1, 1)]
)
def test_expiry_fields_fall_back_to_the_nearest_earlier_then_the_first(
    day: int, basis: int
) -> None:
    reported = (flat(DAY, 1, 500_000), flat(DAY + 7, 2, 600_000))
    fields = expiry_fields(view(expiries=reported), day)
    assert (fields.day, fields.basis_ppm) == (day, basis)


def test_expiry_fields_without_any_report_are_the_defaults() -> None:
    assert expiry_fields(view(expiries=()), DAY) == flat(DAY, 0, PARAMETERS.vol_default_ppm)


def test_a_basis_below_minus_one_leaves_a_forward_of_zero() -> None:
    odd = view(expiries=(flat(DAY, -2_000_000, 500_000),))
    assert forward_price(odd, DAY) == 0
    assert mark(odd, Instrument(0, DAY, Kind.CALL, 100)) == 0
    assert mark(odd, Instrument(0, DAY, Kind.PUT, 100)) == 10_000_000


PRICES = st.integers(0, PRICE_MAX)
RATES = st.integers(-PPM_SIGNED_MAX, PPM_SIGNED_MAX)
EXPIRIES = st.lists(
    st.builds(
        ExpiryFields,
        st.integers(1, EXPIRY_DAY_MAX),
        RATES,
        st.tuples(*[st.integers(0, VOL_PPM_MAX)] * NODES),
    ),
    max_size=3,
    unique_by=lambda fields: fields.day,
).map(lambda rows: tuple(sorted(rows)))
SNAPSHOTS = st.builds(Snapshot, st.integers(0, 2**32 - 1), PRICES, RATES, PRICES, EXPIRIES)


@settings(max_examples=150)
@given(
    SNAPSHOTS,
    st.integers(0, 2**32 - 1),
    st.integers(1, EXPIRY_DAY_MAX),
    st.integers(1, 2**24 - 1),
    st.integers(-999_999, 5_000_000),
    st.sampled_from((-1, 0, 1)),
)
def test_every_instrument_has_a_value_at_every_view(
    snapshot: Snapshot, now: int, day: int, strike: int, spot_ppm: int, direction: int
) -> None:
    odd = MarketView(PARAMETERS, snapshot, now, 0, 0)
    call, put = Instrument(0, day, Kind.CALL, strike), Instrument(0, day, Kind.PUT, strike)
    for instrument in (PERPETUAL, Instrument(0, day, Kind.FUTURE, 0), call, put):
        terms = terms_of(odd, instrument)
        assert 0 <= mark(odd, instrument) <= PRICE_MAX
        assert 0 <= moved_value(terms, spot_ppm, direction) <= PRICE_MAX
        assert mark(odd, instrument) == moved_value(terms, 0, 0)
    terms = terms_of(odd, call)
    parity = moved_forward(terms, 0) - terms.strike
    assert mark(odd, call) - mark(odd, put) == parity
