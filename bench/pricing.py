"""Options priced a second: the law, QuantLib one by one, numpy with scipy and fast-vollib in bulk.

    python -m bench.pricing

All price the same seeded chains (forward, strike, σ√T, side) in the same run; the table also shows
how far each lies from the law, in ticks, over the options that all of them priced.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import fast_vollib
import numpy as np
import QuantLib
import scipy.special
from numpy.typing import NDArray

from bench.common import Timing, measure, report
from novate.spec.pricing import VOL_BITS, option_value, root_time, total_volatility

SEED = 20260324
ONE_BY_ONE = 20_000
"""Options for those that price one at a time."""
IN_BULK = 1_000_000
"""Options for those that take arrays."""
FORWARD = 10_000_000
"""About a BTC price in ticks of a cent."""

Array = NDArray[np.float64]


def chains(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Strikes (0.6 to 1.65 forwards), total volatilities (one hour to two years) and call flags."""
    source = np.random.default_rng(SEED)
    strikes = np.rint(FORWARD * np.exp(source.uniform(-0.5, 0.5, count))).astype(np.int64)
    vols = source.integers(200_000, 1_500_000, count)
    seconds = np.exp(source.uniform(np.log(3_600), np.log(63_072_000), count)).astype(np.int64)
    roots = {int(s): root_time(int(s)) for s in np.unique(seconds)}
    total = [total_volatility(int(v), roots[int(s)]) for v, s in zip(vols, seconds, strict=True)]
    return strikes, np.array(total), source.random(count) < 0.5


def law(strikes: list[int], total_vols: list[int], calls: list[bool]) -> Array:
    """The specification, in plain Python."""
    rows = zip(strikes, total_vols, calls, strict=True)
    return np.array([option_value(FORWARD, k, w, c) for k, w, c in rows], dtype=np.float64)


def quantlib(strikes: list[int], total_vols: list[int], calls: list[bool]) -> Array:
    """QuantLib's blackFormula, one call an option."""
    black, call, put = QuantLib.blackFormula, QuantLib.Option.Call, QuantLib.Option.Put
    unit = 2.0**-VOL_BITS
    rows = zip(strikes, total_vols, calls, strict=True)
    return np.array([black(call if c else put, k, FORWARD, w * unit) for k, w, c in rows])


def numpy_scipy(strikes: Array, deviations: Array, calls: NDArray[np.bool_]) -> Array:
    """Black-76 over arrays with scipy's normal distribution."""
    sign = np.where(calls, 1.0, -1.0)
    d1 = np.log(FORWARD / strikes) / deviations + deviations / 2
    tail = scipy.special.ndtr
    values: Array = sign * (FORWARD * tail(sign * d1) - strikes * tail(sign * (d1 - deviations)))
    return values


def vollib(strikes: Array, deviations: Array, flags: NDArray[np.str_]) -> Array:
    """fast-vollib's vectorised Black, with its default backend; T = 1 so that σ is σ√T."""
    count = len(strikes)
    values: Array = fast_vollib.fast_black(
        flags,
        np.full(count, float(FORWARD)),
        strikes,
        np.ones(count),
        np.zeros(count),
        deviations,
        return_as="numpy",
    )
    return values


def main() -> int:
    """Measure, print, write build/bench/pricing.json."""
    strikes, total_vols, calls = chains(IN_BULK)
    few = (strikes[:ONE_BY_ONE].tolist(), total_vols[:ONE_BY_ONE].tolist())
    few_calls = calls[:ONE_BY_ONE].tolist()
    floats = strikes.astype(np.float64), total_vols / 2.0**VOL_BITS
    flags = np.where(calls, "c", "p")
    contestants: list[tuple[str, int, Callable[[], Array]]] = [
        ("law, plain Python", ONE_BY_ONE, lambda: law(*few, few_calls)),
        ("QuantLib, one by one", ONE_BY_ONE, lambda: quantlib(*few, few_calls)),
        ("numpy + scipy, arrays", IN_BULK, lambda: numpy_scipy(*floats, calls)),
        ("fast-vollib, arrays", IN_BULK, lambda: vollib(*floats, flags)),
    ]
    ours = law(*few, few_calls)
    rows = []
    for name, count, price in contestants:
        furthest = float(np.abs(price()[:ONE_BY_ONE] - ours).max())
        rows.append((name, count, measure(price), furthest))
    return present(rows)


def present(rows: list[tuple[str, int, Timing, float]]) -> int:
    """The table, rates against the law's."""
    base = rows[0][1] / rows[0][2]
    report(
        "pricing",
        [
            {
                "pricer": name,
                "options": count,
                "options/s": round(count / seconds),
                "median options/s": round(count / seconds.median),
                "times the law": count / seconds / base,
                "furthest from the law, ticks": round(furthest, 3),
            }
            for name, count, seconds, furthest in rows
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
