"""Every bound of the law by name, and why no sum of bounded values reaches p/2.

The proof works modulo p = 2**64 − 2**32 + 1; a signed value v stands for v mod p, so every
intermediate a constraint compares must stay below p/2 ≈ 2**63. Widths:

    fill cash            price · quantity                  < 2**47 by NOTIONAL_MAX
    batch cash of one    2**14 fills · 2**47                = 2**61 < p/2
    position value       |quantity| · mark, mark < 2**31    < 2**62
    account gross        sum of |quantity| · index          < 2**58 when a position is increased
    account equity       |cash| + gross · (mark/index ≤ 2)  < 2**60 + 2**59 < p/2
Products wider than that (deleveraging, funding) are split into limbs by the tables.
"""

from __future__ import annotations

from novate.spec.errors import DecodeError

GOLDILOCKS = 2**64 - 2**32 + 1
"""The field's modulus p."""

PRICE_MAX = 2**31 - 1
"""Largest price in ticks, inclusive."""
QUANTITY_MAX = 2**31 - 1
"""Largest absolute quantity in lots, inclusive."""
FILL_NOTIONAL_MAX = 2**47 - 1
"""Largest price · quantity of one fill, micro-USDC, inclusive."""
POSITION_NOTIONAL_MAX = 2**52 - 1
"""Largest |quantity| · index of a position that an act increases, micro-USDC, inclusive."""
ACCOUNT_GROSS_MAX = 2**58 - 1
"""Largest sum of |quantity| · index of an account that an act increases, micro-USDC, inclusive."""
CASH_MAX = 2**60 - 1
"""Largest absolute cash of any holder, micro-USDC, inclusive."""
TIME_MAX = 2**32 - 1
"""Latest time, unix seconds, inclusive."""
NONCE_MAX = 2**32 - 1
"""Largest order nonce, inclusive."""
INDEX_MAX = 2**32 - 1
"""Largest account index or slot number a message can name, inclusive."""
AMOUNT_MAX = 2**63 - 1
"""Largest amount a message can name, micro-USDC, inclusive: one element."""
EPOCH_MAX = 2**31 - 1
"""Largest epoch counter, inclusive."""
PPM_SIGNED_MAX = 2**24 - 1
"""Largest absolute value of a signed ppm field (basis, premium, fees), inclusive."""
VOL_PPM_MAX = 2**24 - 1
"""Largest volatility, ppm of 1.0 a year (about 1,678 %), inclusive."""
OWNER_MAX = 2**160 - 1
"""Largest L1 address as an integer, inclusive."""

FACTOR_ONE = 2**30
"""The deleveraging factor of a side that was never deleveraged. 2**30, not 2**32: the cash
accumulator is at most FACTOR_ONE · PRICE_MAX < 2**61 from deleveraging plus as much from funding,
so it stays below p/2."""
FACTOR_MIN = 2**14
"""A factor that would fall below this settles the instrument instead."""
ACCUMULATOR_MAX = 2**62 - 1
"""Largest absolute cash accumulator of a side, inclusive."""

ORACLE_GRID_S = 5
"""Oracle prints lie on multiples of this many seconds."""
SETTLEMENT_WINDOW_S = 1_800
"""Length of the averaging window before each 08:00 UTC."""
DAY_S = 86_400
FUNDING_PERIOD_S = 28_800


def check_elements(field: str, values: tuple[int, ...]) -> None:
    """DecodeError unless every value is a canonical element, in [0, p)."""
    for value in values:
        check_range(field, value, 0, GOLDILOCKS - 1)


def check_range(field: str, value: int, low: int, high: int) -> int:
    """value, when low <= value <= high; DecodeError naming field, value and limits otherwise."""
    if not low <= value <= high:
        raise DecodeError("out_of_range", f"{field} = {value} is not in [{low}, {high}]")
    return value
