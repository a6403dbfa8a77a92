"""The group: against chord and tangent on the Weierstrass curve, its laws, published vectors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from novate.spec.crypto import curve, quintic
from novate.spec.crypto.curve import GENERATOR, NEUTRAL, Point
from novate.spec.crypto.goldilocks import P
from novate.spec.crypto.quintic import ZERO, Quintic
from novate.spec.crypto.scalar import N

Affine = tuple[Quintic, Quintic] | None
"""A point of the short Weierstrass curve; None is the point at infinity."""

A_OVER_3: Quintic = (2 * pow(3, -1, P) % P, 0, 0, 0, 0)
WEIERSTRASS_A: Quintic = (6148914689804861439, 263, 0, 0, 0)
WEIERSTRASS_B: Quintic = (15713893096167979237, 6148914689804861265, 0, 0, 0)

nonzero = st.integers(1, N - 1)
scalars = st.one_of(nonzero, st.sampled_from((0, 1, 2, 3, 15, 16, 17, N - 2, N - 1)))
quintics = st.tuples(*[st.integers(0, P - 1)] * 5)
points = scalars.map(curve.multiply_generator)


def quotient(a: Quintic, b: Quintic) -> Quintic:
    return quintic.mul(a, quintic.inverse_or_zero(b))


def to_weierstrass(point: Point) -> Affine:
    """(X, Y) = (b/x + a/3, -b·y/x^2): Pornin's map to the points of odd order."""
    if point.U == ZERO:
        return None
    x = quotient(point.X, point.Z)
    y = quintic.mul(x, quotient(point.T, point.U))
    slope = quotient(curve.B, x)
    return quintic.add(slope, A_OVER_3), quintic.neg(quotient(quintic.mul(slope, y), x))


def chord_and_tangent(left: Affine, right: Affine) -> Affine:
    """Textbook addition, every case apart."""
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and y1 != y2:
        return None
    if x1 == x2:
        rise = quintic.add(quintic.scale(quintic.square(x1), 3), WEIERSTRASS_A)
        slope = quotient(rise, quintic.scale(y1, 2))
    else:
        slope = quotient(quintic.sub(y2, y1), quintic.sub(x2, x1))
    x3 = quintic.sub(quintic.sub(quintic.square(slope), x1), x2)
    return x3, quintic.sub(quintic.mul(slope, quintic.sub(x1, x3)), y1)


def on_curve(point: Point) -> bool:
    """y^2 = x^3 + 2x^2 + b·x, and x is zero or not a square."""
    x = quotient(point.X, point.Z)
    y = quintic.mul(x, quotient(point.T, point.U))
    right = quintic.mul(
        x, quintic.add(quintic.add(quintic.square(x), quintic.scale(x, 2)), curve.B)
    )
    return quintic.square(y) == right and (x == ZERO or not quintic.is_square(x))


def rescaled(point: Point, factor: Quintic, other: Quintic) -> Point:
    """The same element as other fractions."""
    return Point(
        quintic.mul(point.X, factor),
        quintic.mul(point.Z, factor),
        quintic.mul(point.U, other),
        quintic.mul(point.T, other),
    )


def decoded(w: Quintic) -> Point:
    point = curve.decode(w)
    assert point is not None
    return point


@given(points, points)
@settings(max_examples=40)
def test_addition_is_chord_and_tangent(left: Point, right: Point) -> None:
    total = curve.add_points(left, right)
    assert on_curve(total)
    assert to_weierstrass(total) == chord_and_tangent(to_weierstrass(left), to_weierstrass(right))


@given(points)
@settings(max_examples=30)
def test_complete_in_every_special_case(point: Point) -> None:
    """The one addition formula: neutral on either side, equal points, opposite points."""
    assert curve.equal(curve.add_points(point, NEUTRAL), point)
    assert curve.equal(curve.add_points(NEUTRAL, point), point)
    assert curve.is_neutral(curve.add_points(point, curve.negate(point)))
    twice = curve.add_points(point, point)
    assert curve.equal(twice, curve.double(point))
    image = to_weierstrass(point)
    assert to_weierstrass(twice) == chord_and_tangent(image, image)


def test_neutral_with_itself() -> None:
    assert curve.is_neutral(curve.add_points(NEUTRAL, NEUTRAL))
    assert curve.is_neutral(curve.double(NEUTRAL))
    assert curve.is_neutral(curve.negate(NEUTRAL))
    assert curve.encode(NEUTRAL) == ZERO
    assert curve.decode(ZERO) == NEUTRAL


@given(points, points, points)
@settings(max_examples=20)
def test_group_laws(first: Point, second: Point, third: Point) -> None:
    add = curve.add_points
    assert curve.equal(add(first, second), add(second, first))
    assert curve.equal(add(add(first, second), third), add(first, add(second, third)))


@given(points, quintics, quintics)
@settings(max_examples=20)
def test_the_fractions_do_not_matter(point: Point, factor: Quintic, other: Quintic) -> None:
    assume(factor != ZERO and other != ZERO)
    same = rescaled(point, factor, other)
    assert curve.equal(point, same)
    assert curve.encode(point) == curve.encode(same)
    assert curve.equal(curve.double(point), curve.double(same))
    assert curve.equal(curve.add_points(point, point), curve.add_points(point, same))


@given(scalars, scalars)
@settings(max_examples=15)
def test_multiplication_is_linear(k: int, m: int) -> None:
    total = curve.add_points(curve.multiply_generator(k), curve.multiply_generator(m))
    assert curve.equal(total, curve.multiply_generator((k + m) % N))
    assert curve.equal(curve.multiply(k, GENERATOR), curve.multiply_generator(k))
    product = curve.multiply(k, curve.multiply_generator(m))
    assert curve.equal(product, curve.multiply_generator(k * m % N))


@given(points, st.integers(0, 70))
@settings(max_examples=15)
def test_multiplication_is_repeated_addition(point: Point, times: int) -> None:
    total = NEUTRAL
    for _ in range(times):
        total = curve.add_points(total, point)
    assert curve.equal(total, curve.multiply(times, point))


def test_the_order() -> None:
    assert curve.is_neutral(curve.multiply(N, GENERATOR))
    assert curve.equal(curve.multiply(N + 1, GENERATOR), GENERATOR)
    assert curve.is_neutral(curve.multiply(0, GENERATOR))
    assert not curve.is_neutral(GENERATOR)
    assert on_curve(GENERATOR)


@given(points)
@settings(max_examples=30)
def test_decode_of_encode(point: Point) -> None:
    w = curve.encode(point)
    assert curve.equal(decoded(w), point)
    assert curve.encode(decoded(w)) == w
    assert curve.encode(curve.negate(point)) == quintic.neg(w)


@given(quintics)
@settings(max_examples=60)
def test_decode_gives_the_element_or_there_is_none(w: Quintic) -> None:
    """A line y = w·x through N meets the curve again exactly if (w^2 - 2)^2 - 4b is a square."""
    slope = quintic.sub(quintic.square(w), (2, 0, 0, 0, 0))
    discriminant = quintic.sub(quintic.square(slope), quintic.scale(curve.B, 4))
    point = curve.decode(w)
    assert (point is not None) == (w == ZERO or quintic.is_square(discriminant))
    if point is not None:
        assert on_curve(point)
        assert curve.encode(point) == w


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("shift", [P, -P])
def test_decode_rejects_what_is_not_canonical(place: int, shift: int) -> None:
    w = [0, 0, 0, 0, 0]
    w[place] = shift
    assert curve.decode((w[0], w[1], w[2], w[3], w[4])) is None
    w[0] += 4
    assert curve.decode((w[0], w[1], w[2], w[3], w[4])) is None


def test_pornin_constants(pornin: Any) -> None:
    assert quotient(GENERATOR.X, GENERATOR.Z) == pornin["generator"]["x"]
    assert curve.encode(GENERATOR) == pornin["generator"]["w"]
    assert decoded((4, 0, 0, 0, 0)).X == GENERATOR.X


def test_pornin_points(pornin: Any) -> None:
    w = pornin["points"]["w"]
    p0, p1, p2, p3, p4, p5, p6, p7 = (decoded(encoding) for encoding in w)
    assert [curve.encode(point) for point in (p0, p1, p2, p3, p4, p5, p6, p7)] == w
    add = curve.add_points
    assert curve.is_neutral(p0)
    assert curve.encode(curve.multiply(pornin["points"]["scalar_w1_to_w2"], p1)) == w[2]
    assert curve.encode(add(p1, p2)) == w[3]
    assert curve.encode(add(p1, p1)) == w[4] == curve.encode(curve.double(p1))
    assert curve.encode(add(p2, p2)) == w[5] == curve.encode(curve.double(p2))
    assert curve.encode(add(p4, p2)) == w[6]
    assert curve.encode(add(p1, p5)) == w[7]


def test_pornin_not_points(pornin: Any) -> None:
    assert len(pornin["not_points"]) == 6
    assert all(curve.decode(w) is None for w in pornin["not_points"])


def test_pornin_multiplication(pornin: Any) -> None:
    case = pornin["multiplication"]
    k = int.from_bytes(bytes.fromhex(case["scalar_bytes"]), "little")
    assert curve.encode(curve.multiply(k, decoded(case["w"]))) == case["product"]


def test_pornin_generator_multiples(pornin: Any) -> None:
    for case in pornin["generator_multiples"]:
        point = curve.multiply_generator(case["multiple"] << case["power_of_two"])
        assert quotient(point.X, point.Z) == case["x"]
        assert quotient(point.U, point.T) == case["u"]


def test_lighter_fractions(lighter: Any) -> None:
    encoded = lighter["encode"]
    point = Point(*(encoded[name] for name in "XZUT"))
    assert curve.encode(point) == encoded["w"]
    left, right, total = (Point(**lighter["add"][name]) for name in ("left", "right", "sum"))
    assert curve.equal(curve.add_points(left, right), total)
    point, twice = (Point(**lighter["double"][name]) for name in ("point", "double"))
    assert curve.equal(curve.double(point), twice)
    point = Point(**lighter["double_35_times"]["point"])
    for _ in range(35):
        point = curve.double(point)
    assert curve.equal(point, Point(**lighter["double_35_times"]["result"]))


def affine(case: Any) -> Affine:
    return case["X"], case["Y"]


def from_weierstrass(point: Affine) -> Point:
    """Back by the encoding w = Y / (a/3 - X)."""
    assert point is not None
    return decoded(quotient(point[1], quintic.sub(A_OVER_3, point[0])))


def test_lighter_weierstrass_decoding(lighter: Any) -> None:
    for case in lighter["weierstrass_decode"]:
        assert to_weierstrass(decoded(case["w"])) == affine(case)
        x, y = case["X"], case["Y"]
        cubic = quintic.mul(x, quintic.add(quintic.square(x), WEIERSTRASS_A))
        assert quintic.square(y) == quintic.add(cubic, WEIERSTRASS_B)


def test_lighter_weierstrass_sums(lighter: Any) -> None:
    case = lighter["weierstrass_double"]
    double = curve.double(from_weierstrass(affine(case["point"])))
    assert to_weierstrass(double) == affine(case["double"])
    for case in lighter["weierstrass_add"]:
        left, right = (from_weierstrass(affine(case[name])) for name in ("left", "right"))
        assert to_weierstrass(curve.add_points(left, right)) == affine(case["sum"])


def test_lighter_weierstrass_multiples(lighter: Any) -> None:
    case = lighter["weierstrass_multiples"]
    window = curve.window(from_weierstrass(affine(case["point"])))
    assert [to_weierstrass(point) for point in window[1:]] == [
        affine(multiple) for multiple in case["multiples_1_to_15"]
    ]
    case = lighter["weierstrass_linear_combination"]
    left, right = (from_weierstrass(affine(case[name])) for name in ("left", "right"))
    combined = curve.add_points(
        curve.multiply(case["left_scalar"], left), curve.multiply(case["right_scalar"], right)
    )
    assert to_weierstrass(combined) == affine(case["result"])


def test_lighter_scalar_digits(lighter: Any) -> None:
    case = lighter["scalars"]["base_16"]
    digits = [curve.digit(case["scalar"], place) for place in range(curve.SCALAR_WINDOWS)]
    assert digits == [int(digit, 16) for digit in case["digits"]]


def test_lighter_schnorr_equations(lighter: Any) -> None:
    """Their hash differs, their group and scalars do not: s = k - e·x and s·G + e·Q = k·G."""
    assert len(lighter["schnorr"]) == 3
    for case in lighter["schnorr"]:
        assert case["response"] == (case["nonce"] - case["challenge"] * case["secret"]) % N
        key = curve.multiply_generator(case["secret"])
        commitment = curve.add_points(
            curve.multiply_generator(case["response"]), curve.multiply(case["challenge"], key)
        )
        assert curve.equal(commitment, curve.multiply_generator(case["nonce"]))
