"""What the contract evaluates from a key: the closing equation, and the weights of column claims.

Both are the readable verifier's formulas (verifier/zerocheck.py and verifier/stacking.py) with
every index, exponent and shape worked out beforehand, so that only arithmetic in K is left for L1.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

from novate.proof.contract.kernels import FOLDED_MAX
from novate.proof.contract.program import Builder, Node, Op, Program
from novate.proof.verifier.key import Interaction, Key, Table
from novate.proof.verifier.lookup import plan_of
from novate.proof.verifier.stacking import placement

Slots = Mapping[int, Node]


class Inputs:
    """Words of the input in the order they are asked for."""

    def __init__(self, builder: Builder) -> None:
        """Nothing asked for."""
        self._builder = builder
        self.count = 0

    def take(self, count: int) -> list[Node]:
        """The next words."""
        first = self.count
        self.count += count
        return [self._builder.load(word) for word in range(first, self.count)]


class ClosingInputs:
    """What the contract gives to every program of step 6, in this order: α, β, θ, η, α_c, β_c, γ;
    point q; fresh coordinates of τ; point r; public values; for each table its columns in this row,
    then in the row below.
    """

    def __init__(self, key: Key, builder: Builder) -> None:
        """All as nodes."""
        inputs = Inputs(builder)
        self.alpha, self.beta, self.theta, self.eta, *rest = inputs.take(7)
        self.alpha_rules, self.beta_tables, self.gamma = rest
        self.q = inputs.take(key.lookup_layers)
        self.tau = [*inputs.take(key.zerocheck_rounds - key.lookup_layers), *self.q]
        self.r = inputs.take(key.zerocheck_rounds)
        self.publics = [inputs.take(table.publics) for table in key.tables]
        self.columns = [inputs.take(t.width + len(t.next_columns)) for t in key.tables]
        self.count = inputs.count


class Shared:
    """What tables share, worked out by a program of its own: powers, weights of blocks, selectors.

    Its results are inputs of the tables' programs, behind its own inputs. The first is eq(τ, r).
    """

    def __init__(self, key: Key) -> None:
        """All values, by name."""
        self.key = key
        self.plan = plan_of(key)
        self.builder = builder = Builder()
        self.inputs = inputs = ClosingInputs(key, builder)
        pairs = zip(inputs.tau, inputs.r, strict=True)
        self._nodes: dict[tuple[str, int], Node] = {}
        self._put("same", builder.product(builder.eq(a, b) for a, b in pairs))
        longest = max(len(table.rules) for table in key.tables)
        self._put("rule", *builder.powers(inputs.alpha_rules, longest))
        self._put("table", *builder.powers(inputs.beta_tables, len(key.tables)))
        longest = max(table.width + len(table.next_columns) for table in key.tables)
        self._put("claim", *builder.powers(inputs.gamma, longest))
        self._put("field", *(self._field(place) for place in range(self.plan.widest)))
        self._put("bus", *(self._bus(number) for number in range(len(self.plan.buses))))
        claims = 0
        for place, _ in placement(key):
            self._nodes["shift", place] = builder.power(inputs.gamma, claims)
            claims += key.tables[place].width + len(key.tables[place].next_columns)
        heights = sorted({table.log_rows for table in key.tables})
        for name, factors in self._selectors():
            products = self._running(factors)
            self._nodes |= {(name, height): products[height] for height in heights}
        self._blocks = {(0, 0): builder.one}
        for place in self.plan.order:
            for number in range(len(key.tables[place].interactions)):
                self._nodes["block", self.block(place, number)] = self._block(place, number)
        self._places = {name: word for word, name in enumerate(self._nodes)}

    def program(self) -> Program:
        """All values in the order of their names."""
        return self.builder.finish(list(self._nodes.values()), reduced=False)

    def load(self, builder: Builder, name: str, number: int) -> Node:
        """A value as an input of a table's program."""
        made = self.builder.made[self._nodes[name, number]]
        if made.op == Op.CONSTANT:
            return builder.constant(made.argument)
        return builder.load(self.inputs.count + self._places[name, number], FOLDED_MAX)

    def loads(self, builder: Builder, name: str, count: int) -> list[Node]:
        """The first values of a list."""
        return [self.load(builder, name, number) for number in range(count)]

    def block(self, place: int, number: int) -> int:
        """A name for a message's block: its first leaf. Blocks do not overlap."""
        return self.plan.offsets[place] + (number << self.key.tables[place].log_rows)

    def _put(self, name: str, *nodes: Node) -> None:
        """A list of values."""
        self._nodes |= {(name, number): node for number, node in enumerate(nodes)}

    def _field(self, place: int) -> Node:
        """θ · β^place."""
        return self.builder.multiply(self.inputs.theta, self.builder.power(self.inputs.beta, place))

    def _bus(self, number: int) -> Node:
        """θ · (P_bus − 1)."""
        builder, theta = self.builder, self.inputs.theta
        power = builder.multiply(self._field(self.plan.widest), builder.constant(number + 1))
        return builder.add(
            builder.multiply(theta, builder.subtract(self.inputs.alpha, builder.one)), power
        )

    def _selectors(self) -> list[tuple[str, list[Node]]]:
        """Factors of the selectors of first and last rows."""
        builder, r = self.builder, self.inputs.r
        return [("first", [builder.subtract(builder.one, x) for x in r]), ("last", [*r])]

    def _running(self, factors: list[Node]) -> list[Node]:
        """Products of the last 0, 1, 2, … factors."""
        result = [self.builder.one]
        for factor in reversed(factors):
            result.append(self.builder.multiply(result[-1], factor))
        return result

    def _block(self, place: int, number: int) -> Node:
        """eq(bits of a message's block, the first coordinates of q)."""
        log_rows = self.key.tables[place].log_rows
        index = (self.plan.offsets[place] >> log_rows) + number
        return self._prefix(self.key.lookup_layers - log_rows, index)

    def _prefix(self, bits: int, index: int) -> Node:
        """eq(so many bits, as many coordinates of q): a parent weighs as much as both children."""
        if (bits, index) not in self._blocks:
            builder = self.builder
            parent = self._prefix(bits - 1, index >> 1)
            high = builder.multiply(parent, self.inputs.q[bits - 1])
            self._blocks[bits, index | 1] = high
            self._blocks[bits, index & ~1] = builder.subtract(parent, high)
        return self._blocks[bits, index]


class Unit(NamedTuple):
    """A table's share, or so many of its rules; the last one has its messages and claims."""

    place: int
    first: int
    end: int
    is_last: bool

    def halves(self) -> tuple[Unit, Unit]:
        """The same in two."""
        middle = (self.first + self.end) // 2
        left = self._replace(end=middle, is_last=False)
        return left, self._replace(first=middle)


class Closing:
    """Some units' share of step 6, and of the value that step 5 begins with.

    Input: what `ClosingInputs` says, then the results of `Shared`. Results: Σ β_c^i·A_i + η·I_i
    over their rules and messages, and Σ γ^j · value_j over their column claims.
    """

    def __init__(self, shared: Shared, units: Sequence[Unit]) -> None:
        """Nothing is computed yet."""
        self.shared = shared
        self.units = units
        self.builder = Builder()
        self.inputs = ClosingInputs(shared.key, self.builder)

    def program(self) -> Program:
        """The whole program."""
        builder = self.builder
        shares = [pair for unit in self.units for pair in self._share(unit)]
        places = [unit.place for unit in self.units if unit.is_last]
        claims = [(self._load("shift", place), self._claimed(place)) for place in places]
        return builder.finish([builder.dot(shares), builder.dot(claims)])

    def _load(self, name: str, number: int) -> Node:
        """A shared value."""
        return self.shared.load(self.builder, name, number)

    def _claimed(self, place: int) -> Node:
        """Σ γ^j · value_j over a table's claims, from γ^0 on."""
        values = self.inputs.columns[place]
        powers = self.shared.loads(self.builder, "claim", len(values))
        return self.builder.dot(list(zip(values, powers, strict=True)))

    def _share(self, unit: Unit) -> list[tuple[Node, Node]]:
        """A share of the closing sum, as products: the first rule has the highest power."""
        place, table = unit.place, self.shared.key.tables[unit.place]
        rules = table.rules[unit.first : unit.end]
        messages = table.interactions if unit.is_last else ()
        values = self._nodes(place, needed_nodes(table, rules, messages))
        highest = len(table.rules) - 1 - unit.first
        pairs = [
            (values[rule], self._load("rule", highest - number))
            for number, rule in enumerate(rules)
        ]
        shares = [(self._load("table", place), self.builder.dot(pairs))]
        if unit.is_last:
            shares.append((self.inputs.eta, self._links(place, values)))
        return shares

    def _links(self, place: int, values: Mapping[int, Node]) -> Node:
        """Σ block weight · (count + θ (P_bus − 1) − Σ θ β^k · field_k)."""
        builder, shared = self.builder, self.shared
        pairs = []
        for number, interaction in enumerate(shared.key.tables[place].interactions):
            fields = [values[node] for node in interaction.fields]
            powers = shared.loads(builder, "field", len(fields))
            message = builder.dot(list(zip(fields, powers, strict=True)))
            bus = self._load("bus", shared.plan.buses[interaction.bus])
            fraction = builder.subtract(builder.add(values[interaction.times], bus), message)
            pairs.append((self._load("block", shared.block(place, number)), fraction))
        return builder.dot(pairs)

    def _nodes(self, place: int, needed: Container[int]) -> dict[int, Node]:
        """Some nodes of a table."""
        builder, table = self.builder, self.shared.key.tables[place]
        loaded = self.inputs.columns[place]
        below = dict(zip(table.next_columns, loaded[table.width :], strict=True))
        last = self._load("last", table.log_rows)
        selectors = {
            4: self._load("first", table.log_rows),
            5: last,
            6: builder.subtract(builder.one, last),
        }
        arithmetic = {7: builder.add, 8: builder.subtract, 9: builder.multiply}
        values: dict[int, Node] = {}
        for number, (operator, left, right) in enumerate(table.nodes):
            if number not in needed:
                continue
            if operator == 0:
                values[number] = loaded[left]
            elif operator == 1:
                values[number] = below[left]
            elif operator == 2:
                values[number] = self.inputs.publics[place][left]
            elif operator == 3:
                values[number] = builder.constant(left)
            elif operator in selectors:
                values[number] = selectors[operator]
            else:
                values[number] = arithmetic[operator](values[left], values[right])
        return values


def closing_programs(shared: Shared, code_bytes_max: int) -> list[Program]:
    """Programs that together hold every table, each in one contract.

    ValueError for a rule, or the messages of a table, of more code than a contract may have.
    """
    left = [Unit(place, 0, len(table.rules), True) for place, table in enumerate(shared.key.tables)]
    programs: list[tuple[list[Unit], Program]] = []
    while left:
        unit = left.pop(0)
        program = Closing(shared, [unit]).program()
        if len(program.code) > code_bytes_max:
            if unit.end - unit.first < 2:
                size = len(program.code)
                raise ValueError(f"{unit}: {size} bytes of code, at most {code_bytes_max}")
            left = [*unit.halves(), *left]
            continue
        if programs and len(programs[-1][1].code) + len(program.code) < 1.1 * code_bytes_max:
            units = [*programs[-1][0], unit]
            joined = Closing(shared, units).program()
            if len(joined.code) <= code_bytes_max:
                programs[-1] = (units, joined)
                continue
        programs.append(([unit], program))
    return [program for _, program in programs]


def needed_nodes(table: Table, rules: Sequence[int], messages: Sequence[Interaction]) -> set[int]:
    """Nodes that some rules and messages are made of."""
    needed = set(rules)
    for message in messages:
        needed |= {*message.fields, message.times}
    for number in range(len(table.nodes) - 1, -1, -1):
        operator, left, right = table.nodes[number]
        if number in needed and operator > 6:
            needed |= {left, right}
    return needed


class Weights:
    """Σ γ^j · weight_j(ξ) over the column claims of some tables, by their place in the stack.

    Input: γ; point r; point ξ. One result.
    """

    def __init__(self, key: Key, places: range) -> None:
        """Everything that tables share."""
        self.key = key
        self.places = places
        self.builder = builder = Builder()
        inputs = Inputs(builder)
        (self.gamma,) = inputs.take(1)
        self.r = inputs.take(key.zerocheck_rounds)
        self.xi = inputs.take(key.variables)
        self.others = [builder.subtract(builder.one, x) for x in self.xi]

    def program(self) -> Program:
        """The whole program; Horner's rule over the tables of the stack, from the last."""
        builder = self.builder
        placed = placement(self.key)
        widths = [self._claims(place) for place, _ in placed]
        result = builder.zero
        for number in reversed(self.places):
            place, slots = placed[number]
            shift = builder.power(self.gamma, widths[number])
            weight = self._table(self.key.tables[place], slots)
            result = builder.add(builder.multiply(result, shift), weight)
        before = sum(widths[: self.places.start])
        return builder.finish([builder.multiply(builder.power(self.gamma, before), result)])

    def _claims(self, place: int) -> int:
        """Column claims of a table."""
        return self.key.tables[place].width + len(self.key.tables[place].next_columns)

    def _table(self, table: Table, slots: Sequence[int]) -> Node:
        """Claims of this row have consecutive slots and powers; those of the row below may not."""
        builder, height = self.builder, table.log_rows
        row, xi = self.r[len(self.r) - height :], self.xi[:height]
        bits = self.key.variables - height
        equal = builder.product(builder.eq(a, b) for a, b in zip(row, xi, strict=True))
        current = builder.multiply(
            equal, self._range(height, bits, slots[0], slots[0] + len(slots))
        )
        if not table.next_columns:
            return current
        powers = builder.powers(self.gamma, len(table.next_columns))
        chosen = {
            slots[column]: power for column, power in zip(table.next_columns, powers, strict=True)
        }
        below = builder.multiply(self._successor(row, xi), self._chosen(height, bits, chosen))
        return builder.add(current, builder.multiply(builder.power(self.gamma, table.width), below))

    def _successor(self, row: Sequence[Node], xi: Sequence[Node]) -> Node:
        """verifier/field.py, `successor`."""
        builder = self.builder
        carry, done, ones = builder.one, builder.zero, builder.one
        for x, z in zip(reversed(row), reversed(xi), strict=True):
            both = builder.multiply(x, z)
            kept = builder.multiply(done, builder.eq(x, z))
            done = builder.add(kept, builder.multiply(carry, builder.subtract(z, both)))
            carry = builder.multiply(carry, builder.subtract(x, both))
            ones = builder.multiply(ones, both)
        return builder.add(done, ones)

    def _range(self, height: int, bits: int, low: int, high: int) -> Node:
        """Σ γ^(s − low) · σ_s for low ≤ s < high, σ_s of so many bits of the slot."""
        builder = self.builder
        if bits == 0:
            return builder.one
        half = 1 << (bits - 1)
        one, zero = self.xi[height + bits - 1], self.others[height + bits - 1]
        if high <= half:
            return builder.multiply(zero, self._range(height, bits - 1, low, high))
        if low >= half:
            return builder.multiply(one, self._range(height, bits - 1, low - half, high - half))
        left = self._range(height, bits - 1, low, half)
        right = self._range(height, bits - 1, 0, high - half)
        shifted = builder.multiply(builder.power(self.gamma, half - low), right)
        return builder.between(left, shifted, one)

    def _chosen(self, height: int, bits: int, chosen: Slots) -> Node:
        """Σ factor · σ_s over some slots."""
        builder = self.builder
        if bits == 0:
            return chosen[0]
        half = 1 << (bits - 1)
        low = {slot: factor for slot, factor in chosen.items() if slot < half}
        high = {slot - half: factor for slot, factor in chosen.items() if slot >= half}
        one, zero = self.xi[height + bits - 1], self.others[height + bits - 1]
        if not high:
            return builder.multiply(zero, self._chosen(height, bits - 1, low))
        if not low:
            return builder.multiply(one, self._chosen(height, bits - 1, high))
        left = self._chosen(height, bits - 1, low)
        return builder.between(left, self._chosen(height, bits - 1, high), one)


def weights_programs(key: Key, code_bytes_max: int) -> list[Program]:
    """Programs that together hold every table, each in one contract.

    ValueError for a table of more code than a contract may have.
    """
    programs, first = [], 0
    while first < len(key.tables):
        end = len(key.tables)
        program = Weights(key, range(first, end)).program()
        while len(program.code) > code_bytes_max:
            end = (first + end) // 2
            if end == first:
                size = len(program.code)
                raise ValueError(f"weights: {size} bytes of code, at most {code_bytes_max}")
            program = Weights(key, range(first, end)).program()
        programs.append(program)
        first = end
    return programs
