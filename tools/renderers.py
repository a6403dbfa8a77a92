"""Every renderer, in the order in which later ones need the files of earlier ones.

A renderer is a module here, `render_NAME.py`, with `main(argv) -> int`: without arguments it writes
its files, with `--check` it compares and returns 1 when a file differs. Each runs in a process of
its own, so that it imports what the ones before it have just written.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence

RENDERERS = (
    "render_pricing_tables",
    "render_between_nodes",
    "render_risk_tables",
    "render_crypto_vectors",
    "render_law_vectors",
    "render_contracts",
    "render_contract_fixtures",
    "render_keys",
    "render_verifier",
    "render_proof_fixture",
)


def main(argv: Sequence[str]) -> int:
    """Run every renderer with these arguments; returns the number of those that failed."""
    failed = [
        name
        for name in RENDERERS
        if subprocess.run([sys.executable, __file__, name, *argv], check=False).returncode != 0
    ]
    verb = "compared" if "--check" in argv else "ran"
    print(f"renderers: {len(RENDERERS)} {verb}, {len(failed)} failed {' '.join(failed)}".rstrip())
    return len(failed)


if __name__ == "__main__":
    sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))
