"""Constant tables: pinned digests, counted cells, every lookup, and every way to change a cell."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from novate.circuit.buses import Interaction, send
from novate.circuit.checker import BusFailure, broken, check
from novate.circuit.columns import Column, Columns, Origin, Source, column, flag
from novate.circuit.expressions import P
from novate.circuit.form import compile_table
from novate.circuit.relation import Relation, compile_relation
from novate.circuit.tables import Table
from novate.circuit.witness import Trace, count_lookups, messages
from novate.circuit.witness import fill as run
from novate.proof.profiles import Profile
from novate.proof.prover import Prover
from novate.spec import between_nodes_table, margin, pricing, pricing_tables, smile
from novate.spec.bounds import DAY_S
from novate.spec.crypto.sponge import hash_elements
from novate.spec.rounding import PPM, div_down
from novate.tables.constants import (
    LAW_CONTENTS,
    LOGARITHM,
    NORMAL_TAIL,
    SAG,
    SLOTS,
    VOL_SHOCK,
    Content,
    constant_table,
    fill,
)
from novate.tables.poseidon2 import Poseidon2Width12

SMALL = Content("small", {"left": 8, "right": 16}, ((1, 2), (3, 4), (5, 6), (7, 8), (9, 65_535)))
"""Three rows; the last one has one entry."""
POSEIDON_COLUMNS = 132


def asker(content: Content) -> Table:
    """A table that looks entries up, a row each."""
    names = content.fields

    class Asker(Table):
        """One row a question."""

        name = "asker"
        active = flag()
        place = column()
        values = Columns(Column(Source(Origin.PRIMARY), bits, False) for bits in names.values())

        def messages(self) -> list[Interaction]:
            """Asks."""
            entry = dict(zip(names, self.values, strict=True))
            return [send(content.bus, self.active, place=self.place, **entry)]

    return Asker()


def relation_of(content: Content) -> Relation:
    """The table, what hashes it and what asks it."""
    return compile_relation([constant_table(content), Poseidon2Width12(), asker(content)])


def heights_of(content: Content) -> dict[str, int]:
    """Of the tables of `relation_of`."""
    return {content.name: content.log_rows, "poseidon2_12": max(6, content.log_rows), "asker": 6}


def primary_of(
    content: Content, questions: list[int], held: Content | None = None
) -> dict[str, dict[str, list[int]]]:
    """Primary columns, the table filled as if it held `held`; questions go by the content."""
    columns, states = fill(held or content)
    entries = [content.slots()[place] for place in questions]
    asked = {"active": [1] * len(questions), "place": questions}
    for number in range(len(content.fields)):
        asked[f"values_{number}"] = [entry[number] for entry in entries]
    permuted = {f"state_{k}": [state[k] for state in states] for k in range(12)}
    return {content.name: columns, "poseidon2_12": permuted, "asker": asked}


def traces_of(content: Content, primary: dict[str, dict[str, list[int]]]) -> list[Trace]:
    """The traces of `relation_of`, lookups counted."""
    forms, heights = relation_of(content).forms, heights_of(content)
    traces = [run(form, primary[form.name], heights[form.name]) for form in forms]
    count_lookups(forms, traces)
    return traces


# What the tables hold


def test_contents_are_the_laws() -> None:
    """Every number of both modules is an entry, or a scalar that rules name."""
    held = {value for content in LAW_CONTENTS for entry in content.entries for value in entry}
    share, fall = SAG.entries[-1]
    held.add(share - fall)
    scalars = {"LN2", "SAG_TAIL", "STEP_BITS"}
    for module in (pricing_tables, between_nodes_table):
        for name, values in vars(module).items():
            if name.isupper() and name not in scalars:
                assert held.issuperset(values), name
    for content in LAW_CONTENTS:
        limits = [1 << bits for bits in content.fields.values()]
        for entry in content.entries:
            assert all(0 <= v < limit for v, limit in zip(entry, limits, strict=True))


def test_entries_say_what_the_law_computes() -> None:
    """The law's functions, from the entries of a place alone."""
    random = Random(1)
    for _ in range(300):
        deviate = random.randrange(pricing.TAIL_END)
        base, slope, bend = NORMAL_TAIL.entries[deviate >> 16]
        part = deviate & 0xFFFF
        tail = base - ((slope - (bend * part >> 16)) * part >> 16)
        assert (tail + 8) >> 4 == pricing.upper_tail(deviate)
        mantissa = random.randrange(1 << 30, 1 << 31)
        base, slope, bend = LOGARITHM.entries[(mantissa >> 22) - 256]
        part = mantissa & 0x3FFFFF
        log = base + ((slope - (bend * part >> 22)) * part >> 22)
        assert 30 * pricing_tables.LN2 + log == pricing.logarithm(mantissa)
        deviation, step = random.randrange(2 << 24), 24 - between_nodes_table.STEP_BITS
        share, fall = SAG.entries[deviation >> step]
        rest = deviation & (1 << step) - 1
        assert share - (fall * rest >> step) == margin.sag_share(deviation)
        seconds = random.randrange(DAY_S, DAY_S << 11)
        index = min(div_down(seconds, DAY_S).bit_length() - 1, 10)
        multiplier, fall = VOL_SHOCK.entries[index]
        past = min(seconds, DAY_S << 10) - (DAY_S << index)
        table = pricing_tables.VOL_SHOCK_TERM_PPM
        moved = multiplier + -fall * past // (DAY_S << index)
        assert moved == smile.term_multiplier_ppm(seconds, table)
    assert smile.shocked_vol(PPM, PPM, DAY_S, table, 0, 2**23) == PPM + VOL_SHOCK.entries[0][0]


PINNED = {
    "normal_tail": (
        (4847463012165337907, 10124176208742478410, 7300270846008120475, 7283712237907825038),
        (896, 15 << 10),
    ),
    "logarithm": (
        (14178132726933618407, 11755266101903389760, 16810770268525660037, 11387049931260118151),
        (128, 15 << 7),
    ),
    "sag_share": (
        (7495873996617269589, 13467758841377138976, 7820949641476537126, 2655904002612540515),
        (32, 13 << 6),
    ),
    "vol_shock": (
        (6061173348963714160, 12837120738721239988, 7109780279083739453, 2399428762819126242),
        (6, 13 << 6),
    ),
}
"""Digest, permutations and cells of each content."""


@pytest.mark.parametrize("content", LAW_CONTENTS, ids=lambda content: content.name)
def test_digest_and_cells_are_pinned(content: Content) -> None:
    """A changed constant changes the digest, and with it the relation."""
    digest, counts = PINNED[content.name]
    assert content.digest() == hash_elements("const", content.elements()) == digest
    form = compile_table(constant_table(content))
    assert (content.rows, len(form.columns) << content.log_rows) == counts


def test_all_constants_once_a_batch() -> None:
    """1,062 permutations of 132 columns and the tables themselves."""
    permutations = sum(content.rows for content in LAW_CONTENTS)
    cells = sum(
        len(compile_table(constant_table(content)).columns) << content.log_rows
        for content in LAW_CONTENTS
    )
    assert (permutations, cells) == (1_062, 18_944)
    assert permutations * POSEIDON_COLUMNS + cells == 159_128


def test_too_wide_content_is_refused() -> None:
    wide = Content("wide", dict.fromkeys("abcde", 8), ((1, 2, 3, 4, 5),))
    with pytest.raises(ValueError, match="content wide: 5 fields, at most 4"):
        constant_table(wide)


# Lookups


@pytest.mark.parametrize("content", [SMALL, VOL_SHOCK, SAG], ids=lambda content: content.name)
def test_every_entry_can_be_looked_up(content: Content) -> None:
    questions = [*range(len(content.entries))][:63] + [0]
    assert (
        check(relation_of(content).forms, traces_of(content, primary_of(content, questions))) == []
    )


def test_no_entry_after_the_last_one() -> None:
    """The free slot of the last row holds zeros, and is not offered."""
    traces = traces_of(SMALL, primary_of(SMALL, [5]))
    failures = check(relation_of(SMALL).forms, traces)
    assert failures == [BusFailure("small", (5, 0, 0), 1, 0)]


def test_law_contents_are_proved() -> None:
    """The largest content through the native prover, asked at its borders."""
    relation, heights = relation_of(NORMAL_TAIL), heights_of(NORMAL_TAIL)
    prover = Prover(relation, Profile("constants", heights, (6, 4, 4)))
    primary = primary_of(NORMAL_TAIL, [0, 1, 1_791, 0])
    prover.verify(prover.prove(prover.fill(primary, {}), {}), {})


# Tampering


@pytest.mark.parametrize("content", [SMALL, VOL_SHOCK], ids=lambda content: content.name)
def test_every_changed_cell_is_caught(content: Content) -> None:
    """First, interior, last active, padding and last row: a rule breaks, or a message is changed
    that no other table takes. Padding rows say nothing of entries, capacity and lookups."""
    form = relation_of(content).forms[0]
    trace = traces_of(content, primary_of(content, [0, len(content.entries) - 1]))[0]
    told = Counter(dict_of(messages(form, trace)))
    rows = (0, 1, content.rows - 1, content.rows, (1 << content.log_rows) - 1)
    idle = set()
    for number, found in enumerate(form.columns):
        for row in rows:
            trace[number][row] = (trace[number][row] + 1) % P
            caught = broken(form, trace) or Counter(dict_of(messages(form, trace))) != told
            if not caught:
                idle.add((found.name, row))
            trace[number][row] = (trace[number][row] - 1) % P
    quiet = [c.name for c in form.columns if c.name not in ("goes_on", "ends", "index")]
    padding = {(name, row) for name in quiet for row in rows[3:]}
    last_slots = len(content.entries) - SLOTS * (content.rows - 1)
    unused = {(f"times_{slot}", content.rows - 1) for slot in range(last_slots, SLOTS)}
    assert idle == padding | unused


def test_every_rule_can_break() -> None:
    """Each label is tripped by some changed cell."""
    form = relation_of(SMALL).forms[0]
    trace = traces_of(SMALL, primary_of(SMALL, [0]))[0]
    tripped = set()
    for cells in trace:
        for row in (0, 1, SMALL.rows - 1, len(cells) - 1):
            kept = cells[row]
            for value in (kept + 1, 1 - kept, 2):
                cells[row] = value % P
                tripped |= {rule.label for rule, _ in broken(form, trace)}
            cells[row] = kept
    assert tripped == {rule.label for rule in form.rules}


def dict_of(told: list[tuple[tuple[str, tuple[int, ...]], int]]) -> dict[tuple[object, ...], int]:
    """Messages with their counts, added up."""
    found: Counter[tuple[object, ...]] = Counter()
    for message, count in told:
        found[message] += count
    return found


@pytest.mark.parametrize("content", LAW_CONTENTS, ids=lambda content: content.name)
def test_changed_content_hashed_honestly_is_caught(content: Content) -> None:
    """Another content with its own true hash chain: its digest is not the relation's."""
    random = Random(content.name)
    row, field = random.randrange(len(content.entries)), random.randrange(len(content.fields))
    entries = [list(entry) for entry in content.entries]
    entries[row][field] ^= 1
    changed = content._replace(entries=tuple(tuple(entry) for entry in entries))
    traces = traces_of(content, primary_of(content, [0 if row else 1], changed))
    (failure, *others) = check(relation_of(content).forms, traces)
    assert isinstance(failure, BusFailure)
    assert (failure.bus, others) == ("squeeze", [])


def test_shorter_and_longer_content_is_caught() -> None:
    """A row left out, or one after the last."""
    for held in (SMALL.entries[:-1], (*SMALL.entries, (1, 1), (2, 2))):
        changed = SMALL._replace(entries=held)
        traces = traces_of(SMALL, primary_of(SMALL, [0], changed))
        labels = [f.label for f in check(relation_of(SMALL).forms, traces) if hasattr(f, "label")]
        assert "small/ends_after_all" in labels
