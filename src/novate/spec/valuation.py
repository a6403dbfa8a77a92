"""Equity and margin of holders, at the opening snapshot of a round and at the reference.

Symbols of the brief: E equity, M maintenance margin, I initial margin.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from novate.spec.draft import Draft
from novate.spec.holders import Positions, touch_account, underlying_of
from novate.spec.instruments import decode, expiry_time
from novate.spec.journal import Health
from novate.spec.margin import Holding, Margin, concentration_rate, portfolio_margin
from novate.spec.marks import MarketView, mark
from novate.spec.oracle import SNAPSHOT_AGE_MAX_S
from novate.spec.rounding import div_down
from novate.spec.state import Account, ExpiryFields, Fund, InstrumentState, Snapshot


@dataclass
class RoundState:
    """What a round remembers while it is open. All of it goes through the draft's undo log."""

    time: int
    views: dict[int, MarketView]
    """By underlying, at the opening snapshot."""
    references: dict[int, MarketView]
    """By underlying, at the reference snapshot."""
    opening: dict[int, Account] = field(default_factory=dict)
    """Accounts with an act of their own, as they were before it (passive flows included)."""
    inflow: dict[int, int] = field(default_factory=dict)
    """Cash an account received from, less what it sent to, others without trading."""
    paid: dict[int, int] = field(default_factory=dict)
    """Fees an account paid less rebates."""
    moved_out: dict[int, bool] = field(default_factory=dict)
    """Accounts that withdrew or transferred out: the withdrawal test binds."""
    must_reduce: dict[int, bool] = field(default_factory=dict)
    """Accounts that only a risk-reducing round may leave: unsigned sides, halted markets."""
    touched: dict[int, bool] = field(default_factory=dict)
    """Accounts whose liquidation status is looked at when the round closes."""
    fund_opening: dict[int, Fund] = field(default_factory=dict)
    """Funds that traded without a signature, as they were before it."""
    fees: dict[str, int] = field(default_factory=dict)
    """Fees of the round, credited to the fee account at its end."""
    sequence: dict[str, int] = field(default_factory=dict)
    """The next ledger sequence number."""


def open_views(draft: Draft, time: int) -> RoundState:
    """The views of a round that opens now, from the markets' current and reference snapshots."""
    views = {}
    references = {}
    for underlying, market in draft.markets.items():
        parameters = draft.market_parameters(underlying)
        rate = concentration_rate(
            parameters, open_interest_of(draft, underlying), market.current.index_price
        )
        view = MarketView(
            parameters=parameters,
            snapshot=market.current,
            time=market.current.time,
            concentration_maintenance_ppm=market.concentration_ppm,
            concentration_initial_ppm=rate,
        )
        views[underlying] = view
        references[underlying] = view._replace(
            snapshot=reference_snapshot(market.current, market.reference)
        )
    return RoundState(time=time, views=views, references=references)


def open_interest_of(draft: Draft, underlying: int) -> int:
    """Open interest of all instruments of an underlying together, lots."""
    return sum(
        state.open_interest
        for state in draft.instruments.values()
        if not state.settled and underlying_of(state.instrument) == underlying
    )


def reference_snapshot(current: Snapshot, reference: Snapshot) -> Snapshot:
    """The reference's index, premium, basis and smiles, with what only the current one has.

    Expiries absent from the reference use current fields; a reference never taken is the current.
    """
    if reference.time == 0:
        return current
    known = {expiry.day: expiry for expiry in reference.expiries}
    merged: dict[int, ExpiryFields] = {expiry.day: expiry for expiry in current.expiries}
    merged.update(known)
    return Snapshot(
        time=reference.time,
        index_price=reference.index_price,
        premium_ppm=reference.premium_ppm,
        mean=current.mean,
        expiries=tuple(merged[day] for day in sorted(merged)),
    )


def holdings_by_underlying(positions: Positions) -> dict[int, list[Holding]]:
    """A holder's up-to-date positions, grouped for the margin rule."""
    groups: dict[int, list[Holding]] = {}
    for position in positions:
        groups.setdefault(underlying_of(position.instrument), []).append(
            Holding(position.instrument, position.quantity, None)
        )
    return groups


def margins_by_underlying(views: dict[int, MarketView], positions: Positions) -> dict[int, Margin]:
    """Value and margins of a holder's up-to-date positions, by underlying."""
    return {
        underlying: portfolio_margin(views[underlying], tuple(holdings))
        for underlying, holdings in holdings_by_underlying(positions).items()
    }


def health(views: dict[int, MarketView], cash: int, positions: Positions) -> Health:
    """Equity, maintenance and initial margin; no offset between underlyings."""
    margins = margins_by_underlying(views, positions).values()
    return Health(
        equity=cash + sum(margin.value for margin in margins),
        maintenance=sum(margin.maintenance for margin in margins),
        initial=sum(margin.initial for margin in margins),
    )


def account_health(views: dict[int, MarketView], account: Account) -> Health:
    """Health of an up-to-date account."""
    return health(views, account.cash, account.positions)


def is_fresh(draft: Draft, underlying: int) -> bool:
    """Whether the market's snapshot is as new as one that may open a round.

    Nothing is closed without its holder's signature at an older price: whoever brings it about
    could wait until the market has moved away.
    """
    age = draft.system.time - draft.market(underlying).current.time
    return age <= SNAPSHOT_AGE_MAX_S


def mark_of(views: dict[int, MarketView], state: InstrumentState) -> int:
    """The mark of an instrument at the round's snapshot; of a settled one its settlement value."""
    if state.settled:
        return state.mark
    return mark(views[underlying_of(state.instrument)], decode(state.instrument))


def mark_of_id(views: dict[int, MarketView], instrument: int) -> int:
    """The mark of an instrument id at the round's snapshot."""
    return mark(views[underlying_of(instrument)], decode(instrument))


def is_expired(instrument: int, time: int) -> bool:
    """Whether an instrument's expiry has come."""
    decoded = decode(instrument)
    return decoded.expiry_day != 0 and expiry_time(decoded.expiry_day) <= time


def withdrawal_obstacle(draft: Draft, positions: Positions) -> str:
    """Why nothing may leave the account whatever its equity: a halt or a missing fixing; or ''."""
    for position in positions:
        underlying = underlying_of(position.instrument)
        if draft.market(underlying).halt.since:
            return f"market {underlying} is halted"
        if is_expired(position.instrument, draft.system.time):
            return f"instrument {position.instrument} is not settled yet"
    return ""


def withdrawable(draft: Draft, round_state: RoundState, account: Account) -> int:
    """The largest debit after which E >= I at this snapshot and at the reference; at least 0."""
    if withdrawal_obstacle(draft, account.positions):
        return 0
    now = account_health(round_state.views, account)
    then = account_health(round_state.references, account)
    return max(0, min(now.equity - now.initial, then.equity - then.initial))


def total_debt(draft: Draft) -> int:
    """B: fund debt of all markets together."""
    return sum(market.fund.debt for market in draft.markets.values())


def payout_of(draft: Draft, debit: int) -> int:
    """What a debit pays out: all of it, or debit · V / (V + B) rounded down while B > 0."""
    debt = total_debt(draft)
    if debt == 0:
        return debit
    vault = draft.system.vault
    return div_down(debit * vault, vault + debt)


def begin_act(draft: Draft, round_state: RoundState, index: int) -> Account:
    """An account is about to act: bring it up to date and remember it as it was before."""
    account = touch_account(draft, index)
    if index not in round_state.opening:
        draft.assign(round_state.opening, index, account)
    mark_touched(draft, round_state, index)
    return account


def mark_touched(draft: Draft, round_state: RoundState, index: int) -> None:
    """The account's liquidation status is looked at when the round closes."""
    if index not in round_state.touched:
        draft.assign(round_state.touched, index, True)


def add_to(draft: Draft, sums: dict[int, int], index: int, amount: int) -> None:
    """sums[index] += amount, undoable."""
    draft.assign(sums, index, sums.get(index, 0) + amount)
