"""The compiled form of a table: numbers only. Prover, verifiers and checker read nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from novate.circuit.buses import Interaction
from novate.circuit.columns import Column, Next, Origin
from novate.circuit.expressions import Binary, Constant, Expression, Operator, P, Public, Selector
from novate.circuit.tables import Rule, Table, range_check

DEGREE_MAX: Final = 9
"""Of a rule, and of an interaction's count and fields."""


class CircuitError(ValueError):
    """A table that does not compile; the message names table, column or rule, and why."""


class Node(NamedTuple):
    """An operation; operands are places of earlier nodes, or the column, public or constant."""

    operator: Operator
    left: int = 0
    right: int = 0


class ColumnForm(NamedTuple):
    """A column and how it is computed."""

    name: str
    origin: Origin
    operands: tuple[int, ...]
    """Places of nodes."""
    shift: int
    bits: int
    padding: int


class RuleForm(NamedTuple):
    """A rule and the node that must be zero."""

    label: str
    node: int


class InteractionForm(NamedTuple):
    """What each row adds to a bus."""

    bus: str
    fields: tuple[int, ...]
    times: int
    weight: int
    """0 for a receiver."""


@dataclass(frozen=True)
class TableForm:
    """A table, compiled."""

    name: str
    columns: tuple[ColumnForm, ...]
    nodes: tuple[Node, ...]
    rules: tuple[RuleForm, ...]
    interactions: tuple[InteractionForm, ...]
    publics: tuple[str, ...]
    order: tuple[int, ...]
    """Columns in an order in which they can be computed."""

    @property
    def next_columns(self) -> tuple[int, ...]:
        """Columns that a rule or message reads in the row below, sorted."""
        return tuple(sorted({node.left for node in self.nodes if node.operator == Operator.NEXT}))

    def digest(self) -> str:
        """SHA-256 of everything that decides which traces are valid."""
        parts = (
            self.name,
            len(self.columns),
            [(int(node.operator), node.left, node.right) for node in self.nodes],
            [(rule.label, rule.node) for rule in self.rules],
            [tuple(interaction) for interaction in self.interactions],
            self.publics,
        )
        return sha256(repr(parts).encode()).hexdigest()


class Compiler:
    """Turns the expressions of one table into nodes, equal ones into one."""

    def __init__(self, table: Table, columns: list[Column]) -> None:
        """The columns get their numbers in the order given."""
        self.table = table
        self.numbers = {id(column): number for number, column in enumerate(columns)}
        self.nodes: list[Node] = []
        self.publics: list[str] = []
        self._places: dict[Node, int] = {}
        self._known: dict[int, tuple[Expression, int]] = {}

    def place(self, expression: Expression) -> int:
        """The node of an expression."""
        known = self._known.get(id(expression))
        if known is not None:
            return known[1]
        node = self._node(expression)
        place = self._places.get(node)
        if place is None:
            place = self._places[node] = len(self.nodes)
            self.nodes.append(node)
        # The expression is kept: a dead one's id could be given to another.
        self._known[id(expression)] = expression, place
        return place

    def _node(self, expression: Expression) -> Node:
        """The operation of one expression."""
        if isinstance(expression, Binary):
            left, right = self.place(expression.left), self.place(expression.right)
            if expression.operator != Operator.SUBTRACT and right < left:
                left, right = right, left
            return Node(expression.operator, left, right)
        if isinstance(expression, Column):
            return Node(Operator.COLUMN, self.number(expression))
        if isinstance(expression, Next):
            return Node(Operator.NEXT, self.number(expression.column))
        if isinstance(expression, Constant):
            return Node(Operator.CONSTANT, expression.value % P)
        if isinstance(expression, Public):
            if expression.name not in self.publics:
                self.publics.append(expression.name)
            return Node(Operator.PUBLIC, self.publics.index(expression.name))
        if isinstance(expression, Selector):
            return Node(expression.operator)
        raise CircuitError(f"{self.table.name}: unknown expression {type(expression).__name__}")

    def number(self, column: Column) -> int:
        """The number of a column of this table."""
        if id(column) not in self.numbers:
            raise CircuitError(f"{self.table.name}: column {column.name!r} is of another table")
        return self.numbers[id(column)]


def compile_table(table: Table) -> TableForm:
    """The compiled form. CircuitError if the table cannot be proved as it is written."""
    declared = list(table.declared())
    checks = [range_check(column) for column in declared]
    columns = declared + [extra for extras, _ in checks for extra in extras]
    _require_names(table, columns)
    compiler = Compiler(table, columns)
    rules = _compile_rules(compiler, table.rules())
    lookups = [lookup for _, found in checks for lookup in found]
    interactions = [_compile_interaction(compiler, i) for i in [*table.messages(), *lookups]]
    forms = tuple(_compile_column(compiler, column) for column in columns)
    form = TableForm(
        name=table.name,
        columns=forms,
        nodes=tuple(compiler.nodes),
        rules=tuple(rules),
        interactions=tuple(interactions),
        publics=tuple(compiler.publics),
        order=(),
    )
    _require_bound(form)
    return TableForm(**{**form.__dict__, "order": tuple(_order(form))})


def _require_names(table: Table, columns: list[Column]) -> None:
    """Every column has a name of its own."""
    names = [column.name for column in columns]
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise CircuitError(f"{table.name}: column name {name!r} is empty or used twice")


def _compile_rules(compiler: Compiler, rules: list[Rule]) -> list[RuleForm]:
    """The rules' nodes; labels are unique and degrees within the limit."""
    forms: dict[str, RuleForm] = {}
    for rule in rules:
        if rule.label in forms:
            raise CircuitError(f"rule {rule.label} is there twice")
        if rule.expression.degree > DEGREE_MAX:
            detail = f"degree {rule.expression.degree}, max {DEGREE_MAX}"
            raise CircuitError(f"rule {rule.label}: {detail}")
        forms[rule.label] = RuleForm(rule.label, compiler.place(rule.expression))
    return list(forms.values())


def _compile_interaction(compiler: Compiler, interaction: Interaction) -> InteractionForm:
    """An interaction's nodes, degrees within the limit."""
    for expression in (*interaction.message, interaction.times):
        if expression.degree > DEGREE_MAX:
            detail = f"bus {interaction.bus.name}: degree {expression.degree}, max {DEGREE_MAX}"
            raise CircuitError(f"{compiler.table.name}: {detail}")
    fields = tuple(compiler.place(field) for field in interaction.message)
    count = compiler.place(interaction.times)
    return InteractionForm(interaction.bus.name, fields, count, interaction.weight)


def _compile_column(compiler: Compiler, column: Column) -> ColumnForm:
    """A column with its operands as nodes."""
    source = column.source
    operands = tuple(compiler.place(operand) for operand in source.operands)
    return ColumnForm(
        column.name, source.origin, operands, source.shift, source.bits, column.padding
    )


def columns_read(form: TableForm, places: tuple[int, ...]) -> set[int]:
    """Columns that nodes depend on, in this row or the one below."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        node = form.nodes[place]
        if node.operator in (Operator.COLUMN, Operator.NEXT):
            found.add(node.left)
        elif node.operator >= Operator.ADD:
            waiting += [node.left, node.right]
    return found


def _require_bound(form: TableForm) -> None:
    """Every column is read by a rule or a message: one that is not could hold anything."""
    places = [rule.node for rule in form.rules]
    for interaction in form.interactions:
        places += [*interaction.fields, interaction.times]
    read = columns_read(form, tuple(places))
    for number, column in enumerate(form.columns):
        if number not in read:
            raise CircuitError(f"{form.name}: no rule or message reads column {column.name!r}")


def _order(form: TableForm) -> list[int]:
    """Columns so that each comes after those it is computed from. CircuitError on a circle."""
    order: list[int] = []
    state: dict[int, bool] = {}

    def visit(number: int) -> None:
        """Those it needs, then the column itself."""
        if number in state:
            if not state[number]:
                name = form.columns[number].name
                raise CircuitError(f"{form.name}: column {name!r} depends on itself")
            return
        state[number] = False
        needed = columns_read(form, form.columns[number].operands)
        if form.columns[number].origin == Origin.SCAN:
            needed.discard(number)
        for other in sorted(needed):
            visit(other)
        state[number] = True
        order.append(number)

    for number in range(len(form.columns)):
        visit(number)
    return order
