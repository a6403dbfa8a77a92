"""Straight-line programs over K for the contract `Evaluator`: written here, run there.

A program is built as nodes, each the sum, difference or product of earlier ones, and assembled
into runs of one instruction. An element of K is one word of three lanes of 85 bits. Sums are not
reduced: a node's `bound` says that its lanes are at most so many times p, and no bound passes
`BOUND_MAX`, so that lanes neither overflow nor mix, and products of lanes stay below 2^168.

Code: instructions of six bytes, `op ‖ argument (3) ‖ count (2)`, then operands. Every instruction
writes its results to consecutive registers from the target on:

    END         argument: first register of the results, count: of results
    TARGET      argument: the register that the next result goes to
    LOAD        argument: first word of the input; count words
    CONSTANT    count elements of F, eight bytes, big-endian
    ADD         count pairs of registers, two bytes each
    SUBTRACT    the same; argument: multiple of p added to each lane before
    SCALE       the same; the right one is an element of F below 2^16, its lanes are not reduced
    MULTIPLY    the same
    MULTIPLY_F  the same; the right one is an element of F
    DOT         count pairs: one result, the sum of their products
    SQUARE      count pairs of the same register twice
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from novate.proof.verifier.field import P

BOUND_MAX: Final = 1 << 20
SCALE_MAX: Final = 1 << 16
LIFT_STEP: Final = 32
"""Multiples of p that are added before a subtraction are its powers: few kinds make long runs."""
FIRST_REGISTER: Final = 32
"""Registers are words of the contract's memory; those below are the compiler's."""
REGISTERS_MAX: Final = 1 << 16
RUN_MAX: Final = (1 << 16) - 1
Node = int


class Op(IntEnum):
    """Instructions, as the contract numbers them."""

    END = 0
    TARGET = 1
    LOAD = 2
    CONSTANT = 3
    ADD = 4
    SUBTRACT = 5
    SCALE = 6
    MULTIPLY = 7
    MULTIPLY_F = 8
    DOT = 9
    SQUARE = 10


class Made(NamedTuple):
    """How a node is computed. CONSTANT and LOAD keep a number in `argument`."""

    op: Op
    operands: tuple[Node, ...]
    argument: int = 0


@dataclass(frozen=True)
class Program:
    """Assembled code and the number of registers it uses, those below the first included."""

    code: bytes
    registers: int
    runs: dict[Op, tuple[int, int]]
    """Runs and results (of DOT: products) by instruction, for figures."""


@dataclass
class Part:
    """Nodes that are computed together. Their registers are used again, but the last one's."""

    nodes: list[Node] = field(default_factory=list)


class Builder:
    """Collects nodes. What is built before the first `part` stays in its registers to the end."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._made: list[Made] = []
        self._bound: list[int] = []
        self._known: dict[Made, Node] = {}
        self._parts = [Part()]
        self._results: list[Node] = []
        self.zero = self.constant(0)
        self.one = self.constant(1)

    def part(self) -> None:
        """Later nodes form a part of their own. Of a part only its `keep` can be used later."""
        shared = set(self._parts[0].nodes)
        self._known = {made: node for made, node in self._known.items() if node in shared}
        self._parts.append(Part())

    def keep(self, node: Node) -> Node:
        """End a part with this value, as a new node that stays."""
        assert len(self._parts) > 1, "the shared part keeps everything"
        return self._new(Made(Op.DOT, (node, self.one)), 1, known=False)

    def _new(self, made: Made, bound: int, known: bool = True) -> Node:
        """The node that is made so."""
        assert bound <= BOUND_MAX, f"bound {bound} of {made.op.name}, at most {BOUND_MAX}"
        if known and made in self._known:
            return self._known[made]
        node = len(self._made)
        self._made.append(made)
        self._bound.append(bound)
        self._parts[-1].nodes.append(node)
        self._known[made] = node
        return node

    def constant(self, value: int) -> Node:
        """An element of F."""
        return self._new(Made(Op.CONSTANT, (), value % P), 1)

    def load(self, word: int) -> Node:
        """A word of the input: an element of K with lanes below p."""
        return self._new(Made(Op.LOAD, (), word), 1)

    def _value(self, node: Node) -> int | None:
        """The value of a constant."""
        made = self._made[node]
        return made.argument if made.op == Op.CONSTANT else None

    def _reduced(self, node: Node) -> Node:
        """The same value with lanes below p."""
        if self._bound[node] == 1:
            return node
        return self._new(Made(Op.MULTIPLY_F, (node, self.one)), 1)

    def add(self, left: Node, right: Node) -> Node:
        """left + right."""
        values = self._value(left), self._value(right)
        if values[0] is not None and values[1] is not None:
            return self.constant(values[0] + values[1])
        if values[0] == 0 or values[1] == 0:
            return right if values[0] == 0 else left
        if self._bound[left] + self._bound[right] > BOUND_MAX:
            left, right = self._reduced(left), self._reduced(right)
        bound = self._bound[left] + self._bound[right]
        return self._new(Made(Op.ADD, (min(left, right), max(left, right))), bound)

    def subtract(self, left: Node, right: Node) -> Node:
        """left − right."""
        values = self._value(left), self._value(right)
        if values[0] is not None and values[1] is not None:
            return self.constant(values[0] - values[1])
        if values[1] == 0:
            return left
        if self._bound[left] + LIFT_STEP * self._bound[right] > BOUND_MAX:
            left, right = self._reduced(left), self._reduced(right)
        lift = 1
        while lift < self._bound[right]:
            lift *= LIFT_STEP
        return self._new(Made(Op.SUBTRACT, (left, right), lift), self._bound[left] + lift)

    def multiply(self, left: Node, right: Node) -> Node:
        """left · right."""
        if self._value(left) is not None:
            left, right = right, left
        value = self._value(right)
        if value is None and left == right:
            return self._new(Made(Op.SQUARE, (left, left)), 1)
        if value is None:
            return self._new(Made(Op.MULTIPLY, (min(left, right), max(left, right))), 1)
        known = self._value(left)
        if known is not None:
            return self.constant(known * value)
        if value <= 1:
            return left if value else self.zero
        if P - value <= SCALE_MAX:
            return self.subtract(self.zero, self.multiply(left, self.constant(P - value)))
        if value < SCALE_MAX and value * self._bound[left] <= BOUND_MAX:
            return self._new(Made(Op.SCALE, (left, right)), value * self._bound[left])
        return self._new(Made(Op.MULTIPLY_F, (left, right)), 1)

    def dot(self, pairs: Sequence[tuple[Node, Node]]) -> Node:
        """The sum of products."""
        kept = [pair for pair in pairs if 0 not in (self._value(pair[0]), self._value(pair[1]))]
        if not kept:
            return self.zero
        if len(kept) == 1:
            return self.multiply(*kept[0])
        return self._new(Made(Op.DOT, tuple(node for pair in kept for node in pair)), 1)

    def between(self, low: Node, high: Node, x: Node) -> Node:
        """low + x · (high − low)."""
        return self.add(low, self.multiply(x, self.subtract(high, low)))

    def product(self, nodes: Iterable[Node]) -> Node:
        """The product."""
        result = self.one
        for node in nodes:
            result = self.multiply(result, node)
        return result

    def eq(self, left: Node, right: Node) -> Node:
        """2 · left · right − left − right + 1."""
        both = self.multiply(left, right)
        return self.subtract(self.add(self.add(both, both), self.one), self.add(left, right))

    def powers(self, base: Node, count: int) -> list[Node]:
        """1, base, base^2, …."""
        result = [self.one, base][:count]
        while len(result) < count:
            result.append(self.multiply(result[-1], base))
        return result

    def power(self, base: Node, exponent: int) -> Node:
        """base^exponent by squaring; shares what other exponents need too."""
        if exponent <= 1:
            return base if exponent else self.one
        half = self.power(base, exponent >> 1)
        square = self.multiply(half, half)
        return self.multiply(square, base) if exponent & 1 else square

    def finish(self, results: Sequence[Node]) -> Program:
        """Assemble, with these results."""
        if len(self._parts) == 1:
            self.part()
        self._results = [
            self._new(Made(Op.DOT, (node, self.one)), 1, known=False) for node in results
        ]
        return _Assembler(self._made, self._parts, self._results).program()


class _Assembler:
    """Gives nodes registers and orders them into runs."""

    def __init__(self, made: list[Made], parts: list[Part], results: list[Node]) -> None:
        """Shared nodes first, then a register for the last node of every part, then the rest."""
        self._made = made
        self._parts = parts
        self._results = results
        self._register: dict[Node, int] = {}
        self._code = bytearray()
        self._runs: dict[Op, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._kept = FIRST_REGISTER + len(parts[0].nodes)
        self._base = self._kept + len(parts)
        self._target = 0
        self._highest = 0

    def program(self) -> Program:
        """The code of all parts."""
        self._aim(FIRST_REGISTER)
        self._emit_part(self._parts[0].nodes)
        for place, part in enumerate(self._parts[1:-1]):
            self._aim(self._base)
            self._emit_part(part.nodes[:-1])
            self._aim(self._kept + place)
            self._emit_part(part.nodes[-1:])
        self._aim(self._base)
        last = [node for node in self._parts[-1].nodes if node not in self._results]
        self._emit_part(last)
        first = self._target
        for node in self._results:
            self._emit_part([node])
        self._instruction(Op.END, first, len(self._results))
        assert self._highest <= REGISTERS_MAX, f"{self._highest} registers, max {REGISTERS_MAX}"
        return Program(bytes(self._code), self._highest, dict(self._runs))

    def _instruction(self, op: Op, argument: int, count: int) -> None:
        """Its six bytes."""
        self._code += bytes([op]) + argument.to_bytes(3, "big") + count.to_bytes(2, "big")

    def _aim(self, register: int) -> None:
        """Results go here now."""
        self._target = register
        self._instruction(Op.TARGET, register, 0)

    def _place(self, node: Node) -> None:
        """The next register is this node's."""
        self._register[node] = self._target
        self._target += 1
        self._highest = max(self._highest, self._target)

    def _emit_part(self, nodes: list[Node]) -> None:
        """Constants and inputs, then runs: as many nodes as are ready, and become so meanwhile."""
        inside = set(nodes)
        self._emit_constants([node for node in nodes if self._made[node].op == Op.CONSTANT])
        self._emit_loads([node for node in nodes if self._made[node].op == Op.LOAD])
        waiting: dict[Node, int] = {}
        users: dict[Node, list[Node]] = defaultdict(list)
        ready: dict[tuple[Op, int], list[Node]] = defaultdict(list)
        for node in nodes:
            if self._made[node].op in (Op.CONSTANT, Op.LOAD):
                continue
            needs = {n for n in self._made[node].operands if n in inside} - self._register.keys()
            waiting[node] = len(needs)
            for need in needs:
                users[need].append(node)
            if not needs:
                ready[self._kind(node)].append(node)
        while ready:
            kind = max(ready, key=lambda kind: (len(ready[kind]), -kind[0], -kind[1]))
            run: list[Node] = []
            while ready[kind] and len(run) < RUN_MAX:
                node = ready[kind].pop(0)
                run.append(node)
                self._place(node)
                for user in users[node]:
                    waiting[user] -= 1
                    if not waiting[user]:
                        ready[self._kind(user)].append(user)
            ready = defaultdict(list, {k: nodes for k, nodes in ready.items() if nodes})
            self._emit_run(kind, run)

    def _kind(self, node: Node) -> tuple[Op, int]:
        """Nodes of one kind can share a run; a DOT is a run of its own."""
        made = self._made[node]
        return made.op, node if made.op == Op.DOT else made.argument

    def _emit_run(self, kind: tuple[Op, int], run: list[Node]) -> None:
        """An instruction and its operands."""
        operands = [self._register[n] for node in run for n in self._made[node].operands]
        argument = 0 if kind[0] == Op.DOT else kind[1]
        self._count(kind[0], len(operands) // 2)
        self._instruction(kind[0], argument, len(operands) // 2)
        for register in operands:
            self._code += register.to_bytes(2, "big")

    def _emit_constants(self, nodes: list[Node]) -> None:
        """One run of constants."""
        if nodes:
            self._count(Op.CONSTANT, len(nodes))
            self._instruction(Op.CONSTANT, 0, len(nodes))
        for node in nodes:
            self._place(node)
            self._code += self._made[node].argument.to_bytes(8, "big")

    def _emit_loads(self, nodes: list[Node]) -> None:
        """A run for every stretch of the input."""
        words = sorted((self._made[node].argument, node) for node in nodes)
        start = 0
        for end in range(1, len(words) + 1):
            if end == len(words) or words[end][0] != words[start][0] + end - start:
                self._count(Op.LOAD, end - start)
                self._instruction(Op.LOAD, words[start][0], end - start)
                for _, node in words[start:end]:
                    self._place(node)
                start = end

    def _count(self, op: Op, results: int) -> None:
        """For figures."""
        runs, total = self._runs[op]
        self._runs[op] = runs + 1, total + results
