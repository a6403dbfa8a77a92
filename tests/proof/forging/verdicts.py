"""Forged proofs before the verifiers: whom they convince, and why the real ones refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from novate.circuit.checker import broken, check_buses
from novate.circuit.form import TableForm
from novate.l1.abi import ContractError
from novate.l1.client import L1, Contract
from novate.lab.verifier_contract import ask
from novate.proof.prover import ProofError, Prover, Words
from novate.proof.verify import Refused, read_key, verify
from tests.proof.forging.buses import buses
from tests.proof.forging.constants import base_windows, poseidon2, range16
from tests.proof.forging.keys import key_windows
from tests.proof.forging.multiplications import multiplications
from tests.proof.forging.scene import Attack, Scene, idle
from tests.proof.forging.signatures import signatures
from tests.proof.forging.trees import trees
from tests.proof.forging.weakened import weakened, with_given

AT_CLOSING = {
    "library": "rejected: Zerocheck(FinalSumMismatch)",
    "python": "6 rules and messages at the point",
    "contract": "ClosingMismatch",
}
"""What a proof is refused with that only the opened values give away."""
AT_FIRST_LAYER = {
    "library": "rejected: Lookup(FractionGkr(LayerConsistency { layer: 0 }))",
    "python": "2.2 layer 0",
    "contract": "LayerMismatch",
}
"""What a proof is refused with whose fractions do not sum to zero."""
FAMILIES = (range16, poseidon2, base_windows, key_windows, multiplications, signatures, trees)


class NotForged(Exception):
    """An attack that does not do what it is for; the message says what happened instead."""


class Judges:
    """The three verifiers of the statement, set up once. Without a contract: two."""

    def __init__(self, chain: tuple[L1, Contract] | None = None) -> None:
        """`chain`: where the contract of the profile's key is deployed."""
        self.prover = Prover(Scene.relation, Scene.profile)
        self.key = read_key(self.prover.key())
        self.chain = chain

    def refusals(self, proof: bytes, publics: Mapping[str, int]) -> dict[str, str]:
        """Why each verifier refuses; empty for one that accepts."""
        found = {"library": "", "python": "", "contract": ""}
        rows = public_rows(publics)
        try:
            self.prover.verify(proof, publics)
        except ProofError as error:
            found["library"] = str(error)
        try:
            verify(self.key, rows, proof)
        except Refused as error:
            found["python"] = str(error)
        if self.chain is None:
            del found["contract"]
            return found
        try:
            ask(*self.chain, rows, proof)
        except ContractError as error:
            found["contract"] = error.name
        return found


def attacks() -> Iterator[Attack]:
    """One for each rule, in no order that matters, then one for each bus."""
    scene = idle()
    traces = scene.traces(Prover(Scene.relation, Scene.profile))
    for family in FAMILIES:
        yield from family(scene, traces)
    yield from buses(scene)


def targets() -> list[str]:
    """What has to be attacked: every label of the relation and every bus, each once."""
    labels = [rule.label for form in Scene.relation.forms for rule in form.rules]
    return [*labels, *Scene.relation.buses]


def forge(attack: Attack) -> bytes:
    """A proof of the attack's witness for the relation without its target.

    NotForged unless the witness violates the target (the checker says so) and nothing else (the
    verifiers of the weakened relation accept). A refusal by the real verifiers shows no violation
    by itself: the messages of the zerocheck depend on every rule, also where it holds.
    """
    left_out = {attack.target, *attack.implied}
    weak = Prover(with_given(weakened(Scene.relation, left_out), attack.given), Scene.profile)
    primary = {
        table: columns | attack.given.get(table, {}) for table, columns in attack.primary.items()
    }
    traces = weak.fill(primary, attack.publics)
    if not is_violated(attack.target, traces, attack.publics):
        raise NotForged(f"{attack.target}: is not violated")
    try:
        proof = weak.prove(traces, attack.publics)
        weak.verify(proof, attack.publics)
        verify(read_key(weak.key()), public_rows(attack.publics), proof)
    except (ProofError, Refused) as error:
        raise NotForged(f"{attack.target}: more is violated: {error}") from error
    return proof


def is_violated(target: str, traces: Sequence[Words], publics: Mapping[str, int]) -> bool:
    """Whether the checker finds a rule or bus of the real relation violated."""
    forms = Scene.relation.forms
    if target in Scene.relation.buses:
        on_bus = [
            replace(form, interactions=tuple(i for i in form.interactions if i.bus == target))
            for form in forms
        ]
        return bool(check_buses(on_bus, [trace.tolist() for trace in traces], publics))
    place = [form.name for form in forms].index(target.split("/")[0])
    rules = tuple(rule for rule in forms[place].rules if rule.label == target)
    return _is_broken(replace(forms[place], rules=rules), traces[place], publics)


def _is_broken(form: TableForm, trace: Words, publics: Mapping[str, int]) -> bool:
    """Whether a rule of a table is broken in any row; the last and first rows are tried before.

    Three rows at an end are a small trace: but for the one inside, selectors and next rows are
    those of the whole.
    """
    if any(row > 0 for _, row in broken(form, trace[:, -3:].tolist(), publics)):
        return True
    if any(row < 2 for _, row in broken(form, trace[:, :3].tolist(), publics)):
        return True
    return bool(broken(form, trace.tolist(), publics))


def public_rows(publics: Mapping[str, int]) -> list[list[int]]:
    """Public values, for each table."""
    return [[publics[name] for name in form.publics] for form in Scene.relation.forms]
