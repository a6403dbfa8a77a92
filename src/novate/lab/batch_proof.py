"""A proof of a batch's public values alone, for the contract that will verify batches.

Two tables stand where those of the law will: one claims the header, D, z and the venue, the other
takes the openings. So the statement proves nothing about a batch; a proof of it shows that public
values which the contract works out are those that a proof binds, in its order, byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import Column, Columns, Origin, Source, flag
from novate.circuit.expressions import Expression
from novate.circuit.relation import Relation, compile_relation
from novate.circuit.tables import Table
from novate.proof.profiles import Profile
from novate.proof.verifier.field import P
from novate.spec.primitives import Digest
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES
from novate.spec.public_data.header import DataForm, Header, encode_header
from novate.spec.public_data.opening import Carrier, Opening
from novate.tables import range16
from novate.tables.batch import (
    BATCH,
    DATA,
    OPENING,
    POINT,
    VENUE,
    Batch,
    Openings,
    Statement,
    fill_openings,
    public_values,
)

PROFILE: Final = Profile(
    "batch_values",
    {
        "range16": range16.LOG_ROWS,
        **dict.fromkeys(("batch", "openings", "claims", "evaluation"), 6),
    },
    (5, 4, 3),
    pow_bits=22,
)
CLAIMED: Final = (BATCH, DATA, POINT, VENUE)


def unchecked(bus: Bus) -> Columns:
    """A column for each field of a bus, bounded by what is sent to it."""
    return Columns(Column(Source(Origin.PRIMARY), field.bits, False) for field in bus.fields)


def as_fields(bus: Bus, values: Sequence[Any]) -> dict[str, Any]:
    """Values under the names of a bus's fields."""
    return {field.name: value for field, value in zip(bus.fields, values, strict=True)}


class Claims(Table):
    """Stands for the tables that show what the statement claims: everything once."""

    name = "claims"
    active = flag()
    batch, data, point, venue = map(unchecked, CLAIMED)

    def messages(self) -> list[Interaction]:
        """One row is active."""
        values = (self.batch, self.data, self.point, self.venue)
        return [
            send(bus, self.active, **as_fields(bus, list(found)))
            for bus, found in zip(CLAIMED, values, strict=True)
        ]


class Evaluation(Table):
    """Stands for the tables that evaluate polynomials."""

    name = "evaluation"
    active = flag()
    opening = unchecked(OPENING)

    def messages(self) -> list[Interaction]:
        """One row a polynomial."""
        fields: dict[str, Expression] = as_fields(OPENING, list(self.opening))
        return [receive(OPENING, self.active, **fields)]


def batch_values_relation() -> Relation:
    """Public values of a batch, bound and in range."""
    return compile_relation([range16.Range16(), Batch(), Openings(), Claims(), Evaluation()])


def sample_statement(seed: int, chain_id: int, settlement_contract: int) -> Statement:
    """Random values in every field; three polynomials, one of them in a blob."""
    random = Random(seed)

    def digest() -> Digest:
        """Any."""
        return random.randrange(P), random.randrange(P), random.randrange(P), random.randrange(P)

    header = Header(
        version=1,
        form=DataForm.DIFF,
        reset_slots=True,
        number=random.getrandbits(32),
        time=random.getrandbits(32),
        fork=random.getrandbits(32),
        venue_epoch=random.getrandbits(32),
        inbox_before=random.getrandbits(63),
        inbox_after=random.getrandbits(63),
        parameters=digest(),
        settlement_root_before=digest(),
        root_before=digest(),
        settlement_root_after=digest(),
        root_after=digest(),
    )
    scalars = [random.randrange(MODULUS) for _ in range(4)]
    carriers = (Carrier.CALLDATA, Carrier.BLOB, Carrier.CALLDATA)
    return Statement(
        header=encode_header(header),
        opening=Opening(digest(), scalars[0], tuple(scalars[1:])),
        polynomials=[(carrier, random.randint(1, POLYNOMIAL_BYTES)) for carrier in carriers],
        data_polynomials=2,
        payee=random.getrandbits(160),
        chain_id=chain_id,
        settlement_contract=settlement_contract,
    )


def primary_of(statement: Statement) -> dict[str, dict[str, list[int]]]:
    """Primary columns of all tables."""
    stated = public_values(statement)
    digest = [stated[f"data_digest_{place}"] for place in range(4)]
    claimed = {
        "batch": [stated[field.name] for field in BATCH.fields],
        "data": [*digest, stated["polynomials"], stated["data_polynomials"]],
        "point": [stated[f"point_{place}"] for place in range(len(POINT.fields))],
        "venue": [stated[field.name] for field in VENUE.fields],
    }
    claims = {"active": [1]}
    for name, values in claimed.items():
        claims |= {f"{name}_{place}": [value] for place, value in enumerate(values)}
    evaluation = {"active": [1] * stated["polynomials"]}
    for place, (carrier, length) in enumerate(statement.polynomials):
        limbs = [stated[f"value_{place}_{limb}"] for limb in range(len(OPENING.fields) - 4)]
        row = [place, int(place < statement.data_polynomials), int(carrier), length, *limbs]
        for number, value in enumerate(row):
            evaluation.setdefault(f"opening_{number}", []).append(value)
    openings = fill_openings(statement)
    return {
        "range16": {},
        "batch": {},
        "openings": openings,
        "claims": claims,
        "evaluation": evaluation,
    }
