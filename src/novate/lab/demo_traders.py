"""The demo's traders: they sign what they want, send it through the node's door, keep the receipts.

Signing is by wallet in one call. Messages are sent a group ahead of their answers, so that signing,
the sequencer and the disk work side by side. Every acknowledgement is kept; its receipt is verified
against the sequencer's key, all of a group in one call.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from novate.book.operations import Operation, OperationKind
from novate.book.orders import Flags, Side, TimeInForce
from novate.lab.wallets import Wallet
from novate.native import NativePrimitives, sign_many
from novate.node.client import Client
from novate.node.protocol import Clock
from novate.node.receipts import Receipt, Venue, verify_receipts
from novate.node.records import (
    CANCEL_ORDER_TAG,
    CancelIn,
    CancelOrder,
    Input,
    MoveIn,
    OrderIn,
    SheetIn,
)
from novate.node.sequencer import Ack, Stand
from novate.spec.messages.account import WITHDRAW_TAG, SignedWithdrawal, Withdrawal
from novate.spec.messages.domain import VERSION, Domain
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
from novate.spec.presets import MAIN
from novate.spec.primitives import Digest, PublicKey

MAX_FEE_PPM: Final = 1_000
"""Largest fee rate the traders accept."""
GOOD_TILL: Final = 2**32 - 1
"""None of their orders ends by time."""
EPOCH: Final = 0
"""Nobody in the demo cancels all by raising an epoch."""
TAGS: Final = {Order: ORDER_TAG, Sheet: SHEET_TAG, CancelOrder: CANCEL_ORDER_TAG}
Message = Order | Sheet | CancelOrder | Withdrawal


class Live(NamedTuple):
    """An order that its trader believes to be in the book."""

    message: Order
    filled: int
    """Lots traded, as far as answers have told."""


class BadReceipt(Exception):
    """An acknowledgement whose receipt the sequencer's key did not sign."""


class Traders:
    """Everybody who trades, at one end of one connection."""

    def __init__(
        self, client: Client, wallets: Mapping[int, Wallet], venue: Venue, key: PublicKey
    ) -> None:
        """`key`: of the sequencer, for receipts."""
        self.client = client
        self.orders = 0
        """Orders and quote sides that were signed."""
        self.taken: Counter[str] = Counter()
        """Messages that were taken, by kind."""
        self.refused: Counter[str] = Counter()
        """Refusals, by reason."""
        self.stand: Stand | None = None
        """What the sequencer said of itself when it was last told the time."""
        self.filled = 0
        """Lots that incoming orders traded at once."""
        self.receipts: list[Receipt] = []
        self._wallets = wallets
        self._venue = venue
        self._key = key
        self._primitives = NativePrimitives()
        self._domain = Domain(venue.chain_id, venue.settlement_contract, VERSION, 0, 0)
        self._nonce = 0
        self._live: dict[int, Live] = {}
        self._levels: dict[tuple[int, Side, int], deque[int]] = {}
        """Order ids resting at (instrument, side, price), oldest first."""
        self._slots: dict[int, deque[int]] = {}
        self._sent: deque[tuple[Input | Clock, ...]] = deque()
        """Groups whose answers are still to come, the oldest first."""

    def under_fork(self, fork: int) -> None:
        """Sign for a fork from now on: what was signed before is void, every slot is free."""
        self._domain = self._domain._replace(fork=fork)
        self._live.clear()
        self._levels.clear()
        self._slots.clear()

    # What they sign.

    def operations(self, operations: Sequence[Operation]) -> list[Input]:
        """The signed messages of a block of the order flow."""
        found: list[tuple[Message, Operation]] = []
        for operation in operations:
            message = self._message(operation)
            if message is not None:
                found.append((message, operation))
        signed = self._sign([message for message, _ in found])
        self.orders += sum(isinstance(message, Order) for message, _ in found)
        return signed

    def _message(self, operation: Operation) -> Message | None:
        """What an operation says; None if the order it is about has gone."""
        if operation.kind == OperationKind.SUBMIT:
            return self._order(operation)
        live = self._live.get(operation.order_id)
        if live is None:
            return None
        if operation.kind == OperationKind.CANCEL:
            self._forget(operation.order_id)
            return CancelOrder(live.message.account, live.message.slot, live.message.nonce)
        revised = live.message._replace(limit_price=operation.price, quantity=operation.quantity)
        self._live[operation.order_id] = live._replace(message=revised)
        return revised

    def _order(self, operation: Operation) -> Order:
        """A new order, in a slot of its account that is free."""
        flags = OrderFlags.NONE
        takes = operation.time_in_force == TimeInForce.IMMEDIATE_OR_CANCEL
        if takes:
            flags |= OrderFlags.IMMEDIATE_OR_CANCEL
        if operation.flags & Flags.POST_ONLY:
            flags |= OrderFlags.POST_ONLY
        self._nonce += 1
        order = Order(
            account=operation.account,
            instrument=operation.instrument,
            is_buy=operation.side == Side.BUY,
            limit_price=operation.price,
            quantity=operation.quantity,
            slot=self._take_slot(operation.account),
            nonce=self._nonce,
            good_till=GOOD_TILL,
            max_fee_ppm=MAX_FEE_PPM,
            flags=int(flags),
        )
        if takes:
            self._slots[order.account].append(order.slot)
        else:
            self._live[operation.order_id] = Live(order, 0)
            level = order.instrument, operation.side, order.limit_price
            self._levels.setdefault(level, deque()).append(operation.order_id)
        return order

    def _take_slot(self, account: int) -> int:
        """A free slot; if there is none, the account's oldest order makes room."""
        if account not in self._slots:
            self._slots[account] = deque(range(MAIN.slots_max))
        if not self._slots[account]:
            oldest = next(k for k, live in self._live.items() if live.message.account == account)
            self._forget(oldest)
        return self._slots[account].popleft()

    def _forget(self, order_id: int) -> None:
        """An order has gone: its slot is free for a newer nonce."""
        live = self._live.pop(order_id, None)
        if live is None:
            return
        message = live.message
        self._slots[message.account].append(message.slot)
        side = Side.BUY if message.is_buy else Side.SELL
        level = self._levels.get((message.instrument, side, message.limit_price))
        if level is not None and order_id in level:
            level.remove(order_id)

    def cancels(self) -> list[Input]:
        """A cancel of every order that is believed to be in the book."""
        found: list[Message] = []
        for order_id, live in list(self._live.items()):
            order = live.message
            found.append(CancelOrder(order.account, order.slot, order.nonce))
            self._forget(order_id)
        return self._sign(found)

    def sheet(self, account: int, quotes: Sequence[Quote]) -> Input:
        """A mass quote from slot 0 on."""
        self._nonce += 1
        self.orders += 2 * len(quotes)
        message = Sheet(account, 0, self._nonce, GOOD_TILL, MAX_FEE_PPM, tuple(quotes))
        return self._sign([message])[0]

    def withdrawal(self, account: int, amount: int) -> Input:
        """A withdrawal to the account's owner, from the last slot."""
        self._nonce += 1
        message = Withdrawal(account, amount, 0, MAIN.slots_max - 1, self._nonce, GOOD_TILL)
        elements = message.elements(self._domain, EPOCH)
        authorization = self._wallets[account].authorize(self._primitives, WITHDRAW_TAG, elements)
        return MoveIn(SignedWithdrawal(message, authorization))

    def _sign(self, messages: Sequence[Message]) -> list[Input]:
        """Messages signed by their accounts' wallets, each wallet in one call."""
        digests: dict[int, Digest] = {}
        for kind, tag in TAGS.items():
            places = [k for k, message in enumerate(messages) if isinstance(message, kind)]
            rows = [messages[place].elements(self._domain, EPOCH) for place in places]
            digests.update(zip(places, self._primitives.hash_many(tag, rows), strict=True))
        by_account: dict[int, list[int]] = {}
        for place, message in enumerate(messages):
            by_account.setdefault(message.account, []).append(place)
        signed: list[Input | None] = [None] * len(messages)
        for account, places in by_account.items():
            wanted = [digests[place] for place in places]
            signatures = sign_many(self._wallets[account].secret, wanted)
            for place, signature in zip(places, signatures, strict=True):
                signed[place] = sealed(messages[place], Authorization(signature))
        return [one for one in signed if one is not None]

    # What they send.

    def send(self, inputs: Sequence[Input], now: int | None = None) -> None:
        """Send a group, after the time if it is told; then take the answers of the one before."""
        group: tuple[Input | Clock, ...] = tuple(inputs)
        if now is not None:
            group = (Clock(1_000 * now), *group)
        self._sent.append(group)
        self.client.send(group)
        while len(self._sent) > 1:
            self._take_answers()

    def finish(self) -> None:
        """Take every answer that is still to come."""
        while self._sent:
            self._take_answers()

    def _take_answers(self) -> None:
        """The answers of the oldest group, one for each of its messages."""
        group = self._sent[0]
        acks = []
        for record in group:
            answer = self.client.receive()
            if isinstance(answer, Ack):
                acks.append((record, answer))
            else:
                self.stand = answer
        self._sent.popleft()
        self._check([ack.receipt for _, ack in acks if ack.receipt is not None])
        for record, ack in acks:
            self._follow(record, ack)

    def _check(self, receipts: Sequence[Receipt]) -> None:
        """BadReceipt unless the sequencer signed them all."""
        verdicts = verify_receipts(self._key, self._venue, receipts, self._primitives)
        for receipt, verdict in zip(receipts, verdicts, strict=True):
            if not verdict:
                raise BadReceipt(f"receipt of record {receipt.sequence} is not the sequencer's")
        self.receipts += receipts

    def _follow(self, record: Input | Clock, ack: Ack) -> None:
        """Count an answer; orders that it says were hit have gone."""
        if ack.reason:
            self.refused[ack.reason] += 1
        else:
            self.taken[type(record).__name__] += 1
        if not isinstance(record, OrderIn):
            return
        self.filled += ack.filled
        order = record.signed.message
        against = Side.SELL if order.is_buy else Side.BUY
        self._hit((order.instrument, against, order.limit_price), ack.filled)

    def _hit(self, level: tuple[int, Side, int], lots: int) -> None:
        """The oldest orders of a level traded so many lots: what is whole of them has gone."""
        queue = self._levels.get(level, deque())
        while lots > 0 and queue:
            live = self._live[queue[0]]
            open_lots = live.message.quantity - live.filled
            if open_lots > lots:
                self._live[queue[0]] = live._replace(filled=live.filled + lots)
                return
            lots -= open_lots
            self._forget(queue[0])

    def lost(self) -> list[Input]:
        """The connection broke: what was sent and never answered, to be sent again."""
        inputs = [one for group in self._sent for one in group if not isinstance(one, Clock)]
        self._sent.clear()
        return inputs


def sealed(message: Message, authorization: Authorization) -> Input:
    """A message and its signature, as the door takes it."""
    match message:
        case Order():
            return OrderIn(SignedOrder(message, authorization))
        case Sheet():
            return SheetIn(SignedSheet(message, authorization))
        case CancelOrder():
            return CancelIn(message, authorization)
        case Withdrawal():
            return MoveIn(SignedWithdrawal(message, authorization))
