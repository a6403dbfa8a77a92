"""Parameters set on L1 through a timelock: what may change without a new law.

Their digest is part of the system leaf; the header of a batch names it and L1 compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from novate.spec.primitives import PublicKey
from novate.spec.risk_parameters import RiskParameters
from novate.spec.rounding import div_down


@dataclass(frozen=True)
class FeeTier:
    """Fee rates of one tier, ppm of the fee base; a negative maker rate is a rebate."""

    maker_ppm: int
    taker_ppm: int


@dataclass(frozen=True)
class MarketParameters:
    """Parameters of one underlying. `symbol`, `price_decimals`, `strike_tick` never change."""

    symbol: str
    price_decimals: int
    """A price tick is 10**-price_decimals USDC, a lot 10**(price_decimals − 6) units; 0 to 12."""
    strike_tick: int
    """Price ticks in one unit of an instrument's strike field."""
    strike_step: int
    """New strikes are multiples of this many strike ticks."""
    horizon_days: int
    """New expiries lie at most this many days ahead."""
    band_ppm: int
    """A fill's price may differ from the mark by max(band_ppm of index, half the mark)."""
    gap_s: int
    """Seconds without an accepted snapshot after which the market is halted."""
    halt_jump_ppm: int
    """a of the halt rule: |new − old| > old (a + b Δt) halts."""
    halt_drift_ppm_s: int
    """b of the halt rule, ppm a second."""
    funding_rate_max_ppm: int
    """Clamp of the funding rate, ppm of index a funding period."""
    premium_max_ppm: int
    """Clamp of the perpetual's premium in its mark, ppm of index."""
    vol_default_ppm: int
    """Volatility where no expiry was ever reported."""
    penalty_ppm: int
    """Fund takeover penalty, ppm of maintenance margin."""
    close_penalty_ppm: int
    """Forced close: the mark is worsened by this many ppm of index."""
    fund_inventory_max: int
    """Forced close: the fund's |quantity| in one instrument stays within this, and 2^31 − 1."""
    deleverage_cap_ppm: int
    """The deleveraging price stays within this many ppm of index from the mark."""
    risk: RiskParameters = field(default_factory=RiskParameters)


@dataclass(frozen=True)
class Parameters:
    """Everything L1 sets. Oracle keys are distinct and sorted as tuples."""

    chain_id: int
    settlement_contract: int
    """L1 address of the settlement contract, below 2**160."""
    markets: tuple[MarketParameters, ...]
    oracle_keys: tuple[PublicKey, ...]
    fee_tiers: tuple[FeeTier, ...]
    option_fee_cap_ppm: int = 125_000
    """A fee on an option is at most this many ppm of its premium."""
    step_loss_ppm: int = 500_000
    """Risk-reducing trades may lose at most this many ppm of the maintenance margin they free."""
    fund_loss_ppm: int = 20_000
    """A fund selling its inventory may lose at most this many ppm of the margin it frees."""
    give_tolerance_ppm: int = 10_000
    """Value given away in a round, ppm of maintenance margin, without the withdrawal test."""
    overshoot_ppm: int = 100_000
    """A liquidation step may leave equity above initial margin by at most this many ppm of it."""
    resume_snapshots: int = 3
    """Consecutive agreeing quorum snapshots that end a halt."""
    reference_age_s: int = 3_600
    """Age at which the candidate snapshot becomes the reference."""
    oracle_spread_ppm: int = 5_000
    """Largest spread of the index among the reports of one quorum."""
    forced_close_wait_s: int = 259_200
    """Wait before a second forced close may use factors."""

    @property
    def quorum(self) -> int:
        """Reports in a quorum: floor(2n/3) + 1 of n oracle keys."""
        return div_down(2 * len(self.oracle_keys), 3) + 1
