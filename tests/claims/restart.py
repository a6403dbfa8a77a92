"""The node is killed at 200 random points and loses nothing that it acknowledged.

    novate claims restart --count 200 --seed 1

A client plays seeded orders, quotes, cancels and withdrawals into a node (sequencer and batcher
under their watcher, minimal preset), which is killed by SIGKILL, all its processes at once, after a
random time; now and then a torn write is left at the end of its log. It is started again and goes
on, 200 times. One desk on the specification follows the same log from genesis and is never
restarted. After every life: each acknowledged record is in the log under the hashes of its signed
receipt, came to what was acknowledged, and the restarted node stands at the same batch and root as
the desk that never stopped. At the end every sealed batch is queued for L1 as it was sealed. A run
that was cut off goes on from build/claims/restart.
Exit status 1 when one of these does not hold.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from novate.lab.play.lives import Lives, Lost
from novate.lab.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "claims" / "restart"
LIFE_S_MAX = 1.5
"""Longest time between the first answer of a life and its kill."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim; 1 if an acknowledged record was lost or a root differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    folder = FOLDER / str(arguments.seed)
    if arguments.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    lives = Lives(folder, arguments.seed)
    before = lives.counts["lives"]
    random = Random(arguments.seed + before)
    progress = Progress()
    progress.stage(f"{arguments.count} lives, seed {arguments.seed}")
    wrong = ""
    try:
        for number in range(before, arguments.count):
            lives.live(random.uniform(0, LIFE_S_MAX))
            done = f"{lives.counts['acknowledged']:,} records acknowledged"
            progress.at(number, arguments.count, done)
        lives.stop()
        shutil.rmtree(folder)
    except Lost as error:
        wrong = f"{error}"
    for name, count in sorted(lives.counts.items()):
        print(f"  {count:10,}  {name}")
    print(wrong or "nothing was lost, every root is the same")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        summary = {"kills": lives.counts["lives"], "counts": dict(lives.counts), "wrong": wrong}
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
