"""What follows by rule, and so is not in `diff` data: shared by those who write and read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from novate.spec.instruments import decode
from novate.spec.marks import MarketView, mark
from novate.spec.parameters import Parameters
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, InstrumentState, Market, Position, Snapshot, State

Positions = tuple[Position, ...]
NO_EXPIRY = ExpiryFields(0, 0, (0,) * NODES)


def instrument_list(before: State, opened: Sequence[int]) -> list[int]:
    """The ids that records of a batch refer to by place: of before, and opened; ascending."""
    return sorted(chain(before.instruments, opened))


def predicted_open_interest(
    before: State,
    after: Mapping[int, InstrumentState],
    holders: Iterable[tuple[Positions, Positions]],
) -> dict[int, int]:
    """Open interest before plus the long lots that came, less those that went.

    `holders`: positions before and after of all that changed. A settled instrument keeps what it
    had, since holders collect without trading.
    """
    totals = {
        key: before.instruments[key].open_interest if key in before.instruments else 0
        for key in after
    }
    for old, new in holders:
        for positions, sign in ((old, -1), (new, 1)):
            for position in positions:
                state = after.get(position.instrument)
                if state is not None and not state.settled:
                    totals[position.instrument] += sign * max(position.quantity, 0)
    return totals


def holders_change(holders: Iterable[tuple[Positions, Positions]]) -> dict[int, int]:
    """Holders that came less those that went, by instrument."""
    changes: dict[int, int] = {}
    for old, new in holders:
        for positions, sign in ((old, -1), (new, 1)):
            for position in positions:
                key = position.instrument
                changes[key] = changes.get(key, 0) + sign
    return changes


def mark_after(parameters: Parameters, market: Market, underlying: int, instrument: int) -> int:
    """The mark of an open instrument at the end of a batch, ticks: at the current snapshot."""
    view = MarketView(
        parameters=parameters.markets[underlying],
        snapshot=market.current,
        time=market.current.time,
        concentration_maintenance_ppm=0,
        concentration_initial_ppm=0,
    )
    return mark(view, decode(instrument))


class ExpiryBase:
    """What the fields of each expiry of a snapshot are given relative to.

    The same day of the base; if it has none, the expiry before it in the same snapshot.
    """

    def __init__(self, base: Snapshot) -> None:
        """`base`: the market's current snapshot before the batch."""
        self._known = {expiry.day: expiry for expiry in base.expiries}
        self._last = NO_EXPIRY

    def of(self, day: int) -> ExpiryFields:
        """The base of an expiry."""
        return self._known.get(day, self._last)

    def next(self, expiry: ExpiryFields) -> ExpiryFields:
        """The base of an expiry that is known, which then is the last one."""
        base = self.of(expiry.day)
        self._last = expiry
        return base
