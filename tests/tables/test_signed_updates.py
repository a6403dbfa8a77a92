"""The statement of signed messages: proved, verified twice. Tampering: tests/circuit."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from novate.circuit.checker import check
from novate.circuit.expressions import P
from novate.native import NativePrimitives
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover
from novate.proof.verify import Refused, read_key, verify
from novate.spec.commitment import account_digests
from novate.spec.crypto import merkle, schnorr
from novate.spec.crypto.sponge import hash_elements
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.spec.primitives import Digest
from novate.spec.state import Account
from novate.tables import base_windows
from novate.tables.signed_updates import SignedUpdate, Witness, relation, witness

DEPTH = 6
DOMAIN = Domain(31_337, 0xABCDEF << 100, 1, 2, 3)
RELATION = relation(DEPTH)
PROFILE = Profile(
    "signed updates",
    {
        "range16": 16,
        "poseidon2_8": 6,
        "poseidon2_12": 6,
        "base_windows": base_windows.LOG_ROWS,
        "key_windows": 6,
        "multiply_key": 7,
        "multiply_base": 7,
        "signature": 6,
        "merkle_update": 6,
        "cancel_all": 6,
        "roots": 6,
    },
    (6, 4, 4),
)
PRIMITIVES = NativePrimitives()


def leaf(account: Account) -> Digest:
    """The law's leaf."""
    return account_digests([account], PRIMITIVES)[0]


def updates_of(count: int) -> tuple[merkle.Tree, list[SignedUpdate]]:
    """A tree of some accounts, and signed cancel-alls of a few of them; two share a key."""
    random = Random(count)
    updates = []
    for place, index in enumerate(random.sample(range(1 << DEPTH), count)):
        secret = schnorr.secret_from_seed(bytes([place % 2 + 1]))
        account = Account(
            owner=random.getrandbits(160),
            key=schnorr.public_key(secret),
            cash=-5 * place,
            key_epoch=place,
            cancel_epoch=7 * place,
            liquidation_since=1_790_000_000,
            tier=place,
            allowed_owner=random.getrandbits(160),
            forced_close_instrument=1 << 49,
        )
        elements = CancelAll(index).elements(DOMAIN, account.cancel_epoch)
        signature = schnorr.sign(secret, hash_elements(CANCEL_TAG, elements))
        updates.append(SignedUpdate(index, account, signature))
    leaves = {update.place: leaf(update.account) for update in updates}
    others = {index: leaf(Account(owner=index)) for index in range(9) if index not in leaves}
    return merkle.build(DEPTH, leaves | others, PRIMITIVES.compress_many), updates


@pytest.fixture(name="prover", scope="module")
def _prover() -> Prover:
    return Prover(RELATION, PROFILE)


@pytest.fixture(name="made", scope="module")
def _made() -> tuple[merkle.Tree, list[SignedUpdate], Witness]:
    tree, updates = updates_of(3)
    return tree, updates, witness(DOMAIN, tree, updates)


def test_proof_of_three_messages(
    prover: Prover, made: tuple[merkle.Tree, list[SignedUpdate], Witness]
) -> None:
    """Roots are the law's; library and readable verifier accept; another root is refused."""
    tree, updates, (primary, publics) = made
    raised = {
        u.place: leaf(replace(u.account, cancel_epoch=u.account.cancel_epoch + 1)) for u in updates
    }
    after = merkle.update(tree, raised, PRIMITIVES.compress_many)
    assert [publics[f"old_root_{k}"] for k in range(4)] == list(merkle.root(tree))
    assert [publics[f"new_root_{k}"] for k in range(4)] == list(merkle.root(after))
    proof = prover.prove(prover.fill(primary, publics), publics)
    prover.verify(proof, publics)
    key = read_key(prover.key())
    verify(key, [[publics[n] for n in form.publics] for form in RELATION.forms], proof)
    wrong = publics | {"new_root_0": (publics["new_root_0"] + 1) % P}
    with pytest.raises(ProofError, match="rejected"):
        prover.verify(proof, wrong)
    with pytest.raises(Refused):
        verify(key, [[wrong[n] for n in form.publics] for form in RELATION.forms], proof)


def test_no_witness_for_a_wrong_signature() -> None:
    tree, updates = updates_of(2)
    wrong = updates[0].signature._replace(s=updates[0].signature.s ^ 1)
    with pytest.raises(ValueError, match="is not valid"):
        witness(DOMAIN, tree, [updates[0]._replace(signature=wrong)])


def test_readable_checker_finds_nothing_wrong(
    prover: Prover, made: tuple[merkle.Tree, list[SignedUpdate], Witness]
) -> None:
    _, _, (primary, publics) = made
    traces = [trace.tolist() for trace in prover.fill(primary, publics)]
    assert check(RELATION.forms, traces, publics) == []
