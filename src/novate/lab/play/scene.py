"""A small venue for the node: traders with wallets, oracles, seeded inputs.

`Scene.world` is the minimal preset with two markets; accounts 1 to TRADERS belong to one owner
each. Everything is a function of the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from novate.book.exchange import Exchange
from novate.book.orders import SelfTrade
from novate.lab.play.spec_engine import TrustingKit
from novate.lab.wallets import Wallet, wallet
from novate.lab.worlds import START, Prices, next_expiry, option, perpetual, small_world
from novate.native import NativePrimitives, key_of_secret, secret_of_seed
from novate.node.archive import Archive
from novate.node.log import Log
from novate.node.port import BookFactory, EngineKit
from novate.node.records import (
    CANCEL_ORDER_TAG,
    CancelIn,
    CancelOrder,
    ChangeIn,
    Input,
    MoveIn,
    OrderIn,
    SheetIn,
)
from novate.node.restart import Restarted, log_folder, restart
from novate.node.sequencer import Ack, Limits, Sequencer
from novate.spec.commitment import commit
from novate.spec.instruments import Kind
from novate.spec.messages.account import (
    CANCEL_TAG,
    WITHDRAW_TAG,
    CancelAll,
    SignedCancelAll,
    SignedWithdrawal,
    Withdrawal,
)
from novate.spec.messages.batch import MarketReports
from novate.spec.messages.domain import VERSION, Domain
from novate.spec.messages.inbox import Deposit, FundDeposit, RegisterKey, Request
from novate.spec.messages.orders import (
    ORDER_TAG,
    SHEET_TAG,
    Authorization,
    Order,
    OrderFlags,
    Quote,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.state import State

USDC = 1_000_000
TRADERS = 6
PERPETUAL = perpetual(0)
LONGEST = 2**32 - 1
FIRST = START + 5
"""First second of the venue."""
INDEX = 6_000_000
LIMITS = Limits(
    round_age_s=10,
    fills_per_round=12,
    rounds_per_batch=3,
    fills_per_batch=40,
    batch_age_s=60,
    snapshot_every=40,
    snapshots_kept=3,
)
SEQUENCER_SEED = b"the sequencer of a play, no secret"
SECRET = secret_of_seed(SEQUENCER_SEED)
SEQUENCER_KEY = key_of_secret(SECRET)


class Scene:
    """A venue's users and oracles."""

    def __init__(self) -> None:
        """Genesis, wallets, the instruments traded."""
        self.world = small_world()
        self.primitives = NativePrimitives()
        self.wallets: dict[int, Wallet] = {k: wallet(f"trader {k}") for k in range(1, TRADERS + 1)}
        day = next_expiry(FIRST)
        self.days = (day, day + 1)
        self.instruments = (
            PERPETUAL,
            perpetual(1),
            option(0, day + 1, Kind.CALL, 60_000),
            option(0, day + 1, Kind.PUT, 58_000),
        )
        parameters = self.world.state.parameters
        self.domain = Domain(parameters.chain_id, parameters.settlement_contract, VERSION, 0, 0)
        self.nonce = 0
        self.price = INDEX
        """Index of the play."""
        self.epochs = dict.fromkeys(self.wallets, 0)

    def requests(self) -> list[Request]:
        """Deposits and keys of everyone, and the funds' capital."""
        found: list[Request] = [
            FundDeposit(0, 0xF00D, 50_000 * USDC),
            FundDeposit(1, 0xF00D, 50_000 * USDC),
        ]
        for index, owner in self.wallets.items():
            found.append(Deposit(index, 0xA000 + index, 0xA000 + index, 100_000 * USDC))
            found.append(RegisterKey(index, 0xA000 + index, owner.key))
        return found

    def reports(self, time: int, index_price: int = INDEX) -> list[MarketReports]:
        """A quorum's reports of both markets at a grid second."""
        return [
            self.world.reports(underlying, time, Prices(price, days=self.days), 1)
            for underlying, price in ((0, index_price), (1, index_price // 20))
        ]

    def report(self, sequencer: Sequencer, time: int, index_price: int = INDEX) -> None:
        """Give a sequencer the reports of a grid second."""
        for reports in self.reports(time, index_price):
            for signed in reports.reports:
                sequencer.report(signed)

    def order(
        self,
        account: int,
        instrument: int,
        lots: int,
        price: int,
        slot: int = 0,
        flags: int = 0,
        nonce: int = 0,
        trigger: int = 0,
        good_till: int = LONGEST,
        self_trade: SelfTrade = SelfTrade.CANCEL_MAKER,
    ) -> OrderIn:
        """A signed order; lots > 0 buys. Without a nonce, the next one."""
        self.nonce += 1
        message = Order(
            account,
            instrument,
            lots > 0,
            price,
            abs(lots),
            slot,
            nonce or self.nonce,
            good_till,
            1_000,
            trigger,
            flags,
        )
        elements = message.elements(self.domain, self.epochs[account])
        return OrderIn(SignedOrder(message, self._sign(account, ORDER_TAG, elements)), self_trade)

    def _sign(self, account: int, tag: str, elements: tuple[int, ...]) -> Authorization:
        """A trader's signature."""
        return self.wallets[account].authorize(self.primitives, tag, elements)

    def sheet(self, account: int, quotes: tuple[Quote, ...], base_slot: int = 8) -> SheetIn:
        """A signed mass quote."""
        self.nonce += 1
        message = Sheet(account, base_slot, self.nonce, LONGEST, 1_000, quotes)
        elements = message.elements(self.domain, self.epochs[account])
        return SheetIn(SignedSheet(message, self._sign(account, SHEET_TAG, elements)))

    def cancel(self, account: int, slot: int) -> CancelIn:
        """A signed cancel of whatever lives in a slot."""
        message = CancelOrder(account, slot, self.nonce)
        elements = message.elements(self.domain, self.epochs[account])
        return CancelIn(message, self._sign(account, CANCEL_ORDER_TAG, elements))

    def cancel_all(self, account: int) -> ChangeIn:
        """A signed cancel-all; what is signed later is of the next epoch."""
        message = CancelAll(account)
        elements = message.elements(self.domain, self.epochs[account])
        self.epochs[account] += 1
        return ChangeIn(SignedCancelAll(message, self._sign(account, CANCEL_TAG, elements)))

    def learn(self, inputs: Sequence[Input], acks: Sequence[Ack]) -> None:
        """A cancel-all that was refused did not raise its account's epoch."""
        for record, ack in zip(inputs, acks, strict=True):
            if isinstance(record, ChangeIn) and ack.reason:
                change = record.change
                if isinstance(change, SignedCancelAll):
                    self.epochs[change.message.account] -= 1

    def withdrawal(self, account: int, amount: int, slot: int = 15) -> MoveIn:
        """A signed withdrawal."""
        self.nonce += 1
        message = Withdrawal(account, amount, 0, slot, self.nonce, LONGEST)
        elements = message.elements(self.domain, self.epochs[account])
        return MoveIn(SignedWithdrawal(message, self._sign(account, WITHDRAW_TAG, elements)))


class Node(NamedTuple):
    """One life of a node in this process."""

    sequencer: Sequencer
    log: Log
    archive: Archive
    restarted: Restarted


def start_node(
    folder: Path,
    genesis: State,
    kit: EngineKit | None = None,
    make_book: BookFactory = Exchange,
    limits: Limits = LIMITS,
    segment_bytes: int = 40_000,
) -> Node:
    """Open a node's folder and go on from what is there."""
    kit = kit or TrustingKit()
    primitives = NativePrimitives()
    archive = Archive(folder, kit, genesis, commit(genesis, primitives).root)
    log = Log(log_folder(folder), segment_bytes)
    restarted = restart(log, archive, genesis, kit, make_book)
    sequencer = Sequencer(log, archive, kit, limits, primitives, SECRET, restarted)
    return Node(sequencer, log, archive, restarted)


class Group(NamedTuple):
    """What happens at one moment of a play."""

    time_ms: int
    index_price: int | None
    """A report of this price at the grid second before; None: no report."""
    inputs: list[Input]


def play(scene: Scene, seed: int, groups: int, start: int = 0) -> Iterator[Group]:
    """Seeded inputs of every kind, a group each half second, with a price that moves.

    `start`: the number of the first group, which says when it happens.
    """
    random = Random(seed)
    for number in range(start, start + groups):
        time_ms = 1_000 * (FIRST + 20) + 500 * number
        reports = number % 10 == 0
        scene.price = price = scene.price * random.randint(9_985, 10_015) // 10_000
        inputs = [_input(scene, random, price) for _ in range(random.randint(1, 6))]
        yield Group(time_ms, price if reports else None, inputs)


def _input(scene: Scene, random: Random, price: int) -> Input:
    """One seeded input."""
    account = random.randint(1, TRADERS)
    draw = random.random()
    if draw < 0.06:
        return scene.cancel(account, random.randint(0, 7))
    if draw < 0.08:
        return scene.cancel_all(account)
    if draw < 0.10:
        return scene.withdrawal(account, random.randint(1, 5_000) * USDC)
    if draw < 0.22:
        half = random.randint(300, 3_000)
        quotes = tuple(
            Quote(instrument, near - half, lots, near + half, lots)
            for instrument, near in ((PERPETUAL, price), (perpetual(1), price // 20))
            for lots in [random.randint(1, 400)]
        )
        return scene.sheet(account, quotes)
    instrument = random.choice(scene.instruments[:2])
    near = price if instrument == PERPETUAL else price // 20
    flags = random.choice(
        (
            0,
            0,
            0,
            *map(
                int,
                (
                    OrderFlags.IMMEDIATE_OR_CANCEL,
                    OrderFlags.FILL_OR_KILL,
                    OrderFlags.POST_ONLY,
                    OrderFlags.REDUCE_ONLY,
                ),
            ),
        )
    )
    lots = random.choice((-1, 1)) * random.randint(1, 500)
    trigger = near + random.randint(-3_000, 3_000) if random.random() < 0.1 else 0
    return scene.order(
        account,
        instrument,
        lots,
        near + random.randint(-4_000, 4_000),
        slot=random.randint(0, 7),
        flags=flags,
        trigger=trigger,
    )


def open_venue(scene: Scene, node: Node) -> None:
    """Deposits, keys and the snapshots that open the markets: the first 20 seconds."""
    for index, request in enumerate(scene.requests()):
        assert node.sequencer.request(index, request) == ""
    for second in range(FIRST, FIRST + 20, 5):
        scene.report(node.sequencer, second)
        node.sequencer.tick(1_000 * second)


def perform(scene: Scene, node: Node, group: Group) -> list[Ack]:
    """One group of a play; returns its acks."""
    if group.index_price is not None:
        second = group.time_ms // 1_000
        scene.report(node.sequencer, second - second % 5, group.index_price)
    acks = node.sequencer.take(group.inputs, group.time_ms)
    scene.learn(group.inputs, acks)
    return acks
