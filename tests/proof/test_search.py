"""The search of profiles: what it predicts, and that the shipped profiles are what it chooses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.prove_demo import DOMAIN
from novate.lab.signed_batch import signed_batch
from novate.proof.profiles import Profile
from novate.proof.prover import PROCESS_BYTES, Prover
from novate.proof.search import (
    LIMITS,
    Candidate,
    Limits,
    Space,
    candidate,
    chosen,
    paths,
    proof_bytes,
    rates_of,
    schedules,
    search,
    siblings,
)
from novate.proof.statements import (
    BATCHES,
    MAIN,
    MINIMAL,
    SHIPPED,
    Batch,
    signed_updates_heights,
    signed_updates_relation,
)
from novate.proof.verify import read_key
from novate.tables.batched.signed_updates import witness

RELATION = signed_updates_relation()
SMALL_SPACE = Space(folds=(5, 4, 3), rates=(2,), shrinks=((1, 1), (2, 1)), last=(3, 4, 5, 6))


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_shipped_profile_is_what_a_small_search_chooses(profile: Profile) -> None:
    """`tools/search_profiles.py` searches everything; here the folds of the shipped first rate."""
    found = search(RELATION, profile, SMALL_SPACE._replace(pow_bits=(profile.pow_bits,)))
    assert len(found) >= 10
    assert chosen(found, LIMITS[profile.name]).profile == profile


def test_predicted_bytes_are_those_of_a_proof() -> None:
    """Up to the siblings that random queries share: within two in a hundred."""
    prover = Prover(RELATION, MINIMAL)
    tree, updates = signed_batch(DOMAIN, BATCHES["minimal"], 1000, 3)
    primary, publics = witness(DOMAIN, tree, updates)
    proof = prover.prove(prover.fill(primary, publics), publics)
    prover.verify(proof, publics)
    assert proof_bytes(read_key(prover.key())) == pytest.approx(len(proof), rel=0.02)


def test_dearer_protocols_cost_more_of_what_they_take() -> None:
    """A lower rate takes memory and time and saves gas, more proof-of-work takes time."""
    shipped = candidate(RELATION, MINIMAL)
    lower = candidate(RELATION, replace(MINIMAL, starting_log_inv_rate=3))
    worked = candidate(RELATION, replace(MINIMAL, pow_bits=22))
    assert lower.memory_bytes - PROCESS_BYTES > 1.5 * (shipped.memory_bytes - PROCESS_BYTES)
    assert lower.seconds > shipped.seconds < worked.seconds
    assert lower.gas < shipped.gas > worked.gas
    assert lower.proof_bytes < shipped.proof_bytes > worked.proof_bytes


def test_the_cheapest_that_fits_is_chosen() -> None:
    dear = Candidate(MINIMAL, 101.0, 1, 10, 5.0, 100.0)
    cheap = dear._replace(gas=9, seconds=7.0)
    assert chosen([cheap, dear], Limits(8.0, 100.0)) == cheap
    assert chosen([cheap, dear], Limits(6.0, 100.0)) == dear
    with pytest.raises(ValueError, match="none of 2 candidates"):
        chosen([cheap, dear], Limits(6.0, 99.0))


def test_expected_digests() -> None:
    """One leaf has one sibling a level, all leaves have none; paths end at the root."""
    assert siblings(1, 5) == pytest.approx(5)
    assert siblings(10_000, 3) == pytest.approx(0, abs=1e-6)
    assert paths(1, 5) == pytest.approx(5)
    assert paths(10_000, 3) == pytest.approx(1 + 2 + 4)


def test_schedules() -> None:
    assert sorted(schedules((3, 2), 6)) == [(2,), (2, 2), (2, 2, 2), (3,), (3, 2), (3, 3)]
    assert list(rates_of((5, 4, 3), 2, (2, 1))) == [5, 8]


def test_main_is_as_full_as_it_can_be() -> None:
    """One message or key more, and the stacked cells are twice as many."""
    messages, keys = BATCHES["main"]
    assert MAIN.log_rows == signed_updates_heights(BATCHES["main"])
    assert cells(BATCHES["main"]) == 66_404_416 <= 1 << 26
    assert cells(Batch(messages + 1, keys)) > 1 << 26
    assert cells(Batch(messages, keys + 1)) > 1 << 26


def cells(batch: Batch) -> int:
    """Of all tables at the heights of a batch."""
    heights = signed_updates_heights(batch)
    return sum(len(form.columns) << heights[form.name] for form in RELATION.forms)
