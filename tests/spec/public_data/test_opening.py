"""Header, and D, z and y: whatever byte is changed, the opening is another one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.native import NativePrimitives
from novate.spec.bounds import GOLDILOCKS
from novate.spec.commitment import commit
from novate.spec.crypto import SpecPrimitives
from novate.spec.crypto.keccak import keccak_256
from novate.spec.crypto.sponge import hash_elements
from novate.spec.errors import DecodeError
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES
from novate.spec.public_data.calldata import calldata_of, encode_calldata
from novate.spec.public_data.diff import encode_diff
from novate.spec.public_data.header import (
    HEADER_BYTES,
    DataForm,
    decode_header,
    encode_header,
    header_from,
)
from novate.spec.public_data.opening import (
    Carrier,
    Part,
    data_elements,
    limbs,
    open_data,
    parts_of,
    verify_opening,
)
from tests.spec.public_data.mutations import assert_decodes_or_names, near
from tests.spec.public_data.samples import generated

SPEC, NATIVE = SpecPrimitives(), NativePrimitives()
ITEM = generated()[2]
DATA = encode_diff(ITEM.journal)
CALLDATA = encode_calldata(calldata_of(ITEM.journal))
HEADER = encode_header(header_from(ITEM.batch, ITEM.journal, DataForm.DIFF, NATIVE))
PARTS = parts_of(DATA, CALLDATA, Carrier.CALLDATA)


def test_a_header_says_what_the_batch_moved() -> None:
    for item in generated()[:10]:
        header = header_from(item.batch, item.journal, DataForm.FULL, NATIVE)
        data = encode_header(header)
        assert len(data) == HEADER_BYTES
        assert decode_header(data) == header
        assert header.root_before == commit(item.before, NATIVE).root
        assert header.number == item.before.system.batch_number + 1
        assert header.inbox_after - header.inbox_before == len(item.journal.requests)


@given(st.data())
def test_bytes_near_a_header_are_refused_or_a_header(data: st.DataObject) -> None:
    assert_decodes_or_names(decode_header, encode_header, data.draw(near(HEADER)))


def test_d_is_the_specifications_hash() -> None:
    opening = open_data(HEADER, PARTS, [], NATIVE)
    assert opening == open_data(HEADER, PARTS, [], SPEC)
    assert opening.digest == hash_elements("data", data_elements(PARTS))
    assert opening.point < MODULUS
    assert all(value < MODULUS for value in opening.values)


def test_what_d_hashes_by_hand() -> None:
    parts = [Part(Carrier.BLOB, bytes(range(1, 33))), Part(Carrier.CALLDATA, b"")]
    assert data_elements(parts) == [
        *(2, 1, 32),
        *(0x01020304050607, 0x08090A0B0C0D0E, 0x0F101112131415, 0x161718191A1B1C, 0x1D1E1F),
        *(0x20000000000000, 0, 0, 0, 0),
        *(0, 0),
    ]


@given(st.integers(0, 2**248 - 1))
def test_limbs_are_the_coefficient(coefficient: int) -> None:
    found = limbs(coefficient)
    assert len(found) == 5
    assert all(limb < GOLDILOCKS for limb in found)
    value = 0
    for limb in found[:4]:
        value = value << 56 | limb
    assert value << 24 | found[4] == coefficient


def test_z_by_hand() -> None:
    opening = open_data(HEADER, PARTS, [], NATIVE)
    bound = b"".join(element.to_bytes(8, "little") for element in opening.digest)
    carriers = keccak_256(DATA) + keccak_256(CALLDATA)
    hashed = keccak_256(keccak_256(b"novate data point") + bound + b"\2" + carriers + HEADER)
    assert opening.point == int.from_bytes(hashed, "big") % MODULUS


@settings(max_examples=25)
@given(st.integers(0, len(DATA) + len(CALLDATA) + len(HEADER) - 1), st.integers(1, 255))
def test_every_byte_is_bound(place: int, change: int) -> None:
    whole = bytearray(DATA + CALLDATA + HEADER)
    opening = open_data(HEADER, PARTS, [], NATIVE)
    assert verify_opening(HEADER, PARTS, [], opening, NATIVE)
    whole[place] ^= change
    data, calldata = whole[: len(DATA)], whole[len(DATA) : len(DATA) + len(CALLDATA)]
    parts = parts_of(bytes(data), bytes(calldata), Carrier.CALLDATA)
    header = bytes(whole[len(DATA) + len(CALLDATA) :])
    assert not verify_opening(header, parts, [], opening, NATIVE)


def test_length_carrier_and_cut_are_bound() -> None:
    opening = open_data(HEADER, PARTS, [], NATIVE)
    blob_hash = keccak_256(DATA)  # the very carrier hash that calldata have
    for parts, blobs in (
        (parts_of(DATA + b"\0", CALLDATA, Carrier.CALLDATA), []),
        (parts_of(DATA, CALLDATA + b"\0", Carrier.CALLDATA), []),
        (parts_of(DATA, CALLDATA, Carrier.BLOB), [blob_hash]),
        ([*PARTS, Part(Carrier.CALLDATA, b"")], []),
        (parts_of(DATA + CALLDATA, b"", Carrier.CALLDATA), []),
    ):
        assert open_data(HEADER, parts, blobs, NATIVE).digest != opening.digest
        assert not verify_opening(HEADER, parts, blobs, opening, NATIVE)


def test_a_wrong_value_is_refused() -> None:
    opening = open_data(HEADER, PARTS, [], NATIVE)
    for wrong in (
        opening._replace(values=(opening.values[0], opening.values[1] ^ 1)),
        opening._replace(point=opening.point ^ 1),
        opening._replace(digest=(*opening.digest[:3], opening.digest[3] ^ 1)),
        opening._replace(values=opening.values[:1]),
    ):
        assert not verify_opening(HEADER, PARTS, [], wrong, NATIVE)


def test_long_data_fill_several_blobs_and_calldata_stay_calldata() -> None:
    parts = parts_of(bytes(POLYNOMIAL_BYTES + 1), CALLDATA, Carrier.BLOB)
    assert [(part.carrier, len(part.data)) for part in parts] == [
        (Carrier.BLOB, POLYNOMIAL_BYTES),
        (Carrier.BLOB, 1),
        (Carrier.CALLDATA, len(CALLDATA)),
    ]


def test_each_blob_has_a_versioned_hash() -> None:
    parts = parts_of(DATA, CALLDATA, Carrier.BLOB)
    opening = open_data(HEADER, parts, [b"\1" * 32], NATIVE)
    assert not verify_opening(HEADER, parts, [b"\2" * 32], opening, NATIVE)
    for wrong in ([], [b"\1" * 31], [b"\1" * 32] * 2):
        with pytest.raises(DecodeError, match="blob_hashes"):
            open_data(HEADER, parts, wrong, NATIVE)
