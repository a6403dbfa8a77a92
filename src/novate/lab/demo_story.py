"""The demo's acts: opening, a recorded session, an expiry, a crash with liquidations, leaving."""

from __future__ import annotations

from time import perf_counter

from novate.book.operations import submit_operation
from novate.book.orders import Order as BookOrder
from novate.book.orders import Quote as BookQuote
from novate.book.orders import Sheet as BookSheet
from novate.book.orders import Side, TimeInForce
from novate.lab.demo_data import TICKS
from novate.lab.demo_market import ROUND_AGE_S, DemoMarket
from novate.lab.desk import MAX_FEE_PPM, Desk
from novate.lab.option_chain import ChainQuote
from novate.lab.progress import Progress
from novate.lab.worlds import perpetual
from novate.spec.errors import LawError
from novate.spec.holders import quantity_of
from novate.spec.instruments import expiry_time
from novate.spec.messages.account import WITHDRAW_TAG, SignedWithdrawal, Withdrawal
from novate.spec.messages.batch import Fill, Liquidate, SideKind, SideOf, Touch, Trade
from novate.spec.messages.orders import SHEET_TAG, Quote, Sheet, SignedSheet
from novate.spec.valuation import account_health, mark_of_id, withdrawable

PERPETUAL = perpetual(0)
QUOTES_A_SHEET = 64
OPTION_TRADES_A_SECOND = 4
ROUNDS_A_BATCH = 4
QUIET_ROUND_S = 240
CRASH_ROUND_S = 60
LONGEST = 2**32 - 1
"""Good-till of the demo's orders: none of them ends by time."""


class Story:
    """The acts, in order, on one market."""

    def __init__(self, market: DemoMarket, progress: Progress) -> None:
        """Nothing has happened yet."""
        self.market = market
        self.progress = progress
        self.venue = market.venue
        self.desk = Desk(market.venue, market.wallets, LONGEST)
        self._next_order_id = 1 << 40
        self._nonce = 1 << 30
        self._rounds = 0
        self._options: list[ChainQuote] = []
        """Quoted options that really traded in the day before the snapshot."""

    def opening(self) -> None:
        """Three agreeing snapshots open the market; deposits and keys come in from L1."""
        requests = self.market.opening_requests()
        limit = self.venue.state.preset.inbox_max
        start = self.market.data.start - 60
        chunks = [requests[at : at + limit] for at in range(0, len(requests), limit)]
        for number in range(max(3, len(chunks))):
            self.venue.begin()
            chunk = chunks[number] if number < len(chunks) else []
            self.market.open(start + 5 * number, chunk)
            self.venue.close()
            self.market.seal()
        self.progress.say(f"{len(requests)} requests from L1 in {len(chunks)} batches")

    def session(self) -> None:
        """The recorded order flow through the book; options quoted from the chain and taken."""
        data = self.market.data
        self._start_batch(data.start)
        self._quote_options(data.start)
        second = data.start
        for moment, operations in data.blocks():
            if moment > second:
                self._pass_time(moment)
                self._take_options(moment, (moment - second) * OPTION_TRADES_A_SECOND)
                second = moment
                self.progress.at(second - data.start, data.seconds, self._counts())
            started = perf_counter()
            self.desk.run(operations)
            self.market.add_time("matching, admission", started)
        self._leverage(second)
        self._end_batch()

    def _counts(self) -> str:
        """Where the session stands."""
        fills = self.venue.accepted["Trade"]
        return f"{self.desk.orders} orders, {fills} fills, {len(self.market.journals)} batches"

    def _start_batch(self, time: int) -> None:
        """A new batch and its first round."""
        self.venue.begin()
        self._rounds = 0
        self._open_round(time)

    def _open_round(self, time: int) -> None:
        """A round at the last grid second."""
        self.market.open(time - time % 5)
        self.desk.new_round()
        self._rounds += 1

    def _end_batch(self) -> None:
        """Seal round and batch."""
        self.venue.close()
        self.market.seal()

    def _pass_time(self, second: int) -> None:
        """Seal the round on age, drift or size, and the batch after a few rounds."""
        opened = self.venue.round
        index = opened.state.views[0].snapshot.index_price
        drift = abs(self.market.data.path.at(second) - index)
        size = len(opened.trades) >= self.venue.state.preset.fills_max // ROUNDS_A_BATCH
        if second - opened.state.time < ROUND_AGE_S and 200 * drift < index and not size:
            return
        if second - second % 5 <= opened.state.time:
            return
        self.venue.close()
        if self._rounds >= ROUNDS_A_BATCH:
            self.market.seal()
            self._start_batch(second)
        else:
            self._open_round(second)

    def _best_options(self, count: int) -> list[ChainQuote]:
        """The most traded options with both sides quoted, grouped by instrument."""
        quoted = [quote for quote in self.market.data.chain.quotes if 0 < quote.bid < quote.ask]
        quoted.sort(key=lambda quote: (-quote.volume, quote.instrument))
        return sorted(quoted[:count])

    def _quote_options(self, now: int) -> None:
        """Each option maker signs one sheet of 64 quotes; a second would replace the first."""
        makers = self.market.cast.option_makers
        options = self._best_options(QUOTES_A_SHEET * len(makers))
        for place, maker in enumerate(makers):
            part = options[place * QUOTES_A_SHEET :][:QUOTES_A_SHEET]
            quotes = tuple(BookQuote(q.instrument, q.bid, 50_000, q.ask, 50_000) for q in part)
            sheet = BookSheet(maker, maker, self._take_ids(2 * len(part)), quotes)
            self.desk.quote(sheet, 0, now)
        self._options = [quote for quote in options if quote.volume]
        self.progress.say(f"{len(options)} options quoted by {len(makers)} makers")

    def _take_ids(self, count: int) -> int:
        """The first of `count` fresh order ids."""
        first = self._next_order_id
        self._next_order_id += count
        return first

    def _take_options(self, now: int, count: int) -> None:
        """Takers hit the quotes, each option as often as its real volume says."""
        random = self.market.random
        weights = [quote.volume for quote in self._options]
        operations = []
        for quote in random.choices(self._options, weights, k=count):
            buys = random.random() < 0.5
            taker = random.choice(self.market.cast.takers)
            order = BookOrder(
                order_id=self._take_ids(1),
                account=taker,
                owner_group=taker,
                instrument=quote.instrument,
                side=Side.BUY if buys else Side.SELL,
                price=quote.ask if buys else quote.bid,
                quantity=random.randint(1, 2_000),
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
            operations.append(submit_operation(order, now))
        started = perf_counter()
        self.desk.run(operations)
        self.market.add_time("matching, admission", started)

    def _leverage(self, now: int) -> None:
        """Some takers go long the perpetual, close to what their margin allows."""
        price = mark_of_id(self.venue.round.state.views, PERPETUAL)
        for account in self.market.cast.leveraged:
            equity = account_health(
                self.venue.round.state.views, self.venue.draft.account(account)
            ).equity
            lots = equity * 45 // 10 // price
            order = BookOrder(
                order_id=self._take_ids(1),
                account=account,
                owner_group=account,
                instrument=PERPETUAL,
                side=Side.BUY,
                price=price + 200 * TICKS,
                quantity=lots,
                time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
            )
            self.desk.run([submit_operation(order, now)])

    def quiet(self, until: int) -> None:
        """Rounds without trades, close enough together that no market halts."""
        first = self.venue.state.system.time + 5
        times = list(range(first, until, QUIET_ROUND_S))
        for number in range(0, len(times), ROUNDS_A_BATCH):
            self.venue.begin()
            for time in times[number : number + ROUNDS_A_BATCH]:
                self.market.open(time)
                self.venue.close()
            self.market.seal()
        self.progress.say(f"{len(times)} quiet rounds")

    def expiry(self) -> None:
        """Through the averaging window to 08:00; holders of what settled are touched."""
        day = min(fields.day for fields in self.market.data.chain.expiries)
        moment = expiry_time(day)
        self.quiet(moment)
        self.venue.begin()
        self.market.open(moment)
        settled = {key for key, state in self.venue.draft.instruments.items() if state.settled}
        touched = 0
        for index in sorted(self.venue.state.accounts):
            held = self.venue.draft.account(index).positions
            if any(position.instrument in settled for position in held):
                self.venue.bring(Touch(index))
                touched += 1
        self._end_batch()
        self.progress.say(f"{len(settled)} options settled, {touched} holders paid")
        self.quiet(self.market.data.crash_start)

    def crash(self) -> None:
        """The crash hour: accounts below margin are stepped down, taken over or deleveraged."""
        data = self.market.data
        for offset in range(0, data.crash_seconds, CRASH_ROUND_S):
            self.venue.begin()
            self.market.open(data.crash_start + offset)
            started = perf_counter()
            self._watch_margins()
            self.market.add_time("watching margins", started)
            self._end_batch()
            self.progress.at(offset, data.crash_seconds, self._liquidations())

    def _liquidations(self) -> str:
        """How many events of the waterfall so far."""
        return f"{sum(len(journal.liquidations) for journal in self.market.journals)} events"

    def _watch_margins(self) -> None:
        """Bring every account that needs it: a touch first, then a step or the waterfall."""
        draft, state = self.venue.draft, self.venue.round.state
        steps = []
        for index in sorted(draft.base.accounts):
            account = draft.account(index)
            now = account_health(state.views, account)
            if not account.positions or now.equity >= now.maintenance:
                continue
            held = quantity_of(account.positions, PERPETUAL)
            if account.liquidation_since == 0:
                self.venue.bring(Touch(index))
            elif held and index % 3 == 0 and now.equity > 0:
                lots = abs(held) * (now.initial - now.equity) // now.initial + 1
                steps.append((index, min(abs(held), lots), held > 0))
            else:
                self._waterfall(index)
        for step in steps:
            self._step(*step)

    def _waterfall(self, index: int) -> None:
        """Takeover or deleveraging, before any trade of the round."""
        try:
            self.venue.bring(Liquidate(index))
        except LawError as error:
            self.progress.say(f"account {index}: {error.reason}")

    def _step(self, index: int, lots: int, is_long: bool) -> None:
        """A maker's fresh quote, 0.1 % from the mark, takes part of a perpetual position."""
        price = mark_of_id(self.venue.round.state.views, PERPETUAL)
        away = price // 1_000
        maker = self.market.cast.perpetual_makers[0]
        self._nonce += 1
        quote = Quote(PERPETUAL, price - away, lots, price + away, lots)
        message = Sheet(maker, 1_000, self._nonce, LONGEST, MAX_FEE_PPM, (quote,))
        elements = message.elements(self.venue.draft.domain(), 0)
        wallet = self.market.wallets[maker]
        authorization = wallet.authorize(self.market.primitives, SHEET_TAG, elements)
        place = self.venue.read_sheet(SignedSheet(message, authorization))
        quoted = SideOf(SideKind.QUOTE, place, 0)
        forced = SideOf(SideKind.LIQUIDATION, index)
        fill = Fill(
            instrument=PERPETUAL,
            price=price - away if is_long else price + away,
            quantity=lots,
            buyer=quoted if is_long else forced,
            seller=forced if is_long else quoted,
            maker_is_buyer=is_long,
        )
        try:
            self.venue.trade(Trade((fill,)))
        except LawError as error:
            self.progress.say(f"account {index}: step refused, {error.reason}")

    def leaving(self) -> None:
        """Every taker withdraws half of what may leave."""
        time = self.venue.state.system.time
        self.venue.begin()
        self.market.open(time + 5)
        state = self.venue.round.state
        for account in self.market.cast.takers:
            amount = withdrawable(self.venue.draft, state, self.venue.draft.account(account)) // 2
            if amount:
                self._withdraw(account, amount)
        self._end_batch()
        paid = self.market.journals[-1].withdrawals
        self.progress.say(f"{len(paid)} withdrawals, {sum(w.payout for w in paid) / 1e6:,.2f} USDC")

    def _withdraw(self, account: int, amount: int) -> None:
        """A signed withdrawal."""
        self._nonce += 1
        message = Withdrawal(account, amount, 0, 1_023, self._nonce, LONGEST)
        elements = message.elements(self.venue.draft.domain(), 0)
        wallet = self.market.wallets[account]
        authorization = wallet.authorize(self.market.primitives, WITHDRAW_TAG, elements)
        try:
            self.venue.move(SignedWithdrawal(message, authorization))
        except LawError as error:
            self.progress.say(f"account {account}: withdrawal refused, {error.reason}")
