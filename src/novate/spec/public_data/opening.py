"""What binds a proof to the data without Keccak in it: D, z and y.

D is the Poseidon2 hash of the coefficients of all polynomials of a batch, each with its length and
carrier. z = keccak(tag, D, carrier hashes, header) mod r is drawn by the contract after D and the
carriers are fixed. y = P(z) for each polynomial, checked by the contract against the carrier (by
Horner's rule in calldata, by the point-evaluation precompile in a blob) and by the proof against D.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final, NamedTuple

from novate.spec.crypto import goldilocks
from novate.spec.crypto.keccak import keccak_256
from novate.spec.errors import DecodeError
from novate.spec.primitives import Digest, Primitives
from novate.spec.public_data.blob import (
    COEFFICIENT_BYTES,
    MODULUS,
    coefficients,
    evaluate,
    split,
)

DATA_TAG: Final = "data"
POINT_TAG: Final = keccak_256(b"novate data point")
"""Kind tag of z."""
LIMB_BITS: Final = 56
LIMBS: Final = 5
"""A coefficient of 31 bytes as field elements: 7, 7, 7, 7 and 3 bytes, most significant first."""


class Carrier(IntEnum):
    """What a polynomial is published in."""

    CALLDATA = 0
    """As coefficients; its carrier hash is the Keccak hash of the bytes."""
    BLOB = 1
    """As evaluations; its carrier hash is the blob's versioned hash."""


class Part(NamedTuple):
    """The bytes of one polynomial and what carries it."""

    carrier: Carrier
    data: bytes


class Opening(NamedTuple):
    """What the contract stores of the data with the header, and the proof's public values."""

    digest: Digest
    """D."""
    point: int
    """z, below r."""
    values: tuple[int, ...]
    """y of each polynomial, below r."""


def parts_of(data: bytes, calldata: bytes, carrier: Carrier) -> list[Part]:
    """The polynomials of a batch: the data in full ones and a rest, then the contract's part."""
    parts = [Part(carrier, piece) for piece in split(data)]
    return parts + [Part(Carrier.CALLDATA, piece) for piece in split(calldata)]


def limbs(coefficient: int) -> list[int]:
    """Five limbs of a coefficient: four of 56 bits from the top, then the lowest 24."""
    low_bits = 8 * COEFFICIENT_BYTES - LIMB_BITS * (LIMBS - 1)
    high = coefficient >> low_bits
    mask = (1 << LIMB_BITS) - 1
    found = [high >> LIMB_BITS * place & mask for place in range(LIMBS - 2, -1, -1)]
    return [*found, coefficient & (1 << low_bits) - 1]


def data_elements(parts: Sequence[Part]) -> list[int]:
    """What D hashes: number of polynomials; of each carrier, length in bytes, limbs."""
    elements = [len(parts)]
    for part in parts:
        elements += [int(part.carrier), len(part.data)]
        for coefficient in coefficients(part.data):
            elements += limbs(coefficient)
    return elements


def data_digest(parts: Sequence[Part], primitives: Primitives) -> Digest:
    """D."""
    return primitives.hash_many(DATA_TAG, [data_elements(parts)])[0]


def carrier_hashes(parts: Sequence[Part], blob_hashes: Sequence[bytes]) -> list[bytes]:
    """The carrier hash of each polynomial; versioned hashes of the blobs are given in order.

    DecodeError unless there is one for each blob.
    """
    waiting = list(blob_hashes)
    blobs = sum(part.carrier == Carrier.BLOB for part in parts)
    if len(waiting) != blobs or any(len(item) != 32 for item in waiting):
        raise DecodeError("blob_hashes", f"{len(waiting)} versioned hashes, {blobs} blobs")
    return [
        waiting.pop(0) if part.carrier == Carrier.BLOB else keccak_256(part.data) for part in parts
    ]


def data_point(digest: Digest, hashes: Sequence[bytes], header: bytes) -> int:
    """z: keccak(tag 32 ‖ D 32 ‖ polynomials 1 ‖ carrier hashes 32 each ‖ header 195) mod r."""
    bound = b"".join(goldilocks.to_bytes(element) for element in digest)
    count = len(hashes).to_bytes(1, "big")
    hashed = keccak_256(POINT_TAG + bound + count + b"".join(hashes) + header)
    return int.from_bytes(hashed, "big") % MODULUS


def open_data(
    header: bytes, parts: Sequence[Part], blob_hashes: Sequence[bytes], primitives: Primitives
) -> Opening:
    """D, z and every y of a batch's data."""
    digest = data_digest(parts, primitives)
    point = data_point(digest, carrier_hashes(parts, blob_hashes), header)
    values = tuple(evaluate(coefficients(part.data), point) for part in parts)
    return Opening(digest, point, values)


def verify_opening(
    header: bytes,
    parts: Sequence[Part],
    blob_hashes: Sequence[bytes],
    opening: Opening,
    primitives: Primitives,
) -> bool:
    """Whether D, z and y are those of the bytes: what contract and proof show together."""
    return open_data(header, parts, blob_hashes, primitives) == opening
