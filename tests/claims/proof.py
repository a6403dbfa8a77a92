"""Damaged proofs: no decoder crashes, no verifier accepts, all verifiers say the same.

    novate claims proof

One proof of a `minimal` statement is damaged in many ways:

* `decoded` inputs go through the decoder alone: an error, or bytes that encode to themselves;
* every byte is changed, for the library's verifier;
* `flips` random bytes are changed for the Python verifier, and `calls` for the contract on anvil;
* a byte of every field of every round is changed, for all three;
* truncated, extended, for another public value, under another profile, with an element from p: all
  three refuse with the error of that name;
* `agreed` damaged proofs are judged alike by library and Python verifier.

State is kept in build/claims/proof by relation, profile and seed: a run that was cut off goes on.
Exit status 1 when a damaged proof was accepted, a verdict or a name differed, or anything
unexpected was raised. About 40 minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from novate.circuit.expressions import P
from novate.l1.abi import ContractError, load
from novate.l1.anvil import Anvil
from novate.l1.client import L1, Contract
from novate.l1.wallet import funded_wallet
from novate.lab.progress import Progress
from novate.lab.verifier_contract import (
    GENESIS_TIME,
    VERIFIER,
    ask,
    deploy_verifier,
    verifier_artifacts,
)
from novate.proof.contract.fields import fields_of
from novate.proof.contract.parts import parts_of
from novate.proof.prover import ProofError, Prover
from novate.proof.statements import SMALL
from novate.proof.verify import Key, Refused, read_key, verify
from tests.proof.damage import FAMILIES, Subject, Work, flipped, judge

FOLDER = Path(__file__).resolve().parents[2] / "build" / "claims" / "proof"
CHUNKS = {"decoder": 5_000, "flips, library": 1_000, "flips, Python": 50, "library and Python": 100}
"""Pieces of damage that are judged in one go."""
UNEXPLAINED = {"", "Panic", "Error", "Reverted", "UnknownError", "Undecodable"}
"""What no refusal of the contract may be called."""


class Named(NamedTuple):
    """Damage with a name, and what the library, the Python verifier and the contract call it."""

    name: str
    library: str
    python: str
    contract: str


NAMED = (
    Named("truncated", "decode: .* bytes at ", "decode: .* is truncated", "WrongLength"),
    Named("half", "decode: .* bytes at ", "decode: .* is truncated", "WrongLength"),
    Named(
        "extended",
        "decode: 1 bytes after the proof",
        "decode: bytes after the proof",
        "WrongLength",
    ),
    Named("another public value", "rejected: Lookup", "2.2 layer ", "LayerMismatch"),
    Named("a public value from p", "shape: element = ", "0.2 ", "PublicValueNotCanonical"),
    Named("an element from p", "decode: .* is not below", "decode: .* canonical", "NotCanonical"),
    Named("another profile", "decode: ", "decode: ", "WrongLength|TooManyDigests"),
)
"""Patterns that the beginning of each refusal matches."""


class Chain(NamedTuple):
    """Contracts for the keys of two profiles."""

    l1: L1
    minimal: Contract
    small: Contract


@contextmanager
def contracts(keys: Sequence[Key]) -> Iterator[Chain]:
    """On an anvil of their own."""
    with Anvil(GENESIS_TIME) as anvil, anvil.rpc() as rpc:
        l1 = L1(rpc, verifier_artifacts())
        wallet = funded_wallet(0, l1.chain_id())
        minimal, small = (deploy_verifier(l1, wallet, parts_of(k), load(VERIFIER)) for k in keys)
        yield Chain(l1, minimal, small)


def called(l1: L1, contract: Contract, rows: Sequence[Sequence[int]], proof: bytes) -> str:
    """The name of the error that a contract refuses with; empty if it accepts."""
    try:
        ask(l1, contract, rows, proof)
    except ContractError as error:
        return error.name
    return ""


class Claim:
    """What was found so far, kept after every chunk."""

    def __init__(self, seed: int) -> None:
        """Go on where a run for the same proof was cut off."""
        self.seed = seed
        self.subject = Subject(FOLDER, seed)
        self.kept = self.subject.folder / "state.json"
        state = json.loads(self.kept.read_text()) if self.kept.exists() else {}
        self.done: dict[str, int] = state.get("done", {})
        self.counts = Counter[str](state.get("counts", {}))
        self.failures: list[str] = state.get("failures", [])
        self.progress = Progress()

    def keep(self, family: str, done: int) -> None:
        """Write what was found; `done` pieces of a family are."""
        self.done[family] = done
        state = {"done": self.done, "counts": self.counts, "failures": self.failures}
        waiting = self.kept.with_suffix(".new")
        waiting.write_text(json.dumps(state, indent=1) + "\n")
        os.replace(waiting, self.kept)

    def judge(self, pool: ProcessPoolExecutor, family: str, total: int) -> None:
        """The pieces of a family that are not judged yet."""
        first, size = self.done.get(family, 0), CHUNKS[family]
        self.progress.stage(f"{family}: {total:,}, {first:,} of them done before")
        work = [
            Work(FOLDER, self.seed, family, at, min(size, total - at))
            for at in range(first, total, size)
        ]
        for part, found in zip(work, pool.map(judge, work), strict=True):
            self.counts.update({f"{family}: {name}": n for name, n in found.counts.items()})
            self.failures += found.failures
            done = part.first + part.count
            self.keep(family, done)
            self.progress.at(done, total, f"{len(self.failures)} failures")

    def call(self, chain: Chain, total: int) -> None:
        """Random bytes changed, for the contract."""
        code = sha256(load(VERIFIER).bytecode).hexdigest()
        family, proof = f"flips, contract {code[:8]}", self.subject.proof
        first = self.done.get(family, 0)
        self.progress.stage(f"{family}: {total:,}, {first:,} of them done before")
        for number in range(first, total):
            random = Random(f"{self.seed} {family} {number}")
            at = random.randrange(len(proof))
            data = flipped(proof, at, random)
            name = called(chain.l1, chain.minimal, self.subject.rows, data)
            self.counts[f"{family}: {name}"] += 1
            if name in UNEXPLAINED:
                self.failures.append(f"contract: byte {at} changed: {name or 'accepted'}")
            self.keep(family, number + 1)
            self.progress.at(number, total, f"{len(self.failures)} failures")

    def fields(self, chain: Chain) -> int:
        """A byte of every field changed, for all three; the number of fields."""
        subject, random = self.subject, Random(f"{self.seed} fields")
        fields = fields_of(subject.key, subject.proof)
        self.progress.stage(f"{len(fields)} fields, all three verifiers")
        for place, field in enumerate(fields):
            data = flipped(subject.proof, field.start + random.randrange(field.size), random)
            name = called(chain.l1, chain.minimal, subject.rows, data)
            refusals = subject.library(data), subject.readable(data), name
            if "" in refusals or name in UNEXPLAINED:
                self.failures.append(f"{field.name}: {refusals}")
            self.progress.at(place, len(fields), field.name)
        return len(fields)

    def named(self, chain: Chain, small: Prover) -> dict[str, list[str]]:
        """Damage with a name, for all three; what each said."""
        self.progress.stage(f"{len(NAMED)} kinds of damage with a name")
        said = {}
        for entry in NAMED:
            found = self._refusals(entry.name, chain, small)
            said[entry.name] = found
            for pattern, text in zip(entry[1:], found, strict=True):
                if not re.match(pattern, text):
                    self.failures.append(f"{entry.name}: {text or 'accepted'}, not {pattern}")
        return said

    def _refusals(self, name: str, chain: Chain, small: Prover) -> list[str]:
        """What library, Python and contract say to one kind of damage."""
        subject, proof = self.subject, self.subject.proof
        publics = dict(subject.publics)
        prover, key, contract = subject.prover, subject.key, chain.minimal
        if name == "truncated":
            proof = proof[:-1]
        elif name == "half":
            proof = proof[: len(proof) // 2]
        elif name == "extended":
            proof += b"\0"
        elif name == "an element from p":
            proof = proof[:32] + P.to_bytes(8, "little") + proof[40:]
        elif name == "another profile":
            prover, key, contract = small, read_key(small.key()), chain.small
        else:
            publics["new_root_0"] = P if name == "a public value from p" else 1
        rows = [[publics[column] for column in form.publics] for form in prover.relation.forms]
        return [
            *refusals(prover, key, publics, rows, proof),
            called(chain.l1, contract, rows, proof),
        ]


def refusals(
    prover: Prover, key: Key, publics: dict[str, int], rows: list[list[int]], proof: bytes
) -> list[str]:
    """What library and Python verifier say; empty where they accept."""
    said = ["", ""]
    try:
        prover.verify(proof, publics)
    except ProofError as error:
        said[0] = str(error)
    try:
        verify(key, rows, proof)
    except Refused as error:
        said[1] = str(error)
    return said


def run(claim: Claim, arguments: argparse.Namespace) -> dict[str, Any]:
    """All of the claim; the summary."""
    length = len(claim.subject.proof)
    small = Prover(claim.subject.prover.relation, SMALL)
    with contracts([claim.subject.key, read_key(small.key())]) as chain:
        said = claim.named(chain, small)
        fields = claim.fields(chain)
        claim.call(chain, arguments.calls)
    totals = {
        "decoder": arguments.decoded,
        "flips, library": arguments.bytes or length,
        "flips, Python": arguments.flips,
        "library and Python": arguments.agreed,
    }
    # A process that was forked from one that used the native module must not use it.
    context = get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, mp_context=context) as pool:
        for family in FAMILIES:
            claim.judge(pool, family, totals[family])
    return {
        "proof_bytes": length,
        "done": claim.done,
        "fields": fields,
        "named": said,
        "counts": dict(sorted(claim.counts.items())),
        "failures": claim.failures[:20],
    }


def main(argv: Sequence[str]) -> int:
    """Run the claim; 0 if nothing damaged was accepted and no verdict differed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--decoded", type=int, default=1_000_000)
    parser.add_argument("--bytes", type=int, default=0, help="for the library; 0: every byte")
    parser.add_argument("--flips", type=int, default=2_000)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--agreed", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="forget earlier runs")
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    arguments = parser.parse_args(argv)
    if arguments.fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    claim = Claim(arguments.seed)
    summary = run(claim, arguments)
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))
    return int(bool(claim.failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
