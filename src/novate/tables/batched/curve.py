"""Windows and multiplications of many signatures. Mirrors `fill` of the tables they are named for.

A point is a row of ten words, x then u.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from novate.native import (
    generator_multiple_steps,
    generator_windows,
    key_multiple_steps,
    key_windows,
)
from novate.tables import base_windows
from novate.tables.batched.columns import Columns, Words, named_quintics, repeated
from novate.tables.curve import DEGREE
from novate.tables.key_windows import DIGITS
from novate.tables.multiply import (
    BASE_CHUNK_DIGITS,
    BASE_DIGIT_BITS,
    BASE_DIGITS,
    KEY_CHUNK_DIGITS,
    KEY_DIGIT_BITS,
    KEY_DIGITS,
)

POINT = 2 * DEGREE
KEY_POINTS = ("x", "u", "x2", "u2", "x4", "u4", "x8", "u8", "x16", "u16")
MULTIPLE = ("multiple_x", "multiple_u")


class Multiplied(NamedTuple):
    """A table of multiplications."""

    columns: Columns
    products: Words
    """(n, 10)."""


def key_window_columns(keys: Words) -> tuple[Columns, Words]:
    """Columns of `key_windows` for keys (k, 5), and their multiples (16 · k, 10)."""
    windows, roots = key_windows(keys)
    rows = np.repeat(np.arange(len(keys)), DIGITS)
    first = windows[1::DIGITS][rows]  # 1 · Q
    columns = {
        "starts": repeated([1] + [0] * (DIGITS - 1), len(keys)),
        "continues": repeated([0] + [1] * (DIGITS - 1), len(keys)),
        **named_quintics(("key_x", "key_u"), first.T),
        **named_quintics(("w",), keys[rows].T),
        **named_quintics(("root",), roots[rows].T),
        **named_quintics(("x", "u"), windows.T),
    }
    return columns, windows


def base_window_columns() -> Columns:
    """Columns of `base_windows`: as many places as its height holds."""
    places = (1 << base_windows.LOG_ROWS) // base_windows.DIGITS
    windows = generator_windows(places, base_windows.WINDOW_BITS)
    base = np.repeat(windows[1 :: base_windows.DIGITS], base_windows.DIGITS, axis=0)
    last = [0] * (base_windows.DIGITS - 1) + [1]
    return {
        **named_quintics(("base_x", "base_u"), base.T),
        **named_quintics(("x", "u"), windows.T),
        "last": repeated(last, places),
    }


def multiply_key_columns(windows: Words, of: Words, challenges: Words) -> Multiplied:
    """Columns of `multiply_key`: window `of` (n,) times challenge (n, 2), key number `of` + 1."""
    steps = key_multiple_steps(windows, of, challenges)
    count, rows = len(of), KEY_DIGITS + 1
    columns = {
        **run_flags(KEY_DIGITS, KEY_CHUNK_DIGITS, count),
        "number": np.repeat(of + np.uint64(1), rows),
        "digit": digit_rows(digits_of(challenges, KEY_DIGIT_BITS)[:, ::-1]),
        **named_quintics((*KEY_POINTS, *MULTIPLE), steps),
    }
    return Multiplied(columns, steps[:POINT, KEY_DIGITS::rows].T)


def multiply_base_columns(responses: Words) -> Multiplied:
    """Columns of `multiply_base` for responses (n, 5) below the order."""
    steps = generator_multiple_steps(responses, BASE_DIGIT_BITS)
    columns = {
        **run_flags(BASE_DIGITS, BASE_CHUNK_DIGITS, len(responses)),
        "digit": digit_rows(digits_of(responses, BASE_DIGIT_BITS)),
        **named_quintics(("x", "u", *MULTIPLE), steps),
    }
    return Multiplied(columns, steps[:POINT, BASE_DIGITS :: BASE_DIGITS + 1].T)


def run_flags(digits: int, chunk_digits: int, count: int) -> Columns:
    """The flags of runs of one row a digit and one for the result."""
    rows = range(digits + 1)
    turns = [int(row < digits and row % chunk_digits == chunk_digits - 1) for row in rows]
    return {
        "starts": repeated([int(row == 0) for row in rows], count),
        "steps": repeated([int(row < digits) for row in rows], count),
        "ends": repeated([int(row == digits) for row in rows], count),
        "turn": repeated(turns, count),
    }


def digits_of(scalars: Words, bits: int) -> Words:
    """Digits (n, words · 64 / bits) of scalars (n, words), lowest first."""
    count, words = scalars.shape
    shifts = np.arange(0, 64, bits, dtype=np.uint64)
    digits = scalars[:, :, None] >> shifts & np.uint64((1 << bits) - 1)
    return digits.reshape(count, words * len(shifts))


def digit_rows(digits: Words) -> Words:
    """A column of runs: the digits (n, k) of each, then 0 beside the result."""
    return np.pad(digits, ((0, 0), (0, 1))).reshape(-1)
