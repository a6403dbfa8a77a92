"""Slither over the contracts: no finding of high impact, and each of medium impact explained here.

    python tests/claims/slither.py --out summary.json

Slither 0.11.6 is installed into build/slither, an environment of its own: its dependencies have no
place in uv.lock. One finding of high impact is silenced where it stands, in Vault.receiveDeposit,
with its reason; the summary counts such lines. Exit status 1 when there is a finding of high
impact, one of medium impact is not in `EXPLAINED`, or an explanation fits none.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
WORK = ROOT / "build" / "slither"
PIN = "slither-analyzer==0.11.6"
SILENCED = "slither-disable"

EXPLAINED = {
    ("incorrect-equality", "Vault.collect"): "Nothing owed is exactly nothing; no balance is read.",
    ("incorrect-equality", "Vault._releaseOne"): "A payment is sent whole, or in part.",
    ("incorrect-equality", "Vault._requireAllowance"): "No allowance is exactly none.",
    ("incorrect-equality", "ParameterRegistry.addSequencer"): "0 stands for: not announced.",
    ("divide-before-multiply", "DataOpening.evaluate"): (
        "The division counts whole chunks; the product is where the last one begins."
    ),
    ("divide-before-multiply", "Openings.rowBytes"): "A row of F's elements is whole triples.",
    ("divide-before-multiply", "Openings.domainPoints"): (
        "Sixteen powers for each four bits of an exponent, begun or whole."
    ),
    ("unused-return", "Transcripts.grind"): "Called for its check of the witness.",
    ("unused-return", "Rows.requireCanonical"): "Called for its check of the word.",
    ("uninitialized-local", ""): "Structs and arrays in memory begin as zero, and that is meant.",
}
"""(check, function; '' for any) and why the code is right."""


def install() -> Path:
    """The program, installed if it is not there."""
    program = WORK / "bin" / "slither"
    if not program.exists():
        venv.create(WORK, with_pip=True)
        subprocess.run([WORK / "bin" / "python", "-m", "pip", "install", "-q", PIN], check=True)
    return program


def analyze(program: Path) -> list[dict[str, Any]]:
    """All findings. The artifacts go beside the program, so that contracts/out stays as it is."""
    report = WORK / "report.json"
    report.unlink(missing_ok=True)
    env = dict(os.environ)
    env["PATH"] = f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{env['PATH']}"
    env["FOUNDRY_OUT"] = str(WORK / "out")
    env["FOUNDRY_CACHE_PATH"] = str(WORK / "cache")
    command = [str(program), ".", "--json", str(report)]
    done = subprocess.run(command, cwd=CONTRACTS, env=env, capture_output=True, check=False)
    if not report.exists():
        sys.stderr.write(done.stderr.decode())
        raise RuntimeError(f"slither wrote no report (exit code {done.returncode})")
    loaded = json.loads(report.read_text())
    if not loaded["success"]:
        raise RuntimeError(f"slither failed: {loaded['error']}")
    return list(loaded["results"].get("detectors", []))


def silenced_lines() -> list[str]:
    """Lines of the contracts that silence a detector, by file."""
    return [
        f"{path.relative_to(CONTRACTS)}: {line.strip()}"
        for path in sorted((CONTRACTS / "src").rglob("*.sol"))
        for line in path.read_text().splitlines()
        if SILENCED in line
    ]


def function_of(finding: dict[str, Any]) -> str:
    """Contract.function of the finding's first element that has one; '' if none has."""
    for element in finding["elements"]:
        here = element if element["type"] == "function" else parent_function(element)
        if here is not None:
            contract = here["type_specific_fields"]["parent"]["name"]
            return f"{contract}.{here['name']}"
    return ""


def parent_function(element: dict[str, Any]) -> dict[str, Any] | None:
    """The function that an element stands in, or None."""
    parent = element.get("type_specific_fields", {}).get("parent")
    return parent if parent is not None and parent["type"] == "function" else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run Slither and compare its findings with what is explained."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, help="where to write the summary")
    arguments = parser.parse_args(argv)
    findings = analyze(install())
    unexplained, used = [], set()
    for finding in findings:
        names = [(finding["check"], function_of(finding)), (finding["check"], "")]
        explained = [name for name in names if name in EXPLAINED and finding["impact"] == "Medium"]
        used.update(explained[:1])
        if not explained and finding["impact"] in ("High", "Medium"):
            unexplained.append(f"{finding['impact']}: {finding['description'].strip()}")
    idle = sorted(" ".join(name) for name in EXPLAINED.keys() - used)
    by_impact = Counter(finding["impact"] for finding in findings)
    summary = {
        "slither": PIN,
        "findings_by_impact": dict(sorted(by_impact.items())),
        "silenced_lines": silenced_lines(),
        "explained": [
            {"check": check, "function": function or "any", "why": EXPLAINED[check, function]}
            for check, function in sorted(used)
        ],
        "unexplained": unexplained,
        "explanations_of_nothing": idle,
    }
    print(json.dumps(summary, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(unexplained or idle))


if __name__ == "__main__":
    raise SystemExit(main())
