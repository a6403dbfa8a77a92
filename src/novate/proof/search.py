"""Chooses a profile's protocol: rate, folds and proof-of-work, by gas within time and memory.

Security is the library's: what falls short of `SECURITY_BITS_MIN` is no candidate. Proof bytes are
counted from the schedule (siblings that queries share by their expectation); gas, time and memory
are models, whose constants say where they come from. `bench/gas.py` and `bench/prove.py` measure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from novate.circuit.relation import Relation
from novate.proof.profiles import Profile
from novate.proof.prover import ProofError, Prover
from novate.proof.verifier.key import Key, Round
from novate.proof.verify import read_key

ELEMENT_BYTES: Final = 8
EXTENSION_BYTES: Final = 24
DIGEST_BYTES: Final = 32
COUNT_BYTES: Final = 4

TRANSACTION_GAS: Final = 21_000
CALLDATA_GAS: Final = 16
CALLDATA_FLOOR_GAS: Final = 40
"""A byte that is not zero: EIP-2028, and the floor of EIP-7623."""
CLOSING_GAS: Final = 1_550_000
"""Rules and messages at the last point, labels of the transcript. This and what follows was
measured on anvil by step and source line of the verifier; the sum is within 2 % of what a shipped
profile takes."""
VARIABLE_GAS: Final = 49_000
"""Weights of columns, a variable of the stacked polynomial."""
LOOKUP_LAYER_GAS: Final = 8_200
LOOKUP_ROUND_GAS: Final = 3_000
ZEROCHECK_ROUND_GAS: Final = 11_500
QUERY_GAS: Final = 1_800
"""Drawn, sorted, its point in the domain, its row hashed."""
BASE_ELEMENT_GAS: Final = 150
EXTENSION_ELEMENT_GAS: Final = 465
"""An element of an opened row, read and folded."""
NODE_GAS: Final = 180
"""A node of a Merkle tree."""
WEIGHT_GAS: Final = 266
"""What a query claims, a variable that is left."""

CELL_SECONDS: Final = 240e-9
"""A cell through lookups, zerocheck, stacking and the first fold. This and the next: 5.65, 4.82 and
4.56 s for 2^24 cells with 14.5, 8.1 and 6.1 elements of codes a cell and 21.8 s for 2^26 with 9.6,
on two quiet cores."""
CODE_SECONDS: Final = 7.7e-9
"""A base element of a code through encoding and hashing; an extension element counts as three."""
HASHES_A_SECOND: Final = 25e6
"""Of the search for proof-of-work."""


class Space(NamedTuple):
    """What is tried."""

    folds: Sequence[int] = (6, 5, 4, 3)
    """Variables folded in a round; no round folds more than the one before."""
    pow_bits: Sequence[int] = (18, 20, 22)
    rates: Sequence[int] = (1, 2, 3)
    """log2 of 1 / rate of the first code."""
    shrinks: Sequence[tuple[int, int]] = ((1, 1), (2, 1), (2, 2))
    """log2 of how much shorter the second code is than the first, and each later one than the one
    before it."""
    last: Sequence[int] = range(2, 7)
    """log2 of the final polynomial's length; the library sends no more than 2^6 elements."""


class Limits(NamedTuple):
    """What a prover may take, at most."""

    seconds: float
    memory_bytes: float


LIMITS: Final = {
    "minimal": Limits(0.75, 2**30),
    "small": Limits(1.25, 2**30),
    "main": Limits(2**26 / 2.5e6, 8e9),
}
"""Of the shipped profiles. The tests prove under the small ones over and over; `main` proves 2.5
million cells a second, which at 2^26 leaves no memory for a rate below 1/4."""


class Candidate(NamedTuple):
    """A profile and what it costs."""

    profile: Profile
    security_bits: float
    proof_bytes: int
    gas: int
    seconds: float
    memory_bytes: float

    def fits(self, limits: Limits) -> bool:
        """Whether the prover takes no more."""
        return self.seconds <= limits.seconds and self.memory_bytes <= limits.memory_bytes


def opened(key: Key) -> list[tuple[Round, int, int]]:
    """For each tree that is opened: its queries, elements of a row, and bytes of an element."""
    trees = [*key.rounds, key.final]
    sizes = [ELEMENT_BYTES] + [EXTENSION_BYTES] * (len(trees) - 1)
    widths = [1 << key.folds[place] for place in range(len(trees))]
    return list(zip(trees, widths, sizes, strict=True))


def siblings(queries: int, log_leaves: int) -> float:
    """Digests that show so many random leaves: a pair with one side on some path needs the other.

    One side is on no path with probability (1 − 1/n)^q, both with (1 − 2/n)^q.
    """
    needed = 0.0
    for level in range(1, log_leaves + 1):
        nodes = 2.0**level
        needed += nodes * ((1 - 1 / nodes) ** queries - (1 - 2 / nodes) ** queries)
    return needed


def proof_bytes(key: Key) -> int:
    """Expected bytes of a proof: `docs/protocol.md`, the encoding."""
    layers = key.lookup_layers
    extensions = 1 + sum(3 * layer + 4 for layer in range(layers)) if layers else 0
    extensions += 1 + key.zerocheck_rounds * key.zerocheck_degree
    extensions += sum(table.width + len(table.next_columns) for table in key.tables)
    folded = sum(key.folds[: len(key.rounds) + 1]) + key.final_variables
    extensions += key.initial_ood + sum(r.ood for r in key.rounds) + 2 * folded
    extensions += 1 << key.final_variables
    size = DIGEST_BYTES * (1 + len(key.rounds)) + EXTENSION_BYTES * extensions
    if key.sumcheck_pow_bits:
        size += ELEMENT_BYTES * key.zerocheck_rounds
    for tree, width, element in opened(key):
        size += ELEMENT_BYTES * bool(tree.pow_bits) + COUNT_BYTES + tree.opened * width * element
        size += round(DIGEST_BYTES * siblings(tree.opened, tree.log_leaves))
    return size


def gas_of(key: Key, size: int) -> int:
    """Gas of a transaction that verifies a proof of so many bytes."""
    layers = key.lookup_layers
    work: float = CLOSING_GAS + VARIABLE_GAS * key.variables + LOOKUP_LAYER_GAS * layers
    work += LOOKUP_ROUND_GAS * layers * (layers - 1) // 2
    work += ZEROCHECK_ROUND_GAS * key.zerocheck_rounds
    left = key.variables
    for (tree, width, element), fold in zip(opened(key), key.folds, strict=False):
        left -= fold
        each = BASE_ELEMENT_GAS if element == ELEMENT_BYTES else EXTENSION_ELEMENT_GAS
        # In the last round a claim is not a weight but a value of the final polynomial.
        weight = BASE_ELEMENT_GAS << left if tree is key.final else WEIGHT_GAS * left
        work += tree.opened * (QUERY_GAS + width * each + weight)
        work += NODE_GAS * (tree.opened + paths(tree.opened, tree.log_leaves))
    return TRANSACTION_GAS + round(max(CALLDATA_GAS * size + work, CALLDATA_FLOOR_GAS * size))


def paths(queries: int, log_leaves: int) -> float:
    """Nodes above the leaves on the paths of so many random leaves."""
    return sum(2.0**level * (1 - (1 - 2.0**-level) ** queries) for level in range(log_leaves))


def seconds_of(key: Key) -> float:
    """Proving time."""
    first = 1 << key.variables + key.starting_log_inv_rate
    elements = float(first)
    for tree, width, _ in opened(key)[1:]:
        elements += 3 * width * 2.0**tree.log_leaves
    searched = sum(2.0**tree.pow_bits for tree, _, _ in opened(key))
    return CELL_SECONDS * 2.0**key.variables + CODE_SECONDS * elements + searched / HASHES_A_SECOND


Protocol = tuple[tuple[int, ...], int, int, tuple[int, int]]
"""Folds, proof-of-work bits, first rate and shrinking."""


def protocols(space: Space, variables: int) -> Iterator[Protocol]:
    """Everything in a space that leaves a final polynomial of a length in it."""
    for folds in schedules(space.folds, variables - min(space.last)):
        if variables - sum(folds) in space.last and len(folds) > 1:
            for bits in space.pow_bits:
                for rate in space.rates:
                    for shrink in space.shrinks:
                        yield folds, bits, rate, shrink


def schedules(choices: Sequence[int], most: int) -> Iterator[tuple[int, ...]]:
    """Folds that never rise and add up to no more than `most`."""
    for first in choices:
        if first <= most:
            yield (first,)
            lower = [choice for choice in choices if choice <= first]
            for rest in schedules(lower, most - first):
                yield (first, *rest)


def search(relation: Relation, heights: Profile, space: Space) -> list[Candidate]:
    """Every candidate for a profile of these heights, cheapest first."""
    variables = read_key(Prover(relation, heights).key()).variables
    found = []
    for folds, bits, rate, shrink in protocols(space, variables):
        rates = () if shrink == (1, 1) else tuple(rates_of(folds, rate, shrink))
        profile = replace(
            heights, folds=folds, rates=rates, starting_log_inv_rate=rate, pow_bits=bits
        )
        try:
            found.append(candidate(relation, profile))
        except ProofError:
            continue  # no such protocol, or too little security
    return sorted(found, key=lambda one: (one.gas, one.profile.folds))


def rates_of(folds: Sequence[int], rate: int, shrink: tuple[int, int]) -> Iterator[int]:
    """log2 of 1 / rate of each code after the first."""
    for place, fold in enumerate(folds[:-1]):
        rate += fold - shrink[place > 0]
        yield rate


def candidate(relation: Relation, profile: Profile) -> Candidate:
    """What a profile costs. ProofError if it gives no protocol or too little security."""
    prover = Prover(relation, profile)
    key = read_key(prover.key())
    size = proof_bytes(key)
    costs = gas_of(key, size), seconds_of(key), prover.memory_bytes
    return Candidate(profile, prover.security_bits, size, *costs)


def chosen(candidates: Sequence[Candidate], limits: Limits) -> Candidate:
    """The cheapest that fits. ValueError if none does."""
    for one in candidates:
        if one.fits(limits):
            return one
    raise ValueError(f"none of {len(candidates)} candidates is within {limits}")
