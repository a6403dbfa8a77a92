"""Where every field of a proof lies, walked along the table of docs/protocol.md."""

from __future__ import annotations

from typing import NamedTuple

from novate.proof.verifier.key import Key

F, K, DIGEST, COUNT = 8, 24, 32, 4


class Field(NamedTuple):
    """Some bytes of a proof."""

    name: str
    start: int
    size: int
    unit: int
    """Bytes of an element, digest or count."""


def fields_of(key: Key, proof: bytes) -> list[Field]:
    """All fields in order; they cover the proof."""
    fields: list[Field] = []

    def field(name: str, unit: int, count: int = 1) -> None:
        """The next one, if there is anything of it."""
        start = fields[-1].start + fields[-1].size if fields else 0
        if count:
            fields.append(Field(name, start, unit * count, unit))

    def fold(name: str, rounds: int, pow_bits: int) -> None:
        """A quadratic sumcheck."""
        for number in range(rounds):
            field(f"{name} polynomial {number}", K, 2)
        field(f"{name} proof-of-work", F, rounds if pow_bits else 0)

    field("commitment", DIGEST)
    field("root denominator", K)
    for layer in range(key.lookup_layers):
        field(f"layer {layer} polynomials", K, 3 * layer)
        field(f"layer {layer} claims", K, 4)
    field("claimed sum", K)
    for number in range(key.zerocheck_rounds):
        field(f"zerocheck {number}", K, key.zerocheck_degree)
    field("zerocheck proof-of-work", F, key.zerocheck_rounds if key.sumcheck_pow_bits else 0)
    field("initial answers", K, key.initial_ood)
    fold("initial fold", key.folds[0], key.initial_fold_pow_bits)
    for place, entry in enumerate([*key.rounds, key.final]):
        last = place == len(key.rounds)
        name = "final" if last else f"round {place}"
        field(f"{name} polynomial", K, 1 << key.final_variables if last else 0)
        field(f"{name} root", DIGEST, 0 if last else 1)
        field(f"{name} answers", K, entry.ood)
        field(f"{name} proof-of-work", F, 1 if entry.pow_bits else 0)
        field(f"{name} rows", K if place else F, entry.opened << key.folds[place])
        field(f"{name} count", COUNT)
        start = fields[-1].start
        count = int.from_bytes(proof[start : start + COUNT], "little")
        field(f"{name} digests", DIGEST, count)
        rounds = key.final_variables if last else key.folds[place + 1]
        fold(f"{name} fold", rounds, entry.fold_pow_bits)
    for number, table in enumerate(key.tables):
        field(f"table {number} this row", K, table.width)
        field(f"table {number} row below", K, len(table.next_columns))
    assert fields[-1].start + fields[-1].size == len(proof)
    return fields
