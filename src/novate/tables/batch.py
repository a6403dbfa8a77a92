"""What a proof of the law states to L1: the public values, and the buses that other tables meet.

`batch` is one row, the same at every height: its columns are high limbs of public values. What the
statement *claims* is received exactly once, in the first row, so that some table has to show it:
`BATCH` (header), `DATA` (D and how many polynomials). What it *says* may be looked up any number of
times: `POINT` (z), `VENUE` (chain and contract, the domain of every message). The payee is bound
and read by nobody. `openings` is one row a polynomial and hands each one on exactly once.

Every value is within the width that its field has in the header, or on L1. z and y are sixteen
limbs of 16 bits; that they are below r is the contract's: it draws z modulo r, and y is computed
modulo r or checked by the precompile. Mirrors `spec/public_data/header.py` and `opening.py`, and
`contracts/src/interfaces/IVerifier.sol`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import (
    Column,
    Columns,
    column,
    columns,
    flag,
    limb,
    limbs_below,
    multiplicity,
    scan,
)
from novate.circuit.expressions import FIRST, LAST, TRANSITION, Expression, P, Public, total
from novate.circuit.tables import Table, look_up, rule
from novate.spec.bounds import OWNER_MAX
from novate.spec.messages.domain import VERSION, address_elements
from novate.spec.primitives import Digest
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES
from novate.spec.public_data.header import decode_header
from novate.spec.public_data.opening import Carrier, Opening
from novate.tables.cancel_all import counted
from novate.tables.curve import named, put
from novate.tables.multiply import put_scalars
from novate.tables.poseidon2 import DIGEST

POLYNOMIALS: Final = 8
"""Slots of the statement for polynomials: a batch whose data take more cannot be proved."""
SCALAR_LIMBS: Final = 16
SCALAR_LIMB_BITS: Final = 16
LENGTH_BITS: Final = POLYNOMIAL_BYTES.bit_length()

SCALARS: Final[Mapping[str, int]] = {
    "form": 1,
    "reset_slots": 1,
    "number": 32,
    "time": 32,
    "fork": 32,
    "venue_epoch": 32,
    "inbox_before": 63,
    "inbox_after": 63,
}
"""Fields of the header after the version, and their widths in bits."""
DIGESTS: Final = (
    "parameters",
    "settlement_root_before",
    "root_before",
    "settlement_root_after",
    "root_after",
)
"""Digests of the header, four elements each."""
ADDRESS: Final = (56, 56, 48)
"""Widths of the limbs of an L1 address, lowest first."""
VENUE_FIELDS: Final[Mapping[str, int]] = {
    "chain_id": 63,
    **{f"contract_{place}": bits for place, bits in enumerate(ADDRESS)},
}
PAYEE_FIELDS: Final = {f"payee_{place}": bits for place, bits in enumerate(ADDRESS)}
CHECKED: Final[Mapping[str, int]] = {**SCALARS, **PAYEE_FIELDS, **VENUE_FIELDS}
"""Public values that need range checks; a bit has a rule instead."""

_LIMBS: Final = [f"limb_{place}" for place in range(SCALAR_LIMBS)]
_SCALAR: Final = dict.fromkeys(_LIMBS, SCALAR_LIMB_BITS)
_DIGESTS: Final = [f"{name}_{place}" for name in DIGESTS for place in range(DIGEST)]

BATCH: Final = Bus("batch", **SCALARS, **dict.fromkeys(_DIGESTS))
"""The header: sent once, by what shows that the law carries one state to the other."""
DATA: Final = Bus(
    "data", **{f"digest_{k}": None for k in range(DIGEST)}, polynomials=None, data_polynomials=None
)
"""D: sent once, by what hashes the coefficients of all polynomials."""
POINT: Final = Bus("point", **_SCALAR)
"""z, to be looked up."""
VENUE: Final = Bus("venue", **VENUE_FIELDS)
"""Chain id and settlement contract, to be looked up."""
STATED: Final = Bus("stated", place=None, carrier=None, length=None, **dict.fromkeys(_LIMBS))
"""From `batch` to `openings`: the slot of a polynomial."""
COUNTED: Final = Bus("counted", polynomials=None, data_polynomials=None)
"""From `batch` to `openings`: how many slots are used."""
OPENING: Final = Bus("opening", place=None, is_data=1, carrier=1, length=LENGTH_BITS, **_SCALAR)
"""y of a polynomial: received once, by what evaluates it."""


def public(name: str) -> Public:
    """A public value with the width that `batch` shows it to have."""
    return Public(name, CHECKED.get(name))


def publics(prefix: str, count: int, bits: int | None = None) -> list[Expression]:
    """Public values `prefix_0`, `prefix_1`, …"""
    return [Public(f"{prefix}_{place}", bits) for place in range(count)]


def high_limbs(name: str) -> list[Column]:
    """Limbs of a public value above the lowest, which is what they leave."""
    found = []
    for place, (shift, width) in enumerate(limbs_below(CHECKED[name])):
        if place:
            found.append(limb(public(name), shift, width))
            found[-1].name = f"{name}_limb_{place}"
    return found


HIGH: Final = {name: high_limbs(name) for name, bits in CHECKED.items() if bits > 1}


class Batch(Table):
    """One row, the statement."""

    name = "batch"
    high = Columns(found for limbs in HIGH.values() for found in limbs)
    point_times, venue_times = multiplicity(), multiplicity()

    def __init__(self, polynomials: int = POLYNOMIALS) -> None:
        """Slots for polynomials."""
        self.polynomials = polynomials

    @rule(on=FIRST)
    def version(self) -> Expression:
        """The law has one version."""
        return Public("version") - VERSION

    @rule(on=FIRST)
    def bits(self) -> list[Expression]:
        """The form is `full` or `diff`, slots are reset or not."""
        return [public(name) * (public(name) - 1) for name in ("form", "reset_slots")]

    def messages(self) -> list[Interaction]:
        """Receives what it claims, offers what it says, hands the polynomials on."""
        header = {name: public(name) for name in (*SCALARS, *_DIGESTS)}
        counts = {name: public(name) for name in ("polynomials", "data_polynomials")}
        point = publics("point", SCALAR_LIMBS, SCALAR_LIMB_BITS)
        venue = {name: public(name) for name in VENUE_FIELDS}
        return [
            receive(BATCH, FIRST, **header),
            receive(DATA, FIRST, **named("digest", publics("data_digest", DIGEST)), **counts),
            receive(POINT, FIRST * self.point_times, **named("limb", point)),
            *(self._stated(place) for place in range(self.polynomials)),
            send(COUNTED, FIRST, **counts),
            *self._lowest_limbs(PAYEE_FIELDS),
            receive(VENUE, FIRST * self.venue_times, **venue),
            *self._lowest_limbs(VENUE_FIELDS),
            *self._lowest_limbs(name for name, bits in SCALARS.items() if bits > 1),
            *(look_up(value) for value in point),
        ]

    def _stated(self, place: int) -> Interaction:
        """One slot."""
        value = named("limb", publics(f"value_{place}", SCALAR_LIMBS))
        carrier, length = public(f"carrier_{place}"), public(f"length_{place}")
        return send(STATED, FIRST, place=place, carrier=carrier, length=length, **value)

    def _lowest_limbs(self, names: Iterable[str]) -> list[Interaction]:
        """Looks up what the high limbs leave of each value; those look themselves up."""
        found = []
        for name in names:
            shifts = [shift for shift, _ in limbs_below(CHECKED[name])][1:]
            above = [high * (1 << by) for high, by in zip(HIGH[name], shifts, strict=True)]
            found.append(look_up(public(name) - total(list(above))))
        return found


class Openings(Table):
    """One row a polynomial, those of the data first; then the unused slots, all zeros."""

    name = "openings"
    place = scan(0, lambda above: above + 1)
    stated, used, is_data = flag(), flag(), flag()
    carrier = flag()
    length = column(LENGTH_BITS)
    value = columns(SCALAR_LIMBS, SCALAR_LIMB_BITS)
    """y in limbs, lowest first."""
    polynomials = counted(used)
    data_polynomials = counted(is_data)

    @rule()
    def unused_is_zero(self) -> list[Expression]:
        """A slot that is not used says nothing else."""
        values = (self.is_data, self.carrier, self.length, *self.value)
        return [(1 - self.used) * value for value in values]

    @rule()
    def used_is_stated(self) -> Expression:
        """A polynomial has a slot."""
        return self.used * (1 - self.stated)

    @rule(on=TRANSITION)
    def first_ones_first(self) -> list[Expression]:
        """Used slots from the first on, and those of the data before the contract's part."""
        return [(1 - kind) * kind.next for kind in (self.used, self.is_data)]

    def messages(self) -> list[Interaction]:
        """Takes the slots and their counts; hands each polynomial on."""
        value = named("limb", self.value)
        slot = {"place": self.place, "carrier": self.carrier, "length": self.length}
        counts = {"polynomials": self.polynomials, "data_polynomials": self.data_polynomials}
        return [
            receive(STATED, self.stated, **slot, **value),
            receive(COUNTED, LAST, **counts),
            send(OPENING, self.used, is_data=self.is_data, **slot, **value),
        ]


class Statement(NamedTuple):
    """What L1 passes to its verifier, and where it does so."""

    header: bytes
    opening: Opening
    polynomials: Sequence[tuple[Carrier, int]]
    """Carrier and length in bytes of each polynomial, in the order of the opening's values."""
    data_polynomials: int
    """How many of them are data; the others are the contract's part."""
    payee: int
    """L1 address."""
    chain_id: int
    settlement_contract: int
    """L1 address."""


def public_values(statement: Statement, slots: int = POLYNOMIALS) -> dict[str, int]:
    """All public values by name, in the order of the relation.

    DecodeError for a header that is none, ValueError for another field that is out of range.
    """
    _check_statement(statement, slots)
    opening = statement.opening
    counts = {"polynomials": len(opening.values), "data_polynomials": statement.data_polynomials}
    found = _header_values(statement.header) | _numbered("data_digest", opening.digest) | counts
    found |= _numbered("point", scalar_limbs(opening.point))
    for place in range(slots):
        carrier, length, value = 0, 0, 0
        if place < len(opening.values):
            carrier, length = statement.polynomials[place]
            value = opening.values[place]
        found |= {f"carrier_{place}": int(carrier), f"length_{place}": length}
        found |= _numbered(f"value_{place}", scalar_limbs(value))
    found |= _numbered("payee", address_elements(statement.payee))
    found["chain_id"] = statement.chain_id
    return found | _numbered("contract", address_elements(statement.settlement_contract))


def public_names(slots: int = POLYNOMIALS) -> tuple[str, ...]:
    """Names of the public values in their order, which the contract's adapter keeps."""
    limbs = [f"point_{k}" for k in range(SCALAR_LIMBS)]
    first = ["version", *SCALARS, *_DIGESTS, *(f"data_digest_{k}" for k in range(DIGEST))]
    first += ["polynomials", "data_polynomials", *limbs]
    for place in range(slots):
        first += [f"carrier_{place}", f"length_{place}"]
        first += [f"value_{place}_{k}" for k in range(SCALAR_LIMBS)]
    return (*first, *PAYEE_FIELDS, *VENUE_FIELDS)


def scalar_limbs(value: int) -> list[int]:
    """A number below 2^256 in sixteen limbs, lowest first."""
    mask = (1 << SCALAR_LIMB_BITS) - 1
    return [value >> SCALAR_LIMB_BITS * place & mask for place in range(SCALAR_LIMBS)]


def _header_values(header: bytes) -> dict[str, int]:
    """The header's fields: scalars, then the elements of the digests."""
    fields = decode_header(header)
    found = {name: int(getattr(fields, name)) for name in ("version", *SCALARS)}
    for name in DIGESTS:
        digest: Digest = getattr(fields, name)
        found |= _numbered(name, digest)
    return found


def _numbered(prefix: str, values: Sequence[int]) -> dict[str, int]:
    """Values by `prefix_0`, `prefix_1`, …"""
    return {f"{prefix}_{place}": value for place, value in enumerate(values)}


def _check_statement(statement: Statement, slots: int) -> None:
    """ValueError naming the first field that is out of range; the header has its own codec."""
    opening, count = statement.opening, len(statement.opening.values)
    if len(statement.polynomials) != count:
        listed = len(statement.polynomials)
        raise ValueError(f"polynomials: {listed} carriers and lengths, {count} values")
    limits = [
        ("polynomials", count, slots + 1),
        ("data_polynomials", statement.data_polynomials, count + 1),
        ("point", opening.point, MODULUS),
        *(("value", value, MODULUS) for value in opening.values),
        *(("length", length, POLYNOMIAL_BYTES + 1) for _, length in statement.polynomials),
        ("payee", statement.payee, OWNER_MAX + 1),
        ("chain_id", statement.chain_id, 1 << VENUE_FIELDS["chain_id"]),
        ("settlement_contract", statement.settlement_contract, OWNER_MAX + 1),
        *(("data_digest", element, P) for element in opening.digest),
    ]
    for name, value, limit in limits:
        if not 0 <= value < limit:
            raise ValueError(f"{name} = {value}, at least 0 and below {limit}")


def fill_openings(statement: Statement, slots: int = POLYNOMIALS) -> dict[str, list[int]]:
    """Primary columns of `openings`; `batch` has none."""
    values = public_values(statement, slots)
    found: dict[str, list[int]] = {}
    for place in range(slots):
        used, is_data = place < values["polynomials"], place < values["data_polynomials"]
        put_scalars(found, stated=1, used=used, is_data=is_data)
        put_scalars(found, carrier=values[f"carrier_{place}"], length=values[f"length_{place}"])
        put(found, "value", [values[f"value_{place}_{k}"] for k in range(SCALAR_LIMBS)])
    return found
