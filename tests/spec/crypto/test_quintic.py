"""The quintic extension against plain polynomial arithmetic, its axioms and published vectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novate.spec.crypto import quintic
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.quintic import ONE, ZERO, Quintic
from novate.spec.errors import DecodeError

coefficients = st.one_of(st.integers(0, P - 1), st.sampled_from((0, 1, P - 1, 2**32, 2**63)))
quintics = st.tuples(*[coefficients] * 5)


def polynomial_product(a: Quintic, b: Quintic) -> Quintic:
    """The product by its definition: multiply polynomials, then replace z^5 by 3."""
    product = [0] * 9
    for i, left in enumerate(a):
        for j, right in enumerate(b):
            product[i + j] += left * right
    for degree in range(8, 4, -1):
        product[degree - 5] += 3 * product[degree]
    c0, c1, c2, c3, c4 = (value % P for value in product[:5])
    return c0, c1, c2, c3, c4


def reduced(values: Any) -> Quintic:
    """Published inputs may be at or above p."""
    a0, a1, a2, a3, a4 = (value % P for value in values)
    return a0, a1, a2, a3, a4


@given(quintics, quintics)
def test_product_is_the_polynomial_product(a: Quintic, b: Quintic) -> None:
    assert quintic.mul(a, b) == polynomial_product(a, b)
    assert quintic.square(a) == polynomial_product(a, a)


@given(quintics, quintics, quintics)
def test_ring_axioms(a: Quintic, b: Quintic, c: Quintic) -> None:
    add, mul, sub = quintic.add, quintic.mul, quintic.sub
    assert add(a, b) == add(b, a)
    assert add(add(a, b), c) == add(a, add(b, c))
    assert mul(mul(a, b), c) == mul(a, mul(b, c))
    assert mul(a, add(b, c)) == add(mul(a, b), mul(a, c))
    assert sub(add(a, b), b) == a
    assert add(a, quintic.neg(a)) == ZERO
    assert quintic.is_canonical(sub(a, b))
    assert quintic.scale(a, 5) == mul(a, (5, 0, 0, 0, 0))
    assert add(quintic.half(a), quintic.half(a)) == a


@given(quintics)
def test_inverse(a: Quintic) -> None:
    expected = ONE if a != ZERO else ZERO
    assert quintic.mul(a, quintic.inverse_or_zero(a)) == expected


@given(quintics)
@settings(max_examples=20)
def test_frobenius_is_the_power_p(a: Quintic) -> None:
    assert quintic.frobenius(a, 1) == quintic.power(a, P)
    assert quintic.frobenius(a, 3) == quintic.power(quintic.power(quintic.power(a, P), P), P)
    assert quintic.frobenius(a, 5) == a


@given(quintics)
@settings(max_examples=20)
def test_norm_is_the_product_of_the_conjugates(a: Quintic) -> None:
    product = ONE
    for times in range(5):
        product = quintic.mul(product, quintic.frobenius(a, times))
    assert product == (quintic.norm(a), 0, 0, 0, 0)


@given(quintics)
@settings(max_examples=10)
def test_legendre_is_the_euler_criterion(a: Quintic) -> None:
    symbol = quintic.power(a, (P**5 - 1) // 2)
    assert symbol == (quintic.legendre(a), 0, 0, 0, 0)


@given(quintics)
def test_square_roots(a: Quintic) -> None:
    square = quintic.square(a)
    assert quintic.sqrt(square) in (a, quintic.neg(a))
    assert quintic.is_square(square)
    if a != ZERO:
        # 7 is not a square in GF(p), and stays none in an extension of odd degree.
        assert quintic.sqrt(quintic.scale(square, 7)) is None
        assert not quintic.is_square(quintic.scale(square, 7))


@given(quintics)
def test_bytes_there_and_back(a: Quintic) -> None:
    assert quintic.from_bytes(quintic.to_bytes(a)) == a


@pytest.mark.parametrize("place", range(5))
def test_bytes_not_canonical(place: int) -> None:
    words = [1, 2, 3, 4, 5]
    words[place] = P
    with pytest.raises(DecodeError, match="element_not_canonical"):
        quintic.from_bytes(b"".join(word.to_bytes(8, "little") for word in words))


@pytest.mark.parametrize("length", [0, 39, 41])
def test_bytes_of_another_length(length: int) -> None:
    with pytest.raises(DecodeError, match="quintic_length"):
        quintic.from_bytes(bytes(length))


def test_pornin_vectors(pornin: Any) -> None:
    field = pornin["field"]
    a, b = field["a"], field["b"]
    assert quintic.add(a, b) == field["sum"]
    assert quintic.sub(a, b) == field["difference"]
    assert quintic.mul(a, b) == field["product"]
    assert quintic.mul(a, quintic.inverse_or_zero(b)) == field["quotient"]


def test_lighter_vectors(lighter: Any) -> None:
    field = lighter["field"]
    a, b = reduced(field["a"]), reduced(field["b"])
    assert quintic.add(a, b) == field["sum"]
    assert quintic.sub(a, b) == field["difference"]
    assert quintic.mul(a, b) == field["product"]
    assert quintic.square(a) == field["square_a"]
    assert quintic.frobenius(a, 1) == field["frobenius_of_a"]
    assert quintic.inverse_or_zero(a) == field["inverse_of_a"]


def test_lighter_square_roots(lighter: Any) -> None:
    roots = lighter["square_root"]
    both = {roots["root"], roots["canonical_root"]}
    found = quintic.sqrt(roots["square"])
    assert found is not None
    assert {found, quintic.neg(found)} == both
    assert quintic.sqrt(roots["not_square"]) is None
