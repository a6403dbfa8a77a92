"""Four order books make the same fills of the same orders.

    novate claims book --count 1000000 --seed 1

The reference, the compiled books, orderly-chaos and pyorderbook take the same streams: the whole
BTCUSDT recording as order flow, then plain generated streams until `count` operations went through
all four. Fills (maker, taker, price, quantity) are compared one by one, levels at the end of each
stream. Beside it, reference and compiled take wild streams, at least four, of `count` / 5
operations, which use everything that ours do, every other one under an admission that refuses and
cuts: there all events are compared.

A stream is a function of seed and number. The sums after each stream are kept in
build/claims/book.json: a run that was cut off goes on there. Exit status 1 when two books differ,
a kind of event or a reason was not met, or the recording is absent.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from novate.book.admission import Admit, Candidate, Positions, Verdict, admit_all
from novate.book.compiled import CompiledExchange
from novate.book.events import Event, Filled, Reason
from novate.book.exchange import Exchange
from novate.book.operations import Operation, OperationKind
from novate.book.orders import Side
from novate.book.packed import pack_operations, unpack_events
from novate.lab.market_replay import MarketReplay, ReplaySettings
from novate.lab.order_flow import plain_flow, wild_flow
from novate.lab.progress import Progress
from tests.book.peers import PEERS, Fill

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "build" / "claims" / "book.json"
RECORDING = ROOT.parent / "shared" / "data" / "trades_book"
JUDGED = (
    *(ROOT / "src" / "novate" / "book", ROOT / "native" / "book" / "src"),
    *(ROOT / "src" / "novate" / "lab" / name for name in ("order_flow.py", "market_replay.py")),
)
INSTRUMENT = 7
PLAIN_LENGTH = 50_000
WILD_LENGTH = 10_000
WILD_SHARE = 5
"""Of so many operations through all four books, one more goes through ours alone."""

WILD_STREAMS_MIN = 4
"""So many meet every reason, with and without admission."""

State = dict[str, Any]


def code_digest() -> str:
    """A digest of books and streams: a run goes on only under those it began with."""
    digest = hashlib.sha256()
    for room in JUDGED:
        for path in [room] if room.is_file() else sorted(room.rglob("*.[pr][ys]")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load(seed: int, fresh: bool) -> State:
    """The sums of an earlier run of this seed and code, or empty ones."""
    empty: State = {"seed": seed, "code": code_digest(), "streams": Counter()}
    if STATE.exists() and not fresh:
        earlier: State = json.loads(STATE.read_text())
        if all(earlier.get(key) == empty[key] for key in ("seed", "code")):
            return earlier
    return {**empty, "counts": {}, "differences": []}


def save(state: State) -> None:
    """Keep the sums, whole or not at all."""
    beside = STATE.with_suffix(".new")
    beside.write_text(json.dumps(state))
    os.replace(beside, STATE)


def add(state: State, name: str, counts: Counter[str], differences: list[str]) -> None:
    """Add one stream to the sums."""
    streams = Counter(state["streams"])
    streams[name] += 1
    state["streams"] = dict(streams)
    total = Counter(state["counts"].get(name, {}))
    total.update(counts)
    state["counts"][name] = dict(sorted(total.items()))
    state["differences"] += differences
    save(state)


def operations_through_all(state: State) -> int:
    """Operations that went through all four books so far."""
    return sum(state["counts"].get(name, {}).get("operations", 0) for name in ("real", "plain"))


def wild_operations(state: State) -> int:
    """Operations that went through our two books alone."""
    return int(state["counts"].get("wild", {}).get("operations", 0))


def fills_of(events: Sequence[Event]) -> list[Fill]:
    """The fills among events."""
    return [
        (event.maker_order_id, event.taker_order_id, event.price, event.quantity)
        for event in events
        if isinstance(event, Filled)
    ]


def levels_of(exchange: Exchange | CompiledExchange, side: Side) -> list[tuple[int, int, int]]:
    """All levels of a side."""
    return [tuple(level) for level in exchange.book(INSTRUMENT).depth(side, 1 << 20)]


def first_difference(where: str, expected: Sequence[object], found: Sequence[object]) -> list[str]:
    """Where two sequences part, if they do."""
    if expected == found:
        return []
    pairs = enumerate(zip_longest(expected, found))
    place, (one, other) = next((at, pair) for at, pair in pairs if pair[0] != pair[1])
    return [f"{where}: {place} is {one} and {other}"]


def cut_some(candidate: Candidate) -> Verdict:
    """An admission that is a function of what it is asked."""
    order = candidate.order
    draw = (order.order_id * 7 + order.account + candidate.stage * 3 + candidate.quantity) % 9
    if draw == 0:
        return Verdict(0, "refused")
    if draw == 1 and candidate.quantity > 1:
        return Verdict(candidate.quantity - 1, "cut")
    return Verdict(candidate.quantity)


def run_ours(
    operations: list[Operation], admit: Admit | None = None
) -> tuple[Exchange, CompiledExchange, list[list[Event]]]:
    """Both of our books after a stream, and the events of each."""
    positions = Positions()
    reference = Exchange(admit or admit_all, positions.position, positions.listen)
    compiled = CompiledExchange(admit)
    packed = compiled.run_packed(pack_operations(operations))
    events = [reference.run(operations), unpack_events(packed, compiled.reasons.name)]
    return reference, compiled, events


def through_all(where: str, operations: list[Operation]) -> tuple[Counter[str], list[str]]:
    """One stream through all four books: counts, and where they differ."""
    reference, compiled, (expected, found) = run_ours(operations)
    differences = first_difference(f"{where}, events of compiled", expected, found)
    fills = fills_of(expected)
    levels = [levels_of(reference, side) for side in Side]
    found_levels = [levels_of(compiled, side) for side in Side]
    differences += first_difference(f"{where}, levels of compiled", levels, found_levels)
    for name, make in PEERS.items():
        peer = make()
        told = [fill for operation in operations for fill in peer.apply(operation)]
        differences += first_difference(f"{where}, fills of {name}", fills, told)
        of_peer = [peer.levels(side) for side in Side]
        differences += first_difference(f"{where}, levels of {name}", levels, of_peer)
    counts = Counter({"operations": len(operations), "fills": len(fills)})
    counts["lots"] = sum(quantity for *_, quantity in fills)
    counts.update(f"operation {OperationKind(o.kind).name.lower()}" for o in operations)
    return counts, differences


def through_ours(
    where: str, operations: list[Operation], admit: Admit | None
) -> tuple[Counter[str], list[str]]:
    """One wild stream through our two books: counts, and where they differ."""
    _, _, (expected, found) = run_ours(operations, admit)
    differences = first_difference(where, expected, found)
    counts = Counter({"operations": len(operations)})
    counts.update(f"operation {OperationKind(o.kind).name.lower()}" for o in operations)
    counts.update(f"event {type(event).__name__.lower()}" for event in expected)
    reasons = (event.reason for event in expected if not isinstance(event, Filled))
    counts.update(f"reason {reason}" for reason in reasons if reason)
    return counts, differences


def real_operations() -> list[Operation]:
    """The whole recording."""
    accounts = ReplaySettings(INSTRUMENT, range(100, 116), range(200, 216))
    return list(MarketReplay.from_folder(RECORDING, accounts).operations())


def run(state: State, count: int) -> None:
    """Add streams until there are enough."""
    progress = Progress()
    progress.stage(f"seed {state['seed']}, code {state['code']}")
    if RECORDING.is_dir() and "real" not in state["streams"]:
        add(state, "real", *through_all("recording", real_operations()))
    while (done := operations_through_all(state)) < count and not state["differences"]:
        number = state["streams"].get("plain", 0)
        stream = plain_flow(state["seed"] * 1_000_003 + number, PLAIN_LENGTH, INSTRUMENT)
        add(state, "plain", *through_all(f"plain stream {number}", list(stream)))
        progress.at(done, count, f"{done:,} operations through four books")
    while not state["differences"] and (
        (done := wild_operations(state)) < count // WILD_SHARE
        or state["streams"].get("wild", 0) < WILD_STREAMS_MIN
    ):
        number = state["streams"].get("wild", 0)
        requests = wild_flow(state["seed"] * 1_000_003 + number, WILD_LENGTH)
        stream = [record for request in requests for record in request]
        admit = cut_some if number % 2 else None
        add(state, "wild", *through_ours(f"wild stream {number}", stream, admit))
        progress.at(done, count // WILD_SHARE, f"{done:,} wild operations")


def missing(state: State) -> list[str]:
    """What the run should have met and did not."""
    wild = state["counts"].get("wild", {})
    expected = [f"event {kind}" for kind in ("accepted", "rejected", "filled", "cancelled")]
    expected += ["event amended", *(f"reason {reason}" for reason in Reason if reason)]
    found = [f"{what} not met" for what in expected if not wild.get(what)]
    if "real" not in state["streams"]:
        found.append(f"no recording at ../{RECORDING.relative_to(ROOT.parent)}")
    return found


def table(state: State) -> str:
    """All counts."""
    lines = []
    for name, counts in state["counts"].items():
        lines.append(f"{name}, {state['streams'][name]} streams:")
        lines += [f"  {many:12,}  {what}" for what, many in counts.items()]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the claim, print the counts; 1 if something differs or is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="operations through all four")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    state = load(arguments.seed, arguments.fresh)
    try:
        run(state, arguments.count)
    except KeyboardInterrupt:
        done = operations_through_all(state)
        print(f"stopped at {done:,}; the same command goes on from there")
        return 130
    print(table(state))
    wrong = state["differences"] + missing(state)
    print("\n".join(wrong) or "no differences, nothing missing")
    if arguments.out:
        summary = {**state, "books": ["reference", "compiled", *PEERS], "missing": missing(state)}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
