"""Programs of `novate.proof.contract` run in Python, lane by lane, as their description says."""

from __future__ import annotations

from collections.abc import Sequence

from novate.proof.contract.program import BOUND_MAX, Op, Program
from novate.proof.verifier.field import K, P, add, mul, scale

Lanes = tuple[int, int, int]


def run_program(program: Program, inputs: Sequence[K]) -> list[K]:
    """The results. Asserts that no lane reaches 85 bits, and that what it reads was written."""
    registers: dict[int, Lanes] = {}
    code, at, target = program.code, 0, 0
    while True:
        op, argument = Op(code[at]), int.from_bytes(code[at + 1 : at + 4], "big")
        count = int.from_bytes(code[at + 4 : at + 6], "big")
        at += 6
        if op == Op.END:
            assert at == len(code)
            return [_canonical(registers[argument + place]) for place in range(count)]
        if op == Op.TARGET:
            target = argument
            continue
        if op == Op.LOAD:
            made: list[Lanes] = list(inputs[argument : argument + count])
            assert len(made) == count
        elif op == Op.CONSTANT:
            words = [code[at + 8 * place : at + 8 * place + 8] for place in range(count)]
            made = [(int.from_bytes(word, "big"), 0, 0) for word in words]
            at += 8 * count
        else:
            operands = [
                int.from_bytes(code[place : place + 2], "big")
                for place in range(at, at + 4 * count, 2)
            ]
            at += 4 * count
            _run(op, argument, operands, registers, target)
            target += 1 if op == Op.DOT else count
            continue
        for value in made:
            registers[target] = value
            target += 1


def _run(op: Op, lift: int, operands: list[int], registers: dict[int, Lanes], target: int) -> None:
    """One run: later nodes of it may use earlier ones."""
    if op == Op.DOT:
        result: K = (0, 0, 0)
        for left, right in zip(operands[::2], operands[1::2], strict=True):
            a, b = _canonical(registers[left]), _canonical(registers[right])
            result = add(result, mul(a, b))
        registers[target] = result
        return
    for left, right in zip(operands[::2], operands[1::2], strict=True):
        registers[target] = _one(op, lift, registers[left], registers[right])
        assert max(registers[target]) <= BOUND_MAX * P
        target += 1


def _one(op: Op, lift: int, a: Lanes, b: Lanes) -> Lanes:
    """One result."""
    if op == Op.ADD:
        return a[0] + b[0], a[1] + b[1], a[2] + b[2]
    if op == Op.SUBTRACT:
        result = a[0] + lift * P - b[0], a[1] + lift * P - b[1], a[2] + lift * P - b[2]
        assert all(y <= lift * P for y in b)
        return result
    if op in (Op.MULTIPLY, Op.SQUARE):
        assert op == Op.MULTIPLY or a == b
        return mul(_canonical(a), _canonical(b))
    assert b[1:] == (0, 0)
    if op == Op.SCALE:
        assert b[0] < 1 << 16
        return a[0] * b[0], a[1] * b[0], a[2] * b[0]
    return scale(_canonical(a), b[0])


def _canonical(lanes: Lanes) -> K:
    """Lanes below p."""
    return lanes[0] % P, lanes[1] % P, lanes[2] % P
