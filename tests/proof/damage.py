"""Damaged copies of one proof, and what library and Python verifier say of them.

Every piece of damage is a function of seed, family and number, so that pieces can be judged in any
order, by several processes, and a run that was cut off can go on. Used by `novate claims proof`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import NamedTuple

from novate.circuit.expressions import P
from novate.lab.prove_demo import DOMAIN, accounts_and_messages, public_rows
from novate.proof.prover import ProofError, Prover
from novate.proof.statements import MINIMAL, signed_updates_relation
from novate.proof.verify import Refused, read_key, verify
from novate.tables.signed_updates import witness

PROOF, PUBLICS = "proof.bin", "publics.json"


def damaged(proof: bytes, random: Random) -> bytes:
    """A bit, a byte or a word changed, a stretch repeated or left out, a cut, random bytes."""
    data = bytearray(proof)
    at = random.randrange(len(data))
    kind = random.randrange(8)
    if kind < 3:
        data[at] ^= 1 << random.randrange(8)
    elif kind == 3:
        data[at] = random.choice((0, 1, 127, 128, 255))
    elif kind == 4:
        word = random.choice((0, 1, P, P - 1, 2**64 - 1))
        data[at : at + 8] = word.to_bytes(8, "little")
    elif kind == 5:
        del data[at : at + random.choice((1, 8, 24, 32))]
    elif kind == 6:
        data[at:at] = data[at : at + random.choice((1, 8, 24, 32))]
    else:
        data = data[:at] if random.random() < 0.5 else data + random.randbytes(8)
    return bytes(data)


def flipped(proof: bytes, at: int, random: Random) -> bytes:
    """Another byte in a place."""
    data = bytearray(proof)
    data[at] ^= random.randrange(1, 256)
    return bytes(data)


class Found(NamedTuple):
    """What became of some damaged proofs."""

    counts: Counter[str]
    failures: list[str]


class Subject:
    """A proof of a minimal statement, and its two verifiers in this process."""

    def __init__(self, folder: Path, seed: int) -> None:
        """The proof of a folder; proved and put there if it holds none."""
        self.prover = Prover(signed_updates_relation(), MINIMAL)
        self.key = read_key(self.prover.key())
        name = sha256(f"{self.prover.relation.digest()} {MINIMAL} {seed}".encode()).hexdigest()
        self.folder = folder / name[:16]
        """Of this relation, profile and seed."""
        if not (self.folder / PUBLICS).exists():
            self._prove(seed)
        self.proof = (self.folder / PROOF).read_bytes()
        self.publics: dict[str, int] = json.loads((self.folder / PUBLICS).read_text())
        self.rows = public_rows(self.prover, self.publics)
        self.prover.verify(self.proof, self.publics)
        verify(self.key, self.rows, self.proof)

    def _prove(self, seed: int) -> None:
        """Make the folder; the public values are written last."""
        made = witness(DOMAIN, *accounts_and_messages(8, seed))
        proof = self.prover.prove(self.prover.fill(made.primary, made.publics), made.publics)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / PROOF).write_bytes(proof)
        (self.folder / PUBLICS).write_text(json.dumps(made.publics))

    def library(self, proof: bytes) -> str:
        """The library's refusal; empty if it accepts."""
        try:
            self.prover.verify(proof, self.publics)
        except ProofError as error:
            return str(error)
        return ""

    def readable(self, proof: bytes) -> str:
        """The Python verifier's refusal; empty if it accepts."""
        try:
            verify(self.key, self.rows, proof)
        except Refused as error:
            return str(error)
        return ""


def decode(subject: Subject, _: int, random: Random, found: Found) -> None:
    """One input for the decoder: refused with a reason, or it encodes to itself."""
    data = damaged(subject.proof, random)
    try:
        if subject.prover.recode(data) != data:
            found.failures.append("a second encoding")
        found.counts["a proof's shape"] += 1
    except ProofError as error:
        found.counts[str(error).split(":")[0]] += 1


def flip_for_library(subject: Subject, number: int, random: Random, found: Found) -> None:
    """Byte `number` changed."""
    refusal = subject.library(flipped(subject.proof, number, random))
    found.counts[refusal.split("(")[0] if refusal.startswith("rejected") else refusal[:6]] += 1
    if not refusal:
        found.failures.append(f"library: byte {number} changed and accepted")


def flip_for_python(subject: Subject, _: int, random: Random, found: Found) -> None:
    """A random byte changed."""
    at = random.randrange(len(subject.proof))
    refusal = subject.readable(flipped(subject.proof, at, random))
    found.counts[f"step {refusal.split(' ')[0]}"] += 1
    if not refusal:
        found.failures.append(f"Python: byte {at} changed and accepted")


def agree(subject: Subject, _: int, random: Random, found: Found) -> None:
    """One damaged proof for both verifiers: refused by both, unless it is the proof itself."""
    data = damaged(subject.proof, random)
    verdicts = not subject.library(data), not subject.readable(data)
    same = data == subject.proof
    found.counts["accepted" if verdicts[0] else "refused"] += 1
    if verdicts != (same, same):
        found.failures.append(f"library {verdicts[0]}, Python {verdicts[1]}")


FAMILIES: dict[str, Callable[[Subject, int, Random, Found], None]] = {
    "decoder": decode,
    "flips, library": flip_for_library,
    "flips, Python": flip_for_python,
    "library and Python": agree,
}


class Work(NamedTuple):
    """Some pieces of damage of one family."""

    folder: Path
    seed: int
    family: str
    first: int
    count: int


_subjects: dict[tuple[Path, int], Subject] = {}


def judge(work: Work) -> Found:
    """Do some work, in a process that keeps its subject."""
    place = work.folder, work.seed
    if place not in _subjects:
        _subjects[place] = Subject(*place)
    found = Found(Counter(), [])
    for number in range(work.first, work.first + work.count):
        random = Random(f"{work.seed} {work.family} {number}")
        FAMILIES[work.family](_subjects[place], number, random, found)
    return found
