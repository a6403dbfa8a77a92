"""Hashes, node compressions and tree updates a second: native, the specification, and yardsticks.

Run as `python -m bench.hashing`. Peers: `hash-frx` (Poseidon2 with the same constants, compiled by
XLA; measured if installed, and its results compared) and hashlib's SHA-256 and BLAKE2b, which are
no rivals inside a proof but say what a hash costs outside of one.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import random
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from bench.common import Timing, measure, on_threads, report
from novate import native
from novate.native import NativePrimitives
from novate.spec.crypto import SpecPrimitives, goldilocks, merkle
from novate.spec.crypto.poseidon2 import WIDTH_8, permute
from novate.spec.primitives import Digest

SEED: Final = 20260324
IN_BULK: Final = 1 << 15
ONE_BY_ONE: Final = 64
ROW: Final = 16
"""Elements of a hashed row: two permutations of width 12, 128 bytes."""
TREE_DEPTH: Final = 24
TREE_LEAVES: Final = 100_000
TREE_CHANGES: Final = 2_000

Measured = tuple[str, str, int, Timing]
"""What is done, by whom, how many times a call, and the seconds of the call."""

HASH: Final = f"hash {ROW} elements"
COMPRESS: Final = "compress two digests"
UPDATE: Final = f"update {TREE_CHANGES} of {TREE_LEAVES} leaves, depth {TREE_DEPTH}"


def words(*shape: int) -> np.ndarray:
    """Random elements."""
    return np.random.default_rng(SEED).integers(0, goldilocks.P, shape, np.uint64)


def native_rows() -> list[Measured]:
    """The compiled module, on as many threads as this process may use."""
    rows, pairs = words(IN_BULK, ROW), words(IN_BULK, 8)
    single = rows[:1].copy()
    threads = os.environ["RAYON_NUM_THREADS"]
    who = f"native, {threads} thread" + ("s" if threads != "1" else "")
    chosen = random.Random(1).sample(range(TREE_LEAVES), TREE_CHANGES)
    indices = np.array(chosen, np.uint64)
    leaves = words(TREE_CHANGES, 4)
    tree = native.MerkleTree(TREE_DEPTH)
    tree.update(np.arange(TREE_LEAVES, dtype=np.uint64), words(TREE_LEAVES, 4))
    found: list[Measured] = [
        (HASH, who, IN_BULK, measure(lambda: native.hash_rows("bench", rows))),
        (COMPRESS, who, IN_BULK, measure(lambda: native.compress_rows(pairs))),
        (UPDATE, who, TREE_CHANGES, measure(lambda: tree.update(indices, leaves))),
    ]
    if threads == "1":
        one = measure(lambda: native.hash_rows("bench", single), loops=1000)
        found.append((HASH, "native, one a call", 1, one))
    return found


def tuple_rows() -> list[Measured]:
    """The law's view of the compiled module: tuples of integers in, tuples out."""
    primitives = NativePrimitives()
    rows = words(IN_BULK // 8, ROW).tolist()
    digests = [digest(row) for row in words(IN_BULK // 4, 4).tolist()]
    pairs = list(zip(digests[::2], digests[1::2], strict=True))
    who = "NativePrimitives"
    return [
        (HASH, who, len(rows), measure(lambda: primitives.hash_many("bench", rows))),
        (COMPRESS, who, len(pairs), measure(lambda: primitives.compress_many(pairs))),
    ]


def digest(row: list[int]) -> Digest:
    """A row of four as a digest."""
    return row[0], row[1], row[2], row[3]


def specification_rows() -> list[Measured]:
    """The readable definition."""
    primitives = SpecPrimitives()
    rows = words(ONE_BY_ONE, ROW).tolist()
    digests = [digest(row) for row in words(2 * ONE_BY_ONE, 4).tolist()]
    pairs = list(zip(digests[::2], digests[1::2], strict=True))
    who = "specification"
    changes = dict(zip(random.Random(1).sample(range(TREE_LEAVES), 8), digests, strict=False))
    tree = merkle.build(TREE_DEPTH, dict(enumerate(digests)), NativePrimitives().compress_many)
    update = measure(lambda: merkle.update(tree, changes, primitives.compress_many), repeats=3)
    return [
        (HASH, who, len(rows), measure(lambda: primitives.hash_many("bench", rows), repeats=3)),
        (COMPRESS, who, len(pairs), measure(lambda: primitives.compress_many(pairs), repeats=3)),
        (UPDATE, f"{who}, {len(changes)} at a time", len(changes), update),
    ]


def yardstick_rows() -> list[Measured]:
    """General hashes of the standard library over as many bytes, one a call."""
    data = words(ROW).tobytes()
    found: list[Measured] = []
    for name, new in (("SHA-256", hashlib.sha256), ("BLAKE2b-256", blake2b_256)):
        taken = measure(lambda new=new: new(data).digest(), loops=10_000)  # type: ignore[misc]
        found.append((HASH, f"hashlib {name}, {len(data)} bytes", 1, taken))
        taken = measure(lambda new=new: new(data[:64]).digest(), loops=10_000)  # type: ignore[misc]
        found.append((COMPRESS, f"hashlib {name}, 64 bytes", 1, taken))
    return found


def blake2b_256(data: bytes) -> Any:
    """BLAKE2b with a digest of 32 bytes."""
    return hashlib.blake2b(data, digest_size=32)


def frx_rows() -> list[Measured]:
    """The Poseidon2 of `hash-frx` at width 8, if installed."""
    if importlib.util.find_spec("hash_frx") is None:
        print("hash-frx is not installed: no Poseidon2 peer in this run\n")
        return []
    os.environ.setdefault("FRX_PLATFORMS", "cpu")
    permute_many, state = frx_permutation()
    taken = measure(lambda: permute_many(state).block_until_ready())
    first = [int(word) for word in np.asarray(permute_many(state)[0]).astype(object)]
    expected = list(permute(words(IN_BULK, 8)[0].tolist(), WIDTH_8))
    assert first == expected, "hash-frx and the specification differ"
    return [(COMPRESS, "hash-frx (permutation only, all cores)", IN_BULK, taken)]


def frx_permutation() -> tuple[Callable[[Any], Any], Any]:
    """The compiled batch permutation with our constants, and the states to permute."""
    frx: Any = importlib.import_module("frx")
    field: Any = importlib.import_module("zk_dtypes").goldilocks
    poseidon2: Any = importlib.import_module("hash_frx.poseidon2.poseidon2")
    parameters: Any = importlib.import_module("hash_frx.poseidon2.params")

    def table(rows: Any) -> Any:
        return frx.numpy.asarray(np.array([[field(word) for word in row] for row in rows]))

    permutation = poseidon2.Poseidon2(
        parameters.Poseidon2Params(
            width=8,
            dtype=field,
            alpha=7,
            external_rounds=len(WIDTH_8.first_full),
            internal_rounds=len(WIDTH_8.partial),
            external_constants_initial=table(WIDTH_8.first_full),
            external_constants_terminal=table(WIDTH_8.last_full),
            internal_constants=table([constant, *[0] * 7] for constant in WIDTH_8.partial),
            internal_diag=table([WIDTH_8.diagonal])[0],
        )
    )
    state = table(words(IN_BULK, 8).tolist())
    return frx.jit(frx.vmap(permutation.permute)), state


def main() -> int:
    """Measure all, print, write."""
    found = on_threads(1, native_rows)
    cores = os.cpu_count() or 1
    if cores > 1:
        found += on_threads(min(cores, 2), native_rows)
    found += [*tuple_rows(), *frx_rows(), *specification_rows(), *yardstick_rows()]
    base = {what: taken / count for what, _, count, taken in reversed(found)}
    base |= {what: taken / count for what, who, count, taken in found if who == "native, 1 thread"}
    report(
        "hashing",
        [
            {
                "work": what,
                "by": who,
                "us each": taken / count * 1e6,
                "a second": round(count / taken),
                "times native, 1 thread": taken / count / base[what],
            }
            for what, who, count, taken in sorted(found, key=lambda row: row[0])
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
