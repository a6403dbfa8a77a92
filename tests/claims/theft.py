"""Theft search: colluding accounts against the law; nothing may be extracted inside the grid.

    python tests/claims/theft.py --count 20000 --seed 1 --out summary.json

What counts as extracted is defined in `novate.lab.adversary.accounting`. Episodes come in chunks
with a seed of their own, each half fresh from an attack's template and half bred from the best of
its chunk; what is done is kept in build/claims/theft.json, so a run that was cut off goes on where
it stopped, under the same law and adversary. Every theft is shrunk and written to
build/claims/thefts/. Exit status 1 when there was one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from novate.lab.adversary.arena import base_parameters
from novate.lab.adversary.episode import play
from novate.lab.adversary.search import Findings, from_json, is_theft, search_chunk

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "claims" / "theft.json"
SOURCES = (ROOT / "src" / "novate" / "spec", ROOT / "src" / "novate" / "lab" / "adversary")
CHUNK = 200


def digest() -> str:
    """Of the sources of law and adversary: a run goes on only under those it began with."""
    found = hashlib.sha256()
    for folder in SOURCES:
        for path in sorted(folder.rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def run_chunk(seed: int, chunk: int) -> tuple[int, dict[str, Any]]:
    """The findings of one chunk, as JSON values."""
    return chunk, search_chunk(seed * 1_000_000 + chunk, CHUNK).to_json()


def load(seed: int, again: bool) -> dict[str, Any]:
    """The chunks of an earlier run of this seed and these sources, or none."""
    state: dict[str, Any] = {"seed": seed, "sources": digest(), "chunks": {}}
    if STATE.exists() and not again:
        earlier: dict[str, Any] = json.loads(STATE.read_text())
        if all(earlier.get(key) == state[key] for key in ("seed", "sources")):
            return earlier
    return state


def total(state: dict[str, Any], chunks: int) -> Findings:
    """All chunks up to a number, added up."""
    findings = Findings()
    for chunk in range(chunks):
        findings.add(Findings.from_json(state["chunks"][str(chunk)]))
    return findings


def search(state: dict[str, Any], chunks: int, workers: int) -> None:
    """Run the chunks that are not done, keeping each as it ends."""
    missing = [chunk for chunk in range(chunks) if str(chunk) not in state["chunks"]]
    with ProcessPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(run_chunk, state["seed"], chunk) for chunk in missing]
        for done, future in enumerate(as_completed(futures), 1):
            chunk, findings = future.result()
            state["chunks"][str(chunk)] = findings
            STATE.write_text(json.dumps(state))
            if done % 5 == 0 or done == len(missing):
                print(f"{CHUNK * len(state['chunks']):7d} episodes", file=sys.stderr, flush=True)


def keep_thefts(findings: Findings) -> None:
    """Write each shrunk theft to a file of its own, to be played again with `--replay`."""
    folder = STATE.parent / "thefts"
    for number, theft in enumerate(findings.thefts):
        folder.mkdir(exist_ok=True)
        (folder / f"{theft['seed']}-{number}.json").write_text(json.dumps(theft, indent=1))


def table(findings: Findings) -> str:
    """What a reader wants to know."""
    usdc = 1_000_000
    lines = [
        f"episodes                      {findings.episodes:>14,}",
        f"records the law accepted      {findings.accepted:>14,}",
        f"thefts                        {len(findings.thefts):>14,}",
        f"rounds not provable           {sum(findings.unprovable.values()):>14,}",
        f"largest extraction            {findings.largest or 0:>14,} micro-USDC",
        f"promised to liquidators, most {findings.largest_allowed / usdc:>14,.2f} USDC",
        f"largest loss of the honest    {findings.largest_honest_loss or 0:>14,} micro-USDC",
        f"their liquidations, most      {findings.largest_liquidated / usdc:>14,.2f} USDC",
        f"re-aimed below margin         {findings.re_aimed:>14,} episodes, "
        f"at most {findings.largest_re_aimed / usdc:,.2f} USDC",
        f"jumps beyond the grid, most   {findings.largest_jump_loss / usdc:>14,.2f} USDC of funds",
        "",
        f"{'family':20} {'episodes':>9} {'largest extraction':>19}",
    ]
    for family, count in sorted(findings.families.items()):
        lines.append(f"{family:20} {count:9,} {findings.best.get(family, 0):19,}")
    lines += ["", *(f"{stage:20} {count:9,}" for stage, count in sorted(findings.stages.items()))]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Search, print, write a summary; 1 if anything was extracted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="episodes, rounded up to chunks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="forget an earlier run")
    parser.add_argument("--replay", type=Path, help="play one kept theft instead")
    parser.add_argument("--out", type=Path, help="where to write the summary")
    chosen = parser.parse_args(argv)
    if chosen.replay:
        return replay(chosen.replay)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    state = load(chosen.seed, chosen.again)
    chunks = -(-chosen.count // CHUNK)
    search(state, chunks, chosen.workers)
    findings = total(state, chunks)
    keep_thefts(findings)
    print(table(findings))
    if chosen.out:
        summary = findings.to_json() | {"seed": chosen.seed, "sources": state["sources"]}
        chosen.out.write_text(json.dumps(summary, indent=1))
    return 1 if findings.thefts or findings.unprovable else 0


def replay(path: Path) -> int:
    """Play a kept theft under the law of now."""
    episode = from_json(json.loads(path.read_text())["episode"])
    outcome = play(episode, base_parameters())
    print(outcome)
    return int(is_theft(episode, outcome))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
