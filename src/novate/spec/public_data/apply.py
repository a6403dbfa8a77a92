"""The state after a difference: what readers of `diff` data compute, every value within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from novate.spec.bounds import (
    ACCUMULATOR_MAX,
    CASH_MAX,
    FACTOR_MIN,
    FACTOR_ONE,
    PRICE_MAX,
    QUANTITY_MAX,
    TIME_MAX,
    check_range,
)
from novate.spec.errors import DecodeError, InvalidBatch
from novate.spec.holders import underlying_of
from novate.spec.instruments import decode as decode_instrument
from novate.spec.messages.oracle import Report, check_report
from novate.spec.parameters_check import check_change
from novate.spec.public_data.compare import (
    NEW_ACCOUNT,
    Positions,
    holder_pairs,
    market_before,
    side_after,
    side_values,
    snapshot_sources,
)
from novate.spec.public_data.difference import (
    AccountChange,
    Difference,
    Freshness,
    FundChange,
    InstrumentChange,
    MarketChange,
    PositionsChange,
    SnapshotChange,
    SnapshotDelta,
)
from novate.spec.public_data.predict import (
    ExpiryBase,
    holders_change,
    instrument_list,
    mark_after,
    predicted_open_interest,
)
from novate.spec.smile import NODES
from novate.spec.state import (
    Account,
    ExpiryFields,
    Fund,
    Halt,
    InstrumentState,
    Market,
    Position,
    Snapshot,
    State,
)

V = TypeVar("V")

BALANCE_MAX = 2**63 - 1
"""Largest absolute clearing balance, fund cash, debt or vault that bytes can say, inclusive."""


def apply_difference(before: State, change: Difference) -> State:
    """The state after a difference; DecodeError if a value leaves its range."""
    parameters = before.parameters
    if change.parameters is not None:
        try:
            check_change(before.preset, parameters, change.parameters)
        except InvalidBatch as error:
            raise DecodeError(error.reason, error.detail) from error
        parameters = change.parameters
    system = before.system
    new_system = change.system
    fresh = replace(
        system,
        batch_number=system.batch_number + 1,
        time=given(new_system.time, system.time),
        inbox_cursor=given(new_system.inbox_cursor, system.inbox_cursor),
        fork=given(new_system.fork, system.fork),
        venue_epoch=given(new_system.venue_epoch, system.venue_epoch),
        vault=check_range("vault", system.vault + (new_system.vault or 0), 0, CASH_MAX),
        account_count=given(new_system.account_count, system.account_count),
    )
    listed = instrument_list(before, change.opened)
    if len(set(listed)) != len(listed):
        raise DecodeError("already_open", "an instrument opened twice")
    sides = _Instruments(before, change, listed)
    markets = _markets(before, change, sides, len(parameters.markets))
    accounts = dict(before.accounts)
    for record in change.accounts:
        accounts[record.account] = _account(before, record, sides)
    count = check_range("account_count", fresh.account_count, 0, before.preset.accounts_max)
    if len(accounts) != count or max(accounts, default=-1) != count - 1:
        raise DecodeError("accounts_not_dense", f"account_count = {fresh.account_count}")
    after = State(before.preset, parameters, fresh, markets, sides.states, accounts)
    return replace(after, instruments=sides.finish(after))


def given(new: V | None, old: V) -> V:
    """The new value, or the old one if there is none."""
    return old if new is None else new


class _Instruments:
    """The batch's instruments, with sides as after the batch; the rest is filled in at the end."""

    def __init__(self, before: State, change: Difference, listed: list[int]) -> None:
        """Apply what the records say of sides, balances and settlement."""
        self.before = before
        self.listed = listed
        self.places = {key: place for place, key in enumerate(listed)}
        self.changes = {record.place: record for record in change.instruments}
        self.states: dict[int, InstrumentState] = {}
        for place, key in enumerate(listed):
            decode_instrument(key)
            old = before.instruments.get(key, InstrumentState(key))
            record = self.changes.get(place)
            self.states[key] = old if record is None else _instrument(old, record)
        self.past: dict[tuple[int, bool], list[tuple[int, int]]] = {}
        for entry in change.past_sides:
            check_range("past_side.factor", entry.factor, FACTOR_MIN, FACTOR_ONE)
            check_range("past_side.cash", entry.cash, -ACCUMULATOR_MAX, ACCUMULATOR_MAX)
            self.past.setdefault((entry.place, entry.is_long), []).append(
                (entry.factor, entry.cash)
            )

    def key_at(self, place: int) -> int:
        """The id at a place of the batch's list."""
        check_range("instrument place", place, 0, len(self.listed) - 1)
        return self.listed[place]

    def past_values(self, key: int, is_long: bool, source: int) -> tuple[int, int]:
        """The `source`-th past side of an instrument, counted from 1."""
        values = self.past.get((self.places[key], is_long), [])
        check_range("stale.source", source, 1, len(values))
        return values[source - 1]

    def finish(self, after: State) -> dict[int, InstrumentState]:
        """Marks, holders and open interest; without the instruments that nobody holds."""
        pairs = list(holder_pairs(self.before, after))
        predicted = predicted_open_interest(self.before, self.states, pairs)
        came = holders_change(pairs)
        finished = {}
        for place, (key, state) in enumerate(self.states.items()):
            record = self.changes.get(place, InstrumentChange(place))
            open_interest = predicted[key] + (record.open_interest or 0)
            holders = state.holders + came.get(key, 0)
            if holders == 0:
                continue
            finished[key] = state._replace(
                open_interest=check_range("open_interest", open_interest, 0, BALANCE_MAX),
                holders=check_range("holders", holders, 1, BALANCE_MAX),
                mark=state.mark if state.settled else _mark(after, key),
            )
        return finished


def _mark(after: State, key: int) -> int:
    """The mark of an open instrument after the batch."""
    underlying = underlying_of(key)
    check_range("instrument.underlying", underlying, 0, len(after.markets) - 1)
    return mark_after(after.parameters, after.markets[underlying], underlying, key)


def _instrument(old: InstrumentState, record: InstrumentChange) -> InstrumentState:
    """An instrument with new sides, clearing balance and settlement."""
    clearing = old.clearing + (record.clearing or 0)
    long = side_after(old.long, record.long_factor, record.long_cash)
    short = side_after(old.short, record.short_factor, record.short_cash)
    for side in (long, short):
        check_range("side.factor", side.factor, FACTOR_MIN, FACTOR_ONE)
        check_range("side.cash", side.cash, -ACCUMULATOR_MAX, ACCUMULATOR_MAX)
    check_range("clearing", clearing, -BALANCE_MAX, BALANCE_MAX)
    new = old._replace(clearing=clearing, long=long, short=short)
    if record.settlement is None:
        return new
    mark = check_range("settlement", record.settlement, 0, PRICE_MAX)
    return new._replace(mark=mark, settled=True)


def _account(before: State, record: AccountChange, sides: _Instruments) -> Account:
    """An account with its changes."""
    check_range("account", record.account, 0, before.preset.accounts_max - 1)
    old = before.accounts.get(record.account, NEW_ACCOUNT)
    rest = {name: value for name, value in record.rest._asdict().items() if value is not None}
    return replace(
        old,
        cash=check_range("cash", old.cash + record.cash, -CASH_MAX, CASH_MAX),
        positions=_positions(old.positions, record.positions, sides),
        last_underlying=given(record.last_underlying, old.last_underlying),
        liquidation_since=given(record.liquidation_since, old.liquidation_since),
        **rest,
    )


def _positions(old: Positions, record: PositionsChange, sides: _Instruments) -> Positions:
    """A holder's positions after the batch."""
    if record.freshness == Freshness.KEPT:
        return old
    kept = {position.instrument: position for position in old}
    quantities = {position.instrument: position.quantity for position in old}
    for lots in record.lots:
        key = sides.key_at(lots.place)
        quantity = quantities.get(key, 0) + lots.lots
        quantities[key] = check_range("quantity", quantity, -QUANTITY_MAX, QUANTITY_MAX)
    held = [key for key in sorted(quantities) if quantities[key]]
    stale = {entry.place: entry.source for entry in record.stale}
    return tuple(
        Position(
            key, quantities[key], *_values(sides, kept, key, quantities[key], stale.get(place))
        )
        for place, key in enumerate(held)
    )


def _values(
    sides: _Instruments,
    kept: Mapping[int, Position],
    key: int,
    quantity: int,
    source: int | None,
) -> tuple[int, int]:
    """Factor and accumulator of one position after the batch."""
    if source is None:
        return side_values(sides.states[key], quantity)
    if source:
        return sides.past_values(key, quantity > 0, source)
    if key not in kept:
        raise DecodeError("no_such_position", f"instrument {key} was not held before")
    return kept[key].factor, kept[key].cash


def _markets(
    before: State, change: Difference, sides: _Instruments, count: int
) -> tuple[Market, ...]:
    """All markets after the batch."""
    markets = {underlying: market_before(before, underlying) for underlying in range(count)}
    for record in change.markets:
        check_range("underlying", record.underlying, 0, count - 1)
        old = market_before(before, record.underlying)
        markets[record.underlying] = _market(before, old, record, sides)
    return tuple(markets.values())


def _market(before: State, old: Market, record: MarketChange, sides: _Instruments) -> Market:
    """One market with its changes."""
    current = _snapshot(before, old, record.underlying, None, record.current, old.current)

    def snapshot(change: SnapshotChange | None, was: Snapshot) -> Snapshot:
        """One of the market's other snapshots."""
        return _snapshot(before, old, record.underlying, current, change, was)

    return Market(
        current=current,
        reference=snapshot(record.reference, old.reference),
        candidate=snapshot(record.candidate, old.candidate),
        halt=Halt(
            given(record.halt_since, old.halt.since),
            given(record.agreeing, old.halt.agreeing),
            snapshot(record.pending, old.halt.pending),
        ),
        concentration_ppm=given(record.concentration_ppm, old.concentration_ppm),
        fund=old.fund if record.fund is None else _fund(old.fund, record.fund, sides),
    )


def _fund(old: Fund, record: FundChange, sides: _Instruments) -> Fund:
    """A fund with its changes."""
    return Fund(
        cash=check_range("fund.cash", old.cash + record.cash, -BALANCE_MAX, BALANCE_MAX),
        positions=_positions(old.positions, record.positions, sides),
        debt=check_range("fund.debt", old.debt + record.debt, 0, BALANCE_MAX),
    )


def _snapshot(
    before: State,
    market: Market,
    underlying: int,
    current: Snapshot | None,
    change: SnapshotChange | None,
    was: Snapshot,
) -> Snapshot:
    """A snapshot after the batch; DecodeError if it is out of bounds or has no such source."""
    if change is None:
        return was
    if change.delta is None:
        sources = snapshot_sources(market, current)
        if change.source not in sources:
            raise DecodeError("no_such_source", f"source {change.source.name}")
        return sources[change.source]
    new = _snapshot_after(market.current, change.delta)
    check_report(Report(underlying, *new), before.preset.expiries_max, NODES)
    return new


def _snapshot_after(base: Snapshot, delta: SnapshotDelta) -> Snapshot:
    """A snapshot from its base and its difference."""
    known = tuple(expiry.day for expiry in base.expiries)
    days = known if delta.days is None else delta.days
    check_range("snapshot.expiries", len(delta.expiries), len(days), len(days))
    bases = ExpiryBase(base)
    expiries = []
    for day, change in zip(days, delta.expiries, strict=True):
        from_fields = bases.of(day)
        vols = zip(from_fields.vols_ppm, change.vols_ppm, strict=True)
        expiry = ExpiryFields(
            day,
            from_fields.basis_ppm + change.basis_ppm,
            tuple(vol + vol_change for vol, vol_change in vols),
        )
        bases.next(expiry)
        expiries.append(expiry)
    return Snapshot(
        check_range("snapshot.time", base.time + delta.time, 0, TIME_MAX),
        base.index_price + delta.index_price,
        base.premium_ppm + delta.premium_ppm,
        base.mean + delta.mean,
        tuple(expiries),
    )
