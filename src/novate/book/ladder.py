"""One side of a book: price levels, best first, and in each level a queue, oldest first."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from typing import NamedTuple

from novate.book.orders import SIGN, Order, Side


class Resting:
    """An order in the book, or on its way through it."""

    __slots__ = ("filled", "open", "order")

    def __init__(self, order: Order, open_quantity: int, filled: int = 0) -> None:
        self.order = order
        self.open = open_quantity
        self.filled = filled  # over all revisions


class Level(NamedTuple):
    """A price with what rests there."""

    price: int
    quantity: int
    orders: int


class Ladder:
    """Resting orders of one side in price-time priority.

    `_keys` holds SIGN[side] × price in ascending order, so the best price is last on either side.
    """

    def __init__(self, side: Side) -> None:
        self._sign = SIGN[side]
        self._keys: list[int] = []
        self._queues: dict[int, OrderedDict[int, Resting]] = {}  # by key, then by order id

    def best_price(self) -> int | None:
        """Best price, None if the side is empty."""
        return self._sign * self._keys[-1] if self._keys else None

    def front(self) -> Resting | None:
        """The order that trades next."""
        if not self._keys:
            return None
        return next(iter(self._queues[self._keys[-1]].values()))

    def reaches(self, price: int) -> bool:
        """True if an opposite order with this limit would trade."""
        return bool(self._keys) and self._keys[-1] >= self._sign * price

    def crossing(self, price: int) -> Iterator[Resting]:
        """The orders that an opposite order with this limit could meet, in priority order.

        The ladder must not change meanwhile.
        """
        for key in reversed(self._keys):
            if key < self._sign * price:
                return
            yield from self._queues[key].values()

    def add(self, resting: Resting) -> None:
        """Last in the queue of its price."""
        key = self._sign * resting.order.price
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = OrderedDict()
            insort(self._keys, key)
        queue[resting.order.order_id] = resting

    def remove(self, order: Order) -> None:
        """Take an order out; KeyError if it is not there."""
        key = self._sign * order.price
        queue = self._queues[key]
        del queue[order.order_id]
        if not queue:
            del self._queues[key]
            del self._keys[bisect_left(self._keys, key)]

    def depth(self, levels: int) -> list[Level]:
        """The best levels."""
        best = reversed(self._keys[-levels:]) if levels else ()
        return [
            Level(
                self._sign * key,
                sum(resting.open for resting in self._queues[key].values()),
                len(self._queues[key]),
            )
            for key in best
        ]
