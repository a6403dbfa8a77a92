"""Search for the worst error of the law's option values against 50 digits.

    python tools/search_pricing_error.py --count 200000 --seed 1 --out summary.json

Work comes in chunks of 1,000 random points and three hill climbs; each chunk has its own seed. The
state after each one is kept in build/claims/pricing.json, so a search that was cut off goes on
where it stopped; --fresh, another seed or a changed law starts again. Neighbours one tick or one
unit of volatility away are priced too: a value that falls where it should rise is a violation.
Exit status 1 when a stated bound is broken.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mpmath import erfc, log, mp, mpf, sqrt

from novate.spec import pricing, pricing_tables
from novate.spec.pricing import TOTAL_VOL_MAX, option_value

STATE = Path(__file__).resolve().parents[1] / "build" / "claims" / "pricing.json"
REFERENCE_DIGITS = 50
TICKS_END = 2**31
CHUNK = 1_000
CLIMB_STEPS = 100
MONEYNESS_EDGES = (0.01, 0.1, 0.5, 1.0, 2.5, 12.0, math.inf)
DEVIATION_EDGES = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0)
BOUND_MONEYNESS = 2.5
BOUND_RELATIVE = 1e-6
BOUND_FALL = 1
"""A value may fall by at most this many ticks where it should rise, with prices below 2^29."""
FALL_PRICES_END = 2**29

Point = tuple[int, int, int, bool]
State = dict[str, Any]


def normal_cdf(x: mpf) -> mpf:
    """N(x)."""
    return erfc(-x / sqrt(mpf(2))) / 2


def black76(forward: int, strike: int, total_vol: int, is_call: bool) -> mpf:
    """Undiscounted Black-76 value to 50 digits, the limits at zero included; total_vol in 2^-24."""
    sign = 1 if is_call else -1
    if 0 in (forward, strike, total_vol):
        return mpf(max(0, sign * (forward - strike)))
    with mp.workdps(REFERENCE_DIGITS):
        deviation = mpf(total_vol) / 2**24
        d1 = log(mpf(forward) / strike) / deviation + deviation / 2
        d2 = d1 - deviation
        return sign * (forward * normal_cdf(sign * d1) - strike * normal_cdf(sign * d2))


def random_point(source: random.Random) -> Point:
    """Forward and total volatility log-uniform; strike near, far or anywhere."""
    forward = min(TICKS_END - 1, int(2 ** source.uniform(0, 31)))
    total_vol = min(TOTAL_VOL_MAX, int(2 ** source.uniform(0, 25.01)))
    spread = source.choice((0.01, 0.5, 2.5, 2.5, 13.0, total_vol / 2**22))
    strike = int(forward * math.exp(max(-22.0, min(22.0, source.uniform(-spread, spread)))))
    return forward, max(1, min(TICKS_END - 1, strike)), total_vol, source.random() < 0.5


def moved(point: Point, source: random.Random, scale: float) -> Point:
    """The point with each number multiplied by about e^scale or moved by a few units."""

    def move(value: int, last: int) -> int:
        step = round(value * source.gauss(0, scale)) + source.randint(-2, 2)
        return max(1, min(last, value + step))

    forward, strike, total_vol, is_call = point
    return (
        move(forward, TICKS_END - 1),
        move(strike, TICKS_END - 1),
        move(total_vol, TOTAL_VOL_MAX),
        is_call,
    )


def error_ticks(point: Point) -> float:
    """|value of the law − true value|, ticks."""
    with mp.workdps(REFERENCE_DIGITS):
        return float(abs(option_value(*point) - black76(*point)))


def error_relative(point: Point) -> float:
    """Error beyond half a tick in parts of the forward; 0 outside the stated range."""
    if abs(math.log(point[0] / point[1])) > BOUND_MONEYNESS:
        return 0.0
    return max(0.0, error_ticks(point) - 0.5) / point[0]


def largest_fall(point: Point) -> int:
    """Ticks by which the value moves the wrong way when volatility or the forward rises."""
    forward, strike, total_vol, is_call = point
    value = option_value(*point)
    falls = [0]
    for step in (1, 3, 17):
        if total_vol + step <= TOTAL_VOL_MAX:
            falls.append(value - option_value(forward, strike, total_vol + step, is_call))
        if forward + step < TICKS_END:
            other = option_value(forward + step, strike, total_vol, is_call)
            falls.append(value - other if is_call else other - value)
    return max(falls)


def region_of(point: Point) -> str:
    """Row and column of the point in the table, as "row,column"."""
    moneyness, deviation = abs(math.log(point[0] / point[1])), point[2] / 2**24
    row = next(i for i, edge in enumerate(MONEYNESS_EDGES) if moneyness <= edge)
    column = next(i for i, edge in enumerate(DEVIATION_EDGES) if deviation <= edge)
    return f"{row},{column}"


def climb(start: Point, objective: Callable[[Point], float], source: random.Random) -> Point:
    """A local maximum of the objective, by random moves that shrink."""
    best, best_value = start, objective(start)
    for step in range(CLIMB_STEPS):
        candidate = moved(best, source, 10 ** source.uniform(-7, -1 - 4 * step / CLIMB_STEPS))
        value = objective(candidate)
        if value > best_value:
            best, best_value = candidate, value
    return best


def law_digest() -> str:
    """Hash of the files that decide a value: a search of another law is not gone on with."""
    files = [Path(str(module.__file__)).read_bytes() for module in (pricing, pricing_tables)]
    return hashlib.sha256(b"".join(files)).hexdigest()[:16]


def fresh_state(seed: int) -> State:
    """State before the first chunk."""
    nothing: dict[str, Any] = {"value": 0.0, "point": None}
    return {
        "seed": seed,
        "law": law_digest(),
        "chunks": 0,
        "points": 0,
        "regions": {},
        "worst_relative": dict(nothing),
        "worst_ticks": dict(nothing),
        "falls": {},
        "worst_fall_below_2_29": dict(nothing),
        "worst_fall": dict(nothing),
    }


def record(state: State, point: Point) -> None:
    """Take one point into the state."""
    ticks = error_ticks(point)
    relative = max(0.0, ticks - 0.5) / point[0]
    region = state["regions"].setdefault(
        region_of(point), {"points": 0, "relative": 0.0, "ticks": 0.0}
    )
    region["points"] += 1
    region["relative"] = max(region["relative"], relative)
    region["ticks"] = max(region["ticks"], ticks)
    fall = largest_fall(point)
    if fall:
        state["falls"][str(fall)] = state["falls"].get(str(fall), 0) + 1
    found = [("worst_ticks", ticks), ("worst_fall", fall)]
    if abs(math.log(point[0] / point[1])) <= BOUND_MONEYNESS:
        found.append(("worst_relative", relative))
    if max(point[0], point[1]) < FALL_PRICES_END:
        found.append(("worst_fall_below_2_29", fall))
    for name, value in found:
        if value > state[name]["value"]:
            state[name] = {"value": value, "point": list(point)}
    state["points"] += 1


def run_chunk(state: State) -> None:
    """One chunk: random points, then a climb for each of the three aims."""
    source = random.Random(f"{state['seed']}:{state['chunks']}")
    points = [random_point(source) for _ in range(CHUNK)]
    for point in points:
        record(state, point)
    sample = points[:100]
    for objective in (error_relative, error_ticks, lambda p: float(largest_fall(p))):
        record(state, climb(max(sample, key=objective), objective, source))
    state["chunks"] += 1


def table(state: State) -> str:
    """Largest error by region: parts of the forward beyond half a tick, and ticks."""
    head = ["|ln F/K| up to", *(f"w <= {edge:g}" for edge in DEVIATION_EDGES)]
    lines = ["Largest error beyond half a tick, in parts of the forward (and in ticks):", ""]
    lines.append("".join(f"{cell:>18}" for cell in head))
    for row, edge in enumerate(MONEYNESS_EDGES):
        cells = [f"{edge:g}"]
        for column in range(len(DEVIATION_EDGES)):
            region = state["regions"].get(f"{row},{column}")
            cells.append(f"{region['relative']:.1e} ({region['ticks']:.2f})" if region else "-")
        lines.append("".join(f"{cell:>18}" for cell in cells))
    lines += [
        "",
        "The last row is intrinsic by rule, the last but one is outside the stated range.",
        f"points priced: {state['points']:,}",
    ]
    for name, meaning in (
        ("worst_relative", f"worst, parts of the forward, |ln F/K| <= {BOUND_MONEYNESS}"),
        ("worst_ticks", "worst, ticks, anywhere"),
        ("worst_fall_below_2_29", "worst fall, ticks, prices below 2^29"),
        ("worst_fall", "worst fall, ticks, anywhere"),
    ):
        lines.append(f"{meaning}: {state[name]['value']:.3g} at {state[name]['point']}")
    lines.append(f"points with a fall, by ticks: {state['falls'] or 'none'}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Search, print the table; 1 when a stated bound is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200_000, help="points in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier search")
    arguments = parser.parse_args(argv)
    state = fresh_state(arguments.seed)
    if STATE.exists() and not arguments.fresh:
        earlier = json.loads(STATE.read_text())
        if (earlier["seed"], earlier.get("law")) == (state["seed"], state["law"]):
            state = earlier
            print(f"going on after {state['points']:,} points")
    chunks = -(-arguments.count // CHUNK)
    last_report = time.monotonic()
    STATE.parent.mkdir(parents=True, exist_ok=True)
    while state["chunks"] < chunks:
        run_chunk(state)
        STATE.write_text(json.dumps(state))
        if time.monotonic() - last_report > 10:
            last_report = time.monotonic()
            print(f"  {state['points']:,} points, worst {state['worst_relative']['value']:.2e}")
    broken = (
        state["worst_relative"]["value"] > BOUND_RELATIVE
        or state["worst_fall_below_2_29"]["value"] > BOUND_FALL
    )
    print(table(state))
    print("BROKEN" if broken else f"within {BOUND_RELATIVE:g} of the forward and half a tick")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({**state, "broken": broken}, indent=2) + "\n")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
