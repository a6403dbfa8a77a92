"""Bytes of public data a fill, in both forms, over the number of fills of a batch.

    python -m bench.public_data [--fills 16 128 1024]

A flow of a few makers and many takers trades perpetuals and options: each taker sends an order of
its own, each maker one large order an instrument and side. Every figure is a count of bytes, the
same on every machine; beside them stands what zlib makes of the same bytes, for scale.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from random import Random

from bench.common import report
from novate.lab.venue import Venue
from novate.lab.wallets import Wallet, wallet
from novate.lab.worlds import START, Prices, World, next_expiry, option, perpetual, small_world
from novate.spec.instruments import Kind
from novate.spec.journal import Journal
from novate.spec.messages.batch import Batch, Fill, SideKind, SideOf, Trade
from novate.spec.messages.inbox import Deposit, RegisterKey
from novate.spec.messages.orders import ORDER_TAG, Order, SignedOrder
from novate.spec.presets import MAIN
from novate.spec.public_data.calldata import calldata_of, encode_calldata
from novate.spec.public_data.diff import apply_diff, encode_diff
from novate.spec.public_data.full import decode_full, encode_full
from novate.spec.public_data.header import HEADER_BYTES
from novate.spec.valuation import mark_of_id

MAKERS, TAKERS = 8, 1_000
ROUND_FILLS_MAX = 256
DEPOSIT = 10**13
FOREVER = 2**32 - 1
DAY = next_expiry(START)
PRICES = tuple(
    Prices(price, premium_ppm=1_200, days=(DAY, DAY + 7)) for price in (7_000_000, 200_000)
)
INSTRUMENTS = (
    perpetual(0),
    perpetual(1),
    *(
        option(0, day, kind, strike)
        for day in (DAY, DAY + 7)
        for kind, strike in ((Kind.CALL, 72_000), (Kind.PUT, 68_000), (Kind.CALL, 76_000))
    ),
)


class Flow:
    """A venue with funded makers and takers."""

    def __init__(self, world: World, rng: Random) -> None:
        """Open both markets, and an account for every trader."""
        self.world = world
        self.rng = rng
        self.venue = Venue(world.state, world.primitives)
        self.wallets = [wallet(f"trader {k}") for k in range(MAKERS + TAKERS)]
        self.time = START
        self.nonce = 0
        for first in range(0, len(self.wallets), MAIN.inbox_max // 2):
            self.venue.begin()
            chosen = list(enumerate(self.wallets))[first : first + MAIN.inbox_max // 2]
            self.open([r for k, user in chosen for r in joining(k + 1, user)])
            self.venue.close()
            for _ in range(2):
                self.open([])
                self.venue.close()
            self.venue.seal()

    def open(self, requests: list[Deposit | RegisterKey]) -> None:
        """Open a round five seconds later, with prices that moved a little."""
        self.time += 5
        reports = []
        for underlying, prices in enumerate(PRICES):
            step = self.rng.randint(-300, 300)
            moved = Prices(
                prices.index_price + step,
                prices.premium_ppm + self.rng.randint(-9, 9),
                vol_ppm=prices.vol_ppm + self.rng.randint(-500, 500),
                days=prices.days,
            )
            reports.append(self.world.reports(underlying, self.time, moved))
        self.venue.open(self.time, reports, requests)

    def order(self, account: int, instrument: int, is_buy: bool, price: int, lots: int) -> int:
        """A signed order in the round; its place there."""
        self.nonce += 1
        slot = self.nonce % MAIN.slots_max
        order = Order(account, instrument, is_buy, price, lots, slot, self.nonce, FOREVER, 1_000)
        elements = order.elements(self.venue.draft.domain(), 0)
        key = self.wallets[account - 1]
        signed = key.authorize(self.world.primitives, ORDER_TAG, elements)
        return self.venue.read_order(SignedOrder(order, signed))

    def batch(self, fills: int) -> tuple[Batch, Journal]:
        """One batch of so many fills, in rounds of at most `ROUND_FILLS_MAX`."""
        self.venue.begin()
        for first in range(0, fills, ROUND_FILLS_MAX):
            self.open([])
            resting: dict[tuple[int, int, bool], int] = {}
            for _ in range(min(ROUND_FILLS_MAX, fills - first)):
                self.trade(resting)
            self.venue.close()
        return self.venue.seal()

    def trade(self, resting: dict[tuple[int, int, bool], int]) -> None:
        """A taker's order meets a maker's."""
        instrument = self.rng.choice(INSTRUMENTS)
        maker = self.rng.randint(1, MAKERS)
        taker = MAKERS + self.rng.randint(1, TAKERS)
        buys = self.rng.random() < 0.5
        lots = self.rng.randint(1, 500)
        price = mark_of_id(self.venue.round.state.views, instrument)
        place = (maker, instrument, not buys)
        if place not in resting:
            resting[place] = self.order(maker, instrument, not buys, price, 10**6)
        sides = (
            SideOf(SideKind.ORDER, self.order(taker, instrument, buys, price, lots)),
            SideOf(SideKind.ORDER, resting[place]),
        )
        buyer, seller = sides if buys else sides[::-1]
        self.venue.trade(Trade((Fill(instrument, price, lots, buyer, seller, not buys),)))


def joining(account: int, user: Wallet) -> tuple[Deposit, RegisterKey]:
    """The requests that open an account."""
    owner = 1_000 + account
    return Deposit(account, owner, owner, DEPOSIT), RegisterKey(account, owner, user.key)


def row(fills: int, batch: Batch, journal: Journal) -> dict[str, object]:
    """The sizes of one batch, after both forms were read back."""
    full, diff = encode_full(batch), encode_diff(journal)
    before, after = journal.before, journal.after
    assert before is not None
    assert after is not None
    assert decode_full(full, MAIN) == batch
    assert apply_diff(before, diff).accounts == after.accounts
    return {
        "fills": fills,
        "rounds": len(batch.rounds),
        "accounts": len(journal.accounts_before),
        "full": len(full),
        "full a fill": round(len(full) / fills, 1),
        "full zlib a fill": round(len(zlib.compress(full, 9)) / fills, 1),
        "diff": len(diff),
        "diff a fill": round(len(diff) / fills, 1),
        "diff zlib a fill": round(len(zlib.compress(diff, 9)) / fills, 1),
        "full / diff": round(len(full) / len(diff), 1),
        "header": HEADER_BYTES,
        "calldata": len(encode_calldata(calldata_of(journal))),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--fills", type=int, nargs="+", default=[16, 128, 1_024, 4_096])
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    flow = Flow(small_world(MAIN), Random(arguments.seed))
    report("public_data", [row(fills, *flow.batch(fills)) for fills in arguments.fills])


if __name__ == "__main__":
    main()
