"""The typed door to the compiled module: the cryptography of the law, fast and in batches.

Arrays are C-contiguous `uint64`: an element is a word below p, a digest a row of 4, a public key a
row of 5, a signature a row of 7 (e0, e1 and the five words of s, least significant first; little
endian this is the 56-byte encoding). Wrong arguments are a ValueError that names the field, the
value and the limit. Work runs on all cores (`RAYON_NUM_THREADS` limits them) without holding the
interpreter; do not use it in a process forked from one that already has.

`NativePrimitives` implements `novate.spec.primitives.Primitives` over tuples of integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from novate.native._native import (
    LANES,
    MerkleTree,
    Prover,
    add_and_encode,
    are_public_keys,
    compress_rows,
    generator_multiple_steps,
    generator_windows,
    hash_ragged,
    hash_rows,
    key_multiple_steps,
    key_windows,
    permute_rows,
    public_key,
    report_phases,
    secret_from_seed,
    sign_rows,
    verify_rows,
)
from novate.spec.primitives import Digest, PublicKey, Signature, SignatureCheck

__all__ = [
    "LANES",
    "MerkleTree",
    "NativePrimitives",
    "Prover",
    "add_and_encode",
    "are_public_keys",
    "compress_rows",
    "generator_multiple_steps",
    "generator_windows",
    "hash_ragged",
    "hash_rows",
    "key_multiple_steps",
    "key_of_secret",
    "key_windows",
    "permute_rows",
    "public_key",
    "report_phases",
    "secret_from_seed",
    "secret_of_seed",
    "sign",
    "sign_many",
    "sign_rows",
    "signature_bytes",
    "verify_rows",
]

Words: TypeAlias = NDArray[np.uint64]

KEY_WORDS: Final = 5
SIGNATURE_WORDS: Final = 7
RESPONSE_BYTES: Final = 40
WORD_LIMIT: Final = 1 << 64
NO_EXTRA: Final[Digest] = (0, 0, 0, 0)


class NativePrimitives:
    """`novate.spec.primitives.Primitives` by the compiled module; it has no state."""

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """Sponge digest of each row of elements in [0, p) under one tag; ValueError otherwise."""
        offsets = words(list(accumulate(map(len, rows), initial=0)), "offsets")
        elements = words(list(chain.from_iterable(rows)), "elements")
        return digests(hash_ragged(tag, elements, offsets))

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """Parent digest of each pair of digests of elements in [0, p); ValueError otherwise."""
        flat = [word for left, right in pairs for word in (*left, *right)]
        return digests(compress_rows(words(flat, "pairs").reshape(len(pairs), 8)))

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """Whether each signature is valid; malformed keys and signatures are just False."""
        verdicts = [False] * len(checks)
        places = [place for place, check in enumerate(checks) if is_representable(check)]
        keys = words([word for place in places for word in checks[place].key], "keys")
        messages = words([word for place in places for word in checks[place].digest], "digests")
        signatures = b"".join(signature_bytes(checks[place].signature) for place in places)
        found = verify_rows(
            keys.reshape(len(places), KEY_WORDS),
            messages.reshape(len(places), 4),
            np.frombuffer(signatures, "<u8").reshape(len(places), SIGNATURE_WORDS),
        )
        for place, verdict in zip(places, found.tolist(), strict=True):
            verdicts[place] = verdict
        return verdicts


def sign(secret: int, digest: Digest, extra: Digest = NO_EXTRA) -> Signature:
    """Sign a digest with a secret in [1, n), in constant time; ValueError on bad arguments."""
    [signature] = sign_many(secret, [digest], extra)
    return signature


def sign_many(secret: int, messages: Sequence[Digest], extra: Digest = NO_EXTRA) -> list[Signature]:
    """One signature a digest by a secret in [1, n), in constant time."""
    flat = words(list(chain.from_iterable(messages)), "digests").reshape(len(messages), 4)
    rows = sign_rows(secret_bytes(secret), flat, words(list(extra), "extra"))
    data = rows.astype("<u8", copy=False).tobytes()
    return [
        Signature(
            int.from_bytes(data[start : start + 8], "little"),
            int.from_bytes(data[start + 8 : start + 16], "little"),
            int.from_bytes(data[start + 16 : start + 56], "little"),
        )
        for start in range(0, len(data), 8 * SIGNATURE_WORDS)
    ]


def key_of_secret(secret: int) -> PublicKey:
    """The public key of a secret in [1, n); ValueError otherwise."""
    w0, w1, w2, w3, w4 = public_key(secret_bytes(secret)).tolist()
    return w0, w1, w2, w3, w4


def secret_of_seed(seed: bytes) -> int:
    """The secret key of a seed, which should hold 256 or more bits of entropy."""
    return int.from_bytes(secret_from_seed(seed), "little")


def secret_bytes(secret: int) -> bytes:
    """The 40 little-endian bytes of a secret; the value is not named, for it is secret."""
    try:
        return secret.to_bytes(RESPONSE_BYTES, "little")
    except OverflowError:
        raise ValueError("secret is not in [1, group order)") from None


def is_representable(check: SignatureCheck) -> bool:
    """Whether key, digest and signature fit their words at all; what does not is malformed."""
    signature = check.signature
    small = (*check.key, *check.digest, signature.e0, signature.e1)
    fits = all(0 <= word < WORD_LIMIT for word in small)
    return fits and 0 <= signature.s < 1 << (8 * RESPONSE_BYTES)


def signature_bytes(signature: Signature) -> bytes:
    """The 56 bytes of a representable signature, canonical or not."""
    response = signature.s.to_bytes(RESPONSE_BYTES, "little")
    return signature.e0.to_bytes(8, "little") + signature.e1.to_bytes(8, "little") + response


def words(values: list[int], field: str) -> Words:
    """The array of a list of integers; ValueError naming the field if one is not in [0, 2^64)."""
    try:
        return np.array(values, dtype=np.uint64)
    except OverflowError:
        place = next(i for i, value in enumerate(values) if not 0 <= value < WORD_LIMIT)
        message = f"{field}[{place}] = {values[place]} is not below p = 2^64 - 2^32 + 1"
        raise ValueError(message) from None


def digests(rows: Words) -> list[Digest]:
    """The rows of an (n, 4) array as tuples of integers."""
    return [(d0, d1, d2, d3) for d0, d1, d2, d3 in rows.tolist()]
