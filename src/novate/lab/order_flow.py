"""Made-up order flow: requests to the books as a function of a seed.

`plain_flow` is what every installable order book knows; `wild_flow` uses, and abuses, everything
that ours do. Wild requests often refer to orders that are gone or another's, and some have terms
that are refused; all are well-formed records, and time never goes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from novate.book.operations import (
    Operation,
    OperationKind,
    sheet_operations,
    submit_operation,
)
from novate.book.orders import (
    GOOD_TILL_CANCELLED,
    PRICE_LIMIT,
    Flags,
    Order,
    Quote,
    SelfTrade,
    Sheet,
    Side,
    TimeInForce,
    market_order,
)

HIGHEST = 20_000
"""No plain limit price is above it."""
ACCOUNTS_PER_SIDE = 500
RECENT = 500
"""A plain cancel is of one of so many latest orders."""

WILD_ACCOUNTS = 12
WILD_INSTRUMENTS = (3, 1, (1 << 50) - 1)
WILD_PRICES = 16


def plain_flow(seed: int, length: int, instrument: int) -> Iterator[Operation]:
    """Limit 60 %, market 10 %, cancel 30 %, about a middle that drifts so that both sides are
    swept. Buyers and sellers are other accounts, so that there are no self-trades."""
    draw = Random(seed)
    middle = HIGHEST // 2
    owner: list[int] = []
    for order_id in range(length):
        middle = min(max(middle + draw.randint(-2, 2), 100), HIGHEST - 100)
        side = Side(draw.randint(0, 1))
        account = 1 + 2 * draw.randrange(ACCOUNTS_PER_SIDE) + side
        owner.append(account)
        kind = draw.random()
        if kind < 0.3:
            target = draw.randint(max(0, order_id - RECENT), order_id)
            yield Operation(
                OperationKind.CANCEL, 1, owner[target], instrument=instrument, order_id=target
            )
            continue
        away = draw.randint(-4, 20)
        price = middle - away if side == Side.BUY else middle + away
        quantity = draw.randint(1, 50)
        order = Order(order_id, account, account, instrument, side, price, quantity)
        if kind < 0.4:
            order = market_order(order, HIGHEST if side == Side.BUY else 1)
        yield submit_operation(order, 1)


class _WildFlow:
    """The requests of one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.now = 1
        self.used = 0
        self.owners: dict[int, tuple[int, int]] = {}  # order id: account, instrument

    def account(self) -> int:
        """Of the same few."""
        return self.draw.randrange(WILD_ACCOUNTS)

    def instrument(self) -> int:
        """Mostly the first."""
        return self.draw.choices(WILD_INSTRUMENTS, (6, 2, 1))[0]

    def price(self) -> int:
        """Rarely out of range."""
        if self.draw.random() < 0.01:
            return self.draw.choice((0, -1, PRICE_LIMIT, 1 << 40))
        return self.draw.randint(1, WILD_PRICES)

    def quantity(self) -> int:
        """Rarely out of range."""
        if self.draw.random() < 0.01:
            return self.draw.choice((-5, PRICE_LIMIT, 1 << 40))
        return self.draw.randint(1, 20)

    def good_till(self) -> int:
        """Soon, never, or already over."""
        if self.draw.random() < 0.7:
            return GOOD_TILL_CANCELLED
        return self.now + self.draw.choices((0, 1, 2, 10, 50), (1, 4, 4, 8, 8))[0]

    def order_id(self) -> int:
        """A new id, rarely one that was used before."""
        if self.used and self.draw.random() < 0.03:
            return self.draw.randrange(self.used)
        self.used += 1
        return self.used - 1

    def known(self) -> tuple[int, int, int]:
        """Id, account and instrument of a recent order; rarely of another's."""
        order_id = self.draw.randint(max(0, self.used - 25), self.used)
        account, instrument = self.owners.get(order_id, (self.account(), self.instrument()))
        if self.draw.random() < 0.05:
            account = self.account()
        return order_id, account, instrument

    def submit(self) -> list[Operation]:
        """A new order of any kind."""
        account, instrument, order_id = self.account(), self.instrument(), self.order_id()
        time_in_force = self.draw.choices(tuple(TimeInForce), (8, 1, 1))[0]
        bits = self.draw.choices((0, 1, 2, 3, 4, 8), (80, 8, 12, 1, 1, 1))[0]
        order = Order(
            order_id,
            account,
            # some accounts share an owner
            account // 2,
            instrument,
            Side(self.draw.randint(0, 1)),
            self.price(),
            self.quantity() * (4 if time_in_force else 1),
            Flags(bits),
            time_in_force,
            self.draw.choice(tuple(SelfTrade)),
            self.good_till(),
        )
        self.owners[order_id] = (account, instrument)
        return [submit_operation(order, self.now)]

    def amend(self) -> list[Operation]:
        """A revision of a recent order."""
        order_id, account, instrument = self.known()
        return [
            Operation(
                OperationKind.AMEND,
                self.now,
                account,
                instrument=instrument,
                order_id=order_id,
                price=self.price(),
                quantity=self.quantity(),
                good_till=self.good_till(),
            )
        ]

    def cancel(self) -> list[Operation]:
        """Of a recent order."""
        order_id, account, instrument = self.known()
        kind = OperationKind.CANCEL
        return [Operation(kind, self.now, account, instrument=instrument, order_id=order_id)]

    def cancel_all(self) -> list[Operation]:
        """Of one account."""
        return [Operation(OperationKind.CANCEL_ALL, self.now, self.account())]

    def expire(self) -> list[Operation]:
        """Later."""
        self.now += self.draw.choices((0, 1, 2, 20), (4, 8, 4, 1))[0]
        return [Operation(OperationKind.EXPIRE, self.now)]

    def sheet(self) -> list[Operation]:
        """A mass quote; rarely too large."""
        size = 65 if self.draw.random() < 0.02 else self.draw.randint(0, 4)
        quotes = tuple(self.quote() for _ in range(size))
        account, first = self.account(), self.used
        self.used += 2 * min(size, 64)
        for index, quote in enumerate(quotes[:64]):
            for side in Side:
                self.owners[first + 2 * index + side] = (account, quote.instrument)
        flags = self.draw.choices((0, 1, 2), (8, 4, 1))[0]
        mode = self.draw.choice(tuple(SelfTrade))
        sheet = Sheet(account, account // 2, first, quotes, Flags(flags), mode, self.good_till())
        return sheet_operations(sheet, self.now)

    def quote(self) -> Quote:
        """Both sides, one or none; sometimes crossed."""
        bid = self.price()
        ask = bid + self.draw.randint(0, 9)
        sizes = [self.draw.choice((0, self.quantity(), self.quantity())) for _ in range(2)]
        return Quote(self.instrument(), bid, sizes[0], ask, sizes[1])

    def request(self) -> list[Operation]:
        """The records of the next request."""
        kinds = (self.submit, self.amend, self.cancel, self.cancel_all, self.expire, self.sheet)
        return self.draw.choices(kinds, (60, 25, 8, 1, 5, 5))[0]()


def wild_flow(seed: int, requests: int) -> Iterator[list[Operation]]:
    """The records of each request; of a mass quote they are several."""
    flow = _WildFlow(seed)
    for _ in range(requests):
        yield flow.request()
