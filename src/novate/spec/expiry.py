"""Expiry: one settlement value for each instrument, fixed once.

The settlement price is the mean of the prints of 07:30-08:00 UTC, which every report carries until
the next window begins. Without a quorum in that time, the last accepted mean is taken.
"""

from __future__ import annotations

from novate.spec.bounds import DAY_S, SETTLEMENT_WINDOW_S
from novate.spec.draft import Draft
from novate.spec.holders import underlying_of
from novate.spec.instruments import Instrument, Kind, decode, expiry_time
from novate.spec.journal import SettlementEntry
from novate.spec.parameters import MarketParameters
from novate.spec.state import InstrumentState, Snapshot

WINDOW_REPEATS_S = DAY_S - SETTLEMENT_WINDOW_S
"""From an expiry on, reports carry its mean for this long; then the next window begins."""


def last_mean(snapshot: Snapshot) -> int:
    """The mean to settle by when no report of the window came: the last accepted one."""
    return snapshot.mean if snapshot.mean else snapshot.index_price


def settlement_price(current: Snapshot, upcoming: Snapshot, expiry: int, time: int) -> int | None:
    """The price an expiry settles at in a round at `time`, or None: not yet.

    current: the accepted snapshot before the round; upcoming: the one accepted in it (or the same).
    """
    if expiry <= upcoming.time < expiry + WINDOW_REPEATS_S:
        return last_mean(upcoming)
    if expiry <= current.time < expiry + WINDOW_REPEATS_S:
        return last_mean(current)
    if upcoming.time >= expiry + WINDOW_REPEATS_S or time >= expiry + DAY_S:
        return last_mean(current)
    return None


def settlement_value(parameters: MarketParameters, instrument: Instrument, price: int) -> int:
    """What a lot pays at a settlement price, ticks: the price, or the option's intrinsic value."""
    strike = instrument.strike * parameters.strike_tick
    if instrument.kind == Kind.CALL:
        return max(price - strike, 0)
    if instrument.kind == Kind.PUT:
        return max(strike - price, 0)
    return price


def settle_expired(
    draft: Draft, underlying: int, current: Snapshot, upcoming: Snapshot, time: int
) -> None:
    """Fix the value of every expired instrument of the market for which it is known.

    As many as the settled tree has room for; the others stay valued at the last mean until then.
    """
    room = draft.preset.open_instruments_max - sum(s.settled for s in draft.instruments.values())
    for state in [draft.instruments[key] for key in sorted(draft.instruments)]:
        if state.settled or underlying_of(state.instrument) != underlying or room <= 0:
            continue
        instrument = decode(state.instrument)
        if instrument.expiry_day == 0 or expiry_time(instrument.expiry_day) > time:
            continue
        price = settlement_price(current, upcoming, expiry_time(instrument.expiry_day), time)
        if price is not None:
            _settle(draft, state, instrument, price)
            room -= 1


def _settle(draft: Draft, state: InstrumentState, instrument: Instrument, price: int) -> None:
    """Write the settlement value into the instrument's leaf."""
    parameters = draft.market_parameters(instrument.underlying)
    value = settlement_value(parameters, instrument, price)
    draft.put_instrument(state._replace(mark=value, settled=True))
    draft.record(draft.journal.settlements, SettlementEntry(state.instrument, value, True))


def sweep_empty(draft: Draft) -> list[tuple[int, int]]:
    """Remove instruments nobody holds; returns (underlying, clearing balance) for the funds."""
    swept = []
    for key in sorted(draft.instruments):
        state = draft.instruments[key]
        if state.holders == 0:
            draft.discard(draft.instruments, key)
            swept.append((underlying_of(key), state.clearing))
    return swept
