"""The demo's last page: figures, costs on L1, and the checks that decide its exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from novate.lab.demo_audit import Costs, Judged
from novate.lab.demo_chain import DemoChain
from novate.lab.demo_fraud import Fraud
from novate.lab.demo_market import USDC
from novate.lab.demo_story import Story
from novate.spec.journal import LiquidationStage
from novate.spec.primitives import Digest
from novate.spec.state import State

LABEL: Final = 52


@dataclass(frozen=True)
class Ending:
    """Everything that is known when the demo is over."""

    story: Story
    chain: DemoChain
    fraud: Fraud
    judged: Judged
    """By the specification."""
    stood_right: bool
    """Whether the node stood at the specification's root after every kill."""
    rebuilt: State
    """From L1 alone, by the engine and by differences."""
    engine_root: Digest
    """Of the node's sequencer."""
    engine_batch: int
    claimed: int
    """micro-USDC that owners took out of the vault."""
    claims: int
    receipts_in_log: bool
    """Every acknowledged record is in the node's log as its receipt says."""
    diff_error: str
    """What the contract says when a `diff` batch is to be made final by some proof."""
    diff_final: bool
    """Whether a `diff` batch may become final."""


def paid(ending: Ending) -> int:
    """What the law paid out, micro-USDC."""
    journals = ending.judged.journals
    return sum(entry.payout for journal in journals for entry in journal.withdrawals)


def cash_of(state: State) -> int:
    """All cash less the funds' debts, micro-USDC."""
    cash = sum(account.cash for account in state.accounts.values())
    cash += sum(market.fund.cash - market.fund.debt for market in state.markets)
    return cash + sum(instrument.clearing for instrument in state.instruments.values())


def checks(ending: Ending) -> dict[str, bool]:
    """What must hold."""
    history = ending.chain.history()
    header = history.standing[history.committed].header
    state, roots = ending.judged.state, ending.judged.roots
    rebuilt = ending.rebuilt.roots
    deposited, vault = ending.story.deposited, ending.chain.vault_balance()
    assert rebuilt is not None, "a rebuilt state knows its roots"
    fraud = ending.fraud
    return {
        "cash of all holders − fund debt = deposits − paid": (
            cash_of(state) == deposited - paid(ending)
        ),
        "vault on L1 = deposits − claimed": vault == deposited - ending.claimed,
        "claimed on L1 = paid by the law": ending.claimed == paid(ending),
        "roots of every batch on L1 = specification's": ending.judged.agree,
        "root on L1 = state of the specification from scratch": header.root_after == roots.root,
        "root on L1 = engine's (the node's)": (
            (header.root_after, history.committed) == (ending.engine_root, ending.engine_batch)
        ),
        "settlement root on L1 = rebuilt from L1": (
            rebuilt.settlement_root == header.settlement_root_after == roots.settlement_root
        ),
        "cash of the state rebuilt from L1 = deposits − paid": (
            cash_of(ending.rebuilt) == deposited - paid(ending)
        ),
        "every acknowledged record is in the log, kill -9 or not": ending.receipts_in_log,
        "after every kill -9 the node stood at the specification's root": ending.stood_right,
        "the fraudulent batch was found by rebuilding from L1": fraud.found > 0,
        "neither claim nor proof of the fraud went through": (
            (fraud.claim_error, fraud.proof_error) == ("NotFinal", "EveryProofIsRejected")
        ),
        "the fraud was reverted with its successor": (fraud.reverted == 2 and history.reverts == 1),
        "the venue went on under the new fork": header.fork == history.fork == 1,
        "no diff batch became final": not ending.diff_final and bool(ending.diff_error),
    }


def show(ending: Ending, costs: dict[str, Costs], seconds: float) -> int:
    """Print everything; 0 if all checks hold."""
    print("\nData")
    for source in ending.story.data.sources:
        print(f"  {source}")
    print("\nResult")
    for name, value in figures(ending).items():
        print(f"  {name:<{LABEL}} {value:>24}")
    _show_costs(ending, costs)
    _show_times("Time by act", {**ending.story.acts_s, "all": seconds})
    _show_times("Of which", ending.story.parts_s)
    print("\nWhat this does not show")
    for line in LIMITS:
        print(f"  {line}")
    found = checks(ending)
    print("\nChecks")
    for name, holds in found.items():
        print(f"  {'ok  ' if holds else 'FAIL'}  {name}")
    root = ending.judged.roots.root
    print(f"\n  root {'-'.join(f'{word:016x}' for word in root)}")
    return 0 if all(found.values()) else 1


LIMITS: Final = (
    "The verifier on L1 rejects every proof: until the real one is deployed, diff batches stay",
    "pending and anyone may have them reverted at their deadline, and any challenger can have an",
    "honest full batch reverted. That takes nobody's money, but it holds up the venue.",
)


def figures(ending: Ending) -> dict[str, str]:
    """Counts and sums, by name."""
    story, journals = ending.story, ending.judged.journals
    traders = story.traders
    history = ending.chain.history()
    forms = Counter(
        f"{batch.header.form.name.lower()} form, {batch.polynomials[0].carrier.name.lower()}"
        for number, batch in history.standing.items()
        if number
    )
    stages = Counter(entry.stage for journal in journals for entry in journal.liquidations)
    fills = sum(len(journal.fills) for journal in journals)
    settled = sum(len(journal.settlements) for journal in journals)
    state = ending.judged.state
    return {
        "orders and quote sides signed": f"{traders.orders:,}",
        "messages taken through the door": f"{sum(traders.taken.values()):,}",
        "messages refused": f"{sum(traders.refused.values()):,}",
        "batches judged again by the specification": f"{len(journals):,}",
        "  their transactions read from L1, from disk (diff)": (
            f"{ending.judged.from_l1:,}, {len(journals) - ending.judged.from_l1:,}"
        ),
        "kills of the node (SIGKILL to every process)": f"{len(story.kills.restarts):,}",
        "receipts verified": f"{len(traders.receipts):,}",
        "fills": f"{fills:,}",
        "accounts": f"{state.system.account_count:,}",
        "instruments settled": f"{settled:,}",
        "deposits on L1, USDC": f"{story.deposited / USDC:,.2f}",
        "requests read from L1": f"{state.system.inbox_cursor:,}",
        **{f"batches on L1: {name}": f"{count:,}" for name, count in sorted(forms.items())},
        "batches final on L1": f"{history.finalized:,}",
        "reverts on L1, batches reverted": f"{history.reverts:,}, {ending.fraud.reverted:,}",
        "withdrawals paid by the law, USDC": f"{paid(ending) / USDC:,.2f}",
        "withdrawals claimed on L1": f"{ending.claims:,}",
        "withdrawals claimed on L1, USDC": f"{ending.claimed / USDC:,.2f}",
        "vault on L1, USDC": f"{ending.chain.vault_balance() / USDC:,.2f}",
        **{
            f"liquidation: {stage.name.lower().replace('_', ' ')}": f"{stages[stage]:,}"
            for stage in LiquidationStage
        },
        "cash in (deposits − paid), micro-USDC": f"{story.deposited - paid(ending):,}",
        "cash out (all holders − debt), micro-USDC": f"{cash_of(state):,}",
    }


def _show_times(title: str, spent: Mapping[str, float]) -> None:
    """Seconds by name."""
    print(f"\n{title}")
    for name, seconds in spent.items():
        print(f"  {name:<{LABEL}} {seconds:>22.1f} s")


def _show_costs(ending: Ending, costs: dict[str, Costs]) -> None:
    """Gas of each kind of call; bytes and gas per fill by form."""
    print("\nGas on L1, by call")
    print(f"  {'':<{LABEL - 14}} {'calls':>8} {'least':>9} {'mean':>9} {'most':>9}")
    for name, used in sorted(ending.chain.gas.items()):
        mean = round(sum(used) / len(used))
        print(f"  {name:<{LABEL - 14}} {len(used):>8,} {min(used):>9,} {mean:>9,} {max(used):>9,}")
    print("\nBatches on L1 (verification of proofs excluded: there is no verifier yet)")
    print(f"  {'form, carrier':<20} {'batches':>8} {'fills':>8} {'bytes/fill':>11} {'gas/fill':>9}")
    for name, cost in sorted(costs.items()):
        per_fill = (
            (f"{cost.data_bytes / cost.fills:,.1f}", f"{cost.gas / cost.fills:,.0f}")
            if cost.fills
            else ("-", "-")
        )
        print(
            f"  {name:<20} {cost.batches:>8,} {cost.fills:>8,} {per_fill[0]:>11} {per_fill[1]:>9}"
        )
