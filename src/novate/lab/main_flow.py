"""A flow of a thousand fills a batch on the main preset: books of perpetuals, futures and options.

Some hundred accounts trade on two underlyings and 33 scenarios: takers against mass quotes and
orders of makers, spreads of two legs, session keys, transfers and withdrawals, while prices walk
far enough that the leveraged ones fall below margin and are dealt with. What the law refuses on the
way is counted by the venue. A pure function of the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import NamedTuple

from novate.lab.generator.crowd import Crowd, TrustingPrimitives
from novate.lab.generator.stage import MakeVenue
from novate.lab.venue import Venue
from novate.lab.worlds import START, Prices, World, future, option, perpetual, small_world
from novate.native import NativePrimitives
from novate.spec.errors import LawError
from novate.spec.instruments import Kind, day_of
from novate.spec.journal import Journal
from novate.spec.messages.account import (
    TRANSFER_TAG,
    WITHDRAW_TAG,
    SignedTransfer,
    SignedWithdrawal,
    Transfer,
    Withdrawal,
)
from novate.spec.messages.batch import Batch, Fill, Liquidate, SideKind, SideOf, Touch, Trade
from novate.spec.messages.inbox import Deposit, FundDeposit, RegisterKey, Request
from novate.spec.messages.orders import (
    ORDER_TAG,
    SHEET_TAG,
    Order,
    Quote,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.presets import MAIN
from novate.spec.risk_parameters import RiskParameters
from novate.spec.state import State
from novate.spec.valuation import mark_of_id

ACCOUNTS = 240
"""Accounts after the treasury; one more owner for every two of them."""
MAKERS = 16
ROUNDS = 4
FILLS = 1_024
"""Fills of a batch, over its rounds."""
FOREVER = 2**32 - 1
MAX_FEE_PPM = 1_000
BUYS = (0.9, 0.1, 0.5)
"""How often a taker buys, by its number modulo 3."""
DAYS = tuple(day_of(START) + ahead for ahead in (1, 8, 36))
PRICES = (7_000_000, 200_000)
STRIKES = ((62_000, 66_000, 70_000, 74_000, 78_000), (1_600, 1_800, 2_000, 2_200, 2_400))
INSTRUMENTS = tuple(
    sorted(
        (
            *(perpetual(underlying) for underlying in (0, 1)),
            *(future(underlying, day) for underlying in (0, 1) for day in DAYS),
            *(
                option(underlying, day, kind, strike)
                for underlying in (0, 1)
                for day in DAYS
                for kind in (Kind.CALL, Kind.PUT)
                for strike in STRIKES[underlying]
            ),
        )
    )
)
SLOTS = MAIN.slots_max


class Flowed(NamedTuple):
    """One sealed batch."""

    before: State
    batch: Batch
    journal: Journal


class MainFlow:
    """An endless stream of large batches."""

    def __init__(self, seed: int, make_venue: MakeVenue = Venue) -> None:
        """The world, nobody in it yet."""
        self.rng = Random(seed)
        self.primitives = TrustingPrimitives(NativePrimitives())
        world = small_world(MAIN, RiskParameters())
        self.world: World = replace(world, primitives=self.primitives)
        self.venue = make_venue(world.state, self.primitives.real, self.primitives)
        self.crowd = Crowd(self.primitives)
        self.time = START
        self.nonce = 0
        self.prices = list(PRICES)
        self.drift_ppm = self.rng.choice((-2_500, 2_500))
        """Mean move of both prices between two rounds: some accounts bet against it."""
        self.resting: dict[tuple[int, int, bool], int] = {}
        """Makers' orders of the open round: place by maker, instrument and side."""
        self.sheets: dict[int, int] = {}
        """Makers' sheets of the open round, by underlying."""

    def batches(self) -> Iterator[Flowed]:
        """Batches that open the accounts, then batches of fills."""
        for first in range(1, ACCOUNTS + 1, MAIN.inbox_max // 2):
            last = min(first + MAIN.inbox_max // 2, ACCOUNTS + 1)
            yield self._batch([self._joining(range(first, last)), [], []], 0)
        while True:
            yield self._batch([[FundDeposit(0, 5, 10**11)], *([[]] * (ROUNDS - 1))], FILLS)

    def _joining(self, accounts: range) -> list[Request]:
        """The requests that open accounts and bind their keys."""
        found: list[Request] = []
        for account in accounts:
            owner = 1_000 + account // 2
            amount = 10**13 if account <= MAKERS else int(10 ** self.rng.uniform(9.5, 12))
            user = self.crowd.new_wallet(f"main {account}")
            found += [Deposit(account, owner, owner, amount), RegisterKey(account, owner, user.key)]
        return found

    def _batch(self, requests: list[list[Request]], fills: int) -> Flowed:
        """One batch of rounds with these requests, its fills spread over them."""
        before = self.venue.state
        self.venue.begin()
        for wanted in requests:
            self._open(wanted)
            if fills:
                self._care()
                for _ in range(fills // len(requests)):
                    self._trade()
                self._moves()
            self.venue.close()
        batch, journal = self.venue.seal()
        return Flowed(before, batch, journal)

    def _open(self, requests: list[Request]) -> None:
        """Open a round some seconds later; prices have moved."""
        self.time += 5 * self.rng.randint(1, 3)
        self.resting.clear()
        self.sheets.clear()
        reports = []
        for underlying in (0, 1):
            step_ppm = int(self.rng.gauss(self.drift_ppm, 6_000))
            price = self.prices[underlying]
            self.prices[underlying] = max(1_000, price + price * step_ppm // 1_000_000)
            prices = Prices(
                self.prices[underlying],
                premium_ppm=self.rng.randint(-1_500, 1_500),
                vol_ppm=600_000 + self.rng.randint(-20_000, 20_000),
                days=DAYS,
            )
            reports.append(self.world.reports(underlying, self.time, prices))
        self.venue.open(self.time, reports, requests)

    def _care(self) -> None:
        """Touch some accounts, and liquidate those whose time has come."""
        draft = self.venue.draft
        for account in range(1, draft.system.account_count):
            if draft.account(account).liquidation_since:
                self._try(lambda: self.venue.bring(Liquidate(account)))  # noqa: B023
            elif self.rng.random() < 0.1:
                self._try(lambda: self.venue.bring(Touch(account)))  # noqa: B023

    def _trade(self) -> None:
        """A taker meets a maker, once or in two legs; until one of these is legal."""
        for _ in range(20):
            fills = [self._fill()]
            if self.rng.random() < 0.05:
                fills.append(self._fill())
            if self._try(lambda: self.venue.trade(Trade(tuple(fills)))):  # noqa: B023
                return
        raise AssertionError("no legal trade in twenty")

    def _try(self, action: Callable[[], None]) -> bool:
        """Run an action; whether it was accepted."""
        try:
            action()
        except LawError:
            return False
        return True

    def _fill(self) -> Fill:
        """A fill near the mark."""
        rng = self.rng
        instrument = rng.choice(INSTRUMENTS[:12] if rng.random() < 0.4 else INSTRUMENTS)
        taker = rng.randint(MAKERS + 1, ACCOUNTS)
        buys = rng.random() < BUYS[taker % 3]
        mark = mark_of_id(self.venue.round.state.views, instrument)
        price = max(0, mark + rng.randint(-3, 3))
        lots = int(10 ** rng.uniform(0.5, 4))
        taken = SideOf(SideKind.ORDER, self._order(taker, instrument, buys, price, lots))
        made = self._maker_side(instrument, not buys, price)
        buyer, seller = (taken, made) if buys else (made, taken)
        return Fill(instrument, price, lots, buyer, seller, not buys)

    def _maker_side(self, instrument: int, buys: bool, price: int) -> SideOf:
        """A maker's standing order, or a quote of a sheet read once a round."""
        rng = self.rng
        if rng.random() < 0.4:
            underlying = rng.randint(0, 1)
            listed = [k for k in INSTRUMENTS if k >> 42 == underlying][: MAIN.sheet_quotes_max]
            if instrument in listed:
                if underlying not in self.sheets:
                    self.sheets[underlying] = self._sheet(1 + underlying, listed)
                return SideOf(SideKind.QUOTE, self.sheets[underlying], listed.index(instrument))
        maker = rng.randint(3, MAKERS)
        place = (maker, instrument, buys)
        if place not in self.resting:
            limit = price * 2 if buys else price // 2
            self.resting[place] = self._order(maker, instrument, buys, limit, 10**6)
        return SideOf(SideKind.ORDER, self.resting[place])

    def _order(self, account: int, instrument: int, buys: bool, price: int, lots: int) -> int:
        """A signed order read into the round; its place. Some are signed by a session key."""
        self.nonce += 1
        order = Order(
            account, instrument, buys, price, lots, self.nonce % SLOTS, self.nonce, FOREVER,
            MAX_FEE_PPM,
        )  # fmt: skip
        draft = self.venue.draft
        elements = order.elements(draft.domain(), 0)
        session = 0 if account % 5 == 0 else -1
        authorization = self.crowd.authorize(draft, account, ORDER_TAG, elements, session)
        return self.venue.read_order(SignedOrder(order, authorization))

    def _sheet(self, account: int, listed: list[int]) -> int:
        """A mass quote of these instruments, wide enough for any fill of the round; its place."""
        self.nonce += 1
        quotes = tuple(Quote(key, 2**31 - 1, 10**6, 0, 10**6) for key in listed)
        sheet = Sheet(account, 0, self.nonce, FOREVER, MAX_FEE_PPM, quotes)
        draft = self.venue.draft
        elements = sheet.elements(draft.domain(), 0)
        authorization = self.crowd.authorize(draft, account, SHEET_TAG, elements)
        return self.venue.read_sheet(SignedSheet(sheet, authorization))

    def _moves(self) -> None:
        """Some transfers between sub-accounts and some withdrawals."""
        rng, draft = self.rng, self.venue.draft
        for _ in range(12):
            self.nonce += 1
            account = rng.randint(MAKERS + 1, ACCOUNTS)
            amount = int(10 ** rng.uniform(6, 11))
            replay = self.nonce % SLOTS, self.nonce, FOREVER
            if rng.random() < 0.5:
                transfer = Transfer(account, account ^ 1, amount, *replay)
                elements = transfer.elements(draft.domain(), 0)
                signed = self.crowd.authorize(draft, account, TRANSFER_TAG, elements)
                move: SignedTransfer | SignedWithdrawal = SignedTransfer(transfer, signed)
            else:
                withdrawal = Withdrawal(account, amount, 0, *replay)
                elements = withdrawal.elements(draft.domain(), 0)
                signed = self.crowd.authorize(draft, account, WITHDRAW_TAG, elements)
                move = SignedWithdrawal(withdrawal, signed)
            self._try(lambda: self.venue.move(move))  # noqa: B023
