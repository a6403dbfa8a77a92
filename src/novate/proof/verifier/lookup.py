"""Step 2: the buses balance. LogUp's fractions, summed by a reduction of layers (GKR)."""

from __future__ import annotations

from dataclasses import dataclass

from novate.proof.verifier.field import ONE, ZERO, K, add, eq, interpolate, mul, sub
from novate.proof.verifier.key import Key
from novate.proof.verifier.messages import Messages
from novate.proof.verifier.transcript import Transcript, atom, bracket, require, u


@dataclass(frozen=True)
class Plan:
    """Where every interaction's block of leaves lies: fixed by the key."""

    order: tuple[int, ...]
    """Tables with interactions: tallest first, equal heights in the key's order."""
    offsets: dict[int, int]
    """First leaf of each of them."""
    buses: dict[int, int]
    """Number of each bus, by first appearance."""
    widest: int
    """Fields of the widest message."""


def plan_of(key: Key) -> Plan:
    """The plan of a key's lookups."""
    active = [place for place, table in enumerate(key.tables) if table.interactions]
    order = sorted(active, key=lambda place: -key.tables[place].log_rows)
    offsets: dict[int, int] = {}
    buses: dict[int, int] = {}
    offset = widest = 0
    for place in order:
        table = key.tables[place]
        offsets[place] = offset
        offset += len(table.interactions) << table.log_rows
        for interaction in table.interactions:
            buses.setdefault(interaction.bus, len(buses))
            widest = max(widest, len(interaction.fields))
    return Plan(tuple(order), offsets, buses, widest)


@dataclass(frozen=True)
class Lookup:
    """What the reduction leaves to be shown at one point."""

    plan: Plan
    alpha: K
    beta_powers: tuple[K, ...]
    theta: K
    point: tuple[K, ...]
    """Coordinates of a leaf: the first address a block, the last a row."""
    numerator: K
    denominator: K

    def bus_point(self, bus: int) -> K:
        """P_bus = α + (number + 1) · β^W: what keeps the messages of two buses apart."""
        power = self.beta_powers[self.plan.widest]
        number = self.plan.buses[bus] + 1
        return add(self.alpha, mul(power, (number, 0, 0)))


def verify_lookup(key: Key, messages: Messages, transcript: Transcript) -> Lookup:
    """Challenges of the fractions, the reduction, and the challenge that joins its two claims."""
    plan = plan_of(key)
    chunks = [u(key.lookup_layers), u(plan.widest), u(len(plan.buses)), u(len(plan.order))]
    for place in plan.order:
        table = key.tables[place]
        chunks += [u(place), u(table.log_rows), u(plan.offsets[place]), u(len(table.interactions))]
        chunks += [u(plan.buses[interaction.bus]) for interaction in table.interactions]
    steps = [
        atom("Challenge", "alpha", None, "TE"),
        atom("Challenge", "beta", None, "TE"),
        *bracket("fraction_reduction"),
        atom("Challenge", "theta", None, "TE"),
    ]
    transcript.seed("p3-multi-stark-lookup", 1, steps, chunks)
    alpha, beta = transcript.extension(), transcript.extension()
    powers = [ONE]
    for _ in range(plan.widest):
        powers.append(mul(powers[-1], beta))
    point, numerator, denominator = _reduce(key, messages, transcript)
    theta = transcript.extension()
    return Lookup(plan, alpha, tuple(powers), theta, point, numerator, denominator)


def _reduce(key: Key, messages: Messages, transcript: Transcript) -> tuple[tuple[K, ...], K, K]:
    """From the root fraction 0 / D to a claim on the leaves: a layer and a sumcheck at a time."""
    layers = key.lookup_layers
    steps = [atom("Message", "root_denominator", None, "TE")]
    for layer in range(layers):
        rounds = [
            atom("Message", "round_poly", 3, "TE"),
            atom("Challenge", "round_challenge", 1, "TE"),
        ]
        inner = [
            atom("Challenge", "batching", None, "TE"),
            *rounds * layer,
            atom("Message", "claims", 4, "TE"),
            atom("Challenge", "branch", 1, "TE"),
        ]
        steps += bracket("layer", inner)
    transcript.seed("p3-multi-stark-fraction-gkr", 2, steps, [])
    require(messages.root_denominator != ZERO, "2.1 root denominator is zero")
    transcript.absorb_extensions([messages.root_denominator])
    numerator, denominator = ZERO, messages.root_denominator
    point: list[K] = []
    for polynomials, claims in messages.layers:
        batching = transcript.extension()
        current = add(numerator, mul(batching, denominator))
        drawn: list[K] = []
        for at_0, at_2, at_3 in polynomials:
            transcript.absorb_extensions([at_0, at_2, at_3])
            drawn.append(transcript.nonzero())
            current = interpolate([at_0, sub(current, at_0), at_2, at_3], drawn[-1])
        n0, d0, n1, d1 = claims
        joined = add(add(mul(d1, n0), mul(d0, n1)), mul(batching, mul(d0, d1)))
        require(current == mul(eq(point, drawn), joined), f"2.2 layer {len(point)}")
        transcript.absorb_extensions(claims)
        branch = transcript.nonzero()
        numerator = add(n0, mul(branch, sub(n1, n0)))
        denominator = add(d0, mul(branch, sub(d1, d0)))
        point = [branch, *drawn]
    return tuple(point), numerator, denominator
