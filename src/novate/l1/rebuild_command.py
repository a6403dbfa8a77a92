"""`novate rebuild`: the state of a venue from L1 alone, and whether every batch there is lawful.

    novate rebuild --rpc URL --settlement ADDRESS --out DIR [--from-block N] [--final] [--law LAW]

Reads events, then the data of every batch that stands, replays or applies them and checks every
settlement root. Run again it goes on from the files in DIR. Exit status 0: all is lawful; 1: a
batch is not (it is named, and if it is `full` it can be challenged); 3: L1 could not be read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from novate.l1.abi import load
from novate.l1.blob_sources import beacon_blobs, node_blobs
from novate.l1.client import L1, Contract
from novate.l1.follower import Follower
from novate.l1.history import History
from novate.l1.rebuild import (
    Law,
    Progress,
    Rebuild,
    SpecificationLaw,
    StateCodec,
    Unlawful,
    digest_bytes,
)
from novate.l1.rpc import L1Error, Rpc
from novate.native import NativePrimitives
from novate.spec.commitment import commit
from novate.spec.public_data.header import DataForm
from novate.spec.state import State

CONFIRMATIONS: Final = 64
"""Blocks left alone by default: two epochs, after which Ethereum does not go back."""
LINE_EVERY_S: Final = 2.0
UNLAWFUL, UNREADABLE = 1, 3


class Lines:
    """Progress on the terminal, a line every two seconds."""

    def __init__(self) -> None:
        """Begin now."""
        self._start = self._last = time.monotonic()
        self._bytes = 0

    def __call__(self, progress: Progress) -> None:
        """Tell of a batch."""
        self._bytes += progress.input_bytes
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S or progress.number == progress.last:
            self._last = now
            form = "full" if progress.form == DataForm.FULL else "diff"
            print(
                f"batch {progress.number:,} of {progress.last:,} ({form}), "
                f"{self._bytes / 1e6:,.1f} MB read, {now - self._start:,.0f} s"
            )


def specification_law(state: State) -> SpecificationLaw:
    """The specification, with native cryptography, from a state on."""
    return SpecificationLaw(state, NativePrimitives())


def history_of(rpc: Rpc, settlement: int, from_block: int, confirmations: int) -> History:
    """All events of a venue so far. L1Error if there is no venue at this address."""
    contract = Contract(load("Settlement"), settlement)
    registry = L1(rpc, [contract.artifact]).view(contract, "parameters")
    parameters = Contract(load("ParameterRegistry"), registry)
    history = History()
    history.follow(Follower(rpc, [contract, parameters], from_block, confirmations))
    return history


def summary(state: State, history: History) -> list[str]:
    """What was found, line by line."""
    roots = state.roots or commit(state, NativePrimitives())
    system = state.system
    return [
        f"batch            {system.batch_number:,} of {history.committed:,} committed, "
        f"{history.finalized:,} final, {history.reverts:,} reverts, fork {history.fork}",
        f"settlement root  0x{digest_bytes(roots.settlement_root).hex()}",
        f"accounts         {system.account_count:,}, vault {system.vault / 1e6:,.6f} USDC",
        f"instruments      {len(state.instruments):,}, requests processed {system.inbox_cursor:,}",
        "frozen           yes" if history.frozen else "frozen           no",
    ]


def arguments(argv: Sequence[str], laws: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="novate rebuild", description=(__doc__ or ""))
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rpc", required=True, help="URL of an L1 node")
    parser.add_argument("--settlement", required=True, type=lambda text: int(text, 16))
    parser.add_argument("--out", required=True, type=Path, help="folder of the state's files")
    parser.add_argument("--from-block", type=int, default=0, help="block of the deployment")
    parser.add_argument("--confirmations", type=int, default=CONFIRMATIONS)
    parser.add_argument("--law", choices=laws, default=laws[0], help="what replays `full` data")
    parser.add_argument("--beacon", help="URL of a beacon node, if the L1 node keeps no blobs")
    parser.add_argument("--final", action="store_true", help="stop at the last final batch")
    return parser.parse_args(argv)


def main(argv: Sequence[str], laws: Mapping[str, Callable[[State], Law]], codec: StateCodec) -> int:
    """Run the command; one of `laws` replays `full` data, `codec` writes the files."""
    chosen = arguments(argv, list(laws))
    try:
        with Rpc(chosen.rpc) as rpc:
            history = history_of(rpc, chosen.settlement, chosen.from_block, chosen.confirmations)
            print(f"{history.committed:,} batches stand, {len(history.logs):,} events read")
            rebuild = Rebuild(
                rpc,
                load("Settlement"),
                chosen.out,
                law=laws[chosen.law],
                codec=codec,
                primitives=NativePrimitives(),
                report=Lines(),
                source=beacon_blobs(chosen.beacon) if chosen.beacon else node_blobs,
            )
            state = rebuild.catch_up(history, history.finalized if chosen.final else None)
    except Unlawful as error:
        print(f"UNLAWFUL: {error}", file=sys.stderr)
        return UNLAWFUL
    except L1Error as error:
        print(f"novate rebuild: {error}", file=sys.stderr)
        return UNREADABLE
    print("\n".join(summary(state, history)))
    return 0
