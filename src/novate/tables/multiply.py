"""e · Q and s · G, a digit a row, from tables of multiples.

A run is one multiplication: a row for each digit, then a row that holds the result. Digits make
chunks of 32 bits, which is how scalars are named elsewhere. `multiply_key` goes from the top,
digits of 4 bits, four doublings and one addition a row; `multiply_base` adds the multiples of each
place, digits of 8 bits.
Both state a fact of numbers and need no name for the signature that asks: a fact is one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from novate.circuit.buses import Bus, Interaction, receive, send
from novate.circuit.columns import Column, Columns, column, columns, flag, multiplicity, scan
from novate.circuit.expressions import TRANSITION, Expression, lift, select
from novate.circuit.tables import Table, rule
from novate.spec.crypto import quintic
from novate.tables import base_windows, key_windows
from novate.tables.base_windows import BASE_WINDOW
from novate.tables.curve import (
    DEGREE,
    Affine,
    Element,
    addition,
    below,
    fields,
    named,
    put,
    sum_of,
)
from novate.tables.key_windows import KEY_WINDOW

CHUNK_BITS: Final = 32
KEY_DIGIT_BITS: Final = key_windows.WINDOW_BITS
KEY_CHUNK_DIGITS: Final = CHUNK_BITS // KEY_DIGIT_BITS
KEY_CHUNKS: Final = 4
KEY_DIGITS: Final = KEY_CHUNKS * KEY_CHUNK_DIGITS
BASE_DIGIT_BITS: Final = base_windows.WINDOW_BITS
BASE_CHUNK_DIGITS: Final = CHUNK_BITS // BASE_DIGIT_BITS
BASE_CHUNKS: Final = 10
BASE_DIGITS: Final = BASE_CHUNKS * BASE_CHUNK_DIGITS
NEUTRAL: Final = Element(quintic.ZERO, quintic.ZERO)


def chunk_fields(count: int) -> dict[str, int | None]:
    """Fields of a bus for a scalar in chunks of 32 bits, lowest first."""
    return dict.fromkeys((f"chunk_{place}" for place in range(count)), None)


KEY_MULTIPLE: Final = Bus(
    "key_multiple", number=None, **chunk_fields(KEY_CHUNKS), **fields("x", "u")
)
"""(key, challenge) and challenge · Q."""
BASE_MULTIPLE: Final = Bus("base_multiple", **chunk_fields(BASE_CHUNKS), **fields("x", "u"))
"""(response) and response · G."""


def digits_left(starts: Column, steps: Column, digits: int) -> Column:
    """Digits still to come: a run's start has all, each step one less; −1 outside of runs.

    Only `digits` step rows right after a start lead to 0: no row of a run can be left out.
    """
    return scan(
        select(starts, digits, -1),
        lambda above: select(starts.next, digits, select(steps, above - 1, -1)),
    )


def chunks_left(starts: Column, turn: Column, chunks: int) -> Column:
    """Chunks still to come after this one: falls by one where a chunk turns full."""
    return scan(lift(chunks - 1), lambda above: select(starts.next, chunks - 1, above - turn))


def shifted(turn: Column, newest: Expression, count: int) -> Columns:
    """Registers: a full chunk enters the first one and the others move on."""
    made: list[Column] = []
    for _ in range(count):
        made.append(register(turn, made[-1] if made else newest))
    return Columns(made)


def chunk_from_the_top(starts: Column, turn: Column, digit: Column) -> Column:
    """The digits of the chunk so far, the newest lowest."""
    return scan(
        0,
        lambda above: select(starts.next, 0, (1 - turn) * (above * key_windows.DIGITS + digit)),
    )


def digit_weight(starts: Column, turn: Column) -> Column:
    """256^k of the chunk's digit k."""
    return scan(
        1,
        lambda above: select(starts.next, 1, select(turn, 1, above * base_windows.DIGITS)),
    )


def chunk_from_the_bottom(starts: Column, turn: Column, weighted: Expression) -> Column:
    """The digits of the chunk so far, the newest highest."""
    return scan(0, lambda above: select(starts.next, 0, (1 - turn) * (above + weighted)))


def register(turn: Column, source: Expression) -> Column:
    """Takes its source where a chunk turns full, else keeps what it holds."""
    return scan(0, lambda above: select(turn, source, above))


def ends_exactly(ends: Column, left: Column, chunks: Column) -> list[Expression]:
    """A result stands where no digit and no chunk is left."""
    return [ends * left, ends * (chunks + 1)]


def turns_when_full(turn: Column, left: Column, chunks: Column, digits: int) -> Expression:
    """A chunk may turn only after so many digits; a run in which one never does cannot end."""
    return turn * (left - 1 - chunks * digits)


class MultiplyKey(Table):
    """challenge · Q: 32 rows from the top digit on, and the result."""

    name = "multiply_key"
    starts, steps, ends, turn = flag(), flag(), flag(), flag()
    number = column()
    digit = column(KEY_DIGIT_BITS)
    left = digits_left(starts, steps, KEY_DIGITS)
    chunks = chunks_left(starts, turn, KEY_CHUNKS)
    current = chunk_from_the_top(starts, turn, digit)
    chunk = shifted(turn, current * key_windows.DIGITS + digit, KEY_CHUNKS)
    x, u = columns(DEGREE), columns(DEGREE)
    x2, u2 = columns(DEGREE), columns(DEGREE)
    x4, u4 = columns(DEGREE), columns(DEGREE)
    x8, u8 = columns(DEGREE), columns(DEGREE)
    x16, u16 = columns(DEGREE), columns(DEGREE)
    multiple_x, multiple_u = columns(DEGREE), columns(DEGREE)
    times = multiplicity()

    @rule()
    def ends_exactly(self) -> list[Expression]:
        """The result stands after all digits."""
        return ends_exactly(self.ends, self.left, self.chunks)

    @rule()
    def turns_when_full(self) -> Expression:
        """Chunks have eight digits."""
        return turns_when_full(self.turn, self.left, self.chunks, KEY_CHUNK_DIGITS)

    @rule()
    def starts_at_the_neutral(self) -> list[Expression]:
        """Nothing is added yet."""
        return [self.starts * value for value in (*self.x, *self.u)]

    @rule()
    def doubles(self) -> list[Expression]:
        """Four times."""
        points = [
            Affine(self.x, self.u),
            Affine(self.x2, self.u2),
            Affine(self.x4, self.u4),
            Affine(self.x8, self.u8),
            Affine(self.x16, self.u16),
        ]
        rules = []
        for once, twice in pairwise(points):
            rules += addition(once, once, twice)
        return [self.steps * zero for zero in rules]

    @rule(on=TRANSITION)
    def adds_the_multiple(self) -> list[Expression]:
        """digit · Q."""
        multiple = Affine(self.multiple_x, self.multiple_u)
        rules = addition(Affine(self.x16, self.u16), multiple, Affine(below(self.x), below(self.u)))
        return [self.steps * zero for zero in rules]

    @rule(on=TRANSITION)
    def keeps_the_key(self) -> Expression:
        """All digits are multiplied with one key."""
        return self.steps * (self.number.next - self.number)

    def messages(self) -> list[Interaction]:
        """Looks each digit's multiple up; offers the result."""
        multiple = named("x", self.multiple_x) | named("u", self.multiple_u)
        chunks = named("chunk", self.chunk)
        result = named("x", self.x) | named("u", self.u)
        return [
            send(KEY_WINDOW, self.steps, number=self.number, digit=self.digit, **multiple),
            receive(KEY_MULTIPLE, self.ends * self.times, number=self.number, **chunks, **result),
        ]


class MultiplyBase(Table):
    """response · G: 40 rows from the lowest digit on, and the result."""

    name = "multiply_base"
    starts, steps, ends, turn = flag(), flag(), flag(), flag()
    digit = column(BASE_DIGIT_BITS)
    left = digits_left(starts, steps, BASE_DIGITS)
    chunks = chunks_left(starts, turn, BASE_CHUNKS)
    weight = digit_weight(starts, turn)
    current = chunk_from_the_bottom(starts, turn, digit * weight)
    chunk = shifted(turn, current + digit * weight, BASE_CHUNKS)
    x, u = columns(DEGREE), columns(DEGREE)
    multiple_x, multiple_u = columns(DEGREE), columns(DEGREE)
    times = multiplicity()

    @rule()
    def ends_exactly(self) -> list[Expression]:
        """The result stands after all digits."""
        return ends_exactly(self.ends, self.left, self.chunks)

    @rule()
    def turns_when_full(self) -> Expression:
        """Chunks have four digits."""
        return turns_when_full(self.turn, self.left, self.chunks, BASE_CHUNK_DIGITS)

    @rule()
    def starts_at_the_neutral(self) -> list[Expression]:
        """Nothing is added yet."""
        return [self.starts * value for value in (*self.x, *self.u)]

    @rule(on=TRANSITION)
    def adds_the_multiple(self) -> list[Expression]:
        """digit · 256^place · G."""
        multiple = Affine(self.multiple_x, self.multiple_u)
        rules = addition(Affine(self.x, self.u), multiple, Affine(below(self.x), below(self.u)))
        return [self.steps * zero for zero in rules]

    def messages(self) -> list[Interaction]:
        """Looks each digit's multiple up; offers the result, the chunk shifted in last on top."""
        multiple = named("x", self.multiple_x) | named("u", self.multiple_u)
        chunks = named("chunk", self.chunk[::-1])
        result = named("x", self.x) | named("u", self.u)
        place = BASE_DIGITS - self.left
        return [
            send(BASE_WINDOW, self.steps, place=place, digit=self.digit, **multiple),
            receive(BASE_MULTIPLE, self.ends * self.times, **chunks, **result),
        ]


def chunks_of(scalar: int, count: int) -> list[int]:
    """Chunks of 32 bits, lowest first."""
    return [scalar >> CHUNK_BITS * place & 0xFFFF_FFFF for place in range(count)]


def fill_key(runs: Sequence[tuple[int, int, Sequence[Element]]]) -> dict[str, list[int]]:
    """Primary columns of `multiply_key` for (key number, challenge, window of the key)."""
    found: dict[str, list[int]] = {}
    for number, challenge, window in runs:
        point = NEUTRAL
        for row in range(KEY_DIGITS):
            shift = KEY_DIGIT_BITS * (KEY_DIGITS - 1 - row)
            digit = challenge >> shift & (key_windows.DIGITS - 1)
            put_flags(found, row, KEY_DIGITS, KEY_CHUNK_DIGITS)
            put_scalars(found, number=number, digit=digit)
            put_point(found, "x", "u", point)
            for name in ("2", "4", "8", "16"):
                point = sum_of(point, point)
                put_point(found, f"x{name}", f"u{name}", point)
            put_point(found, "multiple_x", "multiple_u", window[digit])
            point = sum_of(point, window[digit])
        put_flags(found, KEY_DIGITS, KEY_DIGITS, KEY_CHUNK_DIGITS)
        put_scalars(found, number=number, digit=0)
        put_point(found, "x", "u", point)
        for name in ("x2", "u2", "x4", "u4", "x8", "u8", "x16", "u16"):
            put(found, name, quintic.ZERO)
        put_point(found, "multiple_x", "multiple_u", NEUTRAL)
    return found


def fill_base(responses: Sequence[int], windows: dict[str, list[int]]) -> dict[str, list[int]]:
    """Primary columns of `multiply_base`; `windows` are those of `base_windows`."""
    found: dict[str, list[int]] = {}
    for response in responses:
        point = NEUTRAL
        for row in range(BASE_DIGITS):
            digit = response >> BASE_DIGIT_BITS * row & (base_windows.DIGITS - 1)
            multiple = window_at(windows, base_windows.DIGITS * row + digit)
            put_flags(found, row, BASE_DIGITS, BASE_CHUNK_DIGITS)
            put_scalars(found, digit=digit)
            put_point(found, "x", "u", point)
            put_point(found, "multiple_x", "multiple_u", multiple)
            point = sum_of(point, multiple)
        put_flags(found, BASE_DIGITS, BASE_DIGITS, BASE_CHUNK_DIGITS)
        put_scalars(found, digit=0)
        put_point(found, "x", "u", point)
        put_point(found, "multiple_x", "multiple_u", NEUTRAL)
    return found


def window_at(windows: dict[str, list[int]], row: int) -> Element:
    """The multiple in a row of `base_windows`."""
    x0, x1, x2, x3, x4 = (windows[f"x_{place}"][row] for place in range(DEGREE))
    u0, u1, u2, u3, u4 = (windows[f"u_{place}"][row] for place in range(DEGREE))
    return Element((x0, x1, x2, x3, x4), (u0, u1, u2, u3, u4))


def put_flags(columns: dict[str, list[int]], row: int, digits: int, chunk_digits: int) -> None:
    """The flags of a row of a run."""
    steps = row < digits
    turns = steps and row % chunk_digits == chunk_digits - 1
    put_scalars(columns, starts=int(row == 0), steps=int(steps), ends=int(not steps), turn=turns)


def put_scalars(columns: dict[str, list[int]], **values: int) -> None:
    """Append to columns by name."""
    for name, value in values.items():
        columns.setdefault(name, []).append(int(value))


def put_point(columns: dict[str, list[int]], x: str, u: str, point: Element) -> None:
    """Append a group element."""
    put(columns, x, point.x)
    put(columns, u, point.u)
