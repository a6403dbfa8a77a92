"""The contract that verifies proofs, on anvil: accepts what is proved, refuses every damage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from novate.l1.abi import ContractError, load
from novate.l1.anvil import Anvil
from novate.l1.client import Contract
from novate.l1.rpc import L1Error
from novate.l1.wallet import GAS_MAX
from novate.lab.prove_demo import DOMAIN, accounts_and_messages
from novate.lab.verifier_contract import (
    ask,
    deploy_verifier,
    verifier_artifacts,
    verify_in_transaction,
)
from novate.proof.contract.fields import DIGEST, fields_of
from novate.proof.contract.parts import CODE_BYTES_MAX, Parts, parts_of
from novate.proof.prover import Prover
from novate.proof.statements import MINIMAL, signed_updates_relation
from novate.proof.verifier.field import P
from novate.proof.verifier.key import Key, read_key
from novate.proof.verifier.transcript import Transcript
from novate.proof.verify import verify
from novate.tables.signed_updates import witness
from tests.l1.chain import START, Chain, running
from tests.proof.contract.machine import call, packed

KEYS = Path(__file__).resolve().parents[3] / "keys"
DIGEST_FIELDS = ("commitment", "root", "digests", "count")


class Proved(NamedTuple):
    """A proof, what it is of, and contracts that verify it."""

    key: Key
    parts: Parts
    publics: list[list[int]]
    proof: bytes
    chain: Chain
    contract: Contract
    """MeasuredVerifier: `verify` as it is, and its steps laid open."""


@pytest.fixture(name="proved", scope="module")
def _proved() -> Iterator[Proved]:
    prover = Prover(signed_updates_relation(), MINIMAL)
    tree, updates = accounts_and_messages(8, 1)
    made = witness(DOMAIN, tree, updates)
    proof = prover.prove(prover.fill(made.primary, made.publics), made.publics)
    publics = [[made.publics[name] for name in form.publics] for form in prover.relation.forms]
    key = read_key(prover.key())
    with running(Anvil(START)) as chain:
        chain.l1.errors = type(chain.l1.errors)(verifier_artifacts())
        parts = parts_of(key)
        contract = deploy_verifier(chain.l1, chain.wallet(), parts, load("MeasuredVerifier"))
        yield Proved(key, parts, publics, proof, chain, contract)


def refusal(proved: Proved, proof: bytes, publics: list[list[int]] | None = None) -> str:
    """The name of the error that the contract refuses with."""
    with pytest.raises(ContractError) as caught:
        ask(proved.chain.l1, proved.contract, publics or proved.publics, proof)
    assert caught.value.name not in ("Panic", "Reverted", "UnknownError"), str(caught.value)
    return caught.value.name


def test_accepts_a_proof_in_one_transaction(proved: Proved) -> None:
    chain = proved.chain
    verifier = deploy_verifier(chain.l1, chain.wallet(), proved.parts, load("Verifier"))
    ask(chain.l1, verifier, proved.publics, proved.proof)
    receipt = verify_in_transaction(
        chain.l1, chain.wallet(), verifier, proved.publics, proved.proof
    )
    assert receipt.succeeded and receipt.gas <= GAS_MAX
    assert list(chain.l1.view(verifier, "KEY")) == list(proved.parts.digest)


def test_transcript_is_the_readable_verifiers(proved: Proved) -> None:
    transcript = Transcript()
    verify(proved.key, proved.publics, proved.proof, transcript)
    flat = [value for row in proved.publics for value in row]
    _, hashes = proved.chain.l1.view(proved.contract, "measure", flat, proved.proof)
    assert list(hashes) == [digest for _, digest in transcript.hashes]


def test_refuses_a_flipped_byte_of_every_field(proved: Proved) -> None:
    random = Random(1)
    for field in fields_of(proved.key, proved.proof):
        damaged = bytearray(proved.proof)
        damaged[field.start + random.randrange(field.size)] ^= 1 << random.randrange(8)
        name = refusal(proved, bytes(damaged))
        assert name != "TranscriptFull", field


def test_refuses_an_element_from_p_in_every_field(proved: Proved) -> None:
    for field in fields_of(proved.key, proved.proof):
        if field.name.endswith(DIGEST_FIELDS):
            continue
        for start in (field.start, field.start + field.size - 8):
            damaged = bytearray(proved.proof)
            damaged[start : start + 8] = P.to_bytes(8, "little")
            assert refusal(proved, bytes(damaged)) == "NotCanonical", field


@pytest.mark.slow
def test_refuses_random_flipped_bytes(proved: Proved) -> None:
    random = Random(2)
    for _ in range(200):
        damaged = bytearray(proved.proof)
        damaged[random.randrange(len(damaged))] ^= random.randrange(1, 256)
        refusal(proved, bytes(damaged))


def test_refuses_other_lengths(proved: Proved) -> None:
    proof = proved.proof
    for wrong in (b"", proof[:-1], proof[:-DIGEST], proof[: len(proof) // 2], proof + b"\0"):
        assert refusal(proved, wrong) == "WrongLength"
    assert refusal(proved, proof + bytes(DIGEST)) == "WrongLength"


def test_refuses_other_counts_of_digests(proved: Proved) -> None:
    """A digest left out, one more than used, and more than there can be."""
    counts = [f for f in fields_of(proved.key, proved.proof) if f.name.endswith("count")]
    for field in counts:
        end = field.start + field.size
        count = int.from_bytes(proved.proof[field.start : end], "little")
        behind = proved.proof[end:]
        fewer, more = (number.to_bytes(4, "little") for number in (count - 1, count + 1))
        cut = proved.proof[: field.start] + fewer + behind[DIGEST:]
        assert refusal(proved, cut) in {"DigestMissing", "RowsAreNotTheTrees", "DigestNotUsed"}
        longer = behind[: count * DIGEST] + bytes(DIGEST) + behind[count * DIGEST :]
        assert refusal(proved, proved.proof[: field.start] + more + longer) == "DigestNotUsed"
        shifted = proved.proof[: field.start] + more + behind
        assert refusal(proved, shifted) in {"WrongLength", "TooManyDigests"}
        most = (2**32 - 1).to_bytes(4, "little")
        assert refusal(proved, proved.proof[: field.start] + most + behind) == "TooManyDigests"


def test_refuses_other_public_values(proved: Proved) -> None:
    for place, row in enumerate(proved.publics):
        for column in range(len(row)):
            wrong = [list(values) for values in proved.publics]
            wrong[place][column] ^= 1
            assert refusal(proved, proved.proof, wrong) == "LayerMismatch"
            wrong[place][column] = P
            assert refusal(proved, proved.proof, wrong) == "PublicValueNotCanonical"
            wrong[place].pop()
            assert refusal(proved, proved.proof, wrong) == "PublicValues"


def test_refuses_a_proof_of_another_profile(proved: Proved) -> None:
    chain = proved.chain
    data = json.loads((KEYS / "signed_updates.small.json").read_text())
    parts = parts_of(read_key(data))
    other = deploy_verifier(chain.l1, chain.wallet(), parts, load("Verifier"))
    with pytest.raises(ContractError, match=r"WrongLength|TooManyDigests"):
        ask(chain.l1, other, proved.publics, proved.proof)


def test_is_for_known_keys_only(proved: Proved) -> None:
    """Another order of the parts, one missing, one byte changed: creation reverts."""
    codes = proved.parts.codes
    changed = (codes[0], codes[1][:-1] + bytes([codes[1][-1] ^ 1]), *codes[2:])
    for wrong in (codes[::-1], codes[:-1], changed):
        parts = proved.parts._replace(codes=wrong)
        with pytest.raises(L1Error, match="UnknownKey"):
            deploy_verifier(proved.chain.l1, proved.chain.wallet(), parts, load("Verifier"))


def test_contracts_fit_the_code_limit(proved: Proved) -> None:
    chain = proved.chain
    addresses = [proved.contract.address, *chain.l1.view(proved.contract, "parts")]
    sizes = [
        len(chain.l1.rpc.call("eth_getCode", f"0x{address:040x}", "latest")) // 2 - 1
        for address in addresses
    ]
    print("code bytes: verifier, parts:", sizes)
    assert all(0 < size <= CODE_BYTES_MAX for size in sizes)


def test_programs_run_on_chain_as_in_the_machine(proved: Proved) -> None:
    """Every program of the key, on inputs as large as they get: same words, and gas but for the
    call."""
    chain, parts = proved.chain, proved.parts
    addresses = chain.l1.view(proved.contract, "parts")
    programs = [parts.shared, *parts.closing, *parts.weights]
    word = packed((P - 1, P - 1, P - 1)).to_bytes(32, "big")
    data = word * 3000
    for address, program in zip(addresses[-len(programs) :], programs, strict=True):
        found = chain.l1.rpc.call(
            "eth_call", {"to": f"0x{address:040x}", "data": "0x" + data.hex()}, "latest"
        )
        expected, _ = call(program.code, [int.from_bytes(word, "big")] * 3000)
        assert bytes.fromhex(found[2:]) == b"".join(x.to_bytes(32, "big") for x in expected)
