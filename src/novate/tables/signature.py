"""Schnorr signatures over EcGFp5: one row a signature. Mirrors `spec/crypto/schnorr.py`.

R = s·G ⊕ e·Q is not the neutral, and hashing it with key and message gives e. The challenge is two
elements of 64 bits, the response ten chunks of 32 below the group's order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import column, columns, flag, inverse, multiplicity
from novate.circuit.expressions import Expression, lift
from novate.circuit.tables import Table, rule
from novate.spec.crypto import curve, schnorr
from novate.spec.crypto.poseidon2 import WIDTH_12, permute
from novate.spec.crypto.scalar import N
from novate.spec.primitives import SignatureCheck
from novate.tables.curve import (
    DEGREE,
    Affine,
    addition,
    affine,
    fields,
    named,
    put,
    times,
)
from novate.tables.key_windows import KEY
from novate.tables.multiply import (
    BASE_CHUNKS,
    BASE_MULTIPLE,
    CHUNK_BITS,
    KEY_CHUNKS,
    KEY_MULTIPLE,
    chunks_of,
    put_point,
    put_scalars,
)
from novate.tables.sponge import hash_messages, sponge_rows

CHUNK: Final = 1 << CHUNK_BITS
DIGEST: Final = 4
SIGNED: Final = Bus("signed", **fields("key"), **dict.fromkeys(map("digest_{}".format, range(4))))
"""A key signed a digest."""


class SignatureTable(Table):
    """One row a signature."""

    name = "signature"
    active = flag()
    number = column()
    key = columns(DEGREE)
    digest = columns(DIGEST)
    challenge = columns(KEY_CHUNKS, CHUNK_BITS)
    """Chunks of e, lowest first."""
    inverted_low = inverse(challenge[1] - (CHUNK - 1))
    inverted_high = inverse(challenge[3] - (CHUNK - 1))
    response = columns(BASE_CHUNKS, CHUNK_BITS)
    """Chunks of s, lowest first."""
    room = columns(BASE_CHUNKS, CHUNK_BITS)
    """Chunks of n − 1 − s."""
    borrow = columns(BASE_CHUNKS - 1, 1)
    key_x, key_u = columns(DEGREE), columns(DEGREE)
    """e · Q."""
    base_x, base_u = columns(DEGREE), columns(DEGREE)
    """s · G."""
    x, u = columns(DEGREE), columns(DEGREE)
    """R."""
    w = columns(DEGREE)
    capacity = columns(4)
    unused = columns(2)
    """The half of the hash that is no part of e."""
    times = multiplicity()

    @rule()
    def adds_up(self) -> list[Expression]:
        """R = s·G ⊕ e·Q."""
        left, right = Affine(self.base_x, self.base_u), Affine(self.key_x, self.key_u)
        return addition(left, right, Affine(self.x, self.u))

    @rule()
    def encodes(self) -> list[Expression]:
        """w = 1/u: R is not the neutral, and w is its encoding."""
        product = times(self.w, self.u)
        return [self.active * (product[0] - 1), *(self.active * value for value in product[1:])]

    @rule()
    def canonical_challenge(self) -> list[Expression]:
        """Below p: a high chunk of 2^32 − 1 goes with a low chunk of 0."""
        halves = (
            (self.challenge[0], self.challenge[1], self.inverted_low),
            (self.challenge[2], self.challenge[3], self.inverted_high),
        )
        return [low * (1 - (high - (CHUNK - 1)) * inverted) for low, high, inverted in halves]

    @rule()
    def inverses(self) -> list[Expression]:
        """A chunk that is not 2^32 − 1 has the inverse that says so."""
        halves = ((self.challenge[1], self.inverted_low), (self.challenge[3], self.inverted_high))
        found = []
        for high, inverted in halves:
            distance = high - (CHUNK - 1)
            found += [distance * (1 - distance * inverted), inverted * (1 - distance * inverted)]
        return found

    @rule()
    def below_the_order(self) -> list[Expression]:
        """n − 1 − s in chunks, each of 32 bits: no chunk wraps, so s < n."""
        limits = chunks_of(N - 1, BASE_CHUNKS)
        borrows = [lift(0), *self.borrow, lift(0)]
        return [
            self.active * (limits[k] - self.response[k] - borrows[k] + borrows[k + 1] * CHUNK)
            - self.active * self.room[k]
            for k in range(BASE_CHUNKS)
        ]

    def messages(self) -> list[Interaction]:
        """Asks for the key, both multiples and the hash; offers the verdict."""
        halves = [self.challenge[k] + self.challenge[k + 1] * CHUNK for k in (0, 2)]
        elements = [*self.w, *self.key, *self.digest]
        key_point = named("x", self.key_x) | named("u", self.key_u)
        base_point = named("x", self.base_x) | named("u", self.base_u)
        challenge, response = named("chunk", self.challenge), named("chunk", self.response)
        return [
            send(KEY, self.active, number=self.number, **named("w", self.key)),
            send(KEY_MULTIPLE, self.active, number=self.number, **challenge, **key_point),
            send(BASE_MULTIPLE, self.active, **response, **base_point),
            *hash_messages(
                self.active, "schnorr", elements, self.capacity, [*halves, *self.unused]
            ),
            receive(
                SIGNED,
                self.active * self.times,
                **named("key", self.key),
                **named("digest", self.digest),
            ),
        ]


def fill(
    checks: Sequence[SignatureCheck], numbers: dict[tuple[int, ...], int]
) -> tuple[dict[str, list[int]], list[list[int]]]:
    """Primary columns for valid signatures, and the states that their hashes permute.

    `numbers`: of each key in `key_windows`. ValueError for a signature that is not valid.
    """
    found: dict[str, list[int]] = {}
    states: list[list[int]] = []
    for check in checks:
        if not schnorr.verify(check.key, check.digest, check.signature):
            raise ValueError(f"the signature of digest {check.digest} is not valid")
        states += _fill_row(found, check, numbers[check.key])
    return found, states


def _fill_row(found: dict[str, list[int]], check: SignatureCheck, number: int) -> list[list[int]]:
    """One signature's row; the states its hash permutes."""
    challenge = schnorr.challenge_integer(check.signature.e0, check.signature.e1)
    response = check.signature.s
    point = curve.decode(check.key)
    assert point is not None, "verified before"
    key_point = curve.multiply(challenge, point)
    base_point = curve.multiply_generator(response)
    commitment = curve.add_points(base_point, key_point)
    w = curve.encode(commitment)
    states, capacities = sponge_rows("schnorr", [*w, *check.key, *check.digest])
    room = N - 1 - response
    put_scalars(found, active=1, number=number)
    put(found, "key", check.key)
    put(found, "digest", check.digest)
    put(found, "challenge", chunks_of(challenge, KEY_CHUNKS))
    put(found, "response", chunks_of(response, BASE_CHUNKS))
    put(found, "room", chunks_of(room, BASE_CHUNKS))
    put(found, "borrow", _borrows(response))
    put_point(found, "key_x", "key_u", affine(key_point))
    put_point(found, "base_x", "base_u", affine(base_point))
    put_point(found, "x", "u", affine(commitment))
    put(found, "w", w)
    put(found, "capacity", capacities)
    put(found, "unused", _digest_of(states[-1])[2:])
    return states


def _digest_of(state: list[int]) -> list[int]:
    """The digest that the last permutation of a sponge gives."""
    return list(permute(state, WIDTH_12)[:DIGEST])


def _borrows(response: int) -> list[int]:
    """What each chunk of n − 1 − s borrows from the next."""
    limits, chunks = chunks_of(N - 1, BASE_CHUNKS), chunks_of(response, BASE_CHUNKS)
    borrows = [0]
    for limit, chunk in zip(limits, chunks, strict=True):
        borrows.append(int(limit - chunk - borrows[-1] < 0))
    return borrows[1:-1]
