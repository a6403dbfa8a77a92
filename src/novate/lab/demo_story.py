"""The demo's acts: opening, a recorded session, an expiry, a crash with liquidations, leaving.

The demo plays everybody but the node: it moves the clock of both chains, signs for the traders and
sends what they sign through the node's door. What becomes of it is for the node to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from time import perf_counter
from typing import Final

from novate.book.operations import Operation, submit_operation
from novate.book.orders import Order as BookOrder
from novate.book.orders import Side, TimeInForce
from novate.lab.demo_chain import DemoChain
from novate.lab.demo_data import TICKS, DemoData
from novate.lab.demo_kills import Kills, Restart
from novate.lab.demo_market import (
    FUND_CAPITAL,
    OPENING_S,
    USDC,
    Cast,
    capital,
    report_at,
    trader_wallets,
)
from novate.lab.demo_node import (
    AFTER,
    QUIET,
    SESSION,
    DemoNode,
    NodeFailed,
    Policy,
    tell_time,
    wait_for_reports,
    wait_for_requests,
)
from novate.lab.demo_traders import Traders
from novate.lab.option_chain import ChainQuote
from novate.lab.progress import Progress
from novate.lab.worlds import perpetual
from novate.node.receipts import Venue
from novate.node.records import Input
from novate.spec.bounds import ORACLE_GRID_S
from novate.spec.instruments import expiry_time
from novate.spec.messages.orders import Quote

PERPETUAL: Final = perpetual(0)
QUOTES_A_SHEET: Final = 64
OPTION_TRADES_A_SECOND: Final = 4
QUIET_ROUND_S: Final = 240
CRASH_ROUND_S: Final = 60
AFTER_S: Final = 60
"""Seconds of trading under the new fork."""
TAKES_A_SECOND: Final = 8
CALM_LOTS: Final = 100_000
CRASH_LOTS: Final = 2_000
"""Size of a maker's quote of the perpetual, either side: 10 BTC, and 0.2 BTC in the crash."""
L1_LIMIT_S: Final = 300.0
"""How long the submitter may take until every sealed batch is on L1."""
STALE_S: Final = 45
"""A round this old waits for the oracles before time goes on."""
FLUSH_ROUNDS: Final = 16
FIRST_OWN_ORDER: Final = 1 << 40


class Story:
    """The acts, in order, on one node and one base chain."""

    def __init__(
        self,
        data: DemoData,
        roles: Cast,
        chain: DemoChain,
        node: DemoNode,
        progress: Progress,
        kills: Kills,
    ) -> None:
        """Nothing has happened yet."""
        self.kills = kills
        self.data = data
        self.roles = roles
        self.chain = chain
        self.node = node
        self.progress = progress
        self.random = Random(2)
        self.now = data.start - OPENING_S
        self.deposited = 0
        """micro-USDC."""
        self.requests = 0
        self.acts_s: dict[str, float] = {}
        self.parts_s: dict[str, float] = {}
        """Seconds spent in acts, and in some parts of them."""
        self._next_order_id = FIRST_OWN_ORDER
        self._options: list[ChainQuote] = []
        """Quoted options that really traded in the day before the snapshot."""

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Add the time spent inside to a part."""
        started = perf_counter()
        yield
        self.parts_s[part] = self.parts_s.get(part, 0.0) + perf_counter() - started

    # The node and its clock.

    def begin_node(self, policy: Policy) -> None:
        """Start the node under a policy; the traders connect to it."""
        with self.timed("starting and stopping the node"):
            self.node.configure(policy, self.chain.anvil.url)
            self.node.start()
        self.client = self.node.client()

    def change_policy(self, policy: Policy) -> None:
        """Stop the node in order and start it again under another policy."""
        self.traders.finish()
        self.client.close()
        with self.timed("starting and stopping the node"):
            code = self.node.stop()
        if code:
            raise NodeFailed("the node did not stop in order")
        self.begin_node(policy)
        self.traders.client = self.client

    def advance(self, now: int) -> None:
        """A later grid second on both chains, and the oracles' reports of it."""
        self.traders.finish()
        self.now = now
        self.chain.follow_clock(now)
        tell_time(self.client, now)
        wait_for_reports(self.client, now)

    def settle(self, number: int) -> None:
        """Until the node has brought a batch to L1."""
        with self.timed("waiting for batches to be on L1"):
            self.chain.wait_for(f"batch {number}", lambda h: h.committed >= number, L1_LIMIT_S)

    # Acts.

    def opening(self) -> None:
        """Deposits and keys on L1, read by the node; three agreeing snapshots open the market."""
        wallets = trader_wallets(self.roles)
        amounts = capital(self.roles)
        with self.timed("the owners' transactions on L1"):
            self.chain.open_accounts(amounts, {k: one.key for k, one in wallets.items()})
            self.chain.fund(FUND_CAPITAL)
        self.deposited = sum(amounts.values()) + FUND_CAPITAL
        self.requests = 2 * len(amounts) + 1
        self.progress.say(
            f"{len(amounts)} wallets deposited {sum(amounts.values()) / USDC:,.0f} USDC on L1 and "
            "registered a key each"
        )
        self.begin_node(SESSION)
        deployment = self.chain.deployment
        self.traders = Traders(
            self.client,
            wallets,
            Venue(deployment.chain_id, deployment.addresses["settlement"]),
            self.node.receipts_key,
        )
        wait_for_requests(self.client, self.requests)
        for time in range(self.now, self.data.start, ORACLE_GRID_S):
            self.advance(time)
        self.progress.say(f"{self.requests} requests read from L1 by the node")

    def session(self) -> None:
        """The recorded order flow through the door; the node is killed half-way and goes on."""
        data = self.data
        self.advance(data.start)
        self._quote_options()
        for second, operations in by_second(data.blocks()):
            with self.timed("order flow: signing, door, matching, law"):
                self._second(second, operations)
            self.progress.at(second - data.start, data.seconds, self._counts())
            self._point(halfway=second >= data.start + data.seconds // 2)
        self._leverage()
        self.progress.say(self._counts())
        self.settle(self.flush(SESSION.round_age_s))

    def _second(self, second: int, operations: Sequence[Operation]) -> None:
        """What is sent in one second of the session."""
        passed = second - self.now
        self.now = second
        if second % ORACLE_GRID_S == 0:
            self.chain.follow_clock(second)
        stand = self.traders.stand
        if stand is not None and stand.round_time < second - STALE_S:
            self.traders.finish()
            wait_for_reports(self.client, second - second % ORACLE_GRID_S)
        taken = self._takes(min(passed, 5) * OPTION_TRADES_A_SECOND)
        self.traders.send(self.traders.operations([*taken, *operations]), second)

    def _counts(self) -> str:
        """Where the session stands."""
        taken = self.traders.taken
        return f"{self.traders.orders:,} orders signed, {sum(taken.values()):,} messages taken"

    def _point(self, halfway: bool = False) -> None:
        """A point amid messages that nobody has answered yet: the node may be killed here."""
        if self.kills.due(halfway):
            self._kill()

    def _kill(self) -> None:
        """SIGKILL to every process amid the flow; what was not acknowledged is sent again."""
        self.node.kill()
        self.client.close()
        unanswered = self.traders.lost()
        with self.timed("starting and stopping the node"):
            self.node.start()
        self.client = self.traders.client = self.node.client()
        stand = self.client.stand()
        last = max(receipt.sequence for receipt in self.traders.receipts)
        if stand.sequence < last:
            raise NodeFailed(f"record {last} was acknowledged, the log ends at {stand.sequence}")
        self.kills.restarts.append(Restart(last, len(unanswered), stand))
        self.progress.say(
            f"node killed (SIGKILL) after {last:,} acknowledged records and restarted at record "
            f"{stand.sequence:,}; {len(unanswered)} unanswered messages are sent again"
        )
        self.traders.send(unanswered, self.now)

    def _best_options(self, count: int) -> list[ChainQuote]:
        """The most traded options with both sides quoted, grouped by instrument."""
        quoted = [quote for quote in self.data.chain.quotes if 0 < quote.bid < quote.ask]
        quoted.sort(key=lambda quote: (-quote.volume, quote.instrument))
        return sorted(quoted[:count])

    def _quote_options(self) -> None:
        """Each option maker signs one sheet of 64 quotes; a second would replace the first."""
        makers = self.roles.option_makers
        options = self._best_options(QUOTES_A_SHEET * len(makers))
        sheets = []
        for place, maker in enumerate(makers):
            part = options[place * QUOTES_A_SHEET :][:QUOTES_A_SHEET]
            quotes = [Quote(q.instrument, q.bid, 50_000, q.ask, 50_000) for q in part]
            if quotes:
                sheets.append(self.traders.sheet(maker, quotes))
        self.traders.send(sheets)
        self._options = [quote for quote in options if quote.volume]
        self.progress.say(f"{len(options)} options quoted by {len(sheets)} makers")

    def _takes(self, count: int) -> list[Operation]:
        """Takers hit the option quotes, each option as often as its real volume says."""
        if not self._options:
            return []
        weights = [quote.volume for quote in self._options]
        found = []
        for quote in self.random.choices(self._options, weights, k=count):
            buys = self.random.random() < 0.5
            price = quote.ask if buys else quote.bid
            found.append(self._take(quote.instrument, buys, price, self.random.randint(1, 2_000)))
        return found

    def _take(
        self, instrument: int, buys: bool, price: int, lots: int, account: int = 0
    ) -> Operation:
        """An order of some taker that trades at once or not at all."""
        account = account or self.random.choice(self.roles.takers)
        self._next_order_id += 1
        order = BookOrder(
            order_id=self._next_order_id,
            account=account,
            owner_group=account,
            instrument=instrument,
            side=Side.BUY if buys else Side.SELL,
            price=price,
            quantity=lots,
            time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        )
        return submit_operation(order, self.now)

    def _leverage(self) -> None:
        """Some takers go long the perpetual, as far as their margin allows."""
        price = report_at(self.data, self.now - self.now % ORACLE_GRID_S).index_price
        amounts = capital(self.roles)
        self.traders.finish()
        for tenths in (45, 40, 35, 30, 25):
            before = self.traders.filled
            lots = [amounts[k] * tenths // 10 // price for k in self.roles.leveraged]
            orders = [
                self._take(PERPETUAL, True, price + 200 * TICKS, size, account)
                for account, size in zip(self.roles.leveraged, lots, strict=True)
            ]
            self.traders.send(self.traders.operations(orders), self.now)
            self.traders.finish()
            if self.traders.filled > before:
                self.progress.say(f"{len(lots)} accounts long at {tenths / 10} times their equity")
                return

    def quiet(self, until: int) -> None:
        """Rounds without trades, close enough together that no market halts."""
        times = list(
            range(self.now - self.now % ORACLE_GRID_S + QUIET_ROUND_S, until, QUIET_ROUND_S)
        )
        for time in times:
            self.advance(time)
            self._point()
        self.progress.say(f"{len(times)} quiet rounds")

    def expiry(self) -> None:
        """Through the averaging window to 08:00; the node touches the holders of what settled."""
        self.change_policy(QUIET)
        day = min(fields.day for fields in self.data.chain.expiries)
        moment = expiry_time(day)
        self.quiet(moment - ORACLE_GRID_S)
        for time in (moment - ORACLE_GRID_S, moment, moment + ORACLE_GRID_S):
            self.advance(time)
        self.quiet(self.data.crash_start)

    def crash(self) -> None:
        """The crash hour: makers pull what rests and quote little, the node liquidates."""
        data = self.data
        pulled = self.traders.cancels()
        self.traders.send(pulled)
        for offset in range(0, data.crash_seconds, CRASH_ROUND_S):
            self.advance(data.crash_start + offset)
            self.traders.send(self._perpetual_quotes(CRASH_LOTS))
            self._point()
            self.progress.at(offset, data.crash_seconds, "makers follow the price")
        self.flush(QUIET_ROUND_S)
        self.progress.say(f"{len(pulled)} resting orders were pulled before it")

    def _perpetual_quotes(self, lots: int) -> list[Input]:
        """Fresh quotes of some makers, 0.1 to 0.4 % around the index."""
        price = report_at(self.data, self.now - self.now % ORACLE_GRID_S).index_price
        quotes = []
        for place, maker in enumerate(self.roles.perpetual_makers[:4], 1):
            away = price * place // 1_000
            quote = Quote(PERPETUAL, price - away, lots, price + away, lots)
            quotes.append(self.traders.sheet(maker, [quote]))
        return quotes

    def leaving(self, withdrawable: Mapping[int, int]) -> None:
        """Every taker withdraws half of what may leave; the batch is sealed."""
        notices = len(self.client.notices)
        wanted = {k: withdrawable.get(k, 0) // 2 for k in self.roles.takers}
        sent = [self.traders.withdrawal(k, amount) for k, amount in wanted.items() if amount]
        self.traders.send(sent)
        self._point()
        self.traders.finish()
        self.flush(QUIET_ROUND_S)
        refused = [notice for notice in self.client.notices[notices:] if notice.reason]
        self.progress.say(f"{len(sent)} withdrawals signed, {len(refused)} refused by the law")

    def flush(self, round_s: int) -> int:
        """Rounds until the open batch is sealed; the number of the last sealed batch."""
        self.traders.finish()
        before = self.client.stand().batch
        for _ in range(FLUSH_ROUNDS):
            self.advance(self.now - self.now % ORACLE_GRID_S + round_s)
            sealed = self.client.stand().batch
            if sealed > before:
                return sealed
        raise NodeFailed(f"batch {before + 1} is not sealed after {FLUSH_ROUNDS} rounds")

    def again(self, fork: int) -> int:
        """Trading under the new fork; the batches go to L1 as differences. The last batch."""
        self.change_policy(AFTER)
        self.traders.under_fork(fork)
        first = self.now - self.now % ORACLE_GRID_S + ORACLE_GRID_S
        self.advance(first)
        before = self.traders.filled
        for second in range(first + 1, first + AFTER_S):
            self.now = second
            if second % ORACLE_GRID_S == 0:
                self.advance(second)
                self.traders.send(self._perpetual_quotes(CALM_LOTS))
            self.traders.send(self.traders.operations(self._perpetual_takes()), second)
            self._point()
        self.traders.finish()
        lots = self.traders.filled - before
        self.progress.say(f"{lots / 10_000:,.4f} BTC of the perpetual traded under fork {fork}")
        return self.flush(SESSION.round_age_s)

    def _perpetual_takes(self) -> list[Operation]:
        """Takers hit the makers' quotes of the perpetual."""
        price = report_at(self.data, self.now - self.now % ORACLE_GRID_S).index_price
        found = []
        for _ in range(TAKES_A_SECOND):
            buys = self.random.random() < 0.5
            limit = price + (price // 500 if buys else -price // 500)
            found.append(self._take(PERPETUAL, buys, limit, self.random.randint(1, 500)))
        return found


def by_second(
    blocks: Iterable[tuple[int, list[Operation]]],
) -> Iterator[tuple[int, list[Operation]]]:
    """The blocks of each second as one."""
    found: list[Operation] = []
    now: int | None = None
    for second, operations in blocks:
        if now is not None and second > now:
            yield now, found
            found = []
        now = second
        found += operations
    if now is not None:
        yield now, found
