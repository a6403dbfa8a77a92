"""EVM code written instruction by instruction: labels, and routines over named stack entries.

Source of opcodes and their gas: the Ethereum Yellow Paper, appendix H, with PUSH0 (EIP-3855).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

OPCODES: Final = {
    "add": 0x01,
    "mul": 0x02,
    "sub": 0x03,
    "mod": 0x06,
    "mulmod": 0x09,
    "and": 0x16,
    "or": 0x17,
    "shl": 0x1B,
    "shr": 0x1C,
    "calldataload": 0x35,
    "pop": 0x50,
    "mload": 0x51,
    "mstore": 0x52,
    "jump": 0x56,
    "jumpdest": 0x5B,
    "return": 0xF3,
}
PUSH0: Final = 0x5F
DUP1: Final = 0x80
SWAP1: Final = 0x90
REACH: Final = 16
"""Entries of the stack that DUP reaches; SWAP reaches one more."""
LABEL_BYTES: Final = 2

Expression: TypeAlias = str | int | tuple[object, ...]
"""An entry's name, a number, or an opcode with its operands, the topmost first."""


class Code:
    """Code under construction. Labels are two bytes, so it stays below 2^16 bytes."""

    def __init__(self) -> None:
        """Empty."""
        self._bytes = bytearray()
        self._labels: dict[str, int] = {}
        self._uses: list[tuple[int, str]] = []
        self._fresh = 0

    def __len__(self) -> int:
        """Bytes so far."""
        return len(self._bytes)

    def op(self, *names: str) -> None:
        """Instructions without operands in the code."""
        self._bytes += bytes(OPCODES[name] for name in names)

    def push(self, value: int) -> None:
        """The shortest PUSH of a number."""
        size = (value.bit_length() + 7) // 8
        self._bytes += bytes([PUSH0 + size]) + value.to_bytes(size, "big")

    def dup(self, depth: int) -> None:
        """A copy of an entry; the topmost has depth 1."""
        assert 1 <= depth <= REACH, f"DUP{depth}"
        self._bytes.append(DUP1 + depth - 1)

    def swap(self, depth: int) -> None:
        """The topmost entry and the one so far below it trade places; 0 does nothing."""
        assert 0 <= depth <= REACH, f"SWAP{depth}"
        if depth:
            self._bytes.append(SWAP1 + depth - 1)

    def push_label(self, name: str) -> None:
        """The place of a label, which may come later."""
        self._bytes.append(PUSH0 + LABEL_BYTES)
        self._uses.append((len(self._bytes), name))
        self._bytes += bytes(LABEL_BYTES)

    def label(self, name: str) -> None:
        """Here."""
        assert name not in self._labels, f"label {name} twice"
        self._labels[name] = len(self._bytes)
        self.op("jumpdest")

    def new_label(self) -> str:
        """A name that nothing has."""
        self._fresh += 1
        return f"#{self._fresh}"

    def uses(self, name: str) -> bool:
        """Whether a label is pushed anywhere."""
        return any(used == name for _, used in self._uses)

    def finish(self) -> bytes:
        """The code, labels filled in."""
        assert len(self._bytes) < 1 << 8 * LABEL_BYTES, "code too long for its labels"
        code = bytearray(self._bytes)
        for place, name in self._uses:
            code[place : place + LABEL_BYTES] = self._labels[name].to_bytes(LABEL_BYTES, "big")
        return bytes(code)


class Routine:
    """The body of a routine. The caller pushes arguments and a place to return to, `ret`."""

    def __init__(self, code: Code, name: str, entries: Sequence[str]) -> None:
        """`entries`: what lies on the stack, the deepest first."""
        self._code = code
        self._stack: list[str] = list(entries)
        code.label(name)

    def let(self, name: str, expression: Expression) -> None:
        """Push a value and name it."""
        self._evaluate(expression)
        self._stack[-1] = name

    def update(self, name: str, expression: Expression) -> None:
        """Give an entry another value."""
        self._evaluate(expression)
        self._code.swap(self._depth(name) - 1)
        self.drop(1)

    def drop(self, count: int) -> None:
        """Forget the topmost entries."""
        self._code.op(*["pop"] * count)
        del self._stack[len(self._stack) - count :]

    def drop_to(self, name: str) -> None:
        """Forget what lies above an entry."""
        self.drop(self._depth(name) - 1)

    def rename(self, names: Mapping[str, str]) -> None:
        """Other names for entries."""
        self._stack = [names.get(name, name) for name in self._stack]

    def leave(self, expression: Expression) -> None:
        """Return this value alone."""
        self.let("result", expression)
        self._sink(len(self._stack) - 2 - self._stack.index("ret"))
        below = len(self._stack) - 2
        self._code.swap(below + 1)
        if below:
            self._code.op("pop")
            self._code.swap(below - 1)
            self._code.op(*["pop"] * (below - 1))
        self._code.op("jump")

    def leave_as(self, names: Sequence[str]) -> None:
        """Return entries that are the deepest already, in this order, `ret` just above them."""
        self.drop_to("ret")
        assert self._stack == [*names, "ret"], self._stack
        self._code.op("jump")

    def _sink(self, count: int) -> None:
        """Forget so many entries below the topmost."""
        while count:
            step = min(count, REACH)
            self._code.swap(step)
            self._stack[-1 - step] = self._stack[-1]
            self.drop(step)
            count -= step

    def _depth(self, name: str) -> int:
        """Of the topmost entry of this name."""
        return self._stack[::-1].index(name) + 1

    def _evaluate(self, expression: Expression) -> None:
        """Push its value, without a name."""
        if isinstance(expression, int):
            self._code.push(expression)
            self._stack.append("")
        elif isinstance(expression, str):
            self._code.dup(self._depth(expression))
            self._stack.append("")
        else:
            operator, *operands = expression
            for operand in reversed(operands):
                assert isinstance(operand, str | int | tuple)
                self._evaluate(operand)
            assert isinstance(operator, str)
            self._code.op(operator)
            del self._stack[len(self._stack) - len(operands) :]
            self._stack.append("")
