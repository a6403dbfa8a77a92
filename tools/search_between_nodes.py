"""Search for portfolios that lose more between the scenarios' spot moves than margin asks for.

    python tools/search_between_nodes.py --count 200000 [--seed 1] [--out FILE]

Each episode draws a market (one to three expiries from a minute to a year away, flat or skewed
smiles, 2 % to 300 % volatility, one of two scenario grids) and a menu of instruments, then climbs
over quantities from random and from hand-made starts (a linear against long options that meet
again at the next scenario; a deep option as a linear in disguise). It climbs on the share

    (loss − grid loss) / charge between nodes

where loss is the worst at any spot inside the undamped grid, at any of the three volatilities. A
violation is a loss above maintenance margin with every other charge set to zero (the cap at the
value of long options included). Values are the law's own integers. Progress is kept in
build/claims/between_nodes.json: the same seed goes on from there.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from novate.spec.instruments import Instrument, Kind, decode, encode, expiry_time
from novate.spec.margin import Holding, Line, between_nodes, grid_loss, portfolio_margin, risk_array
from novate.spec.marks import MarketView, forward_price, moved_value, seconds_to_expiry, terms_of
from novate.spec.parameters import MarketParameters
from novate.spec.risk_parameters import MINIMAL_RISK, RiskParameters, undamped_spots
from novate.spec.rounding import PPM
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, Snapshot

STATE = Path(__file__).resolve().parents[1] / "build" / "claims" / "between_nodes.json"
CANDIDATES = 300  # portfolios an episode
MENU = 9  # instruments an episode
FIRST_DAY = 2_500
INDEX = 10_000_000  # 100,000 USDC in cents
STRIKE_TICK = 100
RISKS = tuple(
    replace(risk, short_option_minimum_ppm=0, basis_shock_ppm=0, vega_offset_ppm=0)
    for risk in (RiskParameters(), MINIMAL_RISK)
)


@dataclass
class Finding:
    """The worst portfolio so far by one measure."""

    measure: float = -1e9
    """Share of the charge used, or the missed loss in ppm of Σ|q| · index."""
    loss: int = 0
    margin: int = 0
    grid: int = 0
    charge: int = 0
    spot_ppm: int = 0
    direction: int = 0
    scenarios: int = 0
    episode: int = -1
    positions: tuple[tuple[str, int, int, int], ...] = ()
    """(kind, seconds to expiry, strike in ticks, lots)."""


def make_view(rng: random.Random, risk: RiskParameters) -> MarketView:
    """A random market; the nearest expiry is log-uniformly a minute to a year away."""
    nearest = int(60 * (365 * 1_440) ** rng.random())
    days = [FIRST_DAY + 400]
    for _ in range(rng.randrange(3)):
        days.append(days[-1] + rng.choice((1, 1, 2, 7, 30, 180)))
    expiries = []
    for day in days:
        level = 0.02 * 150 ** rng.random()
        tilt, curve = rng.uniform(-0.08, 0.08), rng.uniform(0, 0.03)
        middle = NODES // 2
        vols = tuple(
            int(1e6 * max(0.02, level * (1 + tilt * (k - middle) + curve * (k - middle) ** 2)))
            for k in range(NODES)
        )
        expiries.append(ExpiryFields(day, rng.choice((0, 0, rng.randint(-30_000, 60_000))), vols))
    mean = int(INDEX * rng.choice((1.0, 1.0, rng.uniform(0.97, 1.03))))
    parameters = MarketParameters(
        symbol="BTC",
        price_decimals=2,
        strike_tick=STRIKE_TICK,
        strike_step=1,
        horizon_days=400,
        band_ppm=50_000,
        gap_s=60,
        halt_jump_ppm=50_000,
        halt_drift_ppm_s=100,
        funding_rate_max_ppm=10_000,
        premium_max_ppm=10_000,
        vol_default_ppm=600_000,
        penalty_ppm=50_000,
        close_penalty_ppm=10_000,
        fund_inventory_max=1_000,
        deleverage_cap_ppm=100_000,
        risk=risk,
    )
    now = expiry_time(days[0]) - nearest
    snapshot = Snapshot(now, INDEX, rng.choice((0, 2_000, -2_000)), mean, tuple(expiries))
    return MarketView(parameters, snapshot, now, 0, 0)


def make_menu(rng: random.Random, view: MarketView) -> list[int]:
    """Instrument ids: the perpetual, a future, and options near, between and far from the nodes."""
    spots = undamped_spots(view.parameters.risk, 1)
    days = [fields.day for fields in view.snapshot.expiries]
    menu = {encode(Instrument(0, 0, Kind.PERPETUAL, 0))}
    if rng.random() < 0.5:
        menu.add(encode(Instrument(0, rng.choice(days), Kind.FUTURE, 0)))
    while len(menu) < MENU:
        day = rng.choice(days)
        if rng.random() < 0.2:
            move: float = rng.choice((-600_000, -350_000, 300_000, 800_000))
        else:
            left = rng.randrange(len(spots) - 1)
            place = rng.choice((0.5, 0.5, rng.random(), 0.0))
            move = spots[left] + place * (spots[left + 1] - spots[left])
        strike = int(forward_price(view, day) * (1 + move / 1e6)) // STRIKE_TICK
        kind = rng.choice((Kind.CALL, Kind.PUT))
        menu.add(encode(Instrument(0, day, kind, max(1, strike))))
    return sorted(menu)


def spot_moves(view: MarketView, menu: Sequence[int]) -> list[int]:
    """Spot moves to look at: an even mesh, every node, and around every strike."""
    spots = undamped_spots(view.parameters.risk, 1)
    low, high = spots[0], spots[-1]
    moves = set(range(low, high + 1, (high - low) // 160)) | set(spots)
    for identifier in menu:
        instrument = decode(identifier)
        if instrument.strike:
            forward = forward_price(view, instrument.expiry_day)
            kink = instrument.strike * STRIKE_TICK * PPM // forward - PPM
            moves.update(kink + d for d in (-1_500, -500, -100, 0, 100, 500, 1_500))
    return sorted(move for move in moves if low <= move <= high)


def profiles(view: MarketView, menu: Sequence[int], moves: Sequence[int]) -> np.ndarray:
    """Change of value of a lot, ticks: menu × (direction, move)."""
    risk = view.parameters.risk
    directions = [d for d in (-1, 0, 1) if undamped_spots(risk, d)]
    rows = []
    for identifier in menu:
        terms = terms_of(view, decode(identifier))
        base = moved_value(terms, 0, 0)
        rows.append([moved_value(terms, move, d) - base for d in directions for move in moves])
    return np.array(rows, dtype=np.int64)


def starts(rng: random.Random, view: MarketView, menu: Sequence[int]) -> list[int]:
    """Quantities to climb from."""
    quantities = [0] * len(menu)
    style = rng.randrange(3)
    if style == 0:
        for k in range(len(menu)):
            if rng.random() < 0.6:
                quantities[k] = rng.randint(-400, 400)
        return quantities
    risk = view.parameters.risk
    hedge, option = rng.randrange(len(menu)), rng.randrange(len(menu))
    node = rng.randrange(len(risk.scenarios))
    moved = [risk_array(view, identifier).changes[node] for identifier in menu]
    quantities[option] = rng.randint(1, 400)
    if moved[hedge] and hedge != option:
        quantities[hedge] = max(
            -40_000, min(40_000, -quantities[option] * moved[option] // moved[hedge])
        )
    if style == 2:
        quantities[rng.randrange(len(menu))] += rng.randint(-50, 50)
    return quantities


def mutate(rng: random.Random, quantities: Sequence[int]) -> list[int]:
    """A neighbour: one or two positions scaled, shifted, zeroed or flipped."""
    changed = list(quantities)
    for _ in range(rng.choice((1, 1, 2))):
        k = rng.randrange(len(changed))
        move = rng.randrange(5)
        if move == 0:
            changed[k] = round(changed[k] * rng.uniform(0.5, 1.6))
        elif move == 1:
            changed[k] += rng.randint(-100, 100)
        elif move == 2:
            changed[k] = 0
        elif move == 3:
            changed[k] += rng.choice((-1, 1)) * max(1, abs(changed[k]) // 30)
        else:
            changed[k] = -changed[k]
    return [max(-40_000, min(40_000, q)) for q in changed]


class Episode:
    """One market and menu, and the worst portfolios found in it."""

    def __init__(self, seed: int, number: int) -> None:
        self.rng = random.Random(f"{seed}:{number}")
        self.number = number
        self.view = make_view(self.rng, RISKS[number % len(RISKS)])
        self.menu = make_menu(self.rng, self.view)
        self.moves = spot_moves(self.view, self.menu)
        self.profiles = profiles(self.view, self.menu, self.moves)
        self.closest = Finding()
        self.missed = Finding()
        self.violations = 0

    def measure(self, quantities: Sequence[int]) -> float:
        """What the climb maximises; counts violations and keeps the worst by both measures."""
        held = [(i, q) for i, q in zip(self.menu, quantities, strict=True) if q]
        if not held:
            return -1e9
        changes = np.asarray(quantities, dtype=np.int64) @ self.profiles
        at = int(changes.argmin())
        loss = -int(changes[at])
        margin = portfolio_margin(self.view, [Holding(i, q, None) for i, q in held]).maintenance
        lines = [Line(q, risk_array(self.view, i)) for i, q in held]
        grid = grid_loss(self.view.parameters.risk, lines)
        self.violations += loss > margin
        gross = sum(abs(q) for q in quantities) * INDEX
        missed_ppm = (loss - grid) / gross * 1e6
        charge = between_nodes(lines)
        share = (loss - grid) / charge if missed_ppm > 1 and charge else missed_ppm - 1
        for finding, value in ((self.closest, share), (self.missed, missed_ppm)):
            if value > finding.measure:
                finding.__dict__.update(
                    measure=value,
                    loss=loss,
                    margin=margin,
                    grid=grid,
                    charge=charge,
                    spot_ppm=self.moves[at % len(self.moves)],
                    direction=at // len(self.moves),
                    scenarios=len(self.view.parameters.risk.scenarios),
                    episode=self.number,
                    positions=tuple(self.describe(i, q) for i, q in held),
                )
        return share

    def describe(self, identifier: int, quantity: int) -> tuple[str, int, int, int]:
        """A position for people."""
        instrument = decode(identifier)
        left = seconds_to_expiry(self.view, instrument.expiry_day) if instrument.expiry_day else 0
        return instrument.kind.name, left, instrument.strike * STRIKE_TICK, quantity

    def climb(self) -> int:
        """Climb from a few starts; returns the portfolios measured."""
        per_start = CANDIDATES // 3
        for _ in range(3):
            best = starts(self.rng, self.view, self.menu)
            value = self.measure(best)
            for _ in range(per_start - 1):
                candidate = mutate(self.rng, best)
                measured = self.measure(candidate)
                if measured >= value:
                    best, value = candidate, measured
        return 3 * per_start


def load(path: Path, seed: int) -> dict[str, Any]:
    """The state of an earlier run of the same seed, or a fresh one."""
    if path.exists():
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if state["seed"] == seed:
            return state
    return load_fresh(seed)


def load_fresh(seed: int) -> dict[str, Any]:
    """The state before the first episode."""
    return {
        "seed": seed,
        "episodes": 0,
        "portfolios": 0,
        "violations": 0,
        "closest": asdict(Finding()),
        "missed_by_grid": asdict(Finding()),
    }


def search(
    state: dict[str, Any], count: int, keep: Path | None = None, progress: bool = False
) -> dict[str, Any]:
    """Go on from a state until `count` portfolios were measured; returns the state."""
    shown = time.monotonic()
    while state["portfolios"] < count:
        episode = Episode(state["seed"], state["episodes"])
        state["portfolios"] += episode.climb()
        state["episodes"] += 1
        state["violations"] += episode.violations
        for name, finding in (
            ("closest", episode.closest),
            ("missed_by_grid", episode.missed),
        ):
            if finding.measure > state[name]["measure"]:
                state[name] = asdict(finding)
        if time.monotonic() - shown > 5 or state["portfolios"] >= count:
            shown = time.monotonic()
            if keep is not None:
                keep.parent.mkdir(parents=True, exist_ok=True)
                keep.write_text(json.dumps(state, indent=1), encoding="utf-8")
            if progress:
                print(
                    f"{state['portfolios']:>10,} portfolios  {state['violations']} violations  "
                    f"share used {state['closest']['measure']:.4f}",
                    flush=True,
                )
    return state


def main(argv: Sequence[str] | None = None) -> int:
    """Run or resume the search; 1 if a portfolio was found to lose more than its margin."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="portfolios to measure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    parser.add_argument("--out", type=Path, help="write the summary here too")
    arguments = parser.parse_args(argv)
    if arguments.fresh:
        STATE.unlink(missing_ok=True)
    state = search(load(STATE, arguments.seed), arguments.count, STATE, progress=True)
    for name, unit in (("closest", "of the charge used"), ("missed_by_grid", "ppm of Σ|q|·index")):
        finding = state[name]
        print(f"\n{name}: {finding['measure']:.4f} {unit}")
        print(f"  loss {finding['loss']:,}, grid {finding['grid']:,}, margin {finding['margin']:,}")
        print(f"  spot {finding['spot_ppm']:+,} ppm, {finding['scenarios']} scenarios")
        for kind, left, strike, lots in finding["positions"]:
            print(f"  {lots:>8,} {kind} strike {strike:,} {left:,} s left")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(state, indent=1), encoding="utf-8")
    return 1 if state["violations"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
