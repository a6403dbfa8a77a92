"""A small venue for tests of the law: a ready state, signed messages, and batches tried on it.

The ready state (10:00:10 UTC, minimal preset): BTC at 100,000 USDC and ETH at 4,000 USDC, both
open; accounts 1 to 4 with 10,000 USDC each, of owners 101, 102, 103, 103; nobody holds anything.
A lot of BTC is 0.0001, so its notional is 10 USDC, its maintenance margin as a perpetual 12 % of
that (the grid's ±12 %), 1.2 USDC, and its initial margin 1.56 USDC. A lot of ETH is 0.4 USDC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest

from novate.lab.law_vectors import record, without_trees
from novate.lab.wallets import Wallet, certify, wallet
from novate.lab.worlds import START, Prices, World, next_expiry, perpetual, small_world
from novate.spec.batch import apply_batch
from novate.spec.commitment import commit
from novate.spec.errors import DecodeError, Fault, InvalidBatch, Reason, Rejection
from novate.spec.journal import Journal, RequestEntry, RequestOutcome
from novate.spec.messages.account import (
    CancelAll,
    MovePosition,
    RotateKey,
    SignedCancelAll,
    SignedMovePosition,
    SignedRotateKey,
    SignedTransfer,
    SignedWithdrawal,
    Transfer,
    Withdrawal,
)
from novate.spec.messages.batch import (
    Batch,
    Due,
    Fill,
    MarketReports,
    Round,
    SideKind,
    SideOf,
    Touch,
    Trade,
)
from novate.spec.messages.domain import VERSION, Domain
from novate.spec.messages.inbox import Deposit, FundDeposit, RegisterKey, Request
from novate.spec.messages.orders import (
    Authorization,
    Certificate,
    Order,
    Quote,
    Scope,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.primitives import Primitives
from novate.spec.state import Account, Fund, InstrumentState, State
from tests.spec.conservation import assert_conserved

BTC, ETH = 0, 1
BTC_PRICE, ETH_PRICE = 10_000_000, 400_000
BTC_PERP, ETH_PERP = perpetual(BTC), perpetual(ETH)
DAY = next_expiry(START)
"""The next expiry: 08:00 UTC of the following day, 22 hours after the start."""
PRICES = {
    BTC: Prices(BTC_PRICE, days=(DAY, DAY + 7), basis_ppm=0),
    ETH: Prices(ETH_PRICE),
}
CASH = 10_000_000_000
"""10,000 USDC in micro-USDC: what each account starts with."""
USDC = 1_000_000
OWNERS = {1: 101, 2: 102, 3: 103, 4: 103}
FOREVER = 2**32 - 1
FUND = SideOf(SideKind.FUND)


def in_liquidation(account: int) -> SideOf:
    """The account's side of a fill, without its signature."""
    return SideOf(SideKind.LIQUIDATION, account)


@cache
def user(account: int) -> Wallet:
    """The trading key that an account of the ready state starts with."""
    return wallet(f"user {account}")


@cache
def world() -> World:
    """The small world, once."""
    return small_world()


@cache
def ready_state() -> State:
    """The ready state, once."""
    stage = Stage(world().state)
    acts = [stage.round(5 * k) for k in range(3)]
    for account, owner in OWNERS.items():
        acts[0].requests.append(Deposit(account, owner, owner, CASH))
        acts[0].requests.append(RegisterKey(account, owner, user(account).key))
    for act in acts:
        act.prices(BTC).prices(ETH)
    stage.play(*acts)
    return stage.state


@dataclass
class Act:
    """A round in the making; its messages are signed for the state the stage is in."""

    stage: Stage
    time: int
    domain: Domain
    reports: list[MarketReports] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    changes: list[Any] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    orders: list[SignedOrder] = field(default_factory=list)
    sheets: list[SignedSheet] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    moves: list[Any] = field(default_factory=list)

    @property
    def content(self) -> Round:
        """The round as it stands."""
        return Round(
            self.time,
            tuple(self.reports),
            tuple(self.requests),
            tuple(self.changes),
            tuple(self.due),
            tuple(self.orders),
            tuple(self.sheets),
            tuple(self.trades),
            tuple(self.moves),
        )

    def prices(self, underlying: int, index_price: int = 0, **changed: Any) -> Act:
        """A quorum's reports: the usual prices, or changed ones."""
        usual = PRICES[underlying]
        prices = replace(usual, index_price=index_price or usual.index_price, **changed)
        self.reports.append(self.stage.world.reports(underlying, self.time, prices))
        return self

    def authorize(
        self,
        tag: str,
        elements: tuple[int, ...],
        account: int,
        signer: Wallet | None = None,
        certificate: Certificate | None = None,
    ) -> Authorization:
        """A signature by the account's first key, or by another signer."""
        key = signer or user(account)
        signature = key.sign(self.stage.primitives, tag, elements)
        return Authorization(signature, certificate)

    def order(
        self,
        account: int,
        is_buy: bool,
        price: int,
        quantity: int,
        instrument: int = BTC_PERP,
        *,
        epoch: int | None = None,
        signer: Wallet | None = None,
        certificate: Certificate | None = None,
        **fields: Any,
    ) -> SideOf:
        """Sign an order of the account, with a fresh nonce in slot 0 unless told otherwise."""
        terms = {
            "slot": 0,
            "nonce": self.stage.next_nonce(),
            "good_till": FOREVER,
            "max_fee_ppm": 1_000,
        }
        order = Order(account, instrument, is_buy, price, quantity, **(terms | fields))
        elements = order.elements(self.domain, self.stage.epoch(account, epoch))
        authorization = self.authorize("order", elements, account, signer, certificate)
        self.orders.append(SignedOrder(order, authorization))
        return SideOf(SideKind.ORDER, len(self.orders) - 1)

    def sheet(self, account: int, *quotes: Quote, **fields: Any) -> int:
        """Sign a mass quote; returns its place in the round."""
        terms = {
            "base_slot": 0,
            "nonce": self.stage.next_nonce(),
            "good_till": FOREVER,
            "max_fee_ppm": 1_000,
        }
        sheet = Sheet(account, quotes=quotes, **(terms | fields))
        elements = sheet.elements(self.domain, self.stage.epoch(account, None))
        self.sheets.append(SignedSheet(sheet, self.authorize("sheet", elements, account)))
        return len(self.sheets) - 1

    def leg(
        self,
        buyer: SideOf | int,
        seller: SideOf | int,
        price: int,
        quantity: int,
        instrument: int = BTC_PERP,
        maker_is_buyer: bool = True,
    ) -> Fill:
        """A fill between two sides; an account's number stands for a fitting order of it."""
        if isinstance(buyer, int):
            buyer = self.order(buyer, True, price, quantity, instrument)
        if isinstance(seller, int):
            seller = self.order(seller, False, price, quantity, instrument)
        return Fill(instrument, price, quantity, buyer, seller, maker_is_buyer)

    def fill(self, *sides: Any, **terms: Any) -> Act:
        """A trade of one fill; arguments as for `leg`."""
        self.trades.append(Trade((self.leg(*sides, **terms),)))
        return self

    def sign(
        self,
        message: Transfer | MovePosition | Withdrawal,
        signer: Wallet | None = None,
        certificate: Certificate | None = None,
    ) -> Act:
        """Sign a transfer, position move or withdrawal by the sender's key and add it."""
        elements = message.elements(self.domain, self.stage.epoch(message.account, None))
        tag, signed = {
            Transfer: ("transf", SignedTransfer),
            MovePosition: ("move", SignedMovePosition),
            Withdrawal: ("withdr", SignedWithdrawal),
        }[type(message)]
        authorization = self.authorize(tag, elements, message.account, signer, certificate)
        self.moves.append(signed(message, authorization))
        return self

    def transfer(self, account: int, recipient: int, amount: int, **fields: int) -> Act:
        """A signed transfer."""
        return self.sign(Transfer(account, recipient, amount, **self._once(fields)))

    def move(
        self, account: int, recipient: int, instrument: int, quantity: int, **fields: int
    ) -> Act:
        """A signed position move."""
        message = MovePosition(account, recipient, instrument, quantity, **self._once(fields))
        return self.sign(message)

    def withdraw(self, account: int, amount: int, min_payout: int = 0, **fields: int) -> Act:
        """A signed withdrawal."""
        return self.sign(Withdrawal(account, amount, min_payout, **self._once(fields)))

    def _once(self, fields: dict[str, int]) -> dict[str, int]:
        """Slot, nonce and good-till of a message that uses a slot."""
        return {"slot": 1, "nonce": self.stage.next_nonce(), "good_till": FOREVER} | fields

    def rotate(self, account: int, key: Wallet, **how: Any) -> Act:
        """A signed key rotation."""
        message = RotateKey(account, key.key)
        epoch = self.stage.state.accounts[account].key_epoch
        elements = message.elements(self.domain, epoch)
        signed = SignedRotateKey(message, self.authorize("rotate", elements, account, **how))
        self.changes.append(signed)
        return self

    def cancel_all(self, account: int, **how: Any) -> Act:
        """A signed cancel-all."""
        message = CancelAll(account)
        elements = message.elements(self.domain, self.stage.epoch(account, None))
        signed = SignedCancelAll(message, self.authorize("cancel", elements, account, **how))
        self.changes.append(signed)
        return self

    def certificate(
        self, account: int, session: Wallet, scope: Scope, expiry: int = FOREVER
    ) -> Certificate:
        """The trading key's certificate for a session key."""
        epoch = self.stage.state.accounts[account].key_epoch
        primitives = self.stage.primitives
        owner = user(account)
        return certify(owner, session, self.domain, account, epoch, scope, expiry, primitives)


class Stage:
    """A state on which a test plays batches."""

    def __init__(self, state: State | None = None) -> None:
        """The ready state, or another one."""
        self.world = world()
        self.primitives: Primitives = self.world.primitives
        self.state = state or ready_state()
        self._nonce = 0

    def next_nonce(self) -> int:
        """A nonce newer than every one before."""
        self._nonce += 1
        return self._nonce

    @property
    def time(self) -> int:
        """Time of the last round."""
        return self.state.system.time

    def epoch(self, account: int, epoch: int | None) -> int:
        """The account's cancel epoch, or the one given."""
        if epoch is not None or account not in self.state.accounts:
            return epoch or 0
        return self.state.accounts[account].cancel_epoch

    def round(self, after: int = 5, fork: int | None = None, venue_epoch: int | None = None) -> Act:
        """A round so many seconds after the last one."""
        system, parameters = self.state.system, self.state.parameters
        domain = Domain(
            parameters.chain_id,
            parameters.settlement_contract,
            VERSION,
            system.fork if fork is None else fork,
            system.venue_epoch if venue_epoch is None else venue_epoch,
        )
        return Act(self, self.time + after, domain)

    def batch(self, *acts: Act, **header: Any) -> Batch:
        """The next batch with these rounds; header fields may be set otherwise."""
        usual = {
            "number": self.state.system.batch_number + 1,
            "fork": self.state.system.fork,
            "parameters": None,
            "reset_slots": False,
        }
        return Batch(rounds=tuple(act.content for act in acts), **(usual | header))

    def play(self, *acts: Act, **header: Any) -> Journal:
        """Apply a batch, check what holds of every state, and go on from there. No vector."""
        journal = apply_batch(self.state, self.batch(*acts, **header), self.primitives)
        after = journal.after
        assert after is not None
        assert_conserved(after)
        assert commit(without_trees(after), self.primitives) == journal.roots_after
        self.state = after
        return journal

    def apply(self, *acts: Act, **header: Any) -> Journal:
        """`play`, and the batch becomes a vector."""
        record(self.state, self.batch(*acts, **header))
        return self.play(*acts, **header)

    def refuse(self, reason: Reason | Fault, *acts: Act, **header: Any) -> None:
        """The batch must be refused for exactly this reason; it becomes a vector."""
        batch = self.batch(*acts, **header)
        record(self.state, batch)
        error = Rejection if isinstance(reason, Reason) else InvalidBatch
        with pytest.raises(error) as caught:
            apply_batch(self.state, batch, self.primitives)
        assert caught.value.reason == reason, caught.value

    def undecodable(self, *acts: Act, **header: Any) -> None:
        """The batch must be refused because a field is out of its bound."""
        batch = self.batch(*acts, **header)
        record(self.state, batch)
        with pytest.raises(DecodeError):
            apply_batch(self.state, batch, self.primitives)

    def request(self, request: Request, after: int = 5) -> RequestEntry:
        """Process one inbox request in a batch of its own; what became of it."""
        act = self.round(after)
        act.requests.append(request)
        return self.apply(act).requests[-1]

    def no_op(self, reason: Reason, request: Request, after: int = 5) -> None:
        """The request must be a no-op for exactly this reason and change no account."""
        accounts = self.state.accounts
        assert self.request(request, after) == RequestEntry(
            request, RequestOutcome.NO_OP, str(reason)
        )
        assert self.state.accounts == accounts

    def account(self, index: int) -> Account:
        """An account."""
        return self.state.accounts[index]

    def cash(self, index: int) -> int:
        """An account's cash beyond what it started with."""
        return self.state.accounts[index].cash - CASH

    def lots(self, index: int, instrument: int = BTC_PERP) -> int:
        """An account's lots as of its last touch."""
        held = {p.instrument: p.quantity for p in self.state.accounts[index].positions}
        return held.get(instrument, 0)

    def fund(self, underlying: int = BTC) -> Fund:
        """A market's fund."""
        return self.state.markets[underlying].fund

    def instrument(self, instrument: int = BTC_PERP) -> InstrumentState:
        """An instrument's leaf."""
        return self.state.instruments[instrument]

    def craft(self, **changed: Any) -> None:
        """Go on from a state with some parts replaced; conservation must still hold."""
        self.state = without_trees(replace(self.state, **changed))
        assert_conserved(self.state)

    def craft_account(self, index: int, **changed: Any) -> None:
        """Replace fields of an account; cash comes from, or goes to, the vault."""
        old = self.state.accounts[index]
        new = replace(old, **changed)
        system = self.state.system
        self.craft(
            accounts={**self.state.accounts, index: new},
            system=replace(system, vault=system.vault + new.cash - old.cash),
        )

    def craft_fund(self, underlying: int, cash: int, debt: int = 0) -> None:
        """Give a market's fund cash (and debt)."""
        system, markets = self.state.system, list(self.state.markets)
        old = markets[underlying].fund
        markets[underlying] = replace(markets[underlying], fund=replace(old, cash=cash, debt=debt))
        gain = cash - debt - old.cash + old.debt
        self.craft(markets=tuple(markets), system=replace(system, vault=system.vault + gain))

    def craft_parameters(self, market: dict[str, Any] | None = None, **changed: Any) -> None:
        """Replace parameters, and with `market` those of BTC."""
        old = self.state.parameters
        first = replace(old.markets[BTC], **(market or {}))
        self.craft(parameters=replace(old, markets=(first, *old.markets[1:]), **changed))

    def jump(self, index_price: int, underlying: int = BTC, **changed: Any) -> None:
        """The price jumps: the market halts and opens again with the third agreeing snapshot."""
        acts = [self.round(5 * k).prices(underlying, index_price, **changed) for k in range(1, 4)]
        self.play(*acts)
        assert self.state.markets[underlying].halt.since == 0

    def drift(self, index_price: int, underlying: int = BTC, **changed: Any) -> None:
        """The price moves by at most 9 % in the next 300 seconds, without a halt."""
        act = self.round(300)
        for market, usual in enumerate(self.state.markets):
            if market == underlying:
                act.prices(market, index_price, **changed)
            else:
                act.prices(market, usual.current.index_price)
        self.play(act)
        assert self.state.markets[underlying].current.index_price == index_price


def poor_stage() -> Stage:
    """Account 1, with 160 USDC, is long 1,000 USDC of BTC: margin 120, initial 156, fee 0.2."""
    stage = Stage()
    stage.craft_account(1, cash=160 * USDC)
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    return stage


def liquidated_stage(index_price: int = 9_500_000, others: int = 0, fund: int = 0) -> Stage:
    """`poor_stage` after a fall, with the status of account 1 set; `others`: lots long of 3.

    At 95,000 its equity is 159.8 − 50 = 109.8, its margin 114, its initial margin 148.2. The
    waterfall is open in a round with a later snapshot, as of `later`.
    """
    stage = poor_stage()
    if others:
        stage.play(stage.round().fill(3, 2, BTC_PRICE, others))
    if fund:
        act = stage.round()
        act.requests.append(FundDeposit(BTC, 9, fund))
        stage.play(act)
    if index_price * 100 < BTC_PRICE * 92:
        stage.jump(index_price)
    else:
        stage.drift(index_price)
    act = stage.round()
    act.due.append(Touch(1))
    stage.play(act)
    assert stage.account(1).liquidation_since
    return stage


def later(stage: Stage, *due: Due) -> Act:
    """A round with a new snapshot of BTC at the same price, and something due in it."""
    act = stage.round().prices(BTC, stage.state.markets[BTC].current.index_price)
    act.due.extend(due)
    return act
