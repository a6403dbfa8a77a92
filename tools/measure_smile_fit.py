"""Which smile nodes fit real option chains best: RMS volatility error by time to expiry.

    python tools/measure_smile_fit.py

Reads the Deribit chains of ../shared/data/options. For each candidate set the node vols of every
expiry are fitted by least squares in σ² (tied weakly to the interpolated chain where no strike is
near a node), and compared with the chain's own vols at every strike: in percentage points, and in
basis points of the forward (times vega). Then, for the chosen set, how many real smiles and
neighbouring pairs the law's checks would refuse.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from novate.spec.pricing import YEAR_S
from novate.spec.smile import NODE_QUARTERS, is_free_of_butterflies, is_free_of_calendars

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "options"
CHOSEN = "0 1/4 1/2 1 2 4"
CANDIDATES = {
    "0 1/4 1/2 1 2": (0.25, 0.5, 1, 2),
    "0 1/4 3/4 3/2 3": (0.25, 0.75, 1.5, 3),
    "0 1/2 1 3/2 5/2": (0.5, 1, 1.5, 2.5),
    "0 1/4 1/2 1 3/2 5/2": (0.25, 0.5, 1, 1.5, 2.5),
    "0 1/4 1/2 1 7/4 3": (0.25, 0.5, 1, 1.75, 3),
    CHOSEN: (0.25, 0.5, 1, 2, 4),
    "0 1/5 1/2 1 7/4 7/2": (0.2, 0.5, 1, 1.75, 3.5),
    "0 1/4 3/4 3/2 5/2 4": (0.25, 0.75, 1.5, 2.5, 4),
    "0 1/4 3/4 5/4 9/4 4": (0.25, 0.75, 1.25, 2.25, 4),
    "0 1/4 1/2 1 3/2 5/2 4": (0.25, 0.5, 1, 1.5, 2.5, 4),
}
DAY_EDGES = (0.0, 1.0, 3.0, 8.0, 35.0, 120.0, 1_000.0)
TIE = 0.01
"""Weight of the tie of each node to the interpolated chain; a strike weighs 1."""

Array = NDArray[np.float64]


class Chain(NamedTuple):
    """One expiry of one snapshot, strikes ascending."""

    snapshot: str
    underlying: str
    seconds: int
    moneyness: Array
    """ln(strike/forward) / √max(T, 1 day)."""
    vols: Array
    vega: Array
    """Of the forward, a unit of volatility."""


def read_chains(folder: Path) -> list[Chain]:
    """Every expiry with at least five strikes, by snapshot, underlying and expiry."""
    grouped: dict[tuple[str, str, int], dict[float, tuple[float, float]]] = {}
    for file in sorted(folder.glob("*.parquet")):
        for row in pq.read_table(file).to_pylist():
            seconds = int((row["expiry"] - row["timestamp_utc"]).total_seconds())
            if seconds > 0 and row["mark_iv"]:
                chain = grouped.setdefault((file.stem, row["underlying"], seconds), {})
                chain[row["strike"]] = (row["underlying_price"], row["mark_iv"])
    result = []
    for (snapshot, underlying, seconds), chain in sorted(grouped.items()):
        if len(chain) >= 5:
            strikes = np.array(sorted(chain))
            forwards, vols = (np.array([chain[k][i] for k in sorted(chain)]) for i in (0, 1))
            log_strike = np.log(strikes / forwards)
            deviation = vols * np.sqrt(seconds / YEAR_S)
            d1 = -log_strike / deviation + deviation / 2
            vega = np.sqrt(seconds / YEAR_S) * np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi)
            scaled = log_strike / np.sqrt(max(seconds, 86_400) / YEAR_S)
            result.append(Chain(snapshot, underlying, seconds, scaled, vols, vega))
    return result


def interpolated(nodes: Array, chain: Chain) -> Array:
    """Node vols read off the chain: linear in σ², flat outside it."""
    vols: Array = np.sqrt(np.interp(nodes, chain.moneyness, chain.vols**2))
    return vols


def fitted(nodes: Array, chain: Chain) -> Array:
    """Node vols by least squares in σ²."""
    unit = np.eye(len(nodes))
    weights = np.stack([np.interp(chain.moneyness, nodes, row) for row in unit], axis=1)
    left = np.vstack([weights, TIE * unit])
    right = np.concatenate([chain.vols**2, TIE * interpolated(nodes, chain) ** 2])
    variances = np.linalg.lstsq(left, right, rcond=None)[0]
    vols: Array = np.sqrt(np.maximum(variances, 1e-4))
    return vols


def error_lines(name: str, nodes: Array, chains: Sequence[Chain]) -> str:
    """One row of the table: RMS errors by bucket of days, and overall."""
    points: list[Array] = []
    basis_points: list[Array] = []
    buckets: list[Array] = []
    for chain in chains:
        model = np.sqrt(np.interp(chain.moneyness, nodes, fitted(nodes, chain) ** 2))
        points.append((model - chain.vols) * 100)
        basis_points.append((model - chain.vols) * chain.vega * 10_000)
        bucket = int(np.searchsorted(DAY_EDGES, chain.seconds / 86_400)) - 1
        buckets.append(np.full(len(model), bucket))
    where = np.concatenate(buckets)
    cells = []
    for errors in (np.concatenate(points), np.concatenate(basis_points)):
        for bucket in range(len(DAY_EDGES) - 1):
            cells.append(f"{np.sqrt(np.mean(errors[where == bucket] ** 2)):6.2f}")
        cells.append(f"{np.sqrt(np.mean(errors**2)):6.2f} |")
    return f"{name:24}" + " ".join(cells)


def refused(chains: Sequence[Chain], how: str) -> str:
    """How many real smiles and neighbours the law's checks refuse, node vols found as `how`."""
    nodes = np.array(NODE_QUARTERS) / 4
    find = {"interpolated": interpolated, "fitted": fitted}[how]
    smiles = [[int(vol * 1_000_000) for vol in find(nodes, chain)] for chain in chains]
    butterflies = sum(
        not is_free_of_butterflies(smile, chain.seconds)
        for smile, chain in zip(smiles, chains, strict=True)
    )
    pairs = [i for i in range(1, len(chains)) if chains[i - 1][:2] == chains[i][:2]]
    calendars = sum(
        not is_free_of_calendars(smiles[i - 1], chains[i - 1].seconds, smiles[i], chains[i].seconds)
        for i in pairs
    )
    return (
        f"{how}: {butterflies} of {len(chains)} smiles refused for butterflies,"
        f" {calendars} of {len(pairs)} neighbours for calendars"
    )


def main() -> int:
    """Print both; 1 when the data is absent."""
    if not FOLDER.exists():
        print("no real option chains: ../shared/data/options is absent", file=sys.stderr)
        return 1
    chains = read_chains(FOLDER)
    print(f"{len(chains)} chains, {sum(len(chain.vols) for chain in chains)} strikes")
    edges = [f"<={edge:g}d" for edge in DAY_EDGES[1:]] + ["all"]
    heads = "".join(f"{edge:>7}" for edge in edges)
    print(f"{'RMS error':23}{heads}  (vol points) {heads} (bp of forward)".rstrip())
    for name, positive in CANDIDATES.items():
        nodes = np.array([*(-x for x in reversed(positive)), 0, *positive], dtype=np.float64)
        print(error_lines(name, nodes, chains))
    for how in ("interpolated", "fitted"):
        print(refused(chains, how))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
