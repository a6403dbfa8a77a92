"""Instruments: the self-describing 50-bit id and its text form.

Id, most significant first:
    underlying 8 | expiry day 16 | kind 2 | strike 24
so a list sorted by id groups by underlying and, inside it, by expiry. Nothing is looked up to read
an id, except the size of a strike step, which is the underlying's `strike_tick`.

Text is the linear (USDC) form of Deribit's instrument names: `BTC_USDC-PERPETUAL`,
`BTC_USDC-7NOV26`, `BTC_USDC-7NOV26-70000-C`, with `0d625` for the strike 0.625. Days have no
padding, months are English capitals, the year has two digits (docs.deribit.com, "Naming").
Printing and parsing are exact inverses; every other spelling is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from novate.spec.errors import DecodeError
from novate.spec.rounding import div_down

UNDERLYING_BITS = 8
EXPIRY_DAY_BITS = 16
KIND_BITS = 2
STRIKE_BITS = 24
ID_BITS = UNDERLYING_BITS + EXPIRY_DAY_BITS + KIND_BITS + STRIKE_BITS  # 50

DAY_S = 86_400
EPOCH_S = 1_577_836_800  # 2020-01-01 00:00:00 UTC, day 0
EXPIRY_OF_DAY_S = 28_800  # 08:00 UTC
EXPIRY_DAY_MAX = 31_447  # 2106-02-06: the last day whose 08:00 UTC is below 2^32 seconds
STRIKE_PRICE_LIMIT = 1 << 31  # strikes are prices, so they share the bound of prices
PRICE_DECIMALS_MAX = 12

QUOTE = "USDC"
PERPETUAL_TEXT = "PERPETUAL"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
CENTURY_SPLIT = 20  # two-digit years 20..99 are 2020..2099, 00..06 are 2100..2106
SYMBOL_LENGTH_MAX = 16
SYMBOL_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
DIGITS = frozenset("0123456789")


class Kind(IntEnum):
    """What the instrument pays."""

    PERPETUAL = 0
    FUTURE = 1
    CALL = 2
    PUT = 3


OPTION_LETTERS = MappingProxyType({Kind.CALL: "C", Kind.PUT: "P"})
OPTION_KINDS = MappingProxyType({"C": Kind.CALL, "P": Kind.PUT})


class Instrument(NamedTuple):
    """One instrument. Canonical: perpetual ⇔ expiry_day 0, strike 0 ⇔ perpetual or future."""

    underlying: int  # 8 bits
    expiry_day: int  # 16 bits, days since 2020-01-01, expiry at 08:00 UTC; 0: perpetual
    kind: Kind  # 2 bits
    strike: int  # 24 bits, in the underlying's strike_tick; 0: linear


class UnderlyingName(NamedTuple):
    """What the text of an underlying's instruments depends on; immutable once listed."""

    underlying: int  # 8 bits
    symbol: str  # "BTC"
    price_decimals: int  # d: one price tick is 10^-d USDC, 0..12
    strike_tick: int  # strike step in price ticks, >= 1


UnderlyingText = Mapping[int, UnderlyingName]


def is_linear(instrument: Instrument) -> bool:
    """True for perpetuals and futures."""
    return instrument.kind <= Kind.FUTURE


def is_option(instrument: Instrument) -> bool:
    """True for calls and puts."""
    return instrument.kind >= Kind.CALL


def check_instrument(instrument: Instrument) -> None:
    """DecodeError unless every field is within its width and the instrument is canonical."""
    _check_width("underlying", instrument.underlying, UNDERLYING_BITS)
    _check_width("expiry_day", instrument.expiry_day, EXPIRY_DAY_BITS)
    _check_width("kind", instrument.kind, KIND_BITS)
    _check_width("strike", instrument.strike, STRIKE_BITS)
    if instrument.expiry_day > EXPIRY_DAY_MAX:
        raise DecodeError(
            "instrument_expiry_too_late",
            f"expiry_day {instrument.expiry_day}, at most {EXPIRY_DAY_MAX}",
        )
    if (instrument.kind == Kind.PERPETUAL) != (instrument.expiry_day == 0):
        raise DecodeError(
            "instrument_expiry_of_kind",
            f"expiry_day {instrument.expiry_day} with kind {instrument.kind}: 0 is perpetual",
        )
    if is_linear(instrument) != (instrument.strike == 0):
        raise DecodeError(
            "instrument_strike_of_kind",
            f"strike {instrument.strike} with kind {instrument.kind}: 0 is linear",
        )


def encode(instrument: Instrument) -> int:
    """Id of a canonical instrument, below 2^50; DecodeError if it is not canonical."""
    check_instrument(instrument)
    identifier = instrument.underlying
    identifier = identifier << EXPIRY_DAY_BITS | instrument.expiry_day
    identifier = identifier << KIND_BITS | instrument.kind
    return identifier << STRIKE_BITS | instrument.strike


def decode(identifier: int) -> Instrument:
    """Instrument of an id; DecodeError unless the id is the encoding of one."""
    _check_width("id", identifier, ID_BITS)
    strike = identifier & ((1 << STRIKE_BITS) - 1)
    kind = identifier >> STRIKE_BITS & ((1 << KIND_BITS) - 1)
    expiry_day = identifier >> (STRIKE_BITS + KIND_BITS) & ((1 << EXPIRY_DAY_BITS) - 1)
    underlying = identifier >> (STRIKE_BITS + KIND_BITS + EXPIRY_DAY_BITS)
    instrument = Instrument(underlying, expiry_day, Kind(kind), strike)
    check_instrument(instrument)
    return instrument


def _check_width(field: str, value: int, bits: int) -> None:
    """DecodeError unless 0 <= value < 2^bits."""
    if not 0 <= value < 1 << bits:
        raise DecodeError("instrument_field_range", f"{field} {value}, below 2^{bits}")


def strike_price(instrument: Instrument, strike_tick: int) -> int:
    """Strike in price ticks (10^-d USDC), 0 for linear; DecodeError unless below 2^31."""
    price = instrument.strike * strike_tick
    if price >= STRIKE_PRICE_LIMIT:
        raise DecodeError("instrument_strike_price", f"strike {price} ticks, below 2^31")
    return price


def expiry_time(day: int) -> int:
    """Unix seconds of 08:00 UTC on a day; days count from 2020-01-01. Below 2^32 for valid days."""
    return EPOCH_S + day * DAY_S + EXPIRY_OF_DAY_S


def day_of(time_s: int) -> int:
    """Day since 2020-01-01 (UTC calendar) that holds the unix second; negative before it."""
    return div_down(time_s - EPOCH_S, DAY_S)


# Calendar: proleptic Gregorian, years that begin in March so that the leap day comes last
# (the usual era arithmetic: 400 years = 146,097 days).

DAYS_TO_MARCH_0000 = 737_730  # from 0000-03-01 to 2020-01-01


def date_of_day(day: int) -> tuple[int, int, int]:
    """(year, month 1..12, day of month 1..31) of a day since 2020-01-01, >= 0."""
    days = day + DAYS_TO_MARCH_0000
    era = div_down(days, 146_097)
    day_of_era = days - era * 146_097
    leap_days = (
        div_down(day_of_era, 1_460) - div_down(day_of_era, 36_524) + div_down(day_of_era, 146_096)
    )
    year_of_era = div_down(day_of_era - leap_days, 365)
    day_of_year = day_of_era - _days_before_year(year_of_era)
    month_from_march = div_down(5 * day_of_year + 2, 153)
    day_of_month = day_of_year - div_down(153 * month_from_march + 2, 5) + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return era * 400 + year_of_era + (month <= 2), month, day_of_month


def day_of_date(year: int, month: int, day_of_month: int) -> int:
    """Day since 2020-01-01 of a date; inverse of `date_of_day` where the date exists."""
    march_year = year - (month <= 2)
    era = div_down(march_year, 400)
    month_from_march = month - 3 if month > 2 else month + 9
    day_of_year = div_down(153 * month_from_march + 2, 5) + day_of_month - 1
    day_of_era = _days_before_year(march_year - era * 400) + day_of_year
    return era * 146_097 + day_of_era - DAYS_TO_MARCH_0000


def _days_before_year(year_of_era: int) -> int:
    """Days of an era before its given year (0..399)."""
    return year_of_era * 365 + div_down(year_of_era, 4) - div_down(year_of_era, 100)


# Text.


def underlying_text(rows: Iterable[UnderlyingName]) -> UnderlyingText:
    """The naming table of the listed underlyings; DecodeError where a row or a pair is wrong."""
    table: dict[int, UnderlyingName] = {}
    symbols: set[str] = set()
    for row in rows:
        _check_width("underlying", row.underlying, UNDERLYING_BITS)
        if not 1 <= len(row.symbol) <= SYMBOL_LENGTH_MAX or not SYMBOL_CHARACTERS.issuperset(
            row.symbol
        ):
            raise DecodeError("underlying_symbol", f"{row.symbol!r}: 1 to 16 of A-Z and 0-9")
        if not 0 <= row.price_decimals <= PRICE_DECIMALS_MAX:
            raise DecodeError("underlying_price_decimals", f"{row.price_decimals}, 0 to 12")
        if not 1 <= row.strike_tick < STRIKE_PRICE_LIMIT:
            raise DecodeError("underlying_strike_tick", f"{row.strike_tick}, 1 to below 2^31")
        if row.underlying in table or row.symbol in symbols:
            raise DecodeError("underlying_twice", f"{row.underlying} {row.symbol}")
        table[row.underlying] = row
        symbols.add(row.symbol)
    return table


def print_name(instrument: Instrument, names: UnderlyingText) -> str:
    """Text of a canonical instrument; DecodeError if its underlying is not listed."""
    check_instrument(instrument)
    if instrument.underlying not in names:
        raise DecodeError("instrument_underlying_unknown", f"underlying {instrument.underlying}")
    row = names[instrument.underlying]
    base = f"{row.symbol}_{QUOTE}"
    if instrument.kind == Kind.PERPETUAL:
        return f"{base}-{PERPETUAL_TEXT}"
    date = _print_date(instrument.expiry_day)
    if instrument.kind == Kind.FUTURE:
        return f"{base}-{date}"
    strike = _print_strike(strike_price(instrument, row.strike_tick), row.price_decimals)
    return f"{base}-{date}-{strike}-{OPTION_LETTERS[instrument.kind]}"


def parse_name(text: str, names: UnderlyingText) -> Instrument:
    """Instrument of a text; DecodeError unless `print_name` gives exactly this text back."""
    parts = text.split("-")
    if len(parts) not in (2, 4):
        raise DecodeError("instrument_name_form", f"{text[:64]!r}: 2 or 4 parts split by '-'")
    row = _parse_underlying(parts[0], names)
    if len(parts) == 2:
        if parts[1] == PERPETUAL_TEXT:
            return Instrument(row.underlying, 0, Kind.PERPETUAL, 0)
        return Instrument(row.underlying, _parse_date(parts[1]), Kind.FUTURE, 0)
    day = _parse_date(parts[1])
    strike = _parse_strike(parts[2], row)
    if parts[3] not in OPTION_KINDS:
        raise DecodeError("instrument_name_option", f"{parts[3][:64]!r}: C or P")
    return Instrument(row.underlying, day, OPTION_KINDS[parts[3]], strike)


def _parse_underlying(text: str, names: UnderlyingText) -> UnderlyingName:
    """The listed underlying of `BTC_USDC`."""
    for row in names.values():
        if text == f"{row.symbol}_{QUOTE}":
            return row
    raise DecodeError("instrument_underlying_unknown", f"{text[:64]!r}")


def _print_date(day: int) -> str:
    """`7NOV26`: the day without padding, the month in capitals, two digits of the year."""
    year, month, day_of_month = date_of_day(day)
    return f"{day_of_month}{MONTHS[month - 1]}{year % 100:02d}"


def _parse_date(text: str) -> int:
    """Day of `7NOV26`, 1 to EXPIRY_DAY_MAX; DecodeError for any other spelling or no such date."""
    day_text, month_text, year_text = text[:-5], text[-5:-2], text[-2:]
    if not _is_number(day_text, 2) or month_text not in MONTHS or not DIGITS.issuperset(year_text):
        raise DecodeError("instrument_name_date", f"{text[:64]!r}: like 7NOV26")
    year = int(year_text) + (2000 if int(year_text) >= CENTURY_SPLIT else 2100)
    month = MONTHS.index(month_text) + 1
    day = day_of_date(year, month, int(day_text))
    if not 1 <= day <= EXPIRY_DAY_MAX or date_of_day(day) != (year, month, int(day_text)):
        raise DecodeError(
            "instrument_name_date", f"{text[:64]!r}: a date from 2JAN20 to 6FEB06 (2106)"
        )
    return day


def _print_strike(price: int, decimals: int) -> str:
    """Decimal text of price · 10^-decimals, `d` for the point, without trailing zeros."""
    digits = str(price).rjust(decimals + 1, "0")
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    fraction = fraction.rstrip("0")
    return f"{whole}d{fraction}" if fraction else whole


def _parse_strike(text: str, row: UnderlyingName) -> int:
    """Strike in strike_tick, 1 to below 2^24; DecodeError unless canonical and on the tick."""
    whole, point, fraction = text.partition("d")
    if not _is_number(whole, 10) or bool(point) != bool(fraction):
        raise DecodeError("instrument_name_strike", f"{text[:64]!r}: like 70000 or 0d625")
    if fraction and (not DIGITS.issuperset(fraction) or fraction.endswith("0")):
        raise DecodeError("instrument_name_strike", f"{text[:64]!r}: no zeros at the end")
    if len(fraction) > row.price_decimals:
        raise DecodeError(
            "instrument_name_strike", f"{text[:64]!r}: {row.price_decimals} decimals at most"
        )
    price = int(whole + fraction.ljust(row.price_decimals, "0"))
    strike = div_down(price, row.strike_tick)
    if strike * row.strike_tick != price or not 1 <= strike < 1 << STRIKE_BITS:
        raise DecodeError(
            "instrument_name_strike",
            f"{text[:64]!r}: a multiple of {row.strike_tick} ticks of 10^-{row.price_decimals}",
        )
    if price >= STRIKE_PRICE_LIMIT:
        raise DecodeError("instrument_strike_price", f"strike {price} ticks, below 2^31")
    return strike


def _is_number(text: str, length_max: int) -> bool:
    """True for a decimal number of at most length_max ASCII digits without padding."""
    return (
        1 <= len(text) <= length_max
        and DIGITS.issuperset(text)
        and (text == "0" or not text.startswith("0"))
    )
