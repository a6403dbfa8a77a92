"""`novate prove-demo`: proves signed messages applied to a tree of accounts; verified thrice."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from time import perf_counter
from typing import TypeVar

from novate.l1.rpc import L1Error
from novate.lab.progress import Progress
from novate.lab.signed_batch import signed_batch
from novate.lab.verifier_contract import Verdict, verdict_on_anvil
from novate.lab.wallets import wallet
from novate.native import NativePrimitives
from novate.proof.profiles import Profile
from novate.proof.prover import Prover
from novate.proof.statements import (
    BATCHES,
    MINIMAL,
    SHIPPED,
    TREE_DEPTH,
    signed_updates_relation,
)
from novate.proof.verify import Refused, read_key, verify
from novate.spec.commitment import account_digests
from novate.spec.crypto import merkle
from novate.spec.messages.account import CANCEL_TAG, CancelAll
from novate.spec.messages.domain import Domain
from novate.spec.state import Account
from novate.tables.batched.signed_updates import witness
from novate.tables.signed_updates import SignedUpdate

PROFILES = {profile.name: profile for profile in SHIPPED}
ACCOUNTS = 1_000
ACCOUNTS_OF_A_BATCH = 1 << 14
DOMAIN = Domain(31_337, 0x5E771E, 1, 0, 0)
T = TypeVar("T")


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 if all verifiers accept the proof and refuse it for another root."""
    parser = argparse.ArgumentParser(prog="novate prove-demo", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default=MINIMAL.name)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    profile = PROFILES[arguments.profile]
    batch = BATCHES[profile.name]
    rows: list[tuple[str, str]] = []
    progress = Progress()

    def timed(title: str, work: Callable[[], T]) -> T:
        """Do a piece of work and note how long it took."""
        progress.stage(title)
        started = perf_counter()
        result = work()
        rows.append((title, f"{perf_counter() - started:.3f} s"))
        return result

    tree, updates = timed(
        f"{ACCOUNTS_OF_A_BATCH:,} accounts, {batch.messages:,} signed messages",
        lambda: signed_batch(DOMAIN, batch, ACCOUNTS_OF_A_BATCH, arguments.seed),
    )
    relation = signed_updates_relation()
    prover = timed("setting up the statement", lambda: Prover(relation, profile))
    made = timed("primary columns", lambda: witness(DOMAIN, tree, updates))
    traces = timed("witness program", lambda: prover.fill(made.primary, made.publics))
    proof = timed("proving", lambda: prover.prove(traces, made.publics))
    timed("verifying (library)", lambda: prover.verify(proof, made.publics))
    verdict = timed("verifying (Python)", lambda: python_verdict(prover, made.publics, proof))
    wrong = made.publics | {"new_root_0": made.publics["new_root_0"] ^ 1}
    refused = python_verdict(prover, wrong, proof)
    contract = timed(
        "verifying (contract, on anvil)",
        lambda: contract_verdict(prover, made.publics, wrong, proof),
    )
    rows.append(("gas of the verifying transaction", f"{contract.gas:,}"))
    print_result(prover, profile, batch.messages, proof, rows)
    print(f"  {'ok  ' if not verdict else 'FAIL'}  the Python verifier accepts the proof")
    print(f"  {'ok  ' if refused else 'FAIL'}  for another root it refuses: {refused}")
    print(f"  {'ok  ' if contract.gas else 'FAIL'}  the contract accepts it in one transaction")
    print(f"  {'ok  ' if contract.refused else 'FAIL'}  and refuses that root: {contract.refused}")
    return int(bool(verdict) or not refused or not contract.gas or not contract.refused)


def accounts_and_messages(count: int, seed: int) -> tuple[merkle.Tree, list[SignedUpdate]]:
    """A tree of accounts without positions, and a cancel-all of each of the first few."""
    random, primitives = Random(seed), NativePrimitives()
    wallets = [wallet(f"prove-demo {seed} {place}") for place in range(count)]
    accounts = {
        index: Account(owner=random.getrandbits(160), cash=random.randrange(10**12))
        for index in range(ACCOUNTS)
    }
    signers = random.sample(range(ACCOUNTS), count)
    for index, owner in zip(signers, wallets, strict=True):
        accounts[index] = replace(accounts[index], key=owner.key, cancel_epoch=index)
    updates = []
    for index, owner in zip(signers, wallets, strict=True):
        elements = CancelAll(index).elements(DOMAIN, accounts[index].cancel_epoch)
        signature = owner.sign(primitives, CANCEL_TAG, elements)
        updates.append(SignedUpdate(index, accounts[index], signature))
    digests = account_digests(list(accounts.values()), primitives)
    leaves = dict(zip(accounts, digests, strict=True))
    return merkle.build(TREE_DEPTH, leaves, primitives.compress_many), updates


def public_rows(prover: Prover, publics: dict[str, int]) -> list[list[int]]:
    """Public values, for each table."""
    return [[publics[name] for name in form.publics] for form in prover.relation.forms]


def python_verdict(prover: Prover, publics: dict[str, int], proof: bytes) -> str:
    """Why the independent verifier refuses; empty if it accepts."""
    try:
        verify(read_key(prover.key()), public_rows(prover, publics), proof)
    except Refused as refusal:
        return str(refusal)
    return ""


def contract_verdict(
    prover: Prover, publics: dict[str, int], wrong: dict[str, int], proof: bytes
) -> Verdict:
    """What the contract says on anvil; no gas if it refuses the proof or there is no anvil."""
    rows = public_rows(prover, publics), public_rows(prover, wrong)
    try:
        return verdict_on_anvil(read_key(prover.key()), *rows, proof)
    except L1Error as error:
        return Verdict(0, str(error))


def print_result(
    prover: Prover, profile: Profile, count: int, proof: bytes, rows: list[tuple[str, str]]
) -> None:
    """The table."""
    facts = [
        ("profile", profile.name),
        ("messages", f"{count:,}"),
        ("cells, padding included", f"{prover.cells:,}"),
        ("proven security", f"{prover.security_bits:.2f} bits"),
        ("proof", f"{len(proof):,} bytes"),
        ("relation", prover.relation.digest()[:32]),
    ]
    print("\nResult")
    for name, value in [*facts, *rows]:
        print(f"  {name:<44} {value:>34}")
    print("\nChecks")
