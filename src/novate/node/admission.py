"""Whether an account can carry its open orders, whatever part of them fills.

Which orders will fill is not known, so some corners of what may happen are tried, each a set of
orders filled whole at their limits: all buys; all sells; everything that gains when the price
rises (buys of linears and calls, sells of puts); everything that gains when it falls; everything.
In each the account must have its initial margin, or have come closer to it in the sense of the
margin rule. Corners are not every subset: the law's own test at each fill is what binds, this one
keeps an acknowledged order from being an empty promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from novate.node.port import Engine, FillOf
from novate.spec.instruments import Kind, decode
from novate.spec.margin_rule import is_risk_reducing

CORNERS: tuple[Callable[[FillOf], bool], ...] = (
    lambda change: change[1] > 0,
    lambda change: change[1] < 0,
    lambda change: rises(change),
    lambda change: not rises(change),
    lambda _: True,
)


def rises(change: FillOf) -> bool:
    """Whether the fill gains when the price of the underlying rises."""
    instrument, lots, _ = change
    return (lots > 0) != is_put(instrument)


@lru_cache(maxsize=1 << 16)
def is_put(instrument: int) -> bool:
    """Whether the instrument falls when its underlying rises. Rejection `unknown_instrument`."""
    return decode(instrument).kind == Kind.PUT


def corners(changes: Iterable[FillOf]) -> list[tuple[FillOf, ...]]:
    """The distinct sets of fills to try, without the empty one."""
    listed = tuple(changes)
    found = (tuple(filter(corner, listed)) for corner in CORNERS)
    return list(dict.fromkeys(corner for corner in found if corner))


def fits(engine: Engine, account: int, changes: Sequence[FillOf], step_loss_ppm: int) -> bool:
    """Whether the account keeps its margin in every corner of these open orders."""
    before = engine.health(account)
    for corner in corners(changes):
        after = engine.health_after(account, corner)
        covered = after.equity >= after.initial
        if not covered and not is_risk_reducing(before, after, step_loss_ppm):
            return False
    return True
