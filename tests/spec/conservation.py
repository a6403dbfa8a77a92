"""What holds of every state: money adds up to the micro-USDC, positions to the lot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from novate.spec.commitment import sorted_instruments
from novate.spec.state import Position, State


def positions(state: State) -> Iterator[Position]:
    """Every position of an account or fund."""
    for account in state.accounts.values():
        yield from account.positions
    for market in state.markets:
        yield from market.fund.positions


def assert_money_is_conserved(state: State) -> None:
    """Accounts + funds + clearing balances − fund debts = vault."""
    accounts = sum(account.cash for account in state.accounts.values())
    funds = sum(market.fund.cash - market.fund.debt for market in state.markets)
    clearing = sum(instrument.clearing for instrument in state.instruments.values())
    assert accounts + funds + clearing == state.system.vault
    assert all(market.fund.debt >= 0 for market in state.markets)


def assert_lots_are_conserved(state: State) -> None:
    """On each side of an open instrument, lots held + dust of rounding = open interest.

    Dust is less than one lot a holder. No position is of an instrument that is gone.
    """
    holders: Counter[int] = Counter()
    lots: Counter[tuple[int, bool]] = Counter()
    for position in positions(state):
        instrument = state.instruments[position.instrument]
        side = instrument.long if position.quantity > 0 else instrument.short
        holders[position.instrument] += 1
        lots[position.instrument, position.quantity > 0] += (
            abs(position.quantity) * side.factor // position.factor
        )
    for instrument in state.instruments.values():
        assert instrument.holders == holders[instrument.instrument] > 0
    for instrument in sorted_instruments(state, settled=False):
        for is_long in (True, False):
            dust = instrument.open_interest - lots[instrument.instrument, is_long]
            touched = instrument.long.factor, instrument.short.factor
            assert dust == 0 or touched != (1 << 30, 1 << 30)
            assert dust >= 0


def assert_conserved(state: State) -> None:
    """Both."""
    assert_money_is_conserved(state)
    assert_lots_are_conserved(state)
