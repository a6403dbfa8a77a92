"""The transcript: what the prover sent decides what is drawn. Keccak-256 throughout."""

from __future__ import annotations

from collections.abc import Sequence

from Crypto.Hash import keccak

from novate.proof.verifier.field import ELEMENT_BYTES, ZERO, K, P


class Refused(Exception):
    """The proof is not accepted; the message names the step and the reason."""


def require(holds: bool, step: str) -> None:
    """Refused unless the check of a step holds."""
    if not holds:
        raise Refused(step)


def keccak_256(data: bytes) -> bytes:
    """Keccak-256 as the EVM has it."""
    return keccak.new(digest_bits=256, data=data).digest()


class Transcript:
    """A Keccak-256 chain: what is absorbed decides what is drawn."""

    def __init__(self) -> None:
        """Nothing absorbed yet."""
        self._input = b""
        self._output = b""
        self.hashes: list[tuple[bytes, bytes]] = []
        """Every input and output, for comparison with other verifiers."""

    def absorb(self, data: bytes) -> None:
        """Bytes that the prover sent. What was drawn but not used is lost; nothing is nothing."""
        if data:
            self._output = b""
            self._input += data

    def absorb_elements(self, elements: Sequence[int]) -> None:
        """Elements of F, eight bytes each, little-endian."""
        self.absorb(b"".join(value.to_bytes(ELEMENT_BYTES, "little") for value in elements))

    def absorb_extensions(self, values: Sequence[K]) -> None:
        """Elements of K, lowest coefficient first."""
        self.absorb_elements([limb for value in values for limb in value])

    def _draw(self, count: int) -> bytes:
        """Bytes from the end of the last hash, each hash hashed again when it is used up."""
        drawn = bytearray()
        while len(drawn) < count:
            if not self._output:
                hashed = keccak_256(self._input)
                self.hashes.append((self._input, hashed))
                self._input = self._output = hashed
            drawn.append(self._output[-1])
            self._output = self._output[:-1]
        return bytes(drawn)

    def word(self) -> int:
        """64 bits."""
        return int.from_bytes(self._draw(ELEMENT_BYTES), "little")

    def element(self) -> int:
        """An element of F: words from p on are drawn again."""
        while (word := self.word()) >= P:
            pass
        return word

    def extension(self) -> K:
        """An element of K."""
        return self.element(), self.element(), self.element()

    def nonzero(self) -> K:
        """An element of K that is not zero."""
        while (value := self.extension()) == ZERO:
            pass
        return value

    def grind(self, bits: int, witness: int, step: str) -> None:
        """Proof-of-work: after the witness the next word must end in `bits` zeros."""
        if bits:
            self._draw(1)
            self.absorb_elements([witness])
            require(self.word() % (1 << bits) == 0, f"{step}: proof-of-work")

    def seed(self, name: str, version: int, steps: Sequence[str], chunks: Sequence[bytes]) -> None:
        """Which (sub-)protocol begins, its steps and the shape it is run on."""
        identity = bytes([version]) + name.encode()
        identity += bytes(63 - len(identity)) + bytes([len(name)])
        rendered = keccak_256(render_steps(steps).encode())
        label = b"".join(len(chunk).to_bytes(4, "big") + chunk for chunk in chunks)
        data = identity + rendered + len(label).to_bytes(4, "big") + label + b"\x80"
        packed = len(data).to_bytes(ELEMENT_BYTES, "little")
        for at in range(0, len(data), 7):
            packed += data[at : at + 7].ljust(ELEMENT_BYTES, b"\0")
        self.absorb(packed)


BASIS_F = keccak_256(b"p3-scalar-basis-v1").hex()
BASIS_K = keccak_256(b"p3-power-basis-v1:X^3-X-1").hex()
TAGS = {"TF": f"Algebra({P}^1;{BASIS_F})", "TE": f"Algebra({P}^3;{BASIS_K})"}


def render_steps(steps: Sequence[str]) -> str:
    """The list of steps as it is hashed: numbered, indented, one a line."""
    lines = [f"Plonky3 Fiat-Shamir Transcript ({len(steps)} interactions)\n"]
    digits = len(str(len(steps) - 1))
    depth = 0
    for number, step in enumerate(steps):
        depth -= step.startswith("End")
        text = step
        for short, tag in TAGS.items():
            text = text.removesuffix(short) + tag if text.endswith(f" {short}") else text
        lines.append(f"{number:0{digits}} {'  ' * depth}{text}\n")
        depth += step.startswith("Begin")
    return "".join(lines)


def atom(kind: str, name: str, length: int | None, tag: str) -> str:
    """A step: a message, challenge, proof-of-work or public values."""
    counted = "Scalar" if length is None else f"Fixed({length})"
    return f"Atomic {kind} {len(name)} {name} {counted} {tag}"


def bracket(name: str, inner: Sequence[str] = ()) -> list[str]:
    """Steps inside a named part."""
    marker = f"Protocol {len(name)} {name} None Marker"
    return [f"Begin {marker}", *inner, f"End {marker}"]


def u(number: int) -> bytes:
    """A number as a chunk of a label."""
    return number.to_bytes(8, "big")
