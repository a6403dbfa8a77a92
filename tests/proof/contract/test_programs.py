"""The contract's programs say what the readable verifier computes; assembled code keeps bounds."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest

from novate.proof.contract.parts import CODE_BYTES_MAX, parts_of
from novate.proof.contract.program import BOUND_MAX, Builder, Op
from novate.proof.contract.programs import Closing, Weights
from novate.proof.contract.seeds import record, stretches
from novate.proof.verifier.field import ONE, ZERO, K, P, add, lift, mul, sub
from novate.proof.verifier.key import Key, read_key
from novate.proof.verifier.lookup import Lookup, plan_of
from novate.proof.verifier.messages import Messages, read_messages
from novate.proof.verifier.stacking import read_columns
from novate.proof.verifier.transcript import Refused, Transcript
from novate.proof.verifier.zerocheck import Zerocheck, verify_closing
from tests.proof.contract.interpreter import run_program

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


def test_closing_program_is_the_closing_equation(key: Key) -> None:
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
    value, claimed = run_program(Closing(key).program(), inputs)

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


def test_weights_program_is_the_sum_of_weights(key: Key) -> None:
    random = Random(2)
    gamma = element(random)
    r, xi = elements(random, key.zerocheck_rounds), elements(random, key.variables)
    power, expected = ONE, ZERO
    for claim in read_columns(key, opened(key, random), r, Transcript()):
        expected = add(expected, mul(power, claim.weight(xi)))
        power = mul(power, gamma)
    assert run_program(Weights(key).program(), [gamma, *r, *xi]) == [expected]


def test_parts_fit_contracts_and_hold_every_seed(key: Key) -> None:
    parts = parts_of(key)
    assert all(1 < len(code) <= CODE_BYTES_MAX and code[0] == 0 for code in parts.codes)
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


def test_sums_are_reduced_before_their_lanes_overflow() -> None:
    """Doubled 64 times over, and subtracted from: far beyond what 85 bits hold unreduced."""
    builder = Builder()
    x = builder.load(0)
    total = x
    for _ in range(64):
        total = builder.add(total, total)
    less = x
    for _ in range(40):
        less = builder.subtract(less, builder.add(total, less))
    program = builder.finish([total, less])
    start = element(Random(3))
    doubled = mul(start, lift(2**64))
    expected = start
    for _ in range(40):
        expected = sub(expected, add(doubled, expected))
    assert run_program(program, [start]) == [doubled, expected]
    assert program.runs[Op.MULTIPLY_F][1] >= 64 // BOUND_MAX.bit_length()


def test_constants_are_folded_and_small_factors_only_scale() -> None:
    builder = Builder()
    x = builder.load(0)
    assert builder.multiply(builder.constant(3), builder.constant(5)) == builder.constant(15)
    assert builder.multiply(x, builder.one) == x
    assert builder.add(x, builder.zero) == x
    assert builder.dot([(x, builder.zero)]) == builder.zero
    products = [builder.multiply(x, builder.constant(c)) for c in (7, P - 7, 2**40)]
    program = builder.finish(products)
    start = element(Random(4))
    assert run_program(program, [start]) == [mul(start, lift(c)) for c in (7, -7, 2**40)]
    assert program.runs[Op.SCALE][1] == 1 and program.runs[Op.MULTIPLY_F][1] == 1
