"""The volatility smile of one expiry: vols at eleven fixed nodes of scaled moneyness.

Moneyness is x = ln(strike/forward) / √max(T, 1 day) with T in years, so that one node set serves a
day and a year. The nodes are 0, ±1/4, ±1/2, ±1, ±2, ±4: chosen on 244 real chains among eleven
sets (docs/decisions/0002-integer-pricing.md). Between nodes the variance σ² is linear in the
logarithm of the strike, beyond the outer ones the vol is flat.

Vols are in ppm of 1.0 a year, in [0, 2^24); time left in seconds, in [0, 2^32); logarithms are
in 2^-40.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isqrt

from novate.spec.bounds import DAY_S
from novate.spec.pricing import (
    EXPONENTIAL_BITS,
    LOG_BITS,
    ROOT_BITS,
    YEAR_S,
    exponential,
    log_ratio,
    option_value,
    root_time,
    total_volatility,
    variance_seconds,
)
from novate.spec.rounding import PPM, clamp, div_down, mul_div_down

NODE_QUARTERS = (-16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16)
"""Four times the scaled moneyness x of each node."""
NODES = len(NODE_QUARTERS)
"""Vols in a smile."""
FRACTION_BITS = 14
"""A place between two nodes is in units of 2^-14, so that variance · place stays below 2^62."""
CHECK_FORWARD = 1 << 24
"""Forward, in ticks, at which the butterfly check prices the nodes."""
CHECK_DISTANCE_MAX = 9 << (LOG_BITS - 1)
"""The butterfly check leaves out nodes beyond ±4.5 in ln(strike/forward): strikes stay < 2^31."""
CHECK_SLACK = 2
"""Ticks of slack in the butterfly check; each price in it is off by at most 0.51 ticks."""
CALENDAR_FIRST, CALENDAR_LAST = 3, 7
"""The calendar check spans these nodes of the nearer expiry, x = −1/2 to 1/2."""


def smile_nodes(seconds_left: int) -> tuple[int, ...]:
    """ln(strike/forward) of each node in 2^-40, ascending, |.| < 2^46. Once per expiry."""
    root = isqrt(div_down(max(seconds_left, DAY_S) << (2 * ROOT_BITS), YEAR_S))
    return tuple(quarters * root << (LOG_BITS - ROOT_BITS - 2) for quarters in NODE_QUARTERS)


def variance_at(vols: Sequence[int], nodes: Sequence[int], moneyness: int) -> int:
    """σ² in ppm², below 2^48, at ln(strike/forward) = moneyness (2^-40, any size)."""
    if moneyness <= nodes[0]:
        return vols[0] ** 2
    for left in range(len(nodes) - 1):
        right = left + 1
        if moneyness <= nodes[right]:
            whole = 1 << FRACTION_BITS
            step = (moneyness - nodes[left]) << FRACTION_BITS  # < 2^61
            place = div_down(step, nodes[right] - nodes[left])
            return (vols[left] ** 2 * (whole - place) + vols[right] ** 2 * place) >> FRACTION_BITS
    return vols[-1] ** 2


def smile_vol(vols: Sequence[int], forward: int, strike: int, seconds_left: int) -> int:
    """Volatility in ppm at a strike, rounded down; forward and strike in ticks, [0, 2^31).

    A zero strike lies left of every node, a zero forward leaves every strike right of them.
    """
    if strike == 0:
        return vols[0]
    if forward == 0:
        return vols[-1]
    return isqrt(variance_at(vols, smile_nodes(seconds_left), log_ratio(strike, forward)))


def is_free_of_butterflies(vols: Sequence[int], seconds_left: int) -> bool:
    """Call prices at the node strikes, and the forward at strike zero, are convex and falling.

    Scale-free, so priced at a forward of 2^24 ticks. Convexity: (C1 − C0)/(K1 − K0) at most
    (C2 − C1)/(K2 − K1), multiplied out (products < 2^56), with slack for the rounding of prices.
    """
    root = root_time(seconds_left)
    strikes, calls = [0], [CHECK_FORWARD]
    for node, vol in zip(smile_nodes(seconds_left), vols, strict=True):
        if abs(node) <= CHECK_DISTANCE_MAX:
            strike = CHECK_FORWARD * exponential(node) >> EXPONENTIAL_BITS
            strikes.append(strike)
            calls.append(option_value(CHECK_FORWARD, strike, total_volatility(vol, root), True))
    widths = [right - left for left, right in pairwise(strikes)]
    steps = [right - left for left, right in pairwise(calls)]
    convex = all(
        steps[i] * widths[i + 1]
        <= steps[i + 1] * widths[i] + CHECK_SLACK * (widths[i] + widths[i + 1])
        for i in range(len(widths) - 1)
    )
    return convex and steps[-1] <= CHECK_SLACK


def is_free_of_calendars(
    nearer: Sequence[int], nearer_s: int, farther: Sequence[int], farther_s: int
) -> bool:
    """Total variance σ²·τ at equal ln(strike/forward) does not fall from the nearer expiry on.

    Judged where |x| <= 1/2 for the nearer expiry. Both variances are piecewise linear there, so
    their nodes in that range decide for every strike of it. Further out real chains disagree with
    themselves (15 to 20 % of neighbours at |x| <= 2), in prices of a few basis points. σ² is cut
    to 30 bits and the farther one rounded up, so products stay below 2^62.
    """
    nearer_nodes, farther_nodes = smile_nodes(nearer_s), smile_nodes(farther_s)
    judged = nearer_nodes[CALENDAR_FIRST : CALENDAR_LAST + 1]
    judged += tuple(clamp(k, judged[0], judged[-1]) for k in farther_nodes)
    nearer_time, farther_time = (div_down(*variance_seconds(s)) for s in (nearer_s, farther_s))
    return all(
        (variance_at(nearer, nearer_nodes, k) >> 18) * nearer_time
        <= ((variance_at(farther, farther_nodes, k) >> 18) + 1) * farther_time
        for k in judged
    )


def smile_is_admissible(
    vols: Sequence[int],
    seconds_left: int,
    vol_min: int,
    vol_max: int,
    nearer: tuple[Sequence[int], int] | None = None,
) -> bool:
    """Whether a reported smile may replace the last one: bounds, butterflies, calendars.

    nearer: (vols, seconds left) of the next earlier expiry, None for the first one.
    """
    if len(vols) != NODES or not all(vol_min <= vol <= vol_max for vol in vols):
        return False
    if not is_free_of_butterflies(vols, seconds_left):
        return False
    return nearer is None or is_free_of_calendars(*nearer, vols, seconds_left)


def term_multiplier_ppm(seconds_left: int, table: Sequence[int]) -> int:
    """Multiplier of a volatility shock, ppm, rounded down; table at 1, 2, 4, … days (< 2^24 each).

    Linear between the table's points, flat before one day and after the last point.
    """
    seconds = clamp(seconds_left, DAY_S, DAY_S << (len(table) - 1))
    index = div_down(seconds, DAY_S).bit_length() - 1
    if index == len(table) - 1:
        return table[index]
    start = DAY_S << index
    return table[index] + mul_div_down(table[index + 1] - table[index], seconds - start, start)


def shocked_vol(
    vol_ppm: int,
    shock_ppm: int,
    seconds_left: int,
    table: Sequence[int],
    vol_min: int,
    vol_max: int,
) -> int:
    """Volatility of a scenario: σ·(1 + shock · multiplier) clamped to [vol_min, vol_max], ppm.

    shock_ppm is signed, |.| <= 2^22; rounded down. A fall of more than all of σ gives vol_min.
    The form is Deribit's, (30 days / T)^0.30, and Derive's: 0.13 beyond 30 days, T >= 1 day.
    """
    move = mul_div_down(shock_ppm, term_multiplier_ppm(seconds_left, table), PPM)
    return clamp(mul_div_down(vol_ppm, PPM + move, PPM), vol_min, vol_max)
