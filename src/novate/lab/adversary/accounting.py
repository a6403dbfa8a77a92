"""What a group of accounts has extracted: its gain beyond its deposits and what markets gave it.

Value of an account at fair prices p (`truth`), exact, with all that waits for its next touch:

    V(a, S, p) = cash + Σ over positions  q0·(K − K0)/C0 + q0·(C/C0)·p

Prices move only between records, records act only at constant prices. Over an episode S0 … Sn with
prices p0 … pn, where S_k is the state when prices move from p_(k−1) to p_k,

    market(G)     = Σ_k V(G, S_k, p_k) − V(G, S_k, p_(k−1))
    extraction(G) = V(G, Sn, pn) − V(G, S0, p0) − deposits + payouts − market(G)
                    + fees paid (a rebate counts against)
                    + Σ over accounts of max(0, −V(a, Sn, pn)) − allowances

The last sum is limited liability: an account that owes more than it has is left behind. Allowances
are what the law promises to whoever takes the other side, each with its own figure in the report:

    liquidation   a step may cost the account stepped on up to the takeover penalty on the
                  maintenance margin it frees; a fund that sells, `fund_loss_ppm` of it
    dust          the fraction of a lot bought out at the instrument's mark of the last batch: a
                  lot times what that mark may have moved since
    funding       where the premium is not 0, what the oracle's rate says (it is a market move)

For the maker and the users losses are judged: −extraction, where the same figures, the penalty of a
takeover, and one micro-USDC for each touch of a position, are allowed as losses. They trade at fair
prices or better, by their own signature.

Nothing else is allowed, so with prices inside the margin grid extraction must not be positive:
rounding is always against the holder, and all of it is counted here exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from novate.lab.adversary.truth import Truth
from novate.spec.draft import Draft
from novate.spec.holders import side_of
from novate.spec.journal import Journal, LiquidationStage
from novate.spec.state import Account, InstrumentState

DUST_MOVE_PPM = 70_000
"""The most that a mark moves between two batches inside the grid, ppm of index."""


def account_value(draft: Draft, truth: Truth, account: Account) -> Fraction:
    """V(a, S, p), exact."""
    total = Fraction(account.cash)
    for position in account.positions:
        state: InstrumentState = draft.instruments[position.instrument]
        side = side_of(state, position.quantity)
        price = truth.mark(state)
        held = abs(position.quantity)
        lots = position.quantity * side.factor * price
        total += Fraction(held * (side.cash - position.cash) + lots, position.factor)
    return total


@dataclass
class Books:
    """The running sums of one group."""

    accounts: tuple[int, ...]
    market: Fraction = Fraction(0)
    started: Fraction = Fraction(0)
    deposits: int = 0
    payouts: int = 0
    fees: int = 0
    allowed: dict[str, Fraction] = field(default_factory=dict)
    sign: int = 1
    """1: gains are judged; −1: losses are, and allowances are losses the law lets happen."""

    def values(self, draft: Draft, truth: Truth) -> list[Fraction]:
        """V of each account of the group."""
        return [account_value(draft, truth, draft.account(index)) for index in self.accounts]

    def value(self, draft: Draft, truth: Truth) -> Fraction:
        """V of the group."""
        return sum(self.values(draft, truth), Fraction(0))

    def allow(self, kind: str, amount: Fraction) -> None:
        """Add an allowance."""
        self.allowed[kind] = self.allowed.get(kind, Fraction(0)) + self.sign * amount

    def read(self, journal: Journal, truth: Truth) -> None:
        """Add up a batch's fees, payouts and bought-out dust of the group."""
        mine = set(self.accounts)
        for fill in journal.fills:
            self.fees += fill.buyer_fee * (fill.buyer in mine)
            self.fees += fill.seller_fee * (fill.seller in mine)
        for payment in journal.withdrawals:
            self.payouts += payment.payout * (payment.account in mine)
        for event in journal.liquidations:
            if event.stage == LiquidationStage.TAKEOVER and event.holder in mine and self.sign < 0:
                self.allow("penalty", Fraction(event.amount))
        index = max(quote.index_price for quote in truth.quotes)
        for flow in journal.flows:
            if flow.holder in mine and self.sign < 0:
                self.allow("rounding", Fraction(1))
            if flow.holder in mine and flow.quantity_before != flow.quantity_after:
                self.allow("dust", Fraction(index * DUST_MOVE_PPM, 1_000_000))

    def extraction(self, draft: Draft, truth: Truth) -> Fraction:
        """What the group gained beyond everything it may gain; see the module's formula."""
        values = self.values(draft, truth)
        left_behind = sum((-value for value in values if value < 0), Fraction(0))
        gain = sum(values, Fraction(0)) - self.started - self.deposits + self.payouts
        allowed = sum(self.allowed.values(), Fraction(0))
        return gain - self.market + self.fees + left_behind - allowed
