"""Option values of the law against a 50-digit reference, QuantLib and Deribit's own marks."""

from __future__ import annotations

import json
import math
import random
import statistics
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import exp, mp, mpf, sqrt

from novate.spec import pricing
from novate.spec.pricing import (
    TOTAL_VOL_MAX,
    YEAR_S,
    averaged_forward,
    exponential,
    log_ratio,
    logarithm,
    option_value,
    root_time,
    total_volatility,
    upper_tail,
    variance_seconds,
)
from tools import render_pricing_tables, search_pricing_error
from tools.search_pricing_error import black76, normal_cdf

ROOT = Path(__file__).resolve().parents[2]
TICKS = st.one_of(
    st.integers(0, 2**31 - 1), st.integers(0, 31).map(lambda n: 2**n - 1), st.integers(1, 300)
)
TOTAL_VOLS = st.one_of(
    st.integers(0, TOTAL_VOL_MAX), st.integers(0, 25).map(lambda n: 2**n), st.integers(0, 20)
)


@pytest.fixture(autouse=True)
def fifty_digits():
    """References are computed to 50 digits."""
    with mp.workdps(50):
        yield


def sampled_points(count: int) -> list[tuple[int, int, int, bool]]:
    """Seeded points: prices and w log-uniform, |ln(forward/strike)| <= 2.5."""
    source = random.Random(7)
    points = []
    for _ in range(count):
        forward = int(2 ** source.uniform(0, 31))
        strike = int(forward * math.exp(source.uniform(-2.5, 2.5) * source.choice((1, 0.1, 0.01))))
        total_vol = int(2 ** source.uniform(0, 25))
        strike = max(1, min(2**31 - 1, strike))
        if abs(math.log(forward / strike)) <= 2.5:
            points.append((forward, strike, total_vol, source.random() < 0.5))
    return points


# The value against the reference


def test_values_are_within_the_stated_error_of_the_reference() -> None:
    """The design asks for 1e-6 of the forward and half a tick; the docstring states 1e-8."""
    points = sampled_points(3_000)
    assert len(points) > 2_500
    for point in points:
        error = abs(option_value(*point) - black76(*point))
        assert error <= mpf("0.5") + mpf("1e-8") * point[0], point


@pytest.mark.parametrize(
    "point",
    [
        (10_000_000, 10_000_000, 1, True),
        (10_000_000, 10_000_000, TOTAL_VOL_MAX, True),
        (10_000_000, 9_999_999, 17, False),
        (2**31 - 1, 2**31 - 1, TOTAL_VOL_MAX, True),
        (2**31 - 1, 2**31 - 1, 1, False),
        (2**31 - 1, 2**31 - 2, 3, True),
        (2**31 - 1, 176_278_000, TOTAL_VOL_MAX, False),
        (1, 1, TOTAL_VOL_MAX, True),
        (1, 12, TOTAL_VOL_MAX, True),
        (221_975_874, 2_146_828_507, 7_895_216, False),
    ],
)
def test_corners_are_within_a_tick_of_the_reference(point: tuple[int, int, int, bool]) -> None:
    assert abs(option_value(*point) - black76(*point)) < 1


def test_far_from_the_money_the_value_is_intrinsic() -> None:
    low, high = 10_000, 2**31 - 1
    assert abs(log_ratio(high, low)) > pricing.DISTANCE_MAX
    assert option_value(low, high, TOTAL_VOL_MAX, True) == 0
    assert option_value(low, high, TOTAL_VOL_MAX, False) == high - low
    assert option_value(high, low, TOTAL_VOL_MAX, True) == high - low


def test_quantlib_agrees_on_a_grid() -> None:
    """An independent implementation; its own error in doubles is far below half a tick here."""
    quantlib = pytest.importorskip("QuantLib")
    forward = 10_000_000
    compared = 0
    for strike in range(2_000_000, 40_000_000, 1_000_000):
        for vol_ppm in (10_000, 200_000, 650_000, 1_500_000, 5_000_000):
            for seconds in (60, 1_800, 3_600, 86_400, 2_592_000, YEAR_S, 2 * YEAR_S):
                total_vol = total_volatility(vol_ppm, root_time(seconds))
                numerator, denominator = variance_seconds(seconds)
                deviation = vol_ppm / 1e6 * math.sqrt(numerator / denominator / YEAR_S)
                for is_call in (True, False):
                    kind = quantlib.Option.Call if is_call else quantlib.Option.Put
                    theirs = quantlib.blackFormula(kind, strike, forward, min(2.0, deviation))
                    ours = option_value(forward, strike, total_vol, is_call)
                    # w itself is rounded to 2^-25, worth at most 0.4 · forward · 2^-25 = 0.12 ticks
                    assert abs(ours - theirs) < 0.5 + 0.15, (strike, vol_ppm, seconds, is_call)
                    compared += 1
    assert compared == 38 * 5 * 7 * 2


def test_deribit_marks_follow_from_their_volatility() -> None:
    """mark (in coin) · forward is the law's value at Deribit's mark_iv, and QuantLib's to a tick.

    A snapshot's marks and forwards are not of one instant (parity among the marks themselves is
    broken by up to 2.3e-3 of the forward), so the median tells, not the worst row.
    """
    folder = ROOT.parent / "shared" / "data" / "options"
    if not folder.exists():
        pytest.skip("no real option chains: ../shared/data/options is absent")
    parquet = pytest.importorskip("pyarrow.parquet")
    quantlib = pytest.importorskip("QuantLib")
    kinds = {"call": quantlib.Option.Call, "put": quantlib.Option.Put}
    rows = 0
    for file in sorted(folder.glob("*.parquet")):
        from_marks = []
        for row in parquet.read_table(file).to_pylist():
            seconds = int((row["expiry"] - row["timestamp_utc"]).total_seconds())
            if seconds < 86_400 or row["mark"] is None or not row["mark_iv"]:
                continue
            forward, strike = (round(row[k] * 1_000) for k in ("underlying_price", "strike"))
            # Deribit counts all the time left; the law takes off the 1,200 s that average away.
            root = root_time(seconds + 1_200)
            total_vol = total_volatility(round(row["mark_iv"] * 1_000_000), root)
            ours = option_value(forward, strike, total_vol, row["type"] == "call")
            theirs = quantlib.blackFormula(kinds[row["type"]], strike, forward, total_vol / 2**24)
            assert abs(ours - theirs) < 0.6, row
            from_marks.append(abs(ours / forward - row["mark"]))
        assert statistics.median(from_marks) < 5e-5, file.name
        rows += len(from_marks)
    print(f"{rows} marks of Deribit priced")
    assert rows > 10_000


# Properties over every input in bounds


@given(TICKS, TICKS, TOTAL_VOLS)
@example(0, 0, 0)
@example(0, 1, TOTAL_VOL_MAX)
@example(1, 0, TOTAL_VOL_MAX)
@example(2**31 - 1, 1, TOTAL_VOL_MAX)
@example(1, 2**31 - 1, 0)
def test_every_input_has_a_value_within_the_bounds_of_no_arbitrage(
    forward: int, strike: int, total_vol: int
) -> None:
    call = option_value(forward, strike, total_vol, True)
    put = option_value(forward, strike, total_vol, False)
    assert call - put == forward - strike
    assert max(0, forward - strike) <= call <= forward
    assert max(0, strike - forward) <= put <= strike


@given(TICKS, st.integers(1, 2**31 - 1), TOTAL_VOLS, TOTAL_VOLS, st.booleans())
def test_value_rises_with_volatility_up_to_a_tick(
    forward: int, strike: int, one: int, other: int, is_call: bool
) -> None:
    lower, higher = sorted((one, other))
    slack = 1 if max(forward, strike) < 2**29 else 2
    assert option_value(forward, strike, higher, is_call) + slack >= option_value(
        forward, strike, lower, is_call
    )


@given(TICKS, TICKS, st.integers(1, 2**31 - 1), TOTAL_VOLS)
def test_value_follows_the_forward_up_to_a_tick(
    one: int, other: int, strike: int, total_vol: int
) -> None:
    lower, higher = sorted((one, other))
    slack = 1 if max(higher, strike) < 2**29 else 2
    rise = option_value(higher, strike, total_vol, True) - option_value(
        lower, strike, total_vol, True
    )
    assert -slack <= rise <= higher - lower + slack


@given(st.integers(2**8, 2**27), st.integers(1, 2000), TOTAL_VOLS)
def test_value_scales_with_prices(forward: int, permille: int, total_vol: int) -> None:
    """Doubling both prices doubles the value, up to the rounding of each."""
    strike = max(1, forward * permille // 1000)
    single = option_value(forward, strike, total_vol, True)
    double = option_value(2 * forward, 2 * strike, total_vol, True)
    assert abs(double - 2 * single) <= 2


def test_zero_volatility_or_forward_is_intrinsic() -> None:
    assert option_value(105, 100, 0, True) == 5
    assert option_value(105, 100, 0, False) == 0
    assert option_value(0, 100, TOTAL_VOL_MAX, True) == 0
    assert option_value(0, 100, TOTAL_VOL_MAX, False) == 100


# Time


def test_variance_time_has_no_jump_where_the_average_starts() -> None:
    assert variance_seconds(1_800) == (600, 1)
    numerator, denominator = variance_seconds(1_799)
    assert 599 < mpf(numerator) / denominator < 600
    assert variance_seconds(0)[0] == 0


def test_variance_time_is_that_of_a_mean_of_a_brownian_path() -> None:
    """Var of (1/n)·Σ W(t_i) over the 5 s prints of the last half hour, summed exactly."""
    for seconds_left in (600, 1_800, 7_200):
        prints = [seconds_left - 1_800 + 5 * i for i in range(1, 361)]
        ahead = [t for t in prints if t > 0]
        exact = sum(min(s, t) for s in ahead for t in ahead) / 360**2
        numerator, denominator = variance_seconds(seconds_left)
        assert abs(exact / (numerator / denominator) - 1) < 0.015


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**24 - 1))
@example(0, 2**24 - 1)
@example(2**32 - 1, 2**24 - 1)
def test_total_volatility_is_the_nearest_of_its_units(seconds: int, vol_ppm: int) -> None:
    with mp.workdps(50):
        root = root_time(seconds)
        numerator, denominator = variance_seconds(seconds)
        exact_root = sqrt(mpf(numerator) / denominator / YEAR_S)
        assert 0 <= exact_root * 2**32 - root < 1
        exact = min(2, vol_ppm * exact_root / 1_000_000) * 2**24
        # half a unit of rounding, and the root's own unit times the volatility
        assert abs(total_volatility(vol_ppm, root) - exact) <= 0.5 + 16.8 / 256


def test_averaged_forward_weighs_the_mean_by_the_time_passed() -> None:
    assert averaged_forward(90, 100, 1_800) == 100
    assert averaged_forward(90, 100, 5_000) == 100
    assert averaged_forward(90, 100, 900) == 95
    assert averaged_forward(90, 100, 0) == 90
    assert averaged_forward(90, 101, 900) == 95  # 95.5, rounded down


# The functions below the value


@given(st.integers(1, 2**31 - 1))
@example(1)
@example(2)
@example(2**31 - 1)
def test_logarithm_is_within_its_stated_error(ticks: int) -> None:
    with mp.workdps(50):
        assert abs(mpf(logarithm(ticks)) / 2**40 - mp.log(ticks)) < mpf(2) ** -30


@given(st.integers(-8 * 2**24, 8 * 2**24))
def test_tail_is_within_its_stated_error_and_symmetric(deviate: int) -> None:
    with mp.workdps(50):
        tail = upper_tail(deviate)
        assert abs(mpf(tail) / 2**32 - normal_cdf(-mpf(deviate) / 2**24)) < mpf("2.6e-10")
    if deviate:
        assert tail + upper_tail(-deviate) == 2**32


@given(st.integers(-12 * 2**40, 12 * 2**40))
def test_exponential_is_within_its_stated_error(exponent: int) -> None:
    with mp.workdps(50):
        exact = exp(mpf(exponent) / 2**40) * 2**30
        assert abs(exponential(exponent) - exact) <= exact * mpf(2) ** -26 + 1


def test_tables_never_go_negative_inside_a_segment() -> None:
    """The proof splits these intermediates into unsigned limbs."""
    rows = zip(pricing.TAIL_BASE, pricing.TAIL_SLOPE, pricing.TAIL_BEND, strict=True)
    for base, slope, bend in rows:
        for part in (0, 0x8000, 0xFFFF):
            bent = slope - (bend * part >> 16)
            assert bent >= 0
            assert base >= bent * part >> 16


def test_tables_are_what_their_renderer_renders() -> None:
    assert render_pricing_tables.main(["--check"]) == 0


def test_check_notices_a_changed_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "pricing_tables.py"
    changed.write_text(
        render_pricing_tables.TARGET.read_text().replace("34359738377", "34359738378")
    )
    monkeypatch.setattr(render_pricing_tables, "TARGET", changed)
    assert render_pricing_tables.main(["--check"]) == 1
    assert "differs" in capsys.readouterr().err


# The search for the worst error


@pytest.fixture
def search_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small chunks, and a state file of the test's own."""
    monkeypatch.setattr(search_pricing_error, "STATE", tmp_path / "state.json")
    monkeypatch.setattr(search_pricing_error, "CHUNK", 100)
    monkeypatch.setattr(search_pricing_error, "CLIMB_STEPS", 10)
    return tmp_path / "state.json"


def test_search_that_was_cut_off_ends_like_one_that_was_not(
    search_state: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    assert search_pricing_error.main(["--count", "300", "--out", str(whole)]) == 0
    search_state.unlink()
    assert search_pricing_error.main(["--count", "100"]) == 0
    assert search_pricing_error.main(["--count", "300", "--out", str(parts)]) == 0
    assert json.loads(whole.read_text()) == json.loads(parts.read_text())
    assert json.loads(whole.read_text())["points"] == 3 * (100 + 3)


def test_search_finds_a_wrong_law(
    search_state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A value off by 3e-6 of the forward must be reported."""

    def wrong(forward: int, strike: int, total_vol: int, is_call: bool) -> int:
        return option_value(forward, strike, total_vol, is_call) + forward * 3 // 1_000_000

    monkeypatch.setattr(search_pricing_error, "option_value", wrong)
    assert search_pricing_error.main(["--count", "300"]) == 1
    assert "BROKEN" in capsys.readouterr().out
