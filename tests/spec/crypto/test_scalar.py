"""Scalars: the order itself, reduction, canonical bytes, published vectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.spec.crypto import scalar
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.scalar import N
from novate.spec.errors import DecodeError


def passes_fermat(candidate: int) -> bool:
    """Whether a few bases find no witness that the number is composite."""
    return all(pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5, 7, 11, 13))


def test_order(pornin: Any) -> None:
    assert pornin["order"] == N
    assert N.bit_length() == 319
    assert passes_fermat(N)
    # Hasse: the curve has 2n points, within 2·sqrt(q) of q + 1 for q = p^5.
    assert (2 * N - P**5 - 1) ** 2 <= 4 * P**5


@given(st.lists(st.integers(0, P - 1), min_size=8, max_size=8))
def test_from_elements_is_the_little_endian_integer(elements: list[int]) -> None:
    data = b"".join(element.to_bytes(8, "little") for element in elements)
    assert scalar.from_elements(elements) == int.from_bytes(data, "little") % N


@given(st.integers(0, N - 1))
def test_bytes_there_and_back(value: int) -> None:
    assert scalar.from_bytes(scalar.to_bytes(value)) == value


@pytest.mark.parametrize("value", [N, N + 1, 2**319, 2**320 - 1])
def test_bytes_not_canonical(value: int) -> None:
    with pytest.raises(DecodeError, match="scalar_not_canonical"):
        scalar.from_bytes(value.to_bytes(40, "little"))
    with pytest.raises(ValueError, match="not in"):
        scalar.to_bytes(value)


def test_negative_integers_are_not_scalars() -> None:
    assert not scalar.is_canonical(-1)
    with pytest.raises(ValueError, match="not in"):
        scalar.to_bytes(-1)


@pytest.mark.parametrize("length", [0, 39, 41])
def test_bytes_of_another_length(length: int) -> None:
    with pytest.raises(DecodeError, match="scalar_length"):
        scalar.from_bytes(bytes(length))


def test_pornin_vectors(pornin: Any) -> None:
    vectors = pornin["scalars"]
    assert scalar.from_bytes(bytes.fromhex(vectors["order_minus_one_bytes"])) == N - 1
    with pytest.raises(DecodeError):
        scalar.from_bytes(bytes.fromhex(vectors["order_bytes"]))
    wide = scalar.reduce(int.from_bytes(bytes.fromhex(vectors["wide_bytes"]), "little"))
    assert scalar.to_bytes(wide).hex() == vectors["wide_reduced_bytes"]
    assert scalar.to_bytes(pow(wide, 256, N)).hex() == vectors["wide_power_256_bytes"]


def test_lighter_vectors(lighter: Any) -> None:
    vectors = lighter["scalars"]
    product = vectors["montgomery_product"]
    expected = product["left_right_over_2_320_mod_n"]
    assert product["left"] * product["right"] % N == expected * 2**320 % N
    quintic = vectors["from_quintic"]
    assert scalar.from_elements(quintic["elements"]) == quintic["scalar"]
