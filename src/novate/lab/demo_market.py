"""The demo's venue: parameters of a main deployment, oracles that follow the data, traders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from time import perf_counter

from novate.lab.demo_data import STRIKE_TICK, DemoData
from novate.lab.trusting import VerifiedBefore
from novate.lab.venue import Venue
from novate.lab.wallets import Wallet, sign_report, wallet
from novate.native import NativePrimitives
from novate.spec.genesis import genesis
from novate.spec.instruments import expiry_time
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch, MarketReports
from novate.spec.messages.inbox import Deposit, FundDeposit, RegisterKey, Request
from novate.spec.messages.oracle import Report
from novate.spec.parameters import FeeTier, MarketParameters, Parameters
from novate.spec.presets import MAIN
from novate.spec.public_data.diff import encode_diff
from novate.spec.public_data.full import encode_full

USDC = 1_000_000
ORACLES = 7
OWNER_BASE = 0x0B_0000
PERPETUAL_MAKERS = 8
OPTION_MAKERS = 8
TAKERS = 120
LEVERAGED = 12
FUND_CAPITAL = 60_000 * USDC
ROUND_AGE_S = 30
PREMIUM_WINDOW_S = 300


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
    """One BTC market with the full scenario grid."""
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
        chain_id=31_337,
        settlement_contract=0xA11CE,
        markets=(market,),
        oracle_keys=tuple(oracle.key for oracle in oracles),
        fee_tiers=(FeeTier(0, 350),),
    )


class DemoMarket:
    """A venue that follows the data's clock, and remembers what it published."""

    def __init__(self, data: DemoData) -> None:
        """Genesis, with every trader's wallet at hand."""
        self.data = data
        self.cast = cast()
        self.random = Random(1)
        self.oracles = tuple(
            sorted((wallet(f"demo oracle {k}") for k in range(ORACLES)), key=lambda w: w.key)
        )
        self.wallets = {index: wallet(f"demo trader {index}") for index in self.cast.everyone}
        self.primitives = NativePrimitives()
        parameters = demo_parameters(self.oracles)
        self.genesis = genesis(MAIN, parameters, OWNER_BASE, data.start - 3_600)
        self.venue = Venue(self.genesis, self.primitives, VerifiedBefore())
        self.deposited = 0
        self.journals: list[Journal] = []
        self.full: list[bytes] = []
        self.diff: list[bytes] = []
        self.stage_s: dict[str, float] = {}

    def reports(self, time: int) -> MarketReports:
        """A quorum's reports of what the path says at a second."""
        quorum = self.genesis.parameters.quorum
        report = self._report(time)
        return MarketReports(
            0,
            tuple(
                sign_report(
                    self.oracles,
                    oracle,
                    report._replace(index_price=report.index_price + oracle - quorum // 2),
                    self.genesis.parameters.chain_id,
                    self.genesis.parameters.settlement_contract,
                    self.primitives,
                )
                for oracle in range(quorum)
            ),
        )

    def _report(self, time: int) -> Report:
        """Index: trailing mean of the path; premium: the path against it."""
        path = self.data.path
        calm = time < self.data.crash_start
        index = path.at(time) if calm else path.trailing_mean(time, PREMIUM_WINDOW_S)
        premium = (path.at(time) - index) * 1_000_000 // index
        chain = self.data.chain if time < self.data.chain_after.time else self.data.chain_after
        alive = tuple(fields for fields in chain.expiries if expiry_time(fields.day) > time)
        return Report(0, time, index, premium, path.window_mean(time), alive)

    def open(self, time: int, requests: Sequence[Request] = ()) -> None:
        """Open a round at a grid second."""
        started = perf_counter()
        self.venue.open(time, [self.reports(time)], requests)
        self.add_time("oracle snapshots", started)

    def seal(self) -> tuple[Batch, Journal]:
        """Seal the batch, publish it in both forms."""
        started = perf_counter()
        batch, journal = self.venue.seal()
        self.add_time("law (apply_batch)", started)
        started = perf_counter()
        self.full.append(encode_full(batch))
        self.diff.append(encode_diff(journal))
        self.add_time("public data", started)
        self.journals.append(journal)
        return batch, journal

    def add_time(self, stage: str, started: float) -> None:
        """Add the time since `started` to a stage."""
        self.stage_s[stage] = self.stage_s.get(stage, 0.0) + perf_counter() - started

    def opening_requests(self) -> list[Request]:
        """Deposits and keys of everyone, and the fund's capital."""
        requests: list[Request] = [FundDeposit(0, OWNER_BASE, FUND_CAPITAL)]
        for index in self.cast.everyone:
            owner = OWNER_BASE + index
            requests.append(Deposit(index, owner, owner, self._capital(index)))
        for index in self.cast.everyone:
            requests.append(RegisterKey(index, OWNER_BASE + index, self.wallets[index].key))
        self.deposited += sum(r.amount for r in requests if isinstance(r, Deposit | FundDeposit))
        return requests

    def _capital(self, index: int) -> int:
        """What a trader deposits: makers much, takers by a long-tailed draw."""
        if index in self.cast.perpetual_makers:
            return 20_000_000 * USDC
        if index in self.cast.option_makers:
            return 50_000_000 * USDC
        if index in self.cast.leveraged:
            return 25_000 * USDC
        return round(self.random.lognormvariate(12.5, 0.7)) * USDC


def conserved(market: DemoMarket) -> tuple[int, int]:
    """(all cash − fund debt, deposits − payouts) of the current state; equal to the unit."""
    state = market.venue.state
    cash = sum(account.cash for account in state.accounts.values())
    cash += sum(m.fund.cash - m.fund.debt for m in state.markets)
    cash += sum(instrument.clearing for instrument in state.instruments.values())
    paid = sum(entry.payout for journal in market.journals for entry in journal.withdrawals)
    return cash, market.deposited - paid
