"""Counting what happened, from batch and journal alone: independent of who proposed it."""

from __future__ import annotations

from collections import Counter

from novate.lab.generator.stage import Tally
from novate.spec.journal import Journal, RequestOutcome
from novate.spec.messages.batch import Batch, SideKind
from novate.spec.messages.orders import OrderFlags
from novate.spec.state import State

SNAPSHOT_KINDS = ("accepted", "halted", "pending", "resumed")
REQUEST_KINDS = (
    "Deposit",
    "Deposit refunded",
    "FundDeposit",
    "FundDeposit refunded",
    "RegisterKey",
    "AllowOwner",
    "ForcedWithdrawal",
    "ForcedClose",
    "ForcedClose deferred",
    "ForcedLiquidation",
    "ForcedLiquidation marked",
    "ForcedCancel",
)
KINDS = (
    *(f"Snapshot {outcome}" for outcome in SNAPSHOT_KINDS),
    *REQUEST_KINDS,
    "SignedRotateKey",
    "SignedCancelAll",
    "SetTier",
    "Touch",
    "Liquidate",
    "DeleverageFund",
    "Trade",
    "Transfer",
    "MovePosition",
    "Withdrawal",
    "fork raised",
    "parameters changed",
    "slots reset",
)
"""Every kind of accepted transaction; each counts once for each record."""


def count_journal(tally: Tally, before: State, batch: Batch, journal: Journal) -> None:
    """Add one batch to the tally."""
    tally.accepted.update(accepted_kinds(before, batch, journal))
    tally.features.update(events(journal))
    tally.features.update(trade_features(batch))


def accepted_kinds(before: State, batch: Batch, journal: Journal) -> Counter[str]:
    """Accepted transactions of a batch by kind; proven no-ops are not among them."""
    found: Counter[str] = Counter()
    for snapshot in journal.snapshots:
        found[f"Snapshot {SNAPSHOT_KINDS[snapshot.outcome]}"] += 1
    for entry in journal.requests:
        if entry.outcome != RequestOutcome.NO_OP:
            done = entry.outcome == RequestOutcome.DONE
            name = type(entry.request).__name__
            found[name if done else f"{name} {entry.outcome.name.lower()}"] += 1
    for content in batch.rounds:
        found.update(type(change).__name__ for change in content.changes)
        found.update(type(due).__name__ for due in content.due)
        found["Trade"] += len(content.trades)
        found.update(type(move.message).__name__ for move in content.moves)
    found["fork raised"] += batch.fork > before.system.fork
    found["parameters changed"] += batch.parameters is not None
    found["slots reset"] += batch.reset_slots
    return found


def events(journal: Journal) -> Counter[str]:
    """Events of the journal by name."""
    found: Counter[str] = Counter()
    found["funding step"] += len(journal.funding)
    found["lazy flow"] += len(journal.flows)
    found["smile refused"] += sum(len(entry.smiles_refused) for entry in journal.snapshots)
    for settlement in journal.settlements:
        found["settled by expiry" if settlement.by_expiry else "settled by deleveraging"] += 1
    for event in journal.liquidations:
        found[f"liquidation {event.stage.name.lower()}"] += 1
    for withdrawal in journal.withdrawals:
        found["payout cut by fund debt"] += withdrawal.payout < withdrawal.debit
    found["position deleveraged"] += len(journal.deleverages)
    return found


def trade_features(batch: Batch) -> Counter[str]:
    """What the trades of a batch are made of."""
    found: Counter[str] = Counter()
    for content in batch.rounds:
        for trade in content.trades:
            found["trade of several legs"] += len(trade.fills) > 1
            for fill in trade.fills:
                for side in (fill.buyer, fill.seller):
                    found[f"side by {side.kind.name.lower()}"] += 1
                    if side.kind == SideKind.ORDER:
                        order, authorization = content.orders[side.number]
                        found["reduce-only order"] += bool(order.flags & OrderFlags.REDUCE_ONLY)
                        found["triggered order"] += order.trigger_price != 0
                        found["order by session key"] += authorization.certificate is not None
    return found
