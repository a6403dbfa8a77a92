"""Step 4: all columns of all tables are one multilinear; opened values are claims about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from novate.proof.verifier.field import ONE, K, eq, mul, powers_point, product, sub, successor
from novate.proof.verifier.key import Key, Table
from novate.proof.verifier.messages import Messages
from novate.proof.verifier.transcript import Transcript, atom, require, u

Weight = Callable[[Sequence[K]], K]
"""The multilinear that a claim sums the stacked columns against, at a point."""


@dataclass(frozen=True)
class Claim:
    """The stacked multilinear, summed against a weight, has a value."""

    weight: Weight
    value: K


def read_answers(key: Key, messages: Messages, transcript: Transcript) -> list[Claim]:
    """Answers out of domain: the stacked multilinear at points drawn after its commitment."""
    steps = [
        atom("Challenge", "virtual_point", None, "TE"),
        atom("Message", "virtual_eval", None, "TE"),
    ]
    claims = []
    for answer in messages.answers:
        transcript.seed("p3-sumcheck-layout-ood", 1, steps, key.stack_chunks)
        point = powers_point(transcript.extension(), key.variables)
        transcript.absorb_extensions([answer])
        claims.append(Claim(at_point(point), answer))
    return claims


def at_point(point: Sequence[K]) -> Weight:
    """Evaluation at a point."""
    return lambda xi: eq(point, xi)


def read_columns(
    key: Key, messages: Messages, point: Sequence[K], transcript: Transcript
) -> list[Claim]:
    """Opened columns are absorbed in the key's order; their claims stand in placement order."""
    for number, (table, (current, below)) in enumerate(
        zip(key.tables, messages.columns, strict=True)
    ):
        steps = [atom("Message", "current_evals", table.width, "TE")]
        chunks = [*key.stack_chunks, u(number), u(table.log_rows), u(table.width)]
        chunks += [u(column) for column in range(table.width)]
        chunks.append(u(len(table.next_columns)))
        chunks += [u(column) for column in table.next_columns]
        if below:
            steps.append(atom("Message", "next_evals", len(below), "TE"))
        transcript.seed("p3-sumcheck-layout-opening", 1, steps, chunks)
        transcript.absorb_extensions(current)
        transcript.absorb_extensions(below)
    claims = []
    for place, slots in placement(key):
        table = key.tables[place]
        row = point[len(point) - table.log_rows :]
        current, below = messages.columns[place]
        for slot, value in zip(slots, current, strict=True):
            claims.append(Claim(in_slot(eq, row, slot), value))
        for column, value in zip(table.next_columns, below, strict=True):
            claims.append(Claim(in_slot(successor, row, slots[column]), value))
    return claims


def placement(key: Key) -> list[tuple[int, list[int]]]:
    """Tables in the order of the stack, tallest first (of equals the last first), with slots.

    A column of a table of height h takes 2^h cells; slot s of that size begins at s · 2^h.
    """
    order = sorted(range(len(key.tables)), key=lambda place: (-key.tables[place].log_rows, -place))
    placed, offset = [], 0
    for place in order:
        table: Table = key.tables[place]
        first = offset >> table.log_rows
        placed.append((place, list(range(first, first + table.width))))
        offset += table.width << table.log_rows
    require(offset <= 1 << key.variables, "4.1 the stack overflows")
    return placed


def in_slot(kernel: Callable[[Sequence[K], Sequence[K]], K], row: Sequence[K], slot: int) -> Weight:
    """A kernel on the row's variables, times the slot's bits, least significant first."""

    def weight(xi: Sequence[K]) -> K:
        """Row variables come first in the stack, the slot's after them."""
        high = xi[len(row) :]
        bits = (x if slot >> place & 1 else sub(ONE, x) for place, x in enumerate(high))
        return mul(kernel(row, xi[: len(row)]), product(bits))

    return weight
