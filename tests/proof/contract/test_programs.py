"""The contract's programs say what the readable verifier computes; assembled code keeps bounds."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from novate.proof.contract.kernels import FOLDED_MAX
from novate.proof.contract.parts import CODE_BYTES_MAX, parts_of
from novate.proof.contract.program import Builder, Node, Program
from novate.proof.contract.programs import Shared, closing_programs, weights_programs
from novate.proof.contract.seeds import record, stretches
from novate.proof.verifier.field import ONE, ZERO, K, P, add, lift, mul, sub
from novate.proof.verifier.key import Key, read_key
from novate.proof.verifier.lookup import Lookup, plan_of
from novate.proof.verifier.messages import Messages, read_messages
from novate.proof.verifier.stacking import read_columns
from novate.proof.verifier.transcript import Refused, Transcript
from novate.proof.verifier.zerocheck import Zerocheck, verify_closing
from tests.proof.contract.machine import call, canonical, lanes_of, packed, reduced

KEYS = Path(__file__).resolve().parents[3] / "keys"


@pytest.fixture(name="key", scope="module", params=["minimal", "small"])
def _key(request: pytest.FixtureRequest) -> Key:
    return read_key(json.loads((KEYS / f"signed_updates.{request.param}.json").read_text()))


def element(random: Random) -> K:
    return random.randrange(P), random.randrange(P), random.randrange(P)


def elements(random: Random, count: int) -> list[K]:
    return [element(random) for _ in range(count)]


def opened(key: Key, random: Random) -> Messages:
    """Random values of all columns."""
    columns = [
        (elements(random, table.width), elements(random, len(table.next_columns)))
        for table in key.tables
    ]
    return Messages(columns=columns)


def test_closing_programs_are_the_closing_equation(key: Key) -> None:
    random = Random(1)
    alpha, beta, theta, eta, rules, tables, gamma = elements(random, 7)
    q = elements(random, key.lookup_layers)
    fresh = elements(random, key.zerocheck_rounds - key.lookup_layers)
    r = elements(random, key.zerocheck_rounds)
    publics = [[random.randrange(P) for _ in range(table.publics)] for table in key.tables]
    messages = opened(key, random)
    inputs = [alpha, beta, theta, eta, rules, tables, gamma, *q, *fresh, *r]
    inputs += [lift(value) for row in publics for value in row]
    inputs += [value for rows in messages.columns for row in rows for value in row]
    value, claimed = closed(key, inputs)

    plan, powers = plan_of(key), [ONE]
    for _ in range(plan.widest):
        powers.append(mul(powers[-1], beta))
    lookup = Lookup(plan, alpha, tuple(powers), theta, tuple(q), ZERO, ZERO)
    tau = (*fresh, *q)
    verify_closing(
        key, publics, messages, lookup, Zerocheck(rules, tables, eta, tau, tuple(r), value)
    )
    other = Zerocheck(rules, tables, eta, tau, tuple(r), add(value, ONE))
    with pytest.raises(Refused):
        verify_closing(key, publics, messages, lookup, other)

    power, expected = ONE, ZERO
    for claim in read_columns(key, messages, r, Transcript()):
        expected = add(expected, mul(power, claim.value))
        power = mul(power, gamma)
    assert claimed == expected


def closed(key: Key, inputs: list[K]) -> tuple[K, K]:
    """What the contract makes of the closing programs: the zerocheck's value, and of all claims."""
    shared = Shared(key)
    common, _ = call(shared.program().code, [packed(value) for value in inputs])
    total, claimed = ZERO, ZERO
    for program in closing_programs(shared, CODE_BYTES_MAX):
        assert len(program.code) <= CODE_BYTES_MAX
        words, _ = call(program.code, [packed(value) for value in inputs] + common)
        share, claim = map(canonical, words)
        assert [packed(share), packed(claim)] == words
        total, claimed = add(total, share), add(claimed, claim)
    return mul(reduced(common[0]), total), claimed


def test_tables_are_split_where_their_code_is_longer_than_a_contract(key: Key) -> None:
    """In halves of rules; their shares sum up to the same."""
    random = Random(7)
    shared = Shared(key)
    inputs = [packed(element(random)) for _ in range(shared.inputs.count)]
    inputs += call(shared.program().code, inputs)[0]
    sums = []
    for most in (CODE_BYTES_MAX, 12_000):
        programs = closing_programs(shared, most)
        assert all(len(program.code) <= most for program in programs)
        results = [call(program.code, inputs)[0] for program in programs]
        sums.append([reduced(sum(column)) for column in zip(*results, strict=True)])
    assert sums[0] == sums[1]
    with pytest.raises(ValueError, match="bytes of code, at most 2000"):
        closing_programs(shared, 2_000)


def test_weights_program_is_the_sum_of_weights(key: Key) -> None:
    random = Random(2)
    gamma = element(random)
    r, xi = elements(random, key.zerocheck_rounds), elements(random, key.variables)
    power, expected = ONE, ZERO
    for claim in read_columns(key, opened(key, random), r, Transcript()):
        expected = add(expected, mul(power, claim.weight(xi)))
        power = mul(power, gamma)
    words = [packed(value) for value in (gamma, *r, *xi)]
    for most in (CODE_BYTES_MAX, 6_000):
        programs = weights_programs(key, most)
        assert all(len(program.code) <= most for program in programs)
        results = [call(program.code, words)[0][0] for program in programs]
        assert reduced(sum(results)) == expected
    with pytest.raises(ValueError, match=r"weights: .* at most 2000"):
        weights_programs(key, 2_000)


def test_parts_fit_contracts_and_hold_every_seed(key: Key) -> None:
    parts = parts_of(key)
    assert all(1 < len(code) <= CODE_BYTES_MAX for code in parts.codes)
    programs = 1 + len(parts.closing) + len(parts.weights)
    assert all(code[0] == 0 for code in parts.codes[:-programs])
    stored = b"".join(parts.codes)
    seeds = [seed for seed in record(key).flat() if seed]
    assert all(seed in stored for seed in seeds)
    assert len(seeds) == len(key.tables) + len(key.rounds) + 9


def test_stretches_add_up_to_what_the_decoder_takes(key: Key) -> None:
    size = sum(stretches(key)) + 4 * (len(key.rounds) + 1)
    read_messages(key, bytes(size))
    for wrong in (size - 1, size + 1):
        with pytest.raises(Refused):
            read_messages(key, bytes(wrong))


def run(program: Program, inputs: list[K]) -> list[K]:
    """Results of a program, lanes below p."""
    return [canonical(word) for word in call(program.code, [packed(x) for x in inputs])[0]]


def test_sums_are_reduced_before_their_lanes_overflow() -> None:
    """Doubled 200 times over, and subtracted from: far beyond what 85 bits hold unreduced."""
    builder = Builder()
    x = builder.load(0)
    total = x
    for _ in range(200):
        total = builder.add(total, total)
    less = x
    for _ in range(40):
        less = builder.subtract(less, builder.add(total, less))
    program = builder.finish([total, less])
    assert program.calls["fold"] > 2
    start = element(Random(3))
    doubled = mul(start, lift(2**200))
    expected = start
    for _ in range(40):
        expected = sub(expected, add(doubled, expected))
    assert run(program, [start]) == [doubled, expected]


def test_constants_are_folded_and_small_factors_only_scale() -> None:
    builder = Builder()
    x = builder.load(0)
    assert builder.multiply(builder.constant(3), builder.constant(5)) == builder.constant(15)
    assert builder.multiply(x, builder.one) == x
    assert builder.add(x, builder.zero) == x
    assert builder.dot([(x, builder.zero)]) == builder.zero
    assert builder.dot([(x, builder.one), (builder.one, x)]) == builder.add(x, x)
    products = [builder.multiply(x, builder.constant(c)) for c in (7, P - 7, 2**40)]
    program = builder.finish(products)
    start = element(Random(4))
    assert run(program, [start]) == [mul(start, lift(c)) for c in (7, -7, 2**40)]
    assert program.calls == {"scale": 1, "reduce": 3}


def test_powers_are_squares_products_and_seventh_powers() -> None:
    builder = Builder()
    x, y = builder.load(0), builder.load(1)
    square = builder.multiply(x, x)
    seventh = builder.multiply(builder.multiply(builder.multiply(square, square), square), x)
    assert seventh == builder.power(x, 7)
    alone = builder.finish([builder.add(seventh, y)])
    assert alone.calls == {"seventh": 1, "reduce": 1}
    powers = builder.finish(builder.powers(y, 12))
    a, b = elements(Random(5), 2)
    expected = [ONE]
    for _ in range(11):
        expected.append(mul(expected[-1], b))
    assert run(powers, [a, b]) == expected
    assert run(alone, [b, a]) == [add(expected[7], a)]


Made = tuple[Node, K]


def grown(builder: Builder, random: Random, nodes: list[Made]) -> None:
    """Some more nodes of every kind, with their values."""
    (a, x), (b, y) = random.choice(nodes), random.choice(nodes)
    factor = random.choice([random.randrange(P), random.randrange(4096), P - 3, P - 4000])
    exponent = random.randrange(2, 20)
    power = ONE
    for _ in range(exponent):
        power = mul(power, x)
    nodes += [
        (builder.add(a, b), add(x, y)),
        (builder.subtract(a, b), sub(x, y)),
        (builder.multiply(a, b), mul(x, y)),
        (builder.multiply(a, builder.constant(factor)), mul(x, lift(factor))),
        (builder.between(a, b, b), add(x, mul(y, sub(y, x)))),
        (builder.product([a] * exponent), power),
    ]
    pairs = [
        (random.choice(nodes), random.choice(nodes)) for _ in range(random.choice([3, 9, 300]))
    ]
    total = ZERO
    for (_, left), (_, right) in pairs:
        total = add(total, mul(left, right))
    nodes.append((builder.dot([(left, right) for (left, _), (right, _) in pairs]), total))


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_compute_what_they_say(seed: int) -> None:
    """Elements at the edges of F among the inputs; results below p, or only folded."""
    random = Random(seed)
    builder = Builder()
    edges = [0, 1, P - 1]
    inputs = [
        tuple(random.choice([*edges, random.randrange(P)]) for _ in range(3)) for _ in range(5)
    ]
    nodes: list[Made] = [(builder.load(i), (x[0], x[1], x[2])) for i, x in enumerate(inputs)]
    for _ in range(10):
        grown(builder, random, nodes)
    results = random.sample(nodes, 25)
    words = [packed(value) for _, value in nodes[:5]]
    expected = [packed(value) for _, value in results]
    found, _ = call(builder.finish([node for node, _ in results]).code, words)
    assert found == expected
    folded, _ = call(builder.finish([node for node, _ in results], reduced=False).code, words)
    assert [packed(reduced(word)) for word in folded] == expected
    assert all(lane < FOLDED_MAX for word in folded for lane in lanes_of(word))


def test_gas_of_kernels() -> None:
    """Each with its call, its operands, and a word of memory for the result."""
    one = elements(Random(6), 10)

    def gas(pairs: int) -> int:
        builder = Builder()
        x = [builder.load(word) for word in range(2 * pairs)]
        program = builder.finish([builder.dot(list(zip(x[::2], x[1::2], strict=True)))], False)
        return call(program.code, [packed(value) for value in one])[1]

    assert [gas(pairs) for pairs in (1, 2, 3, 4, 5)] == [342, 524, 692, 860, 1124]
