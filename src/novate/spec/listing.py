"""What may be traded: a rule of parameters, not a table. Reducing stays legal until expiry."""

from __future__ import annotations

from novate.spec.bounds import PRICE_MAX
from novate.spec.draft import Draft
from novate.spec.errors import DecodeError, Reason, Rejection
from novate.spec.holders import underlying_of
from novate.spec.instruments import Instrument, day_of, decode, expiry_time, is_option
from novate.spec.state import InstrumentState


def require_tradable(draft: Draft, time: int, instrument: int) -> None:
    """Open the instrument if it is not open yet; Rejection where it may not be traded now."""
    try:
        decoded = decode(instrument)
    except DecodeError as error:
        raise Rejection(Reason.UNKNOWN_INSTRUMENT, str(error)) from error
    draft.market(underlying_of(instrument))
    state = draft.instruments.get(instrument)
    if state is not None and state.settled:
        raise Rejection(Reason.INSTRUMENT_SETTLED, f"instrument = {instrument}")
    if decoded.expiry_day and expiry_time(decoded.expiry_day) <= time:
        raise Rejection(Reason.INSTRUMENT_EXPIRED, f"instrument = {instrument}")
    if state is None:
        _open(draft, time, instrument, decoded)


def _open(draft: Draft, time: int, instrument: int, decoded: Instrument) -> None:
    """List an instrument with its first trade, by the calendar, strike and count rules."""
    parameters = draft.market_parameters(decoded.underlying)
    if decoded.expiry_day and decoded.expiry_day > day_of(time) + parameters.horizon_days:
        detail = f"expiry_day = {decoded.expiry_day}, horizon {parameters.horizon_days} days"
        raise Rejection(Reason.NOT_LISTED, detail)
    if is_option(decoded):
        strike = decoded.strike * parameters.strike_tick
        if decoded.strike % parameters.strike_step or strike > PRICE_MAX:
            detail = f"strike = {decoded.strike}, step {parameters.strike_step}"
            raise Rejection(Reason.NOT_LISTED, detail)
    unsettled = sum(not state.settled for state in draft.instruments.values())
    if unsettled >= draft.preset.open_instruments_max:
        detail = f"max {draft.preset.open_instruments_max} open instruments"
        raise Rejection(Reason.TOO_MANY_INSTRUMENTS, detail)
    draft.put_instrument(InstrumentState(instrument))
