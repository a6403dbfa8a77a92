"""Gas of the verifier contract by step, calldata, and contract sizes, for each profile.

    python -m bench.gas [--profiles minimal small main]

Runs on a local anvil under Osaka rules, where a transaction may use 16,777,216 gas. A transaction
pays 21,000, its calldata (4 gas a zero byte, 16 another) and its execution, but at least the floor
of EIP-7623 (10 and 40 a byte). The peer of the same run is that floor: no verifier pays less.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from bench.common import report
from novate.l1.abi import load
from novate.l1.anvil import Anvil
from novate.l1.client import L1
from novate.l1.wallet import GAS_MAX, funded_wallet
from novate.lab.prove_demo import DOMAIN, PROFILES, accounts_and_messages, public_rows
from novate.lab.verifier_contract import (
    GENESIS_TIME,
    deploy_verifier,
    verifier_artifacts,
    verify_in_transaction,
)
from novate.proof.contract.parts import Parts, parts_of
from novate.proof.prover import Prover
from novate.proof.statements import signed_updates_relation
from novate.proof.verify import read_key
from novate.tables.batched.signed_updates import witness

STEPS = (
    "begin",
    "1 statement",
    "2 lookups",
    "3 zerocheck",
    "4 claims",
    "6 closing",
    "5 opening",
)
BASE = 21_000
MESSAGES = 8
"""Gas depends on the heights of the tables alone, not on how far they are filled."""


def calldata_gas(data: bytes, zero: int, other: int) -> int:
    """Price of calldata by bytes."""
    zeros = data.count(0)
    return zero * zeros + other * (len(data) - zeros)


def one(name: str) -> dict[str, object]:
    """A profile's figures."""
    profile = PROFILES[name]
    prover = Prover(signed_updates_relation(), profile)
    tree, updates = accounts_and_messages(MESSAGES, 1)
    made = witness(DOMAIN, tree, updates)
    proof = prover.prove(prover.fill(made.primary, made.publics), made.publics)
    rows = public_rows(prover, made.publics)
    parts = parts_of(read_key(prover.key()))
    with Anvil(GENESIS_TIME) as anvil, anvil.rpc() as rpc:
        l1 = L1(rpc, verifier_artifacts())
        wallet = funded_wallet(0, l1.chain_id())
        verifier = deploy_verifier(l1, wallet, parts, load("Verifier"))
        measured = deploy_verifier(l1, wallet, parts, load("MeasuredVerifier"))
        flat = [value for row in rows for value in row]
        steps, hashes = l1.view(measured, "measure", flat, proof)
        receipt = verify_in_transaction(l1, wallet, verifier, rows, proof)
        code = rpc.call("eth_getCode", f"0x{verifier.address:040x}", "latest")
    data = verifier.artifact.call("verify", flat, proof)
    floor = BASE + calldata_gas(data, 10, 40)
    return {
        "profile": name,
        "proof_bytes": len(proof),
        "gas": receipt.gas,
        "of limit": receipt.gas / GAS_MAX,
        "floor": floor,
        "gas / floor": receipt.gas / floor,
        "calldata": BASE + calldata_gas(data, 4, 16),
        **dict(zip(STEPS, steps, strict=True)),
        "hashes": len(hashes),
        "verifier_bytes": len(code) // 2 - 1,
        "parts": len(parts.codes),
        "largest_part_bytes": max(map(len, parts.codes)),
        "parts_bytes": sum(map(len, parts.codes)),
        **{f"{name} calls": sum(found.values()) for name, found in calls_of(parts).items()},
        "calls": {name: dict(found) for name, found in calls_of(parts).items()},
    }


def calls_of(parts: Parts) -> dict[str, Counter[str]]:
    """Calls of each kernel by the key's programs."""
    kinds = {"shared": (parts.shared,), "closing": parts.closing, "weights": parts.weights}
    return {
        kind: sum((Counter(program.calls) for program in programs), Counter())
        for kind, programs in kinds.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table and write build/bench/gas.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", nargs="*", choices=PROFILES, default=list(PROFILES))
    results = [one(name) for name in parser.parse_args(argv).profiles]
    names = [name for name in results[0] if name not in ("calls", "profile")]
    rows = [
        {"figure": name} | {str(result["profile"]): result[name] for result in results}
        for name in names
    ]
    report("gas", rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
