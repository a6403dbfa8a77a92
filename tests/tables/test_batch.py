"""The public values of a batch: their order, their ranges, their buses, and a whole proof."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

from novate.circuit.buses import BusField, Interaction, receive, send
from novate.circuit.checker import BusFailure, RuleFailure, broken, check
from novate.circuit.columns import Column, Columns, Origin, Source, columns, flag
from novate.circuit.expressions import Expression, P
from novate.circuit.form import compile_table
from novate.circuit.relation import compile_relation
from novate.circuit.tables import Table
from novate.circuit.witness import Trace, count_lookups, fill, messages
from novate.native import NativePrimitives
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover
from novate.proof.verify import Refused, read_key, verify
from novate.spec.errors import DecodeError
from novate.spec.messages.domain import Domain
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES
from novate.spec.public_data.header import DataForm, Header, encode_header
from novate.spec.public_data.opening import (
    DATA_TAG,
    Carrier,
    Opening,
    Part,
    data_elements,
    open_data,
)
from novate.tables import constants
from novate.tables.batch import (
    BATCH,
    DATA,
    DIGESTS,
    OPENING,
    POINT,
    POLYNOMIALS,
    SCALAR_LIMBS,
    SCALARS,
    VENUE,
    Batch,
    Openings,
    Statement,
    fill_openings,
    public_names,
    public_values,
)
from novate.tables.constants import LAW_CONTENTS, constant_table
from novate.tables.poseidon2 import Poseidon2Width12
from novate.tables.range16 import LOG_ROWS, Range16
from novate.tables.sponge import blocks_of, hash_messages, sponge_rows

PARTS = (
    Part(Carrier.CALLDATA, bytes(range(1, 41))),
    Part(Carrier.CALLDATA, b""),
    Part(Carrier.CALLDATA, b"paid"),
)
"""The data of a batch in two polynomials, and the contract's part."""
DATA_POLYNOMIALS = 2
DATA_ELEMENTS = 1 + (2 + 2 * 5) + 2 + (2 + 5)
"""Number of polynomials; of each its carrier, length, and coefficients of five limbs."""


def unchecked(bits: int | None) -> Column:
    """A column that a lookup bounds."""
    return Column(Source(Origin.PRIMARY), bits, False)


def named_column(prefix: str, field: BusField) -> Column:
    """A column for a field."""
    made = unchecked(field.bits)
    made.name = f"{prefix}_{field.name}"
    return made


class Law(Table):
    """Stands for the tables of the law: claims a header, hashes the data, reads z and venue."""

    name = "law"
    active = flag()
    header = Columns(unchecked(field.bits) for field in BATCH.fields)
    elements = columns(DATA_ELEMENTS)
    capacity = columns(4 * (blocks_of(DATA_ELEMENTS) - 1))
    digest = columns(4)
    counts = columns(2)
    point = Columns(unchecked(field.bits) for field in POINT.fields)
    venue = Columns(unchecked(field.bits) for field in VENUE.fields)

    def messages(self) -> list[Interaction]:
        """Everything once."""
        data = [*self.digest, *self.counts]
        return [
            *hash_messages(self.active, DATA_TAG, self.elements, self.capacity, self.digest),
            *(
                send(bus, self.active, **as_fields(bus, values))
                for bus, values in (
                    (BATCH, self.header),
                    (DATA, data),
                    (POINT, self.point),
                    (VENUE, self.venue),
                )
            ),
        ]


class Evaluation(Table):
    """Stands for what evaluates: takes each opening once, and looks up one of all constants."""

    name = "evaluation"
    active = flag()
    opening = Columns(unchecked(field.bits) for field in OPENING.fields)
    entries = tuple(
        Columns(named_column(content.name, field) for field in content.bus.fields)
        for content in LAW_CONTENTS
    )
    normal_tail, logarithm, sag_share, vol_shock = entries

    def messages(self) -> list[Interaction]:
        """One opening, one entry of each content."""
        looked_up = zip((content.bus for content in LAW_CONTENTS), self.entries, strict=True)
        return [
            receive(OPENING, self.active, **as_fields(OPENING, self.opening)),
            *(send(bus, self.active, **as_fields(bus, entry)) for bus, entry in looked_up),
        ]


def as_fields(bus: Any, values: Any) -> dict[str, Expression | int]:
    """Values under the names of a bus's fields."""
    return {field.name: value for field, value in zip(bus.fields, values, strict=True)}


RELATION = compile_relation(
    [
        Range16(),
        Poseidon2Width12(),
        *map(constant_table, LAW_CONTENTS),
        Batch(),
        Openings(),
        Law(),
        Evaluation(),
    ]
)
FORMS = {form.name: form for form in RELATION.forms}
PROFILE = Profile(
    "batch",
    {
        "range16": LOG_ROWS,
        "poseidon2_12": 11,
        **{content.name: content.log_rows for content in LAW_CONTENTS},
        **dict.fromkeys(("batch", "openings", "law", "evaluation"), 6),
    },
    (6, 4, 4),
)


def statement_of(seed: int) -> Statement:
    """A header with every field large, and the opening of `PARTS`."""
    random = Random(seed)
    digests = [tuple(random.randrange(P) for _ in range(4)) for _ in DIGESTS]
    header = encode_header(
        Header(
            version=1,
            form=DataForm.DIFF,
            reset_slots=True,
            number=2**32 - 1 - seed,
            time=2**32 - 2,
            fork=random.getrandbits(32),
            venue_epoch=random.getrandbits(32),
            inbox_before=2**62 + random.getrandbits(62),
            inbox_after=2**63 - 1,
            **dict(zip(DIGESTS, digests, strict=True)),  # type: ignore[arg-type]
        )
    )
    return Statement(
        header=header,
        opening=open_data(header, PARTS, [], NativePrimitives()),
        polynomials=[(part.carrier, len(part.data)) for part in PARTS],
        data_polynomials=DATA_POLYNOMIALS,
        payee=random.getrandbits(160),
        chain_id=2**63 - 1,
        settlement_contract=2**160 - 1,
    )


def primary_of(statement: Statement) -> dict[str, dict[str, list[int]]]:
    """Primary columns of all tables."""
    stated = public_values(statement)
    states, capacities = sponge_rows(DATA_TAG, data_elements(PARTS))
    found: dict[str, dict[str, list[int]]] = {"range16": {}, "batch": {}}
    for content in LAW_CONTENTS:
        found[content.name], permuted = constants.fill(content)
        states += permuted
    header = [stated[field.name] for field in BATCH.fields]
    venue = [stated[field.name] for field in VENUE.fields]
    law = {
        "header": header,
        "elements": data_elements(PARTS),
        "capacity": capacities,
        "digest": list(statement.opening.digest),
        "counts": [len(PARTS), DATA_POLYNOMIALS],
        "point": [stated[f"point_{k}"] for k in range(SCALAR_LIMBS)],
        "venue": venue,
    }
    found["law"] = {"active": [1]}
    for name, values in law.items():
        found["law"] |= {f"{name}_{place}": [value] for place, value in enumerate(values)}
    rows = [
        [
            place,
            int(place < DATA_POLYNOMIALS),
            int(part.carrier),
            len(part.data),
            *(stated[f"value_{place}_{k}"] for k in range(SCALAR_LIMBS)),
        ]
        for place, part in enumerate(PARTS)
    ]
    found["evaluation"] = {"active": [1] * len(PARTS)}
    for place, values in enumerate(zip(*rows, strict=True)):
        found["evaluation"][f"opening_{place}"] = list(values)
    for content in LAW_CONTENTS:
        asked = range(len(content.entries) - len(PARTS), len(content.entries))
        names = [f"{content.name}_{field.name}" for field in content.bus.fields]
        listed = zip(*((place, *content.entries[place]) for place in asked), strict=True)
        found["evaluation"] |= {n: list(v) for n, v in zip(names, listed, strict=True)}
    found["openings"] = fill_openings(statement)
    found["poseidon2_12"] = {f"state_{k}": [state[k] for state in states] for k in range(12)}
    return found


@pytest.fixture(name="prover", scope="module")
def _prover() -> Prover:
    return Prover(RELATION, PROFILE)


@pytest.fixture(name="statement", scope="module")
def _statement() -> Statement:
    return statement_of(1)


# Public values


def test_one_order_of_names(statement: Statement) -> None:
    """Of the relation, of the function and of the list that the contract's adapter follows."""
    names = public_names()
    assert FORMS["batch"].publics == names == tuple(public_values(statement))
    assert len(names) == 35 + 16 + 18 * POLYNOMIALS + 7
    assert [form.name for form in RELATION.forms if form.publics] == ["batch"]


def test_values_say_the_header_again(statement: Statement) -> None:
    """The 195 bytes, written again from the public values alone."""
    values = public_values(statement)
    widths = {"number": 4, "time": 4, "fork": 4, "venue_epoch": 4, "form": 1, "reset_slots": 1}
    data = bytes([values["version"]])
    for name in SCALARS:
        data += values[name].to_bytes(widths.get(name, 8), "big")
    for name in DIGESTS:
        data += b"".join(values[f"{name}_{k}"].to_bytes(8, "little") for k in range(4))
    assert data == statement.header


def test_values_say_the_opening_and_the_addresses(statement: Statement) -> None:
    values = public_values(statement)
    opening = statement.opening
    assert number(values, "point") == opening.point
    for place, part in enumerate(PARTS):
        assert number(values, f"value_{place}") == opening.values[place]
        assert values[f"carrier_{place}"] == part.carrier
        assert values[f"length_{place}"] == len(part.data)
    unused = [k for k in values if k.split("_")[0] in ("carrier", "length", "value")]
    assert not any(values[name] for name in unused if int(name.split("_")[1]) >= len(PARTS))
    assert [values["polynomials"], values["data_polynomials"]] == [3, 2]
    assert [values[f"data_digest_{k}"] for k in range(4)] == list(opening.digest)
    domain = Domain(statement.chain_id, statement.settlement_contract, 1, 2, 3).elements(0)
    assert [values["chain_id"], *(values[f"contract_{k}"] for k in range(3))] == list(domain[:4])
    payee = [values[f"payee_{k}"] << 56 * k for k in range(3)]
    assert sum(payee) == statement.payee


def number(values: dict[str, int], prefix: str) -> int:
    """The number in the limbs `prefix_0` to `prefix_15`."""
    return sum(values[f"{prefix}_{k}"] << 16 * k for k in range(SCALAR_LIMBS))


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("payee", 2**160, "payee = "),
        ("settlement_contract", -1, "settlement_contract = -1"),
        ("chain_id", 2**63, "chain_id = "),
        ("data_polynomials", 4, "data_polynomials = 4, at least 0 and below 4"),
        ("opening", Opening((0, 0, 0, 0), MODULUS, (0, 0, 0)), "point = "),
        ("opening", Opening((0, 0, 0, 0), 0, (0, 0, MODULUS)), "value = "),
        ("opening", Opening((0, 0, 0, P), 0, (0, 0, 0)), f"data_digest = {P}"),
        ("opening", Opening((0, 0, 0, 0), 0, (0, 0)), "polynomials: 3 carriers"),
        ("polynomials", [(0, POLYNOMIAL_BYTES + 1)] * 3, "length = 126977"),
    ],
)
def test_what_is_out_of_range_is_refused(
    statement: Statement, field: str, value: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        public_values(statement._replace(**{field: value}))


def test_too_many_polynomials_and_wrong_headers_are_refused(statement: Statement) -> None:
    with pytest.raises(ValueError, match="polynomials = 3, at least 0 and below 3"):
        public_values(statement, slots=2)
    with pytest.raises(DecodeError):
        public_values(statement._replace(header=b"\2" + statement.header[1:]))


# Cells and proofs


def test_columns_are_counted() -> None:
    """High limbs of the header's and the addresses' values; z and y have no more columns than y."""
    counts = {name: (len(f.columns), len(f.interactions)) for name, f in FORMS.items()}
    assert counts["batch"] == (31, 78)
    assert counts["openings"] == (25, 22)
    fewer = compile_table(Batch(polynomials=1))
    assert (len(fewer.columns), len(fewer.interactions)) == (31, 71)


def test_statement_is_proved_and_bound(prover: Prover, statement: Statement) -> None:
    """Library and readable verifier accept; with any public value changed neither does."""
    publics = public_values(statement)
    proof = prover.prove(prover.fill(primary_of(statement), publics), publics)
    prover.verify(proof, publics)
    key = read_key(prover.key())
    verify(key, rows_of(publics), proof)
    for name in public_names():
        wrong = publics | {name: (publics[name] + 1) % P}
        with pytest.raises(ProofError, match="rejected"):
            prover.verify(proof, wrong)
    with pytest.raises(Refused):
        verify(key, rows_of(publics | {"payee_0": publics["payee_0"] ^ 1}), proof)


def rows_of(publics: dict[str, int]) -> list[list[int]]:
    """Public values by table."""
    return [[publics[name] for name in form.publics] for form in RELATION.forms]


def traces_of(
    statement: Statement, publics: dict[str, int], primary: dict[str, dict[str, list[int]]]
) -> dict[str, Trace]:
    """Small tables only, lookups counted among them."""
    names = ("range16", "batch", "openings")
    forms = [FORMS[name] for name in names]
    traces = [
        fill(form, primary[form.name], PROFILE.log_rows[form.name], publics) for form in forms
    ]
    count_lookups(forms, traces, publics)
    return dict(zip(names, traces, strict=True))


def failing(publics: dict[str, int], traces: dict[str, Trace]) -> tuple[set[str], set[str]]:
    """Labels of broken rules, and buses that do not balance among `traces`."""
    found = check([FORMS[name] for name in traces], list(traces.values()), publics)
    rules = {failure.label for failure in found if isinstance(failure, RuleFailure)}
    return rules, {failure.bus for failure in found if isinstance(failure, BusFailure)}


ANSWERED = {"batch", "data", "opening"}
"""Buses whose other end is not among the small tables."""


def test_only_the_other_tables_are_missing(statement: Statement) -> None:
    publics = public_values(statement)
    traces = traces_of(statement, publics, primary_of(statement))
    assert failing(publics, traces) == (set(), ANSWERED)


WIDTHS = {
    **{name: bits for name, bits in SCALARS.items() if bits > 1},
    "payee_0": 56,
    "payee_1": 56,
    "payee_2": 48,
    "chain_id": 63,
    "contract_0": 56,
    "contract_1": 56,
    "contract_2": 48,
    "point_0": 16,
    "point_15": 16,
}


@pytest.mark.parametrize("name", WIDTHS)
def test_public_values_are_within_their_widths(statement: Statement, name: str) -> None:
    """The largest is accepted; one more is not, with the honest limbs or the largest ones."""
    form, limit = FORMS["batch"], 1 << WIDTHS[name]
    largest = public_values(statement) | {name: limit - 1}
    assert max(looked_up(fill(form, {}, 6, largest), largest)) < 1 << 16
    over = largest | {name: limit}
    trace = fill(form, {}, 6, over)
    assert max(looked_up(trace, over)) >= 1 << 16
    for number, found in enumerate(form.columns):
        if found.name.startswith(f"{name}_limb"):
            trace[number] = [(1 << found.bits) - 1] * len(trace[number])
    assert max(looked_up(trace, over)) >= 1 << 16


def looked_up(trace: Trace, publics: dict[str, int]) -> set[int]:
    """Values that `batch` asks the range table for: the honest table has none from 2^16 on."""
    told = messages(FORMS["batch"], trace, publics)
    return {fields[0] for (bus, fields), _ in told if bus == "range16"}


@pytest.mark.parametrize("name", ["version", "form", "reset_slots"])
def test_version_and_bits_have_rules(statement: Statement, name: str) -> None:
    publics = public_values(statement) | {name: 2}
    label = {"version": "batch/version", "form": "batch/bits_0"}.get(name, "batch/bits_1")
    trace = fill(FORMS["batch"], {}, 6, publics)
    assert [rule.label for rule, _ in broken(FORMS["batch"], trace, publics)] == [label]


# Tampering


@pytest.mark.parametrize("name", ["batch", "openings"])
def test_every_changed_cell_is_caught(statement: Statement, name: str) -> None:
    """First, interior, last used, padding and last row: a rule breaks, or a message changes that
    the others do not answer. Counts of lookups below the only row of `batch` say nothing."""
    publics, form = public_values(statement), FORMS[name]
    trace = fill(form, primary_of(statement)[name], 6, publics)
    told = added(form.name, trace, publics)
    last = len(PARTS) - 1
    rows = {"batch": (0, 1, 63), "openings": (0, 1, last, last + 1, POLYNOMIALS, 63)}[name]
    idle = set()
    for number, found in enumerate(form.columns):
        for row in rows:
            trace[number][row] = (trace[number][row] + 1) % P
            if not broken(form, trace, publics) and added(name, trace, publics) == told:
                idle.add((found.name, row))
            trace[number][row] = (trace[number][row] - 1) % P
    times = {"batch": ("point_times", "venue_times"), "openings": ()}[name]
    assert idle == {(count, row) for count in times for row in rows[1:]}


def test_every_rule_of_openings_can_break(statement: Statement) -> None:
    """Each label is tripped by some changed cell; those of `batch` by public values, above."""
    publics, form = public_values(statement), FORMS["openings"]
    trace = fill(form, fill_openings(statement), 6, publics)
    tripped = set()
    for column in trace:
        for row in (0, DATA_POLYNOMIALS, len(PARTS), 63):
            kept = column[row]
            for value in (kept + 1, 1 - kept, 2):
                column[row] = value % P
                tripped |= {rule.label for rule, _ in broken(form, trace, publics)}
            column[row] = kept
    assert tripped == {rule.label for rule in form.rules}
    labels = {"batch/version", "batch/bits_0", "batch/bits_1"}
    assert {rule.label for rule in FORMS["batch"].rules} == labels


def added(name: str, trace: Trace, publics: dict[str, int]) -> Counter[tuple[Any, ...]]:
    """A table's messages with their counts added up."""
    found: Counter[tuple[Any, ...]] = Counter()
    for message, count in messages(FORMS[name], trace, publics):
        found[message] += count
    return found


def test_a_polynomial_cannot_be_hidden(statement: Statement) -> None:
    """Used slots that a prover says are unused, or data that it says are the contract's part."""
    publics, primary = public_values(statement), primary_of(statement)
    hidden = primary | {"openings": {k: list(v) for k, v in primary["openings"].items()}}
    hidden["openings"]["used"][2] = 0
    rules, buses = failing(publics, traces_of(statement, publics, hidden))
    assert "counted" in buses
    assert any(label.startswith("openings/unused_is_zero") for label in rules)
    moved = primary | {"openings": {k: list(v) for k, v in primary["openings"].items()}}
    moved["openings"]["is_data"][1] = 0
    assert "counted" in failing(publics, traces_of(statement, publics, moved))[1]
    moved["openings"]["is_data"][2] = 1
    assert (
        "openings/first_ones_first_1" in failing(publics, traces_of(statement, publics, moved))[0]
    )
