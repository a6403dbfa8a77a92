"""The contracts at full size: 256 runs of 500 calls against the model, and 5,000 runs a fuzz test.

    python tests/claims/contracts.py --seed 1 --out summary.json

Every test of contracts/test runs under the profile `claim` of contracts/foundry.toml. The model
of contracts/test/invariant says what each of fourteen handlers must do, and is compared
with the venue after every call. Exit status 1 when a test fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FORGE = ROOT / "node_modules" / ".bin" / "forge"


def run(seed: int) -> dict[str, Any]:
    """forge's results by test contract."""
    env = os.environ | {"FOUNDRY_PROFILE": "claim", "FORGE_SNAPSHOT_CHECK": "true"}
    command = [str(FORGE), "test", "--json", "--fuzz-seed", hex(seed)]
    done = subprocess.run(
        command, cwd=ROOT / "contracts", env=env, capture_output=True, text=True, check=False
    )
    start = done.stdout.find("{")
    if start < 0:
        sys.stderr.write(done.stderr)
        raise RuntimeError(f"forge wrote no results (exit code {done.returncode})")
    found: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout[start:])[0]
    return found


def summarize(suites: dict[str, Any]) -> dict[str, Any]:
    """Counts, and the reason of every failure."""
    tests = [
        (f"{suite}:{name}", result)
        for suite, content in suites.items()
        for name, result in content["test_results"].items()
    ]
    kinds = [next(iter(result["kind"].items())) for _, result in tests]
    invariants = [value for kind, value in kinds if kind == "Invariant"]
    fuzzed = [value for kind, value in kinds if kind == "Fuzz"]
    return {
        "tests": len(tests),
        "invariants": len(invariants),
        "invariant_runs": sum(value["runs"] for value in invariants),
        "invariant_calls": sum(value["calls"] for value in invariants),
        "fuzz_tests": len(fuzzed),
        "fuzz_runs": sum(value["runs"] for value in fuzzed),
        "failures": {
            name: result["reason"] for name, result in tests if result["status"] != "Success"
        },
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run everything; 1 when a test fails or none ran."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="of all random choices")
    parser.add_argument("--out", type=Path, help="where to write the summary")
    arguments = parser.parse_args(argv)
    summary = {"seed": arguments.seed} | summarize(run(arguments.seed))
    print(json.dumps(summary, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(summary["failures"]) or summary["invariant_calls"] == 0)


if __name__ == "__main__":
    raise SystemExit(main())
