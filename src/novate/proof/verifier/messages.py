"""A proof taken apart: the decoder. One proof has one encoding; docs/protocol.md has the layout."""

from __future__ import annotations

from dataclasses import dataclass, field

from novate.proof.verifier.field import ELEMENT_BYTES, ZERO, K, P, lift
from novate.proof.verifier.key import Key, Round
from novate.proof.verifier.transcript import require

DIGEST_BYTES = 32


class Reader:
    """Takes a proof apart from the front; Refused where bytes are missing or not canonical."""

    def __init__(self, data: bytes) -> None:
        """Nothing read."""
        self._data = data
        self._at = 0

    def take(self, count: int, what: str) -> bytes:
        """The next bytes."""
        taken = self._data[self._at : self._at + count]
        require(len(taken) == count, f"decode: {what} is truncated")
        self._at += count
        return taken

    def elements(self, count: int, what: str) -> list[int]:
        """Elements of F."""
        data = self.take(ELEMENT_BYTES * count, what)
        values = [
            int.from_bytes(data[at : at + ELEMENT_BYTES], "little")
            for at in range(0, len(data), ELEMENT_BYTES)
        ]
        require(all(value < P for value in values), f"decode: {what} is not canonical")
        return values

    def extensions(self, count: int, what: str) -> list[K]:
        """Elements of K."""
        flat = self.elements(3 * count, what)
        return [(flat[at], flat[at + 1], flat[at + 2]) for at in range(0, len(flat), 3)]

    def end(self) -> None:
        """Nothing may be left."""
        require(self._at == len(self._data), "decode: bytes after the proof")


@dataclass
class Fold:
    """Messages of a quadratic sumcheck: value at 0 and leading coefficient, a round each."""

    polynomials: list[tuple[K, K]]
    witnesses: list[int]


@dataclass
class Openings:
    """Rows of a tree and the digests that lead them to its root."""

    rows: list[list[K]]
    leaves: list[bytes]
    digests: list[bytes]


@dataclass
class RoundMessages:
    """Messages of one round of WHIR."""

    root: bytes
    answers: list[K]
    witness: int
    openings: Openings
    fold: Fold


@dataclass
class Messages:
    """A proof, taken apart."""

    root: bytes = b""
    root_denominator: K = ZERO
    layers: list[tuple[list[list[K]], list[K]]] = field(default_factory=list)
    claimed_sum: K = ZERO
    polynomials: list[list[K]] = field(default_factory=list)
    witnesses: list[int] = field(default_factory=list)
    answers: list[K] = field(default_factory=list)
    fold: Fold = field(default_factory=lambda: Fold([], []))
    rounds: list[RoundMessages] = field(default_factory=list)
    final_polynomial: list[K] = field(default_factory=list)
    final_witness: int = 0
    final_openings: Openings = field(default_factory=lambda: Openings([], [], []))
    final_fold: Fold = field(default_factory=lambda: Fold([], []))
    columns: list[tuple[list[K], list[K]]] = field(default_factory=list)


def read_messages(key: Key, data: bytes) -> Messages:
    """The messages of exactly these bytes. Refused if something is missing, wrong or left over."""
    reader = Reader(data)
    messages = Messages()
    messages.root = reader.take(DIGEST_BYTES, "commitment")
    if key.lookup_layers:
        messages.root_denominator = reader.extensions(1, "root denominator")[0]
        for layer in range(key.lookup_layers):
            what = f"lookup layer {layer}"
            polynomials = [reader.extensions(3, what) for _ in range(layer)]
            messages.layers.append((polynomials, reader.extensions(4, what)))
    messages.claimed_sum = reader.extensions(1, "claimed sum")[0]
    degree = key.zerocheck_degree
    for number in range(key.zerocheck_rounds):
        what = f"zerocheck round {number}"
        messages.polynomials.append(reader.extensions(degree, what))
    if key.sumcheck_pow_bits:
        messages.witnesses = reader.elements(key.zerocheck_rounds, "zerocheck proof-of-work")
    _read_whir(key, reader, messages)
    for number, table in enumerate(key.tables):
        what = f"columns of table {number}"
        current = reader.extensions(table.width, what)
        messages.columns.append((current, reader.extensions(len(table.next_columns), what)))
    reader.end()
    return messages


def _read_whir(key: Key, reader: Reader, messages: Messages) -> None:
    """The opening: folds, rounds, final polynomial."""
    messages.answers = reader.extensions(key.initial_ood, "initial answers")
    messages.fold = _read_fold(reader, key.folds[0], key.initial_fold_pow_bits, "initial fold")
    for place, entry in enumerate(key.rounds):
        what = f"round {place}"
        root = reader.take(DIGEST_BYTES, what)
        answers = reader.extensions(entry.ood, what)
        witness = reader.elements(1, what)[0] if entry.pow_bits else 0
        openings = _read_openings(reader, entry, key.folds[place], place == 0, what)
        fold = _read_fold(reader, key.folds[place + 1], entry.fold_pow_bits, what)
        messages.rounds.append(RoundMessages(root, answers, witness, openings, fold))
    messages.final_polynomial = reader.extensions(1 << key.final_variables, "final polynomial")
    messages.final_witness = reader.elements(1, "final")[0] if key.final.pow_bits else 0
    last = len(key.rounds)
    messages.final_openings = _read_openings(reader, key.final, key.folds[last], last == 0, "final")
    if key.final_variables:
        bits = key.final.fold_pow_bits
        messages.final_fold = _read_fold(reader, key.final_variables, bits, "final fold")


def _read_fold(reader: Reader, rounds: int, pow_bits: int, what: str) -> Fold:
    """A quadratic sumcheck."""
    values = reader.extensions(2 * rounds, what)
    witnesses = reader.elements(rounds, what) if pow_bits else [0] * rounds
    return Fold(list(zip(values[::2], values[1::2], strict=True)), witnesses)


def _read_openings(reader: Reader, entry: Round, fold: int, base: bool, what: str) -> Openings:
    """Rows in the order of the queries, then the digests of their multiproof."""
    openings = Openings([], [], [])
    for _ in range(entry.opened):
        values = (1 << fold) * (1 if base else 3)
        elements = reader.elements(values, what)
        leaf = b"".join(value.to_bytes(ELEMENT_BYTES, "little") for value in elements)
        openings.leaves.append(leaf)
        if base:
            openings.rows.append([lift(value) for value in elements])
        else:
            limbs = zip(elements[::3], elements[1::3], elements[2::3], strict=True)
            openings.rows.append(list(limbs))
    count = int.from_bytes(reader.take(4, what), "little")
    require(count <= entry.opened * entry.log_leaves, f"decode: {what} has {count} digests")
    openings.digests = [reader.take(DIGEST_BYTES, what) for _ in range(count)]
    return openings
