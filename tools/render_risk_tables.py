"""Render `native/risk/src/rendered/`: the tables of the law for the Rust crate `novate-risk`.

    python tools/render_risk_tables.py            write the files
    python tools/render_risk_tables.py --check    exit 1 if a file differs from a fresh render

Only numbers cross over: the formulas around them are written anew in Rust.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from novate.spec import between_nodes_table, pricing_tables

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "native" / "risk" / "src" / "rendered"

MODULE = """//! Rendered by tools/render_risk_tables.py. Do not edit.

pub mod between_nodes_table;
pub mod pricing_tables;
"""

BETWEEN_NODES = """\
//! Rendered by tools/render_risk_tables.py from spec/between_nodes_table.py. Do not edit.

/// Entries are 2^-STEP_BITS apart in u, from 0 on.
pub const STEP_BITS: u32 = {step_bits};
/// Sag over spacing, in 2^-24.
pub static SAG_SHARE: [i64; {count}] = [
{shares}
];
/// For every u > 0 the share is at most this over u.
pub const SAG_TAIL: i64 = {tail};
"""

PRICING = """\
//! Rendered by tools/render_risk_tables.py from spec/pricing_tables.py. Do not edit.

/// One segment of ln m for m in [1, 2), of width 2^-8: base + slope·u − bend·u², in 2^-40.
pub struct LogarithmRow {{
    /// Below 2^40.
    pub base: i64,
    /// Below 2^33.
    pub slope: i64,
    /// Below 2^24.
    pub bend: i64,
}}

/// One segment of 1 − N(d) for d in [0, 7), of width 2^-8: base − slope·u + bend·u², in 2^-36.
pub struct TailRow {{
    /// Below 2^36.
    pub base: i64,
    /// Below 2^27.
    pub slope: i32,
    /// Below 2^17.
    pub bend: i32,
}}

/// ln 2 in 2^-40.
pub const LN2: i64 = {ln2};

/// Scale of volatility shocks at 1, 2, 4, … days, ppm.
pub static VOL_SHOCK_TERM_PPM: [i64; {terms}] = [
{term}
];

/// The logarithm's segments.
pub static LOGARITHM: [LogarithmRow; {logarithms}] = [
{logarithm}
];

/// The tail's segments.
pub static TAIL: [TailRow; {tails}] = [
{tail}
];
"""


def packed(values: Iterable[int]) -> str:
    """Numbers packed into lines of at most 100 columns."""
    lines, line = [], "   "
    for value in values:
        piece = f" {value},"
        if len(line) + len(piece) > 100:
            lines.append(line)
            line = "   "
        line += piece
    return "\n".join([*lines, line])


def rows(kind: str, *columns: Sequence[int]) -> str:
    """One struct literal a line."""
    return "\n".join(
        f"    {kind} {{ base: {base}, slope: {slope}, bend: {bend} }},"
        for base, slope, bend in zip(*columns, strict=True)
    )


def render() -> dict[str, str]:
    """Text by file name."""
    prices, nodes = pricing_tables, between_nodes_table
    between = BETWEEN_NODES.format(
        step_bits=nodes.STEP_BITS,
        count=len(nodes.SAG_SHARE),
        shares=packed(nodes.SAG_SHARE),
        tail=nodes.SAG_TAIL,
    )
    pricing = PRICING.format(
        ln2=prices.LN2,
        terms=len(prices.VOL_SHOCK_TERM_PPM),
        term=packed(prices.VOL_SHOCK_TERM_PPM),
        logarithms=len(prices.LOG_BASE),
        logarithm=rows("LogarithmRow", prices.LOG_BASE, prices.LOG_SLOPE, prices.LOG_BEND),
        tails=len(prices.TAIL_BASE),
        tail=rows("TailRow", prices.TAIL_BASE, prices.TAIL_SLOPE, prices.TAIL_BEND),
    )
    return {"mod.rs": MODULE, "between_nodes_table.rs": between, "pricing_tables.rs": pricing}


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or compare them with --check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    differing = 0
    for name, text in render().items():
        path = TARGET / name
        if arguments.check:
            same = path.exists() and path.read_text(encoding="utf-8") == text
            print(f"{name}: {'as rendered' if same else 'differs from a fresh render'}")
            differing += not same
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"{name}: written")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
