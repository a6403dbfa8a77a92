"""The demo's node is killed at 200 random points of one run, and every check of the demo holds.

    novate claims demo_restart --count 200 --seed 1

The whole demo on the recorded data (anvil, the node's processes, deposits, order flow, expiry,
crash, withdrawals, fraud, differences), with SIGKILL to all the node's processes at points drawn
from the seed: up to a tenth of a second after messages were sent that nobody has answered yet. Each
new life must stand at the specification's root of the batch it is at, and have every record that
was acknowledged; at the end all checks of the demo's table must hold. Exit status 1 if one does
not, or if there were fewer kills. A run is one run: it cannot be resumed, and takes about 20
minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from novate.lab.demo import run
from novate.lab.demo_kills import Kills

SECONDS = 345
"""The whole recording."""
POINTS = 530
"""A few less than the points of such a run."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with kills; 1 if a check fails or there were too few of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="kills, at least")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the session")
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    arguments = parser.parse_args(argv)
    kills = Kills(min(1.0, 1.1 * arguments.count / POINTS), arguments.seed)
    code = run(arguments.seconds, False, kills=kills)
    restarts = kills.restarts
    enough = len(restarts) >= arguments.count
    summary = {
        "kills": len(restarts),
        "kills_with_unanswered_messages": sum(one.unanswered > 0 for one in restarts),
        "batches_stood_at": len({one.stand.batch for one in restarts}),
        "records_at_the_last_kill": restarts[-1].stand.sequence if restarts else 0,
        "checks_hold": code == 0,
        "enough": enough,
    }
    print(json.dumps(summary, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return 0 if code == 0 and enough else 1


if __name__ == "__main__":
    sys.exit(main())
