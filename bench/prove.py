"""Proving: cells a second, time by phase, peak memory and proof bytes of the signature statement.

    python -m bench.prove [--log-messages 3 6 8 10]

Each size runs in a process of its own, so that peak memory is its own. Tables are as tall as the
profile says; what `--filled` messages do not fill is padding, which costs the prover the same.
There is no peer in this run: no installable prover takes an equal statement (p3-batch-stark would
need every table written again as its AIR, with permutation columns and a quotient).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter

from bench.common import report
from novate.lab.prove_demo import DOMAIN, accounts_and_messages
from novate.proof.prover import Prover
from novate.proof.statements import signed_updates_profile, signed_updates_relation
from novate.tables.signed_updates import witness

FOLDS = {18: (6, 4, 4), 19: (6, 4, 4), 20: (6, 4, 4), 21: (6, 4, 4, 4), 22: (6, 4, 4, 4)}
FOLDS |= {23: (6, 4, 4, 4), 24: (6, 5, 4, 4), 25: (6, 5, 5, 4), 26: (6, 5, 5, 4)}
FILLED = 64


def one(log_messages: int) -> dict[str, float]:
    """Prove once at a size, twice: the first proof of a process is slower."""
    relation = signed_updates_relation()
    heights = signed_updates_profile("size", log_messages, (6, 4, 4)).log_rows
    cells = sum(len(form.columns) << heights[form.name] for form in relation.forms)
    variables = (cells - 1).bit_length()
    profile = signed_updates_profile("size", log_messages, FOLDS[variables])
    prover = Prover(relation, profile)
    count = min(FILLED, 1 << log_messages)
    tree, updates = accounts_and_messages(count, 1)
    started = perf_counter()
    made = witness(DOMAIN, tree, updates)
    primary_s = perf_counter() - started
    times = []
    for _ in range(2):
        started = perf_counter()
        traces = prover.fill(made.primary, made.publics)
        fill_s = perf_counter() - started
        started = perf_counter()
        proof = prover.prove(traces, made.publics)
        times.append(perf_counter() - started)
    started = perf_counter()
    prover.verify(proof, made.publics)
    return {
        "messages": count,
        "cells": cells,
        "committed": prover.cells,
        "primary_s": primary_s,
        "fill_s": fill_s,
        "prove_first_s": times[0],
        "prove_s": times[1],
        "verify_s": perf_counter() - started,
        "proof_bytes": len(proof),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "security_bits": prover.security_bits,
    }


def main(argv: Sequence[str]) -> int:
    """Print the table and write build/bench/prove.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log-messages", type=int, nargs="*", default=[3, 6, 8, 10])
    parser.add_argument("--one", type=int)
    arguments = parser.parse_args(argv)
    if arguments.one is not None:
        print(json.dumps(one(arguments.one)))
        return 0
    rows = []
    for size in arguments.log_messages:
        command = [sys.executable, "-m", "bench.prove", "--one", str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            {
                "size": f"2^{size} messages, {found['messages']} filled",
                "cells": found["cells"],
                "committed": found["committed"],
                "fill s": found["fill_s"],
                "first proof s": found["prove_first_s"],
                "proof s": found["prove_s"],
                "M cells/s": found["cells"] / found["prove_s"] / 1e6,
                "fill / prove": found["fill_s"] / found["prove_s"],
                "peak GiB": found["peak_bytes"] / 2**30,
                "bytes": found["proof_bytes"],
                "verify ms": 1e3 * found["verify_s"],
                "bits": found["security_bits"],
            }
        )
    report("prove", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
