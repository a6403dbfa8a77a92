"""Random markets and random time: what the oracles see, round by round."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from novate.lab.worlds import next_expiry
from novate.spec.bounds import DAY_S, PRICE_MAX, SETTLEMENT_WINDOW_S
from novate.spec.instruments import day_of, expiry_time
from novate.spec.messages.oracle import Report
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields

EIGHT_O_CLOCK_S = 28_800


class Mood(NamedTuple):
    """How a stretch of batches behaves."""

    name: str
    step_s_max: int
    """Longest usual time between two rounds, seconds."""
    sigma_ppm: int
    """Size of a usual move of the index between two rounds."""
    drift_ppm: int
    """Mean move, in a direction drawn for the stretch."""
    jump_chance: float
    """Chance of a move that is likely to halt a market."""
    report_chance: float
    """Chance that a market has a quorum in a round."""
    expiry_chance: float
    """Chance that a batch begins a few minutes before an expiry."""
    leap_chance: float
    """Chance that hours pass before a batch."""
    wrong_share: float
    """Part of the records that aim at a rejection."""
    leverage: float
    """Part of its free margin that a trade may use."""
    weights: dict[str, int]
    """Weight of each action (`actions.ACTIONS`); absent ones have 1."""


CALM = Mood("calm", 60, 800, 0, 0.002, 0.97, 0.02, 0.15, 0.10, 0.8, {"trade": 14, "touch": 2})
BUSY = Mood("busy", 20, 1_500, 0, 0.002, 0.99, 0.0, 0.02, 0.06, 1.0, {"trade": 24, "legs": 3})
CRASH_WEIGHTS = {"trade": 6, "touch": 4, "hunt": 10, "step": 8, "fund_trade": 3}
CRASH = Mood("crash", 15, 3_000, 9_000, 0.04, 0.97, 0.0, 0.0, 0.05, 1.0, CRASH_WEIGHTS)
RUIN_WEIGHTS = {"trade": 14, "hunt": 12, "step": 2, "fund_trade": 0}
RUIN = Mood("ruin", 15, 3_000, 18_000, 0.01, 0.99, 0.0, 0.0, 0.05, 1.0, RUIN_WEIGHTS)
JUMP_WEIGHTS = {"trade": 8, "hunt": 12, "step": 6, "touch": 3}
JUMPS = Mood("jumps", 30, 4_000, 2_000, 0.2, 0.95, 0.0, 0.02, 0.08, 1.0, JUMP_WEIGHTS)
EXPIRY_WEIGHTS = {"trade": 10, "touch": 6, "hunt": 2}
EXPIRY = Mood("expiry", 240, 2_000, 0, 0.01, 0.9, 0.5, 0.15, 0.08, 0.9, EXPIRY_WEIGHTS)
GAPS = Mood("gaps", 280, 1_500, 0, 0.01, 0.45, 0.1, 0.05, 0.12, 0.7, {"trade": 8, "touch": 2})
FORCED_WEIGHTS = {"trade": 12, "hunt": 3, "request": 10}
FORCED = Mood("forced", 120, 1_500, 1_000, 0.02, 0.97, 0.02, 0.2, 0.08, 1.0, FORCED_WEIGHTS)
NOISE = Mood("noise", 60, 1_500, 0, 0.01, 0.95, 0.05, 0.05, 0.6, 0.7, {"trade": 6})
MOODS = (CALM, BUSY, CRASH, RUIN, JUMPS, EXPIRY, GAPS, FORCED, NOISE)


@dataclass
class MarketPath:
    """The prices of one underlying as they move."""

    underlying: int
    index_price: int
    premium_ppm: int = 0
    vol_ppm: int = 600_000
    basis_ppm: int = 1_000
    direction: int = 1
    mean: int = 0
    prints: list[int] = field(default_factory=list)
    """Index at the rounds of the current settlement window."""

    def move(self, rng: Random, mood: Mood, time: int) -> None:
        """One step of the market to `time`."""
        ppm = rng.gauss(mood.drift_ppm * self.direction, mood.sigma_ppm)
        if rng.random() < mood.jump_chance:
            ppm += self.direction * rng.uniform(40_000, 160_000)
        self.index_price = max(2_000, min(PRICE_MAX >> 4, int(self.index_price * (1 + ppm / 1e6))))
        self.premium_ppm = max(-7_000, min(7_000, self.premium_ppm + int(rng.gauss(0, 400))))
        self.vol_ppm = max(120_000, min(3_000_000, int(self.vol_ppm * (1 + rng.gauss(0, 0.03)))))
        self.basis_ppm = max(-20_000, min(20_000, self.basis_ppm + int(rng.gauss(0, 200))))
        self._average(time)

    def _average(self, time: int) -> None:
        """The mean of the prints of the window that runs now, or of the last one."""
        second = (time - EIGHT_O_CLOCK_S) % DAY_S
        if second >= DAY_S - SETTLEMENT_WINDOW_S:
            self.prints.append(self.index_price)
            self.mean = sum(self.prints) // len(self.prints)
        else:
            self.prints.clear()
        self.mean = self.mean or self.index_price

    def report(self, rng: Random, time: int, days: tuple[int, ...]) -> Report:
        """What one careful oracle reports; smiles are flat, skewed, or rarely impossible."""
        skew = rng.choice((0, 0, 0, 4_000, -4_000))
        vols = [max(1, self.vol_ppm + skew * (node - NODES // 2)) for node in range(NODES)]
        if rng.random() < 0.02:
            vols[rng.randrange(NODES)] = 9_000_000
        return Report(
            underlying=self.underlying,
            time=time,
            index_price=self.index_price,
            premium_ppm=self.premium_ppm,
            mean=self.mean,
            expiries=tuple(ExpiryFields(day, self.basis_ppm, tuple(vols)) for day in days),
        )


def listed_days(time: int) -> tuple[int, ...]:
    """The expiries that the oracles report: the next two days, a week, a month ahead."""
    first = next_expiry(time)
    return first, first + 1, first + 7, first + 30


def before_expiry(rng: Random, time: int) -> int:
    """A grid second in the half hour (or the minutes) before the next 08:00 UTC."""
    day = day_of(time)
    moment = expiry_time(day) - rng.choice((5, 60, 300, 1_500, 1_800, 2_100))
    while moment <= time:
        moment += DAY_S
    return moment - moment % 5
