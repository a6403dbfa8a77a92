"""Damaged proofs: no decoder crashes, no verifier accepts, both verifiers say the same.

    python tests/claims/proof.py --decoded 1000000 --flips 0 --agreed 10000 --seed 1 --out s.json

`decoded` inputs go through the decoder alone: an error, or bytes that encode to themselves.
`flips` bytes of a `minimal` proof are flipped one by one (0: every byte) for the library's
verifier. `agreed` damaged proofs are judged by the library and by the Python verifier. Exit status
1 when a damaged proof was accepted, a verdict differed or anything unexpected was raised.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from novate.lab.progress import Progress
from novate.lab.prove_demo import DOMAIN, accounts_and_messages
from novate.proof.prover import ProofError, Prover
from novate.proof.statements import MINIMAL, signed_updates_relation
from novate.proof.verify import Key, Refused, read_key, verify
from novate.tables.signed_updates import witness


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
        word = random.choice((0, 1, 2**64 - 2**32 + 1, 2**64 - 2**32, 2**64 - 1))
        data[at : at + 8] = word.to_bytes(8, "little")
    elif kind == 5:
        del data[at : at + random.choice((1, 8, 24, 32))]
    elif kind == 6:
        data[at:at] = data[at : at + random.choice((1, 8, 24, 32))]
    else:
        data = data[:at] if random.random() < 0.5 else data + random.randbytes(8)
    return bytes(data)


class Claim:
    """One proof, and what becomes of damaged copies of it."""

    def __init__(self, seed: int) -> None:
        """Prove a minimal statement."""
        self.random = Random(seed)
        self.prover = Prover(signed_updates_relation(), MINIMAL)
        tree, updates = accounts_and_messages(8, seed)
        made = witness(DOMAIN, tree, updates)
        self.publics = made.publics
        self.proof = self.prover.prove(self.prover.fill(made.primary, made.publics), made.publics)
        self.key: Key = read_key(self.prover.key())
        self.rows = [[made.publics[n] for n in f.publics] for f in self.prover.relation.forms]
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.progress = Progress()

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

    def decode(self) -> None:
        """One input for the decoder."""
        data = damaged(self.proof, self.random)
        try:
            if self.prover.recode(data) != data:
                self.failures.append("a second encoding")
            self.counts["decoded: a proof's shape"] += 1
        except ProofError as error:
            self.counts[f"decoded: {str(error).split(':')[0]}"] += 1

    def flip(self, at: int) -> None:
        """One byte changed, for the library."""
        data = bytearray(self.proof)
        data[at] ^= 1 << self.random.randrange(8)
        refusal = self.library(bytes(data))
        self.counts[f"flip: {refusal.split(':')[0] or 'accepted'}"] += 1
        if not refusal:
            self.failures.append(f"byte {at} changed and accepted")

    def agree(self) -> None:
        """One damaged proof, for both verifiers."""
        data = damaged(self.proof, self.random)
        verdicts = not self.library(data), not self.readable(data)
        same = data == self.proof
        self.counts[f"agreed: {'accepted' if verdicts[0] else 'refused'}"] += 1
        if verdicts != (same, same):
            self.failures.append(f"library {verdicts[0]}, Python {verdicts[1]}")

    def repeat(self, title: str, count: int, work: Callable[[int], None]) -> None:
        """Do something many times, with progress."""
        self.progress.stage(title)
        for place in range(count):
            work(place)
            if place % 500 == 0:
                self.progress.at(place, count, f"{len(self.failures)} failures")


def main(argv: Sequence[str]) -> int:
    """Run the claim; 0 if nothing damaged was accepted and no verdict differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoded", type=int, default=1_000_000)
    parser.add_argument("--flips", type=int, default=0, help="0: every byte")
    parser.add_argument("--agreed", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    claim = Claim(arguments.seed)
    length = len(claim.proof)
    places = list(range(length))
    if arguments.flips:
        places = sorted(claim.random.sample(places, min(length, arguments.flips)))
    claim.repeat("decoder", arguments.decoded, lambda _: claim.decode())
    claim.repeat("flips, library", len(places), lambda place: claim.flip(places[place]))
    claim.repeat("both verifiers", arguments.agreed, lambda _: claim.agree())
    summary = {
        "proof_bytes": length,
        "decoded": arguments.decoded,
        "flips": len(places),
        "agreed": arguments.agreed,
        "counts": dict(sorted(claim.counts.items())),
        "failures": claim.failures[:20],
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    for name, count in summary["counts"].items():
        print(f"{name:<40} {count:>10,}")
    print(f"failures: {len(claim.failures)}")
    return int(bool(claim.failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
