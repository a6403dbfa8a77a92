"""Schnorr signatures over EcGFp5 on a four-element message digest.

Key: secret x in [1, n), public Q = x·G, kept as its encoding w. A signature is (e, s) with
e = e0 + 2^64·e1 the 128-bit challenge and s = k - e·x mod n; R = s·G + e·Q is recomputed rather
than sent. The challenge covers R, Q and the digest. What the digest means (kind, domain) is the
business of its maker. Signing here is the definition; it is not constant-time.
Source: Schnorr 1991; the choice to hash the key: Bernstein et al., EdDSA, 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.spec.crypto import curve, goldilocks, quintic, scalar
from novate.spec.crypto.quintic import Quintic
from novate.spec.crypto.sponge import hash_elements
from novate.spec.errors import DecodeError
from novate.spec.primitives import ZERO_KEY, Digest, PublicKey, Signature

SIGNATURE_BYTES: Final = 56
KEY_BYTES: Final = 40
SEED_CHUNK_BYTES: Final = 7
"""The most whole bytes that always fit an element."""

NO_EXTRA: Final[Digest] = (0, 0, 0, 0)


def wide_hash(tags: tuple[str, str], elements: Sequence[int]) -> int:
    """A scalar from the 512 bits of two digests of the same elements."""
    first, second = (hash_elements(tag, elements) for tag in tags)
    return scalar.from_elements(first + second)


def secret_from_seed(seed: bytes) -> int:
    """The secret key of a seed of any length, which should hold 256 or more bits of entropy.

    ValueError if it comes out zero (probability about 2^-319).
    """
    chunks = [
        int.from_bytes(seed[start : start + SEED_CHUNK_BYTES], "little")
        for start in range(0, len(seed), SEED_CHUNK_BYTES)
    ]
    secret = wide_hash(("key_a", "key_b"), [len(seed), *chunks])
    if secret == 0:
        raise ValueError("the seed gives the zero secret")
    return secret


def require_secret(secret: int) -> None:
    """ValueError unless the secret is in [1, n); the value is not named, for it is secret."""
    if not 1 <= secret < scalar.N:
        raise ValueError("secret is not in [1, n)")


def public_key(secret: int) -> PublicKey:
    """The public key of a secret in [1, n): the encoding of secret · G."""
    require_secret(secret)
    return curve.encode(curve.multiply_generator(secret))


def nonce(secret: int, digest: Digest, extra: Digest) -> int:
    """The signing nonce k in [1, n), a secret function of the key, the message and `extra`.

    The secret enters as ten 32-bit halves of its limbs, which always are elements.
    """
    halves = [(secret >> (32 * place)) & 0xFFFF_FFFF for place in range(10)]
    k = wide_hash(("nonce_a", "nonce_b"), [*halves, *digest, *extra])
    if k == 0:
        raise ValueError("the nonce came out zero")
    return k


def challenge(commitment: Quintic, key: PublicKey, digest: Digest) -> tuple[int, int]:
    """(e0, e1): the first half of the hash of R, Q and the message digest."""
    e0, e1, _, _ = hash_elements("schnorr", commitment + key + digest)
    return e0, e1


def challenge_integer(e0: int, e1: int) -> int:
    """e = e0 + 2^64 · e1, below 2^128."""
    return e0 + (e1 << 64)


def sign(secret: int, digest: Digest, extra: Digest = NO_EXTRA) -> Signature:
    """Sign a digest with a secret in [1, n); `extra` may hold fresh randomness."""
    key = public_key(secret)
    k = nonce(secret, digest, extra)
    e0, e1 = challenge(curve.encode(curve.multiply_generator(k)), key, digest)
    response = k + (scalar.N - secret) * challenge_integer(e0, e1)
    return Signature(e0, e1, scalar.reduce(response))


def verify(key: PublicKey, digest: Digest, signature: Signature) -> bool:
    """Whether the signature is valid; every malformed input is just False."""
    e0, e1, s = signature
    elements = (*key, *digest, e0, e1)
    if not (all(map(goldilocks.is_canonical, elements)) and scalar.is_canonical(s)):
        return False
    point = curve.decode(key)
    if point is None or curve.is_neutral(point):
        return False
    e_key = curve.multiply(challenge_integer(e0, e1), point)
    commitment = curve.add_points(curve.multiply_generator(s), e_key)
    if curve.is_neutral(commitment):
        return False
    return challenge(curve.encode(commitment), key, digest) == (e0, e1)


def signature_to_bytes(signature: Signature) -> bytes:
    """The 56 bytes of a signature: e0 in 8, e1 in 8, s in 40, little-endian."""
    halves = goldilocks.to_bytes(signature.e0) + goldilocks.to_bytes(signature.e1)
    return halves + scalar.to_bytes(signature.s)


def signature_from_bytes(data: bytes) -> Signature:
    """The signature of 56 bytes; DecodeError on another length, e0 or e1 >= p, or s >= n."""
    if len(data) != SIGNATURE_BYTES:
        raise DecodeError("signature_length", f"{len(data)} bytes, must be {SIGNATURE_BYTES}")
    e0 = goldilocks.from_bytes(data[:8])
    e1 = goldilocks.from_bytes(data[8:16])
    return Signature(e0, e1, scalar.from_bytes(data[16:]))


def key_to_bytes(key: PublicKey) -> bytes:
    """The 40 bytes of a public key: five elements of 8 little-endian bytes."""
    return quintic.to_bytes(key)


def key_from_bytes(data: bytes) -> PublicKey:
    """The public key of 40 bytes.

    DecodeError on another length, an element >= p, the neutral key, or no point of the curve.
    """
    key = quintic.from_bytes(data)
    if key == ZERO_KEY:
        raise DecodeError("key_neutral", "the neutral element is not a public key")
    if curve.decode(key) is None:
        raise DecodeError("key_not_a_point", f"no curve point is encoded by {key}")
    return key
