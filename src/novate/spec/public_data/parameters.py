"""Parameters in bytes: a batch that changes them carries all of them."""

from __future__ import annotations

from functools import cache

from novate.spec.bounds import PPM_SIGNED_MAX
from novate.spec.errors import DecodeError
from novate.spec.instruments import SYMBOL_LENGTH_MAX
from novate.spec.parameters import FeeTier, MarketParameters, Parameters
from novate.spec.presets import Preset
from novate.spec.public_data.codec import Codec, Listed, Reader, Record, Signed, Unsigned
from novate.spec.public_data.fields import ADDRESS, FEE_PPM, KEY
from novate.spec.risk_parameters import RiskParameters, Scenario

RATE = Unsigned("rate", 4)
"""Every rate, shock, weight and number of seconds or lots: below 2**32."""
LARGE = Unsigned("large", 8, 0, 2**63 - 1)
SCENARIOS_MAX = 255

SCENARIO: Codec[Scenario] = Record(
    Scenario,
    (
        ("spot_ppm", Signed("spot_ppm", 4, PPM_SIGNED_MAX)),
        ("vol_direction", Signed("vol_direction", 1, 1)),
        ("weight_ppm", RATE),
    ),
)
RISK: Codec[RiskParameters] = Record(
    RiskParameters,
    (
        ("scenarios", Listed("scenarios", SCENARIO, 1, SCENARIOS_MAX, 0, 9)),
        ("vol_up_ppm", RATE),
        ("vol_down_ppm", RATE),
        ("vol_min_ppm", RATE),
        ("vol_max_ppm", RATE),
        ("initial_factor_ppm", RATE),
        ("short_option_minimum_ppm", RATE),
        ("basis_shock_ppm", RATE),
        ("vega_offset_ppm", RATE),
        ("concentration_free", LARGE),
        ("concentration_slope_ppm", RATE),
        ("concentration_cap_ppm", RATE),
        ("concentration_ramp_ppm_h", RATE),
    ),
)


class SymbolCodec:
    """A length of 1 byte, at most 16, then that many printable ASCII characters."""

    def write(self, out: bytearray, value: str) -> None:
        """Append the symbol."""
        _check_symbol(value)
        out.append(len(value))
        out += value.encode("ascii")

    def read(self, reader: Reader) -> str:
        """Read a symbol."""
        symbol = reader.take(reader.unsigned(1)).decode("latin-1")
        _check_symbol(symbol)
        return symbol


def _check_symbol(symbol: str) -> None:
    """DecodeError unless 1 to 16 printable ASCII characters."""
    printable = all(" " <= character <= "~" for character in symbol)
    if not 1 <= len(symbol) <= SYMBOL_LENGTH_MAX or not printable:
        raise DecodeError("symbol", f"{symbol!r}: 1 to {SYMBOL_LENGTH_MAX} of printable ASCII")


MARKET: Codec[MarketParameters] = Record(
    MarketParameters,
    (
        ("symbol", SymbolCodec()),
        ("price_decimals", Unsigned("price_decimals", 1, 0, 12)),
        ("strike_tick", RATE),
        ("strike_step", RATE),
        ("horizon_days", RATE),
        ("band_ppm", RATE),
        ("gap_s", RATE),
        ("halt_jump_ppm", RATE),
        ("halt_drift_ppm_s", RATE),
        ("funding_rate_max_ppm", RATE),
        ("premium_max_ppm", RATE),
        ("vol_default_ppm", RATE),
        ("penalty_ppm", RATE),
        ("close_penalty_ppm", RATE),
        ("fund_inventory_max", RATE),
        ("deleverage_cap_ppm", RATE),
        ("risk", RISK),
    ),
)
MARKET_BYTES_MIN = 112
FEE_TIER: Codec[FeeTier] = Record(FeeTier, (("maker_ppm", FEE_PPM), ("taker_ppm", FEE_PPM)))


@cache
def parameters_codec(preset: Preset) -> Codec[Parameters]:
    """Everything L1 sets; the preset bounds the number of markets."""
    return Record(
        Parameters,
        (
            ("chain_id", LARGE),
            ("settlement_contract", ADDRESS),
            ("markets", Listed("markets", MARKET, 2, preset.markets_max, 0, MARKET_BYTES_MIN)),
            ("oracle_keys", Listed("oracle_keys", KEY, 1, 255, 0, 40)),
            ("fee_tiers", Listed("fee_tiers", FEE_TIER, 1, 255, 0, 8)),
            ("option_fee_cap_ppm", RATE),
            ("step_loss_ppm", RATE),
            ("fund_loss_ppm", RATE),
            ("give_tolerance_ppm", RATE),
            ("overshoot_ppm", RATE),
            ("resume_snapshots", RATE),
            ("reference_age_s", RATE),
            ("oracle_spread_ppm", RATE),
            ("forced_close_wait_s", RATE),
        ),
    )
