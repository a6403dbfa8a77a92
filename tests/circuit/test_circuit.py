"""The table language on small tables: what compiles, what a trace is, what the checker finds."""

from __future__ import annotations

import pytest

from novate.circuit.buses import send
from novate.circuit.checker import BusFailure, RuleFailure, check, check_rules
from novate.circuit.columns import column, flag, inverse
from novate.circuit.expressions import Expression, P, select
from novate.circuit.form import CircuitError, TableForm, compile_table
from novate.circuit.tables import Table, rule
from novate.circuit.witness import Trace, count_lookups, fill
from novate.tables.range16 import LOG_ROWS, Range16
from tests.circuit.small_tables import PRIMARY, PUBLICS, SQUARE, Division, Squares, Sums

FORMS = [compile_table(table()) for table in (Squares, Sums, Division, Range16)]


@pytest.fixture(name="traces")
def _traces() -> list[Trace]:
    """Valid traces of all four tables."""
    heights = (3, 3, 2, LOG_ROWS)
    traces = [
        fill(form, PRIMARY[form.name], height, PUBLICS)
        for form, height in zip(FORMS, heights, strict=True)
    ]
    count_lookups(FORMS, traces, PUBLICS)
    return traces


def place_of(form: TableForm, name: str) -> int:
    """Number of a column."""
    return [column.name for column in form.columns].index(name)


def test_valid_traces_pass(traces: list[Trace]) -> None:
    assert check(FORMS, traces, PUBLICS) == []


def test_derived_values(traces: list[Trace]) -> None:
    division = {c.name: v for c, v in zip(FORMS[2].columns, traces[2], strict=True)}
    assert division["ratio"][:3] == [10**12 // 65_535, 0, 1]
    assert division["rest"][:3] == [10**12 % 65_535, 0, 0]
    assert division["is_zero"] == [0, 1, 0, 1]
    assert division["value_limb_1"][0] == 10**12 >> 16 & 0xFFFF
    sums = traces[1][place_of(FORMS[1], "running")]
    assert sums[-1] == PUBLICS["sum"]
    times = traces[0][place_of(FORMS[0], "times")]
    assert times[:4] == [1, 2, 1, 1]


@pytest.mark.parametrize("table", [0, 1, 2], ids=["squares", "sums", "division"])
def test_every_cell_is_bound(traces: list[Trace], table: int) -> None:
    """No cell can be changed alone, padding and last row included."""
    trace = traces[table]
    for number in range(len(trace)):
        for row in range(len(trace[number])):
            kept = trace[number][row]
            trace[number][row] = (kept + 1) % P
            found = check(FORMS[:3], traces[:3], PUBLICS)
            name = FORMS[table].columns[number].name
            assert any(not is_range(failure) for failure in found) or in_range_only(
                FORMS, traces, kept
            ), f"{name}, row {row}"
            trace[number][row] = kept


def is_range(failure: object) -> bool:
    """A lookup that is unanswered only because the range table was left out."""
    return isinstance(failure, BusFailure) and failure.bus == "range16"


def in_range_only(forms: list[TableForm], traces: list[Trace], kept: int) -> bool:
    """The whole check, for a cell that only range lookups bind."""
    return check(forms, traces, PUBLICS) != []


def test_failure_names_row_label_and_values(traces: list[Trace]) -> None:
    square = place_of(FORMS[0], "square")
    traces[0][square][1] += 1
    failures = check_rules(FORMS[0], traces[0])
    assert failures == [RuleFailure("squares", 1, "squares/square", {"value": 3, "square": 10})]


def test_unmatched_message_is_reported(traces: list[Trace]) -> None:
    traces[0][place_of(FORMS[0], "times")][1] = 5
    assert BusFailure("square", (3, 9), 2, 5) in check(FORMS, traces, PUBLICS)


def test_value_beyond_its_bits_is_found() -> None:
    """2^31 in a column of 31 bits: no choice of its limb passes."""
    form = FORMS[0]
    traces = [fill(form, {"value": [2**31]}, 0), fill(FORMS[3], {}, LOG_ROWS)]
    for limb, refused in ((0, 2**31), (2**15, 2**16)):
        traces[0][place_of(form, "value_limb_1")] = [limb]
        count_lookups([form, FORMS[3]], traces)
        failures = check([form, FORMS[3]], traces)
        assert BusFailure("range16", (refused,), 1, 0) in failures


def test_public_value_is_bound(traces: list[Trace]) -> None:
    failures = check(FORMS, traces, {"sum": PUBLICS["sum"] + 1})
    assert [failure.label for failure in failures if isinstance(failure, RuleFailure)] == [
        "sums/published"
    ]


class Loose(Table):
    """A hint that nothing pins down."""

    name = "loose"
    value = column()
    hint = inverse(value)

    @rule()
    def anything(self) -> Expression:
        """Reads the value only."""
        return self.value * 0


class Steep(Table):
    """A rule of too high a degree."""

    name = "steep"
    value = column()

    @rule()
    def tenth(self) -> Expression:
        """Degree 10."""
        return self.value**10


class Foreign(Table):
    """A rule on another table's column."""

    name = "foreign"
    value = column()

    @rule()
    def other(self) -> Expression:
        """Reads `Squares`."""
        return self.value - Squares.value


@pytest.mark.parametrize(
    "table, message",
    [
        (Loose, "no rule or message reads column 'hint'"),
        (Steep, "degree 10, max 9"),
        (Foreign, "column 'value' is of another table"),
    ],
)
def test_what_does_not_compile(table: type[Table], message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        compile_table(table())


def test_bus_fields_are_typed() -> None:
    with pytest.raises(ValueError, match="bus square: fields"):
        send(SQUARE, value=1)
    with pytest.raises(ValueError, match=r"field value is .* below 2\^31 expected"):
        send(SQUARE, value=column(32), square=0)
    with pytest.raises(ValueError, match="a sender's count"):
        send(SQUARE, column(), value=0, square=0)


def test_shape_of_what_is_filled_in() -> None:
    with pytest.raises(CircuitError, match="columns given"):
        fill(FORMS[0], {}, 3)
    with pytest.raises(CircuitError, match="rows given"):
        fill(FORMS[0], {"value": [0] * 9}, 3)
    with pytest.raises(CircuitError, match="log_rows = 27"):
        fill(FORMS[0], {"value": []}, 27)


def test_select_takes_one_of_two() -> None:
    chosen = select(flag(), column(8), 300)
    assert chosen.interval is not None
    assert chosen.degree == 2
