"""The code parts of a key: header and seeds, as data contracts hold them, and programs that run.

Data are behind a zero byte (STOP: a call does nothing). The digest of a key is keccak256 of the
parts' code hashes, so it fixes data, programs, order and borders. The first part begins with the
header: words of 32 bytes, in the order of `Key` in contracts/src/verifier/Keys.sol. Programs follow
the seeds: what tables share, the tables' shares of the closing equation, weights of column claims.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from novate.proof.contract.program import Program
from novate.proof.contract.programs import Shared, closing_programs, weights_programs
from novate.proof.contract.seeds import K_BYTES, Seeds, proof_bytes, record, stretches
from novate.proof.verifier.field import P
from novate.proof.verifier.key import Key
from novate.proof.verifier.transcript import keccak_256

CODE_BYTES_MAX: Final = 24_576
"""Of a contract (EIP-170)."""
PART_BYTES_MAX: Final = CODE_BYTES_MAX - 1
WORD_BYTES: Final = 32
ZEROCHECK_DEGREE_MAX: Final = 9
"""Reduction.interpolate: 9! + 9! / 1! · 2 and all such sums are below 2^20 multiples of p."""


class Parts(NamedTuple):
    """What is deployed for a key."""

    codes: tuple[bytes, ...]
    """Runtime code of every part."""
    digest: bytes
    shared: Program
    closing: tuple[Program, ...]
    weights: tuple[Program, ...]


@dataclass(frozen=True)
class Header:
    """The fixed words of the header; lists follow."""

    publics: int
    proof_bytes: int
    transcript_bytes: int
    layers: int
    zerocheck_rounds: int
    zerocheck_degree: int
    zerocheck_pow: int
    variables: int
    columns: int
    """Opened values."""
    initial_answers: int
    initial_fold: int
    initial_fold_pow: int
    rounds: int
    final_variables: int
    tables: int
    seeds: int
    seed_parts: int
    closing_parts: int
    shared_words: int
    weights_parts: int


def parts_of(key: Key) -> Parts:
    """All parts of a key. ValueError for a key that the contract has no room for."""
    seeds = record(key)
    if key.zerocheck_degree > ZEROCHECK_DEGREE_MAX:
        raise ValueError(
            f"zerocheck of degree {key.zerocheck_degree}, at most {ZEROCHECK_DEGREE_MAX}"
        )
    common = Shared(key)
    shared, closing = common.program(), closing_programs(common, CODE_BYTES_MAX)
    weights = weights_programs(key, CODE_BYTES_MAX)
    columns = [table.width + len(table.next_columns) for table in key.tables]
    lists = 7 * (len(key.rounds) + 1) + len(columns) + 3 * len(seeds.flat())
    lists += max(key.zerocheck_degree, 3) + 1
    size = WORD_BYTES * (len(fields(Header)) + lists)
    packed, places = _pack(size, seeds.flat())
    header = Header(
        publics=sum(table.publics for table in key.tables),
        proof_bytes=proof_bytes(key),
        transcript_bytes=_transcript_bytes(key, seeds),
        layers=key.lookup_layers,
        zerocheck_rounds=key.zerocheck_rounds,
        zerocheck_degree=key.zerocheck_degree,
        zerocheck_pow=key.sumcheck_pow_bits,
        variables=key.variables,
        columns=sum(columns),
        initial_answers=key.initial_ood,
        initial_fold=key.folds[0],
        initial_fold_pow=key.initial_fold_pow_bits,
        rounds=len(key.rounds),
        final_variables=key.final_variables,
        tables=len(key.tables),
        seeds=len(seeds.flat()),
        seed_parts=len(packed),
        closing_parts=len(closing),
        shared_words=shared.results,
        weights_parts=len(weights),
    )
    words = [getattr(header, field.name) for field in fields(Header)]
    words += [*_rounds(key), *columns]
    words += [number for place in places for number in place]
    words += [pow(number, P - 2, P) for number in range(max(key.zerocheck_degree, 3) + 1)]
    packed[0] = b"".join(word.to_bytes(WORD_BYTES, "big") for word in words) + packed[0][size:]
    programs = [program.code for program in (shared, *closing, *weights)]
    deployed = (*(b"\0" + data for data in packed), *programs)
    assert max(map(len, deployed)) <= CODE_BYTES_MAX, "a program longer than a contract"
    digest = keccak_256(b"".join(keccak_256(code) for code in deployed))
    return Parts(deployed, digest, shared, tuple(closing), tuple(weights))


def _rounds(key: Key) -> list[int]:
    """Seven words a round of WHIR, the last one's its end."""
    words, before = [], stretches(key)
    for place, entry in enumerate([*key.rounds, key.final]):
        last = place == len(key.rounds)
        fold = key.final_variables if last else key.folds[place + 1]
        words += [before[place], entry.ood, entry.pow_bits, entry.opened, entry.log_leaves, fold]
        words.append(entry.fold_pow_bits)
        assert entry.queries < 1 << entry.log_leaves, "all rows opened: not in the contract"
    return words


def _transcript_bytes(key: Key, seeds: Seeds) -> int:
    """The longest input of a hash: what is absorbed between two challenges."""
    publics = 8 * sum(table.publics for table in key.tables)
    opened = sum(K_BYTES * (table.width + len(table.next_columns)) for table in key.tables)
    stretches = [
        len(seeds.statement) + WORD_BYTES + publics + len(seeds.lookup),
        len(seeds.fractions) + K_BYTES,
        5 * K_BYTES + len(seeds.zerocheck),
        len(seeds.sumcheck) + K_BYTES * (1 + key.zerocheck_degree),
        len(seeds.answer) + K_BYTES + opened + sum(map(len, seeds.openings)) + len(seeds.opening),
        (K_BYTES << key.final_variables) + max(map(len, seeds.folds)),
        max(map(len, seeds.folds)) + 4 * K_BYTES + WORD_BYTES,
    ]
    return 2 * WORD_BYTES + 8 * key.zerocheck_degree + max(stretches)


def _pack(first: int, pieces: list[bytes]) -> tuple[list[bytes], list[tuple[int, int, int]]]:
    """Pieces laid into parts after `first` bytes, none over a border; (part, offset, length)."""
    parts, places = [bytes(first)], []
    for piece in pieces:
        if len(parts[-1]) + len(piece) > PART_BYTES_MAX:
            parts.append(b"")
        places.append((len(parts) - 1, len(parts[-1]), len(piece)))
        parts[-1] += piece
    assert all(len(part) <= PART_BYTES_MAX for part in parts), "a seed longer than a part"
    return parts, places
