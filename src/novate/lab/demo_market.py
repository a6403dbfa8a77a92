"""The demo's venue on paper: its parameters, who trades, and what the oracles will see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from novate.lab.demo_data import STRIKE_TICK, DemoData
from novate.lab.wallets import Wallet, wallet
from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.instruments import expiry_time
from novate.spec.messages.oracle import Report
from novate.spec.parameters import FeeTier, MarketParameters, Parameters

USDC = 1_000_000
ORACLES = 7
PERPETUAL_MAKERS = 8
OPTION_MAKERS = 8
TAKERS = 120
LEVERAGED = 12
FUND_CAPITAL = 60_000 * USDC
PREMIUM_WINDOW_S = 300
OPENING_S = 60
"""The venue opens this long before the session."""
AFTERWARDS_S = 9_000
"""Reports go on this long after the crash hour."""


@dataclass(frozen=True)
class Cast:
    """Accounts by role."""

    perpetual_makers: range
    option_makers: range
    takers: range
    leveraged: range

    @property
    def everyone(self) -> range:
        """All of them."""
        return range(self.perpetual_makers.start, self.leveraged.stop)


def cast() -> Cast:
    """Account 0 is the treasury; the others follow in the order they are opened."""
    first = 1
    ranges = []
    for count in (PERPETUAL_MAKERS, OPTION_MAKERS, TAKERS, LEVERAGED):
        ranges.append(range(first, first + count))
        first += count
    return Cast(*ranges)


def demo_parameters(oracles: Sequence[Wallet]) -> Parameters:
    """One BTC market with the full scenario grid; the deployment fills in chain and contract."""
    market = MarketParameters(
        symbol="BTC",
        price_decimals=2,
        strike_tick=STRIKE_TICK,
        strike_step=250,
        horizon_days=400,
        band_ppm=50_000,
        gap_s=300,
        halt_jump_ppm=20_000,
        halt_drift_ppm_s=100,
        funding_rate_max_ppm=7_500,
        premium_max_ppm=5_000,
        vol_default_ppm=800_000,
        penalty_ppm=50_000,
        close_penalty_ppm=5_000,
        fund_inventory_max=500_000,
        deleverage_cap_ppm=200_000,
    )
    return Parameters(
        chain_id=0,
        settlement_contract=0,
        markets=(market,),
        oracle_keys=tuple(oracle.key for oracle in oracles),
        fee_tiers=(FeeTier(0, 350),),
    )


def oracle_seeds() -> list[bytes]:
    """Seeds of the oracles' keys."""
    return [b"novate demo, key of oracle %04d " % k for k in range(ORACLES)]


def oracle_wallets() -> tuple[Wallet, ...]:
    """The oracles in the order of their keys."""
    found = (wallet(seed.decode()) for seed in oracle_seeds())
    return tuple(sorted(found, key=lambda one: one.key))


def trader_wallets(roles: Cast) -> dict[int, Wallet]:
    """The trading key of every account."""
    return {index: wallet(f"demo trader {index}") for index in roles.everyone}


def capital(roles: Cast) -> dict[int, int]:
    """What each account deposits: makers much, takers by a long-tailed draw; micro-USDC."""
    random = Random(1)
    fixed = {
        **dict.fromkeys(roles.perpetual_makers, 20_000_000 * USDC),
        **dict.fromkeys(roles.option_makers, 50_000_000 * USDC),
        **dict.fromkeys(roles.leveraged, 25_000 * USDC),
    }
    return {
        index: fixed.get(index) or round(random.lognormvariate(12.5, 0.7)) * USDC
        for index in roles.everyone
    }


def reports(data: DemoData) -> Iterator[Report]:
    """What an oracle says at every grid second, from before the session until after the crash."""
    first = data.start - OPENING_S
    last = data.crash_start + data.crash_seconds + AFTERWARDS_S
    return (report_at(data, time) for time in range(first, last, ORACLE_GRID_S))


def report_at(data: DemoData, time: int) -> Report:
    """Index: trailing mean of the path; premium: the path against it."""
    path = data.path
    calm = time < data.crash_start
    index = path.at(time) if calm else path.trailing_mean(time, PREMIUM_WINDOW_S)
    premium = (path.at(time) - index) * 1_000_000 // index
    chain = data.chain if time < data.chain_after.time else data.chain_after
    alive = tuple(fields for fields in chain.expiries if expiry_time(fields.day) > time)
    return Report(0, time, index, premium, path.window_mean(time), alive)
