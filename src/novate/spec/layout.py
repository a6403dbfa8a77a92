"""Leaves as field elements: the one place that says what a digest of the state covers.

The L1 header and every table's leaf columns are rendered from here. Signed values are taken mod p;
packed fields state their widths, and every packed element stays below p.
"""

from __future__ import annotations

from collections.abc import Sequence

from novate.spec.bounds import QUANTITY_MAX
from novate.spec.messages.domain import address_elements, signed_element
from novate.spec.messages.oracle import expiry_elements
from novate.spec.parameters import MarketParameters, Parameters
from novate.spec.primitives import Digest
from novate.spec.risk_parameters import risk_elements
from novate.spec.state import (
    Account,
    Fund,
    InstrumentState,
    Position,
    Slot,
    Snapshot,
    System,
)

PARAMETERS_TAG = "params"
SYSTEM_TAG = "system"
SNAPSHOT_TAG = "snap"
MARKET_TAG = "market"
INSTRUMENT_TAG = "instr"
INSTRUMENTS_TAG = "instrs"
ACCOUNT_TAG = "account"
SLOTS_TAG = "slots"
SETTLEMENT_TAG = "settle"
ROOT_TAG = "root"


def symbol_element(symbol: str) -> int:
    """A market's symbol, at most 16 ASCII characters, as up to 128 bits; split by the caller."""
    return int.from_bytes(symbol.encode("ascii"), "little")


def market_parameters_elements(market: MarketParameters) -> list[int]:
    """Every parameter of one market in the order of its fields; the symbol in three limbs."""
    symbol = symbol_element(market.symbol)
    scalars = [
        market.price_decimals,
        market.strike_tick,
        market.strike_step,
        market.horizon_days,
        market.band_ppm,
        market.gap_s,
        market.halt_jump_ppm,
        market.halt_drift_ppm_s,
        market.funding_rate_max_ppm,
        market.premium_max_ppm,
        market.vol_default_ppm,
        market.penalty_ppm,
        market.close_penalty_ppm,
        market.fund_inventory_max,
        market.deleverage_cap_ppm,
    ]
    limbs = [symbol >> shift & (2**48 - 1) for shift in (0, 48, 96)]
    return [*limbs, *scalars, *risk_elements(market.risk)]


def parameters_elements(parameters: Parameters) -> list[int]:
    """Everything L1 sets; lists are preceded by their lengths."""
    elements = [
        parameters.chain_id,
        *address_elements(parameters.settlement_contract),
        parameters.option_fee_cap_ppm,
        parameters.step_loss_ppm,
        parameters.fund_loss_ppm,
        parameters.give_tolerance_ppm,
        parameters.overshoot_ppm,
        parameters.resume_snapshots,
        parameters.reference_age_s,
        parameters.oracle_spread_ppm,
        parameters.forced_close_wait_s,
        len(parameters.oracle_keys),
    ]
    for key in parameters.oracle_keys:
        elements += key
    elements.append(len(parameters.fee_tiers))
    for tier in parameters.fee_tiers:
        elements += [signed_element(tier.maker_ppm), signed_element(tier.taker_ppm)]
    elements.append(len(parameters.markets))
    for market in parameters.markets:
        elements += market_parameters_elements(market)
    return elements


def system_elements(system: System, parameters: Digest) -> list[int]:
    """The system leaf: seven scalars, then the parameters' digest."""
    return [
        system.batch_number,
        system.time,
        system.inbox_cursor,
        system.fork,
        system.venue_epoch,
        system.vault,
        system.account_count,
        *parameters,
    ]


def snapshot_elements(snapshot: Snapshot) -> list[int]:
    """One snapshot: four scalars, the number of expiries, then each expiry."""
    elements = [
        snapshot.time,
        snapshot.index_price,
        signed_element(snapshot.premium_ppm),
        snapshot.mean,
        len(snapshot.expiries),
    ]
    for expiry in snapshot.expiries:
        elements += expiry_elements(expiry)
    return elements


def position_elements(position: Position) -> list[int]:
    """Three elements: id; (quantity + 2**31 − 1) · 2**32 + factor; accumulator.

    quantity + 2**31 − 1 <= 2**32 − 2 and factor < 2**32, so the packed element is below p.
    """
    return [
        position.instrument,
        (position.quantity + QUANTITY_MAX) << 32 | position.factor,
        signed_element(position.cash),
    ]


def positions_elements(positions: Sequence[Position]) -> list[int]:
    """Positions one after another; their number stands elsewhere in the leaf."""
    return [element for position in positions for element in position_elements(position)]


def fund_elements(fund: Fund) -> list[int]:
    """Cash, debt, number of positions, positions."""
    return [
        signed_element(fund.cash),
        fund.debt,
        len(fund.positions),
        *positions_elements(fund.positions),
    ]


def instrument_elements(state: InstrumentState) -> list[int]:
    """Eight elements, one permutation: factors and the settled bit are packed."""
    return [
        state.instrument,
        state.mark | int(state.settled) << 31,
        state.open_interest,
        state.long.factor | state.short.factor << 32,
        signed_element(state.long.cash),
        signed_element(state.short.cash),
        signed_element(state.clearing),
        state.holders,
    ]


def account_elements(account: Account) -> list[int]:
    """Sixteen elements (two permutations), then three a position.

    Packed: epochs 31 bits each; status time 32, tier 8, last underlying 8, position count 9.
    """
    return [
        *address_elements(account.owner),
        *account.key,
        signed_element(account.cash),
        account.key_epoch | account.cancel_epoch << 32,
        account.liquidation_since
        | account.tier << 32
        | account.last_underlying << 40
        | len(account.positions) << 48,
        *address_elements(account.allowed_owner),
        account.forced_close_instrument,
        account.forced_close_time,
        *positions_elements(account.positions),
    ]


def slot_group_elements(slots: Sequence[Slot]) -> list[int]:
    """One element a slot: nonce + filled · 2**32, below 2**63."""
    return [slot.nonce | slot.filled << 32 for slot in slots]
