"""What admission is told of an account's open orders equals the orders one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest

from novate.book.orders import Side
from novate.node.orders import OrderTable, Working
from novate.node.port import FillOf

ACCOUNTS = 3
INSTRUMENTS = (0, 7, 11)


def totals(changes: Iterable[FillOf]) -> tuple[Counter[tuple[int, bool]], Counter[int]]:
    """Lots by instrument and direction, and money by instrument."""
    lots: Counter[tuple[int, bool]] = Counter()
    money: Counter[int] = Counter()
    for instrument, quantity, price in changes:
        lots[instrument, quantity > 0] += quantity
        money[instrument] += quantity * price
    return Counter({k: v for k, v in lots.items() if v}), money


def one_by_one(table: OrderTable, account: int, without: Iterable[Working]) -> list[FillOf]:
    """Every open order but some."""
    left_out = {working.order_id for working in without}
    live = table.of_account(account)
    return [w.change for w in live if w.open and w.order_id not in left_out]


def random_order(draw: Random, order_id: int) -> Working:
    """An order of some account, open or not yet."""
    return Working(
        order_id=order_id,
        account=draw.randrange(ACCOUNTS),
        instrument=draw.choice(INSTRUMENTS),
        side=draw.choice(list(Side)),
        price=draw.randint(1, 2**31 - 1),
        slot=order_id,
        nonce=order_id + 1,
        open=draw.choice((0, draw.randint(1, 2**31 - 1))),
    )


@pytest.mark.parametrize("seed", range(8))
def test_sums_follow_every_change_of_an_order(seed: int) -> None:
    draw = Random(seed)
    table = OrderTable()
    for order_id in range(400):
        live = list(table.by_id.values())
        kind = draw.random()
        if kind < 0.4 or not live:
            table.add(random_order(draw, order_id))
        elif kind < 0.7:
            price = draw.choice((None, draw.randint(1, 2**31 - 1)))
            table.rest(draw.choice(live), draw.choice((0, draw.randint(1, 10**6))), price)
        else:
            gone = draw.choice(live)
            table.remove(gone.order_id)
            table.rest(gone, 5)  # of an order that is not listed any more
        account = draw.randrange(ACCOUNTS)
        mine = table.of_account(account)
        without = draw.sample(mine, k=min(len(mine), draw.randrange(3)))
        found = table.exposure(account, without)
        wanted = one_by_one(table, account, without)
        assert totals(found) == totals(wanted)
        assert all(lots and 0 < price < 2**31 for _, lots, price in found)
        assert len(found) <= 4 * len(INSTRUMENTS)


def test_an_account_without_orders_has_nothing_open() -> None:
    table = OrderTable()
    assert table.exposure(1) == []
    working = Working(1, 1, 7, Side.SELL, 100, 0, 1, open=3)
    table.add(working)
    assert table.exposure(1) == [(7, -3, 100)]
    table.remove(1)
    assert table.exposure(1) == []
