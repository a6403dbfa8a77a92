"""The commands of the package. Each imports what it needs only when it is called."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, cast

CHECKOUT = Path(__file__).resolve().parents[2]

CLAIMS_ELSEWHERE = {"pricing": "tools/search_pricing_error.py"}
"""Claims whose program is of use beyond its claim; every other one is tests/claims/NAME.py."""


class UsageError(Exception):
    """What was asked for does not exist; the message says what does."""


def in_checkout(path: str) -> Path:
    """A file of the checkout; UsageError where the package runs without one (from a wheel)."""
    found = CHECKOUT / path
    if not found.exists():
        raise UsageError(f"{path} is not at {CHECKOUT}: this command needs a checkout of Novate")
    return found


def main_of(path: Path) -> Callable[[Sequence[str]], int]:
    """The `main(argv)` of a program of the checkout, which is imported by its file name."""
    sys.path.insert(0, str(path.parent))
    return cast(Callable[[Sequence[str]], int], importlib.import_module(path.stem).main)


def demo(arguments: list[str]) -> int:
    """Run the demonstration."""
    return cast(int, importlib.import_module("novate.lab.demo").main(arguments))


def prove_demo(arguments: list[str]) -> int:
    """Prove signed messages applied to a tree of accounts."""
    return cast(int, importlib.import_module("novate.lab.prove_demo").main(arguments))


def node(arguments: list[str]) -> int:
    """Run a node, or one of its processes."""
    return cast(int, importlib.import_module("novate.node.processes").main(arguments))


def rebuild(arguments: list[str]) -> int:
    """Rebuild a venue's state from L1 alone."""
    command = importlib.import_module("novate.l1.rebuild_command")
    border = importlib.import_module("novate.engine.border")
    state = importlib.import_module("novate.spec.state").State
    laws = {
        "engine": lambda begun: importlib.import_module("novate.engine").Engine(begun),
        "specification": command.specification_law,
    }
    codec = command.StateCodec(partial(border.encode, state), partial(border.decode, state))
    return cast(int, command.main(arguments, laws, codec))


def render(arguments: list[str]) -> int:
    """Run every renderer of tools/renderers.py, in order."""
    return main_of(in_checkout("tools/renderers.py"))(arguments)


def claim_programs() -> dict[str, Path]:
    """Path of the program of each claim, by the claim's name."""
    files = sorted((CHECKOUT / "tests" / "claims").glob("[a-z]*.py"))
    elsewhere = {name: CHECKOUT / path for name, path in CLAIMS_ELSEWHERE.items()}
    return elsewhere | {file.stem: file for file in files}


def machine_facts() -> dict[str, Any]:
    """Machine, commit and time, as the benchmarks write them."""
    checkout = str(in_checkout("bench/common.py").parents[1])
    if checkout not in sys.path:
        sys.path.insert(0, checkout)
    return cast(dict[str, Any], importlib.import_module("bench.common").machine_facts())


def claims(arguments: list[str]) -> int:
    """Run one claim; write its summary, with commit and machine facts, to docs/evidence/."""
    programs = claim_programs()
    name = arguments[0] if arguments else ""
    if name not in programs:
        raise UsageError(f"no claim {name!r}; there are: {', '.join(sorted(programs))}")
    summary = CHECKOUT / "build" / "claims" / f"{name}.summary.json"
    summary.parent.mkdir(parents=True, exist_ok=True)
    summary.unlink(missing_ok=True)
    machine = machine_facts()
    started = time.monotonic()
    code = main_of(programs[name])([*arguments[1:], "--out", str(summary)])
    if summary.exists():
        evidence = {
            "claim": name,
            "arguments": arguments[1:],
            "machine": machine,
            "duration_s": round(time.monotonic() - started, 1),
            "exit_code": code,
            "summary": json.loads(summary.read_text()),
        }
        target = CHECKOUT / "docs" / "evidence" / f"{name}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(evidence, indent=1) + "\n")
        print(f"evidence: {target.relative_to(CHECKOUT)}")
    return code


def version(arguments: list[str]) -> int:
    """Print the versions of the package and of Python."""
    if arguments:
        raise UsageError(f"version takes no arguments, not {' '.join(arguments)}")
    print(f"novate {metadata.version('novate')}, Python {sys.version.split()[0]}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "demo": demo,
    "prove-demo": prove_demo,
    "node": node,
    "rebuild": rebuild,
    "render": render,
    "claims": claims,
    "version": version,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code (2: what was asked for does not exist)."""
    parser = argparse.ArgumentParser(prog="novate", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on to the command")
    chosen = parser.parse_args(argv)
    try:
        return COMMANDS[chosen.command](chosen.arguments)
    except UsageError as error:
        print(f"novate: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
