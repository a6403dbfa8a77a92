"""The verifying key: tables, heights and the schedule. Nothing of it is in a proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from novate.proof.verifier.transcript import u


@dataclass(frozen=True)
class Interaction:
    """What each row of a table adds to a bus."""

    bus: int
    fields: tuple[int, ...]
    times: int
    weight: int


@dataclass(frozen=True)
class Table:
    """A table: rules and messages over nodes, at one height."""

    log_rows: int
    width: int
    nodes: tuple[tuple[int, int, int], ...]
    rules: tuple[int, ...]
    interactions: tuple[Interaction, ...]
    publics: int

    @property
    def next_columns(self) -> list[int]:
        """Columns read in the row below, sorted."""
        return sorted({left for operator, left, _ in self.nodes if operator == 1})

    def degrees(self) -> list[int]:
        """Degree of every node in columns and selectors, without cancellation."""
        degrees: list[int] = []
        for operator, left, right in self.nodes:
            if operator < 7:
                degrees.append(0 if operator in (2, 3) else 1)
            elif operator == 9:
                degrees.append(degrees[left] + degrees[right])
            else:
                degrees.append(max(degrees[left], degrees[right]))
        return degrees

    def rule_degree(self) -> int:
        """Highest degree of a rule."""
        degrees = self.degrees()
        return max((degrees[rule] for rule in self.rules), default=0)

    def message_degree(self) -> int:
        """Highest degree of a message's field or count."""
        degrees = self.degrees()
        read = [node for i in self.interactions for node in (*i.fields, i.times)]
        return max((degrees[node] for node in read), default=0)


@dataclass(frozen=True)
class Round:
    """A round of WHIR; the last entry of a schedule is its end and has no answers and no fold."""

    ood: int
    pow_bits: int
    queries: int
    log_leaves: int
    log_inv_rate: int
    fold_pow_bits: int

    @property
    def opened(self) -> int:
        """Rows opened: all of them if there are no more than queries."""
        return min(self.queries, 1 << self.log_leaves)


@dataclass(frozen=True)
class Key:
    """Everything a verifier knows of a statement besides public values and proof."""

    tables: tuple[Table, ...]
    sumcheck_pow_bits: int
    security_level: int
    pow_bits: int
    starting_log_inv_rate: int
    folds: tuple[int, ...]
    """As the profile states them; the first `len(rounds)` are used."""
    initial_ood: int
    initial_fold_pow_bits: int
    rounds: tuple[Round, ...]
    final: Round
    final_variables: int

    @property
    def variables(self) -> int:
        """log2 of the stacked cells."""
        cells = sum(table.width << table.log_rows for table in self.tables)
        return (cells - 1).bit_length()

    @property
    def lookup_layers(self) -> int:
        """Layers of the reduction of fractions: log2 of its leaves; 0 without lookups."""
        leaves = sum(len(table.interactions) << table.log_rows for table in self.tables)
        return (leaves - 1).bit_length() if leaves else 0

    @property
    def zerocheck_rounds(self) -> int:
        """Variables of the zerocheck."""
        return max(self.lookup_layers, *(table.log_rows for table in self.tables))

    @property
    def zerocheck_degree(self) -> int:
        """Values sent in each of its rounds."""
        return 1 + max(max(t.rule_degree(), t.message_degree()) for t in self.tables)

    @property
    def stack_chunks(self) -> list[bytes]:
        """B: the shape of the stacked columns, part of many labels."""
        chunks = [u(self.variables), b"\x01", b"\x00", u(len(self.tables))]
        for table in self.tables:
            chunks += [u(table.log_rows), u(table.width)]
        return chunks


def read_key(data: Mapping[str, Any]) -> Key:
    """The key of a key file."""
    tables = []
    for table, log_rows in zip(data["tables"], data["log_rows"], strict=True):
        interactions = tuple(
            Interaction(i["bus"], tuple(i["fields"]), i["times"], i["weight"])
            for i in table["interactions"]
        )
        nodes = tuple((int(a), int(b), int(c)) for a, b, c in table["nodes"])
        rules = tuple(table["rules"])
        tables.append(
            Table(log_rows, table["width"], nodes, rules, interactions, len(table["publics"]))
        )
    whir = data["whir"]
    return Key(
        tables=tuple(tables),
        sumcheck_pow_bits=data["sumcheck_pow_bits"],
        security_level=whir["security_level"],
        pow_bits=whir["pow_bits"],
        starting_log_inv_rate=whir["starting_log_inv_rate"],
        folds=tuple(whir["folds"]),
        initial_ood=whir["initial_ood"],
        initial_fold_pow_bits=whir["initial_fold_pow_bits"],
        rounds=tuple(Round(**entry) for entry in whir["rounds"]),
        final=Round(**whir["final"]),
        final_variables=whir["final_variables"],
    )
