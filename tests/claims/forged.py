"""Every rule and every bus is enforced: a forged proof for each, refused by all three verifiers.

    novate claims forged

For each constraint label and each bus of `signed_updates`, a witness that violates it and nothing
else (tests/proof/forging), proved by an honest run of the protocol for the relation without it. The
checker finds the target violated; the verifiers of the weakened relation (library, Python) accept
the proof, so nothing else is: it is what passes wherever this one rule or bus is skipped. The
verifiers of the real relation (library, Python, and the contract on anvil) must refuse it, and at
the closing check, which is the only one that can see it.
For two labels no such witness exists, because other rules imply them; there the witness violates
those as well, and they are left out with it.

Then each bus once more with `--reduction`: the pinned library with its refusal to prove unbalanced
buses edited out (tests/proof/forging/reduction.py) proves the real relation on the same witness;
all three verifiers must refuse the proof at the first layer of the reduction.

What was refused is kept in build/claims/forged.json by relation, profile, contract and target: a
run that was cut off goes on there. Exit status 1 when an attack does not forge, a proof is
accepted, or a rule or bus was not attacked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from novate.l1.abi import load
from novate.l1.anvil import Anvil
from novate.l1.client import L1
from novate.l1.wallet import funded_wallet
from novate.lab.progress import Progress
from novate.lab.verifier_contract import (
    GENESIS_TIME,
    VERIFIER,
    deploy_verifier,
    verifier_artifacts,
)
from novate.proof.contract.parts import parts_of
from novate.proof.prover import Prover
from novate.proof.verify import read_key
from tests.proof.forging.reduction import Forger
from tests.proof.forging.scene import Attack, Scene
from tests.proof.forging.verdicts import (
    AT_CLOSING,
    AT_FIRST_LAYER,
    Judges,
    NotForged,
    attacks,
    forge,
    targets,
)

TARGETS = len(targets())
STATE = Path(__file__).resolve().parents[2] / "build" / "claims" / "forged.json"


class Claim:
    """What became of each target so far."""

    def __init__(self, judges: Judges) -> None:
        """Go on where a run for the same relation, profile and contract was cut off."""
        self.judges = judges
        contract = sha256(load(VERIFIER).bytecode).hexdigest()
        self.name = f"{Scene.relation.digest()} {Scene.profile} {contract}"
        kept = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.refused: dict[str, dict[str, str]] = kept.get(self.name, {})
        self.failures: list[str] = []

    def judge(self, target: str, proof: bytes, attack: Attack, expected: dict[str, str]) -> None:
        """Ask all verifiers; note what they say."""
        found = self.judges.refusals(proof, attack.publics)
        if found != expected:
            self.failures.append(f"{target}: {found}, expected {expected}")
            return
        self.refused[target] = found
        STATE.parent.mkdir(parents=True, exist_ok=True)
        waiting = STATE.with_suffix(".new")
        waiting.write_text(json.dumps({self.name: self.refused}, indent=1) + "\n")
        os.replace(waiting, STATE)


@contextmanager
def judges_on_anvil() -> Iterator[Judges]:
    """The three verifiers; the contract stands on an anvil of its own."""
    prover = Prover(Scene.relation, Scene.profile)
    with Anvil(GENESIS_TIME) as anvil, anvil.rpc() as rpc:
        l1 = L1(rpc, verifier_artifacts())
        wallet = funded_wallet(0, l1.chain_id())
        parts = parts_of(read_key(prover.key()))
        yield Judges((l1, deploy_verifier(l1, wallet, parts, load(VERIFIER))))


def closing(claim: Claim, known: Iterator[Attack], progress: Progress) -> list[Attack]:
    """A proof of each attack for the relation without its target; the attacks."""
    progress.stage(f"rules and buses left out one at a time: {len(claim.refused)} done before")
    found = []
    for place, attack in enumerate(known):
        found.append(attack)
        progress.at(place, TARGETS, f"{attack.target}, {len(claim.failures)} failures")
        if attack.target in claim.refused:
            continue
        try:
            proof = forge(attack)
        except NotForged as error:
            claim.failures.append(str(error))
        else:
            claim.judge(attack.target, proof, attack, AT_CLOSING)
    return found


def reduction(claim: Claim, waiting: Sequence[Attack], progress: Progress) -> None:
    """A proof of each attack on a bus for the real relation, by the edited library."""
    progress.stage("building the edited library")
    forger = Forger()
    progress.stage(f"{len(waiting)} unbalanced buses")
    for attack in waiting:
        name = f"unbalanced: {attack.target}"
        claim.judge(name, forger.prove(attack), attack, AT_FIRST_LAYER)


def main(argv: Sequence[str]) -> int:
    """Run the claim; 0 if every rule and bus was attacked and every proof refused."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--reduction", action="store_true", help="with the edited library as well")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    arguments = parser.parse_args(argv)
    if arguments.fresh:
        STATE.unlink(missing_ok=True)
    progress = Progress()
    with judges_on_anvil() as judges:
        claim = Claim(judges)
        known = closing(claim, attacks(), progress)
        if arguments.reduction:
            unbalanced = [a for a in known if a.target in Scene.relation.buses]
            left = [a for a in unbalanced if f"unbalanced: {a.target}" not in claim.refused]
            reduction(claim, left, progress)
    claim.failures += [
        f"{target}: not attacked" for target in targets() if target not in claim.refused
    ]
    reasons = Counter(
        f"{judge}: {reason}" for found in claim.refused.values() for judge, reason in found.items()
    )
    summary = {
        "relation": Scene.relation.digest(),
        "rules": TARGETS - len(Scene.relation.buses),
        "buses": len(Scene.relation.buses),
        "proofs": len(claim.refused),
        "implied": {attack.target: attack.implied for attack in known if attack.implied},
        "reasons": dict(sorted(reasons.items())),
        "failures": claim.failures[:20],
    }
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    print(json.dumps(summary, indent=1))
    return int(bool(claim.failures))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
