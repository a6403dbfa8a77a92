"""The statistics of the specification, on a file whose figures are counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.spec_statistics import SPEC, measure, percentile, table

CODE = '''"""A module."""


def one():
    """One."""
    return 1


class Two:
    async def two(self):
        def inner():
            """Nested functions count."""
        return inner
'''


def test_figures_of_a_known_file(tmp_path: Path) -> None:
    file = tmp_path / "known.py"
    file.write_text(CODE)
    known = measure([file])
    assert known._asdict() == {
        "files": 1,
        "lines": 13,
        "functions": 3,
        "median_length": 3,
        "p90_length": 4,
        "longest": 4,
        "with_docstring": 2,
    }


def test_no_files_have_no_functions() -> None:
    assert set(measure([])) == {0}


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 90, 0), ([7], 90, 7), (range(1, 11), 90, 9), (range(1, 12), 90, 10), ([3, 1, 2], 50, 2)],
)
def test_percentile(values: list[int], percent: int, expected: int) -> None:
    assert percentile(values, percent) == expected


def test_the_table_ends_with_the_sum_of_its_rows() -> None:
    rows = [line.split() for line in table().splitlines()[1:]]
    assert rows[-1][0] == "all"
    for column in (1, 2, 3):
        assert sum(int(row[column]) for row in rows[:-1]) == int(rows[-1][column])
    assert int(rows[-1][1]) == len(list(SPEC.rglob("*.py")))
