"""Tries a trace without proving it: every rule in every row, every message of every bus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from novate.circuit.expressions import Operator
from novate.circuit.form import RuleForm, TableForm, columns_read
from novate.circuit.witness import Message, Trace, Values, messages


class RuleFailure(NamedTuple):
    """A rule that does not hold in a row."""

    table: str
    row: int
    label: str
    values: dict[str, int]
    """The columns it reads, in this row; `name'` in the row below."""


class BusFailure(NamedTuple):
    """A message that is not received as often as it is sent."""

    bus: str
    fields: tuple[int, ...]
    sent: int
    received: int


Failure = RuleFailure | BusFailure


def check_rules(
    form: TableForm, trace: Trace, publics: Mapping[str, int] | None = None
) -> list[RuleFailure]:
    """Every rule of a table in every row."""
    return [
        RuleFailure(form.name, row, rule.label, _seen(form, trace, rule.node, row))
        for rule, row in broken(form, trace, publics)
    ]


def broken(
    form: TableForm, trace: Trace, publics: Mapping[str, int] | None = None
) -> list[tuple[RuleForm, int]]:
    """Every rule that does not hold, with the row: `check_rules` without the values."""
    values = Values(form, trace, len(trace[0]), [(publics or {})[name] for name in form.publics])
    return [
        (rule, row)
        for rule in form.rules
        for row, value in enumerate(values.of(rule.node))
        if value
    ]


def _seen(form: TableForm, trace: Trace, place: int, row: int) -> dict[str, int]:
    """What a rule reads in one row."""
    below = min(row + 1, len(trace[0]) - 1)
    seen = {}
    for number in sorted(columns_read(form, (place,))):
        name = form.columns[number].name
        seen[name] = trace[number][row]
        if any(node == (Operator.NEXT, number, 0) for node in form.nodes):
            seen[f"{name}'"] = trace[number][below]
    return seen


def check_buses(
    forms: Sequence[TableForm], traces: Sequence[Trace], publics: Mapping[str, int] | None = None
) -> list[BusFailure]:
    """Every message: sent as often as received."""
    sent: Counter[Message] = Counter()
    received: Counter[Message] = Counter()
    for form, trace in zip(forms, traces, strict=True):
        for message, count in messages(form, trace, publics):
            (sent if count > 0 else received)[message] += abs(count)
    return [
        BusFailure(bus, fields, sent[bus, fields], received[bus, fields])
        for bus, fields in sorted(sent.keys() | received.keys())
        if sent[bus, fields] != received[bus, fields]
    ]


def check(
    forms: Sequence[TableForm], traces: Sequence[Trace], publics: Mapping[str, int] | None = None
) -> list[Failure]:
    """Everything that is wrong with the traces of a statement's tables; empty if provable."""
    failures: list[Failure] = []
    for form, trace in zip(forms, traces, strict=True):
        failures += check_rules(form, trace, publics)
    return failures + check_buses(forms, traces, publics)
