"""The journal: what happened in a batch, as typed lists in table order.

Public data, witness, node, L1 calls and displays read it and nothing else. It decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from novate.spec.messages.batch import Fill
from novate.spec.messages.inbox import Request
from novate.spec.state import Account, Roots, Snapshot, State


class SnapshotOutcome(IntEnum):
    """What became of a quorum of reports."""

    ACCEPTED = 0
    HALTED = 1
    """It jumped too far: the market is halted."""
    PENDING = 2
    """The market is halted; one more agreeing (or a first disagreeing) snapshot."""
    RESUMED = 3
    """Enough agreeing snapshots: accepted, the halt is over."""


class SnapshotEntry(NamedTuple):
    """One quorum, its median and its outcome."""

    underlying: int
    median: Snapshot
    outcome: SnapshotOutcome
    smiles_refused: tuple[int, ...]
    """Expiry days whose median smile was not admissible; the last one ages."""


class FundingEntry(NamedTuple):
    """One funding step of a perpetual."""

    instrument: int
    rate_ppm: int
    seconds: int
    long_cash: int
    """Change of the long side's accumulator."""
    short_cash: int


class SettlementEntry(NamedTuple):
    """An instrument got its settlement value."""

    instrument: int
    value: int
    by_expiry: bool
    """False: deleveraging emptied a side."""


class RequestOutcome(IntEnum):
    """What became of an inbox request."""

    DONE = 0
    REFUNDED = 1
    """A deposit that could not be credited became a withdrawal to its sender."""
    DEFERRED = 2
    """A forced close the fund cannot take: may be repeated with factors after the wait."""
    MARKED = 3
    """A forced liquidation set the liquidation status."""
    NO_OP = 4


class RequestEntry(NamedTuple):
    """One inbox request and its outcome."""

    request: Request
    outcome: RequestOutcome
    reason: str
    """Why a no-op is one; empty otherwise."""


class ChangeEntry(NamedTuple):
    """A change of key, epoch or tier."""

    account: int
    kind: str
    value: int


class FillEntry(NamedTuple):
    """One fill with the accounts it touched and the fees it charged."""

    fill: Fill
    buyer: int
    """Account, or −1 − underlying for a fund."""
    seller: int
    buyer_fee: int
    seller_fee: int


class LedgerRow(NamedTuple):
    """One change of one holder's position and cash."""

    holder: int
    """Account, or −1 − underlying for a fund."""
    instrument: int
    sequence: int
    quantity: int
    """Change, lots."""
    cash: int
    """Change, micro-USDC, fees excluded."""
    running: int
    """Position after it."""


class LazyFlow(NamedTuple):
    """Deleveraging, funding and settlement that reached a holder when touched."""

    holder: int
    instrument: int
    quantity_before: int
    quantity_after: int
    cash: int


class LiquidationStage(IntEnum):
    """Stages of the waterfall."""

    STATUS_SET = 0
    STATUS_CLEARED = 1
    STEP = 2
    TAKEOVER = 3
    DELEVERAGE = 4
    FUND_DEBT = 5
    FUND_DELEVERAGE = 6


class LiquidationEntry(NamedTuple):
    """One event of the waterfall."""

    stage: LiquidationStage
    holder: int
    underlying: int
    """−1: the account as a whole."""
    amount: int
    """Penalty (takeover), deficit met (deleverage), debt added (fund debt), lots (step)."""


class DeleverageEntry(NamedTuple):
    """One position closed against the other side by factor."""

    holder: int
    instrument: int
    quantity: int
    price: int
    factor_before: int
    factor_after: int


class TransferEntry(NamedTuple):
    """Cash or a position moved between accounts."""

    sender: int
    recipient: int
    amount: int
    instrument: int
    """−1 for cash."""
    quantity: int


class WithdrawalEntry(NamedTuple):
    """A payment L1 owes."""

    account: int
    """−1 for a refunded deposit."""
    recipient: int
    """L1 address."""
    debit: int
    payout: int


class Health(NamedTuple):
    """Equity, maintenance and initial margin of a holder at one set of views, micro-USDC."""

    equity: int
    maintenance: int
    initial: int


class MarginEntry(NamedTuple):
    """The margin rule applied to one account at the end of a round."""

    account: int
    before: Health
    after: Health
    gave: int
    """Value given away beyond flows."""
    risk_reducing: bool


@dataclass
class Journal:
    """Everything that happened in one batch, in order."""

    snapshots: list[SnapshotEntry] = field(default_factory=list)
    funding: list[FundingEntry] = field(default_factory=list)
    settlements: list[SettlementEntry] = field(default_factory=list)
    requests: list[RequestEntry] = field(default_factory=list)
    changes: list[ChangeEntry] = field(default_factory=list)
    fills: list[FillEntry] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    flows: list[LazyFlow] = field(default_factory=list)
    liquidations: list[LiquidationEntry] = field(default_factory=list)
    deleverages: list[DeleverageEntry] = field(default_factory=list)
    transfers: list[TransferEntry] = field(default_factory=list)
    withdrawals: list[WithdrawalEntry] = field(default_factory=list)
    margins: list[MarginEntry] = field(default_factory=list)
    accounts_before: dict[int, Account | None] = field(default_factory=dict)
    """Leaves of every account changed, as they were (None: not opened)."""
    roots_before: Roots | None = None
    roots_after: Roots | None = None
    before: State | None = None
    after: State | None = None
