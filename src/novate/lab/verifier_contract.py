"""The contract that verifies proofs of a key: deployed with its data, and asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from novate.l1.abi import Artifact, ContractError, load
from novate.l1.anvil import Anvil
from novate.l1.client import L1, Contract, Receipt
from novate.l1.deploy import creation_gas
from novate.l1.wallet import GAS_MAX, L1Wallet, Transaction, funded_wallet
from novate.proof.contract.parts import Parts, parts_of
from novate.proof.verifier.key import Key

Publics = Sequence[Sequence[int]]
"""Public values, for each table of a key."""
GENESIS_TIME: Final = 1_800_000_000
VERIFIER: Final = "Verifier"
LIBRARIES: Final = ("CubicField", "Transcripts", "Reduction", "Rows", "Openings")
"""Whose errors a verification may end with."""
NO_ERRORS: Final = ("Panic", "Reverted", "UnknownError")
"""Names of reverts that say nothing: a verifier never ends with one."""


def data_creation(code: bytes) -> bytes:
    """Creation code of a contract with this code."""
    # PUSH2 size, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: ten bytes
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + code


def deploy_verifier(l1: L1, wallet: L1Wallet, parts: Parts, artifact: Artifact) -> Contract:
    """Deploy the data of a key and a verifier for it. L1Error if a creation fails."""
    addresses = [_create(l1, wallet, data_creation(code)) for code in parts.codes]
    return Contract(artifact, _create(l1, wallet, artifact.creation(addresses)))


def _create(l1: L1, wallet: L1Wallet, code: bytes) -> int:
    """The address of a new contract."""
    created = l1.transact(wallet, Transaction(None, code, creation_gas(code))).created
    assert created is not None, "a creation that succeeded has an address"
    return created


def verifier_artifacts() -> list[Artifact]:
    """The verifier and everything whose errors it raises."""
    return [load(name) for name in (VERIFIER, *LIBRARIES)]


def ask(l1: L1, verifier: Contract, publics: Publics, proof: bytes) -> None:
    """Have the contract verify, without a transaction. ContractError if it refuses."""
    flat = [value for row in publics for value in row]
    accepted = l1.view(verifier, "verify", flat, proof)
    assert accepted is True, "the contract accepts or reverts"


def refusals(l1: L1, verifier: Contract, publics: Publics, proofs: Sequence[bytes]) -> list[str]:
    """The name of the error that each of some proofs is refused with; empty for one accepted.

    L1Error if the contract reverts with no error of its own, or does not answer.
    """
    names = []
    for proof in proofs:
        try:
            ask(l1, verifier, publics, proof)
        except ContractError as error:
            if error.name in NO_ERRORS:
                raise
            names.append(error.name)
        else:
            names.append("")
    return names


def verify_in_transaction(
    l1: L1, wallet: L1Wallet, verifier: Contract, publics: Publics, proof: bytes
) -> Receipt:
    """Have the contract verify in a transaction of its own. ContractError if it refuses."""
    flat = [value for row in publics for value in row]
    return l1.send(wallet, verifier, "verify", flat, proof, gas=GAS_MAX)


class Verdict(NamedTuple):
    """What the contract said on a chain of its own."""

    gas: int
    """Of the transaction that verified the proof, calldata included."""
    refused: str
    """Why the same proof was refused for other public values; empty if it was not."""


def verdict_on_anvil(key: Key, publics: Publics, wrong: Publics, proof: bytes) -> Verdict:
    """Deploy on a new anvil, verify in a transaction, and ask for wrong public values.

    AnvilMissing without one; ContractError if the proof is refused.
    """
    with Anvil(GENESIS_TIME) as anvil, anvil.rpc() as rpc:
        l1 = L1(rpc, verifier_artifacts())
        wallet = funded_wallet(0, l1.chain_id())
        verifier = deploy_verifier(l1, wallet, parts_of(key), load(VERIFIER))
        receipt = verify_in_transaction(l1, wallet, verifier, publics, proof)
        try:
            ask(l1, verifier, wrong, proof)
        except ContractError as error:
            return Verdict(receipt.gas, str(error).split(": ")[-1])
        return Verdict(receipt.gas, "")
