"""Signatures: what verifies, everything near it that must not, and the encodings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto import SpecPrimitives, curve, quintic, schnorr
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.scalar import N
from novate.spec.crypto.sponge import hash_elements
from novate.spec.errors import DecodeError
from novate.spec.primitives import (
    ZERO_KEY,
    Digest,
    Primitives,
    PublicKey,
    Signature,
    SignatureCheck,
)
from tools import render_crypto_vectors

VECTORS = Path(__file__).resolve().parents[3] / "vectors" / "crypto.json"

SECRET = schnorr.secret_from_seed(b"a seed for tests")
KEY = schnorr.public_key(SECRET)
DIGEST: Digest = (10, 20, 30, 40)
SIGNATURE = schnorr.sign(SECRET, DIGEST)

elements = st.integers(0, P - 1)
digests = st.tuples(*[elements] * 4)


@given(st.binary(max_size=70), digests, digests)
@settings(max_examples=10)
def test_signed_is_valid(seed: bytes, digest: Digest, extra: Digest) -> None:
    secret = schnorr.secret_from_seed(seed)
    key = schnorr.public_key(secret)
    signature = schnorr.sign(secret, digest, extra)
    assert schnorr.verify(key, digest, signature)
    assert schnorr.signature_from_bytes(schnorr.signature_to_bytes(signature)) == signature
    assert schnorr.key_from_bytes(schnorr.key_to_bytes(key)) == key


def test_signing_is_deterministic_and_extra_changes_it() -> None:
    assert schnorr.sign(SECRET, DIGEST) == SIGNATURE
    other = schnorr.sign(SECRET, DIGEST, (1, 0, 0, 0))
    assert other != SIGNATURE
    assert schnorr.verify(KEY, DIGEST, other)


def test_one_nonce_never_serves_two_messages() -> None:
    """Two signatures of one nonce would give the secret away."""
    nonces = {
        schnorr.nonce(secret, digest, extra)
        for secret in (SECRET, SECRET + 1)
        for digest in (DIGEST, (11, 20, 30, 40), (10, 20, 30, 41))
        for extra in (schnorr.NO_EXTRA, (0, 0, 0, 1))
    }
    assert len(nonces) == 12


def test_the_secret_enters_the_nonce_whole() -> None:
    flipped = {schnorr.nonce(SECRET ^ (1 << bit), DIGEST, schnorr.NO_EXTRA) for bit in range(318)}
    assert len(flipped) == 318


def test_the_scheme_by_hand() -> None:
    """The written convention, step by step: nonce, commitment, challenge, response."""
    halves = [
        int.from_bytes(SECRET.to_bytes(40, "little")[i : i + 4], "little") for i in range(0, 40, 4)
    ]
    message = [*halves, *DIGEST, 0, 0, 0, 0]
    words = [*hash_elements("nonce_a", message), *hash_elements("nonce_b", message)]
    k = int.from_bytes(b"".join(word.to_bytes(8, "little") for word in words), "little") % N
    commitment = curve.encode(curve.multiply(k, curve.GENERATOR))
    key = curve.encode(curve.multiply(SECRET, curve.GENERATOR))
    e0, e1, _, _ = hash_elements("schnorr", [*commitment, *key, *DIGEST])
    assert (e0, e1, (k - (e0 + 2**64 * e1) * SECRET) % N) == SIGNATURE
    assert key == KEY


def test_the_secret_of_a_seed_by_hand() -> None:
    message = [9, int.from_bytes(b"nine by", "little"), int.from_bytes(b"te", "little")]
    words = [*hash_elements("key_a", message), *hash_elements("key_b", message)]
    data = b"".join(word.to_bytes(8, "little") for word in words)
    assert schnorr.secret_from_seed(b"nine byte") == int.from_bytes(data, "little") % N


@pytest.mark.parametrize(
    "signature",
    [
        SIGNATURE._replace(e0=P),
        SIGNATURE._replace(e0=SIGNATURE.e0 + P),
        SIGNATURE._replace(e1=P),
        SIGNATURE._replace(e1=SIGNATURE.e1 + P),
        SIGNATURE._replace(e1=2**64 - 1),
        SIGNATURE._replace(s=N),
        SIGNATURE._replace(s=SIGNATURE.s + N),
        SIGNATURE._replace(s=SIGNATURE.s - N),
        SIGNATURE._replace(s=N - SIGNATURE.s),
        SIGNATURE._replace(e0=-1),
        Signature(SIGNATURE.e1, SIGNATURE.e0, SIGNATURE.s),
        Signature(0, 0, 0),
    ],
)
def test_malformed_signatures_are_invalid(signature: Signature) -> None:
    assert not schnorr.verify(KEY, DIGEST, signature)


@given(st.sampled_from(("e0", "e1", "s")), st.integers(0, 318))
@settings(max_examples=20)
def test_any_changed_bit_is_invalid(field: str, bit: int) -> None:
    bit %= 64 if field != "s" else 319
    changed = SIGNATURE._replace(**{field: getattr(SIGNATURE, field) ^ (1 << bit)})
    assert not schnorr.verify(KEY, DIGEST, changed)


@pytest.mark.parametrize("place", range(4))
def test_another_digest_is_invalid(place: int) -> None:
    for changed in (DIGEST[place] + 1, DIGEST[place] + P, -1):
        digest = (*DIGEST[:place], changed, *DIGEST[place + 1 :])
        assert not schnorr.verify(KEY, digest, SIGNATURE)  # type: ignore[arg-type]


def test_another_key_is_invalid(pornin: Any) -> None:
    other = schnorr.public_key(schnorr.secret_from_seed(b"another seed"))
    not_points = pornin["not_points"]
    aliases = [(KEY[0] + P, *KEY[1:]), (KEY[0] - P, *KEY[1:])]
    for key in (other, quintic.neg(KEY), ZERO_KEY, *not_points, *aliases):
        assert not schnorr.verify(key, DIGEST, SIGNATURE)


def forged(key: PublicKey, nonce: int) -> Signature:
    """What a forger without any secret can make for a key of which e·Q is neutral."""
    commitment = curve.encode(curve.multiply_generator(nonce))
    return Signature(*schnorr.challenge(commitment, key, DIGEST), nonce)


def test_the_neutral_key_is_refused_though_its_equation_holds() -> None:
    signature = forged(ZERO_KEY, 12345)
    e = schnorr.challenge_integer(signature.e0, signature.e1)
    neutral = curve.multiply(e, curve.NEUTRAL)
    commitment = curve.add_points(curve.multiply_generator(signature.s), neutral)
    recomputed = schnorr.challenge(curve.encode(commitment), ZERO_KEY, DIGEST)
    assert recomputed == signature[:2]  # nothing but the key itself is wrong
    assert not schnorr.verify(ZERO_KEY, DIGEST, signature)


def test_a_neutral_commitment_is_refused_though_its_challenge_agrees() -> None:
    e0, e1 = schnorr.challenge(quintic.ZERO, KEY, DIGEST)
    e = schnorr.challenge_integer(e0, e1)
    signature = Signature(e0, e1, -e * SECRET % N)
    total = curve.add_points(
        curve.multiply_generator(signature.s), curve.multiply(e, curve.multiply_generator(SECRET))
    )
    assert curve.is_neutral(total)
    assert not schnorr.verify(KEY, DIGEST, signature)


@pytest.mark.parametrize("secret", [0, N, -1, N + 1])
def test_secrets_out_of_range(secret: int) -> None:
    with pytest.raises(ValueError, match="secret"):
        schnorr.public_key(secret)
    with pytest.raises(ValueError, match="secret"):
        schnorr.sign(secret, DIGEST)


def test_seeds_do_not_collide_by_padding() -> None:
    seeds = [b"", b"\x00", b"\x00" * 7, b"\x00" * 8, b"a", b"a\x00", b"a" * 7, b"a" * 8]
    assert len({schnorr.secret_from_seed(seed) for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("length", [0, 55, 57])
def test_signature_bytes_of_another_length(length: int) -> None:
    with pytest.raises(DecodeError, match="signature_length"):
        schnorr.signature_from_bytes(bytes(length))


@pytest.mark.parametrize("start, size, value", [(0, 8, P), (8, 8, P), (16, 40, N)])
def test_signature_bytes_not_canonical(start: int, size: int, value: int) -> None:
    data = bytearray(schnorr.signature_to_bytes(SIGNATURE))
    data[start : start + size] = value.to_bytes(size, "little")
    with pytest.raises(DecodeError, match="not_canonical"):
        schnorr.signature_from_bytes(bytes(data))


def test_signature_layout() -> None:
    data = schnorr.signature_to_bytes(Signature(1, 2, 3))
    assert data == bytes([1, *[0] * 7, 2, *[0] * 7, 3, *[0] * 39])


def test_key_bytes_are_refused_with_reasons(pornin: Any) -> None:
    with pytest.raises(DecodeError, match="key_neutral"):
        schnorr.key_from_bytes(bytes(40))
    for not_point in pornin["not_points"]:
        with pytest.raises(DecodeError, match="key_not_a_point"):
            schnorr.key_from_bytes(quintic.to_bytes(not_point))
    with pytest.raises(DecodeError, match="element_not_canonical"):
        schnorr.key_from_bytes(b"\xff" * 40)


Encoder = Callable[[Any], bytes]
Decoder = Callable[[bytes], Any]


@pytest.mark.parametrize(
    "decode, encode",
    [
        (schnorr.signature_from_bytes, schnorr.signature_to_bytes),
        (schnorr.key_from_bytes, schnorr.key_to_bytes),
    ],
)
@given(
    data=st.one_of(st.binary(max_size=64), *(st.binary(min_size=n, max_size=n) for n in (40, 56)))
)
def test_any_bytes_decode_or_are_refused(decode: Decoder, encode: Encoder, data: bytes) -> None:
    try:
        value = decode(data)
    except DecodeError as error:
        assert error.reason
    else:
        assert encode(value) == data


def test_primitives_answer_in_order() -> None:
    primitives: Primitives = SpecPrimitives()
    other: Digest = (1, 1, 1, 1)
    checks = [
        SignatureCheck(KEY, DIGEST, SIGNATURE),
        SignatureCheck(KEY, other, SIGNATURE),
        SignatureCheck(ZERO_KEY, DIGEST, SIGNATURE),
        SignatureCheck(KEY, other, schnorr.sign(SECRET, other)),
    ]
    assert primitives.verify_many(checks) == [True, False, False, True]
    assert primitives.verify_many([]) == []
    assert primitives.hash_many("t", []) == []
    one, two = primitives.hash_many("t", [[1], [2]])
    assert primitives.hash_many("t", [[2], [1]]) == [two, one]
    assert primitives.compress_many([(one, two), (two, one)]) == [
        *primitives.compress_many([(one, two)]),
        *primitives.compress_many([(two, one)]),
    ]


def test_rendered_vectors_are_current() -> None:
    """`vectors/crypto.json` is exactly what the specification renders today."""
    text = VECTORS.read_text(encoding="ascii")
    assert text == render_crypto_vectors.render()
    assert len(text) < 300_000


def test_rendered_vectors_refuse_for_every_reason() -> None:
    cases = json.loads(VECTORS.read_text(encoding="ascii"))["signatures"]
    refused = [case["why"] for case in cases if not case["valid"]]
    assert sum(case["valid"] for case in cases) >= 30
    assert len(set(refused)) >= 27
