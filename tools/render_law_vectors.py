"""Render `vectors/law/*.json`: states, batches and what the law makes of them.

One source yields both test and vector: the tests of `tests/spec` are run here, and every batch
they hand to `Stage.apply`, `Stage.refuse` and the like becomes a vector, with its expectation
computed by `novate.spec.crypto`. `public_data.json` holds encodings of some accepted ones.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from novate.lab.law_vectors import Case, Remembering, recording, vector  # noqa: E402
from novate.lab.vector_json import Encoder, Json  # noqa: E402
from novate.spec.batch import apply_batch  # noqa: E402
from novate.spec.crypto import SpecPrimitives  # noqa: E402
from novate.spec.errors import LawError  # noqa: E402
from novate.spec.journal import Journal  # noqa: E402
from novate.spec.primitives import Primitives  # noqa: E402
from novate.spec.public_data.calldata import calldata_of, encode_calldata  # noqa: E402
from novate.spec.public_data.diff import encode_diff  # noqa: E402
from novate.spec.public_data.full import encode_full  # noqa: E402
from novate.spec.public_data.header import DataForm, encode_header, header_from  # noqa: E402

OUTPUT = ROOT / "vectors" / "law"
MODULES = (
    *(f"transactions/test_{kind}" for kind in ("snapshot", "inbox", "forced_withdrawal")),
    *(f"transactions/test_{kind}" for kind in ("forced_close", "forced_liquidation", "changes")),
    *(f"transactions/test_{kind}" for kind in ("due", "trade", "unsigned", "moves")),
    *("test_batch", "test_oracle", "test_margin_rule", "test_liquidation", "test_funding"),
    *("test_expiry", "test_fees", "test_payments", "test_thefts"),
)
"""Test files of `tests/spec` whose batches become vectors."""
ENCODED_EACH = 1
"""Accepted batches of each file whose public data is rendered as well."""
ABOUT = (
    "Rendered by tools/render_law_vectors.py. Integers are hex strings; an object's $ is its type; "
    "$use names a value of `shared`, each of which uses only those before it; a field left out "
    "has its value in `defaults`. `expected` is the error, or roots, changed leaves (null: gone) "
    "and the journal's lists."
)


@dataclass(frozen=True)
class Named:
    """A case with the name of the test it comes from."""

    name: str
    case: Case


def tests_of(module: ModuleType) -> Iterator[tuple[str, Callable[[], None]]]:
    """The module's own tests that need no arguments, in order of definition."""
    for name, function in vars(module).items():
        is_test = name.startswith("test_") and function.__module__ == module.__name__
        if is_test and not inspect.signature(function).parameters:
            yield name, function


def cases_of(module: str) -> list[Named]:
    """Every case of a test file; equal ones once."""
    found: list[Named] = []
    for name, function in tests_of(importlib.import_module(module)):
        with recording() as cases:
            function()
        for case in cases:
            if all(case != other.case for other in found):
                found.append(Named(f"{name.removeprefix('test_')}/{len(found)}", case))
    return found


def data_of(encoder: Encoder, named: Named, journal: Journal, primitives: Primitives) -> Json:
    """The encodings of one accepted batch, bytes as hex without prefix."""
    batch = named.case.batch
    headers = {
        form.name.lower(): encode_header(header_from(batch, journal, form, primitives)).hex()
        for form in DataForm
    }
    return {
        "name": named.name,
        "before": encoder.encode(named.case.before),
        "batch": encoder.encode(batch),
        "headers": headers,
        "full": encode_full(batch).hex(),
        "diff": encode_diff(journal).hex(),
        "calldata": encode_calldata(calldata_of(journal)).hex(),
    }


def accepted(named: Sequence[Named], primitives: Primitives) -> Iterator[tuple[Named, Journal]]:
    """The accepted ones with their journals."""
    for each in named:
        try:
            yield each, apply_batch(each.case.before, each.case.batch, primitives)
        except LawError:
            continue


def render() -> dict[str, str]:
    """Text of every file by name."""
    primitives = Remembering(SpecPrimitives())
    files: dict[str, str] = {}
    data_encoder, data = Encoder(), []
    for place in MODULES:
        named = cases_of("tests.spec." + place.replace("/", "."))
        encoder = Encoder()
        vectors = [vector(encoder, each.name, each.case, primitives) for each in named]
        name = place.rpartition("test_")[2]
        files[f"{name}.json"] = dumps(encoder, vectors)
        for each, journal in list(accepted(named, primitives))[:ENCODED_EACH]:
            labelled = Named(f"{name}/{each.name}", each.case)
            data.append(data_of(data_encoder, labelled, journal, primitives))
    files["public_data.json"] = dumps(data_encoder, data)
    return files


def dumps(encoder: Encoder, rows: Sequence[Json]) -> str:
    """JSON with one shared value or vector a line, so that a change is a small difference."""

    def line(value: Json) -> str:
        return json.dumps(value, separators=(",", ":"))

    shared = ",\n".join(f"{line(key)}:{line(value)}" for key, value in encoder.shared.items())
    head = f'"about":{line(ABOUT)},\n"defaults":{line(encoder.defaults)}'
    vectors = ",\n".join(map(line, rows))
    return f'{{{head},\n"shared":{{\n{shared}\n}},\n"vectors":[\n{vectors}\n]}}\n'


def differences(files: Mapping[str, str]) -> list[str]:
    """Names of files that are missing, differ, or should not be there."""
    there = {path.name: path.read_text(encoding="ascii") for path in OUTPUT.glob("*.json")}
    return sorted(name for name in {*files, *there} if files.get(name) != there.get(name))


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or with --check compare them; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    files = render()
    changed = differences(files)
    if arguments.check:
        for name in changed:
            print(f"law/{name} differs from what {Path(__file__).name} renders", file=sys.stderr)
        return int(bool(changed))
    OUTPUT.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (OUTPUT / name).write_text(files[name], encoding="ascii")
        else:
            (OUTPUT / name).unlink()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
