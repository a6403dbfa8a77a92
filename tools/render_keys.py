"""Renders keys/: the verifying key of every statement under every profile that ships."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.proof.prover import Prover
from novate.proof.statements import MINIMAL, SMALL, signed_updates_relation

KEYS = Path(__file__).resolve().parents[1] / "keys"


def rendered() -> dict[str, str]:
    """Text of every key file by name."""
    relation = signed_updates_relation()
    files = {}
    for profile in (MINIMAL, SMALL):
        key = Prover(relation, profile).key()
        lines = [f'"{name}": {json.dumps(value)}' for name, value in key.items()]
        files[f"signed_updates.{profile.name}.json"] = "{\n" + ",\n".join(lines) + "\n}\n"
    return files


def main(argv: Sequence[str]) -> int:
    """Write the keys, or with --check compare them; 1 if one differs."""
    differing = []
    for name, text in rendered().items():
        path = KEYS / name
        if "--check" in argv:
            if not path.exists() or path.read_text() != text:
                differing.append(name)
        else:
            KEYS.mkdir(exist_ok=True)
            path.write_text(text)
    for name in differing:
        print(f"keys/{name} is not what tools/render_keys.py renders")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
