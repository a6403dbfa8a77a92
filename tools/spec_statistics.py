"""Statistics of src/novate/spec: functions, their lengths, how many have a docstring."""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

SPEC = Path(__file__).resolve().parents[1] / "src" / "novate" / "spec"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


class Statistics(NamedTuple):
    """Of one set of files. Lengths are lines from `def` to the last one, docstring included."""

    files: int
    lines: int
    functions: int
    median_length: float
    p90_length: int
    longest: int
    with_docstring: int


def functions_of(tree: ast.AST) -> Iterator[Function]:
    """Every function and method in the tree, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(function: Function) -> int:
    """Lines from `def` to the end of the body."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that at least this share of the values do not exceed; 0 for none."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else 0


def measure(files: Sequence[Path]) -> Statistics:
    """Statistics of these Python files."""
    texts = [file.read_text() for file in files]
    functions = [function for text in texts for function in functions_of(ast.parse(text))]
    lengths = [length(function) for function in functions]
    return Statistics(
        files=len(files),
        lines=sum(text.count("\n") for text in texts),
        functions=len(functions),
        median_length=statistics.median(lengths) if lengths else 0,
        p90_length=percentile(lengths, 90),
        longest=max(lengths, default=0),
        with_docstring=sum(ast.get_docstring(function) is not None for function in functions),
    )


def table() -> str:
    """One row for each folder of the specification and one for all of it."""
    files = sorted(SPEC.rglob("*.py"))
    folders = sorted({file.parent for file in files})
    rows = [(folder, [file for file in files if file.parent == folder]) for folder in folders]
    lines = [
        f"{'folder':<24}{'files':>6}{'lines':>7}{'functions':>10}"
        f"{'median':>8}{'p90':>5}{'longest':>8}{'docstrings':>11}"
    ]
    for name, chosen in [(str(f.relative_to(SPEC.parent)), c) for f, c in rows] + [("all", files)]:
        s = measure(chosen)
        lines.append(
            f"{name:<24}{s.files:>6}{s.lines:>7}{s.functions:>10}"
            f"{s.median_length:>8g}{s.p90_length:>5}{s.longest:>8}"
            f"{f'{s.with_docstring}/{s.functions}':>11}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print the table."""
    del argv
    print(table())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
