"""What may be traded: a rule of parameters, not a table. Reducing stays legal until expiry."""

from __future__ import annotations

from novate.spec.bounds import PRICE_MAX
from novate.spec.draft import Draft
from novate.spec.errors import DecodeError, Reason, Rejection
from novate.spec.holders import underlying_of
from novate.spec.instruments import Instrument, day_of, decode, expiry_time, is_option
from novate.spec.state import InstrumentState
from novate.spec.valuation import RoundState, mark_of_id


def require_tradable(draft: Draft, round_state: RoundState, instrument: int) -> None:
    """Open the instrument if it is not open yet; Rejection where it may not be traded now."""
    try:
        decoded = decode(instrument)
    except DecodeError as error:
        raise Rejection(Reason.UNKNOWN_INSTRUMENT, str(error)) from error
    draft.market(underlying_of(instrument))
    state = draft.instruments.get(instrument)
    if state is not None and state.settled:
        raise Rejection(Reason.INSTRUMENT_SETTLED, f"instrument = {instrument}")
    if decoded.expiry_day and expiry_time(decoded.expiry_day) <= round_state.time:
        raise Rejection(Reason.INSTRUMENT_EXPIRED, f"instrument = {instrument}")
    if state is None:
        _open(draft, round_state, instrument, decoded)


def _open(draft: Draft, round_state: RoundState, instrument: int, decoded: Instrument) -> None:
    """List an instrument with its first trade, by the calendar, strike and count rules.

    The count includes settled ones not yet collected, so that each has its place in the settled
    tree from the start: an expiry never waits for room, with a value that moves and no margin.
    """
    parameters = draft.market_parameters(decoded.underlying)
    last_day = day_of(round_state.time) + parameters.horizon_days
    if decoded.expiry_day > last_day:
        detail = f"expiry_day = {decoded.expiry_day}, horizon {parameters.horizon_days} days"
        raise Rejection(Reason.NOT_LISTED, detail)
    if is_option(decoded):
        strike = decoded.strike * parameters.strike_tick
        if decoded.strike % parameters.strike_step or strike > PRICE_MAX:
            detail = f"strike = {decoded.strike}, step {parameters.strike_step}"
            raise Rejection(Reason.NOT_LISTED, detail)
    if len(draft.instruments) >= draft.preset.open_instruments_max:
        detail = f"max {draft.preset.open_instruments_max} open or not yet collected instruments"
        raise Rejection(Reason.TOO_MANY_INSTRUMENTS, detail)
    price = mark_of_id(round_state.views, instrument)
    draft.put_instrument(InstrumentState(instrument, mark=price))
