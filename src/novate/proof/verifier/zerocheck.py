"""Steps 3 and 6: every rule is zero in every row, shown at one random point of all tables."""

from __future__ import annotations

from dataclasses import dataclass

from novate.proof.verifier.field import (
    ONE,
    ZERO,
    K,
    add,
    corner,
    eq,
    interpolate,
    lift,
    mul,
    product,
    sub,
)
from novate.proof.verifier.key import Key, Table
from novate.proof.verifier.lookup import Lookup
from novate.proof.verifier.messages import Messages
from novate.proof.verifier.transcript import Transcript, atom, bracket, require, u


@dataclass(frozen=True)
class Zerocheck:
    """Challenges of the zerocheck, the point it ends at and what must be found there."""

    alpha: K
    """Joins the rules of a table."""
    beta: K
    """Joins the tables."""
    eta: K
    """Joins rules and lookups."""
    tau: tuple[K, ...]
    point: tuple[K, ...]
    value: K


def verify_zerocheck(
    key: Key, messages: Messages, lookup: Lookup, transcript: Transcript
) -> Zerocheck:
    """The sumcheck of rules and lookup claims, down to one point."""
    rounds, layers = key.zerocheck_rounds, key.lookup_layers
    steps = [atom("Challenge", name, None, "TE") for name in ("alpha", "beta", "eta")]
    if rounds > layers:
        steps.append(atom("Challenge", "tau", rounds - layers, "TE"))
    steps += bracket("constraint_sumcheck")
    chunks = [u(rounds), u(layers), u(key.sumcheck_pow_bits), u(len(key.tables))]
    for table in key.tables:
        chunks += [u(table.rule_degree()), u(table.message_degree())]
    transcript.seed("p3-multi-stark-zerocheck", 1, steps, chunks)
    alpha, beta, eta = (transcript.extension() for _ in range(3))
    fresh = [transcript.nonzero() for _ in range(rounds - layers)]
    tau = (*fresh, *lookup.point)
    link = add(lookup.numerator, mul(lookup.theta, sub(lookup.denominator, ONE)))
    require(messages.claimed_sum == mul(eta, link), "3.1 claimed sum")
    point, value = _sumcheck(key, messages, transcript)
    return Zerocheck(alpha, beta, eta, tau, tuple(point), value)


def _sumcheck(key: Key, messages: Messages, transcript: Transcript) -> tuple[list[K], K]:
    """A round a variable; each sends the values at 0, 2, …, d."""
    degree, bits = key.zerocheck_degree, key.sumcheck_pow_bits
    one_round = [atom("Message", "round_poly", degree, "TE")]
    if bits:
        one_round.append(atom("Pow", "round_pow", bits, "TF"))
    one_round.append(atom("Challenge", "round_challenge", None, "TE"))
    steps = [atom("Message", "claimed_sum", None, "TE"), *one_round * key.zerocheck_rounds]
    transcript.seed("p3-sumcheck-generic-degree", 1, steps, [])
    transcript.absorb_extensions([messages.claimed_sum])
    current, point = messages.claimed_sum, []
    for number, values in enumerate(messages.polynomials):
        transcript.absorb_extensions(values)
        if bits:
            transcript.grind(bits, messages.witnesses[number], f"3.2 round {number}")
        point.append(transcript.extension())
        at_one = sub(current, values[0])
        current = interpolate([values[0], at_one, *values[1:]], point[-1])
    return point, current


def verify_closing(
    key: Key, publics: list[list[int]], messages: Messages, lookup: Lookup, zerocheck: Zerocheck
) -> None:
    """Step 6: rules and messages of every table, at the opened values, give the sumcheck's end."""
    sum_of_tables, power = ZERO, ONE
    for place, table in enumerate(key.tables):
        current, below = messages.columns[place]
        values = node_values(table, zerocheck.point, current, below, publics[place])
        rules = ZERO
        for rule in table.rules:
            rules = add(mul(rules, zerocheck.alpha), values[rule])
        links = _links(key, place, lookup, values)
        share = add(mul(power, rules), mul(zerocheck.eta, links))
        sum_of_tables = add(sum_of_tables, share)
        power = mul(power, zerocheck.beta)
    expected = mul(eq(zerocheck.tau, zerocheck.point), sum_of_tables)
    require(zerocheck.value == expected, "6 rules and messages at the point")


def node_values(
    table: Table, point: tuple[K, ...], current: list[K], below: list[K], publics: list[int]
) -> list[K]:
    """Every node of a table at the last `log_rows` coordinates of the point."""
    row = point[len(point) - table.log_rows :]
    last = product(iter(row))
    selectors = {4: product(sub(ONE, z) for z in row), 5: last, 6: sub(ONE, last)}
    next_values = dict(zip(table.next_columns, below, strict=True))
    values: list[K] = []
    for operator, left, right in table.nodes:
        if operator == 0:
            values.append(current[left])
        elif operator == 1:
            values.append(next_values[left])
        elif operator == 2:
            values.append(lift(publics[left]))
        elif operator == 3:
            values.append(lift(left))
        elif operator in selectors:
            values.append(selectors[operator])
        elif operator == 7:
            values.append(add(values[left], values[right]))
        elif operator == 8:
            values.append(sub(values[left], values[right]))
        else:
            values.append(mul(values[left], values[right]))
    return values


def _links(key: Key, place: int, lookup: Lookup, values: list[K]) -> K:
    """Σ over a table's interactions of block weight · (count + θ (P_bus − 1 − Σ β^k field))."""
    table = key.tables[place]
    if not table.interactions:
        return ZERO
    high = lookup.point[: key.lookup_layers - table.log_rows]
    first_block = lookup.plan.offsets[place] >> table.log_rows
    result = ZERO
    for number, interaction in enumerate(table.interactions):
        weight = eq(corner(first_block + number, len(high)), high)
        denominator = sub(lookup.bus_point(interaction.bus), ONE)
        for power, node in zip(lookup.beta_powers, interaction.fields, strict=False):
            denominator = sub(denominator, mul(power, values[node]))
        fraction = add(values[interaction.times], mul(lookup.theta, denominator))
        result = add(result, mul(weight, fraction))
    return result
