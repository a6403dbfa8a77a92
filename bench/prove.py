"""Proving: cells a second, phases, peak memory, proof bytes, and what that is in signatures.

    python -m bench.prove [--sizes minimal small 2^22 2^24 main] [--no-peer]

Each size is a batch of signed messages that fills its tables, in a tree with 2^20 accounts, filled
and proved twice in a process of its own, so that peak memory is its own. The first of each waits
for memory (the process gives none back); figures without `first` are of the second. `tree` is 1,000
changed leaves of that tree alone. The peer is p3-batch-stark with FRI on the same tables, traces,
field and hash as `2^22` (`bench/peers/batch_stark`, compiled by the first run): there lookups take
columns and the degree takes a quotient.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from bench.common import ROOT, print_table, report
from novate.circuit.buses import Interaction, send
from novate.circuit.columns import column, columns, flag
from novate.circuit.relation import Relation, compile_relation
from novate.circuit.tables import Table
from novate.lab.prove_demo import DOMAIN
from novate.lab.signed_batch import signed_batch
from novate.native import report_phases
from novate.proof.job import PROVER_ENVIRONMENT, read_phase
from novate.proof.profiles import Profile
from novate.proof.prover import Primary, Prover, Words
from novate.proof.statements import (
    BATCHES,
    SHIPPED,
    SMALL,
    TREE_DEPTH,
    Batch,
    signed_updates_heights,
    signed_updates_relation,
)
from novate.tables.batched.columns import named, ones, state_columns
from novate.tables.batched.signed_updates import witness
from novate.tables.batched.tree import nodes_of, updated
from novate.tables.cancel_all import Roots
from novate.tables.curve import named as fields_of
from novate.tables.merkle_update import NODE, MerkleUpdate
from novate.tables.poseidon2 import DIGEST, Poseidon2Width8

ACCOUNTS = 1 << 20
FOLDS = {20: (5, 4, 3, 3), 21: (5, 4, 4, 3), 22: (5, 4, 4, 3), 23: (5, 4, 4, 4), 24: (5, 5, 4, 4)}
FULL = {22: Batch(325, 82), 24: Batch(1592, 398)}
"""The most messages of a quarter as many keys whose tables have fewer than so many cells."""
SIZES = ("minimal", "small", "2^22", "2^24", "tree", "main")
PEER_SIZE = "2^22"
PEER = ROOT / "bench" / "peers" / "batch_stark" / "Cargo.toml"
PEER_TARGET = ROOT / "build" / "peers"
PEER_LOG_BLOWUP = 3
"""Rules of degree 8 and less take a quotient of 8 pieces: no rate above 1/8."""


class Case(NamedTuple):
    """A statement and a way to its witness."""

    relation: Relation
    profile: Profile
    fill: Callable[[], tuple[Primary, dict[str, int]]]
    facts: dict[str, int]


class Leaves(Table):
    """One row a leaf that changes."""

    name = "leaves"
    active = flag()
    index = column()
    old, new = columns(DIGEST), columns(DIGEST)

    def messages(self) -> list[Interaction]:
        """The leaf before and after."""
        leaf = fields_of("old", self.old) | fields_of("new", self.new)
        return [send(NODE, self.active, level=0, index=self.index, **leaf)]


def tree_case() -> Case:
    """1,000 changed leaves of a tree with 2^20 others."""
    tree, updates = signed_batch(DOMAIN, Batch(1, 1), ACCOUNTS, 1)
    count = 1000
    random = np.random.default_rng(len(updates))
    places = random.choice(ACCOUNTS, count, replace=False).astype(np.uint64)
    leaves = random.integers(0, 1 << 62, (count, DIGEST), dtype=np.uint64)
    relation = compile_relation([Poseidon2Width8(), MerkleUpdate(), Leaves(), Roots(TREE_DEPTH)])
    changed = updated(tree, places, leaves)
    states = state_columns(changed.pairs)
    rows = {
        "poseidon2_8": len(states["state_0"]),
        "merkle_update": len(changed.columns["active"]),
        "leaves": count,
        "roots": 1,
    }
    heights = {name: max(6, (number - 1).bit_length()) for name, number in rows.items()}

    def fill() -> tuple[Primary, dict[str, int]]:
        """From the tree and the leaves."""
        made = updated(tree, places, leaves)
        order = np.argsort(places)
        columns = {"active": ones(count), "index": places[order]}
        columns |= named("old", nodes_of(tree, 0, places[order]).T)
        columns |= named("new", leaves[order].T)
        roots = (("old_root", made.old_root), ("new_root", made.new_root))
        publics = {f"{name}_{k}": int(root[k]) for name, root in roots for k in range(DIGEST)}
        primary: dict[str, dict[str, Words]] = {
            "poseidon2_8": state_columns(made.pairs),
            "merkle_update": made.columns,
            "leaves": columns,
            "roots": {"active": ones(1)},
        }
        return primary, publics

    facts = {"updates": count, "permutations": rows["poseidon2_8"]}
    return Case(relation, Profile("tree", heights, FOLDS[22]), fill, facts)


def batch_case(name: str) -> Case:
    """Signed messages that fill a profile, or fewer cells than a power of two."""
    relation = signed_updates_relation()
    profiles = {profile.name: profile for profile in SHIPPED}
    if name in profiles:
        profile, batch = profiles[name], BATCHES[name]
    else:
        variables = int(name.removeprefix("2^"))
        batch = FULL[variables]
        profile = replace(
            SMALL, name=name, log_rows=signed_updates_heights(batch), folds=FOLDS[variables]
        )
    tree, updates = signed_batch(DOMAIN, batch, ACCOUNTS, 1)

    def fill() -> tuple[Primary, dict[str, int]]:
        """From messages and tree."""
        made = witness(DOMAIN, tree, updates)
        return made.primary, made.publics

    facts = {"signatures": batch.messages, "updates": batch.messages}
    return Case(relation, profile, fill, facts)


class Turn(NamedTuple):
    """A proof, and what it took."""

    witness_s: float
    prove_s: float
    proof: bytes
    publics: dict[str, int]


def fill_and_prove(case: Case, prover: Prover, folder: str | None) -> Turn:
    """A proof from primary columns on; a folder is left the traces."""
    started = perf_counter()
    primary, publics = case.fill()
    traces = prover.fill(primary, publics)
    filled = perf_counter()
    proof = prover.prove(traces, publics)
    turn = Turn(filled - started, perf_counter() - filled, proof, publics)
    if folder:
        write_tables(Path(folder), prover, traces, publics)
    return turn


def one(name: str, folder: str | None) -> dict[str, Any]:
    """Prove a size twice; phases of the second proof go to standard error."""
    case = tree_case() if name == "tree" else batch_case(name)
    prover = Prover(case.relation, case.profile)
    first = fill_and_prove(case, prover, folder)
    report_phases()
    second = fill_and_prove(case, prover, None)
    started = perf_counter()
    prover.verify(second.proof, second.publics)
    verify_s = perf_counter() - started
    heights = case.profile.log_rows
    return {
        **case.facts,
        "cells": sum(len(form.columns) << heights[form.name] for form in case.relation.forms),
        "committed": prover.cells,
        "witness_first_s": first.witness_s,
        "witness_s": second.witness_s,
        "prove_first_s": first.prove_s,
        "prove_s": second.prove_s,
        "verify_s": verify_s,
        "proof_bytes": len(second.proof),
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "security_bits": prover.security_bits,
    }


def write_tables(
    folder: Path, prover: Prover, traces: list[Words], publics: dict[str, int]
) -> None:
    """What the peer reads: words, little-endian."""
    values = [publics[name] for form in prover.relation.forms for name in form.publics]
    files = {"words": prover.relation.words(), "publics": np.array(values, dtype=np.uint64)}
    files |= {f"trace_{place}": trace for place, trace in enumerate(traces)}
    for name, array in files.items():
        (folder / name).write_bytes(array.astype("<u8").tobytes())


def run_one(name: str, folder: str | None = None) -> tuple[dict[str, Any], dict[str, float]]:
    """A size in a process of its own: figures, and seconds by phase."""
    command = [sys.executable, "-m", "bench.prove", "--one", name]
    command += ["--folder", folder] if folder else []
    environment = PROVER_ENVIRONMENT | os.environ
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    phases: dict[str, float] = {}
    for line in done.stderr.splitlines():
        phase = read_phase(line)
        if phase and phase.seconds is not None and phase.depth <= 2 and "prove" not in phases:
            label = "  " * (phase.depth - 1) + phase.name
            phases[label] = phases.get(label, 0.0) + phase.seconds
    return json.loads(done.stdout.splitlines()[-1]), phases


def run_peer(folder: str) -> dict[str, Any]:
    """p3-batch-stark on the tables of a folder."""
    build = ["cargo", "build", "--release", "--quiet", "--manifest-path", str(PEER)]
    environment = PROVER_ENVIRONMENT | os.environ | {"CARGO_TARGET_DIR": str(PEER_TARGET)}
    # Cargo finds native/.cargo/config.toml, which chooses the vectors, from its folder.
    subprocess.run(build, check=True, cwd=ROOT / "native", env=environment)
    program = PEER_TARGET / "release" / "batch-stark-peer"
    command = [str(program), folder, str(PEER_LOG_BLOWUP)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as peer:
        assert peer.stdout is not None
        said = peer.stdout.read()
        _, status, used = os.wait4(peer.pid, 0)
        peer.returncode = os.waitstatus_to_exitcode(status)
    if peer.returncode:
        raise subprocess.CalledProcessError(peer.returncode, command)
    return json.loads(said) | {"peak_bytes": used.ru_maxrss * 1024}


def row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """A row of the table."""
    return {
        "size": name,
        "cells": found["cells"],
        "committed": found["committed"],
        "first witness s": found["witness_first_s"],
        "first s": found["prove_first_s"],
        "witness s": found["witness_s"],
        "proof s": found["prove_s"],
        "M cells/s": found["cells"] / found["prove_s"] / 1e6,
        "witness / proof": found["witness_s"] / found["prove_s"],
        "peak GB": found["peak_bytes"] / 1e9,
        "bytes": found["proof_bytes"],
        "verify ms": 1e3 * found["verify_s"],
        "bits": found["security_bits"],
        "signatures/s": found["signatures"] / found["prove_s"] if "signatures" in found else None,
        "updates/s": found["updates"] / found["prove_s"],
        "permutations/s": (
            found["permutations"] / found["prove_s"] if "permutations" in found else None
        ),
    }


def peer_row(ours: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """The peer's row: it proves once, and the ratio is to our first proof."""
    return {
        "size": f"{PEER_SIZE}, p3-batch-stark",
        "cells": ours["cells"],
        "first s": found["prove_s"],
        "M cells/s": ours["cells"] / found["prove_s"] / 1e6,
        "peak GB": found["peak_bytes"] / 1e9,
        "bytes": found["proof_bytes"],
        "verify ms": 1e3 * found["verify_s"],
        "times ours": found["prove_s"] / ours["first s"],
    }


def main(argv: Sequence[str]) -> int:
    """Print the tables and write build/bench/prove.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=list(SIZES))
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--one", choices=SIZES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.one is not None:
        print(json.dumps(one(arguments.one, arguments.folder)))
        return 0
    rows: list[dict[str, Any]] = []
    phases: dict[str, dict[str, float]] = {}
    for name in arguments.sizes:
        with_peer = name == PEER_SIZE and not arguments.no_peer
        with TemporaryDirectory(prefix="novate-bench-") as folder:
            found, phases[name] = run_one(name, folder if with_peer else None)
            rows.append(row(name, found))
            if with_peer:
                rows.append(peer_row(rows[-1], run_peer(folder)))
        rows[-1]["phases"] = phases[name]
    columns = [key for key in dict.fromkeys(k for entry in rows for k in entry) if key != "phases"]
    report("prove", rows, columns)
    labels = dict.fromkeys(label for found in phases.values() for label in found)
    print("\nSeconds of the second proof by phase")
    print_table(
        [
            {"phase": label} | {name: found.get(label) for name, found in phases.items()}
            for label in labels
        ],
        ["phase", *phases],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
