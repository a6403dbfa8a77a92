"""Receipts: what is signed, what tampering does, what is evidence."""

from __future__ import annotations

import pytest

from novate.lab.wallets import wallet
from novate.native import NativePrimitives
from novate.node.receipts import (
    RECEIPT_BYTES,
    Receipt,
    Venue,
    decode_receipt,
    encode_receipt,
    is_evidence,
    sign_receipts,
    verify_receipts,
)
from novate.node.segment import GENESIS_HASH, Entry, chain, hash_record
from novate.spec.crypto import SpecPrimitives
from novate.spec.errors import DecodeError

SIGNER = wallet("sequencer of the receipts")
VENUE = Venue(31_337, 0x5E771E)
PRIMITIVES = NativePrimitives()


def entries(*payloads: bytes) -> list[tuple[Entry, int]]:
    """A log of these payloads, each with a time."""
    found, running = [], GENESIS_HASH
    for sequence, payload in enumerate(payloads, 1):
        running = chain(running, sequence, hash_record(payload))
        found.append((Entry(sequence, payload, hash_record(payload), running), 1_000 * sequence))
    return found


def receipts(*payloads: bytes) -> list[Receipt]:
    return sign_receipts(SIGNER.secret, VENUE, entries(*payloads), PRIMITIVES)


def is_good(receipt: Receipt, venue: Venue = VENUE) -> bool:
    [verdict] = verify_receipts(SIGNER.key, venue, [receipt], PRIMITIVES)
    return verdict


def test_receipts_verify_by_both_implementations() -> None:
    found = receipts(b"a", b"b", b"c")
    assert verify_receipts(SIGNER.key, VENUE, found, PRIMITIVES) == [True] * 3
    assert verify_receipts(SIGNER.key, VENUE, found[:1], SpecPrimitives()) == [True]
    assert receipts() == []


def test_every_changed_field_is_noticed() -> None:
    [receipt] = receipts(b"a")
    assert is_good(receipt)
    assert not is_good(receipt._replace(sequence=2))
    assert not is_good(receipt._replace(time_ms=receipt.time_ms + 1))
    for name in ("record_hash", "running_hash"):
        for at in range(32):
            changed = bytearray(getattr(receipt, name))
            changed[at] ^= 1
            assert not is_good(receipt._replace(**{name: bytes(changed)}))
    assert not is_good(receipt, VENUE._replace(chain_id=1))
    assert not is_good(receipt, VENUE._replace(settlement_contract=1))
    other = wallet("another sequencer").key
    assert verify_receipts(other, VENUE, [receipt], PRIMITIVES) == [False]


def test_receipts_of_one_log_are_no_evidence() -> None:
    first, second, third = receipts(b"a", b"b", b"c")
    for pair in ((first, first), (first, second), (second, third), (first, third), (third, first)):
        assert not is_evidence(*pair, SIGNER.key, VENUE, PRIMITIVES)


def test_two_records_under_one_number_are_evidence() -> None:
    ours, theirs = receipts(b"a", b"b"), receipts(b"a", b"x")
    assert is_evidence(ours[1], theirs[1], SIGNER.key, VENUE, PRIMITIVES)
    forged = theirs[1]._replace(time_ms=1)
    assert not is_evidence(ours[1], forged, SIGNER.key, VENUE, PRIMITIVES)


def test_one_record_with_two_histories_is_evidence() -> None:
    ours, theirs = receipts(b"a", b"b"), receipts(b"x", b"b")
    assert ours[1].record_hash == theirs[1].record_hash
    assert is_evidence(ours[1], theirs[1], SIGNER.key, VENUE, PRIMITIVES)


def test_a_successor_that_does_not_follow_is_evidence() -> None:
    ours, theirs = receipts(b"a", b"b"), receipts(b"x", b"b")
    assert is_evidence(ours[0], theirs[1], SIGNER.key, VENUE, PRIMITIVES)
    assert is_evidence(theirs[0], ours[1], SIGNER.key, VENUE, PRIMITIVES)


def test_bytes_and_back() -> None:
    [receipt] = receipts(b"a")
    data = encode_receipt(receipt)
    assert len(data) == RECEIPT_BYTES
    assert decode_receipt(data) == receipt
    for size in range(RECEIPT_BYTES):
        with pytest.raises(DecodeError):
            decode_receipt(data[:size])
    with pytest.raises(DecodeError):
        decode_receipt(data + b"\0")
    with pytest.raises(DecodeError):
        encode_receipt(receipt._replace(record_hash=b"short"))
