"""Polynomials and blobs against EIP-4844's published test vectors and independent formulas."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.errors import DecodeError
from novate.spec.public_data import blob
from novate.spec.public_data.blob import MODULUS, POLYNOMIAL_BYTES, SIZE

POINT = 0x5EB7004FE57383E6C88B99D839937FDDF3F99279353AAF8D5C9A75F91CE33C62
ROOT = 0x564C0A11A0F704F4FC3E8ACFE0F8245F0AD1347B378FBF96E206DA11A5D36306
VECTORS = [
    # ethereum/c-kzg-4844, tests/compute_kzg_proof/kzg-mainnet: valid_blob_{2_3, 4_3, 4_1, 3_5}.
    # Blobs of consensus-specs: element n is base**(n + 256).
    (2, POINT, 0x5EE1E9A4A06A02CA6EA14B0CA73415A8BA0FBA888F18DDE56DF499B480D4B9E0),
    (5, POINT, 0x4882CF0609AF8C7CD4C256E63A35838C95A9EBBF6122540AB344B42FD66D32E1),
    (5, 1, 0x60F840641EC0D0C0D2B77B2D5A393B329442721FAD05AB78C7B98F2AA3C20EC9),
    (3, ROOT, 0x6C28D6EDFEA2F5E1638CB1A8BE8197549D52E133FA9DAE87E52ABB45F7B192DD),
]


def published_blob(base: int) -> list[int]:
    """A blob of the published vectors."""
    return [pow(base, n + 256, MODULUS) for n in range(SIZE)]


def barycentric(values: list[int], point: int) -> int:
    """P(z) from blob values alone, z no root of unity: EIP-4844's formula, written anew."""
    roots = [pow(ROOT, blob.reverse_bits(k), MODULUS) for k in range(SIZE)]
    total = sum(
        value * root * pow(point - root, -1, MODULUS)
        for value, root in zip(values, roots, strict=True)
    )
    return total * (pow(point, SIZE, MODULUS) - 1) * pow(SIZE, -1, MODULUS) % MODULUS


def test_published_root_of_unity() -> None:
    assert blob.roots_of_unity()[1] == ROOT
    assert pow(ROOT, SIZE, MODULUS) == 1
    assert pow(ROOT, SIZE // 2, MODULUS) == MODULUS - 1


def test_the_modulus_is_that_of_the_point_evaluation_precompile() -> None:
    # EIP-4844: the precompile returns FIELD_ELEMENTS_PER_BLOB and BLS_MODULUS
    assert SIZE == 4096
    assert MODULUS == 52435875175126190479447740508185965837690552500527637822603658699938581184513


@pytest.mark.parametrize(("base", "point", "value"), VECTORS)
def test_published_evaluations(base: int, point: int, value: int) -> None:
    polynomial = blob.polynomial_of_values(published_blob(base))
    assert blob.evaluate(polynomial, point) == value


def test_barycentric_formula_equals_horner() -> None:
    polynomial = blob.coefficients(bytes(k * k % 256 for k in range(5000)))
    values = blob.blob_values(polynomial)
    point = 3**100 % MODULUS
    assert barycentric(values, point) == blob.evaluate(polynomial, point)


def test_a_blob_value_is_the_polynomial_at_its_root() -> None:
    polynomial = blob.coefficients(bytes(range(200)))
    values = blob.blob_values(polynomial)
    for place in (0, 1, 2, 77, SIZE - 1):
        root = pow(ROOT, blob.reverse_bits(place), MODULUS)
        assert values[place] == blob.evaluate(polynomial, root)


def test_a_full_blob_round_trips_and_its_elements_are_canonical() -> None:
    data = b"\xff" * POLYNOMIAL_BYTES
    raw = blob.blob_bytes(blob.blob_values(blob.coefficients(data)))
    assert len(raw) == 131_072
    back = blob.polynomial_of_values(blob.values_of_blob(raw))
    assert blob.data_of(back, len(data)) == data


@given(st.binary(max_size=300))
def test_coefficients_round_trip(data: bytes) -> None:
    polynomial = blob.coefficients(data)
    assert len(polynomial) == -(-len(data) // 31)
    assert blob.data_of(polynomial, len(data)) == data


@given(st.lists(st.integers(0, MODULUS - 1), min_size=1, max_size=6), st.integers(0, MODULUS - 1))
def test_horner_equals_the_sum_of_powers(polynomial: list[int], point: int) -> None:
    powers = sum(c * prod([point] * i) for i, c in enumerate(polynomial))
    assert blob.evaluate(polynomial, point) == powers % MODULUS


def test_refusals() -> None:
    polynomial = blob.coefficients(b"\1" * 40)
    for case, reason in (
        (lambda: blob.data_of(polynomial, 39), "nonzero_tail"),
        (lambda: blob.data_of([*polynomial, 1], 40), "nonzero_tail"),
        (lambda: blob.data_of([1 << 248, 0], 40), "coefficient_too_large"),
        (lambda: blob.data_of(polynomial[:1], 40), "truncated"),
        (lambda: blob.coefficients(bytes(POLYNOMIAL_BYTES + 1)), "too_long"),
        (lambda: blob.values_of_blob(bytes(131_071)), "blob_length"),
        (lambda: blob.values_of_blob(b"\xff" * 131_072), "blob_element"),
    ):
        with pytest.raises(DecodeError) as caught:
            case()
        assert caught.value.reason == reason


@settings(max_examples=20)
@given(st.integers(0, 3 * POLYNOMIAL_BYTES))
def test_split_keeps_every_byte(length: int) -> None:
    pieces = blob.split(bytes(length))
    assert sum(map(len, pieces)) == length
    assert all(len(piece) == POLYNOMIAL_BYTES for piece in pieces[:-1])
    assert len(pieces) == max(1, -(-length // POLYNOMIAL_BYTES))
