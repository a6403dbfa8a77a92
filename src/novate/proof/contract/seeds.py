"""Seeds of a key as packed bytes: recorded from the readable verifier, run on a proof of zeros.

Each step is run until it refuses the zeros; what it absorbed as seeds until then depends on the key
alone. So there is one place that says what a seed is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from novate.proof.verifier.field import ELEMENT_BYTES, ONE, ZERO, K
from novate.proof.verifier.key import Key
from novate.proof.verifier.lookup import Lookup, plan_of, verify_lookup
from novate.proof.verifier.messages import Fold, Messages, read_messages
from novate.proof.verifier.stacking import read_answers, read_columns
from novate.proof.verifier.transcript import Refused, Transcript
from novate.proof.verifier.whir import Opening, verify_opening
from novate.proof.verifier.zerocheck import verify_zerocheck
from novate.proof.verify import bind_statement

DIGEST_BYTES = 32
COUNT_BYTES = 4
K_BYTES = 24


class Seeds(NamedTuple):
    """Seeds by step; those that follow one another at once are one."""

    statement: bytes
    lookup: bytes
    fractions: bytes
    zerocheck: bytes
    sumcheck: bytes
    answer: bytes
    """Of each answer out of domain to the first commitment."""
    openings: tuple[bytes, ...]
    """A table each."""
    opening: bytes
    folds: tuple[bytes, ...]
    """Before the first round, of each round, and at the end."""

    def flat(self) -> list[bytes]:
        """In the order of the contract's header."""
        first = [self.statement, self.lookup, self.fractions, self.zerocheck, self.sumcheck]
        return [*first, self.answer, *self.openings, self.opening, *self.folds]


class Recorder(Transcript):
    """A transcript that keeps the seeds and draws nothing but zeros."""

    def __init__(self) -> None:
        """No seeds."""
        super().__init__()
        self.seeds: list[bytes] = []

    def seed(self, name: str, version: int, steps: Sequence[str], chunks: Sequence[bytes]) -> None:
        """Keep what is absorbed."""
        before = len(self._input)
        super().seed(name, version, steps, chunks)
        self.seeds.append(self._input[before:])

    def extension(self) -> K:
        """Zero: with it most equations of a proof of zeros hold."""
        return ZERO

    def nonzero(self) -> K:
        """Zero would be drawn for ever."""
        return ONE


def stretches(key: Key) -> list[int]:
    """Bytes of a proof before the first count of digests, between digests and counts, and after."""
    layers = key.lookup_layers
    values = 1 + sum(3 * layer + 4 for layer in range(layers)) + 1
    values += key.zerocheck_rounds * key.zerocheck_degree + key.initial_ood
    witnesses = key.zerocheck_rounds if key.sumcheck_pow_bits else 0
    fold, fold_pow_bits = key.folds[0], key.initial_fold_pow_bits
    found = []
    size = DIGEST_BYTES
    for place, entry in enumerate([*key.rounds, key.final]):
        last = place == len(key.rounds)
        values += 2 * fold + entry.ood + (1 << key.final_variables if last else 0)
        witnesses += (fold if fold_pow_bits else 0) + bool(entry.pow_bits)
        size += 0 if last else DIGEST_BYTES
        limbs = 1 if place == 0 else 3
        size += 8 * limbs * entry.opened << key.folds[place]
        found.append(size + K_BYTES * values + ELEMENT_BYTES * witnesses)
        size = values = witnesses = 0
        fold = key.final_variables if last else key.folds[place + 1]
        fold_pow_bits = entry.fold_pow_bits
    values = 2 * fold + sum(table.width + len(table.next_columns) for table in key.tables)
    witnesses = fold if fold_pow_bits else 0
    return [*found, K_BYTES * values + ELEMENT_BYTES * witnesses]


def proof_bytes(key: Key) -> int:
    """Bytes of a proof without the digests of its multiproofs, their counts included."""
    found = stretches(key)
    return sum(found) + COUNT_BYTES * (len(found) - 1)


def record(key: Key) -> Seeds:
    """All seeds of a key. ValueError for a key without lookups or rounds, which no contract has."""
    if not key.lookup_layers or not key.rounds:
        raise ValueError(
            f"{key.lookup_layers} lookup layers, {len(key.rounds)} rounds: none may be 0"
        )
    messages = read_messages(key, bytes(proof_bytes(key)))
    publics = [[0] * table.publics for table in key.tables]
    lookup = Lookup(plan_of(key), ZERO, (), ZERO, (ZERO,) * key.lookup_layers, ZERO, ZERO)
    point = [ZERO] * key.zerocheck_rounds
    statement = _seeds_of(lambda t: bind_statement(key, publics, messages.root, t))
    found = _seeds_of(lambda t: verify_lookup(key, messages, t))
    zerocheck = _seeds_of(lambda t: verify_zerocheck(key, messages, lookup, t))
    answers = _seeds_of(lambda t: read_answers(key, messages, t))
    openings = _seeds_of(lambda t: read_columns(key, messages, point, t))
    opening = _seeds_of(lambda t: verify_opening(key, messages, [], [], t))
    counted = _opening_seed(key, messages, point)
    assert opening[0] == counted[0], "the opening's seed does not count claims"
    return Seeds(
        statement=b"".join(statement),
        lookup=found[0],
        fractions=found[1],
        zerocheck=zerocheck[0],
        sumcheck=zerocheck[1],
        answer=answers[0],
        openings=tuple(openings),
        opening=b"".join(counted[:2]),
        folds=tuple(_fold_seeds(key, messages)),
    )


def _opening_seed(key: Key, messages: Messages, point: list[K]) -> list[bytes]:
    """The seeds of the opening with all claims there are."""
    columns = read_columns(key, messages, point, Recorder())
    answers = read_answers(key, messages, Recorder())
    return _seeds_of(lambda t: verify_opening(key, messages, columns, answers, t))


def _fold_seeds(key: Key, messages: Messages) -> list[bytes]:
    """The seeds of all folds, none for a final fold of no rounds."""
    folds: list[tuple[Fold, int]] = [(messages.fold, key.initial_fold_pow_bits)]
    folds += [
        (sent.fold, entry.fold_pow_bits)
        for sent, entry in zip(messages.rounds, key.rounds, strict=True)
    ]
    folds.append((messages.final_fold, key.final.fold_pow_bits))
    return [
        b"".join(_seeds_of(partial(_fold, key, fold, bits))) if fold.polynomials else b""
        for fold, bits in folds
    ]


def _fold(key: Key, fold: Fold, pow_bits: int, transcript: Transcript) -> None:
    """One fold of an opening."""
    Opening(key, transcript).fold(fold, pow_bits, "fold")


def _seeds_of(step: Callable[[Transcript], object]) -> list[bytes]:
    """What a step absorbs as seeds before it refuses the zeros, if it does."""
    recorder = Recorder()
    try:
        step(recorder)
    except Refused:
        assert recorder.seeds, "a step that begins without a seed"
    return recorder.seeds
