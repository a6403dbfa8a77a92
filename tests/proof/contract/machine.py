"""As much of the EVM as generated code uses, with its gas: for tests that need no chain."""

from __future__ import annotations

from typing import NamedTuple

from novate.proof.contract.evm import DUP1, OPCODES, PUSH0, SWAP1
from novate.proof.contract.kernels import LANE_BITS, LANE_MAX
from novate.proof.verifier.field import K, P

WORD = 1 << 256
GAS = {"pop": 2, "jump": 8, "jumpdest": 1, "mulmod": 8, "mul": 5, "mod": 5, "return": 0}
NAMES = {byte: name for name, byte in OPCODES.items()}


class Run(NamedTuple):
    """What a call returns and costs."""

    output: bytes
    gas: int


class Machine:
    """A call of some code. Any misuse of stack or code is an exception."""

    def __init__(self, code: bytes, data: bytes) -> None:
        """Nothing has run."""
        self.code, self.data = code, data
        self.stack: list[int] = []
        self.memory = bytearray()
        self.at = self.gas = 0
        self.places = jump_places(code)

    def run(self) -> Run:
        """To the end."""
        words = 0
        while True:
            byte = self.code[self.at]
            self.at += 1
            if PUSH0 <= byte <= PUSH0 + 32:
                size = byte - PUSH0
                self.stack.append(int.from_bytes(self.code[self.at : self.at + size], "big"))
                self.at += size
                self.gas += 3 if size else 2
            elif DUP1 <= byte < DUP1 + 16:
                self.stack.append(self.stack[DUP1 - byte - 1])
                self.gas += 3
            elif SWAP1 <= byte < SWAP1 + 16:
                place = SWAP1 - byte - 2
                self.stack[-1], self.stack[place] = self.stack[place], self.stack[-1]
                self.gas += 3
            else:
                name = NAMES[byte]
                self.gas += GAS.get(name, 3)
                if name == "return":
                    at, size = self.stack.pop(), self.stack.pop()
                    words = len(self.memory) // 32
                    return Run(bytes(self.memory[at : at + size]), self.gas + expansion(words))
                self._step(name)
            assert len(self.stack) <= 1024

    def _step(self, name: str) -> None:
        """One instruction that is neither PUSH, DUP nor SWAP."""
        pop = self.stack.pop
        if name == "jump":
            self.at = pop()
            assert self.at in self.places, f"jump to {self.at}"
        elif name == "mstore":
            at, value = pop(), pop()
            self._touch(at + 32)
            self.memory[at : at + 32] = value.to_bytes(32, "big")
        elif name == "mload":
            at = pop()
            self._touch(at + 32)
            self.stack.append(int.from_bytes(self.memory[at : at + 32], "big"))
        elif name == "calldataload":
            at = pop()
            self.stack.append(int.from_bytes(self.data[at : at + 32].ljust(32, b"\0"), "big"))
        elif name == "mulmod":
            left, right, modulus = pop(), pop(), pop()
            self.stack.append(left * right % modulus)
        elif name == "pop":
            pop()
        elif name != "jumpdest":
            self.stack.append(arithmetic(name, pop(), pop()))

    def _touch(self, end: int) -> None:
        """Memory grows by words."""
        missing = (end + 31) // 32 * 32 - len(self.memory)
        self.memory += bytes(max(missing, 0))


def arithmetic(name: str, top: int, below: int) -> int:
    """Of two operands, the topmost first."""
    results = {
        "add": lambda: top + below,
        "mul": lambda: top * below,
        "sub": lambda: top - below,
        "mod": lambda: top % below if below else 0,
        "and": lambda: top & below,
        "or": lambda: top | below,
        "shl": lambda: below << top if top < 256 else 0,
        "shr": lambda: below >> top,
    }
    return results[name]() % WORD


def jump_places(code: bytes) -> set[int]:
    """Where a JUMPDEST stands that is no operand of a PUSH."""
    places, at = set(), 0
    while at < len(code):
        if code[at] == OPCODES["jumpdest"]:
            places.add(at)
        at += 1 + max(0, code[at] - PUSH0 if PUSH0 <= code[at] <= PUSH0 + 32 else 0)
    return places


def expansion(words: int) -> int:
    """Gas of memory (Yellow Paper, appendix H)."""
    return 3 * words + words * words // 512


def call(code: bytes, words: list[int]) -> tuple[list[int], int]:
    """Words that code returns for words, and its gas."""
    output, gas = Machine(code, b"".join(word.to_bytes(32, "big") for word in words)).run()
    return [int.from_bytes(output[at : at + 32], "big") for at in range(0, len(output), 32)], gas


def packed(value: K) -> int:
    """An element of K as the contracts' word."""
    return value[0] | value[1] << LANE_BITS | value[2] << 2 * LANE_BITS


def lanes_of(word: int) -> tuple[int, int, int]:
    """Lanes of a word, the last one with all bits above."""
    return word & LANE_MAX, word >> LANE_BITS & LANE_MAX, word >> 2 * LANE_BITS


def canonical(word: int) -> K:
    """The element of a word whose lanes must be below p."""
    lanes = lanes_of(word)
    assert max(lanes) < P, f"{lanes}"
    return lanes


def reduced(word: int) -> K:
    """The element of a word with any lanes."""
    low, middle, high = lanes_of(word)
    return low % P, middle % P, high % P
