"""A price over time, from recorded prints: what the demo's oracles see."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

from novate.spec.bounds import DAY_S, ORACLE_GRID_S, SETTLEMENT_WINDOW_S
from novate.spec.instruments import EXPIRY_OF_DAY_S
from novate.spec.rounding import div_down


class PricePath:
    """Prints by unix second, linear between them, flat outside."""

    def __init__(self, prints: Iterable[tuple[int, int]]) -> None:
        """(time, ticks) with ascending times; at least one."""
        self._times: list[int] = []
        self._prices: list[int] = []
        for time, price in prints:
            self._times.append(time)
            self._prices.append(price)

    def at(self, time: int) -> int:
        """Ticks at a second."""
        after = bisect_right(self._times, time)
        if after == 0:
            return self._prices[0]
        if after == len(self._times):
            return self._prices[-1]
        start, end = self._times[after - 1], self._times[after]
        left, right = self._prices[after - 1], self._prices[after]
        return left + div_down((right - left) * (time - start), end - start)

    def trailing_mean(self, time: int, seconds: int) -> int:
        """Mean of the grid prints of the last `seconds`, ticks."""
        prints = [self.at(second) for second in range(time - seconds, time + 1, ORACLE_GRID_S)]
        return div_down(sum(prints), len(prints))

    @lru_cache(maxsize=4_096)  # noqa: B019 - a path lives as long as the demo
    def window_mean(self, time: int) -> int:
        """Mean of the prints of the latest 07:30-08:00 UTC window, as far as it has come."""
        end = time - (time - EXPIRY_OF_DAY_S) % DAY_S
        start = end - SETTLEMENT_WINDOW_S
        if time >= end + DAY_S - SETTLEMENT_WINDOW_S:  # inside the next window
            start, end = start + DAY_S, time
        prints = [self.at(second) for second in range(start, end + 1, ORACLE_GRID_S)]
        return div_down(sum(prints), len(prints))
