"""`novate demo`: clears a recorded market by the law, and shows that nothing was lost."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter

from novate.lab.demo_data import load
from novate.lab.demo_market import DemoMarket, cast, conserved
from novate.lab.demo_story import PERPETUAL, Story
from novate.lab.market_replay import ReplaySettings
from novate.lab.progress import Progress
from novate.spec.commitment import commit
from novate.spec.journal import LiquidationStage
from novate.spec.public_data.diff import apply_diff
from novate.spec.public_data.full import replay_full
from novate.spec.state import State

USDC = 1_000_000


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 if every check at the end holds."""
    parser = argparse.ArgumentParser(prog="novate demo", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=int,
        default=345,
        help="seconds of the session to replay (default: all 345)",
    )
    arguments = parser.parse_args(argv)
    started = perf_counter()
    progress = Progress()
    roles = cast()
    settings = ReplaySettings(PERPETUAL, roles.perpetual_makers, roles.takers)
    progress.stage("reading market data")
    data = load(settings, arguments.seconds)
    for source in data.sources:
        progress.say(source)
    market = DemoMarket(data)
    story = Story(market, progress)
    acts: list[tuple[str, Callable[[], None]]] = [
        ("opening: deposits, keys, first snapshots", story.opening),
        (f"session: {arguments.seconds} s of order flow, options quoted and taken", story.session),
        ("expiry: averaging window, settlement, payment", story.expiry),
        ("crash hour: liquidations", story.crash),
        ("leaving: withdrawals", story.leaving),
    ]
    for title, act in acts:
        progress.stage(title)
        act()
    progress.stage("rebuilding the state from public data")
    rebuilt = rebuild(market, progress)
    return print_result(market, story, rebuilt, perf_counter() - started)


def rebuild(market: DemoMarket, progress: Progress) -> tuple[State, State]:
    """The last state from `full` data replayed, and from `diff` data applied, from genesis."""
    started = perf_counter()
    replayed = market.genesis
    for number, data in enumerate(market.full):
        replayed = replay_full(replayed, data, market.primitives)
        progress.at(number, len(market.full), "full data replayed")
    market.add_time("rebuild from full data", started)
    started = perf_counter()
    applied = market.genesis
    for data in market.diff:
        applied = apply_diff(applied, data)
    market.add_time("rebuild from diff data", started)
    return replayed, applied


def print_result(
    market: DemoMarket, story: Story, rebuilt: tuple[State, State], seconds: float
) -> int:
    """The table; 0 if money and roots agree."""
    state = market.venue.state
    cash, backing = conserved(market)
    roots = commit(state, market.primitives)
    replayed, applied = (commit(other, market.primitives) for other in rebuilt)
    checks = {
        "cash of all holders − fund debt = deposits − paid": cash == backing,
        "roots: last batch = state from scratch": roots == state.roots,
        "roots: state replayed from full data": replayed == roots,
        "settlement root: state from diff data": applied.settlement_root == roots.settlement_root,
    }
    print("\nData")
    for source in market.data.sources:
        print(f"  {source}")
    print("\nResult")
    for name, value in figures(market, story).items():
        print(f"  {name:<44} {value:>24}")
    print(f"  {'cash in (deposits − paid), micro-USDC':<44} {backing:>24,}")
    print(f"  {'cash out (all holders − debt), micro-USDC':<44} {cash:>24,}")
    print("\nTime by stage")
    for name, spent in sorted(market.stage_s.items(), key=lambda item: -item[1]):
        print(f"  {name:<44} {spent:>22.1f} s")
    print(f"  {'all':<44} {seconds:>22.1f} s")
    print("\nChecks")
    for name, holds in checks.items():
        print(f"  {'ok  ' if holds else 'FAIL'}  {name}")
    print(f"\n  root {'-'.join(f'{word:016x}' for word in roots.root)}")
    return 0 if all(checks.values()) else 1


def figures(market: DemoMarket, story: Story) -> dict[str, str]:
    """Counts and sizes, by name."""
    journals = market.journals
    fills = sum(len(journal.fills) for journal in journals)
    stages = Counter(entry.stage for journal in journals for entry in journal.liquidations)
    busy = [place for place, journal in enumerate(journals) if journal.fills]
    full = sum(len(market.full[place]) for place in busy)
    diff = sum(len(market.diff[place]) for place in busy)
    settled = sum(len(journal.settlements) for journal in journals)
    paid = sum(entry.payout for journal in journals for entry in journal.withdrawals)
    return {
        "orders and quote sides signed and verified": f"{story.desk.orders:,}",
        "fills": f"{fills:,}",
        "fills refused by the law": f"{sum(story.desk.refused.values()):,}",
        "batches": f"{len(journals):,}",
        "accounts": f"{market.venue.state.system.account_count:,}",
        "instruments settled": f"{settled:,}",
        "withdrawals paid, USDC": f"{paid / USDC:,.2f}",
        "bytes per fill, full form": f"{full / max(fills, 1):,.1f}",
        "bytes per fill, diff form": f"{diff / max(fills, 1):,.1f}",
        **{
            f"liquidation: {stage.name.lower().replace('_', ' ')}": f"{stages[stage]:,}"
            for stage in LiquidationStage
        },
    }
