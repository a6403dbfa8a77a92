"""The compiled primitives give what `novate.spec.crypto` defines, and refuse what is malformed."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from novate import native
from novate.native import NativePrimitives
from novate.spec.crypto import SpecPrimitives, curve, goldilocks, merkle, scalar, schnorr
from novate.spec.primitives import ZERO_KEY, Digest, Signature, SignatureCheck

P = goldilocks.P
SPEC = SpecPrimitives()
NATIVE = NativePrimitives()

EDGES = (0, 1, 0xFFFF_FFFF, 0x1_0000_0000, P - 0x1_0000_0000, P - 2, P - 1)


def element(rng: random.Random) -> int:
    """An element, one in four at an edge of the reductions."""
    return rng.choice(EDGES) if rng.randrange(4) == 0 else rng.randrange(P)


def digest(rng: random.Random) -> Digest:
    """Four elements."""
    return element(rng), element(rng), element(rng), element(rng)


def array(*shape: int) -> np.ndarray:
    """Zeros of the accepted type."""
    return np.zeros(shape, np.uint64)


def test_hashes_of_ragged_rows() -> None:
    rng = random.Random(1)
    lengths = [*range(26), *(rng.randrange(40) for _ in range(30))]
    rows = [[element(rng) for _ in range(length)] for length in lengths]
    for tag in ("a", "leaf", "7 chars"):
        assert NATIVE.hash_many(tag, rows) == SPEC.hash_many(tag, rows)
    assert NATIVE.hash_many("leaf", []) == []


def test_hashes_of_arrays() -> None:
    rng = random.Random(2)
    rows = [[element(rng) for _ in range(11)] for _ in range(37)]
    found = native.hash_rows("row", np.array(rows, np.uint64))
    assert list(map(tuple, found.tolist())) == SPEC.hash_many("row", rows)
    assert native.hash_rows("row", array(0, 5)).shape == (0, 4)
    assert (
        native.hash_rows("row", array(3, 0)).tolist() == [list(SPEC.hash_many("row", [[]])[0])] * 3
    )


def test_compressions() -> None:
    rng = random.Random(3)
    pairs = [(digest(rng), digest(rng)) for _ in range(75)]
    assert NATIVE.compress_many(pairs) == SPEC.compress_many(pairs)
    assert NATIVE.compress_many([]) == []


def test_trees() -> None:
    rng = random.Random(4)
    for depth in (0, 1, 5, 11, 32):
        ours = native.MerkleTree(depth)
        spec = merkle.empty(depth, NATIVE.compress_many)
        assert ours.depth == depth
        for _ in range(3):
            places = {rng.randrange(1 << depth) for _ in range(12)} | {0, (1 << depth) - 1}
            leaves = {place: digest(rng) for place in places}
            spec = merkle.update(spec, leaves, SPEC.compress_many)
            indices = np.array(list(leaves), np.uint64)
            ours.update(indices, np.array(list(leaves.values()), np.uint64))
            assert tuple(ours.root().tolist()) == merkle.root(spec)
            for place in places:
                assert tuple(ours.leaf(place).tolist()) == merkle.leaf(spec, place)
                path = tuple(map(tuple, ours.path(place).tolist()))
                assert path == merkle.path(spec, place)


def test_tree_copies_change_alone() -> None:
    tree = native.MerkleTree(4)
    other = tree.copy()
    other.update(np.array([3], np.uint64), np.ones((1, 4), np.uint64))
    assert tree.root().tolist() != other.root().tolist()
    assert tree.root().tolist() == native.MerkleTree(4).root().tolist()


def test_keys_and_signatures() -> None:
    rng = random.Random(5)
    for length in (0, 1, 6, 7, 8, 32, 100):
        seed = rng.randbytes(length)
        secret = native.secret_of_seed(seed)
        assert secret == schnorr.secret_from_seed(seed)
        assert native.key_of_secret(secret) == schnorr.public_key(secret)
        message, extra = digest(rng), digest(rng)
        assert native.sign(secret, message) == schnorr.sign(secret, message)
        assert native.sign(secret, message, extra) == schnorr.sign(secret, message, extra)
    for secret in (1, 2, scalar.N - 1, (1 << 318) - 1):
        assert native.key_of_secret(secret) == schnorr.public_key(secret)
    messages = [digest(rng) for _ in range(5)]
    assert native.sign_many(3, messages) == [schnorr.sign(3, message) for message in messages]
    assert native.sign_many(3, []) == []


def tampered(valid: SignatureCheck, other: SignatureCheck) -> dict[str, SignatureCheck]:
    """One valid check, spoilt in every way that the conventions name."""
    key, message, (e0, e1, s) = valid
    w0, *rest = key

    def signed(e0: int, e1: int, s: int) -> SignatureCheck:
        return valid._replace(signature=Signature(e0, e1, s))

    return {
        "e0 = p": signed(P, e1, s),
        "e0 + p": signed(e0 + P, e1, s),
        "e0 beyond a word": signed(e0 + (1 << 64), e1, s),
        "e0 negative": signed(e0 - P, e1, s),
        "e1 = p": signed(e0, P, s),
        "e1 + p": signed(e0, e1 + P, s),
        "s + n": signed(e0, e1, s + scalar.N),
        "s = n": signed(e0, e1, scalar.N),
        "s beyond its bytes": signed(e0, e1, s + (1 << 320)),
        "s negative": signed(e0, e1, s - scalar.N),
        "swapped e": signed(e1, e0, s),
        "opposite s": signed(e0, e1, scalar.N - s),
        "zeros": signed(0, 0, 0),
        "other key": valid._replace(key=other.key),
        "other digest": valid._replace(digest=other.digest),
        "neutral key": valid._replace(key=ZERO_KEY),
        "key element + p": valid._replace(key=(w0 + P, *rest)),  # type: ignore[arg-type]
        "key element negative": valid._replace(key=(w0 - P, *rest)),  # type: ignore[arg-type]
        "key element + 1": valid._replace(key=((w0 + 1) % P, *rest)),  # type: ignore[arg-type]
        "digest element + p": valid._replace(digest=(message[0] + P, *message[1:])),
        "digest element negative": valid._replace(digest=(message[0] - P, *message[1:])),
        "other signature": valid._replace(signature=other.signature),
    }


def test_verdicts_on_every_tampering() -> None:
    rng = random.Random(6)
    secrets = [native.secret_of_seed(bytes([i])) for i in range(3)]
    valid = []
    for i in range(12):  # the first key signs often, so that it gets a table
        secret = secrets[0 if i < 8 else 1 + i % 2]
        message = digest(rng)
        signature = native.sign(secret, message)
        valid.append(SignatureCheck(native.key_of_secret(secret), message, signature))
    checks = list(valid)
    for first, second in ((valid[0], valid[-1]), (valid[-1], valid[0])):
        checks += tampered(first, second).values()
    expected = SPEC.verify_many(checks)
    assert expected == [True] * len(valid) + [False] * (len(checks) - len(valid))
    rng.shuffle(checks)
    assert NATIVE.verify_many(checks) == SPEC.verify_many(checks)
    assert [NATIVE.verify_many([check])[0] for check in checks] == NATIVE.verify_many(checks)
    assert NATIVE.verify_many([]) == []


def test_public_keys() -> None:
    rows = array(4, 5)
    rows[1] = native.key_of_secret(7)
    rows[2] = rows[1]
    rows[2, 0] += np.uint64(1)
    rows[3] = P
    expected = [curve.decode(tuple(row)) is not None for row in rows[:3].tolist()]
    assert expected[0]  # the neutral element decodes, but is no key
    assert native.are_public_keys(rows).tolist() == [False, *expected[1:], False]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: native.hash_rows("", array(1, 1)), 'tag = ""'),
        (lambda: native.hash_rows("eight888", array(1, 1)), "1 to 7 printable ASCII"),
        (lambda: native.hash_rows("é", array(1, 1)), "1 to 7 printable ASCII"),
        (lambda: native.hash_rows("a\0", array(1, 1)), "1 to 7 printable ASCII"),
        (lambda: native.hash_rows("a", np.full((2, 3), P, np.uint64)), f"rows[0] = {P}"),
        (
            lambda: native.hash_rows("a", np.zeros((2, 3))),  # type: ignore[arg-type]
            "rows is an array of float64",
        ),
        (lambda: native.hash_rows("a", [[1]]), "rows is a list"),  # type: ignore[arg-type]
        (lambda: native.hash_rows("a", array(4, 4)[:, ::2]), "rows is not contiguous"),
        (lambda: native.hash_rows("a", array(4)), "rows has shape [4], must be (n, m)"),
        (lambda: native.hash_ragged("a", array(4), array(0)), "offsets[0] is missing"),
        (lambda: native.hash_ragged("a", array(4), np.array([1, 4], np.uint64)), "offsets[0] is 1"),
        (lambda: native.hash_ragged("a", array(4), np.array([0, 3], np.uint64)), "must be 4"),
        (lambda: native.hash_ragged("a", array(4), np.array([0, 5, 4], np.uint64)), "at least 5"),
        (lambda: native.compress_rows(array(4, 7)), "must be (n, 8)"),
        (lambda: native.verify_rows(array(2, 4), array(2, 4), array(2, 7)), "keys has shape"),
        (lambda: native.verify_rows(array(2, 5), array(1, 4), array(2, 7)), "digests has length 1"),
        (lambda: native.verify_rows(array(2, 5), array(2, 4), array(3, 7)), "expected 2 as keys"),
        (lambda: native.public_key(b"short"), "secret has 5 bytes, must have 40"),
        (lambda: native.public_key(bytes(40)), "in [1, group order)"),
        (lambda: native.key_of_secret(scalar.N), "in [1, group order)"),
        (lambda: native.key_of_secret(-1), "in [1, group order)"),
        (lambda: native.sign(1 << 320, (0, 0, 0, 0)), "in [1, group order)"),
        (lambda: native.sign(5, (P, 0, 0, 0)), f"digests[0] = {P}"),
        (lambda: native.sign(5, (0, 0, 0, 0), (0, 0, P, 0)), f"extra[2] = {P}"),
        (lambda: native.sign(5, (-1, 0, 0, 0)), "digests[0] = -1"),
        (lambda: native.MerkleTree(33), "depth = 33, must be at most 32"),
        (lambda: native.MerkleTree(-1), "depth is -1"),
        (lambda: native.MerkleTree(3).leaf(8), "index = 8, must be below 2^3"),
        (lambda: native.MerkleTree(3).path(1 << 70), "index is"),
        (
            lambda: native.MerkleTree(3).update(np.array([1, 1], np.uint64), array(2, 4)),
            "indices = 1 twice, must be distinct",
        ),
        (lambda: native.MerkleTree(3).update(array(1), array(2, 4)), "leaves has length 2"),
        (
            lambda: native.MerkleTree(3).update(array(1), np.full((1, 4), P, np.uint64)),
            f"leaves[0] = {P}",
        ),
        (lambda: NATIVE.hash_many("a", [[1], [2, -1]]), "elements[2] = -1"),
        (lambda: NATIVE.hash_many("a", [[1 << 64]]), f"elements[0] = {1 << 64}"),
        (lambda: NATIVE.compress_many([((0, 0, 0, P), (0, 0, 0, 0))]), f"pairs[3] = {P}"),
    ],
)
def test_refusals_name_field_value_and_limit(call: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError) as refusal:
        call()
    assert says in str(refusal.value)


def test_secrets_are_never_named() -> None:
    secret = scalar.N + 12345
    with pytest.raises(ValueError) as refusal:
        native.key_of_secret(secret)
    assert str(secret) not in str(refusal.value)
    assert "12345" not in str(refusal.value)
