"""The relation's digest is pinned by its key files, and no rule, message or column escapes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from novate.circuit.columns import Origin
from novate.circuit.expressions import Operator
from novate.circuit.form import Node, TableForm
from novate.circuit.relation import Relation
from novate.proof.statements import signed_updates_relation

RELATION = signed_updates_relation()
RULES = 515
KEYS = sorted((Path(__file__).resolve().parents[2] / "keys").glob("signed_updates.*.json"))


def test_digest_is_the_pinned_one() -> None:
    assert KEYS
    for path in KEYS:
        assert json.loads(path.read_text())["relation"] == RELATION.digest(), path.name


def alone(form: TableForm) -> str:
    """The digest of one table: what the relation's digest holds of it, and nothing else."""
    return Relation((form,)).digest()


def other_rules(form: TableForm) -> Iterator[tuple[str, TableForm]]:
    """Each rule in turn: another expression, another label, left out, exchanged with the next."""
    for place, rule in enumerate(form.rules):
        nodes = (*form.nodes, Node(Operator.ADD, rule.node, rule.node))
        for change in ({"node": len(form.nodes)}, {"label": f"{rule.label}_of_another_name"}):
            rules = list(form.rules)
            rules[place] = rule._replace(**change)
            yield rule.label, replace(form, nodes=nodes, rules=tuple(rules))
        fewer = form.rules[:place] + form.rules[place + 1 :]
        yield rule.label, replace(form, nodes=nodes, rules=fewer)


def other_nodes(form: TableForm) -> Iterator[tuple[str, TableForm]]:
    """Each node in turn: another operation; another column, public value or constant."""
    for place, node in enumerate(form.nodes):
        nodes = list(form.nodes)
        if node.operator <= Operator.CONSTANT:
            nodes[place] = node._replace(left=node.left + 1)
        else:
            nodes[place] = node._replace(operator=Operator((node.operator + 1) % len(Operator)))
        yield f"node {place}", replace(form, nodes=tuple(nodes))


def other_messages(form: TableForm) -> Iterator[tuple[str, TableForm]]:
    """Each message in turn: another bus, count, weight, field."""
    for place, message in enumerate(form.interactions):
        fields = (message.times, *message.fields[1:])
        changes: list[dict[str, object]] = [
            {"bus": f"{message.bus}_of_another_name"},
            {"times": message.fields[0]},
            {"weight": message.weight + 1},
            {"fields": fields},
        ]
        for change in changes:
            interactions = list(form.interactions)
            interactions[place] = message._replace(**change)  # type: ignore[arg-type]
            if tuple(interactions) != form.interactions:
                yield f"message {place}", replace(form, interactions=tuple(interactions))


def other_columns(form: TableForm) -> Iterator[tuple[str, TableForm]]:
    """Each column in turn: another name, another origin."""
    for place, column in enumerate(form.columns):
        origin = Origin.SCAN if column.origin == Origin.PRIMARY else Origin.PRIMARY
        for change in ({"name": f"{column.name}_of_another_name"}, {"origin": origin}):
            columns = list(form.columns)
            columns[place] = column._replace(**change)  # type: ignore[arg-type]
            yield column.name, replace(form, columns=tuple(columns))


def test_any_change_of_a_rule_changes_the_relations_digest() -> None:
    """Of each rule of each table: expression, label, presence."""
    before, seen = RELATION.digest(), set()
    for place, form in enumerate(RELATION.forms):
        for label, changed in other_rules(form):
            forms = list(RELATION.forms)
            forms[place] = changed
            assert Relation(tuple(forms)).digest() != before, label
            seen.add(label)
    assert len(seen) == RULES == sum(len(form.rules) for form in RELATION.forms)


@pytest.mark.parametrize("form", RELATION.forms, ids=lambda form: form.name)
def test_any_change_of_a_table_changes_its_digest(form: TableForm) -> None:
    """Of each node, message and column."""
    before, seen = alone(form), 0
    for family in (other_nodes, other_messages, other_columns):
        for name, changed in family(form):
            assert alone(changed) != before, f"{family.__name__}: {name}"
            seen += 1
    assert seen >= len(form.nodes) + 3 * len(form.interactions) + 2 * len(form.columns)
