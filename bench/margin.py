"""Margin of 500 positions at 33 scenarios, kept up to date and at a new snapshot, beside peers.

    python -m bench.margin

Three questions, each asked of every contestant that can answer it in the same run: the margin while
prices stand still (risk arrays kept), after one position changed, and after every price changed.
QuantLib and numpy with scipy only reprice the scenarios and take the worst loss: no charges, no
smile (their volatilities are handed to them). The last rows mark many accounts at a new snapshot.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import QuantLib
import scipy.special
from numpy.typing import NDArray

from bench.common import Timing, measure, report
from novate.lab.worlds import market_parameters
from novate.native.risk import MarketRisk, market_risk, portfolios_of
from novate.spec.instruments import Instrument, Kind, decode, encode, expiry_time
from novate.spec.margin import Holding, Line, grid_loss, portfolio_margin, risk_array
from novate.spec.marks import MarketView, Terms, terms_of
from novate.spec.pricing import VOL_BITS
from novate.spec.risk_parameters import RiskParameters
from novate.spec.rounding import PPM
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, Snapshot

SEED = 20260324
DAYS = (2_501, 2_502, 2_508, 2_515, 2_543, 2_571, 2_599, 2_690)
INDEX = 10_000_000
BTC = market_parameters("BTC", 2, RiskParameters())
POSITIONS = 500
ACCOUNTS = 100_000
ACCOUNT_POSITIONS = 10
SKEW = (70, 50, 30, 12, 5, 0, -2, 1, 8, 25, 50)

Array = NDArray[np.float64]


def view_at(index: int) -> MarketView:
    """A market with eight skewed expiries."""
    now = expiry_time(DAYS[0]) - 40_000
    expiries = tuple(
        ExpiryFields(day, 500 * place, tuple(9_000 * (55 + 2 * place + bend) for bend in SKEW))
        for place, day in enumerate(DAYS)
    )
    assert all(len(fields.vols_ppm) == NODES for fields in expiries)
    return MarketView(BTC, Snapshot(now, index, 200, index, expiries), now, 2_000, 5_000)


def menu() -> list[int]:
    """The perpetual, the futures, and options at 36 strikes of each expiry: 585 instruments."""
    step = INDEX // 50 // BTC.strike_tick
    options = [
        Instrument(0, day, kind, step * strike)
        for day in DAYS
        for kind in (Kind.CALL, Kind.PUT)
        for strike in range(32, 68)
    ]
    futures = [Instrument(0, day, Kind.FUTURE, 0) for day in DAYS]
    return [encode(each) for each in (Instrument(0, 0, Kind.PERPETUAL, 0), *futures, *options)]


@dataclass(frozen=True)
class Task:
    """A portfolio at a market, in the forms that the contestants take."""

    view: MarketView
    positions: dict[int, int]

    def holdings(self, extra: int = 0) -> tuple[Holding, ...]:
        """The positions; `extra` lots of the first, so that nothing remembered fits."""
        found = [Holding(i, q, None) for i, q in self.positions.items()]
        return (found[0]._replace(quantity=found[0].quantity + extra), *found[1:])

    def lines(self) -> list[Line]:
        """Lots and risk arrays."""
        return [Line(q, risk_array(self.view, i)) for i, q in self.positions.items()]


def portfolio() -> dict[int, int]:
    """Seeded positions of up to 900 lots either way."""
    source = np.random.default_rng(SEED)
    chosen = sorted(source.choice(menu(), POSITIONS, replace=False).tolist())
    lots = source.integers(1, 900, POSITIONS) * source.choice((-1, 1), POSITIONS)
    return dict(zip(chosen, lots.tolist(), strict=True))


# Prices standing still


def standing_still(task: Task, market: MarketRisk) -> list[tuple[str, str, Timing]]:
    """The margin of the whole portfolio from risk arrays that are there already."""
    ours = margins_call(market, task)
    arrays = task.lines()
    matrix = np.array([line.array.changes for line in arrays])
    lots = np.array([line.quantity for line in arrays])
    weights = np.array([scenario.weight_ppm for scenario in task.view.parameters.risk.scenarios])
    fresh = count(1)
    return [
        ("from risk arrays", "novate-risk", measure(ours, loops=50)),
        (
            "from risk arrays",
            "specification",
            measure(lambda: portfolio_margin(task.view, task.holdings(next(fresh)))),
        ),
        (
            "from risk arrays",
            "numpy product, worst loss only",
            measure(lambda: np.max(np.maximum(0, -(lots @ matrix)) * weights), loops=50),
        ),
    ]


def margins_call(market: MarketRisk, task: Task) -> Callable[[], object]:
    """One call of the compiled margin with its arguments ready."""
    ids = np.array(list(task.positions), np.uint64)
    lots = np.array(list(task.positions.values()), np.int64)
    nothing = np.zeros(len(lots), np.int64)
    ends = np.array([0, len(lots)], np.uint64)
    unsettled = nothing.astype(np.bool_)
    return lambda: market.view.margins(ids, lots, unsettled, nothing, ends)


def one_change(task: Task, market: MarketRisk) -> list[tuple[str, str, Timing]]:
    """The margin after one position changed."""
    portfolios = portfolios_of(market, [task.positions])
    instrument = list(task.positions)[7]
    lots = count(1)

    def change() -> object:
        portfolios.set(0, instrument, next(lots))
        return portfolios.margin(0)

    def question() -> object:
        return portfolios.margin_with(0, instrument, next(lots))

    return [
        ("one position changed", "novate-risk", measure(change, loops=2_000)),
        ("one position, what if", "novate-risk", measure(question, loops=2_000)),
    ]


# Every price changed


def new_prices(task: Task) -> list[tuple[str, str, Timing]]:
    """The margin when risk arrays have to be computed first."""
    prices = count(1)

    def ours() -> object:
        market = market_risk(view_at(INDEX + next(prices)))
        return margins_call(market, task)()

    def law() -> object:
        fresh = Task(view_at(INDEX + next(prices)), task.positions)
        return portfolio_margin(fresh.view, fresh.holdings())

    rows = scenario_rows(task)
    return [
        ("every price changed", "novate-risk", measure(ours, loops=5)),
        ("every price changed", "specification", measure(law, repeats=1, warmups=0)),
        ("every price changed", "QuantLib, worst loss only", measure(lambda: quantlib(rows))),
        ("every price changed", "numpy + scipy, worst loss only", measure(lambda: scipys(rows))),
    ]


@dataclass(frozen=True)
class Rows:
    """Inputs of a repricing: (scenario, position) matrices in floats, and lists of the same."""

    forwards: Array
    deviations: Array
    strikes: Array
    kinds: NDArray[np.int64]
    lots: Array
    weights: Array


def scenario_rows(task: Task) -> Rows:
    """Moved forwards and total volatilities of every position in every scenario, still first."""
    risk = task.view.parameters.risk
    terms: list[Terms] = [terms_of(task.view, decode(i)) for i in task.positions]
    moves = [(0, 0), *((s.spot_ppm, s.vol_direction) for s in risk.scenarios)]
    unit = 2.0**-VOL_BITS
    return Rows(
        forwards=np.array([[t.forward * (1 + spot / PPM) for t in terms] for spot, _ in moves]),
        deviations=np.array([[t.total_vols[way + 1] * unit for t in terms] for _, way in moves]),
        strikes=np.array([float(t.strike) for t in terms]),
        kinds=np.array([int(t.kind) for t in terms]),
        lots=np.array(list(task.positions.values()), np.float64),
        weights=np.array([1.0, *(s.weight_ppm / PPM for s in risk.scenarios)]),
    )


def worst(values: Array, rows: Rows) -> float:
    """Worst weighted loss, given the values in every scenario, the still one first."""
    profits = (values - values[0]) @ rows.lots
    return float(np.max(np.maximum(0, -profits) * rows.weights))


def quantlib(rows: Rows) -> float:
    """QuantLib's blackFormula, one call an option and scenario."""
    black, call, put = QuantLib.blackFormula, QuantLib.Option.Call, QuantLib.Option.Put
    side = {int(Kind.CALL): call, int(Kind.PUT): put}
    kinds, strikes = rows.kinds.tolist(), rows.strikes.tolist()
    values = [
        [
            black(side[kind], strike, forward, deviation) if kind in side else forward
            for kind, strike, forward, deviation in zip(kinds, strikes, line, spread, strict=True)
        ]
        for line, spread in zip(rows.forwards.tolist(), rows.deviations.tolist(), strict=True)
    ]
    return worst(np.array(values), rows)


def scipys(rows: Rows) -> float:
    """Black-76 over the whole matrix with scipy's normal distribution."""
    values = rows.forwards.copy()
    option = rows.kinds >= Kind.CALL
    sign = np.where(rows.kinds[option] == Kind.CALL, 1.0, -1.0)
    forward, deviation = rows.forwards[:, option], rows.deviations[:, option]
    strike = rows.strikes[option]
    d1 = np.log(forward / strike) / deviation + deviation / 2
    tail = scipy.special.ndtr
    values[:, option] = sign * (forward * tail(sign * d1) - strike * tail(sign * (d1 - deviation)))
    return worst(values, rows)


# Many accounts


def many_accounts() -> list[tuple[str, str, Timing]]:
    """All accounts valued at a new snapshot, and those below maintenance found."""
    source = np.random.default_rng(SEED)
    instruments = menu()
    held = [
        dict(zip(chosen, lots, strict=True))
        for chosen, lots in zip(
            source.choice(instruments, (ACCOUNTS, ACCOUNT_POSITIONS)).tolist(),
            source.integers(1, 50, (ACCOUNTS, ACCOUNT_POSITIONS)).tolist(),
            strict=True,
        )
    ]
    portfolios = portfolios_of(market_risk(view_at(INDEX)), held)
    cash = np.full(ACCOUNTS, 10**9, np.int64)
    prices = count(1)

    def remark() -> object:
        portfolios.move_to(market_risk(view_at(INDEX + next(prices))).view)
        return portfolios.below_maintenance(cash)

    what = f"{ACCOUNTS:,} accounts of {ACCOUNT_POSITIONS} at new prices"
    return [
        (what, "novate-risk", measure(remark, repeats=3)),
        (
            f"{ACCOUNTS:,} accounts, below maintenance",
            "novate-risk",
            measure(lambda: portfolios.below_maintenance(cash), repeats=3),
        ),
    ]


def main() -> int:
    """Measure, print, write build/bench/margin.json."""
    task = Task(view_at(INDEX), portfolio())
    market = market_risk(task.view)
    assert market.margins([task.holdings()]) == [portfolio_margin(task.view, task.holdings())]
    law_loss = grid_loss(task.view.parameters.risk, task.lines())
    rows = scenario_rows(task)
    for name, loss in (("QuantLib", quantlib(rows)), ("numpy + scipy", scipys(rows))):
        print(f"worst loss of {name} is {1e6 * (loss / law_loss - 1):+.2f} ppm from the law's")
    results = [*standing_still(task, market), *one_change(task, market), *new_prices(task)]
    results += many_accounts()
    ours = {what: seconds for what, who, seconds in results if who == "novate-risk"}
    report(
        "margin",
        [
            {
                "margin of": what,
                "by": who,
                "µs": 1e6 * seconds,
                "median µs": 1e6 * seconds.median,
                "times novate-risk": seconds / ours[what],
            }
            for what, who, seconds in results
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
