"""Relations that leave something out: what a verifier that skips a rule or a bus would accept.

A rule that is left out becomes `node − node`, a bus that is left out loses its counts in the same
way. Degrees, places and lengths stay as they are, so the transcript of a proof for the weakened
relation is the one for the real relation until a verifier looks at the values themselves (step 6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from novate.circuit.columns import Origin
from novate.circuit.expressions import Operator
from novate.circuit.form import Node, TableForm
from novate.circuit.relation import Relation

Columns = Mapping[str, Sequence[int]]
"""Values by column, of the rows from the first on."""


def weakened(relation: Relation, left_out: Collection[str]) -> Relation:
    """The relation without some rules (labels) and buses (names). ValueError for a stranger."""
    labels = {rule.label for form in relation.forms for rule in form.rules}
    if strangers := set(left_out) - labels - set(relation.buses):
        raise ValueError(f"neither rules nor buses: {sorted(strangers)}")
    return Relation(tuple(_weakened(form, left_out) for form in relation.forms))


def _weakened(form: TableForm, left_out: Collection[str]) -> TableForm:
    """One table."""
    nodes = list(form.nodes)

    def nothing(node: int) -> int:
        """A node less itself: of its degree, and zero."""
        nodes.append(Node(Operator.SUBTRACT, node, node))
        return len(nodes) - 1

    rules = tuple(
        rule._replace(node=nothing(rule.node)) if rule.label in left_out else rule
        for rule in form.rules
    )
    interactions = tuple(
        i._replace(times=nothing(i.times)) if i.bus in left_out else i for i in form.interactions
    )
    return replace(form, nodes=tuple(nodes), rules=rules, interactions=interactions)


def with_given(relation: Relation, given: Mapping[str, Columns]) -> Relation:
    """The relation with some columns primary: filled as given instead of computed.

    Where a column comes from is the prover's business alone: no verifier sees it.
    """
    forms = []
    for form in relation.forms:
        names = given.get(form.name, {})
        columns = tuple(
            column._replace(origin=Origin.PRIMARY, operands=(), shift=0, bits=0)
            if column.name in names
            else column
            for column in form.columns
        )
        forms.append(replace(form, columns=columns))
    return Relation(tuple(forms))
