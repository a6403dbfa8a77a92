"""The difference of two states: how `diff` data are made, and what makes them canonical."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple, TypeVar

from novate.spec.public_data.difference import (
    AccountChange,
    AccountRest,
    Difference,
    ExpiryChange,
    Freshness,
    FundChange,
    InstrumentChange,
    LotsChange,
    MarketChange,
    PastSide,
    PositionsChange,
    SnapshotChange,
    SnapshotDelta,
    Source,
    Stale,
    SystemChange,
)
from novate.spec.public_data.predict import (
    ExpiryBase,
    instrument_list,
    predicted_open_interest,
)
from novate.spec.state import (
    NO_SNAPSHOT,
    Account,
    Fund,
    InstrumentState,
    Market,
    Position,
    Side,
    Snapshot,
    State,
)

V = TypeVar("V")
Positions = tuple[Position, ...]
NEW_ACCOUNT = Account(owner=0)
"""What an account opened in the batch is compared with."""


class Context(NamedTuple):
    """What every record of one difference refers to."""

    places: Mapping[int, int]
    """Instrument id to its place in the batch's list."""
    instruments: Mapping[int, InstrumentState]
    """After the batch."""
    past: Mapping[tuple[int, bool], list[tuple[int, int]]]
    """(place, is long) to its past (factor, cash), ascending."""


def difference(before: State, after: State) -> Difference:
    """What changed. Both states are of one chain: no market or account disappears."""
    opened = tuple(sorted(after.instruments.keys() - before.instruments.keys()))
    listed = instrument_list(before, opened)
    places = {key: place for place, key in enumerate(listed)}
    past = past_sides(before, after, places)
    by_side: dict[tuple[int, bool], list[tuple[int, int]]] = {}
    for entry in past:
        by_side.setdefault((entry.place, entry.is_long), []).append((entry.factor, entry.cash))
    context = Context(places, after.instruments, by_side)
    return Difference(
        system=_system(before, after),
        parameters=after.parameters if after.parameters != before.parameters else None,
        opened=opened,
        past_sides=past,
        instruments=tuple(_instruments(before, after, places)),
        markets=tuple(_markets(context, before, after)),
        accounts=tuple(_accounts(context, before, after)),
    )


def changed(old: V, new: V) -> V | None:
    """The new value, or None if it is the old one."""
    return None if new == old else new


def moved(old: int, new: int) -> int | None:
    """new − old, or None if that is 0."""
    return None if new == old else new - old


def side_values(state: InstrumentState, quantity: int) -> tuple[int, int]:
    """Factor and accumulator of the side on which a quantity lies."""
    side = state.long if quantity > 0 else state.short
    return side.factor, side.cash


def holder_pairs(before: State, after: State) -> Iterator[tuple[Positions, Positions]]:
    """Positions before and after of every holder that changed: accounts, then funds."""
    for index, account in after.accounts.items():
        old = before.accounts.get(index, NEW_ACCOUNT)
        if account is not old:
            yield old.positions, account.positions
    for underlying, market in enumerate(after.markets):
        yield market_before(before, underlying).fund.positions, market.fund.positions


def market_before(before: State, underlying: int) -> Market:
    """A market before the batch; one added by the batch was unopened."""
    return before.markets[underlying] if underlying < len(before.markets) else Market()


def past_sides(before: State, after: State, places: Mapping[int, int]) -> tuple[PastSide, ...]:
    """Every (factor, accumulator) of a changed holder's position that no side has after the batch.

    Positions that are as before the batch need none.
    """
    found = set()
    for old, new in holder_pairs(before, after):
        if old == new:
            continue
        kept = {position.instrument: position for position in old}
        for position in new:
            values = (position.factor, position.cash)
            known = kept.get(position.instrument)
            if values == side_values(after.instruments[position.instrument], position.quantity):
                continue
            if known is None or values != (known.factor, known.cash):
                place = places[position.instrument]
                found.add(PastSide(place, position.quantity > 0, *values))
    return tuple(sorted(found))


def _system(before: State, after: State) -> SystemChange:
    """The system leaf's changes."""
    old, new = before.system, after.system
    return SystemChange(
        time=changed(old.time, new.time),
        inbox_cursor=changed(old.inbox_cursor, new.inbox_cursor),
        fork=changed(old.fork, new.fork),
        venue_epoch=changed(old.venue_epoch, new.venue_epoch),
        vault=moved(old.vault, new.vault),
        account_count=changed(old.account_count, new.account_count),
    )


def _instruments(
    before: State, after: State, places: Mapping[int, int]
) -> Iterator[InstrumentChange]:
    """Instruments whose leaves the rules do not give."""
    predicted = predicted_open_interest(before, after.instruments, holder_pairs(before, after))
    for key in sorted(after.instruments):
        old = before.instruments.get(key, InstrumentState(key))
        new = after.instruments[key]
        change = InstrumentChange(
            place=places[key],
            open_interest=moved(predicted[key], new.open_interest),
            clearing=moved(old.clearing, new.clearing),
            long_factor=changed(old.long.factor, new.long.factor),
            long_cash=moved(old.long.cash, new.long.cash),
            short_factor=changed(old.short.factor, new.short.factor),
            short_cash=moved(old.short.cash, new.short.cash),
            settlement=new.mark if new.settled and not old.settled else None,
        )
        if change != InstrumentChange(places[key]):
            yield change


def _markets(context: Context, before: State, after: State) -> Iterator[MarketChange]:
    """Markets that changed."""
    for underlying, new in enumerate(after.markets):
        old = market_before(before, underlying)
        if new == old:
            continue
        yield MarketChange(
            underlying=underlying,
            current=_snapshot(old, None, old.current, new.current),
            reference=_snapshot(old, new.current, old.reference, new.reference),
            candidate=_snapshot(old, new.current, old.candidate, new.candidate),
            pending=_snapshot(old, new.current, old.halt.pending, new.halt.pending),
            halt_since=changed(old.halt.since, new.halt.since),
            agreeing=changed(old.halt.agreeing, new.halt.agreeing),
            concentration_ppm=changed(old.concentration_ppm, new.concentration_ppm),
            fund=_fund(context, old.fund, new.fund),
        )


def _fund(context: Context, old: Fund, new: Fund) -> FundChange | None:
    """A fund's changes."""
    if new == old:
        return None
    positions = _positions(context, old.positions, new.positions)
    return FundChange(new.cash - old.cash, new.debt - old.debt, positions)


def snapshot_sources(market: Market, current: Snapshot | None) -> dict[Source, Snapshot]:
    """What a snapshot may be taken from: the new current one, and the market before the batch."""
    old = {
        Source.OLD_CURRENT: market.current,
        Source.OLD_REFERENCE: market.reference,
        Source.OLD_CANDIDATE: market.candidate,
        Source.OLD_PENDING: market.halt.pending,
        Source.NONE: NO_SNAPSHOT,
    }
    return old if current is None else {Source.CURRENT: current, **old}


def _snapshot(
    market: Market, current: Snapshot | None, old: Snapshot, new: Snapshot
) -> SnapshotChange | None:
    """How a snapshot changed, by the first source that gives it."""
    if new == old:
        return None
    for source, snapshot in snapshot_sources(market, current).items():
        if snapshot == new:
            return SnapshotChange(source)
    return SnapshotChange(Source.DELTA, _snapshot_delta(market.current, new))


def _snapshot_delta(base: Snapshot, new: Snapshot) -> SnapshotDelta:
    """A snapshot less its base, expiry by expiry."""
    days = tuple(expiry.day for expiry in new.expiries)
    known = tuple(expiry.day for expiry in base.expiries)
    bases = ExpiryBase(base)
    expiries = []
    for expiry in new.expiries:
        from_fields = bases.next(expiry)
        vols = zip(expiry.vols_ppm, from_fields.vols_ppm, strict=True)
        expiries.append(
            ExpiryChange(
                expiry.basis_ppm - from_fields.basis_ppm,
                tuple(vol - from_vol for vol, from_vol in vols),
            )
        )
    return SnapshotDelta(
        new.time - base.time,
        new.index_price - base.index_price,
        new.premium_ppm - base.premium_ppm,
        new.mean - base.mean,
        None if days == known else days,
        tuple(expiries),
    )


def _accounts(context: Context, before: State, after: State) -> Iterator[AccountChange]:
    """Accounts that changed or were opened."""
    for index in sorted(after.accounts):
        old, new = before.accounts.get(index, NEW_ACCOUNT), after.accounts[index]
        if new is old or (new == old and index in before.accounts):
            continue
        rest = AccountRest(
            *(changed(getattr(old, name), getattr(new, name)) for name in AccountRest._fields)
        )
        yield AccountChange(
            account=index,
            cash=new.cash - old.cash,
            positions=_positions(context, old.positions, new.positions),
            last_underlying=changed(old.last_underlying, new.last_underlying),
            liquidation_since=changed(old.liquidation_since, new.liquidation_since),
            rest=rest,
        )


def _positions(context: Context, old: Positions, new: Positions) -> PositionsChange:
    """A holder's positions: lots that moved, and which snapshots are not their side's."""
    held = {position.instrument: position.quantity for position in old}
    holds = {position.instrument: position.quantity for position in new}
    lots = tuple(
        LotsChange(context.places[key], holds.get(key, 0) - held.get(key, 0))
        for key in _merged(held, holds)
        if holds.get(key, 0) != held.get(key, 0)
    )
    stale = tuple(_stale(context, old, new))
    if not stale:
        return PositionsChange(lots, Freshness.CURRENT)
    if new == old:
        return PositionsChange((), Freshness.KEPT)
    return PositionsChange(lots, Freshness.MIXED, stale)


def _merged(*groups: Iterable[int]) -> list[int]:
    """All keys of the groups, ascending."""
    return sorted(set(chain(*groups)))


def _stale(context: Context, old: Positions, new: Positions) -> Iterator[Stale]:
    """Positions whose snapshot is not that of their side after the batch."""
    kept = {position.instrument: (position.factor, position.cash) for position in old}
    for place, position in enumerate(new):
        values = (position.factor, position.cash)
        if values == side_values(context.instruments[position.instrument], position.quantity):
            continue
        if values == kept.get(position.instrument):
            yield Stale(place, 0)
        else:
            key = (context.places[position.instrument], position.quantity > 0)
            yield Stale(place, 1 + context.past[key].index(values))


def side_after(old: Side, factor: int | None, cash: int | None) -> Side:
    """A side with its changes."""
    return Side(old.factor if factor is None else factor, old.cash + (cash or 0))
