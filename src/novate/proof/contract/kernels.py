"""Routines of the generated code: arithmetic in K on words of three lanes.

An element c0 + c1·X + c2·X² is one word, c_i in the 85 bits from 85·i on. Lanes need not be below
p. Products are made of halves: with a = a_low + 2^32·a_high in every lane, Karatsuba's three
products are products in Z[X] / (X³ − X − 1), and those are products of integers mod
N = 2^255 − 2^85 − 1, where X stands for 2^85, as long as every lane of the result stays below 2^85.
Sums of such products are made before anything is reduced: `low`, `high` and `both` accumulate
a_low·b_low, a_high·b_high and (a_low + a_high)·(b_low + b_high).

Every routine finds its place to return to, `ret`, below its arguments, and leaves its result there.
"""

from __future__ import annotations

from typing import Final

from novate.proof.contract.evm import Code, Expression, Routine
from novate.proof.verifier.field import P

LANE_BITS: Final = 85
LANE_MAX: Final = (1 << LANE_BITS) - 1
HALF_BITS: Final = 32
HALF_MAX: Final = (1 << HALF_BITS) - 1
MODULUS: Final = (1 << 3 * LANE_BITS) - (1 << LANE_BITS) - 1
"""X³ − X − 1 at X = 2^85."""
TERMS_OF_A_LANE: Final = 5
"""Most products of lanes that sum up to a lane of a product in K (to c1)."""
BOTH_MAX: Final = 1 << 83
"""Below it `both` must stay in every lane."""
HIGH_MAX: Final = P << 19
"""And `high`: so much is added before it is subtracted."""
FOLDED_MAX: Final = (1 << 64) + (1 << 53)
"""Below it are lanes of what `fold` and sums of products leave: 2^64 + 2^21 · (2^32 − 1)."""
ARGUMENTS_MAX: Final = 4
"""Pairs of a call: more are out of the stack's reach."""


def lanes(value: int) -> int:
    """The word with this value in every lane."""
    return value | value << LANE_BITS | value << 2 * LANE_BITS


def emit_routines(code: Code) -> None:
    """All routines that the code has used so far."""
    named = {"square": _square, "seventh": _seventh, "scale": _scale, "fold": _fold}
    named |= {"reduce": _reduce, "next": _next}
    for name, emit in named.items():
        if code.uses(name):
            emit(code)
    for pairs in range(1, ARGUMENTS_MAX + 1):
        if code.uses(f"products{pairs}"):
            _products(code, pairs)
        if code.uses(f"last{pairs}"):
            _last(code, pairs)


def _arguments(pairs: int) -> list[str]:
    """Names of the factors."""
    return [f"{side}{pair}" for pair in range(pairs) for side in "ab"]


def _unpack(routine: Routine, word: str, names: str) -> None:
    """Lanes of a word as entries names0, names1, names2."""
    routine.let(f"{names}0", ("and", word, LANE_MAX))
    routine.let(f"{names}1", ("and", ("shr", LANE_BITS, word), LANE_MAX))
    routine.let(f"{names}2", ("shr", 2 * LANE_BITS, word))


def _mod(expression: Expression) -> Expression:
    """Mod p."""
    return ("mod", expression, P)


def _packed(c0: Expression, c1: Expression, c2: Expression) -> Expression:
    """One word of three lanes."""
    return ("or", ("or", ("shl", 2 * LANE_BITS, c2), ("shl", LANE_BITS, c1)), c0)


def _multiply(routine: Routine, a: str, b: str, c: str) -> None:
    """Lanes c0, c1, c2 of a product, each mod p; X³ = X + 1 and X⁴ = X² + X."""
    a0, a1, a2, b0, b1, b2 = (f"{name}{lane}" for name in (a, b) for lane in range(3))
    if a == b:
        routine.let("d3", ("shl", 1, ("mul", a1, a2)))
        c2: Expression = ("add", ("shl", 1, ("mul", a0, a2)), ("mul", a1, a1))
        c1: Expression = ("shl", 1, ("mul", a0, a1))
    else:
        routine.let("d3", ("add", ("mul", a1, b2), ("mul", a2, b1)))
        c2 = ("add", ("add", ("mul", a0, b2), ("mul", a1, b1)), ("mul", a2, b0))
        c1 = ("add", ("mul", a0, b1), ("mul", a1, b0))
    routine.let("d4", ("mul", a2, b2))
    routine.let(f"{c}2", _mod(("add", "d4", c2)))
    routine.let(f"{c}1", _mod(("add", ("add", "d3", "d4"), c1)))
    routine.let(f"{c}0", _mod(("add", "d3", ("mul", a0, b0))))


def _square(code: Code) -> None:
    """a²; lanes below p. Lanes of a may be up to 85 bits long."""
    routine = Routine(code, "square", ["ret", "a"])
    _unpack(routine, "a", "a")
    _multiply(routine, "a", "a", "c")
    routine.leave(_packed("c0", "c1", "c2"))


def _seventh(code: Code) -> None:
    """a^7; lanes below p. Lanes of a may be up to 85 bits long."""
    routine = Routine(code, "seventh", ["ret", "a"])
    _unpack(routine, "a", "a")
    _multiply(routine, "a", "a", "b")
    _multiply(routine, "b", "a", "c")
    _multiply(routine, "b", "b", "e")
    _multiply(routine, "c", "e", "f")
    routine.leave(_packed("f0", "f1", "f2"))


def _scale(code: Code) -> None:
    """a · factor for a factor of F; lanes below p."""
    routine = Routine(code, "scale", ["ret", "a", "factor"])
    c0: Expression = ("and", "a", LANE_MAX)
    c1: Expression = ("and", ("shr", LANE_BITS, "a"), LANE_MAX)
    c2: Expression = ("shr", 2 * LANE_BITS, "a")
    c0, c1, c2 = (_mod(("mul", lane, "factor")) for lane in (c0, c1, c2))
    routine.leave(_packed(c0, c1, c2))


def _reduce(code: Code) -> None:
    """a with lanes below p."""
    routine = Routine(code, "reduce", ["ret", "a"])
    c0: Expression = ("and", "a", LANE_MAX)
    c1: Expression = ("and", ("shr", LANE_BITS, "a"), LANE_MAX)
    routine.leave(_packed(_mod(c0), _mod(c1), _mod(("shr", 2 * LANE_BITS, "a"))))


def _folded(word: str) -> Expression:
    """2^64 = 2^32 − 1 mod p, in every lane; below FOLDED_MAX."""
    high = ("and", ("shr", 64, word), lanes(LANE_MAX >> 64))
    return ("add", ("mul", high, HALF_MAX), ("and", word, lanes((1 << 64) - 1)))


def _fold(code: Code) -> None:
    """a with lanes below FOLDED_MAX."""
    Routine(code, "fold", ["ret", "a"]).leave(_folded("a"))


def _accumulate(routine: Routine, pairs: int) -> None:
    """Entries both, high, low: over all pairs."""
    for pair in range(pairs):
        for side in "ab":
            word = f"{side}{pair}"
            routine.let(f"{side}l", ("and", word, lanes(HALF_MAX)))
            upper = lanes(LANE_MAX >> HALF_BITS)
            routine.let(f"{side}h", ("and", ("shr", HALF_BITS, word), upper))
        both = ("mulmod", ("add", "al", "ah"), ("add", "bl", "bh"), MODULUS)
        high, low = ("mulmod", "ah", "bh", MODULUS), ("mulmod", "al", "bl", MODULUS)
        if pairs == 1:
            routine.let("both", both)
            routine.let("high", high)
            routine.let("low", low)
        elif pair:
            routine.update("both", ("add", "both", both))
            routine.update("high", ("add", "high", high))
            routine.update("low", ("add", "low", low))
            routine.drop(4)
        else:
            routine.let("both", both)
            routine.update("ah", high)
            routine.update("al", low)
            routine.update("bl", "both")
            routine.drop(2)
            routine.rename({"al": "low", "ah": "high", "bl": "both"})


def _leave_sum(routine: Routine) -> None:
    """low + 2^32·(both − low − high) + 2^64·high, and 2^64 = 2^32 − 1 mod p."""
    routine.let("rest", ("sub", "both", "low"))
    routine.let("rh", ("and", ("shr", HALF_BITS, "rest"), lanes(LANE_MAX >> HALF_BITS)))
    shifted = ("shl", HALF_BITS, ("add", ("and", "rest", lanes(HALF_MAX)), "rh"))
    more = ("add", ("add", shifted, "low"), lanes(HIGH_MAX))
    routine.let("sum", ("sub", more, ("add", "high", "rh")))
    routine.leave(_folded("sum"))


def _products(code: Code, pairs: int) -> None:
    """The sum of so many products; lanes below FOLDED_MAX."""
    routine = Routine(code, f"products{pairs}", ["ret", *_arguments(pairs)])
    _accumulate(routine, pairs)
    _leave_sum(routine)


def _join(routine: Routine) -> None:
    """The sums of these pairs with those of the pairs before."""
    routine.update("both0", ("add", "both0", "both"))
    routine.update("low0", ("add", "low0", "low"))
    routine.update("high0", ("add", "high0", "high"))


def _next(code: Code) -> None:
    """Sums over pairs so far with those over more: high, low, both; zeros to begin with."""
    routine = Routine(code, "next", ["high0", "low0", "both0", "ret", *_arguments(ARGUMENTS_MAX)])
    _accumulate(routine, ARGUMENTS_MAX)
    _join(routine)
    routine.leave_as(["high0", "low0", "both0"])


def _last(code: Code, pairs: int) -> None:
    """The sum of all pairs, these being the last; lanes below FOLDED_MAX."""
    entries = ["high0", "low0", "both0", "ret", *_arguments(pairs)]
    routine = Routine(code, f"last{pairs}", entries)
    _accumulate(routine, pairs)
    _join(routine)
    routine.drop_to("ret")
    routine.rename({"high0": "high", "low0": "low", "both0": "both"})
    _leave_sum(routine)
