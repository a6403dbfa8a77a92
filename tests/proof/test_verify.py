"""The readable verifier: accepts what the library accepts, refuses every kind of damage."""

from __future__ import annotations

from random import Random

import pytest

from novate.circuit.expressions import P
from novate.circuit.relation import compile_relation
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover
from novate.proof.verify import Key, Refused, Transcript, read_key, verify
from novate.tables.range16 import LOG_ROWS, Range16
from tests.circuit.small_tables import PRIMARY, PUBLICS, Division, Squares, Sums

RELATION = compile_relation([Squares(), Sums(), Division(), Range16()])
HEIGHTS = {"squares": 8, "sums": 9, "division": 6, "range16": LOG_ROWS}
PUBLIC_ROWS = [[], [PUBLICS["sum"]], [], []]
PROFILES = [
    Profile("plain", HEIGHTS, (6, 4, 4)),
    Profile("ground", HEIGHTS, (6, 4, 4), sumcheck_pow_bits=3),
    Profile("constant", HEIGHTS, (4, 4, 4), starting_log_inv_rate=3),
    Profile("two folds", HEIGHTS, (6, 6)),
]


@pytest.fixture(name="proved", scope="module", params=PROFILES, ids=lambda profile: profile.name)
def _proved(request: pytest.FixtureRequest) -> tuple[Prover, Key, bytes]:
    prover = Prover(RELATION, request.param)
    proof = prover.prove(prover.fill(PRIMARY, PUBLICS), PUBLICS)
    return prover, read_key(prover.key()), proof


def test_accepts_what_the_library_accepts(proved: tuple[Prover, Key, bytes]) -> None:
    prover, key, proof = proved
    prover.verify(proof, PUBLICS)
    transcript = Transcript()
    verify(key, PUBLIC_ROWS, proof, transcript)
    assert len(transcript.hashes) > 50


def test_refuses_another_statement(proved: tuple[Prover, Key, bytes]) -> None:
    _, key, proof = proved
    with pytest.raises(Refused, match=r"^2\.2 layer"):
        verify(key, [[], [PUBLICS["sum"] + 1], [], []], proof)
    with pytest.raises(Refused, match=r"^0\.1"):
        verify(key, [[], [], [], []], proof)
    with pytest.raises(Refused, match=r"^0\.2"):
        verify(key, [[], [P], [], []], proof)


def test_refuses_truncated_and_longer_bytes(proved: tuple[Prover, Key, bytes]) -> None:
    _, key, proof = proved
    for wrong in (b"", proof[:-1], proof[: len(proof) // 2]):
        with pytest.raises(Refused, match="truncated"):
            verify(key, PUBLIC_ROWS, wrong)
    with pytest.raises(Refused, match="bytes after the proof"):
        verify(key, PUBLIC_ROWS, proof + b"\0")


def test_both_verifiers_refuse_flipped_bits() -> None:
    """Random bits all over the proof; the same verdict from library and verifier."""
    prover = Prover(RELATION, PROFILES[0])
    key = read_key(prover.key())
    proof = prover.prove(prover.fill(PRIMARY, PUBLICS), PUBLICS)
    random = Random(5)
    for _ in range(25):
        damaged = bytearray(proof)
        damaged[random.randrange(len(proof))] ^= 1 << random.randrange(8)
        with pytest.raises(Refused):
            verify(key, PUBLIC_ROWS, bytes(damaged))
        with pytest.raises(ProofError):
            prover.verify(bytes(damaged), PUBLICS)


def test_refuses_a_proof_of_another_profile() -> None:
    provers = [Prover(RELATION, profile) for profile in PROFILES[:2]]
    proof = provers[0].prove(provers[0].fill(PRIMARY, PUBLICS), PUBLICS)
    with pytest.raises(Refused):
        verify(read_key(provers[1].key()), PUBLIC_ROWS, proof)


def test_pattern_of_the_published_sample() -> None:
    """Step lists hash as a logged run of the library did."""
    from novate.proof.verifier.transcript import atom, bracket, keccak_256, render_steps

    steps = [
        atom("Challenge", "alpha", None, "TE"),
        atom("Challenge", "beta", None, "TE"),
        *bracket("fraction_reduction"),
        atom("Challenge", "theta", None, "TE"),
    ]
    assert keccak_256(render_steps(steps).encode()).hex() == (
        "8e2166b8940ca03a623126ef19aede60b4396f1f5d9dac3b7ad7452e6374047d"
    )
