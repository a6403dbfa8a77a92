"""Where an episode is played: a venue without cryptography, honest bystanders, and watchers.

Accounts: 1 to 4 collude (1, 2 and 3 of one owner, 4 of another), 5 makes markets at fair price ±
a spread, 6 to 8 are users who hold leveraged positions. Watchers touch every account under each new
snapshot and take over or deleverage whoever is due; the operator may hold them back from users, who
can then be stepped on, but not from colluders: anybody may force that from L1.

A round without a snapshot is judged at the last one. Up to 30 seconds that is still called fair
(`truth` stands still); after that prices move on without the venue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

from novate.lab.adversary.accounting import Books
from novate.lab.adversary.truth import Quote, Truth
from novate.lab.venue import Venue
from novate.lab.worlds import next_expiry, oracle_wallets, parameters
from novate.spec.batch import check_prices_of_requests, finish_batch
from novate.spec.errors import LawError
from novate.spec.genesis import genesis
from novate.spec.instruments import expiry_time
from novate.spec.messages.batch import DeleverageFund, Liquidate, Touch
from novate.spec.messages.inbox import Request
from novate.spec.oracle import SNAPSHOT_AGE_MAX_S
from novate.spec.parameters import Parameters
from novate.spec.presets import MINIMAL
from novate.spec.primitives import Digest, SignatureCheck
from novate.spec.risk_parameters import MINIMAL_RISK
from novate.spec.rounding import PPM
from novate.spec.state import Account, Fund, State
from novate.spec.transactions.inbox import apply_request

COLLUDERS = (1, 2, 3, 4)
MAKER = 5
USERS = (6, 7, 8)
OWNERS = {1: 11, 2: 11, 3: 11, 4: 14, MAKER: 15, 6: 16, 7: 17, 8: 18}
USDC = 1_000_000
MAKER_CASH = 50_000_000 * USDC
LONG_JUMP_S = 3_600
"""After so long without a round, what a snapshot settles is a market move of its own."""


class NoCryptography:
    """`Primitives` that accept every signature and hash everything to nothing."""

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """A constant for each."""
        return [(1, 1, 1, 1)] * len(rows)

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """A constant for each."""
        return [(1, 1, 1, 1)] * len(pairs)

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """True for each."""
        return [True] * len(checks)


@dataclass(frozen=True)
class Setup:
    """How an episode begins."""

    before_expiry_s: int = 79_200
    """Seconds until the next 08:00 UTC."""
    cash: tuple[int, int, int, int] = (10_000, 10_000, 10_000, 10_000)
    """USDC of each colluder."""
    users: tuple[int, int, int] = (1_000, 1_000, 1_000)
    """USDC of each user."""
    funds: tuple[int, int] = (5_000, 5_000)
    """USDC of each market's fund."""
    vol_ppm: int = 600_000
    premium_ppm: int = 0
    tiers: tuple[int, int, int, int] = (0, 0, 0, 0)


def base_parameters() -> Parameters:
    """The small world's parameters."""
    return parameters(oracle_wallets(), MINIMAL_RISK)


class Arena:
    """One episode's state, prices and books."""

    def __init__(self, setup: Setup, law: Parameters) -> None:
        """Markets open, everybody with cash, nobody with a position."""
        self.setup = setup
        self.primitives = NoCryptography()
        self.promised = base_parameters()
        """What liquidators are promised, whatever the law on trial lets them take."""
        start = expiry_time(next_expiry(1_790_000_000)) - setup.before_expiry_s
        start -= start % 5
        day = next_expiry(start)
        quotes = [
            Quote(price, setup.vol_ppm, setup.premium_ppm, price, (day, day + 1, day + 7))
            for price in (10_000_000, 400_000)
        ]
        self.day = day
        self.truth = Truth(law, start, quotes)
        self.clock = start
        self.nonce = 0
        self.hold_users = False
        self.accepted = 0
        self.re_aimed = False
        """Whether a colluder below maintenance margin traded into another portfolio."""
        self.stages: Counter[str] = Counter()
        self.fund_round: dict[int, tuple[int, int]] = {}
        """Loss and margin freed of each fund's sales to colluders in this round."""
        self.colluders = Books(COLLUDERS)
        self.honest = Books((MAKER, *USERS), sign=-1)
        self.venue = self._venue(self._genesis(law, start))
        for _ in range(law.resume_snapshots):
            self.clock += 5
            self.truth.move(5, (0, 0), 0)
            self.venue.open(self.clock, self.truth.reports())
            self.close_round()
        for books in (self.colluders, self.honest):
            books.started = books.value(self.venue.draft, self.truth)
        self.fund_started = self.rest()

    def _genesis(self, law: Parameters, start: int) -> State:
        """Genesis with cash in place of a batch of deposits."""
        setup = self.setup
        state = genesis(MINIMAL, law, 1, start)
        cash = dict(zip((*COLLUDERS, *USERS), (*setup.cash, *setup.users), strict=True))
        accounts = dict(state.accounts)
        for index, owner in sorted(OWNERS.items()):
            amount = MAKER_CASH if index == MAKER else cash[index] * USDC
            tier = setup.tiers[index - 1] if index in COLLUDERS else 0
            accounts[index] = Account(owner, cash=amount, tier=tier)
        markets = tuple(
            replace(market, fund=Fund(cash=amount * USDC))
            for market, amount in zip(state.markets, setup.funds, strict=True)
        )
        vault = sum(a.cash for a in accounts.values()) + sum(m.fund.cash for m in markets)
        system = replace(state.system, vault=vault, account_count=len(accounts))
        return replace(state, accounts=accounts, markets=markets, system=system)

    def _venue(self, state: State) -> Venue:
        """A venue with a batch open on a state."""
        venue = Venue(state, self.primitives)
        venue.begin()
        self.rounds = 0
        return venue

    def rest(self) -> int:
        """What belongs to nobody's account at face: funds less debt, and clearing balances."""
        draft = self.venue.draft
        funds = sum(market.fund.cash - market.fund.debt for market in draft.markets.values())
        return funds + sum(state.clearing for state in draft.instruments.values())

    def debt(self) -> int:
        """Fund debt of all markets."""
        return sum(market.fund.debt for market in self.venue.draft.markets.values())

    def next_nonce(self) -> int:
        """A nonce newer than every one before."""
        self.nonce += 1
        return self.nonce

    @property
    def is_fair(self) -> bool:
        """Whether every market's snapshot is the truth of now, so that the maker quotes."""
        draft = self.venue.draft
        return all(
            market.halt.since == 0 and market.current.time == self.truth.time
            for market in draft.markets.values()
        )

    def pass_time(self, seconds: int, moves: tuple[tuple[int, int], int], tells: bool) -> None:
        """Time passes and prices move; what that is worth to each group is a market move."""
        self.clock += seconds
        if not tells and self.clock - self.truth.time <= SNAPSHOT_AGE_MAX_S:
            return
        books = (self.colluders, self.honest)
        before = [book.value(self.venue.draft, self.truth) for book in books]
        self.truth.move(self.clock - self.truth.time, *moves)
        for book, value in zip(books, before, strict=True):
            book.market += book.value(self.venue.draft, self.truth) - value

    def open_round(self, seconds: int, tells: bool, requests: Sequence[Request]) -> None:
        """Open a round, with a snapshot if the operator tells, then with requests if it can."""
        if requests and self.rounds:
            self.seal()
        books = (self.colluders, self.honest)
        before = [book.value(self.venue.draft, self.truth) for book in books]
        reports = self.truth.reports() if tells else []
        try:
            self.venue.open(self.clock, reports)
        except LawError:
            self.venue.open(self.clock, [])
        if self.setup.premium_ppm or seconds >= LONG_JUMP_S:
            for book, value in zip(books, before, strict=True):
                book.market += book.value(self.venue.draft, self.truth) - value
        self.fund_round = {}
        self._take_requests(requests)

    def _take_requests(self, requests: Sequence[Request]) -> None:
        """Take each request that the law lets in at these prices."""
        opened = self.venue.round
        for request in requests:
            content = opened.content._replace(requests=(*opened.content.requests, request))
            if self.try_(partial(check_prices_of_requests, self.venue.draft, content)):
                apply_request(self.venue.draft, opened.state, request)
                opened.content = content

    def watch(self) -> None:
        """What honest watchers bring: touches, liquidations, a fund's deleveraging."""
        for index in sorted(OWNERS):
            if self.hold_users and index in USERS:
                self.try_(partial(self.venue.bring, Touch(index)))
                continue
            is_due = self.venue.draft.account(index).liquidation_since != 0
            due = Liquidate(index) if is_due else Touch(index)
            self.try_(partial(self.venue.bring, due))
        for underlying in range(len(self.truth.quotes)):
            self.try_(partial(self.venue.bring, DeleverageFund(underlying)))

    def try_(self, act: Callable[[], None]) -> bool:
        """Whether the law accepted."""
        try:
            act()
        except LawError:
            return False
        self.accepted += 1
        return True

    def close_round(self) -> None:
        """Seal the round; InvalidBatch or Rejection here breaks the sequencer's invariant."""
        self._allow_fund_trades()
        self.last = self.venue.round.state
        known = len(self.venue.draft.journal.margins)
        self.venue.close()
        for entry in self.venue.draft.journal.margins[known:]:
            if entry.account in COLLUDERS and entry.before.equity < entry.before.maintenance:
                self.re_aimed |= self._grew(entry.account)
        self.rounds += 1
        if self.rounds >= MINIMAL.rounds_max:
            self.seal()

    def _grew(self, index: int) -> bool:
        """Whether the account holds more of anything, or the other side of it, than before."""
        before = {p.instrument: p.quantity for p in self.last.opening[index].positions}
        for position in self.venue.draft.account(index).positions:
            held = before.get(position.instrument, 0)
            if held * position.quantity <= 0 or abs(position.quantity) > abs(held):
                return True
        return False

    def _allow_fund_trades(self) -> None:
        """What funds may lose when they sell: the law's part of the margin freed."""
        rate = self.promised.fund_loss_ppm
        for loss, freed in self.fund_round.values():
            allowed = min(loss, freed * rate // PPM)
            if allowed > 0:
                self.colluders.allow("liquidation", Fraction(allowed))

    def seal(self) -> None:
        """Finish the batch, without commitments, and begin the next."""
        if not self.rounds:
            return
        journal = finish_batch(self.venue.draft, self.last, self.primitives)
        assert journal.after is not None
        for books in (self.colluders, self.honest):
            books.read(journal, self.truth)
        self.stages.update(entry.stage.name for entry in journal.liquidations)
        self.venue = self._venue(replace(journal.after, trees=None, roots=None))
