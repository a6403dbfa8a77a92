"""What every random action works with: chance, the venue, the crowd, and a tally of outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from novate.lab.generator.crowd import Crowd, TrustingPrimitives
from novate.lab.generator.weather import MarketPath, Mood
from novate.lab.venue import Venue
from novate.lab.worlds import World
from novate.spec.draft import Draft
from novate.spec.errors import LawError
from novate.spec.holders import touch_account, touch_fund
from novate.spec.journal import Health
from novate.spec.messages.orders import SignedOrder
from novate.spec.primitives import Primitives
from novate.spec.state import Account, State
from novate.spec.valuation import account_health, health, is_fresh

MakeVenue = Callable[[State, Primitives, Primitives | None], Venue]
"""A venue at a state: what judges batches, then what judges records one by one."""


@dataclass
class Tally:
    """Outcomes so far. `aimed` ones were meant to be refused for exactly that reason."""

    accepted: Counter[str] = field(default_factory=Counter)
    """Accepted transactions by kind."""
    features: Counter[str] = field(default_factory=Counter)
    """What accepted transactions had in them, and events of the journal."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by `kind:reason`, proven no-ops of the inbox included."""
    aimed: Counter[str] = field(default_factory=Counter)
    """Refusals that were aimed at, by reason."""
    surprises: list[str] = field(default_factory=list)
    """Aimed records that were accepted, or refused for another reason."""

    def refuse(self, kind: str, reason: str, expected: str) -> None:
        """Count a refusal and compare it with what was expected ('' expects nothing)."""
        self.refused[f"{kind}:{reason}"] += 1
        if expected and reason != expected:
            self.surprises.append(f"{kind}: expected {expected}, got {reason}")
        elif expected:
            self.aimed[reason] += 1


class Stage:
    """One world while it runs."""

    def __init__(
        self,
        rng: Random,
        world: World,
        primitives: TrustingPrimitives,
        make_venue: MakeVenue = Venue,
    ) -> None:
        """A venue that has sealed nothing yet."""
        self.rng = rng
        self.world = world
        self.primitives = primitives
        self.crowd = Crowd(primitives)
        self.venue = make_venue(world.state, primitives.real, primitives)
        self.tally = Tally()
        self.paths: list[MarketPath] = []
        self.mood: Mood
        self.fills_left = 0
        self.requests_left = 0
        self.resting: list[tuple[SignedOrder, int]] = []
        """Orders not wholly filled, with the lots left when they were last seen."""
        self.places: dict[SignedOrder, int] = {}
        """Orders of the open round by their place in its book."""
        self.wallets_made = 0
        self._health: dict[int, Health] = {}

    @property
    def draft(self) -> Draft:
        """The open batch's draft."""
        return self.venue.draft

    @property
    def time(self) -> int:
        """Time of the open round."""
        return self.venue.round.state.time

    def attempt(self, kind: str, action: Callable[[], object], expected: str = "") -> bool:
        """Run an action and count a refusal; whether it was accepted."""
        try:
            action()
        except LawError as error:
            self.tally.refuse(kind, error.reason, expected)
            return False
        if expected:
            self.tally.surprises.append(f"{kind}: expected {expected}, was accepted")
        return True

    def begin_round(self) -> None:
        """Forget what belongs to the round before."""
        self.places.clear()
        self._health.clear()

    def acted(self, *accounts: int) -> None:
        """The health of these accounts has changed."""
        for account in accounts:
            self._health.pop(account, None)

    def health(self, index: int) -> Health:
        """Health of an account, as if it were touched now; remembered within the round."""
        found = self._health.get(index)
        if found is None:
            checkpoint = self.draft.checkpoint()
            account = touch_account(self.draft, index)
            found = account_health(self.venue.round.state.views, account)
            self.draft.rollback(checkpoint)
            self._health[index] = found
        return found

    def up_to_date(self, index: int) -> Account:
        """The account as a touch would leave it."""
        checkpoint = self.draft.checkpoint()
        account = touch_account(self.draft, index)
        self.draft.rollback(checkpoint)
        return account

    def fund_health(self, underlying: int) -> Health:
        """Health of a fund, as if it were touched now."""
        checkpoint = self.draft.checkpoint()
        fund = touch_fund(self.draft, underlying)
        found = health(self.venue.round.state.views, fund.cash, fund.positions)
        self.draft.rollback(checkpoint)
        return found

    def accounts(self) -> range:
        """Indices of all accounts but the treasury."""
        return range(1, self.draft.system.account_count)

    def traders(self) -> list[int]:
        """Accounts somebody can sign for, not in liquidation."""
        draft = self.draft
        return [
            index
            for index in self.accounts()
            if self.crowd.wallet(draft, index) is not None
            and draft.account(index).liquidation_since == 0
        ]

    def siblings(self, index: int) -> list[int]:
        """Other accounts of the same owner."""
        owner = self.draft.account(index).owner
        return [k for k in self.accounts() if k != index and self.draft.account(k).owner == owner]

    def is_halted(self, underlying: int) -> bool:
        """Whether a market is halted now."""
        return self.draft.market(underlying).halt.since != 0

    def list_is_full(self) -> bool:
        """Whether no further instrument may be opened."""
        return len(self.draft.instruments) >= self.draft.preset.open_instruments_max

    def is_fresh(self, underlying: int) -> bool:
        """Whether a market's snapshot is new enough to close positions without a signature."""
        return is_fresh(self.draft, underlying)

    def fresh_wallet(self) -> str:
        """A seed for one more wallet of this world; few, so that processes derive each once."""
        self.wallets_made += 1
        return f"user {self.wallets_made % 64}"
