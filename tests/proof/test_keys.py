"""Verifying keys are committed, and pinned: a changed rule, label or parameter changes a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from novate.circuit.expressions import Expression
from novate.proof.profiles import SECURITY_BITS_MIN, Profile
from novate.proof.prover import Prover
from novate.proof.statements import SHIPPED, TREE_DEPTH, signed_updates_relation
from novate.tables import signed_updates
from novate.tables.cancel_all import CancelAllTable

KEYS = Path(__file__).resolve().parents[2] / "keys"


@pytest.mark.parametrize("profile", SHIPPED, ids=lambda profile: profile.name)
def test_key_file_is_the_statements(profile: Profile) -> None:
    prover = Prover(signed_updates_relation(), profile)
    kept = json.loads((KEYS / f"signed_updates.{profile.name}.json").read_text())
    assert kept == json.loads(json.dumps(prover.key()))
    assert prover.security_bits >= SECURITY_BITS_MIN
    assert len(prover.security_terms) == 10, "printed by tools/render_keys.py"


def test_digest_changes_with_any_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule made weaker in its expression alone, everything else the same."""
    before = signed_updates.relation(TREE_DEPTH).digest()

    def weaker(self: CancelAllTable) -> Expression:
        """One more than there is room for."""
        return self.active * (self.cancel_epoch * 0 + self.room * 0)

    monkeypatch.setattr(CancelAllTable, "epoch_has_room", weaker)
    weaker.__dict__.update(rule_on=None, is_rule=True)
    assert signed_updates.relation(TREE_DEPTH).digest() != before
    monkeypatch.undo()
    assert signed_updates.relation(TREE_DEPTH).digest() == before
    assert signed_updates.relation(TREE_DEPTH - 1).digest() != before
