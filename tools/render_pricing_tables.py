"""Render `src/novate/spec/pricing_tables.py`: the numbers the pricing law looks up.

    python tools/render_pricing_tables.py            write the file
    python tools/render_pricing_tables.py --check    exit 1 if the file differs from a fresh render

Each curve is cut into equal segments. On a segment a quadratic through the three Chebyshev points
is all but the best one: its error is h³·max|f'''|/192, that is 1.3e-10 for the normal tail
and 6.3e-10 for the logarithm (h = 2^-8 for both), before the coefficients are rounded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from mpmath import cos, erfc, log, mp, mpf, nint, pi, power, sqrt

TARGET = Path(__file__).resolve().parents[1] / "src" / "novate" / "spec" / "pricing_tables.py"

TAIL_SEGMENTS = 1792  # of width 2^-8: covers [0, 7), beyond it the tail is below 2^-39
TAIL_SEGMENT_BITS = 8
TAIL_FRACTION_BITS = 16  # deviates are in 2^-24: 8 + 16
TAIL_UNIT_BITS = 36
LOG_SEGMENTS = 256  # of width 2^-8: covers [1, 2)
LOG_SEGMENT_BITS = 8
LOG_FRACTION_BITS = 22  # a normalised price has 30 bits after its leading one: 8 + 22
LOG_UNIT_BITS = 40
SHORT_TERM_POWER = "0.30"
LONG_TERM_POWER = "0.13"
REFERENCE_DAYS = 30
TERM_POINTS = 11  # 1, 2, 4, … 1,024 days

Row = tuple[int, int, int]


def quadratic(curve: Callable[[mpf], mpf], start: mpf, width: mpf) -> tuple[mpf, mpf, mpf]:
    """(a, b, c) with a + b·u + c·u², u in [0, 1), all but the best for curve(start + u·width)."""
    nodes = [(1 - cos(pi * (2 * j + 1) / 6)) / 2 for j in range(3)]
    values = [curve(start + u * width) for u in nodes]
    first = (values[1] - values[0]) / (nodes[1] - nodes[0])
    second = (values[2] - values[1]) / (nodes[2] - nodes[1])
    c = (second - first) / (nodes[2] - nodes[0])
    b = first - c * (nodes[0] + nodes[1])
    return values[0] - b * nodes[0] - c * nodes[0] ** 2, b, c


def upper_tail(deviate: mpf) -> mpf:
    """1 − N(deviate)."""
    return erfc(deviate / sqrt(mpf(2))) / 2


def tail_rows() -> list[Row]:
    """Rows (a, b, c) with tail = a − b·u + c·u², in 2^-36 units; never negative on a segment."""
    width = mpf(2) ** -TAIL_SEGMENT_BITS
    rows = []
    for index in range(TAIL_SEGMENTS):
        exact = quadratic(upper_tail, index * width, width)
        a, b, c = (int(nint(k * 2**TAIL_UNIT_BITS)) for k in exact)
        slope, bend = -b, c
        last = 2**TAIL_FRACTION_BITS - 1
        drop = last * (slope - (bend * last >> TAIL_FRACTION_BITS)) >> TAIL_FRACTION_BITS
        rows.append((max(a, drop), slope, bend))
    return rows


def log_rows() -> list[Row]:
    """Rows (a, b, c) with ln m = a + b·u − c·u², in 2^-40 units."""
    width = mpf(2) ** -LOG_SEGMENT_BITS
    rows = []
    for index in range(LOG_SEGMENTS):
        exact = quadratic(log, 1 + index * width, width)
        a, b, c = (int(nint(k * 2**LOG_UNIT_BITS)) for k in exact)
        rows.append((a, b, -c))
    return rows


def term_multipliers() -> list[int]:
    """(30 / days)^power in ppm at 1, 2, 4, … days."""
    result = []
    for exponent in range(TERM_POINTS):
        days = 2**exponent
        chosen = SHORT_TERM_POWER if days < REFERENCE_DAYS else LONG_TERM_POWER
        result.append(int(nint(power(mpf(REFERENCE_DAYS) / days, mpf(chosen)) * 1_000_000)))
    return result


def packed(name: str, meaning: str, values: Sequence[int]) -> list[str]:
    """A tuple of integers at 100 columns, under a comment that says what it means."""
    lines = [f"# {meaning}", f"{name}: tuple[int, ...] = ("]
    line = "   "
    for value in values:
        piece = f" {value},"
        if len(line) + len(piece) > 100:
            lines.append(line)
            line = "   "
        line += piece
    return [*lines, line, ")", ""]


def render() -> str:
    """The whole text of the rendered file."""
    mp.dps = 50
    tail = tail_rows()
    logs = log_rows()
    lines = [
        '"""Rendered by tools/render_pricing_tables.py from 50-digit values. Do not edit.',
        "",
        "TAIL_*: 1 − N(d) for d in [0, 7), segment i of width 2^-8 starting at i·2^-8, u in [0, 1)",
        "inside it: value = base − slope·u + bend·u², in 2^-36.",
        "LOG_*: ln m for m in [1, 2), segment i of width 2^-8 starting at 1 + i·2^-8, u in [0, 1)",
        "inside it: value = base + slope·u − bend·u², in 2^-40.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        f"LN2 = {int(nint(log(mpf(2)) * 2**LOG_UNIT_BITS))}  # ln 2 in 2^-40",
        "",
        "# (30 / days)^power at 1, 2, 4, … 1,024 days, in ppm: scales volatility shocks.",
        f"# Power {SHORT_TERM_POWER} below 30 days is Deribit's and Derive's,",
        f"# {LONG_TERM_POWER} above is Derive's (portfolio margin).",
        "VOL_SHOCK_TERM_PPM: tuple[int, ...] = (",
        *[f"    {value}," for value in term_multipliers()],
        ")",
        "",
    ]
    columns = (
        ("TAIL_BASE", "The tail at the start of each segment; < 2^36.", [r[0] for r in tail]),
        ("TAIL_SLOPE", "Minus the slope over a segment; < 2^27.", [r[1] for r in tail]),
        ("TAIL_BEND", "Half the second derivative; < 2^17.", [r[2] for r in tail]),
        ("LOG_BASE", "The logarithm at the start of each segment; < 2^40.", [r[0] for r in logs]),
        ("LOG_SLOPE", "The slope over a segment; < 2^33.", [r[1] for r in logs]),
        ("LOG_BEND", "Minus half the second derivative; < 2^24.", [r[2] for r in logs]),
    )
    for name, meaning, values in columns:
        lines += packed(name, meaning, values)
    return "\n".join(lines).rstrip("\n") + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file, or with --check compare it; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    fresh = render()
    if not arguments.check:
        TARGET.write_text(fresh, encoding="utf-8")
        return 0
    current = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if current == fresh:
        return 0
    print(f"{TARGET.name} differs from what {Path(__file__).name} renders", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
