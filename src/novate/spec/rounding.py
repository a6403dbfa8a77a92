"""Every division of the law. The direction stands in the name; no other file divides.

All divisors are positive; operands may be negative.
"""

from __future__ import annotations


def div_down(numerator: int, denominator: int) -> int:
    """Quotient rounded toward minus infinity."""
    return numerator // denominator


def div_up(numerator: int, denominator: int) -> int:
    """Quotient rounded toward plus infinity."""
    return -(-numerator // denominator)


def div_nearest(numerator: int, denominator: int) -> int:
    """Quotient rounded to the nearest integer, halves toward plus infinity."""
    return (2 * numerator + denominator) // (2 * denominator)


def mul_div_down(left: int, right: int, denominator: int) -> int:
    """left · right / denominator, rounded toward minus infinity."""
    return left * right // denominator


def mul_div_up(left: int, right: int, denominator: int) -> int:
    """left · right / denominator, rounded toward plus infinity."""
    return -(-(left * right) // denominator)


PPM = 1_000_000


def ppm_down(amount: int, ppm: int) -> int:
    """amount · ppm / 1,000,000, rounded toward minus infinity."""
    return amount * ppm // PPM


def ppm_up(amount: int, ppm: int) -> int:
    """amount · ppm / 1,000,000, rounded toward plus infinity."""
    return -(-(amount * ppm) // PPM)


def clamp(value: int, low: int, high: int) -> int:
    """value moved into [low, high]; low <= high."""
    return max(low, min(value, high))
