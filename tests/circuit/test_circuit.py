"""The table language on small tables: what compiles, what a trace is, what the checker finds."""

from __future__ import annotations

import pytest

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.checker import BusFailure, RuleFailure, check, check_rules
from novate.circuit.columns import (
    bits_of,
    column,
    derived,
    flag,
    inverse,
    multiplicity,
    quotient,
    remainder,
    scan,
)
from novate.circuit.expressions import LAST, Expression, P, Public, select, total
from novate.circuit.form import CircuitError, TableForm, compile_table
from novate.circuit.tables import Table, rule
from novate.circuit.witness import Trace, count_lookups, fill
from novate.tables.range16 import LOG_ROWS, Range16

SQUARE = Bus("square", value=31, square=62)


class Squares(Table):
    """One row a number and its square, offered on a bus."""

    name = "squares"
    value = column(31)
    square = derived(value * value)
    times = multiplicity()

    def messages(self) -> list[Interaction]:
        """The pair."""
        return [receive(SQUARE, self.times, value=self.value, square=self.square)]


class Sums(Table):
    """Running sum of squares of the active rows; the last one is public."""

    name = "sums"
    active = flag()
    value = column(31)
    square = column(62)
    added = derived(active * square)
    running = scan(added, lambda above, added=added: above + added.next)

    @rule(on=LAST)
    def published(self) -> Expression:
        """The sum is what the statement says."""
        return self.running - Public("sum")

    def messages(self) -> list[Interaction]:
        """Ask for the square."""
        return [send(SQUARE, self.active, value=self.value, square=self.square)]


class Division(Table):
    """Quotient and remainder, and whether the value is zero."""

    name = "division"
    value = column(40)
    divisor = column(16, padding=1)
    ratio = quotient(value, divisor, 40)
    rest = remainder(value, divisor, 16)
    room = derived(divisor - rest - 1, check_bits=16)
    inverted = inverse(value)
    is_zero = derived(1 - value * inverted)
    low = bits_of(divisor, 16)

    @rule()
    def divides(self) -> Expression:
        """value = ratio · divisor + rest, below 2^57: no wrap."""
        return self.value - self.ratio * self.divisor - self.rest

    @rule()
    def zero_or_inverse(self) -> list[Expression]:
        """Where the flag is set the value and its inverse are 0."""
        return [self.value * self.is_zero, self.inverted * self.is_zero]

    @rule()
    def low_bits(self) -> Expression:
        """The bits are the divisor's."""
        return self.divisor - total([bit * (1 << k) for k, bit in enumerate(self.low)])


FORMS = [compile_table(table()) for table in (Squares, Sums, Division, Range16)]
VALUES = [3, 2**31 - 1, 3, 0, 77_777]
PUBLICS = {"sum": sum(value * value for value in VALUES) % P}


@pytest.fixture(name="traces")
def _traces() -> list[Trace]:
    """Valid traces of all four tables."""
    primaries = [
        {"value": sorted(set(VALUES))},
        {
            "active": [1] * len(VALUES),
            "value": VALUES,
            "square": [value * value for value in VALUES],
        },
        {"value": [10**12, 0, 17], "divisor": [65_535, 7, 17]},
        {},
    ]
    heights = (3, 3, 2, LOG_ROWS)
    traces = [
        fill(form, primary, height, PUBLICS)
        for form, primary, height in zip(FORMS, primaries, heights, strict=True)
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
