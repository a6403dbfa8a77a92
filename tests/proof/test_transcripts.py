"""The transcripts of all three verifiers, hash by hash: what was hashed, and what came of it."""

from __future__ import annotations

import pytest

from novate.l1.abi import load
from novate.l1.anvil import Anvil
from novate.lab.prove_demo import DOMAIN, accounts_and_messages, public_rows
from novate.lab.verifier_contract import deploy_verifier, verifier_artifacts
from novate.proof.contract.parts import parts_of
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover
from novate.proof.statements import MINIMAL, signed_updates_relation
from novate.proof.verify import Transcript, read_key, verify
from novate.tables.signed_updates import witness
from tests.circuit.small_tables import PRIMARY, PUBLICS
from tests.l1.chain import START, running
from tests.proof.test_verify import HEIGHTS, PUBLIC_ROWS, RELATION


def test_library_and_python_hash_the_same_bytes() -> None:
    """With proof-of-work in every phase, so that its draws are compared as well."""
    prover = Prover(RELATION, Profile("ground", HEIGHTS, (6, 4, 4), sumcheck_pow_bits=3))
    proof = prover.prove(prover.fill(PRIMARY, PUBLICS), PUBLICS)
    transcript = Transcript()
    verify(read_key(prover.key()), PUBLIC_ROWS, proof, transcript)
    assert prover.transcript(proof, PUBLICS) == transcript.hashes


def test_all_three_transcripts_of_a_minimal_proof() -> None:
    """Inputs and digests of library and Python, digests of the contract: line by line."""
    prover = Prover(signed_updates_relation(), MINIMAL)
    made = witness(DOMAIN, *accounts_and_messages(8, 2))
    proof = prover.prove(prover.fill(made.primary, made.publics), made.publics)
    rows = public_rows(prover, made.publics)
    key, transcript = read_key(prover.key()), Transcript()
    verify(key, rows, proof, transcript)
    library = prover.transcript(proof, made.publics)
    assert len(library) > 100
    for place, (ours, theirs) in enumerate(zip(transcript.hashes, library, strict=True)):
        assert ours == theirs, f"hash {place}"
    with running(Anvil(START)) as chain:
        chain.l1.errors = type(chain.l1.errors)(verifier_artifacts())
        measured = load("MeasuredVerifier")
        contract = deploy_verifier(chain.l1, chain.wallet(), parts_of(key), measured)
        flat = [value for row in rows for value in row]
        _, digests = chain.l1.view(contract, "measure", flat, proof)
    assert list(digests) == [digest for _, digest in library]


def test_transcript_is_of_accepted_proofs_only() -> None:
    prover = Prover(RELATION, Profile("plain", HEIGHTS, (6, 4, 4)))
    proof = prover.prove(prover.fill(PRIMARY, PUBLICS), PUBLICS)
    with pytest.raises(ProofError, match="rejected"):
        prover.transcript(proof, {"sum": PUBLICS["sum"] + 1})
    with pytest.raises(ProofError, match="decode"):
        prover.transcript(proof[:-1], PUBLICS)
