"""Signed receipts: the sequencer's word that a record has its place in the log.

A receipt names the record's number and hash, the log's running hash with it, and the time. Two
receipts that cannot belong to one log, both signed, are evidence against the sequencer: two records
under one number, or a successor whose running hash does not follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from novate.native import sign_many
from novate.node.segment import Entry, chain
from novate.spec.errors import DecodeError
from novate.spec.messages.domain import VERSION, address_elements
from novate.spec.primitives import Primitives, PublicKey, Signature, SignatureCheck
from novate.spec.public_data.codec import (
    Codec,
    Reader,
    Record,
    Unsigned,
    decode,
    encode,
)
from novate.spec.public_data.fields import SIGNATURE

RECEIPT_TAG: Final = "receipt"
HASH_BYTES: Final = 32
LIMB_BYTES: Final = 7
"""The most whole bytes that always fit an element."""


class Receipt(NamedTuple):
    """One record's place in the log."""

    sequence: int
    time_ms: int
    """When the sequencer took the record, unix milliseconds."""
    record_hash: bytes
    running_hash: bytes
    signature: Signature


class Venue(NamedTuple):
    """Whose log it is: chain id and settlement contract, as in every signed message."""

    chain_id: int
    settlement_contract: int


class HashCodec:
    """A hash of 32 bytes."""

    def write(self, out: bytearray, value: bytes) -> None:
        """Append the hash; DecodeError on another length."""
        if len(value) != HASH_BYTES:
            raise DecodeError("hash_length", f"{len(value)} bytes, must be {HASH_BYTES}")
        out += value

    def read(self, reader: Reader) -> bytes:
        """Read a hash."""
        return reader.take(HASH_BYTES)


RECEIPT: Codec[Receipt] = Record(
    Receipt,
    (
        ("sequence", Unsigned("receipt.sequence", 8, 1)),
        ("time_ms", Unsigned("receipt.time_ms", 6)),
        ("record_hash", HashCodec()),
        ("running_hash", HashCodec()),
        ("signature", SIGNATURE),
    ),
)
RECEIPT_BYTES: Final = 134


def receipt_elements(venue: Venue, receipt: Receipt) -> tuple[int, ...]:
    """What the sequencer signs under `RECEIPT_TAG`."""
    return (
        venue.chain_id,
        *address_elements(venue.settlement_contract),
        VERSION,
        receipt.sequence,
        receipt.time_ms,
        *hash_limbs(receipt.record_hash),
        *hash_limbs(receipt.running_hash),
    )


def hash_limbs(value: bytes) -> tuple[int, ...]:
    """A hash as elements: four of 7 bytes, little-endian, and the last 4 bytes."""
    return tuple(
        int.from_bytes(value[start : start + LIMB_BYTES], "little")
        for start in range(0, len(value), LIMB_BYTES)
    )


def sign_receipts(
    secret: int,
    venue: Venue,
    entries: Sequence[tuple[Entry, int]],
    primitives: Primitives,
) -> list[Receipt]:
    """The receipts of (entry, time in ms), signed in one call."""
    unsigned = [
        Receipt(entry.sequence, time_ms, entry.record_hash, entry.running_hash, NO_SIGNATURE)
        for entry, time_ms in entries
    ]
    rows = [receipt_elements(venue, receipt) for receipt in unsigned]
    digests = primitives.hash_many(RECEIPT_TAG, rows)
    signatures = sign_many(secret, digests) if digests else []
    return [
        receipt._replace(signature=signature)
        for receipt, signature in zip(unsigned, signatures, strict=True)
    ]


NO_SIGNATURE: Final = Signature(0, 0, 0)


def verify_receipts(
    key: PublicKey, venue: Venue, receipts: Sequence[Receipt], primitives: Primitives
) -> list[bool]:
    """Whether each receipt is signed by the sequencer's key."""
    rows = [receipt_elements(venue, receipt) for receipt in receipts]
    digests = primitives.hash_many(RECEIPT_TAG, rows)
    return primitives.verify_many(
        [
            SignatureCheck(key, digest, receipt.signature)
            for receipt, digest in zip(receipts, digests, strict=True)
        ]
    )


def is_evidence(
    first: Receipt, second: Receipt, key: PublicKey, venue: Venue, primitives: Primitives
) -> bool:
    """Whether two receipts show that the sequencer signed two different logs.

    Both signatures are valid, and either one number has two records or two histories, or the second
    is the next number and its running hash does not follow from the first one's.
    """
    if not all(verify_receipts(key, venue, (first, second), primitives)):
        return False
    if first.sequence == second.sequence:
        histories = {(r.record_hash, r.running_hash) for r in (first, second)}
        return len(histories) == 2
    if second.sequence == first.sequence + 1:
        follows = chain(first.running_hash, second.sequence, second.record_hash)
        return second.running_hash != follows
    return False


def encode_receipt(receipt: Receipt) -> bytes:
    """The 134 bytes of a receipt; DecodeError if a field is out of range."""
    return encode(RECEIPT, receipt)


def decode_receipt(data: bytes) -> Receipt:
    """The receipt of exactly these bytes; DecodeError if there is none."""
    return decode(RECEIPT, data)
