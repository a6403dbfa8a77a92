"""Ids and names of instruments: every id round trips, every other spelling is refused."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from novate.spec.errors import DecodeError
from novate.spec.instruments import (
    EXPIRY_DAY_MAX,
    ID_BITS,
    Instrument,
    Kind,
    UnderlyingName,
    date_of_day,
    day_of,
    day_of_date,
    decode,
    encode,
    expiry_time,
    is_linear,
    is_option,
    parse_name,
    print_name,
    strike_price,
    underlying_text,
)

OPTION_DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "options"

NAMES = underlying_text(
    [
        UnderlyingName(0, "BTC", 2, 50_000),  # strikes in steps of 500 USDC
        UnderlyingName(1, "ETH", 2, 2_500),
        UnderlyingName(2, "SOL", 3, 500),
        UnderlyingName(3, "XRP", 5, 12_500),  # 0.125 USDC
        UnderlyingName(7, "SHIB", 10, 1),
        UnderlyingName(255, "1000X", 0, 3),
    ]
)


@st.composite
def canonical(draw: st.DrawFn) -> Instrument:
    underlying = draw(st.sampled_from(sorted(NAMES)))
    kind = Kind(draw(st.integers(0, 3)))
    day = 0 if kind == Kind.PERPETUAL else draw(st.integers(1, EXPIRY_DAY_MAX))
    limit = min((1 << 24) - 1, ((1 << 31) - 1) // NAMES[underlying].strike_tick)
    strike = draw(st.integers(1, limit)) if kind >= Kind.CALL else 0
    return Instrument(underlying, day, kind, strike)


def reason_of(function: object, *arguments: object) -> str:
    with pytest.raises(DecodeError) as caught:
        function(*arguments)  # type: ignore[operator]
    assert caught.value.detail
    return caught.value.reason


# Ids.


@given(canonical())
def test_encode_then_decode(instrument: Instrument) -> None:
    identifier = encode(instrument)
    assert 0 <= identifier < 1 << 50
    assert decode(identifier) == instrument
    assert isinstance(decode(identifier).kind, Kind)


@settings(max_examples=500)
@given(
    st.one_of(
        st.integers(0, (1 << ID_BITS) - 1),
        # mostly canonical neighbourhoods: linear and perpetual ids are rare among all numbers
        st.builds(
            lambda u, d, k, s: ((u << 16 | d) << 2 | k) << 24 | s,
            st.integers(0, 255),
            st.sampled_from([0, 1, 2502, EXPIRY_DAY_MAX, EXPIRY_DAY_MAX + 1, 65535]),
            st.integers(0, 3),
            st.sampled_from([0, 1, 140, (1 << 24) - 1]),
        ),
    )
)
@example(0)
def test_every_id_round_trips_or_is_refused(identifier: int) -> None:
    """The canonical rule is written here a second time, from the design's sentence."""
    day = identifier >> 26 & 0xFFFF
    kind = identifier >> 24 & 3
    strike = identifier & 0xFFFFFF
    is_canonical = (
        (kind == 0) == (day == 0) and (kind in (0, 1)) == (strike == 0) and day <= EXPIRY_DAY_MAX
    )
    if is_canonical:
        instrument = decode(identifier)
        assert instrument == (identifier >> 42, day, kind, strike)
        assert encode(instrument) == identifier
    else:
        with pytest.raises(DecodeError):
            decode(identifier)


@given(canonical(), canonical())
def test_ids_sort_by_underlying_expiry_kind_strike(left: Instrument, right: Instrument) -> None:
    assert (encode(left) < encode(right)) == (tuple(left) < tuple(right))


def test_known_id() -> None:
    """BTC call 70,000 of 7 Nov 2026: fields placed by hand."""
    day = (datetime.date(2026, 11, 7) - datetime.date(2020, 1, 1)).days
    assert day == 2502
    assert encode(Instrument(0, 2502, Kind.CALL, 140)) == 2502 * 2**26 + 2 * 2**24 + 140


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [
        (Instrument(256, 0, Kind.PERPETUAL, 0), "instrument_field_range"),
        (Instrument(-1, 0, Kind.PERPETUAL, 0), "instrument_field_range"),
        (Instrument(0, 65536, Kind.FUTURE, 0), "instrument_field_range"),
        (Instrument(0, 9, 4, 0), "instrument_field_range"),  # type: ignore[arg-type]
        (Instrument(0, 9, Kind.CALL, 1 << 24), "instrument_field_range"),
        (Instrument(0, EXPIRY_DAY_MAX + 1, Kind.FUTURE, 0), "instrument_expiry_too_late"),
        (Instrument(0, 1, Kind.PERPETUAL, 0), "instrument_expiry_of_kind"),
        (Instrument(0, 0, Kind.FUTURE, 0), "instrument_expiry_of_kind"),
        (Instrument(0, 0, Kind.CALL, 5), "instrument_expiry_of_kind"),
        (Instrument(0, 0, Kind.PERPETUAL, 1), "instrument_strike_of_kind"),
        (Instrument(0, 9, Kind.FUTURE, 1), "instrument_strike_of_kind"),
        (Instrument(0, 9, Kind.CALL, 0), "instrument_strike_of_kind"),
        (Instrument(0, 9, Kind.PUT, 0), "instrument_strike_of_kind"),
    ],
)
def test_encode_refuses(instrument: Instrument, reason: str) -> None:
    assert reason_of(encode, instrument) == reason


@pytest.mark.parametrize("identifier", [-1, 1 << 50])
def test_decode_refuses_out_of_width(identifier: int) -> None:
    assert reason_of(decode, identifier) == "instrument_field_range"


def test_kinds() -> None:
    assert [is_linear(Instrument(0, 0, kind, 0)) for kind in Kind] == [True, True, False, False]
    assert [is_option(Instrument(0, 0, kind, 0)) for kind in Kind] == [False, False, True, True]


def test_strike_price_bound() -> None:
    at_most = Instrument(0, 9, Kind.PUT, (1 << 24) - 1)
    assert strike_price(at_most, 128) == 2**31 - 128
    assert reason_of(strike_price, at_most, 129) == "instrument_strike_price"
    assert strike_price(Instrument(0, 0, Kind.PERPETUAL, 0), 10**9) == 0


# Calendar: the standard library is the oracle.


def test_calendar_of_every_day() -> None:
    date = datetime.date(2020, 1, 1)
    for day in range(1 << 16):
        assert date_of_day(day) == (date.year, date.month, date.day)
        assert day_of_date(date.year, date.month, date.day) == day
        date += datetime.timedelta(days=1)


@given(st.integers(0, EXPIRY_DAY_MAX))
def test_expiry_time_is_eight_utc(day: int) -> None:
    moment = datetime.datetime.fromtimestamp(expiry_time(day), datetime.UTC)
    assert (moment.hour, moment.minute, moment.second) == (8, 0, 0)
    assert (moment.year, moment.month, moment.day) == date_of_day(day)
    assert day_of(expiry_time(day)) == day


def test_day_changes_at_midnight() -> None:
    midnight = int(datetime.datetime(2026, 11, 7, tzinfo=datetime.UTC).timestamp())
    assert [day_of(midnight - 1), day_of(midnight), day_of(midnight + 86_399)] == [2501, 2502, 2502]
    assert day_of(0) < 0


def test_last_expiry_fits_32_bits_of_seconds() -> None:
    assert expiry_time(EXPIRY_DAY_MAX) < 1 << 32 <= expiry_time(EXPIRY_DAY_MAX + 1)


# Text.


@pytest.mark.parametrize(
    ("text", "instrument"),
    [
        ("BTC_USDC-PERPETUAL", Instrument(0, 0, Kind.PERPETUAL, 0)),
        ("BTC_USDC-7NOV26", Instrument(0, 2502, Kind.FUTURE, 0)),
        ("BTC_USDC-7NOV26-70000-C", Instrument(0, 2502, Kind.CALL, 140)),
        ("BTC_USDC-17NOV26-70500-P", Instrument(0, 2512, Kind.PUT, 141)),
        ("XRP_USDC-7NOV26-0d625-C", Instrument(3, 2502, Kind.CALL, 5)),
        ("XRP_USDC-7NOV26-2-P", Instrument(3, 2502, Kind.PUT, 16)),
        ("SOL_USDC-29FEB28-97d5-C", Instrument(2, 2981, Kind.CALL, 195)),
        ("SHIB_USDC-2JAN20-0d0000000001-C", Instrument(7, 1, Kind.CALL, 1)),
        ("1000X_USDC-6FEB06-3-P", Instrument(255, EXPIRY_DAY_MAX, Kind.PUT, 1)),
    ],
)
def test_known_names(text: str, instrument: Instrument) -> None:
    assert parse_name(text, NAMES) == instrument
    assert print_name(instrument, NAMES) == text


@given(canonical())
def test_print_then_parse(instrument: Instrument) -> None:
    assert parse_name(print_name(instrument, NAMES), NAMES) == instrument


@settings(max_examples=500)
@given(canonical(), st.data())
def test_a_changed_name_is_refused_or_is_another_name(
    instrument: Instrument, data: st.DataObject
) -> None:
    text = print_name(instrument, NAMES)
    at = data.draw(st.integers(0, len(text)))
    mutated = (
        text[:at]
        + data.draw(st.sampled_from(["", "0", "1", "9", "d", "-", "C", "c", "_", " ", "١", "\n"]))
        + text[at + data.draw(st.integers(0, 1)) :]
    )
    try:
        parsed = parse_name(mutated, NAMES)
    except DecodeError as error:
        assert error.detail
    else:
        assert print_name(parsed, NAMES) == mutated


@given(st.text(alphabet="BTC_USDXRP-7NOV26d0PERPETUAL1\u0661", max_size=40))
def test_arbitrary_text_is_refused_or_canonical(text: str) -> None:
    try:
        parsed = parse_name(text, NAMES)
    except DecodeError:
        return
    assert print_name(parsed, NAMES) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "instrument_name_form"),
        ("BTC_USDC", "instrument_name_form"),
        ("BTC_USDC-7NOV26-70000", "instrument_name_form"),
        ("BTC_USDC-7NOV26-70000-C-", "instrument_name_form"),
        ("DOGE_USDC-PERPETUAL", "instrument_underlying_unknown"),
        ("btc_USDC-PERPETUAL", "instrument_underlying_unknown"),
        ("BTC-PERPETUAL", "instrument_underlying_unknown"),
        ("BTC_USDT-PERPETUAL", "instrument_underlying_unknown"),
        ("BTC_USDC-Perpetual", "instrument_name_date"),
        ("BTC_USDC-07NOV26", "instrument_name_date"),  # padded day
        ("BTC_USDC-7nov26", "instrument_name_date"),
        ("BTC_USDC-7NOV2026", "instrument_name_date"),
        ("BTC_USDC-7NOV", "instrument_name_date"),
        ("BTC_USDC-NOV26", "instrument_name_date"),
        ("BTC_USDC-0NOV26", "instrument_name_date"),
        ("BTC_USDC-31NOV26", "instrument_name_date"),  # no such date
        ("BTC_USDC-29FEB27", "instrument_name_date"),
        ("BTC_USDC-1JAN20", "instrument_name_date"),  # day 0 is the perpetual
        ("BTC_USDC-7FEB06", "instrument_name_date"),  # 2106, past 2^32 seconds
        ("BTC_USDC-\u0667NOV26", "instrument_name_date"),  # a digit, not an ASCII one
        ("BTC_USDC-7NOV26-70000-c", "instrument_name_option"),
        ("BTC_USDC-7NOV26-70000-X", "instrument_name_option"),
        ("BTC_USDC-7NOV26-PERPETUAL-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-070000-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-0-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-70250-C", "instrument_name_strike"),  # off the strike tick
        ("BTC_USDC-7NOV26-70000d-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-70000d0-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-70000.5-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-99999999999-C", "instrument_name_strike"),
        ("BTC_USDC-7NOV26-21475000-C", "instrument_strike_price"),  # 2^31 = 21,474,836.48
        ("XRP_USDC-7NOV26-0d6250-C", "instrument_name_strike"),  # trailing zero
        ("XRP_USDC-7NOV26-d625-C", "instrument_name_strike"),
        ("XRP_USDC-7NOV26-00d625-C", "instrument_name_strike"),
        ("XRP_USDC-7NOV26-0d625d1-C", "instrument_name_strike"),
        ("XRP_USDC-7NOV26-0d6250001-C", "instrument_name_strike"),  # more decimals than d
    ],
)
def test_parse_refuses(text: str, reason: str) -> None:
    assert reason_of(parse_name, text, NAMES) == reason


def test_print_refuses_an_unlisted_underlying_and_what_is_not_canonical() -> None:
    assert (
        reason_of(print_name, Instrument(9, 0, Kind.PERPETUAL, 0), NAMES)
        == "instrument_underlying_unknown"
    )
    assert (
        reason_of(print_name, Instrument(0, 0, Kind.PUT, 1), NAMES) == "instrument_expiry_of_kind"
    )
    too_dear = Instrument(0, 9, Kind.PUT, 42_950)  # 21,475,000 USDC
    assert reason_of(print_name, too_dear, NAMES) == "instrument_strike_price"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([UnderlyingName(256, "A", 2, 1)], "instrument_field_range"),
        ([UnderlyingName(0, "", 2, 1)], "underlying_symbol"),
        ([UnderlyingName(0, "btc", 2, 1)], "underlying_symbol"),
        ([UnderlyingName(0, "A" * 17, 2, 1)], "underlying_symbol"),
        ([UnderlyingName(0, "A-B", 2, 1)], "underlying_symbol"),
        ([UnderlyingName(0, "A", 13, 1)], "underlying_price_decimals"),
        ([UnderlyingName(0, "A", -1, 1)], "underlying_price_decimals"),
        ([UnderlyingName(0, "A", 2, 0)], "underlying_strike_tick"),
        ([UnderlyingName(0, "A", 2, 1 << 31)], "underlying_strike_tick"),
        ([UnderlyingName(0, "A", 2, 1), UnderlyingName(0, "B", 2, 1)], "underlying_twice"),
        ([UnderlyingName(0, "A", 2, 1), UnderlyingName(1, "A", 2, 1)], "underlying_twice"),
    ],
)
def test_naming_table_refuses(rows: list[UnderlyingName], reason: str) -> None:
    assert reason_of(underlying_text, rows) == reason


@pytest.mark.skipif(not OPTION_DATA.is_dir(), reason="no Deribit chains beside the repository")
def test_real_deribit_names() -> None:
    """Every name of ten real chains, as USDC, against the strike, type and expiry columns."""
    parquet = pytest.importorskip("pyarrow.parquet")
    seen = 0
    for path in sorted(OPTION_DATA.glob("*.parquet")):
        columns = ["instrument_name", "underlying", "expiry", "strike", "type"]
        for row in parquet.read_table(path, columns=columns).to_pylist():
            base, rest = row["instrument_name"].split("-", 1)
            text = f"{base}_USDC-{rest}"
            instrument = parse_name(text, NAMES)
            name = NAMES[instrument.underlying]
            assert print_name(instrument, NAMES) == text
            assert name.symbol == row["underlying"]
            assert instrument.kind.name.lower() == row["type"]
            assert strike_price(instrument, name.strike_tick) == round(row["strike"] * 100)
            assert expiry_time(instrument.expiry_day) == int(row["expiry"].timestamp())
            seen += 1
    assert seen > 10_000
