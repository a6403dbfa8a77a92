"""A few of the proofs of `novate claims forged`: one a table and bus kind, refused at the closing.

The claim forges one for every rule and bus and asks the contract as well; here library and Python
judge, and one proof of each kind goes to the contract.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from novate.circuit.checker import check_buses, check_rules
from novate.l1.abi import load
from novate.l1.anvil import Anvil
from novate.lab.verifier_contract import VERIFIER, deploy_verifier, verifier_artifacts
from novate.proof.contract.parts import parts_of
from novate.proof.prover import Prover
from novate.proof.verify import read_key
from tests.l1.chain import START, running
from tests.proof.forging.buses import SPOILED
from tests.proof.forging.constants import range16
from tests.proof.forging.reduction import CHECKED_IN, crate_source, without_checks
from tests.proof.forging.scene import Attack, Scene, idle
from tests.proof.forging.trees import trees
from tests.proof.forging.verdicts import AT_CLOSING, Judges, NotForged, forge, targets
from tests.proof.forging.weakened import weakened

RULES = (
    "range16/value_step",
    "merkle_update/untouched_is_unchanged_3",
    "cancel_all/all_are_counted",
    "roots/active_bit",
)
BUSES = ("range16", "node", "key_multiple", "signed")


@pytest.fixture(name="judges", scope="module")
def _judges() -> Iterator[Judges]:
    with running(Anvil(START)) as chain:
        chain.l1.errors = type(chain.l1.errors)(verifier_artifacts())
        key = read_key(Prover(Scene.relation, Scene.profile).key())
        contract = deploy_verifier(chain.l1, chain.wallet(), parts_of(key), load(VERIFIER))
        yield Judges((chain.l1, contract))


@pytest.fixture(name="known", scope="module")
def _known() -> dict[str, Attack]:
    """Attacks that take no time to set up."""
    scene = idle()
    traces = scene.traces(Prover(Scene.relation, Scene.profile))
    found = [*range16(scene, traces), *trees(scene, traces)]
    found += [SPOILED[bus](scene).attack(bus) for bus in BUSES]
    return {attack.target: attack for attack in found}


@pytest.mark.slow
@pytest.mark.parametrize("target", [*RULES, *BUSES])
def test_forged_proof_is_refused(judges: Judges, known: dict[str, Attack], target: str) -> None:
    """Accepted by the verifiers of the relation without the target, refused by those with it."""
    forged = forge(known[target])
    assert judges.refusals(forged, known[target].publics) == AT_CLOSING


@pytest.mark.slow
def test_only_exact_attacks_forge(known: dict[str, Attack]) -> None:
    attack = known["merkle_update/untouched_is_unchanged_3"]
    with pytest.raises(NotForged, match="more is violated"):
        forge(Attack(attack.target, attack.primary, attack.publics | {"messages": 1}))
    kept = Attack("roots/active_bit", attack.primary, attack.publics, implied=(attack.target,))
    with pytest.raises(NotForged, match="is not violated"):
        forge(kept)


def test_the_idle_scene_is_valid() -> None:
    """What every attack starts from violates nothing."""
    scene = idle()
    traces = scene.traces(Prover(Scene.relation, Scene.profile))
    for form in Scene.relation.forms:
        if form.name in ("merkle_update", "cancel_all", "roots", "signature"):
            assert check_rules(form, traces[form.name], scene.publics) == []
    assert (
        check_buses(
            Scene.relation.forms,
            [traces[form.name] for form in Scene.relation.forms],
            scene.publics,
        )
        == []
    )


def test_every_rule_and_bus_is_a_target() -> None:
    found = targets()
    assert len(found) == len(set(found)) == 526


def test_weakened_keeps_the_shape() -> None:
    """Degrees and lengths are the same: nothing but step 6 can tell the two relations apart."""
    left_out = ("roots/active_bit", "node")
    weak = weakened(Scene.relation, left_out)
    assert weak.digest() != Scene.relation.digest()
    for ours, theirs in zip(
        read_key(Prover(weak, Scene.profile).key()).tables,
        read_key(Prover(Scene.relation, Scene.profile).key()).tables,
        strict=True,
    ):
        assert ours.rule_degree() == theirs.rule_degree()
        assert ours.message_degree() == theirs.message_degree()
        assert ours.next_columns == theirs.next_columns
    with pytest.raises(ValueError, match="neither rules nor buses"):
        weakened(Scene.relation, ("roots/no_such_rule",))


def test_edit_of_the_library_fits_the_pinned_source() -> None:
    """The claim's edited prover can be made: the checks that it cuts out are where they were."""
    source = (crate_source() / CHECKED_IN).read_text()
    assert "sum to zero" not in "".join(
        line for line in without_checks(source).splitlines() if "assert" in line
    )
    with pytest.raises(ValueError, match="0 checks found"):
        without_checks("fn main() {}\n")
