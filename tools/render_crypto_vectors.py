"""Render `vectors/crypto.json`: test vectors of the cryptography, from the specification.

Everything is derived from fixed labels, so rendering again gives the same bytes. All integers
are hex strings. Negative cases carry the reason; where possible they are made so that exactly one
missing check would accept them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from novate.spec.crypto import SpecPrimitives, curve, merkle, poseidon2, quintic, scalar, schnorr
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.scalar import N
from novate.spec.crypto.sponge import compress, hash_elements
from novate.spec.errors import DecodeError
from novate.spec.primitives import ZERO_DIGEST, ZERO_KEY, Digest, PublicKey, Signature

OUTPUT = Path(__file__).resolve().parent.parent / "vectors" / "crypto.json"

SEEDS = (b"", b"\x00", b"\x01", b"\x00\x00", b"sixsix", b"seven77", b"eight888", b"novate" * 11)
NOT_POINTS: tuple[PublicKey, ...] = (
    (
        13557832913345268708,
        15669280705791538619,
        8534654657267986396,
        12533218303838131749,
        5058070698878426028,
    ),
    (
        135036726621282077,
        17283229938160287622,
        13113167081889323961,
        1653240450380825271,
        520025869628727862,
    ),
)
"""From the tests of github.com/pornin/ecgfp5: field elements that encode no group element."""

Json = object


def draw(label: str, count: int) -> list[int]:
    """`count` field elements drawn from a label."""
    stream = hashlib.shake_256(label.encode()).digest(16 * count)
    return [int.from_bytes(stream[at : at + 16], "little") % P for at in range(0, 16 * count, 16)]


def draw_digest(label: str) -> Digest:
    """A digest of four elements drawn from a label."""
    d0, d1, d2, d3 = draw(label, 4)
    return d0, d1, d2, d3


def draw_scalar(label: str) -> int:
    """A scalar drawn from a label."""
    return scalar.from_elements(draw(label, 8))


def hexes(values: Sequence[int]) -> list[str]:
    """Integers as hex strings."""
    return [hex(value) for value in values]


def render_field() -> list[Json]:
    """Sums, products, inverses and squareness in the quintic extension."""
    edge = (P - 1,) * 5
    inputs = [(quintic.ZERO, quintic.ONE), (edge, edge), ((0, 0, 0, 0, 1), (0, 1, 0, 0, 0))]
    for case in range(13):
        a = draw(f"field {case} a", 5)
        b = draw(f"field {case} b", 5)
        inputs.append(((a[0], a[1], a[2], a[3], a[4]), (b[0], b[1], b[2], b[3], b[4])))
    return [
        {
            "a": hexes(a),
            "b": hexes(b),
            "sum": hexes(quintic.add(a, b)),
            "difference": hexes(quintic.sub(a, b)),
            "product": hexes(quintic.mul(a, b)),
            "square_a": hexes(quintic.square(a)),
            "inverse_or_zero_a": hexes(quintic.inverse_or_zero(a)),
            "a_is_square": quintic.is_square(a),
        }
        for a, b in inputs
    ]


def render_scalars() -> list[Json]:
    """Eight elements as a 512-bit little-endian integer, reduced mod n."""
    rows = [[0] * 8, [P - 1] * 8, [N >> (64 * i) & (2**64 - 1) for i in range(5)] + [0] * 3]
    rows = [row for row in rows if max(row) < P] + [draw(f"scalar {i}", 8) for i in range(8)]
    return [{"elements": hexes(row), "scalar": hex(scalar.from_elements(row))} for row in rows]


def render_points() -> list[Json]:
    """Encodings of multiples of the generator and of linear combinations."""
    edges = [0, 1, 2, 3, 15, 16, 17, 2**64, 2**128 - 1, 2**318, N - 2, N - 1]
    scalars = edges + [draw_scalar(f"point {case}") for case in range(12)]
    cases: list[Json] = []
    for case, k in enumerate(scalars):
        point = curve.multiply_generator(k)
        other = draw_scalar(f"point other {case}")
        combined = curve.add_points(curve.multiply_generator(other), curve.multiply(k, point))
        cases.append(
            {
                "k": hex(k),
                "k_generator": hexes(curve.encode(point)),
                "double": hexes(curve.encode(curve.double(point))),
                "negated": hexes(curve.encode(curve.negate(point))),
                "m": hex(other),
                "m_generator_plus_k_k_generator": hexes(curve.encode(combined)),
            }
        )
    return cases


def render_permutations() -> list[Json]:
    """Poseidon2 inputs and outputs at both widths."""
    cases: list[Json] = []
    for parameters in (poseidon2.WIDTH_8, poseidon2.WIDTH_12):
        width = parameters.width
        drawn = [draw(f"permutation {width} {case}", width) for case in range(4)]
        for state in ([0] * width, list(range(width)), [P - 1] * width, *drawn):
            output = poseidon2.permute(state, parameters)
            cases.append({"width": width, "input": hexes(state), "output": hexes(output)})
    return cases


def render_hashes() -> list[Json]:
    """Sponge digests over lengths around the block size, extreme elements and several tags."""
    rows: list[tuple[str, list[int]]] = []
    for length in (*range(26), 31, 32, 33, 64, 100):
        rows.append(("test", draw(f"hash {length}", length)))
    for length in (0, 1, 7, 8, 9, 16):
        rows.append(("zeros", [0] * length))
        rows.append(("top", [P - 1] * length))
    for tag in ("a", "b", "ab", "ba", "schnorr", "nonce_a", "key_b", "~~~~~~~"):
        rows.append((tag, [1, 2, 3]))
    return [
        {"tag": tag, "elements": hexes(row), "digest": hexes(hash_elements(tag, row))}
        for tag, row in rows
    ]


def render_compressions() -> list[Json]:
    """Parent digests."""
    top = (P - 1,) * 4
    pairs = [(ZERO_DIGEST, ZERO_DIGEST), (top, top), (ZERO_DIGEST, top), (top, ZERO_DIGEST)]
    for case in range(12):
        pairs.append((draw_digest(f"left {case}"), draw_digest(f"right {case}")))
    return [
        {"left": hexes(left), "right": hexes(right), "digest": hexes(compress(left, right))}
        for left, right in pairs
    ]


def drawn_leaves(label: str, depth: int, count: int) -> dict[int, Digest]:
    """Up to `count` leaves at drawn indices; the first and the last are always among them."""
    indices = {0, (1 << depth) - 1, *(value % (1 << depth) for value in draw(label, count))}
    return {index: draw_digest(f"{label} leaf {index}") for index in sorted(indices)}


def render_leaves(leaves: dict[int, Digest]) -> list[Json]:
    """Leaves as objects."""
    return [{"index": hex(index), "digest": hexes(leaf)} for index, leaf in leaves.items()]


def render_trees() -> list[Json]:
    """Trees before and after a multi-update that also removes a leaf, with paths."""
    compress_many = SpecPrimitives().compress_many
    cases: list[Json] = []
    for depth, count in ((0, 1), (1, 1), (2, 2), (3, 4), (5, 12), (10, 20), (20, 10), (32, 6)):
        before = drawn_leaves(f"tree {depth}", depth, count)
        changes = drawn_leaves(f"update {depth}", depth, count)
        if depth > 1:
            changes[(1 << depth) - 1] = ZERO_DIGEST
        tree = merkle.build(depth, before, compress_many)
        after = merkle.update(tree, changes, compress_many)
        shown = sorted({*before, *changes})[:3] + [(1 << depth) - 1]
        cases.append(
            {
                "depth": depth,
                "leaves": render_leaves(before),
                "root": hexes(merkle.root(tree)),
                "changes": render_leaves(changes),
                "root_after": hexes(merkle.root(after)),
                "paths_after": [
                    {
                        "index": hex(index),
                        "digest": hexes(merkle.leaf(after, index)),
                        "siblings": [hexes(sibling) for sibling in merkle.path(after, index)],
                    }
                    for index in sorted(set(shown))
                ],
            }
        )
    return cases


def seeds() -> list[bytes]:
    """The seeds of all keys."""
    drawn = [hashlib.shake_256(f"seed {case}".encode()).digest(32) for case in range(8)]
    return [*SEEDS, *drawn]


def render_keys() -> list[Json]:
    """Secrets and public keys of seeds."""
    cases: list[Json] = []
    for seed in seeds():
        secret = schnorr.secret_from_seed(seed)
        key = schnorr.public_key(secret)
        cases.append(
            {
                "secret_seed": seed.hex(),
                "secret": hex(secret),
                "key": hexes(key),
                "bytes": schnorr.key_to_bytes(key).hex(),
            }
        )
    return cases


def raw_key_bytes(key: Sequence[int]) -> bytes:
    """Five 64-bit words, canonical or not."""
    return b"".join(word.to_bytes(8, "little") for word in key)


def render_key_bytes() -> list[Json]:
    """40 bytes and the reason the decoder gives; null for a valid key."""
    key = schnorr.public_key(schnorr.secret_from_seed(b"key bytes"))
    good = schnorr.key_to_bytes(key)
    inputs = [good, good[:-1], good + b"\x00", b"", raw_key_bytes(ZERO_KEY)]
    inputs += [raw_key_bytes(quintic.neg(key))]
    inputs += [raw_key_bytes(not_point) for not_point in NOT_POINTS]
    for place in range(5):
        for word in (P, 2**64 - 1):
            inputs.append(raw_key_bytes([*key[:place], word, *key[place + 1 :]]))
    inputs.append(raw_key_bytes([4 + P, 0, 0, 0, 0]))  # an alias of the generator
    cases: list[Json] = []
    for data in inputs:
        reason = None
        try:
            schnorr.key_from_bytes(data)
        except DecodeError as error:
            reason = error.reason
        cases.append({"bytes": data.hex(), "valid": reason is None, "why": reason})
    return cases


def signature_case(
    seed: bytes, key: PublicKey, digest: Digest, signature: Signature, why: str | None
) -> Json:
    """One question to the verifier; the specification must agree with the expected answer."""
    valid = why is None
    if schnorr.verify(key, digest, signature) is not valid:
        raise AssertionError(f"the specification disagrees on {why or 'a valid signature'}")
    words = raw_key_bytes(signature[:2]) + signature.s.to_bytes(40, "little")
    return {
        "secret_seed": seed.hex(),
        "key": hexes(key),
        "digest": hexes(digest),
        "signature": {"e0": hex(signature.e0), "e1": hex(signature.e1), "s": hex(signature.s)},
        "bytes": words.hex(),
        "valid": valid,
        "why": why,
    }


def render_signed() -> list[Json]:
    """Valid signatures; `extra` is the optional randomness of the nonce."""
    cases: list[Json] = []
    top = (P - 1,) * 4
    for case, seed in enumerate(seeds()):
        secret = schnorr.secret_from_seed(seed)
        digest = (ZERO_DIGEST, top, draw_digest(f"message {case}"))[min(case, 2)]
        for extra in (ZERO_DIGEST, top if case == 0 else draw_digest(f"extra {case}")):
            signature = schnorr.sign(secret, digest, extra)
            rendered = signature_case(seed, schnorr.public_key(secret), digest, signature, None)
            assert isinstance(rendered, dict)
            cases.append(rendered | {"extra": hexes(extra)})
    return cases


def tampered(signature: Signature) -> Iterator[tuple[Signature, str]]:
    """Changed signatures of a valid one, each with its reason."""
    e0, e1, s = signature
    for word, name in ((P, "p"), (2**64 - 1, "2^64 - 1")):
        yield Signature(word, e1, s), f"e0 is {name}, not canonical"
        yield Signature(e0, word, s), f"e1 is {name}, not canonical"
    yield Signature(e0, e1, N), "s is n, not canonical"
    yield Signature(e0, e1, s + N), "s + n, not canonical: equal mod n to a valid s"
    yield Signature(e0, e1, 2**320 - 1), "s is 2^320 - 1, not canonical"
    yield Signature(e1, e0, s), "e0 and e1 swapped"
    yield Signature(e0, 0, s), "e1 cleared"
    yield Signature(e0, e1, N - s), "s negated"
    yield Signature(e0 ^ 1, e1, s), "e0 changed by one bit"
    yield Signature(e0, e1 ^ 1, s), "e1 changed by one bit"
    yield Signature(e0, e1, s ^ 1), "s changed by one bit"
    yield Signature(e0, e1, 0), "s cleared"
    yield Signature(0, 0, 0), "all zero"


def misused(
    secret: int, key: PublicKey, digest: Digest
) -> Iterator[tuple[PublicKey, Digest, Signature, str]]:
    """Signatures made wrongly on purpose, so that one missing check would accept each."""
    k = draw_scalar("misused nonce")
    commitment = curve.encode(curve.multiply_generator(k))
    e0, e1 = schnorr.challenge(commitment, ZERO_KEY, digest)
    yield ZERO_KEY, digest, Signature(e0, e1, k), "the neutral key: anyone can sign for it"
    e0, e1 = schnorr.challenge(quintic.ZERO, key, digest)
    s = scalar.reduce((N - secret) * schnorr.challenge_integer(e0, e1))
    yield key, digest, Signature(e0, e1, s), "the commitment R is the neutral element"
    e0, e1, _, _ = hash_elements("schnorr", commitment + digest)
    s = scalar.reduce(k + (N - secret) * schnorr.challenge_integer(e0, e1))
    yield key, digest, Signature(e0, e1, s), "the challenge leaves out the key"
    e0, e1, _, _ = hash_elements("schnor", commitment + key + digest)
    s = scalar.reduce(k + (N - secret) * schnorr.challenge_integer(e0, e1))
    yield key, digest, Signature(e0, e1, s), "the challenge has another tag"
    e0, e1 = schnorr.challenge(commitment, key, digest)
    s = scalar.reduce(k + secret * schnorr.challenge_integer(e0, e1))
    yield key, digest, Signature(e0, e1, s), "s = k + e x: the other sign convention"
    s = scalar.reduce(k + (N - secret) * e0)
    yield key, digest, Signature(e0, e1, s), "e cut to 64 bits in s"


def render_refused() -> list[Json]:
    """Signatures that every verifier must refuse."""
    seed = b"refused signatures"
    secret = schnorr.secret_from_seed(seed)
    key = schnorr.public_key(secret)
    digest = (1, *draw_digest("refused message")[1:])
    signature = schnorr.sign(secret, digest)
    cases = [signature_case(seed, key, digest, signature, None)]
    for changed, why in tampered(signature):
        cases.append(signature_case(seed, key, digest, changed, why))
    other_key = schnorr.public_key(schnorr.secret_from_seed(b"other"))
    keys = [(other_key, "another key"), (quintic.neg(key), "the opposite key")]
    keys += [(not_point, "the key is not a point") for not_point in NOT_POINTS]
    keys += [((P, *key[1:]), "a key element is p"), ((2**64 - 1, *key[1:]), "a key element >= p")]
    for changed_key, why in keys:
        cases.append(signature_case(seed, changed_key, digest, signature, why))
    for place in range(4):
        changed_digest = digest[:place] + (digest[place] ^ 2,) + digest[place + 1 :]
        assert len(changed_digest) == 4
        cases.append(signature_case(seed, key, changed_digest, signature, "another digest"))
    alias = (1 + P, *digest[1:])
    cases.append(signature_case(seed, key, alias, signature, "a digest element is not canonical"))
    for misused_key, message, made, why in misused(secret, key, digest):
        cases.append(signature_case(seed, misused_key, message, made, why))
    return cases


def render() -> str:
    """The text of `vectors/crypto.json`."""
    vectors = {
        "about": "Rendered by tools/render_crypto_vectors.py from novate.spec.crypto. Integers "
        "are hex strings; bytes and seeds are hex without prefix; digests are 4 elements, keys "
        "and field elements 5.",
        "p": hex(P),
        "n": hex(N),
        "permutations": render_permutations(),
        "field": render_field(),
        "scalars": render_scalars(),
        "points": render_points(),
        "hash": render_hashes(),
        "compress": render_compressions(),
        "merkle": render_trees(),
        "keys": render_keys(),
        "key_bytes": render_key_bytes(),
        "signatures": render_signed() + render_refused(),
    }
    return dumps(vectors)


def dumps(vectors: Mapping[str, Json]) -> str:
    """JSON with one case a line, so that a change shows as a small difference."""
    parts = []
    for name, value in vectors.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(row, separators=(", ", ": ")) for row in value)
            parts.append(f"{json.dumps(name)}: [\n{rows}\n]")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file, or with --check compare it; 1 when it differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    fresh = render()
    if not arguments.check:
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(fresh, encoding="ascii")
        return 0
    current = OUTPUT.read_text(encoding="ascii") if OUTPUT.exists() else ""
    if current == fresh:
        return 0
    print(f"{OUTPUT.name} differs from what {Path(__file__).name} renders", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
