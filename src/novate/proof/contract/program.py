"""Straight-line programs over K as EVM code: written as nodes here, run as contracts on L1.

A program is built as nodes, each the sum, difference or product of earlier ones. Nodes that one sum
alone reads become part of it; what is read more than once gets a word of memory. A sum of products
is one call of a routine of `kernels` or a chain of them. Sums are not reduced: the largest value of
a lane is known for every node (`limit`), and none reaches `SUM_MAX`.

A program's input is words of calldata, its output words: no selector, no lengths. Both are elements
of K in three lanes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

from novate.proof.contract.evm import Code
from novate.proof.contract.kernels import (
    ARGUMENTS_MAX,
    BOTH_MAX,
    FOLDED_MAX,
    HALF_BITS,
    HALF_MAX,
    TERMS_OF_A_LANE,
    emit_routines,
    lanes,
)
from novate.proof.verifier.field import P

WORD: Final = 32
COEFFICIENT_MAX: Final = 1 << 12
"""Below it a factor of F is part of a sum; from it on the product is reduced."""
FACTOR_MAX: Final = P << 6
"""What is read as a factor is folded where it is computed if its lanes may be larger."""
TERM_MAX: Final = 1 << 76
SUM_MAX: Final = 1 << 84
PRODUCTS_MAX: Final = 240
"""Of one sum before it is reduced."""
LIFTS: Final = tuple(P << shift for shift in (1, 4, 8, 14))
"""Multiples of p that are added before a subtraction; kept in the first words of memory."""
DEPTH_MAX: Final = 40
"""Nodes inside one another, on the stack at once; each takes at most 12 entries of its 1,024."""
Node = int


class Op(IntEnum):
    """How a node is computed."""

    CONSTANT = 0
    LOAD = 1
    ADD = 2
    SUBTRACT = 3
    SCALE = 4
    """By an integer below COEFFICIENT_MAX in absolute value."""
    SCALE_F = 5
    """By an element of F."""
    MULTIPLY = 6
    DOT = 7
    POWER = 8


JOINED: Final = (Op.CONSTANT, Op.ADD, Op.SUBTRACT, Op.SCALE, Op.MULTIPLY, Op.DOT, Op.POWER)
"""What can be part of the sum that reads it."""


class Made(NamedTuple):
    """An operation. Constants, words of the input, factors and exponents stand in `argument`."""

    op: Op
    operands: tuple[Node, ...]
    argument: int = 0


@dataclass(frozen=True)
class Program:
    """Code that can run, and what it calls."""

    code: bytes
    results: int
    calls: dict[str, int]
    """Calls of each routine, for figures."""


class Builder:
    """Collects nodes."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.made: list[Made] = []
        self.loaded: dict[int, int] = {}
        """Limit of every word of the input that is not below p in its lanes."""
        self._known: dict[Made, Node] = {}
        self.zero = self.constant(0)
        self.one = self.constant(1)

    def _new(self, made: Made) -> Node:
        """The node that is made so."""
        if made not in self._known:
            self._known[made] = len(self.made)
            self.made.append(made)
        return self._known[made]

    def constant(self, value: int) -> Node:
        """An element of F."""
        return self._new(Made(Op.CONSTANT, (), value % P))

    def load(self, word: int, limit: int = P) -> Node:
        """A word of the input: an element of K whose lanes are below the limit."""
        self.loaded[word] = limit
        return self._new(Made(Op.LOAD, (), word))

    def _value(self, node: Node) -> int | None:
        """The value of a constant."""
        made = self.made[node]
        return made.argument if made.op == Op.CONSTANT else None

    def add(self, left: Node, right: Node) -> Node:
        """left + right."""
        values = self._value(left), self._value(right)
        if values[0] is not None and values[1] is not None:
            return self.constant(values[0] + values[1])
        if values[0] == 0 or values[1] == 0:
            return right if values[0] == 0 else left
        return self._new(Made(Op.ADD, (min(left, right), max(left, right))))

    def subtract(self, left: Node, right: Node) -> Node:
        """left − right."""
        values = self._value(left), self._value(right)
        if values[0] is not None and values[1] is not None:
            return self.constant(values[0] - values[1])
        return left if values[1] == 0 else self._new(Made(Op.SUBTRACT, (left, right)))

    def multiply(self, left: Node, right: Node) -> Node:
        """left · right. Powers of one node are known as such."""
        if self._value(left) is not None:
            left, right = right, left
        value = self._value(right)
        if value is not None:
            return self._scaled(left, value)
        bases, exponents = zip(*(self._power(node) for node in (left, right)), strict=True)
        if bases[0] == bases[1]:
            return self._new(Made(Op.POWER, (bases[0],), sum(exponents)))
        return self._new(Made(Op.MULTIPLY, (min(left, right), max(left, right))))

    def _scaled(self, node: Node, factor: int) -> Node:
        """node · factor."""
        known = self._value(node)
        if known is not None:
            return self.constant(known * factor)
        signed = factor if factor < P // 2 else factor - P
        if signed in (0, 1):
            return node if signed else self.zero
        small = abs(signed) < COEFFICIENT_MAX
        return self._new(
            Made(Op.SCALE if small else Op.SCALE_F, (node,), signed if small else factor)
        )

    def _power(self, node: Node) -> tuple[Node, int]:
        """Base and exponent."""
        made = self.made[node]
        return (made.operands[0], made.argument) if made.op == Op.POWER else (node, 1)

    def dot(self, pairs: Sequence[tuple[Node, Node]]) -> Node:
        """The sum of products."""
        rest, kept = self.zero, []
        for left, right in pairs:
            if self._value(left) is None and self._value(right) is None:
                kept.append((left, right))
            else:
                rest = self.add(rest, self.multiply(left, right))
        if len(kept) == 1:
            return self.add(rest, self.multiply(*kept[0]))
        if not kept:
            return rest
        return self.add(rest, self._new(Made(Op.DOT, tuple(n for pair in kept for n in pair))))

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
        return [self.power(base, exponent) for exponent in range(count)]

    def power(self, base: Node, exponent: int) -> Node:
        """base^exponent."""
        if exponent <= 1:
            return base if exponent else self.one
        return self._new(Made(Op.POWER, (base,), exponent))

    def finish(self, results: Sequence[Node], reduced: bool = True) -> Program:
        """The code with these results; lanes are below p, or below FOLDED_MAX."""
        return _Emitter(_Forms(self, results), results, reduced).program()


@dataclass
class Form:
    """A node as a sum: products with small factors, nodes with small factors, and a constant."""

    products: list[tuple[int, Node, Node]] = field(default_factory=list)
    terms: list[tuple[int, Node]] = field(default_factory=list)
    constant: int = 0

    def read(self) -> list[Node]:
        """All nodes of it."""
        factors = [node for _, left, right in self.products for node in (left, right)]
        return [*factors, *(node for _, node in self.terms)]


class _Forms:
    """What is needed for some results, and in which form."""

    def __init__(self, builder: Builder, results: Sequence[Node]) -> None:
        """Powers first, then sums, then how often each node is read."""
        self.made = builder.made[:]
        self.loaded = builder.loaded
        self._places = {made: node for node, made in enumerate(self.made)}
        self._raw_uses = Counter(results)
        self._resolve(results)
        self.form: dict[Node, Form] = {}
        self.uses = Counter(results)
        for node in reversed(self._reached(results)):
            if node in self.uses:
                self.form[node] = self._sum(node)
                self.uses.update(self.read(node))
        self.order = [node for node in self._reached(results) if node in self.form]
        """All that is computed or loaded, what is read before what reads it."""

    def op(self, node: Node) -> Op:
        """How the node is computed."""
        return self.made[node].op

    def alone(self, node: Node) -> bool:
        """Whether it is a result of its own kernel: a power or a multiple by an element of F."""
        return self.op(node) in (Op.POWER, Op.SCALE_F)

    def _reached(self, results: Sequence[Node]) -> list[Node]:
        """Everything that results are made of, operands before what they are of."""
        reached: dict[Node, None] = {}
        left = [(node, False) for node in reversed(results)]
        while left:
            node, done = left.pop()
            if done:
                reached[node] = None
            elif node not in reached:
                left.append((node, True))
                left += [(operand, False) for operand in reversed(self.made[node].operands)]
        return list(reached)

    def _resolve(self, results: Sequence[Node]) -> None:
        """Powers in terms of smaller ones: squares, seventh powers, or products."""
        exponents: dict[Node, set[int]] = {}
        for node in self._reached(results):
            if self.op(node) == Op.POWER:
                exponents.setdefault(self.made[node].operands[0], set()).add(
                    self.made[node].argument
                )
        for base, needed in exponents.items():
            for exponent in range(max(needed), 1, -1):
                if exponent in needed:
                    self._lower(base, exponent, needed)
        for node in self._reached(results):
            self._raw_uses.update(self.made[node].operands)

    def _lower(self, base: Node, exponent: int, needed: set[int]) -> None:
        """Put a power's operation in its place."""
        node = self._place(base, exponent)
        if exponent == 2 or (exponent == 7 and not needed & {3, 4, 6}):
            return
        if exponent % 2 == 0:
            needed.add(exponent // 2)
            self.made[node] = Made(Op.POWER, (self._place(base, exponent // 2),), 2)
            return
        if exponent - 1 > 1:
            needed.add(exponent - 1)
        self.made[node] = Made(Op.MULTIPLY, (self._place(base, exponent - 1), base))

    def _place(self, base: Node, exponent: int) -> Node:
        """The node of a power."""
        made = Made(Op.POWER, (base,), exponent)
        if exponent == 1:
            return base
        if made not in self._places:
            self._places[made] = len(self.made)
            self.made.append(made)
        return self._places[made]

    def read(self, node: Node) -> list[Node]:
        """Nodes that are read to compute it."""
        return list(self.made[node].operands) if self.alone(node) else self.form[node].read()

    def _sum(self, node: Node) -> Form:
        """All that only this sum reads is written out."""
        form = Form()
        if self.alone(node) or self.op(node) in (Op.CONSTANT, Op.LOAD):
            return form
        left: list[tuple[Node, int]] = [(node, 1)]
        while left:
            part, factor = left.pop()
            made = self.made[part]
            own = part == node or self._raw_uses[part] == 1 or made.op == Op.CONSTANT
            square = made.op == Op.POWER and made.argument == 2
            if part != node and (not own or made.op not in JOINED):
                form.terms.append((factor, part))
            elif made.op == Op.CONSTANT:
                form.constant = (form.constant + factor * made.argument) % P
            elif made.op in (Op.ADD, Op.SUBTRACT):
                sign = 1 if made.op == Op.ADD else -1
                left += [(made.operands[1], sign * factor), (made.operands[0], factor)]
            elif made.op == Op.SCALE and abs(factor * made.argument) < COEFFICIENT_MAX:
                left.append((made.operands[0], factor * made.argument))
            elif made.op in (Op.MULTIPLY, Op.DOT):
                pairs = zip(made.operands[::2], made.operands[1::2], strict=True)
                form.products += [(factor, a, b) for a, b in pairs]
            elif square and part != node:
                form.products.append((factor, made.operands[0], made.operands[0]))
            else:
                form.terms.append((factor, part))
        return form


class _Emitter:
    """Writes the code."""

    def __init__(self, forms: _Forms, results: Sequence[Node], reduced: bool) -> None:
        """Limits of all nodes, and which of them get a word of memory."""
        self._forms = forms
        self._results = results
        self._reduced = reduced
        self._code = Code()
        self._calls: Counter[str] = Counter()
        self._order = forms.order
        self._factors = {n for f in forms.form.values() for _, a, b in f.products for n in (a, b)}
        self._outputs = {node: place for place, node in enumerate(results)}
        self._limit: dict[Node, int] = {}
        self._folds: set[Node] = set()
        self._stored: set[Node] = set()
        depth: dict[Node, int] = {}
        for node in self._order:
            self._limit[node] = self._settle(node)
            read = [n for n in forms.read(node) if n not in self._stored]
            depth[node] = 1 + max((depth[n] for n in read), default=0)
            shared = forms.uses[node] > 1 or node in self._outputs or depth[node] > DEPTH_MAX
            if shared and forms.op(node) not in (Op.CONSTANT, Op.LOAD):
                self._stored.add(node)
                depth[node] = 0
        self._first_output = WORD * len(LIFTS)
        self._place: dict[Node, int] = {}
        self._free: list[int] = []
        self._end = self._first_output + WORD * len(results)
        self._left = Counter(forms.uses)

    def program(self) -> Program:
        """Every stored node in order, then the results, then the routines."""
        code = self._code
        for place, lift in enumerate(LIFTS):
            code.push(lanes(lift))
            self._store(WORD * place)
        for node in self._order:
            if node in self._stored:
                self._compute(node)
                self._place[node] = self._room(node)
                self._store(self._place[node])
        for place, node in enumerate(self._results):
            at = self._first_output + WORD * place
            if self._reduced:
                with_ret = self._begin()
                self._value(node)
                self._end_call(with_ret, "reduce")
                self._store(at)
            elif self._place.get(node) != at:
                self._value(node)
                self._store(at)
        code.push(WORD * len(self._results))
        code.push(self._first_output)
        code.op("return")
        emit_routines(code)
        return Program(code.finish(), len(self._results), dict(self._calls))

    def _settle(self, node: Node) -> int:
        """The limit of a node; whether it is folded where it is computed."""
        forms = self._forms
        if forms.op(node) == Op.LOAD:
            return forms.loaded[forms.made[node].argument]
        if forms.op(node) == Op.CONSTANT or forms.alone(node):
            return P
        form = forms.form[node]
        total = form.constant + (FOLDED_MAX * self._chunks(form) if form.products else 0)
        less = sum(-factor * self._term_limit(factor, n) for factor, n in form.terms if factor < 0)
        total += sum(factor * self._term_limit(factor, n) for factor, n in form.terms if factor > 0)
        total += _lift(less) if less else 0
        assert total < SUM_MAX, f"a lane of {total.bit_length()} bits"
        most = FACTOR_MAX if node in self._factors else TERM_MAX
        if node in self._outputs and not self._reduced:
            most = FOLDED_MAX
        if total <= most:
            return total
        self._folds.add(node)
        return FOLDED_MAX

    def _chunks(self, form: Form) -> int:
        """Sums of products that are reduced on their own."""
        return -(-len(form.products) // PRODUCTS_MAX)

    def _term_limit(self, factor: int, node: Node) -> int:
        """Of a node where a sum reads it: folded before if the multiple would be too large."""
        limit = self._limit[node]
        return limit if abs(factor) * limit <= TERM_MAX else FOLDED_MAX

    def _room(self, node: Node) -> int:
        """A word of memory: a result's own, one that nobody needs any more, or a new one."""
        if node in self._outputs:
            return self._first_output + WORD * self._outputs[node]
        if self._free:
            return self._free.pop()
        self._end += WORD
        return self._end - WORD

    def _store(self, at: int) -> None:
        """The topmost entry to memory."""
        self._code.push(at)
        self._code.op("mstore")

    def _begin(self) -> str:
        """Push the place to return to."""
        label = self._code.new_label()
        self._code.push_label(label)
        return label

    def _end_call(self, label: str, routine: str) -> None:
        """Call, and go on behind it."""
        self._calls[routine] += 1
        self._code.push_label(routine)
        self._code.op("jump")
        self._code.label(label)

    def _value(self, node: Node) -> None:
        """Push a node's value."""
        code, made = self._code, self._forms.made[node]
        self._left[node] -= 1
        if node in self._place:
            code.push(self._place[node])
            code.op("mload")
            if not self._left[node] and node not in self._outputs:
                self._free.append(self._place[node])
        elif made.op == Op.CONSTANT:
            code.push(made.argument)
        elif made.op == Op.LOAD:
            code.push(WORD * made.argument)
            code.op("calldataload")
        else:
            self._compute(node)

    def _compute(self, node: Node) -> None:
        """Push a node's value, computed here."""
        made = self._forms.made[node]
        label = self._begin() if node in self._folds else ""
        if made.op == Op.POWER:
            inner = self._begin()
            self._value(made.operands[0])
            self._end_call(inner, "square" if made.argument == 2 else "seventh")
        elif made.op == Op.SCALE_F:
            inner = self._begin()
            self._value(made.operands[0])
            self._code.push(made.argument)
            self._end_call(inner, "scale")
        else:
            self._sum(self._forms.form[node])
        if label:
            self._end_call(label, "fold")

    def _sum(self, form: Form) -> None:
        """Products, then what is subtracted, then what is added to it."""
        parts = 0
        for first in range(0, len(form.products), PRODUCTS_MAX):
            self._products(form.products[first : first + PRODUCTS_MAX])
            parts += 1
            if parts > 1:
                self._code.op("add")
        less = [(-factor, node) for factor, node in form.terms if factor < 0]
        more = [(factor, node) for factor, node in form.terms if factor > 0]
        for place, (factor, node) in enumerate(less):
            self._term(factor, node)
            if place:
                self._code.op("add")
        for place, (factor, node) in enumerate(more):
            self._term(factor, node)
            if place:
                self._code.op("add")
        if form.constant:
            self._code.push(form.constant)
            if more:
                self._code.op("add")
        if less:
            self._lift(sum(f * self._term_limit(f, node) for f, node in less))
            if more or form.constant:
                self._code.op("add")
            self._code.op("sub")
        if parts and (form.terms or form.constant):
            self._code.op("add")

    def _lift(self, limit: int) -> None:
        """Push a multiple of p that is no smaller."""
        self._code.push(WORD * LIFTS.index(_lift(limit)))
        self._code.op("mload")

    def _term(self, factor: int, node: Node) -> None:
        """Push a multiple of a node."""
        label = self._begin() if factor * self._limit[node] > TERM_MAX else ""
        self._value(node)
        if label:
            self._end_call(label, "fold")
        if factor != 1:
            self._code.push(factor)
            self._code.op("mul")

    def _products(self, products: Sequence[tuple[int, Node, Node]]) -> None:
        """Push a sum of products."""
        folded = self._too_large(products)
        chunks = [products[i : i + ARGUMENTS_MAX] for i in range(0, len(products), ARGUMENTS_MAX)]
        if len(chunks) > 1:
            for _ in range(3):
                self._code.push(0)
        for place, chunk in enumerate(chunks):
            label = self._begin()
            for number, (factor, left, right) in enumerate(chunk, place * ARGUMENTS_MAX):
                self._factor(factor, left, (number, 0) in folded)
                if left == right and factor == 1 and (number, 0) not in folded:
                    self._left[right] -= 1
                    self._code.dup(1)
                else:
                    self._factor(1, right, (number, 1) in folded)
            kind = "last" if place else "products"
            name = f"{kind}{len(chunk)}" if place == len(chunks) - 1 else "next"
            self._end_call(label, name)

    def _too_large(self, products: Sequence[tuple[int, Node, Node]]) -> set[tuple[int, int]]:
        """Factors (number of the product, side) to fold, so that `both` keeps its limit."""
        limits = {(n, 0): self._factor_limit(c, a) for n, (c, a, _) in enumerate(products)}
        limits |= {(n, 1): self._factor_limit(1, b) for n, (_, _, b) in enumerate(products)}
        folded: set[tuple[int, int]] = set()
        while True:
            halves = {place: (limit >> HALF_BITS) + HALF_MAX for place, limit in limits.items()}
            both = sum(halves[n, 0] * halves[n, 1] for n in range(len(products)))
            if TERMS_OF_A_LANE * both < BOTH_MAX:
                return folded
            largest = max(limits, key=lambda place: (limits[place], place))
            assert limits[largest] > FOLDED_MAX, f"{len(products)} products"
            limits[largest] = FOLDED_MAX
            folded.add(largest)

    def _factor_limit(self, factor: int, node: Node) -> int:
        """Of a multiple of a node; a negative one has a lift added."""
        limit = abs(factor) * self._term_limit(factor, node)
        return limit if factor > 0 else _lift(limit)

    def _factor(self, factor: int, node: Node, folded: bool) -> None:
        """Push a multiple of a node as a factor of a product."""
        label = self._begin() if folded else ""
        self._term(abs(factor), node)
        if factor < 0:
            self._lift(-factor * self._term_limit(factor, node))
            self._code.op("sub")
        if label:
            self._end_call(label, "fold")


def _lift(limit: int) -> int:
    """The smallest of LIFTS that is no smaller."""
    return next(lift for lift in LIFTS if lift >= limit)
