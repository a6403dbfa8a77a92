"""Render `contracts/src/verifier/rendered/VerifierKeys.sol`: digests of known keys.

A key's data (header, seeds, programs) are computed from `keys/*.json` where they are deployed; the
contract's source holds the digest of their code, so data of anything else are refused.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.proof.contract.parts import parts_of
from novate.proof.verify import read_key

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

from render_contracts import write_or_compare  # noqa: E402

KEYS = ROOT / "keys"
OUTPUT = ROOT / "contracts" / "src" / "verifier" / "rendered"


def rendered() -> str:
    """The source: a constant a key, and the test for any of them."""
    lines = [
        "// Rendered by tools/render_verifier.py from keys/*.json. Do not edit.",
        "// SPDX-License-Identifier: Apache-2.0",
        "pragma solidity 0.8.37;",
        "",
        "/// @notice Digests of keys: keccak256 of the code hashes of their data contracts.",
        "library VerifierKeys {",
    ]
    names = []
    for path in sorted(KEYS.glob("*.json")):
        key = read_key(json.loads(path.read_text(encoding="utf-8")))
        names.append(path.stem.replace(".", "_").upper())
        lines.append(f"    bytes32 internal constant {names[-1]} =")
        lines.append(f"        0x{parts_of(key).digest.hex()};")
    known = " || ".join(f"digest == {name}" for name in names)
    lines += [
        "",
        "    /// @notice Whether a digest is one of them.",
        "    function isKnown(bytes32 digest) internal pure returns (bool) {",
        f"        return {known};",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Write the source, or with --check compare it; 1 if it differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args(argv)
    return write_or_compare(
        OUTPUT, {"VerifierKeys.sol": rendered()}, arguments.check, Path(__file__).name
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
