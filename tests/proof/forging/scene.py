"""What a forger starts from: valid columns of every table, and room to spoil them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from novate.circuit.columns import Origin
from novate.circuit.expressions import P
from novate.circuit.form import TableForm
from novate.circuit.relation import Relation
from novate.circuit.witness import Trace, Values
from novate.lab.prove_demo import DOMAIN, accounts_and_messages
from novate.proof.profiles import Profile
from novate.proof.prover import Prover
from novate.proof.statements import MINIMAL, TREE_DEPTH, signed_updates_relation
from novate.spec.crypto import curve, quintic
from novate.spec.crypto.sponge import compress
from novate.spec.primitives import Digest
from novate.tables import base_windows
from novate.tables.curve import Element, sum_of
from novate.tables.signed_updates import witness

Primary = dict[str, dict[str, list[int]]]
ROOT_CHILDREN: tuple[Digest, Digest] = ((11, 12, 13, 14), (21, 22, 23, 24))
"""Below the root of a statement without messages: nothing else of its tree is named."""
NEUTRAL = Element(quintic.ZERO, quintic.ZERO)


@dataclass(frozen=True)
class Attack:
    """A witness that violates one rule or bus, and what it is filled from."""

    target: str
    """Label of the rule, or name of the bus."""
    primary: Primary
    publics: Mapping[str, int]
    given: Primary = field(default_factory=dict)
    """Columns that are filled so and not computed, by table."""
    implied: tuple[str, ...] = ()
    """Other rules that no violation of the target can keep."""


class Scene:
    """Primary columns of all tables at the heights of the profile, and public values."""

    relation: Relation = signed_updates_relation()
    profile: Profile = MINIMAL

    def __init__(self, primary: Primary, publics: Mapping[str, int]) -> None:
        """Lists are the scene's own: it may be changed."""
        given = {form.name: primary.get(form.name, {}) for form in self.relation.forms}
        self.primary = {
            name: {column: list(values) for column, values in columns.items()}
            for name, columns in given.items()
        }
        self.publics = dict(publics)
        for form in self.relation.forms:
            for column in form.columns:
                if column.origin == Origin.PRIMARY:
                    self.primary[form.name].setdefault(column.name, [])

    def copy(self) -> Scene:
        """A scene of its own."""
        return Scene(self.primary, self.publics)

    def form(self, table: str) -> TableForm:
        """A table's compiled form."""
        return next(form for form in self.relation.forms if form.name == table)

    def rows(self, table: str) -> int:
        """Its height."""
        return 1 << self.profile.log_rows[table]

    def put(self, table: str, row: int, **values: int) -> None:
        """Values of one row; rows above it that hold nothing yet become padding."""
        padding = {column.name: column.padding for column in self.form(table).columns}
        for name, value in values.items():
            column = self.primary[table][name]
            column.extend([padding[name]] * (row + 1 - len(column)))
            column[row] = value

    def put_row(self, table: str, row: int, **values: Sequence[int]) -> None:
        """Quintics and other short lists of one row: `x=(…)` fills x_0, x_1, …"""
        for name, listed in values.items():
            self.put(table, row, **{f"{name}_{k}": value for k, value in enumerate(listed)})

    def append(self, table: str, columns: Mapping[str, Sequence[int]]) -> int:
        """Rows after those that are there; the number of the first."""
        first = max(map(len, self.primary[table].values()), default=0)
        for name, values in columns.items():
            for place, value in enumerate(values):
                self.put(table, first + place, **{name: value})
        return first

    def traces(self, prover: Prover) -> dict[str, Trace]:
        """All columns, by table."""
        filled = prover.fill(self.primary, self.publics)
        return {
            form.name: trace.tolist()
            for form, trace in zip(self.relation.forms, filled, strict=True)
        }

    def attack(
        self, target: str, given: Primary | None = None, implied: tuple[str, ...] = ()
    ) -> Attack:
        """The scene as it is, as an attack."""
        return Attack(target, self.primary, self.publics, given or {}, implied)


def idle() -> Scene:
    """No message was applied: a root, and tables that are padding or the same in every proof."""
    left, right = ROOT_CHILDREN
    root = compress(left, right)
    scene = Scene({"base_windows": base_windows.fill()}, {})
    scene.put("roots", 0, active=1)
    node(scene, TREE_DEPTH, 0)
    scene.publics = dict.fromkeys(
        (name for form in Scene.relation.forms for name in form.publics), 0
    )
    for place, value in enumerate(root):
        scene.publics |= {f"old_root_{place}": value, f"new_root_{place}": value}
    return scene


def node(scene: Scene, level: int, index: int) -> int:
    """A row of `merkle_update` for an unchanged node, with the permutation it asks for."""
    left, right = ROOT_CHILDREN
    root = compress(left, right)
    row = scene.append("merkle_update", {"active": [1], "level": [level], "index": [index]})
    for when in ("old", "new"):
        sides = {f"{when}_left": left, f"{when}_right": right, when: root}
        scene.put_row("merkle_update", row, **sides)
    if not scene.primary["poseidon2_8"]["state_0"]:
        scene.put_row("poseidon2_8", 0, state=(*left, *right))
    return row


def signed(count: int) -> Scene:
    """Some signed messages, applied."""
    tree, updates = accounts_and_messages(count, 1)
    made = witness(DOMAIN, tree, updates)
    return Scene(made.primary, made.publics)


def scanned(
    scene: Scene, traces: Mapping[str, Trace], table: str, column: str, row: int
) -> list[int]:
    """A scanned column that stands one too high in a row and goes on from there by its step."""
    form, trace = scene.form(table), [list(values) for values in traces[table]]
    number = [made.name for made in form.columns].index(column)
    _, step = form.columns[number].operands
    publics = [scene.publics[name] for name in form.publics]
    values = Values(form, trace, len(trace[0]), publics)
    trace[number][row] = (trace[number][row] + 1) % P
    for below in range(row + 1, len(trace[0])):
        trace[number][below] = values.at(step, below, below - 1)
    return trace[number]


def moved(values: Sequence[int], place: int) -> quintic.Quintic:
    """A quintic with one coefficient one higher."""
    return quintic.add(tuple(values), unit(place))  # type: ignore[arg-type]


def unit(place: int) -> quintic.Quintic:
    """z^place."""
    a, b, c, d, e = (int(k == place) for k in range(5))
    return a, b, c, d, e


def wrong_sum(left: Element, right: Element, place: int) -> Element:
    """left ⊕ right, with a result for which rule `place` of ten is 1 and the others are 0."""
    added = sum_of(left, right)
    products = quintic.mul(left.x, right.x), quintic.mul(left.u, right.u)
    even = quintic.add(products[0], curve.B)
    sums = quintic.add(curve.mul_by_b(quintic.add(left.x, right.x)), even)
    odd = quintic.mul(quintic.scale(products[1], 2), sums)
    if place < 5:
        shift = quintic.inverse_or_zero(quintic.sub(even, odd))
        return Element(quintic.add(added.x, quintic.mul(shift, unit(place))), added.u)
    shift = quintic.inverse_or_zero(quintic.add(even, odd))
    return Element(added.x, quintic.add(added.u, quintic.mul(shift, unit(place - 5))))


def wrong_at(point: Element, place: int) -> Element:
    """A point with one of its ten coefficients one higher."""
    if place < 5:
        return Element(moved(point.x, place), point.u)
    return Element(point.x, moved(point.u, place - 5))
