"""Verifying keys as data: what `keys/` holds and a verifier reads."""

from __future__ import annotations

from typing import Any

from novate.circuit.relation import Relation
from novate.native import Prover as Core
from novate.proof.profiles import Profile

ROUND_FIELDS = ("ood", "pow_bits", "queries", "log_leaves", "log_inv_rate", "fold_pow_bits")


def key_data(relation: Relation, profile: Profile, core: Core) -> dict[str, Any]:
    """The key of a relation under a profile, for JSON."""
    (initial_ood, initial_pow), rounds, final, final_variables = core.schedule()
    places = {bus: place for place, bus in enumerate(relation.buses)}
    tables = [
        {
            "name": form.name,
            "width": len(form.columns),
            "nodes": [[int(word) for word in node] for node in form.nodes],
            "rules": [rule.node for rule in form.rules],
            "interactions": [
                {
                    "bus": places[i.bus],
                    "fields": list(i.fields),
                    "times": i.times,
                    "weight": i.weight,
                }
                for i in form.interactions
            ],
            "publics": list(form.publics),
        }
        for form in relation.forms
    ]
    return {
        "relation": relation.digest(),
        "profile": profile.name,
        "tables": tables,
        "log_rows": [profile.log_rows[form.name] for form in relation.forms],
        "sumcheck_pow_bits": profile.sumcheck_pow_bits,
        "whir": {
            "security_level": profile.security_level,
            "pow_bits": profile.pow_bits,
            "starting_log_inv_rate": profile.starting_log_inv_rate,
            "folds": list(profile.folds),
            "initial_ood": initial_ood,
            "initial_fold_pow_bits": initial_pow,
            "rounds": [dict(zip(ROUND_FIELDS, entry, strict=True)) for entry in rounds],
            "final": dict(zip(ROUND_FIELDS, final, strict=True)),
            "final_variables": final_variables,
        },
    }
