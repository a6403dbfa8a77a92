"""The smile between its nodes, its admissibility, and the shocked volatility."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mpmath import mp, mpf

from novate.spec.bounds import VOL_PPM_MAX
from novate.spec.pricing import YEAR_S, option_value, root_time, total_volatility
from novate.spec.pricing_tables import VOL_SHOCK_TERM_PPM
from novate.spec.smile import (
    NODE_QUARTERS,
    NODES,
    is_free_of_butterflies,
    is_free_of_calendars,
    shocked_vol,
    smile_is_admissible,
    smile_nodes,
    smile_vol,
    term_multiplier_ppm,
    variance_at,
)

ROOT = Path(__file__).resolve().parents[2]
DAY = 86_400
VOL_MIN, VOL_MAX = 50_000, 5_000_000
FLAT = (650_000,) * NODES
REAL = (
    1_190_000,
    893_000,
    662_000,
    553_000,
    500_000,
    465_000,
    452_000,
    468_000,
    525_000,
    660_000,
    900_000,
)
"""A week of BTC in the shape of a real chain: put skew, both wings up."""
VOLS = st.lists(st.integers(VOL_MIN, VOL_MAX), min_size=NODES, max_size=NODES)
MILD = st.builds(
    lambda base, bends: [base * (100 + bend) // 100 for bend in bends],
    st.integers(200_000, 1_500_000),
    st.lists(st.integers(0, 12), min_size=NODES, max_size=NODES),
)
"""Smiles that may well pass the checks: those of `VOLS` hardly ever do."""
TIMES = st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 2 * DAY), st.integers(DAY, YEAR_S))
TICKS = st.integers(0, 2**31 - 1)


# Nodes and interpolation


@given(TIMES)
@example(0)
@example(2**32 - 1)
def test_nodes_are_the_fixed_moneyness_times_the_root_of_time(seconds: int) -> None:
    with mp.workdps(50):
        root = mp.sqrt(mpf(max(seconds, DAY)) / YEAR_S)
        for quarters, node in zip(NODE_QUARTERS, smile_nodes(seconds), strict=True):
            assert abs(mpf(node) / 2**40 - quarters * root / 4) <= abs(quarters) * mpf(2) ** -34


def test_nodes_stand_still_in_the_last_day() -> None:
    assert smile_nodes(0) == smile_nodes(DAY) != smile_nodes(DAY + 600)


@pytest.mark.parametrize("seconds", [60, DAY, 30 * DAY, YEAR_S])
def test_vol_at_a_node_is_the_nodes_own(seconds: int) -> None:
    nodes = smile_nodes(seconds)
    for vol, node in zip(REAL, nodes, strict=True):
        assert variance_at(REAL, nodes, node) == vol**2


@given(VOLS, st.integers(2**12, 2**31 - 1), st.integers(1, 2**31 - 1), st.integers(0, YEAR_S))
def test_variance_is_linear_in_the_log_of_the_strike(
    vols: list[int], forward: int, strike: int, seconds: int
) -> None:
    """Against floats, to the 2^-14 of a segment in which places are counted."""
    nodes = [n / 4 * math.sqrt(max(seconds, DAY) / YEAR_S) for n in NODE_QUARTERS]
    moneyness = math.log(strike / forward)
    right = next((i for i, node in enumerate(nodes) if moneyness <= node), NODES)
    if right in (0, NODES):
        expected, swing = vols[0 if right == 0 else -1] ** 2, 0.0
    else:
        low, high = vols[right - 1] ** 2, vols[right] ** 2
        place = (moneyness - nodes[right - 1]) / (nodes[right] - nodes[right - 1])
        expected, swing = low + (high - low) * place, abs(high - low)
    found = smile_vol(vols, forward, strike, seconds)
    assert abs(found**2 - expected) <= swing * 2.0**-13 + 2 * found + 2


@given(VOLS, TICKS, TICKS, TIMES)
@example([VOL_MIN] * NODES, 0, 0, 0)
@example([VOL_MAX] * NODES, 1, 2**31 - 1, 2**32 - 1)
@example([VOL_MAX] * NODES, 2**31 - 1, 1, 0)
def test_every_strike_has_a_vol_between_the_nodes_vols(
    vols: list[int], forward: int, strike: int, seconds: int
) -> None:
    assert min(vols) - 1 <= smile_vol(vols, forward, strike, seconds) <= max(vols)


def test_vol_is_flat_beyond_the_outer_nodes_and_at_zero() -> None:
    assert smile_vol(REAL, 100_000, 20_000, DAY) == REAL[0]
    assert smile_vol(REAL, 100_000, 500_000, DAY) == REAL[-1]
    assert smile_vol(REAL, 100_000, 0, DAY) == REAL[0]
    assert smile_vol(REAL, 0, 100_000, DAY) == REAL[-1]


# Admissibility


@pytest.mark.parametrize("seconds", [0, 60, 1_800, DAY, 7 * DAY, 30 * DAY, YEAR_S, 3 * YEAR_S])
def test_flat_and_real_smiles_are_admissible(seconds: int) -> None:
    assert smile_is_admissible(FLAT, seconds, VOL_MIN, VOL_MAX)
    assert smile_is_admissible(REAL, seconds, VOL_MIN, VOL_MAX)


def test_vols_outside_the_bounds_are_refused() -> None:
    for node in range(NODES):
        for vol in (VOL_MIN - 1, VOL_MAX + 1, 0, VOL_PPM_MAX):
            smile = (*FLAT[:node], vol, *FLAT[node + 1 :])
            assert not smile_is_admissible(smile, 7 * DAY, VOL_MIN, VOL_MAX)
    assert smile_is_admissible((VOL_MIN,) * NODES, 7 * DAY, VOL_MIN, VOL_MAX)
    assert smile_is_admissible((VOL_MAX,) * NODES, 7 * DAY, VOL_MIN, VOL_MAX)


def test_a_smile_of_another_length_is_refused() -> None:
    assert not smile_is_admissible(FLAT[1:], 7 * DAY, VOL_MIN, VOL_MAX)
    assert not smile_is_admissible((*FLAT, FLAT[0]), 7 * DAY, VOL_MIN, VOL_MAX)


@pytest.mark.parametrize("node", [3, 4, 5, 6, 7])
def test_a_spike_at_one_node_is_refused(node: int) -> None:
    """A vol three times its neighbours' makes the middle strike too dear: a butterfly pays."""
    spiked = (*FLAT[:node], 3 * FLAT[node], *FLAT[node + 1 :])
    assert not is_free_of_butterflies(spiked, 30 * DAY)
    assert not smile_is_admissible(spiked, 30 * DAY, VOL_MIN, VOL_MAX)


@given(st.one_of(VOLS, MILD), st.integers(DAY, YEAR_S))
@example(list(REAL), 7 * DAY)
def test_butterfly_check_agrees_with_prices_in_floats(vols: list[int], seconds: int) -> None:
    """The same question put to floats, of node strikes e^k; ties near zero are left aside."""
    root = math.sqrt((seconds - 1_200) / YEAR_S)
    strikes, calls = [0.0], [1.0]
    for quarters, vol in zip(NODE_QUARTERS, vols, strict=True):
        log_strike = quarters / 4 * math.sqrt(seconds / YEAR_S)
        deviation = min(2.0, vol / 1e6 * root)
        d1 = -log_strike / deviation + deviation / 2
        strikes.append(math.exp(log_strike))
        calls.append(
            math.erfc(-d1 / math.sqrt(2)) / 2
            - strikes[-1] * math.erfc((deviation - d1) / math.sqrt(2)) / 2
        )
    worst = min(
        (
            calls[i - 1] * (strikes[i + 1] - strikes[i])
            + calls[i + 1] * (strikes[i] - strikes[i - 1])
        )
        / (strikes[i + 1] - strikes[i - 1])
        - calls[i]
        for i in range(1, NODES)
    )
    if worst < -1e-6:
        assert not is_free_of_butterflies(vols, seconds)
    if worst > 0:
        assert is_free_of_butterflies(vols, seconds)


def test_less_total_variance_later_is_refused() -> None:
    near, far = (7 * DAY, 14 * DAY)
    assert smile_is_admissible(FLAT, far, VOL_MIN, VOL_MAX, (FLAT, near))
    halved = tuple(vol * 7 // 10 for vol in FLAT)  # σ² below half, over twice the time
    assert not smile_is_admissible(halved, far, VOL_MIN, VOL_MAX, (FLAT, near))
    kept = tuple(vol * 71 // 100 for vol in FLAT)
    assert smile_is_admissible(kept, far, VOL_MIN, VOL_MAX, (FLAT, near))


@given(MILD, MILD, st.integers(DAY, 90 * DAY), st.integers(DAY, 90 * DAY))
@example(list(REAL), list(REAL), 7 * DAY, DAY)
def test_smiles_free_of_calendars_price_the_later_call_higher(
    near: list[int], far: list[int], near_s: int, gap_s: int
) -> None:
    """What the check promises: at equal moneyness in its range no calendar spread is negative."""
    far_s = near_s + gap_s
    if not is_free_of_calendars(near, near_s, far, far_s):
        return
    forward = 2**26
    edge = smile_nodes(near_s)[7] / 2**40
    for step in range(-8, 9):
        strike = round(forward * math.exp(edge * step / 8.001))
        values = [
            option_value(
                forward,
                strike,
                total_volatility(smile_vol(vols, forward, strike, seconds), root_time(seconds)),
                True,
            )
            for vols, seconds in ((near, near_s), (far, far_s))
        ]
        # vols are whole ppm, places in 2^-14 of a segment, σ² in 30 bits: 1e-4 of w, vega <= 0.4
        assert values[1] + forward * 2e-4 >= values[0]


def test_real_chains_are_admissible() -> None:
    """The checks must not refuse the real market: Deribit's vols interpolated at the nodes."""
    folder = ROOT.parent / "shared" / "data" / "options"
    if not folder.exists():
        pytest.skip("no real option chains: ../shared/data/options is absent")
    pytest.importorskip("numpy")
    from tools.measure_smile_fit import interpolated, np, read_chains

    nodes = np.array(NODE_QUARTERS) / 4
    earlier = None
    chains = read_chains(folder)
    for chain in chains:
        smile = [int(vol * 1_000_000) for vol in interpolated(nodes, chain)]
        if earlier is not None and earlier[0][:2] == chain[:2]:
            nearer = (earlier[1], earlier[0].seconds)
        else:
            nearer = None
        assert smile_is_admissible(smile, chain.seconds, VOL_MIN, VOL_MAX, nearer), chain[:3]
        earlier = (chain, smile)
    print(f"{len(chains)} chains of Deribit admissible")
    assert len(chains) > 200


# Shocked volatility


def test_term_multiplier_is_deribits_power_of_time() -> None:
    for days in (1, 2, 4, 8, 16):
        exact = (30 / days) ** 0.30 * 1_000_000
        assert abs(term_multiplier_ppm(days * DAY, VOL_SHOCK_TERM_PPM) - exact) <= 1
    for days in (32, 64, 256, 1_024):
        exact = (30 / days) ** 0.13 * 1_000_000
        assert abs(term_multiplier_ppm(days * DAY, VOL_SHOCK_TERM_PPM) - exact) <= 1


@given(st.integers(0, 2**32 - 1))
def test_term_multiplier_is_near_the_power_between_its_points(seconds: int) -> None:
    """Chords of a convex power lie at most 2 % above it, 3 % where the power changes."""
    days = min(max(seconds / DAY, 1), 1_024)
    exact = (30 / days) ** (0.30 if days < 30 else 0.13) * 1_000_000
    found = term_multiplier_ppm(seconds, VOL_SHOCK_TERM_PPM)
    assert exact * 0.999 - 1 <= found <= exact * 1.03


@given(TIMES, TIMES)
def test_term_multiplier_falls_with_time(one: int, other: int) -> None:
    lower, higher = sorted((one, other))
    assert term_multiplier_ppm(lower, VOL_SHOCK_TERM_PPM) >= term_multiplier_ppm(
        higher, VOL_SHOCK_TERM_PPM
    )


def test_shocks_move_the_vol_by_the_multiplier() -> None:
    flat = (1_000_000,) * 11
    assert shocked_vol(600_000, 250_000, 7 * DAY, flat, VOL_MIN, VOL_MAX) == 750_000
    assert shocked_vol(600_000, -250_000, 7 * DAY, flat, VOL_MIN, VOL_MAX) == 450_000
    assert shocked_vol(600_000, 0, 7 * DAY, VOL_SHOCK_TERM_PPM, VOL_MIN, VOL_MAX) == 600_000
    doubled = (2_000_000,) * 11
    assert shocked_vol(600_000, 250_000, 7 * DAY, doubled, VOL_MIN, VOL_MAX) == 900_000


@given(
    st.integers(0, VOL_PPM_MAX),
    st.integers(-(2**22), 2**22),
    st.integers(-(2**22), 2**22),
    TIMES,
)
@example(VOL_PPM_MAX, 2**22, -(2**22), 0)
def test_shocked_vols_stay_in_bounds_and_in_order(
    vol: int, one: int, other: int, seconds: int
) -> None:
    lower, higher = sorted((one, other))
    low, high = (
        shocked_vol(vol, shock, seconds, VOL_SHOCK_TERM_PPM, VOL_MIN, VOL_MAX)
        for shock in (lower, higher)
    )
    assert VOL_MIN <= low <= high <= VOL_MAX
