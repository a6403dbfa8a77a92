"""Whether new parameters are well formed and keep what can never change."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType

from novate.spec.bounds import OWNER_MAX, PPM_SIGNED_MAX
from novate.spec.errors import Fault, InvalidBatch
from novate.spec.instruments import SYMBOL_LENGTH_MAX
from novate.spec.parameters import MarketParameters, Parameters
from novate.spec.presets import Preset
from novate.spec.risk_parameters import RiskParameters, is_well_formed

NUMBER_LIMIT = 2**32
WIDER = MappingProxyType(
    {
        "chain_id": 2**63,
        "settlement_contract": OWNER_MAX + 1,
        "concentration_free": 2**63,
    }
)
"""Fields that may be larger than other numbers."""
LISTED_MAX = 255
"""Most oracle keys, fee tiers and scenarios: a count is a byte in public data."""
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
    if not 1 <= len(parameters.fee_tiers) <= LISTED_MAX or len(keys) > LISTED_MAX:
        detail = f"{len(parameters.fee_tiers)} fee tiers, {len(keys)} keys, max {LISTED_MAX}"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    for tier in parameters.fee_tiers:
        if max(abs(tier.maker_ppm), abs(tier.taker_ppm)) > PPM_SIGNED_MAX:
            raise InvalidBatch(Fault.MALFORMED_PARAMETERS, f"{tier}, max {PPM_SIGNED_MAX} ppm")
    _check_numbers("parameters", parameters)
    for market in parameters.markets:
        _check_market(market)


def _check_numbers(name: str, record: Parameters | MarketParameters | RiskParameters) -> None:
    """Every number of a record lies in [0, 2**32), or below the wider limit of its field."""
    for field in fields(record):
        value = getattr(record, field.name)
        limit = WIDER.get(field.name, NUMBER_LIMIT)
        if isinstance(value, int) and not 0 <= value < limit:
            detail = f"{name}.{field.name} = {value}, limit {limit}"
            raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)


def _check_market(market: MarketParameters) -> None:
    """Decimals 0 to 12, positive strike tick and step, a margin grid that keeps its promises."""
    printable = all(" " <= character <= "~" for character in market.symbol)
    if not 1 <= len(market.symbol) <= SYMBOL_LENGTH_MAX or not printable:
        detail = f"symbol {market.symbol!r}: 1 to {SYMBOL_LENGTH_MAX} of printable ASCII"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    _check_numbers(market.symbol, market)
    _check_numbers(f"{market.symbol}.risk", market.risk)
    if not 0 <= market.price_decimals <= 12:
        detail = f"{market.symbol}.price_decimals = {market.price_decimals}, 0 to 12"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    if market.strike_tick < 1 or market.strike_step < 1 or market.horizon_days < 1:
        detail = f"{market.symbol}: strike_tick, strike_step, horizon_days at least 1"
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, detail)
    if len(market.risk.scenarios) > LISTED_MAX or not is_well_formed(market.risk):
        raise InvalidBatch(Fault.MALFORMED_PARAMETERS, f"{market.symbol}.risk")
