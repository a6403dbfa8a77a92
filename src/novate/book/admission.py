"""The door between matching and risk: the book asks, whoever holds the money answers.

Three callables are passed in:
* `admit(candidate)`: how much of the candidate may go ahead, and why not all;
* `position(account, instrument)`: signed lots held now, for reduce-only;
* `listen(event)`: told of each event before the book asks again, so both answers can be current.

The book asks at entry and at a revision (may this rest or trade?) and once for each side of each
fill (may this trade happen at this price?). A refused order is cut or rejected, a refused maker is
cancelled and matching goes on, a refused taker stops. An answer may not raise and may not call
the book.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from novate.book.events import Event, Filled
from novate.book.orders import SIGN, Order


class Stage(IntEnum):
    """When admission is asked."""

    ENTER = 0  # a new order or quote, with the quantity that would be open
    AMEND = 1  # a revision in place of the resting order of the same id
    FILL = 2  # one side of a trade


class PlannedFill(NamedTuple):
    """A fill of an all-or-nothing order that happens only if all the later ones do too."""

    maker: Order
    taker: Order
    quantity: int  # at the maker's price


class Candidate(NamedTuple):
    """What admission judges: `order`, for `quantity` lots at `price`."""

    stage: Stage
    order: Order
    price: int  # the limit, or the trade price of a fill
    quantity: int
    counterparty: Order | None = None  # of a fill
    earlier: tuple[PlannedFill, ...] = ()  # to be counted as if they had happened


class Verdict(NamedTuple):
    """How much may go ahead, 0 to the candidate's quantity, with a reason if it is not all."""

    quantity: int
    reason: str = ""


Admit = Callable[[Candidate], Verdict]
PositionOf = Callable[[int, int], int]
Listen = Callable[[Event], None]


def admit_all(candidate: Candidate) -> Verdict:
    """Admission without risk: everything goes ahead."""
    return Verdict(candidate.quantity)


class Positions:
    """Signed positions by account and instrument, from the fills alone."""

    def __init__(self) -> None:
        self._held: defaultdict[tuple[int, int], int] = defaultdict(int)

    def position(self, account: int, instrument: int) -> int:
        """Signed lots held."""
        return self._held.get((account, instrument), 0)

    def listen(self, event: Event) -> None:
        """Follow the fills."""
        if isinstance(event, Filled):
            signed = SIGN[event.taker_side] * event.quantity
            self._held[event.taker_account, event.instrument] += signed
            self._held[event.maker_account, event.instrument] -= signed
