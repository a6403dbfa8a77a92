"""Render `src/novate/spec/between_nodes_table.py`: how far an option can sag between scenarios.

    python tools/render_between_nodes.py            write the file
    python tools/render_between_nodes.py --check    exit 1 if the file differs from a fresh render

An option value is convex in the forward, so between two scenarios of one volatility it lies under
the straight line through them. How far under: docs/decisions/0003-margin-between-nodes.md derives

    sag <= spacing · share(u),  u = total volatility · lower forward / spacing,
    share(u) = E[max(0, 1 − 2u|Z|)] / 4, Z standard normal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from math import ceil, erf, exp, pi, sqrt
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src" / "novate" / "spec" / "between_nodes_table.py"

STEP_BITS = 5  # entries 2^-5 apart
ENTRIES = 65  # u from 0 to 2
UNIT_BITS = 24
MARGIN = 2.0**-40  # above the rounding error of these floats, far below a unit

HEADER = '''"""Rendered by tools/render_between_nodes.py. Do not edit.

How far an option value can sag under the straight line between two scenarios, as a share of their
spacing, over u = standard deviation of the forward / spacing. In 2^-24, rounded up.
"""

from __future__ import annotations

STEP_BITS = {step_bits}
"""Entries are 2^-STEP_BITS apart in u, from 0 on."""
# E[max(0, 1 − 2u|Z|)] / 4 for u = 0, 1/32, … 2. Convex and falling: a straight line between two
# entries is never too low.
SAG_SHARE: tuple[int, ...] = (
'''

FOOTER = ''')
SAG_TAIL = {tail}
"""φ(0)/8: for every u > 0 the share is at most this over u, and tends to it."""
'''


def share(u: float) -> float:
    """E[max(0, 1 − 2u|Z|)] / 4, by the closed form of a truncated normal mean."""
    if u == 0:
        return 0.25
    cut = 1 / (2 * u)
    density = 1 / sqrt(2 * pi)
    mass = erf(cut / sqrt(2))  # P(|Z| < cut)
    mean = 2 * density * (1 - exp(-cut * cut / 2))  # E[|Z|; |Z| < cut]
    return (mass - 2 * u * mean) / 4


def rows(values: Sequence[int]) -> list[str]:
    """Numbers packed into lines of at most 100 columns."""
    lines, line = [], "   "
    for value in values:
        piece = f" {value},"
        if len(line) + len(piece) > 100:
            lines.append(line)
            line = "   "
        line += piece
    return [*lines, line]


def render() -> str:
    """The whole file."""
    entries = [ceil((share(k / 2**STEP_BITS) + MARGIN) * 2**UNIT_BITS) for k in range(ENTRIES)]
    entries[0] = 2 ** (UNIT_BITS - 2)
    tail = ceil((1 / sqrt(2 * pi) / 8 + MARGIN) * 2**UNIT_BITS)
    entries[-1] = ceil(tail * 2**STEP_BITS / (ENTRIES - 1))  # no jump where the tail takes over
    body = "\n".join(rows(entries))
    return HEADER.format(step_bits=STEP_BITS) + body + "\n" + FOOTER.format(tail=tail)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table, or compare it with --check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    text = render()
    if arguments.check:
        same = TARGET.exists() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name}: {'as rendered' if same else 'differs from a fresh render'}")
        return 0 if same else 1
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.name}: {ENTRIES} entries written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
