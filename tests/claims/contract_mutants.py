"""Mistakes put into the contracts one at a time: the invariants must notice each.

    python tests/claims/contract_mutants.py --out summary.json

Every mutant is compiled (about a minute each) in a copy of contracts/ under build/mutants and given
to contracts/test/invariant. Exit status 1 when a mutant survives, or a mutation no longer fits the
source.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
COPY = ROOT / "build" / "mutants" / "contracts"
FORGE = ROOT / "node_modules" / ".bin" / "forge"
TEST = "test/invariant/*"
RUNS, DEPTH = 32, 250


class Mutation(NamedTuple):
    """One mistake: in which file, what stands there and what takes its place."""

    mistake: str
    file: str
    text: str
    instead: str


MUTATIONS = (
    Mutation(
        "a payment is claimed twice",
        "Vault.sol",
        "if (claims[number].contains(index)) revert AlreadyClaimed(number, index);",
        "",
    ),
    Mutation(
        "a contested batch becomes final by its window",
        "Settlement.sol",
        "if (fields.isDiff || contested.contains(fields.number)) return false;",
        "if (fields.isDiff) return false;",
    ),
    Mutation(
        "a successor's bond goes back again and again",
        "Settlement.sol",
        "if (waits) delete batchHash[number];\n        else delete replaced[hash];",
        "",
    ),
    Mutation(
        "no clock after the first contest",
        "Settlement.sol",
        "contestClock.restart(contested.least(number + 1, committed), proofTime);",
        "contestClock.restart(0, proofTime);",
    ),
    Mutation(
        "payments beyond the deposits",
        "Settlement.sol",
        "if (total > deposits) revert PaymentsTooLarge(total, deposits);",
        "",
    ),
    Mutation("a revert keeps the fork", "Settlement.sol", "++fork;", ""),
    Mutation(
        "reverted batches stay unproven",
        "Settlement.sol",
        "unproven.removeRange(number, last);",
        "",
    ),
    Mutation(
        "reverted batches stay proven",
        "Settlement.sol",
        "        proven.removeRange(number, last);\n        contested",
        "        contested",
    ),
    Mutation(
        "a deadline ends one block early",
        "Settlement.sol",
        "if (block.number <= lastBlock) revert TooEarly(block.number, lastBlock);\n\n"
        "        _revertFrom(parent, number, hash);\n        _burn",
        "if (block.number < lastBlock) revert TooEarly(block.number, lastBlock);\n\n"
        "        _revertFrom(parent, number, hash);\n        _burn",
    ),
    Mutation(
        "full data on unknown slots",
        "Settlement.sol",
        "if (!fields.isDiff && before.isDiff && !fields.resetSlots) {",
        "if (false) {",
    ),
    Mutation(
        "a bond is lost when its number is used again",
        "Settlement.sol",
        "if (old != 0) replaced[old] = true;",
        "",
    ),
    Mutation(
        "requests other than the inbox's",
        "Settlement.sol",
        "if (hash != expected) revert WrongRequests(hash, expected);",
        "",
    ),
    Mutation(
        "half a deposit is counted",
        "Inbox.sol",
        "depositsBefore(index) + amount;",
        "depositsBefore(index) + amount / 2;",
    ),
)


def prepare() -> None:
    """A fresh copy of the sources and of the tests that the invariants need."""
    for folder in ("src", "test"):
        shutil.rmtree(COPY / folder, ignore_errors=True)
        shutil.copytree(CONTRACTS / folder, COPY / folder)
    for path in (COPY / "test").glob("*.t.sol"):
        path.unlink()
    shutil.rmtree(COPY / "test" / "libraries")
    text = (CONTRACTS / "foundry.toml").read_text()
    compiler = str(ROOT / "tools" / "solc_json.js")
    (COPY / "foundry.toml").write_text(text.replace("../tools/solc_json.js", compiler))


def verdict(mutation: Mutation | None) -> str:
    """The first failure that the invariants report; '' if they pass."""
    env = os.environ | {
        "FOUNDRY_INVARIANT_RUNS": str(RUNS),
        "FOUNDRY_INVARIANT_DEPTH": str(DEPTH),
        "FOUNDRY_DENY": "never",
    }
    path = COPY / "src" / mutation.file if mutation else None
    original = path.read_text() if path else ""
    if mutation and path:
        if original.count(mutation.text) != 1:
            raise SystemExit(f"{mutation.file} does not hold once: {mutation.text}")
        path.write_text(original.replace(mutation.text, mutation.instead))
    try:
        command = [str(FORGE), "test", "--match-path", TEST]
        done = subprocess.run(
            command, cwd=COPY, env=env, capture_output=True, text=True, check=False
        )
    finally:
        if path:
            path.write_text(original)
    failures = re.findall(r"\[FAIL: ([^\]]*)\]", done.stdout)
    if not failures and done.returncode != 0:
        raise SystemExit(f"forge failed without a test:\n{done.stdout[-2000:]}{done.stderr}")
    return failures[0] if failures else ""


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the source itself, then every mutant; 1 unless the first passes and no other does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", type=int, nargs="*", help="places in MUTATIONS")
    parser.add_argument("--out", type=Path, help="where to write the summary")
    arguments = parser.parse_args(argv)
    prepare()
    sound = verdict(None)
    if sound:
        print(f"the contracts themselves fail: {sound}")
        return 1
    places = range(len(MUTATIONS)) if arguments.only is None else arguments.only
    noticed: dict[str, str] = {}
    for place in places:
        mutation = MUTATIONS[place]
        noticed[mutation.mistake] = verdict(mutation)
        print(f"{mutation.mistake}: {noticed[mutation.mistake] or 'SURVIVED'}", flush=True)
    survivors = [mistake for mistake, failure in noticed.items() if not failure]
    summary = {"mutants": len(noticed), "survivors": survivors, "noticed_by": noticed}
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(survivors))


if __name__ == "__main__":
    raise SystemExit(main())
