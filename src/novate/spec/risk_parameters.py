"""Risk parameters of one underlying: scenarios, volatility shocks and the rates of every charge.

The defaults are of the size that option venues publish for BTC and ETH: nine spot moves in steps
of 4 % with volatility up, flat and down, and six tails whose losses count at 16 % / |move|
(Deribit, "Portfolio Margin"; Paradex, "Portfolio Margin", SCAN risk; Derive, "Portfolio Margin
Parameters"). They are set on L1 like every other parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from novate.spec.bounds import GOLDILOCKS
from novate.spec.rounding import PPM


class Scenario(NamedTuple):
    """One joint move of spot and volatility."""

    spot_ppm: int
    """Move of every forward and of the index, signed, above −1,000,000."""
    vol_direction: int
    """−1: volatility down, 0: as it is, +1: up."""
    weight_ppm: int
    """What a loss counts; 1,000,000: undamped. A gain in a scenario is never used elsewhere."""


def _grid(spots: tuple[int, ...], directions: tuple[int, ...]) -> tuple[Scenario, ...]:
    """Every spot move with every direction of volatility, undamped."""
    return tuple(Scenario(spot, direction, PPM) for spot in spots for direction in directions)


TAILS = (
    Scenario(-660_000, 1, 240_000),
    Scenario(-330_000, 1, 480_000),
    Scenario(500_000, 1, 320_000),
    Scenario(1_000_000, 1, 160_000),
    Scenario(2_000_000, 1, 80_000),
    Scenario(5_000_000, 1, 32_000),
)
"""Moves far beyond the grid; the weight is 16 % divided by the move."""

MAIN_SCENARIOS = (
    *_grid((-160_000, -120_000, -80_000, -40_000, 0, 40_000, 80_000, 120_000, 160_000), (-1, 0, 1)),
    *TAILS,
)
"""33 scenarios."""

MINIMAL_SCENARIOS = (
    *_grid((-120_000, 0, 120_000), (-1, 1)),
    Scenario(500_000, 1, 240_000),
)
"""7 scenarios."""


@dataclass(frozen=True)
class RiskParameters:
    """What margin of one underlying depends on besides prices. All rates in ppm."""

    scenarios: tuple[Scenario, ...] = MAIN_SCENARIOS
    vol_up_ppm: int = 500_000
    """Relative rise of a 30-day volatility in the direction +1; scaled by time to expiry."""
    vol_down_ppm: int = 250_000
    """Relative fall of a 30-day volatility in the direction −1; scaled by time to expiry."""
    vol_min_ppm: int = 50_000
    """Lowest volatility of any valuation, positive."""
    vol_max_ppm: int = 5_000_000
    """Highest volatility of any valuation."""
    initial_factor_ppm: int = 1_300_000
    """Initial margin = this factor × maintenance margin; at least 1,000,000."""
    short_option_minimum_ppm: int = 10_000
    """Charge a short option lot, of index (Deribit: 0.01 BTC for each net short option)."""
    basis_shock_ppm: int = 10_000
    """Move of one expiry's forward against another's (Deribit: 1 % of offsetting futures)."""
    vega_offset_ppm: int = 250_000
    """Part of a volatility shock's profit in one expiry not set against losses in others."""
    concentration_free: int = 2_000_000_000_000_000
    """Open interest notional, micro-USDC, below which the concentration rate is 0."""
    concentration_slope_ppm: int = 100_000
    """Rise of the rate for each further `concentration_free` of open interest."""
    concentration_cap_ppm: int = 500_000
    """Highest concentration rate: charge on each position's own worst loss."""
    concentration_ramp_ppm_h: int = 36_000
    """Largest rise of the rate in maintenance margin an hour; 3,600 is 1 ppm a second."""


MINIMAL_RISK = RiskParameters(scenarios=MINIMAL_SCENARIOS)
"""The same rules with few scenarios, for tests."""


def undamped_spots(risk: RiskParameters, direction: int) -> list[int]:
    """Sorted spot moves, ppm, of the undamped scenarios with one direction of volatility."""
    return sorted(
        scenario.spot_ppm
        for scenario in risk.scenarios
        if scenario.weight_ppm == PPM and scenario.vol_direction == direction
    )


def spot_spacing_ppm(risk: RiskParameters) -> int:
    """h: the widest gap between neighbouring undamped spot moves, over all directions; ppm."""
    gaps = (
        upper - lower
        for direction in (-1, 0, 1)
        for lower, upper in pairwise(undamped_spots(risk, direction))
    )
    return max(gaps, default=0)


def lowest_spot_ppm(risk: RiskParameters) -> int:
    """The deepest undamped spot move, ppm, at most 0."""
    return min((s.spot_ppm for s in risk.scenarios if s.weight_ppm == PPM), default=0)


def is_well_formed(risk: RiskParameters) -> bool:
    """Whether margin keeps its promises under these parameters.

    Each direction of volatility that occurs has the same undamped spot moves, 0 among them (the
    charge between nodes compares neighbours of one direction and steps toward 0); moves stay above
    −100 %; weights lie in (0, 1]; rates are not negative and the initial factor is at least 1.
    """
    grids = [
        undamped_spots(risk, direction)
        for direction in (-1, 0, 1)
        if undamped_spots(risk, direction)
    ]
    return (
        bool(grids)
        and all(grid == grids[0] and 0 in grid for grid in grids)
        and all(s.spot_ppm > -PPM and 0 < s.weight_ppm <= PPM for s in risk.scenarios)
        and all(s.vol_direction in (-1, 0, 1) for s in risk.scenarios)
        and min(_scalars(risk)) >= 0
        and 0 < risk.vol_min_ppm <= risk.vol_max_ppm
        and risk.vol_down_ppm <= PPM
        and risk.initial_factor_ppm >= PPM
        and 2 * risk.basis_shock_ppm < PPM
        and risk.concentration_free > 0
    )


def _scalars(risk: RiskParameters) -> list[int]:
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


def risk_elements(risk: RiskParameters) -> list[int]:
    """Field elements of every parameter in the order of the fields, for hashing.

    The number of scenarios, three elements each, then the scalars; signed values mod p.
    """
    elements = [len(risk.scenarios)]
    for scenario in risk.scenarios:
        elements += [scenario.spot_ppm, scenario.vol_direction, scenario.weight_ppm]
    return [element % GOLDILOCKS for element in elements + _scalars(risk)]
