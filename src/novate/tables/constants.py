"""The law's constant tables: ordinary columns whose whole content is hashed in the proof.

The digest of the content is a constant of the relation, so the columns can hold nothing else. A row
holds two entries and the block of the sponge that they fill with zeros after them; the capacity
goes on from row to row, and the row that ends gives the digest. Each entry is offered on the
content's bus with its place; a slot after the last entry is not. Nothing is checked to be in range
here: the digest is of values that are.

More entries a row would take fewer permutations (of 132 cells, once a proof) and more columns, each
of which every verification pays for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import (
    Column,
    Columns,
    Origin,
    Source,
    columns,
    flag,
    multiplicity,
    scan,
)
from novate.circuit.expressions import FIRST, LAST, TRANSITION, Expression, lift
from novate.circuit.tables import Table, rule
from novate.spec.between_nodes_table import SAG_SHARE
from novate.spec.crypto.sponge import hash_elements, tag_element
from novate.spec.pricing_tables import (
    LOG_BASE,
    LOG_BEND,
    LOG_SLOPE,
    TAIL_BASE,
    TAIL_BEND,
    TAIL_SLOPE,
    VOL_SHOCK_TERM_PPM,
)
from novate.spec.primitives import Digest
from novate.tables.curve import below, named, put
from novate.tables.multiply import put_scalars
from novate.tables.poseidon2 import ABSORB, RATE, SQUEEZE
from novate.tables.sponge import CAPACITY, sponge_rows

CONSTANTS_TAG: Final = "const"
SLOTS: Final = 2
"""Entries of a row."""
FIELDS_MAX: Final = RATE // SLOTS
ROWS_LOG_MIN: Final = 6
"""No table of a profile is lower."""


class Content(NamedTuple):
    """What a constant table holds."""

    name: str
    """Of the table, and of the bus that offers its entries."""
    fields: Mapping[str, int]
    """Name and width in bits of each value of an entry, at most `FIELDS_MAX`."""
    entries: tuple[tuple[int, ...], ...]

    @property
    def rows(self) -> int:
        """Rows that hold entries; a permutation each."""
        return -(-len(self.entries) // SLOTS)

    @property
    def log_rows(self) -> int:
        """The lowest height that holds them."""
        return max(ROWS_LOG_MIN, (self.rows - 1).bit_length())

    @property
    def bus(self) -> Bus:
        """(place, values): entry number `place`, from 0."""
        return Bus(self.name, place=None, **self.fields)

    def slots(self) -> list[tuple[int, ...]]:
        """The entries; of an odd number, one of zeros after the last."""
        zeros = (0,) * len(self.fields)
        return [*self.entries, *[zeros] * (SLOTS * self.rows - len(self.entries))]

    def elements(self) -> list[int]:
        """What is hashed: of each row its entries, and zeros up to a whole block."""
        slots, rest = self.slots(), [0] * (RATE - SLOTS * len(self.fields))
        rows = [slots[SLOTS * row : SLOTS * (row + 1)] for row in range(self.rows)]
        return [element for row in rows for element in [*sum(row, ()), *rest]]

    def digest(self) -> Digest:
        """The law's hash of the elements: the constant of the relation."""
        return hash_elements(CONSTANTS_TAG, self.elements())


def falls(values: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """(value, how far it falls to the next) of a falling table; the last value has no next."""
    return tuple((value, value - after) for value, after in pairwise(values))


NORMAL_TAIL: Final = Content(
    "normal_tail",
    {"base": 36, "slope": 27, "bend": 17},
    tuple(zip(TAIL_BASE, TAIL_SLOPE, TAIL_BEND, strict=True)),
)
"""Segments of 1 − N(d): `pricing.upper_tail`."""
LOGARITHM: Final = Content(
    "logarithm",
    {"base": 40, "slope": 33, "bend": 24},
    tuple(zip(LOG_BASE, LOG_SLOPE, LOG_BEND, strict=True)),
)
"""Segments of ln m: `pricing.logarithm`."""
SAG: Final = Content("sag_share", {"share": 23, "fall": 18}, falls(SAG_SHARE))
"""Between two entries of `margin.sag_share`; from the last one on there is a formula."""
VOL_SHOCK: Final = Content(
    "vol_shock",
    {"multiplier": 22, "fall": 20},
    (*falls(VOL_SHOCK_TERM_PPM), (VOL_SHOCK_TERM_PPM[-1], 0)),
)
"""Between two entries of `smile.term_multiplier_ppm`; flat after the last one."""
LAW_CONTENTS: Final = (NORMAL_TAIL, LOGARITHM, SAG, VOL_SHOCK)
"""Every table of constants that the law looks numbers up in."""


def value_columns(content: Content) -> Columns:
    """`base_0`, `slope_0`, …, `base_1`, …: bounded by the digest, so without range checks."""
    found = []
    for slot in range(SLOTS):
        for field, bits in content.fields.items():
            made = Column(Source(Origin.PRIMARY), bits, checked=False)
            made.name = f"{field}_{slot}"
            found.append(made)
    return Columns(found)


def constant_table(content: Content) -> Table:
    """The table of a content: exactly its entries fit. ValueError for more than `FIELDS_MAX`."""
    if len(content.fields) > FIELDS_MAX:
        fields = len(content.fields)
        raise ValueError(f"content {content.name}: {fields} fields, at most {FIELDS_MAX}")
    digest = [lift(value) for value in content.digest()]
    start = (tag_element(CONSTANTS_TAG), len(content.elements()), 0, 0)

    class ConstantTable(Table):
        """One row two entries and their block of the sponge."""

        name = content.name
        goes_on, ends = flag(), flag()
        index = scan(0, lambda above: above + 1)
        values = value_columns(content)
        capacity = columns(CAPACITY)
        times = Columns(multiplicity() for _ in range(SLOTS))

        @rule(on=FIRST)
        def starts(self) -> list[Expression]:
            """The first row holds entries; the sponge starts with tag and length."""
            begun = [found - value for found, value in zip(self.capacity, start, strict=True)]
            return [self.goes_on + self.ends - 1, *begun]

        @rule(on=TRANSITION)
        def is_one_stretch(self) -> Expression:
            """A row holds entries exactly if the row above goes on: never does one do both."""
            return self.goes_on.next + self.ends.next - self.goes_on

        @rule()
        def ends_after_all(self) -> Expression:
            """In the row of the last entry, and no other."""
            return self.ends * (self.index - (content.rows - 1))

        @rule(on=LAST)
        def has_ended(self) -> Expression:
            """By the last row."""
            return self.goes_on

        def messages(self) -> list[Interaction]:
            """Absorbs the block, the last one for the digest; offers the entries."""
            rest = [lift(0)] * (RATE - len(self.values))
            inputs = named("input", [*self.values, *rest, *self.capacity])
            after = named("capacity", below(self.capacity))
            return [
                send(ABSORB, self.goes_on, **inputs, **after),
                send(SQUEEZE, self.ends, **inputs, **named("digest", digest)),
                *offers(content, (self.goes_on, self.ends), self.index, self.values, self.times),
            ]

    return ConstantTable()


def offers(
    content: Content,
    flags: tuple[Column, Column],
    index: Column,
    values: Sequence[Column],
    times: Sequence[Column],
) -> list[Interaction]:
    """The entries of a row, as often as they are looked up; the last row may have fewer."""
    goes_on, ends = flags
    found = []
    width = len(content.fields)
    left = len(content.entries) - SLOTS * (content.rows - 1)
    for slot, count in enumerate(times):
        held = goes_on + ends if slot < left else lift(goes_on)
        entry = dict(zip(content.fields, values[width * slot : width * (slot + 1)], strict=True))
        found.append(receive(content.bus, held * count, place=index * SLOTS + slot, **entry))
    return found


def fill(content: Content) -> tuple[dict[str, list[int]], list[list[int]]]:
    """Primary columns, the same in every proof, and the states that the sponge permutes."""
    elements, slots = content.elements(), content.slots()
    states, capacities = sponge_rows(CONSTANTS_TAG, elements)
    capacities = [tag_element(CONSTANTS_TAG), len(elements), 0, 0, *capacities]
    names = [column.name for column in value_columns(content)]
    found: dict[str, list[int]] = {}
    for row in range(content.rows):
        last = row + 1 == content.rows
        put_scalars(found, goes_on=not last, ends=last)
        values = [value for entry in slots[SLOTS * row : SLOTS * (row + 1)] for value in entry]
        put_scalars(found, **dict(zip(names, values, strict=True)))
        put(found, "capacity", capacities[CAPACITY * row : CAPACITY * (row + 1)])
    return found, states
