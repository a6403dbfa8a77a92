"""What a whole world is like: parameters, sizes of funds, first prices."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from novate.lab.generator.crowd import TrustingPrimitives, wallet_of
from novate.lab.worlds import (
    START,
    TREASURY,
    World,
    future,
    oracle_wallets,
    parameters,
    perpetual,
)
from novate.spec.bounds import EPOCH_MAX, FACTOR_ONE, QUANTITY_MAX
from novate.spec.genesis import genesis
from novate.spec.instruments import day_of
from novate.spec.parameters import FeeTier, Parameters
from novate.spec.presets import MINIMAL
from novate.spec.risk_parameters import MINIMAL_RISK
from novate.spec.state import Account, Fund, InstrumentState, Position, State

VETERAN = "veteran"
VETERAN_OWNER = 99
GIANTS = ("giant 0", "giant 1")
"""Two accounts whose positions against each other are past every cap, as marks may move them."""
GIANT_OWNER = 97
GIANT_SHARE = 0.06
GIANT_INDEX = 100_000_000
GIANT_CASH = 2**57
FOUNDER = "founder"
"""An account that stands against what funds hold from the beginning."""
FOUNDER_OWNER = 96
FIRST_PRICES = (7_000_000, 200_000)
THIN_PPM = 117_000
"""Equity of a thin fund, of its position's notional: a little below maintenance margin."""


def random_world(rng: Random, primitives: TrustingPrimitives) -> World:
    """A genesis with an old account at the end of its epochs, and funds of some size."""
    oracles = oracle_wallets()
    state = genesis(MINIMAL, random_parameters(rng, parameters(oracles, MINIMAL_RISK)), TREASURY)
    state = with_funds(rng, state)
    if rng.random() < GIANT_SHARE:
        state = with_giants(state)
    state = with_thin_funds(rng, state)
    return World(state, oracles, primitives)


def is_giant(state: State) -> bool:
    """Whether a genesis has giants."""
    return perpetual(0) in state.instruments and state.instruments[perpetual(0)].mark == GIANT_INDEX


def first_prices(state: State) -> tuple[int, int]:
    """Index of both markets when a world begins."""
    return (GIANT_INDEX if is_giant(state) else FIRST_PRICES[0]), FIRST_PRICES[1]


def with_thin_funds(rng: Random, state: State) -> State:
    """The state with funds that hold a position a little too large for them."""
    instruments, markets = dict(state.instruments), list(state.markets)
    positions: list[Position] = []
    cash = 0
    for underlying, price in enumerate(FIRST_PRICES):
        key = perpetual(underlying)
        if key in instruments:
            continue
        lots = rng.choice((-1, 1)) * rng.randint(100, 20_000)
        equity = abs(lots) * price * THIN_PPM // 1_000_000
        held = (Position(key, lots, FACTOR_ONE, 0),)
        markets[underlying] = replace(
            markets[underlying], fund=Fund(cash=equity - lots * price, positions=held)
        )
        positions.append(Position(key, -lots, FACTOR_ONE, 0))
        cash += lots * price + abs(lots) * price
        instruments[key] = InstrumentState(key, price, open_interest=abs(lots), holders=2)
    index = state.system.account_count
    founder = Account(FOUNDER_OWNER, wallet_of(FOUNDER).key, 0, cash, tuple(positions))
    accounts = {**state.accounts, index: founder}
    paid = cash + sum(
        new.fund.cash - old.fund.cash for new, old in zip(markets, state.markets, strict=True)
    )
    system = replace(state.system, vault=state.system.vault + paid, account_count=index + 1)
    return replace(
        state, markets=tuple(markets), instruments=instruments, accounts=accounts, system=system
    )


def with_giants(state: State) -> State:
    """The state with two more accounts: one long the perpetual and short a future, one opposite."""
    first = state.system.account_count
    held = sorted((perpetual(0), future(0, day_of(START) + 31)))
    accounts = {**state.accounts}
    for place, name in enumerate(GIANTS):
        lots = (QUANTITY_MAX, -QUANTITY_MAX) if place else (-QUANTITY_MAX, QUANTITY_MAX)
        positions = [
            Position(key, quantity, FACTOR_ONE, 0) for key, quantity in zip(held, lots, strict=True)
        ]
        accounts[first + place] = Account(
            owner=GIANT_OWNER + place,
            key=wallet_of(name).key,
            cash=GIANT_CASH,
            positions=tuple(positions),
        )
    instruments = {
        key: InstrumentState(key, GIANT_INDEX, open_interest=QUANTITY_MAX, holders=2)
        for key in held
    }
    vault = state.system.vault + len(GIANTS) * GIANT_CASH
    system = replace(state.system, vault=vault, account_count=first + len(GIANTS))
    return replace(state, accounts=accounts, instruments=instruments, system=system)


def random_parameters(rng: Random, usual: Parameters) -> Parameters:
    """The usual parameters with some limits tighter, so that rules near them are reached."""
    tiers = (FeeTier(200, 500), FeeTier(0, 350), FeeTier(-50, 300))
    if rng.random() < 0.3:
        tiers = (FeeTier(200, 500), FeeTier(0, 350), FeeTier(-600, 300))
    inventory = rng.choice((0, 500, 20_000, 2_000_000))
    markets = tuple(
        replace(
            market,
            fund_inventory_max=inventory,
            risk=replace(market.risk, concentration_free=rng.choice((10**12, 2 * 10**15))),
        )
        for market in usual.markets
    )
    wait = rng.choice((300, 3_600, 259_200))
    return replace(usual, markets=markets, fee_tiers=tiers, forced_close_wait_s=wait)


def fund_cash(rng: Random) -> int:
    """A fund that can take over some accounts and be ruined by them."""
    return int(10 ** rng.uniform(9.5, 12))


def with_funds(rng: Random, state: State) -> State:
    """The state with funds paid in before genesis, and the veteran's account."""
    markets = tuple(
        replace(
            market, fund=Fund(cash=rng.choice((0, *(fund_cash(rng) for _ in range(5)), 10**13)))
        )
        for market in state.markets
    )
    veteran = Account(
        owner=VETERAN_OWNER,
        key=wallet_of(VETERAN).key,
        key_epoch=EPOCH_MAX,
        cancel_epoch=EPOCH_MAX,
    )
    vault = sum(market.fund.cash for market in markets)
    system = replace(state.system, time=START, vault=vault, account_count=2)
    return replace(state, markets=markets, system=system, accounts={**state.accounts, 1: veteran})
