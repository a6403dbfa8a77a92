"""Renders keys/: the verifying key of every statement under every profile that ships.

Prints the security report of each: proven bits of every error term and of their union. A profile
of fewer than 100.0 is an error, before any key is rendered or compared.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.proof.profiles import SECURITY_BITS_MIN
from novate.proof.prover import Prover
from novate.proof.statements import SHIPPED, signed_updates_relation

KEYS = Path(__file__).resolve().parents[1] / "keys"


def rendered() -> dict[str, str]:
    """Text of every key file by name."""
    relation = signed_updates_relation()
    files = {}
    for profile in SHIPPED:
        prover = Prover(relation, profile)
        print(security_report(prover))
        key = prover.key()
        lines = [f'"{name}": {json.dumps(value)}' for name, value in key.items()]
        files[f"signed_updates.{profile.name}.json"] = "{\n" + ",\n".join(lines) + "\n}\n"
    return files


def security_report(prover: Prover) -> str:
    """The library's account of a profile, a line a term."""
    bits = f"{prover.security_bits:.2f} proven bits in all, at least {SECURITY_BITS_MIN}"
    lines = [f"security of profile {prover.profile.name}: {bits}"]
    for term in prover.security_terms:
        found = re.search(r'label: "([^"]+)".*ErrorBits\(([0-9.]+)\)', term)
        if found is None:
            raise ValueError(f"an error term without bits: {term}")
        lines.append(f"  {found[1]:<40} {float(found[2]):>7.2f}")
    return "\n".join(lines)


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
