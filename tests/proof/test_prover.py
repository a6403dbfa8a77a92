"""The prover core: fills as the specification of the witness program does, proves, refuses."""

from __future__ import annotations

import numpy as np
import pytest

from novate.circuit.buses import Interaction, send
from novate.circuit.columns import columns, flag
from novate.circuit.expressions import Expression, P
from novate.circuit.form import CircuitError
from novate.circuit.relation import compile_relation
from novate.circuit.tables import Table
from novate.circuit.witness import count_lookups, fill
from novate.native import Prover as Core
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover, Words
from novate.spec.crypto.sponge import compress
from novate.spec.primitives import Digest
from novate.tables.poseidon2 import COMPRESS, Poseidon2Width8
from novate.tables.range16 import LOG_ROWS, Range16
from tests.circuit.small_tables import PRIMARY, PUBLICS, Division, Squares, Sums

RELATION = compile_relation([Squares(), Sums(), Division(), Range16()])
HEIGHTS = {"squares": 8, "sums": 9, "division": 6, "range16": LOG_ROWS}
PROFILE = Profile("tests", HEIGHTS, (6, 4, 4))


@pytest.fixture(name="prover", scope="module")
def _prover() -> Prover:
    return Prover(RELATION, PROFILE)


@pytest.fixture(name="traces")
def _traces(prover: Prover) -> list[Words]:
    return prover.fill(PRIMARY, PUBLICS)


def test_fill_equals_the_readable_runner(traces: list[Words]) -> None:
    readable = [
        fill(form, PRIMARY[form.name], HEIGHTS[form.name], PUBLICS) for form in RELATION.forms
    ]
    count_lookups(RELATION.forms, readable, PUBLICS)
    for form, fast, slow in zip(RELATION.forms, traces, readable, strict=True):
        assert fast.tolist() == slow, form.name


def test_proof_is_accepted(prover: Prover, traces: list[Words]) -> None:
    assert prover.security_bits >= 100
    proof = prover.prove(traces, PUBLICS)
    prover.verify(proof, PUBLICS)
    assert prover.prove(traces, PUBLICS) == proof, "proving is deterministic"


def test_another_public_value_is_refused(prover: Prover, traces: list[Words]) -> None:
    proof = prover.prove(traces, PUBLICS)
    with pytest.raises(ProofError, match="rejected"):
        prover.verify(proof, {"sum": (PUBLICS["sum"] + 1) % P})
    with pytest.raises(ProofError, match="public value 'sum' is missing"):
        prover.verify(proof, {})
    with pytest.raises(ProofError, match=f"element = {P}"):
        prover.verify(proof, {"sum": P})


def test_wrong_witness_proves_nothing(prover: Prover, traces: list[Words]) -> None:
    """An unbalanced bus stops the prover; a broken rule gives a proof that nobody accepts."""
    times = [column.name for column in RELATION.forms[0].columns].index("times")
    traces[0][times][0] += np.uint64(1)
    with pytest.raises(ProofError, match="fractions must sum to zero"):
        prover.prove(traces, PUBLICS)
    traces[0][times][0] -= np.uint64(1)
    zero = [column.name for column in RELATION.forms[2].columns].index("is_zero")
    traces[2][zero][0] = 1
    try:
        proof = prover.prove(traces, PUBLICS)
    except ProofError:
        return
    with pytest.raises(ProofError, match="rejected"):
        prover.verify(proof, PUBLICS)


def test_truncated_or_longer_bytes_are_refused(prover: Prover, traces: list[Words]) -> None:
    proof = prover.prove(traces, PUBLICS)
    for wrong in (proof[:-1], proof + b"\0", b"", proof[: len(proof) // 2]):
        with pytest.raises(ProofError):
            prover.verify(wrong, PUBLICS)


def test_too_little_security_is_refused() -> None:
    with pytest.raises(ProofError, match="proven bits, at least 100"):
        Prover(RELATION, Profile("weak", HEIGHTS, (6, 4, 4), security_level=90))


def test_heights_are_checked() -> None:
    with pytest.raises(ProofError, match="log_rows = 5, 6 to 24"):
        Prover(RELATION, Profile("low", HEIGHTS | {"squares": 5}, (6, 4, 4)))


def test_columns_are_checked(prover: Prover) -> None:
    with pytest.raises(CircuitError, match="columns given"):
        prover.fill({}, PUBLICS)
    with pytest.raises(CircuitError, match="257 rows, max 256"):
        prover.fill(PRIMARY | {"squares": {"value": [0] * 257}}, PUBLICS)


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_wrong_words_are_refused_or_another_relation(place: int) -> None:
    """The decoder of the words never crashes."""
    words = RELATION.words()
    words[place] ^= np.uint64(1 << (place % 40))
    try:
        Core(words, [8, 9, 6, 16], 103, 20, 0, 2, [6, 4, 4], [])
    except ValueError as error:
        assert str(error).startswith(("relation:", "parameters:", "witness:"))


class Asker(Table):
    """Asks for compressions."""

    name = "asker"
    active = flag()
    left, right, digest = columns(4), columns(4), columns(4)

    def messages(self) -> list[Interaction]:
        """One row, one node."""
        fields: dict[str, Expression | int] = {}
        for name, row in (("left", self.left), ("right", self.right), ("digest", self.digest)):
            fields |= {f"{name}_{place}": column for place, column in enumerate(row)}
        return [send(COMPRESS, self.active, **fields)]


def test_permutations_are_filled_and_counted() -> None:
    """A table whose columns are long chains within one row, asked for by another."""
    relation = compile_relation([Poseidon2Width8(), Asker()])
    prover = Prover(relation, Profile("permutations", {"poseidon2_8": 7, "asker": 7}, (6, 4)))
    rows = [[(place + 1) * 977 * row % P for place in range(8)] for row in range(100)]
    state = {f"state_{k}": [row[k] for row in rows] for k in range(8)}
    asked: dict[str, list[int]] = {"active": [1] * 100}
    for k in range(4):
        digests = [compress(digest(row[:4]), digest(row[4:])) for row in rows]
        asked |= {f"left_{k}": [row[k] for row in rows], f"right_{k}": [row[4 + k] for row in rows]}
        asked |= {f"digest_{k}": [found[k] for found in digests]}
    traces = prover.fill({"poseidon2_8": state, "asker": asked}, {})
    assert traces[0][:-1].tolist() == fill(relation.forms[0], state, 7)[:-1]
    assert traces[0][-1].tolist() == [1] * 100 + [0] * 28
    prover.verify(prover.prove(traces, {}), {})


def digest(elements: list[int]) -> Digest:
    """Four elements."""
    return elements[0], elements[1], elements[2], elements[3]
