"""Whether new parameters are well formed and keep what can never change."""

from __future__ import annotations

from novate.spec.errors import Fault, InvalidBatch
from novate.spec.parameters import MarketParameters, Parameters
from novate.spec.presets import Preset
from novate.spec.risk_parameters import is_well_formed

IMMUTABLE = ("symbol", "price_decimals", "strike_tick")
"""Fields of a market that every instrument id and every position depends on."""


def check_change(preset: Preset, old: Parameters, new: Parameters) -> None:
    """InvalidBatch unless `new` is well formed, removes no market and keeps immutable fields."""
    check_parameters(preset, new)
    if (new.chain_id, new.settlement_contract) != (old.chain_id, old.settlement_contract):
        raise InvalidBatch(Fault.IMMUTABLE_PARAMETER, "chain_id and settlement_contract")
    if len(new.markets) < len(old.markets):
        detail = f"{len(new.markets)} markets, there were {len(old.markets)}"
        raise InvalidBatch(Fault.IMMUTABLE_PARAMETER, detail)
    for before, after in zip(old.markets, new.markets, strict=False):
        for name in IMMUTABLE:
            if getattr(before, name) != getattr(after, name):
                raise InvalidBatch(Fault.IMMUTABLE_PARAMETER, f"{before.symbol}.{name}")


def check_parameters(preset: Preset, parameters: Parameters) -> None:
    """InvalidBatch unless counts fit the preset and every market is well formed."""
    if len(parameters.markets) > preset.markets_max:
        detail = f"{len(parameters.markets)} markets, max {preset.markets_max}"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    keys = parameters.oracle_keys
    if not keys or list(keys) != sorted(set(keys)) or parameters.quorum > preset.reports_max:
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, f"{len(keys)} oracle keys")
    if not parameters.fee_tiers:
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, "no fee tier")
    for market in parameters.markets:
        _check_market(market)


def _check_market(market: MarketParameters) -> None:
    """Decimals 0 to 12, positive strike tick and step, a margin grid that keeps its promises."""
    if not 0 <= market.price_decimals <= 12:
        detail = f"{market.symbol}.price_decimals = {market.price_decimals}, 0 to 12"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    if market.strike_tick < 1 or market.strike_step < 1 or market.horizon_days < 1:
        detail = f"{market.symbol}: strike_tick, strike_step, horizon_days at least 1"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    if not is_well_formed(market.risk):
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, f"{market.symbol}.risk")
