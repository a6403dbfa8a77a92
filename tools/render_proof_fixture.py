"""Render `contracts/test/rendered/batch_proof.*`: a proof that the contracts' own tests verify.

The proof is of a batch's public values (novate.lab.batch_proof), so that it goes the whole way from
a statement of the settlement contract through `BatchVerifier` to `Verifier`. `batch_proof.bin` is
the proof and after it the code of the key's parts; `batch_proof.json` says what it is of and where
its fields lie. With --check nothing is proved: the recorded proof must be one still.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.l1.anvil import CHAIN_ID
from novate.lab.batch_proof import PROFILE, batch_values_relation, primary_of, sample_statement
from novate.proof.contract.fields import DIGEST, fields_of
from novate.proof.contract.parts import Parts, parts_of
from novate.proof.prover import ProofError, Prover
from novate.proof.verify import read_key
from novate.tables.batch import Statement, public_values

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "contracts" / "test" / "rendered"
PROOF = FOLDER / "batch_proof.bin"
STATEMENT = FOLDER / "batch_proof.json"
SETTLEMENT = 0x5E771E5E771E5E771E5E771E5E771E5E771E5E77
SEED = 1


def described(statement: Statement, parts: Parts, prover: Prover, proof: bytes) -> str:
    """The JSON file."""
    key = read_key(prover.key())
    fields = fields_of(key, proof)
    opening = statement.opening
    digest = b"".join(element.to_bytes(8, "little") for element in opening.digest)
    content = {
        "rendered": "by tools/render_proof_fixture.py. Do not edit.",
        "digest": "0x" + parts.digest.hex(),
        "proof_bytes": len(proof),
        "part_bytes": [len(code) for code in parts.codes],
        "settlement": f"0x{statement.settlement_contract:040x}",
        "chain_id": statement.chain_id,
        "header": "0x" + statement.header.hex(),
        "data_digest": "0x" + digest.hex(),
        "point": hex(opening.point),
        "data_polynomials": statement.data_polynomials,
        "carriers": [int(carrier) for carrier, _ in statement.polynomials],
        "lengths": [length for _, length in statement.polynomials],
        "values": [hex(value) for value in opening.values],
        "payee": f"0x{statement.payee:040x}",
        "field_starts": [field.start for field in fields],
        "field_bytes": [field.size for field in fields],
        "field_elements": [
            int(field.unit != DIGEST and "count" not in field.name) for field in fields
        ],
    }
    return json.dumps(content, indent=1) + "\n"


def main(argv: Sequence[str]) -> int:
    """Prove and write, or with --check compare; 1 if something differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(argv).check
    statement = sample_statement(SEED, CHAIN_ID, SETTLEMENT)
    prover = Prover(batch_values_relation(), PROFILE)
    publics = public_values(statement)
    parts = parts_of(read_key(prover.key()))
    codes = b"".join(parts.codes)
    if not check:
        proof = prover.prove(prover.fill(primary_of(statement), publics), publics)
        PROOF.write_bytes(proof + codes)
        STATEMENT.write_text(described(statement, parts, prover, proof), encoding="utf-8")
        return 0
    recorded = PROOF.read_bytes()
    proof = recorded.removesuffix(codes)
    try:
        prover.verify(proof, publics)
        text = described(statement, parts, prover, proof)
    except ProofError as error:
        text = f"{PROOF.name}: {error}"
    if text == STATEMENT.read_text(encoding="utf-8") and recorded == proof + codes:
        return 0
    print(f"{PROOF.name} differs from what {Path(__file__).name} renders", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
