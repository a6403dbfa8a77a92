"""The base field: squares, roots, inverses and canonical bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novate.spec.crypto import goldilocks
from novate.spec.crypto.goldilocks import P
from novate.spec.errors import DecodeError

EDGES = (0, 1, 2, 7, 2**32 - 1, 2**32, 2**63, P - 2**32, P - 2, P - 1)
elements = st.one_of(st.integers(0, P - 1), st.sampled_from(EDGES))


def test_constants() -> None:
    assert P - 1 == 2**goldilocks.TWO_ADICITY * goldilocks.ODD_PART
    assert 2 * goldilocks.HALF % P == 1
    # 7 generates the whole group: none of the prime-order cofactors kills it.
    assert all(pow(7, (P - 1) // prime, P) != 1 for prime in (2, 3, 5, 17, 257, 65537))


@given(elements)
def test_inverse(a: int) -> None:
    assert a * goldilocks.inverse_or_zero(a) % P == (1 if a else 0)


@given(elements)
def test_every_square_has_a_root_and_its_non_square_multiple_none(a: int) -> None:
    square = a * a % P
    assert goldilocks.sqrt(square) in (a, (P - a) % P)
    assert goldilocks.legendre(square) == (1 if a else 0)
    if a:
        assert goldilocks.sqrt(7 * square % P) is None
        assert goldilocks.legendre(7 * square % P) == P - 1


@pytest.mark.parametrize("order_exponent", range(33))
def test_roots_of_every_two_power_order(order_exponent: int) -> None:
    """The inner rounds of Tonelli-Shanks, one depth at a time."""
    unity = pow(7, (P - 1) >> order_exponent, P)
    root = goldilocks.sqrt(unity)
    if order_exponent == 32:
        assert root is None
    else:
        assert root is not None
        assert root * root % P == unity


@given(elements)
def test_bytes_there_and_back(a: int) -> None:
    assert goldilocks.from_bytes(goldilocks.to_bytes(a)) == a


@pytest.mark.parametrize("value", [P, P + 1, 2**64 - 1])
def test_bytes_not_canonical(value: int) -> None:
    with pytest.raises(DecodeError, match="element_not_canonical"):
        goldilocks.from_bytes(value.to_bytes(8, "little"))
    with pytest.raises(ValueError, match="not in"):
        goldilocks.to_bytes(value)


@pytest.mark.parametrize("length", [0, 7, 9])
def test_bytes_of_another_length(length: int) -> None:
    with pytest.raises(DecodeError, match="element_length"):
        goldilocks.from_bytes(bytes(length))
