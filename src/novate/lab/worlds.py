"""Small worlds to test the law in: parameters, oracles and users on the minimal preset."""

from __future__ import annotations

from dataclasses import dataclass, replace

from novate.lab.wallets import Wallet, sign_report, wallet
from novate.native import NativePrimitives
from novate.spec.genesis import genesis
from novate.spec.instruments import Instrument, Kind, day_of, encode, expiry_time
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.oracle import Report
from novate.spec.parameters import FeeTier, MarketParameters, Parameters
from novate.spec.presets import MINIMAL, Preset
from novate.spec.primitives import Primitives
from novate.spec.risk_parameters import MINIMAL_RISK, RiskParameters
from novate.spec.smile import NODES
from novate.spec.state import ExpiryFields, State

START = 1_790_000_000 - 1_790_000_000 % 86_400 + 36_000
"""10:00 UTC of a day in September 2026: the first second of every small world."""
TREASURY = 0xFEE
ORACLES = 4


def market_parameters(symbol: str, decimals: int, risk: RiskParameters) -> MarketParameters:
    """Parameters of a BTC- or ETH-like market."""
    return MarketParameters(
        symbol=symbol,
        price_decimals=decimals,
        strike_tick=10**decimals,
        strike_step=100,
        horizon_days=400,
        band_ppm=50_000,
        gap_s=300,
        halt_jump_ppm=30_000,
        halt_drift_ppm_s=200,
        funding_rate_max_ppm=7_500,
        premium_max_ppm=5_000,
        vol_default_ppm=800_000,
        penalty_ppm=100_000,
        close_penalty_ppm=5_000,
        fund_inventory_max=2_000_000,
        deleverage_cap_ppm=500_000,
        risk=risk,
    )


def parameters(oracles: tuple[Wallet, ...], risk: RiskParameters) -> Parameters:
    """Two markets, three fee tiers (one with a rebate), the oracles' keys."""
    return Parameters(
        chain_id=31_337,
        settlement_contract=0x5E771E,
        markets=(market_parameters("BTC", 2, risk), market_parameters("ETH", 2, risk)),
        oracle_keys=tuple(oracle.key for oracle in oracles),
        fee_tiers=(FeeTier(200, 500), FeeTier(0, 350), FeeTier(-50, 300)),
    )


def oracle_wallets(count: int = ORACLES) -> tuple[Wallet, ...]:
    """Oracles in the order of their keys."""
    return tuple(sorted((wallet(f"oracle {k}") for k in range(count)), key=lambda w: w.key))


@dataclass(frozen=True)
class Prices:
    """What the oracles of one market see."""

    index_price: int
    premium_ppm: int = 0
    mean: int = 0
    """0: the index."""
    vol_ppm: int = 600_000
    basis_ppm: int = 1_000
    days: tuple[int, ...] = ()


@dataclass(frozen=True)
class World:
    """A genesis state with everything needed to speak to it."""

    state: State
    oracles: tuple[Wallet, ...]
    primitives: Primitives

    def reports(self, underlying: int, time: int, prices: Prices, spread: int = 0) -> MarketReports:
        """A quorum's signed reports; report k sees the index `k · spread` ticks higher."""
        quorum = self.state.parameters.quorum
        reports = []
        for oracle in range(quorum):
            index = prices.index_price + oracle * spread
            report = report_of(underlying, time, replace(prices, index_price=index))
            reports.append(
                sign_report(
                    self.oracles,
                    oracle,
                    report,
                    self.state.parameters.chain_id,
                    self.state.parameters.settlement_contract,
                    self.primitives,
                )
            )
        return MarketReports(underlying, tuple(reports))


def report_of(underlying: int, time: int, prices: Prices) -> Report:
    """One report: a flat smile and one basis for every expiry."""
    return Report(
        underlying=underlying,
        time=time,
        index_price=prices.index_price,
        premium_ppm=prices.premium_ppm,
        mean=prices.mean or prices.index_price,
        expiries=tuple(
            ExpiryFields(day, prices.basis_ppm, (prices.vol_ppm,) * NODES) for day in prices.days
        ),
    )


def small_world(preset: Preset = MINIMAL, risk: RiskParameters = MINIMAL_RISK) -> World:
    """Genesis at START on the minimal preset, with native primitives."""
    oracles = oracle_wallets()
    state = genesis(preset, parameters(oracles, risk), TREASURY, START)
    return World(state, oracles, NativePrimitives())


def perpetual(underlying: int) -> int:
    """Id of a perpetual."""
    return encode(Instrument(underlying, 0, Kind.PERPETUAL, 0))


def future(underlying: int, day: int) -> int:
    """Id of a future."""
    return encode(Instrument(underlying, day, Kind.FUTURE, 0))


def option(underlying: int, day: int, kind: Kind, strike: int) -> int:
    """Id of an option; strike in the underlying's strike ticks."""
    return encode(Instrument(underlying, day, kind, strike))


def next_expiry(time: int) -> int:
    """The day whose 08:00 UTC is the next one after `time`."""
    day = day_of(time)
    return day if expiry_time(day) > time else day + 1
