"""The liquidation waterfall: status, fund takeover, deleveraging by factors, fund debt.

Nothing here chooses whom to take from: the outcome for an account is a function of the state.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.bounds import FACTOR_MIN, FACTOR_ONE, PRICE_MAX, QUANTITY_MAX
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.funds import add_debt, credit_fund
from novate.spec.holders import (
    Positions,
    change_position,
    fund_holder,
    put_fund,
    touch_account,
    touch_fund,
    underlying_of,
)
from novate.spec.journal import (
    DeleverageEntry,
    Health,
    LiquidationEntry,
    LiquidationStage,
    SettlementEntry,
)
from novate.spec.ledger import record_row
from novate.spec.margin import worst_loss
from novate.spec.rounding import clamp, div_down, mul_div_down, ppm_down, ppm_up
from novate.spec.state import Account, Position, Side
from novate.spec.valuation import (
    RoundState,
    account_health,
    health,
    is_fresh,
    margins_by_underlying,
    mark_of_id,
    mark_touched,
)


def update_status(draft: Draft, round_state: RoundState, index: int) -> Health:
    """Set the status where E < M, clear it where E >= I; returns the account's health."""
    account = touch_account(draft, index)
    now = account_health(round_state.views, account)
    below = now.equity < now.maintenance
    if below and account.liquidation_since == 0:
        draft.put_account(index, replace(account, liquidation_since=round_state.time))
        _record(draft, LiquidationStage.STATUS_SET, index, -1, now.maintenance - now.equity)
    elif account.liquidation_since and now.equity >= now.initial:
        draft.put_account(index, replace(account, liquidation_since=0))
        _record(draft, LiquidationStage.STATUS_CLEARED, index, -1, now.equity - now.initial)
    return now


def waterfall_obstacle(draft: Draft, round_state: RoundState, account: Account) -> str:
    """Why the waterfall is not open for an up-to-date account, or ''.

    It opens in a round whose accepted snapshots are later than the one that set the status.
    """
    if account.liquidation_since == 0:
        return "not in liquidation"
    live = live_underlyings(draft, account.positions)
    if account.positions and not live:
        return "every market it holds is halted"
    for underlying in live:
        if round_state.views[underlying].snapshot.time <= account.liquidation_since:
            return f"market {underlying} has no later snapshot"
        if not is_fresh(draft, underlying):
            return f"market {underlying} has no fresh snapshot"
    now = account_health(round_state.views, account)
    if now.equity >= now.maintenance:
        return f"equity {now.equity} is not below maintenance margin {now.maintenance}"
    return ""


def live_underlyings(draft: Draft, positions: Positions) -> list[int]:
    """Underlyings held whose market is not halted, ascending."""
    held = {underlying_of(position.instrument) for position in positions}
    return [index for index in sorted(held) if draft.market(index).halt.since == 0]


def liquidate(draft: Draft, round_state: RoundState, index: int) -> None:
    """Stages 3 and 4 for one account: each live market's fund takes over, or deleveraging.

    Penalty or deficit is split over the underlyings by maintenance margin, the remainder to the
    first; a halted market's share stays with the account and its positions.
    """
    account = touch_account(draft, index)
    obstacle = waterfall_obstacle(draft, round_state, account)
    if obstacle:
        raise Rejection(Reason.WATERFALL_NOT_OPEN, f"account {index}: {obstacle}")
    margins = margins_by_underlying(round_state.views, account.positions)
    weights = {underlying: margin.maintenance for underlying, margin in margins.items()}
    now = account_health(round_state.views, account)
    penalties = shares(
        min(max(now.equity, 0), _penalty(draft, weights)), weights, account.last_underlying
    )
    deficits = shares(max(-now.equity, 0), weights, account.last_underlying)
    live = live_underlyings(draft, account.positions)
    for underlying in live or sorted(deficits):
        penalty, deficit = penalties.get(underlying, 0), deficits.get(underlying, 0)
        _resolve(draft, round_state, index, underlying, penalty, deficit)
    mark_touched(draft, round_state, index)


def _penalty(draft: Draft, weights: dict[int, int]) -> int:
    """Takeover penalty over all underlyings, rounded up."""
    return sum(
        ppm_up(maintenance, draft.market_parameters(underlying).penalty_ppm)
        for underlying, maintenance in weights.items()
    )


def shares(amount: int, weights: dict[int, int], fallback: int) -> dict[int, int]:
    """`amount` split by weights, rounded down, the remainder to the lowest underlying with one.

    All of it goes to `fallback` if no weight is positive.
    """
    total = sum(weights.values())
    if total == 0:
        return {fallback: amount}
    parts = {key: mul_div_down(amount, weights[key], total) for key in sorted(weights)}
    first = next(key for key in parts if weights[key])
    parts[first] += amount - sum(parts.values())
    return parts


def _resolve(
    draft: Draft, round_state: RoundState, index: int, underlying: int, penalty: int, deficit: int
) -> None:
    """Close the account's positions in one underlying: by the fund, else by factors."""
    account = touch_account(draft, index)
    mine = tuple(p for p in account.positions if underlying_of(p.instrument) == underlying)
    if _fund_can_take(draft, round_state, underlying, mine, deficit):
        _take_over(draft, round_state, index, underlying, mine)
        account = draft.account(index)
        draft.put_account(index, replace(account, cash=account.cash - penalty + deficit))
        credit_fund(draft, underlying, penalty)
        credit_fund(draft, underlying, -deficit)
        _record(draft, LiquidationStage.TAKEOVER, index, underlying, penalty)
        return
    met = min(deficit, _spare(draft, round_state, underlying))
    draft.put_account(index, replace(account, cash=account.cash + met))
    credit_fund(draft, underlying, -met)
    recovered = deleverage_positions(draft, round_state, index, mine, deficit - met)
    _record(draft, LiquidationStage.DELEVERAGE, index, underlying, met)
    _leave_debt(draft, index, underlying, deficit - met - recovered)


def _leave_debt(draft: Draft, index: int, underlying: int, unmet: int) -> None:
    """What nobody met, at least 0, becomes fund debt; the account starts again from there."""
    account = draft.account(index)
    draft.put_account(index, replace(account, cash=account.cash + unmet))
    if unmet:
        add_debt(draft, underlying, unmet)
        _record(draft, LiquidationStage.FUND_DEBT, index, underlying, unmet)


def _fund_can_take(
    draft: Draft, round_state: RoundState, underlying: int, mine: Positions, deficit: int
) -> bool:
    """Whether the fund's equity less the deficit covers its own margin with the portfolio.

    A fund has no cap of notional, but its lots must fit their field like anyone's.
    """
    fund = touch_fund(draft, underlying)
    merged = {position.instrument: position.quantity for position in fund.positions}
    for position in mine:
        merged[position.instrument] = merged.get(position.instrument, 0) + position.quantity
    together = tuple(
        Position(instrument, quantity, FACTOR_ONE, 0)
        for instrument, quantity in sorted(merged.items())
        if quantity
    )
    if any(abs(position.quantity) > QUANTITY_MAX for position in together):
        return False
    equity = health(round_state.views, fund.cash, fund.positions).equity - deficit
    return equity >= health(round_state.views, 0, together).maintenance


def _spare(draft: Draft, round_state: RoundState, underlying: int) -> int:
    """Equity of the fund above its own maintenance margin; at least 0."""
    fund = touch_fund(draft, underlying)
    now = health(round_state.views, fund.cash, fund.positions)
    return max(0, now.equity - now.maintenance)


def _take_over(
    draft: Draft, round_state: RoundState, index: int, underlying: int, mine: Positions
) -> None:
    """Move the positions to the fund at mark."""
    for position in mine:
        price = mark_of_id(round_state.views, position.instrument)
        lots = -position.quantity
        exchange_with_fund(draft, round_state, index, position.instrument, lots, price)


def exchange_with_fund(
    draft: Draft, round_state: RoundState, index: int, instrument: int, change: int, price: int
) -> None:
    """The account's position changes by `change` lots at `price`, the fund's by the opposite."""
    underlying = underlying_of(instrument)
    account = draft.account(index)
    positions = change_position(draft, account.positions, instrument, change)
    cash = account.cash - change * price
    draft.put_account(index, replace(account, positions=positions, cash=cash))
    fund = draft.market(underlying).fund
    fund_positions = change_position(draft, fund.positions, instrument, -change)
    put_fund(
        draft, underlying, replace(fund, positions=fund_positions, cash=fund.cash + change * price)
    )
    record_row(draft, round_state, index, instrument, change, -change * price)
    record_row(draft, round_state, fund_holder(underlying), instrument, -change, change * price)


def deleverage_positions(
    draft: Draft, round_state: RoundState, index: int, mine: Positions, deficit: int
) -> int:
    """Close an account's positions by factors at prices that raise up to `deficit`.

    Returns what the prices raised beyond the marks. The account's cash has moved accordingly.
    """
    prices = deleverage_prices(draft, round_state, mine, deficit)
    raised = 0
    for position in mine:
        price = prices[position.instrument]
        fair = mark_of_id(round_state.views, position.instrument)
        account = draft.account(index)
        value = close_by_factor(draft, index, position, price, fair)
        kept = tuple(p for p in account.positions if p.instrument != position.instrument)
        draft.put_account(index, replace(account, positions=kept, cash=account.cash + value))
        raised += value - position.quantity * fair
    return raised


def deleverage_prices(
    draft: Draft, round_state: RoundState, mine: Positions, deficit: int
) -> dict[int, int]:
    """b_i = clamp(m_i + sgn(q_i)·⌊D·w_i/(|q_i|·Σw)⌋, m_i ± cap of index) in [0, PRICE_MAX].

    w_i = |q_i| times the worst scenario loss of one lot; with all weights 0, b_i = m_i.
    """
    weights = {
        p.instrument: worst_loss(
            round_state.views[underlying_of(p.instrument)], p.instrument, p.quantity
        )
        for p in mine
    }
    total = sum(weights.values())
    prices = {}
    for position in mine:
        view = round_state.views[underlying_of(position.instrument)]
        price = mark_of_id(round_state.views, position.instrument)
        cap = ppm_down(view.snapshot.index_price, view.parameters.deleverage_cap_ppm)
        held = abs(position.quantity)
        shift = div_down(deficit * weights[position.instrument], held * total) if total else 0
        shift = min(shift, cap)
        moved = price + (shift if position.quantity > 0 else -shift)
        prices[position.instrument] = clamp(moved, 0, PRICE_MAX)
    return prices


def close_by_factor(draft: Draft, holder: int, position: Position, price: int, fair: int) -> int:
    """Close a position against everyone on the other side, pro rata; returns the cash it gets.

    f = |q| / open interest; the other side's factor C becomes C' = C·(1−f), rounded down, and its
    accumulator moves by exactly (C − C')·price: what rounding takes from the holders is paid for.
    If C' would be below FACTOR_MIN the instrument is settled at `fair`, its mark; the accumulator
    then holds the difference for the part that was closed, and nobody else has a part in it.
    """
    state = draft.instruments[position.instrument]
    held = abs(position.quantity)
    is_long = position.quantity > 0
    other = state.short if is_long else state.long
    factor = mul_div_down(other.factor, state.open_interest - held, state.open_interest)
    value = position.quantity * price
    settled = factor < FACTOR_MIN
    paid = price - fair if settled else price
    earned = (other.factor - factor) * (-paid if is_long else paid)
    changed = Side(other.factor if settled else factor, other.cash + earned)
    after = state._replace(
        mark=fair,
        clearing=state.clearing - value,
        holders=state.holders - 1,
        settled=settled,
        long=state.long if is_long else changed,
        short=changed if is_long else state.short,
    )
    if settled:
        entry = SettlementEntry(position.instrument, fair, False)
        draft.record(draft.journal.settlements, entry)
    else:
        after = after._replace(open_interest=state.open_interest - held)
    draft.put_instrument(after)
    draft.record(
        draft.journal.deleverages,
        DeleverageEntry(
            holder, position.instrument, position.quantity, price, other.factor, factor
        ),
    )
    return value


def deleverage_fund(draft: Draft, round_state: RoundState, underlying: int) -> None:
    """A fund below its own maintenance margin closes all its positions by factors."""
    market = draft.market(underlying)
    if market.halt.since:
        raise Rejection(Reason.MARKET_HALTED, f"underlying = {underlying}")
    if not is_fresh(draft, underlying):
        raise Rejection(Reason.SNAPSHOT_TOO_OLD, f"snapshot of {market.current.time}")
    fund = touch_fund(draft, underlying)
    now = health(round_state.views, fund.cash, fund.positions)
    if not fund.positions or now.equity >= now.maintenance:
        detail = f"equity {now.equity}, maintenance margin {now.maintenance}"
        raise Rejection(Reason.FUND_NOT_BELOW_MARGIN, detail)
    prices = deleverage_prices(draft, round_state, fund.positions, max(-now.equity, 0))
    cash = fund.cash
    for position in fund.positions:
        price = prices[position.instrument]
        fair = mark_of_id(round_state.views, position.instrument)
        cash += close_by_factor(draft, fund_holder(underlying), position, price, fair)
    unmet = max(-cash, 0)
    put_fund(draft, underlying, replace(fund, positions=(), cash=cash + unmet))
    if unmet:
        add_debt(draft, underlying, unmet)
        _record(draft, LiquidationStage.FUND_DEBT, fund_holder(underlying), underlying, unmet)
    _record(draft, LiquidationStage.FUND_DELEVERAGE, fund_holder(underlying), underlying, unmet)


def _record(
    draft: Draft, stage: LiquidationStage, holder: int, underlying: int, amount: int
) -> None:
    """Put an event of the waterfall into the journal."""
    draft.record(draft.journal.liquidations, LiquidationEntry(stage, holder, underlying, amount))
