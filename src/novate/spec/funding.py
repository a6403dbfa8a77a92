"""Funding of the perpetual: a rate from its premium, accumulated on each side's cash accumulator.

Rate of 8 hours = max(500, p) + min(−500, p), p the clamped premium in ppm: nothing inside ±0.05 %
(Deribit, "Perpetual funding"). Longs pay a positive rate, shorts receive it; both accumulators
round down, so the payer pays up and the receiver gets down, and the clearing balance keeps the
dust. No remainder has to be kept: an accumulator's unit is 2**-30 tick a lot.
"""

from __future__ import annotations

from novate.spec.bounds import ACCUMULATOR_MAX, FUNDING_PERIOD_S
from novate.spec.draft import Draft
from novate.spec.instruments import Instrument, Kind, encode
from novate.spec.journal import FundingEntry
from novate.spec.parameters import MarketParameters
from novate.spec.rounding import PPM, clamp, mul_div_down
from novate.spec.state import Side

FUNDING_FREE_PPM = 500
"""A premium within this many ppm costs nothing."""


def funding_rate(parameters: MarketParameters, premium_ppm: int) -> int:
    """ppm of index a funding period, signed: positive when longs pay."""
    rate = max(FUNDING_FREE_PPM, premium_ppm) + min(-FUNDING_FREE_PPM, premium_ppm)
    return clamp(rate, -parameters.funding_rate_max_ppm, parameters.funding_rate_max_ppm)


def perpetual_of(underlying: int) -> int:
    """The id of an underlying's perpetual."""
    return encode(Instrument(underlying, 0, Kind.PERPETUAL, 0))


def accrue_funding(
    draft: Draft, underlying: int, index: int, premium_ppm: int, seconds: int
) -> None:
    """Move both sides' accumulators by index · rate · seconds / 8 h, if the perpetual is open.

    factor < 2**31, index < 2**31, rate · seconds < 2**43: limbs in the proof.
    """
    state = draft.instruments.get(perpetual_of(underlying))
    rate = funding_rate(draft.market_parameters(underlying), premium_ppm)
    if state is None or state.settled or rate == 0 or seconds == 0:
        return
    weight = index * rate * seconds
    long_cash = mul_div_down(state.long.factor, -weight, PPM * FUNDING_PERIOD_S)
    short_cash = mul_div_down(state.short.factor, weight, PPM * FUNDING_PERIOD_S)
    draft.put_instrument(
        state._replace(long=_moved(state.long, long_cash), short=_moved(state.short, short_cash))
    )
    entry = FundingEntry(state.instrument, rate, seconds, long_cash, short_cash)
    draft.record(draft.journal.funding, entry)


def _moved(side: Side, cash: int) -> Side:
    """The side with its accumulator moved, held within its bound."""
    return side._replace(cash=clamp(side.cash + cash, -ACCUMULATOR_MAX, ACCUMULATOR_MAX))
