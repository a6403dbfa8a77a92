"""Trading fees: a rate by tier and role, on notional; an option's is capped by its premium."""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.draft import Draft
from novate.spec.holders import underlying_of
from novate.spec.instruments import decode, is_linear
from novate.spec.messages.batch import Fill
from novate.spec.rounding import ppm_down, ppm_up
from novate.spec.valuation import RoundState


class Fees(NamedTuple):
    """Fees of a fill in micro-USDC (negative: a rebate) and the rates they come from."""

    buyer: int
    seller: int
    buyer_ppm: int
    seller_ppm: int


def fill_fees(draft: Draft, round_state: RoundState, fill: Fill, buyer: int, seller: int) -> Fees:
    """Fees of both sides; a fund (holder < 0) pays none."""
    buyer_ppm = fee_rate(draft, buyer, fill.maker_is_buyer)
    seller_ppm = fee_rate(draft, seller, not fill.maker_is_buyer)
    return Fees(
        buyer=fee(draft, round_state, fill, buyer_ppm),
        seller=fee(draft, round_state, fill, seller_ppm),
        buyer_ppm=buyer_ppm,
        seller_ppm=seller_ppm,
    )


def fee_rate(draft: Draft, holder: int, is_maker: bool) -> int:
    """The holder's rate, ppm; tiers that parameters no longer list count as tier 0."""
    if holder < 0:
        return 0
    tiers = draft.parameters.fee_tiers
    tier = draft.account(holder).tier
    rates = tiers[tier if tier < len(tiers) else 0]
    return rates.maker_ppm if is_maker else rates.taker_ppm


def fee(draft: Draft, round_state: RoundState, fill: Fill, rate_ppm: int) -> int:
    """rate · notional rounded up; of an option on index · lots, within the cap of its premium.

    Notional < 2**62 only for options (index · lots), and then the cap < 2**47 binds.
    """
    premium = fill.price * fill.quantity
    if is_linear(decode(fill.instrument)):
        return ppm_up(premium, rate_ppm)
    view = round_state.views[underlying_of(fill.instrument)]
    amount = ppm_up(view.snapshot.index_price * fill.quantity, rate_ppm)
    cap = ppm_down(premium, draft.parameters.option_fee_cap_ppm)
    return max(-cap, min(cap, amount))
