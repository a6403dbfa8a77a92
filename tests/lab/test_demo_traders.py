"""What the demo's traders know of their own orders, and what they believe of receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from novate.book.operations import Operation, OperationKind, submit_operation
from novate.book.orders import Flags, Order, Side, TimeInForce
from novate.lab.demo_traders import GOOD_TILL, BadReceipt, Traders
from novate.lab.wallets import wallet
from novate.lab.worlds import perpetual
from novate.native import NativePrimitives
from novate.node.client import Client
from novate.node.protocol import Clock, Message
from novate.node.receipts import Receipt, Venue, sign_receipts
from novate.node.records import CancelIn, OrderIn
from novate.node.segment import GENESIS_HASH, Entry
from novate.node.sequencer import Ack, Stand
from novate.spec.presets import MAIN

VENUE = Venue(31_337, 0x5E771E)
SEQUENCER = wallet("sequencer")
MAKER, TAKER = 1, 2
BTC = perpetual(0)
PRICE = 7_000_000


class Answers(Client):
    """Stands in for the sequencer's socket: takes everything, in order."""

    def __init__(self, filled: Callable[[OrderIn], int] = lambda record: 0) -> None:
        """`filled`: lots that an order trades at once."""
        self.sent: list[Message] = []
        self.waiting: list[Ack | Stand] = []
        self.filled = filled
        self.tamper = False

    def send(self, messages: Sequence[Message]) -> None:
        """Answer each message."""
        for message in messages:
            self.sent.append(message)
            if isinstance(message, Clock):
                self.waiting.append(Stand(0, 0, (0, 0, 0, 0), 0, message.time_ms, 0, 0, 0))
                continue
            lots = self.filled(message) if isinstance(message, OrderIn) else 0
            self.waiting.append(Ack("", len(self.sent), lots, 0, self._receipt()))

    def _receipt(self) -> Receipt:
        """A receipt for the next record, signed by the sequencer or altered after it."""
        entry = Entry(len(self.sent), b"record", bytes(32), GENESIS_HASH)
        [receipt] = sign_receipts(SEQUENCER.secret, VENUE, [(entry, 1_000)], NativePrimitives())
        return receipt._replace(time_ms=2_000) if self.tamper else receipt

    def receive(self) -> Ack | Stand:
        """The next answer."""
        return self.waiting.pop(0)


def traders(client: Client) -> Traders:
    """A maker and a taker."""
    wallets = {MAKER: wallet("maker"), TAKER: wallet("taker")}
    return Traders(client, wallets, VENUE, SEQUENCER.key)


def rest(order_id: int, lots: int) -> Operation:
    """The maker's offer."""
    order = Order(order_id, MAKER, MAKER, BTC, Side.SELL, PRICE, lots, flags=Flags.POST_ONLY)
    return submit_operation(order, 1)


def take(order_id: int, lots: int) -> Operation:
    """The taker's order against it."""
    kind = TimeInForce.IMMEDIATE_OR_CANCEL
    order = Order(order_id, TAKER, TAKER, BTC, Side.BUY, PRICE, lots, time_in_force=kind)
    return submit_operation(order, 1)


def cancel(order_id: int) -> Operation:
    """Of the maker's order."""
    return Operation(OperationKind.CANCEL, 1, MAKER, instrument=BTC, order_id=order_id)


def lots_of(record: OrderIn) -> int:
    """Every taker trades all it wants."""
    order = record.signed.message
    return order.quantity if order.is_buy else 0


def test_what_was_filled_whole_is_neither_cancelled_nor_amended() -> None:
    client = Answers(lots_of)
    crowd = traders(client)
    crowd.send(crowd.operations([rest(1, 10), rest(2, 10), take(3, 15)]))
    crowd.finish()
    assert crowd.operations([cancel(1)]) == []
    [message] = crowd.operations([cancel(2)])
    assert isinstance(message, CancelIn)
    first = client.sent[1]
    assert isinstance(first, OrderIn)
    assert message.message.nonce == first.signed.message.nonce


def test_a_partly_filled_order_goes_with_the_lots_that_are_left() -> None:
    crowd = traders(Answers(lots_of))
    crowd.send(crowd.operations([rest(1, 10), take(2, 4), take(3, 6)]))
    crowd.finish()
    assert crowd.operations([cancel(1)]) == []
    assert crowd.filled == 10


def test_a_revision_keeps_slot_and_nonce() -> None:
    crowd = traders(Answers())
    [first] = crowd.operations([rest(1, 10)])
    amend = Operation(
        OperationKind.AMEND, 1, MAKER, instrument=BTC, order_id=1, price=PRICE + 5, quantity=7
    )
    [second] = crowd.operations([amend])
    assert isinstance(first, OrderIn)
    assert isinstance(second, OrderIn)
    old, new = first.signed.message, second.signed.message
    assert new == old._replace(limit_price=PRICE + 5, quantity=7)
    assert new.good_till == GOOD_TILL


def test_the_oldest_order_makes_room_when_every_slot_is_taken() -> None:
    crowd = traders(Answers())
    crowd.operations([rest(k, 1) for k in range(MAIN.slots_max + 1)])
    assert crowd.operations([cancel(0)]) == []
    assert len(crowd.operations([cancel(1), cancel(MAIN.slots_max)])) == 2


def test_a_receipt_that_was_altered_is_not_believed() -> None:
    client = Answers()
    crowd = traders(client)
    client.tamper = True
    crowd.send(crowd.operations([rest(1, 10)]))
    with pytest.raises(BadReceipt, match="record 1 "):
        crowd.finish()


def test_what_was_not_answered_is_given_back_without_the_clock() -> None:
    crowd = traders(Answers())
    wanted = crowd.operations([rest(1, 10)])
    crowd.send(wanted, now=5)
    assert crowd.lost() == wanted
    assert crowd.lost() == []


def test_orders_of_another_fork_are_signed_anew_from_free_slots() -> None:
    crowd = traders(Answers())
    [before] = crowd.operations([rest(1, 10)])
    crowd.under_fork(1)
    assert crowd.operations([cancel(1)]) == []
    [after] = crowd.operations([rest(1, 10)])
    assert isinstance(before, OrderIn)
    assert isinstance(after, OrderIn)
    assert after.signed.message.slot == before.signed.message.slot
    assert after.signed.message.nonce > before.signed.message.nonce
    assert after.signed.authorization != before.signed.authorization


def test_every_order_that_rests_can_be_pulled_at_once() -> None:
    crowd = traders(Answers(lots_of))
    crowd.send(crowd.operations([rest(1, 10), rest(2, 10), take(3, 10), rest(4, 10)]))
    crowd.finish()
    pulled = crowd.cancels()
    assert [type(message) for message in pulled] == [CancelIn, CancelIn]
    assert crowd.cancels() == []
    assert crowd.operations([cancel(2), cancel(4)]) == []
