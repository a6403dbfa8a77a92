"""What the contract evaluates from a key: the closing equation, and the weights of column claims.

Both are the readable verifier's formulas (verifier/zerocheck.py and verifier/stacking.py) with
every index, exponent and shape worked out beforehand, so that only arithmetic in K is left for L1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from novate.proof.contract.program import Builder, Node, Program
from novate.proof.verifier.key import Key, Table
from novate.proof.verifier.lookup import plan_of
from novate.proof.verifier.stacking import placement

Slots = Mapping[int, Node]


class Inputs:
    """Words of the input in the order they are asked for."""

    def __init__(self, builder: Builder) -> None:
        """Nothing asked for."""
        self._builder = builder
        self._next = 0

    def take(self, count: int) -> list[Node]:
        """The next words."""
        first = self._next
        self._next += count
        return [self._builder.load(word) for word in range(first, first + count)]

    def skip(self, count: int) -> int:
        """Leave words to a later part; the first of them."""
        first = self._next
        self._next += count
        return first


class Closing:
    """Step 6 and the values of step 5's first claim.

    Input: α, β, θ, η, α_c, β_c, γ; point q; fresh coordinates of τ; point r; public values; for
    each table its columns in this row, then in the row below. Results: what the zerocheck must have
    left, and Σ γ^j · value_j over the column claims.
    """

    def __init__(self, key: Key) -> None:
        """Everything that tables share."""
        self.key = key
        self.plan = plan_of(key)
        self.builder = builder = Builder()
        inputs = Inputs(builder)
        self.alpha, self.beta, self.theta, self.eta, rules, tables, claims = inputs.take(7)
        self.q = inputs.take(key.lookup_layers)
        self.tau = [*inputs.take(key.zerocheck_rounds - key.lookup_layers), *self.q]
        self.r = inputs.take(key.zerocheck_rounds)
        self.publics = [inputs.take(table.publics) for table in key.tables]
        self.columns = [inputs.skip(t.width + len(t.next_columns)) for t in key.tables]
        self.rule_powers = builder.powers(rules, max(len(table.rules) for table in key.tables))
        self.table_powers = builder.powers(tables, len(key.tables))
        longest = max(table.width + len(table.next_columns) for table in key.tables)
        self.claim_powers = builder.powers(claims, longest + 1)
        beta_powers = builder.powers(self.beta, self.plan.widest + 1)
        self.field_powers = [builder.multiply(self.theta, power) for power in beta_powers]
        self.buses = {bus: self._bus(number) for bus, number in self.plan.buses.items()}
        self.lasts = self._running([*self.r])
        self.firsts = self._running([builder.subtract(builder.one, x) for x in self.r])
        self.blocks: dict[tuple[int, int], Node] = {(0, 0): builder.one}
        for place in self.plan.order:
            for number in range(len(key.tables[place].interactions)):
                self._block(place, number)

    def program(self) -> Program:
        """The whole program."""
        builder = self.builder
        kept = [(self._share(place), self._claimed(place)) for place in range(len(self.columns))]
        builder.part()
        total = builder.zero
        for share, _ in kept:
            total = builder.add(total, share)
        same = builder.product(builder.eq(a, b) for a, b in zip(self.tau, self.r, strict=True))
        claims = builder.zero
        for place, _ in reversed(placement(self.key)):
            table = self.key.tables[place]
            shift = self.claim_powers[table.width + len(table.next_columns)]
            claims = builder.add(builder.multiply(claims, shift), kept[place][1])
        return builder.finish([builder.multiply(same, total), claims])

    def _bus(self, number: int) -> Node:
        """θ · (P_bus − 1)."""
        builder = self.builder
        power = self.field_powers[self.plan.widest]
        shifted = builder.multiply(self.theta, builder.subtract(self.alpha, builder.one))
        return builder.add(shifted, builder.multiply(power, builder.constant(number + 1)))

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
        if (bits, index) not in self.blocks:
            builder = self.builder
            parent = self._prefix(bits - 1, index >> 1)
            high = builder.multiply(parent, self.q[bits - 1])
            self.blocks[bits, index | 1] = high
            self.blocks[bits, index & ~1] = builder.subtract(parent, high)
        return self.blocks[bits, index]

    def _load(self, place: int) -> list[Node]:
        """Begin a part with the opened values of a table: this row's, then those below."""
        self.builder.part()
        table, first = self.key.tables[place], self.columns[place]
        count = table.width + len(table.next_columns)
        return [self.builder.load(word) for word in range(first, first + count)]

    def _claimed(self, place: int) -> Node:
        """Σ γ^j · value_j over a table's claims, from γ^0 on."""
        pairs = list(zip(self._load(place), self.claim_powers, strict=False))
        return self.builder.keep(self.builder.dot(pairs))

    def _share(self, place: int) -> Node:
        """A table's share of the closing sum."""
        builder, table = self.builder, self.key.tables[place]
        values = self._nodes(table, self._load(place), self.publics[place])
        powers = reversed(self.rule_powers[: len(table.rules)])
        rules = builder.dot([(values[r], p) for r, p in zip(table.rules, powers, strict=True)])
        pairs = [(self.table_powers[place], rules), (self.eta, self._links(place, values))]
        return builder.keep(builder.dot(pairs))

    def _links(self, place: int, values: Mapping[int, Node]) -> Node:
        """Σ block weight · (count + θ (P_bus − 1) − Σ θ β^k · field_k)."""
        builder = self.builder
        pairs = []
        for number, interaction in enumerate(self.key.tables[place].interactions):
            fields = [values[node] for node in interaction.fields]
            message = builder.dot(list(zip(fields, self.field_powers, strict=False)))
            fraction = builder.subtract(
                builder.add(values[interaction.times], self.buses[interaction.bus]), message
            )
            pairs.append((self._block(place, number), fraction))
        return builder.dot(pairs)

    def _nodes(
        self, table: Table, loaded: Sequence[Node], publics: Sequence[Node]
    ) -> dict[int, Node]:
        """The nodes of a table that a rule or message needs."""
        builder = self.builder
        below = dict(zip(table.next_columns, loaded[table.width :], strict=True))
        last = self.lasts[table.log_rows]
        selectors = {
            4: self.firsts[table.log_rows],
            5: last,
            6: builder.subtract(builder.one, last),
        }
        arithmetic = {7: builder.add, 8: builder.subtract, 9: builder.multiply}
        values: dict[int, Node] = {}
        needed = needed_nodes(table)
        for number, (operator, left, right) in enumerate(table.nodes):
            if number not in needed:
                continue
            if operator == 0:
                values[number] = loaded[left]
            elif operator == 1:
                values[number] = below[left]
            elif operator == 2:
                values[number] = publics[left]
            elif operator == 3:
                values[number] = builder.constant(left)
            elif operator in selectors:
                values[number] = selectors[operator]
            else:
                values[number] = arithmetic[operator](values[left], values[right])
        return values


def needed_nodes(table: Table) -> set[int]:
    """Nodes that a rule or a message is made of."""
    needed = set(table.rules)
    for interaction in table.interactions:
        needed |= {*interaction.fields, interaction.times}
    for number in range(len(table.nodes) - 1, -1, -1):
        operator, left, right = table.nodes[number]
        if number in needed and operator > 6:
            needed |= {left, right}
    return needed


class Weights:
    """Σ γ^j · weight_j(ξ) over the column claims. Input: γ; point r; point ξ. One result."""

    def __init__(self, key: Key) -> None:
        """Everything that tables share."""
        self.key = key
        self.builder = builder = Builder()
        inputs = Inputs(builder)
        (self.gamma,) = inputs.take(1)
        self.r = inputs.take(key.zerocheck_rounds)
        self.xi = inputs.take(key.variables)
        self.others = [builder.subtract(builder.one, x) for x in self.xi]

    def program(self) -> Program:
        """The whole program; Horner's rule over the tables of the stack, from the last."""
        builder = self.builder
        result = builder.zero
        for place, slots in reversed(placement(self.key)):
            table = self.key.tables[place]
            shift = builder.power(self.gamma, table.width + len(table.next_columns))
            result = builder.add(builder.multiply(result, shift), self._table(table, slots))
        return builder.finish([result])

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
