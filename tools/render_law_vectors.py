"""Render `vectors/law/*.json`: states, batches, and what the law makes of them.

The cases are those that the tests of the law apply while they run, so each test is a group of
vectors under its name. What must come of a case is computed by the specification's cryptography.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from novate.lab.law_vectors import Case, recording, vector
from novate.lab.vector_json import Encoder, Json
from novate.spec.crypto import SpecPrimitives

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "vectors" / "law"
SOURCES = (
    *sorted((ROOT / "tests" / "spec" / "transactions").glob("test_*.py")),
    *(
        ROOT / "tests" / "spec" / f"test_{name}.py"
        for name in (
            *("batch", "oracle", "margin_rule", "liquidation", "funding"),
            *("expiry", "payments", "fees", "thefts"),
        )
    ),
)
"""Test files whose cases become vectors."""


class Collector:
    """A plugin of pytest that keeps the cases of each test."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.cases: dict[str, dict[str, Case]] = {}
        """By file stem without `test_`, then by test and place in it."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Record while the test runs; a case already there under another name is left out."""
        with recording() as cases:
            yield
        group = self.cases.setdefault(item.path.stem.removeprefix("test_"), {})
        for place, case in enumerate(cases):
            if case not in group.values():
                group[f"{item.name.removeprefix('test_')} {place}"] = case


def collect() -> dict[str, dict[str, Case]]:
    """Every case of the sources; SystemExit if a test fails."""
    collector = Collector()
    with open(os.devnull, "w") as quiet:
        shown, sys.stdout = sys.stdout, quiet
        try:
            arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *map(str, SOURCES)]
            code = pytest.main(arguments, plugins=[collector])
        finally:
            sys.stdout = shown
    if code:
        raise SystemExit(f"the tests of the law do not pass ({code}): no vectors")
    return collector.cases


def render(group: dict[str, Case]) -> str:
    """One file: shared values first, then a vector a line."""
    encoder = Encoder()
    primitives = SpecPrimitives()
    vectors = [vector(encoder, name, case, primitives) for name, case in sorted(group.items())]
    shared = [f"{json.dumps(name)}: {line(value)}" for name, value in encoder.shared.items()]
    rows = [line(value) for value in vectors]
    return (
        '{\n"shared": {\n'
        + ",\n".join(shared)
        + '\n},\n"vectors": [\n'
        + ",\n".join(rows)
        + "\n]}\n"
    )


def line(value: Json) -> str:
    """JSON without spaces."""
    return json.dumps(value, separators=(",", ":"))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or with --check compare them; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    fresh = {f"{name}.json": render(group) for name, group in collect().items() if group}
    if not arguments.check:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        for name, text in fresh.items():
            (OUTPUT / name).write_text(text, encoding="ascii")
        return 0
    current = {path.name: path.read_text(encoding="ascii") for path in OUTPUT.glob("*.json")}
    wrong = sorted(name for name in {*fresh, *current} if fresh.get(name) != current.get(name))
    for name in wrong:
        print(f"law/{name} differs from what {Path(__file__).name} renders", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    raise SystemExit(main())
