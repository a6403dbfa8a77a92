"""A relation: the tables that are proved together, and their form as words for the Rust core.

The words say everything that a prover or verifier computes with, names aside: what is wrong is
reported by number and named here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import numpy as np

from novate.circuit.form import CircuitError, TableForm, compile_table
from novate.circuit.tables import Table

WORDS_VERSION: Final = 1


@dataclass(frozen=True)
class Relation:
    """Tables in the order of their statement."""

    forms: tuple[TableForm, ...]

    @property
    def buses(self) -> tuple[str, ...]:
        """Names of all buses, sorted; a message says its bus by place."""
        found = {i.bus for form in self.forms for i in form.interactions}
        return tuple(sorted(found))

    def words(self) -> np.ndarray:
        """The relation as uint64 words (n,)."""
        places = {bus: place for place, bus in enumerate(self.buses)}
        found = [WORDS_VERSION, len(self.forms)]
        for form in self.forms:
            found += _table_words(form, places)
        return np.array(found, dtype=np.uint64)

    def digest(self) -> str:
        """SHA-256 of names and words: changes with any rule, message, column or label."""
        labels = [
            (form.name, [c.name for c in form.columns], [r.label for r in form.rules])
            for form in self.forms
        ]
        hashed = sha256(repr((self.buses, labels)).encode())
        hashed.update(self.words().astype("<u8").tobytes())
        return hashed.hexdigest()


def compile_relation(tables: Sequence[Table]) -> Relation:
    """The tables compiled. CircuitError unless names are distinct and every bus has both ends."""
    forms = tuple(compile_table(table) for table in tables)
    names = [form.name for form in forms]
    for name in names:
        if names.count(name) > 1:
            raise CircuitError(f"table {name} is there twice")
    _require_both_ends(forms)
    return Relation(forms)


def _require_both_ends(forms: Sequence[TableForm]) -> None:
    """Every bus has a sender, a receiver and one number of fields."""
    widths: dict[str, int] = {}
    ends: dict[str, set[bool]] = {}
    for form in forms:
        for interaction in form.interactions:
            bus, width = interaction.bus, len(interaction.fields)
            if widths.setdefault(bus, width) != width:
                raise CircuitError(f"bus {bus}: {width} fields in {form.name}, {widths[bus]} else")
            ends.setdefault(bus, set()).add(interaction.weight > 0)
    for bus, found in ends.items():
        if len(found) < 2:
            end = "receives" if found == {True} else "sends"
            raise CircuitError(f"bus {bus}: no table {end}")


def _table_words(form: TableForm, buses: dict[str, int]) -> list[int]:
    """One table: counts first, then columns, their order, nodes, rules, messages."""
    found = [len(form.columns), len(form.nodes), len(form.rules), len(form.interactions)]
    found.append(len(form.publics))
    for column in form.columns:
        found += [column.origin, column.shift, column.bits, len(column.operands), *column.operands]
    found += form.order
    for node in form.nodes:
        found += node
    found += [rule.node for rule in form.rules]
    for i in form.interactions:
        found += [buses[i.bus], i.times, i.weight, len(i.fields), *i.fields]
    return [int(word) for word in found]
