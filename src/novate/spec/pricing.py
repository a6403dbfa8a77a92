"""Black-76 value of a European option on a forward, in integers.

Source: F. Black, "The pricing of commodity contracts" (1976), undiscounted. With low and high the
smaller and larger of forward and strike, x = ln(high/low), w = total volatility, the option that
is out of the money is worth, call or put alike,

    low · N(−x/w + w/2) − high · N(−x/w − w/2)

and the other one that plus high − low. So put-call parity is exact, no value is negative or below
intrinsic, a call is at most the forward and a put at most the strike, whatever the tables say.

Both deviates are shifted by the same error when x or x/w is rounded, and at the true deviates the
value is stationary in a common shift (low · density = high · density): the shift e costs
low · w · e²/2 only. What is left is the error of the tail table, 2.5e-10 · (low + high), and half a
tick. Fixed point: deviates and w in 2^-24, tails in 2^-32, logarithms in 2^-40. Every intermediate
of a value is below 2^63, half of the proof's field; only `root_time`, once per expiry, is wider.
"""

from __future__ import annotations

from math import isqrt

from novate.spec.bounds import SETTLEMENT_WINDOW_S
from novate.spec.pricing_tables import (
    LN2,
    LOG_BASE,
    LOG_BEND,
    LOG_SLOPE,
    TAIL_BASE,
    TAIL_BEND,
    TAIL_SLOPE,
)
from novate.spec.rounding import clamp, div_down, div_nearest

YEAR_S = 31_536_000
"""Seconds in the year that volatilities refer to: 365 days."""
LOG_BITS = 40
"""Logarithms are in units of 2^-40."""
EXPONENTIAL_BITS = 30
"""Exponentials are in units of 2^-30."""
VOL_BITS = 24
"""Total volatilities and normal deviates are in units of 2^-24."""
TAIL_BITS = 32
"""Normal tail probabilities are in units of 2^-32."""
ROOT_BITS = 32
"""Square roots of time in years are in units of 2^-32."""
TOTAL_VOL_MAX = 2 << VOL_BITS
"""Total volatility is clamped to 2."""
DISTANCE_MAX = 12 << LOG_BITS
"""Where |ln(forward/strike)| is larger the value is intrinsic: the rest is < 8e-8 of the lesser."""
TAIL_END = 7 << VOL_BITS
"""From this deviate on the tail counts as 0 (it is below 2^-39)."""


def variance_seconds(seconds_left: int) -> tuple[int, int]:
    """Seconds of variance left, as (numerator, denominator), for an average over the last 1,800 s.

    seconds_left T in [0, 2^32). The settlement price is a mean over the last half hour: before it
    starts T − 1,200 s of variance are left (1,800/3 for the mean itself), inside it T³/(3·1,800²).
    Both give 600 s at T = 1,800 s.
    """
    if seconds_left >= SETTLEMENT_WINDOW_S:
        return seconds_left - 1_200, 1
    return seconds_left**3, 3 * SETTLEMENT_WINDOW_S**2


def root_time(seconds_left: int) -> int:
    """√(variance time in years) in 2^-32, rounded down, < 2^36; its square has 72 bits."""
    numerator, denominator = variance_seconds(seconds_left)
    return isqrt(div_down(numerator << (2 * ROOT_BITS), denominator * YEAR_S))


def total_volatility(vol_ppm: int, root: int) -> int:
    """w = σ√T in 2^-24, to nearest, clamped to 2. vol_ppm < 2^24, root (of `root_time`) < 2^36."""
    scale = 1_000_000 << (ROOT_BITS - VOL_BITS)
    return min(TOTAL_VOL_MAX, div_nearest(vol_ppm * root, scale))  # twice the product < 2^61


def averaged_forward(mean: int, forward: int, seconds_left: int) -> int:
    """Expected settlement price in ticks, rounded down.

    mean: of the prints since the last half hour began; forward: now, shocked or not; both < 2^31.
    With T < 1,800 s left it is (mean · (1,800 − T) + forward · T) / 1,800, before that the forward.
    """
    if seconds_left >= SETTLEMENT_WINDOW_S:
        return forward
    passed = SETTLEMENT_WINDOW_S - seconds_left
    return div_down(mean * passed + forward * seconds_left, SETTLEMENT_WINDOW_S)


def logarithm(ticks: int) -> int:
    """ln(ticks) in 2^-40, error below 2^-30; ticks in [1, 2^31)."""
    exponent = ticks.bit_length() - 1
    mantissa = ticks << (30 - exponent)  # in [2^30, 2^31): 8 bits pick the row, 22 bits stay
    row = (mantissa >> 22) - 256
    part = mantissa & 0x3FFFFF
    slope = LOG_SLOPE[row] - (LOG_BEND[row] * part >> 22)  # product < 2^46, slope < 2^33
    return exponent * LN2 + LOG_BASE[row] + (slope * part >> 22)  # product < 2^55


def log_ratio(above: int, below: int) -> int:
    """ln(above/below) in 2^-40, signed, |.| < 22·2^40; both in [1, 2^31). 0 when they are equal."""
    return logarithm(above) - logarithm(below)


def exponential(exponent: int) -> int:
    """e^exponent in 2^-30, within 2^-26 of it and one unit; |exponent| <= 12·2^40 in 2^-40.

    e^y = 2^n · e^r with r in [0, ln 2), by the series of e^r to r^10/10! (the rest is < 2^-31).
    """
    doublings = div_down(exponent, LN2)
    rest = (exponent - doublings * LN2) >> (LOG_BITS - EXPONENTIAL_BITS)
    total = one = 1 << EXPONENTIAL_BITS
    for k in range(10, 0, -1):
        total = one + div_down(total * rest >> EXPONENTIAL_BITS, k)  # product < 2^61
    return total << doublings if doublings >= 0 else total >> -doublings


def upper_tail(deviate: int) -> int:
    """1 − N(deviate) in 2^-32, in [0, 2^32], error < 2.6e-10; deviate in 2^-24, any sign."""
    distance = abs(deviate)
    tail = 0
    if distance < TAIL_END:
        row = distance >> 16  # 11 bits
        part = distance & 0xFFFF
        slope = TAIL_SLOPE[row] - (TAIL_BEND[row] * part >> 16)  # product < 2^33, slope < 2^27
        fine = TAIL_BASE[row] - (slope * part >> 16)  # in 2^-36, product < 2^43
        tail = (fine + 8) >> 4
    return tail if deviate >= 0 else (1 << TAIL_BITS) - tail


def out_of_the_money_value(low: int, high: int, total_vol: int) -> int:
    """Value in ticks of the call (or put) between low <= high, its forward and strike either way.

    low, high in [0, 2^31); total_vol in [0, 2^25] in 2^-24. Result in [0, low].
    """
    if low == 0 or total_vol == 0:
        return 0
    distance = log_ratio(high, low)
    if distance > DISTANCE_MAX:
        return 0
    # x/w in 2^-24: the numerator is below 12 · 2^48 < 2^52.
    middle = div_down(max(0, distance) << (2 * VOL_BITS - LOG_BITS), total_vol)
    near = middle - (total_vol >> 1)  # −d1; at least −1, so its tail is at most N(1) < 0.8414
    far = near + total_vol  # −d2 >= 0, so its tail is at most 1/2
    # low · tail < 0.8414 · 2^63 and high · tail <= 2^62: the difference and its rounding fit.
    fine = low * upper_tail(near) - high * upper_tail(far)
    return clamp((max(0, fine) + (1 << (TAIL_BITS - 1))) >> TAIL_BITS, 0, low)


def option_value(forward: int, strike: int, total_vol: int, is_call: bool) -> int:
    """Undiscounted Black-76 value in the ticks of forward and strike; total over its bounds.

    forward, strike in [0, 2^31); total_vol of `total_volatility`. Result in [intrinsic, forward]
    for a call, [intrinsic, strike] for a put; call − put = forward − strike exactly. Within
    1e-8 of the forward and half a tick of the true value for |ln(forward/strike)| <= 2.5.
    """
    low, high = min(forward, strike), max(forward, strike)
    intrinsic = forward - strike if is_call else strike - forward
    return out_of_the_money_value(low, high, total_vol) + max(0, intrinsic)
