"""Between matching and law: every fill the book asks about is tried in the open round first.

The book asks the maker, then the taker. The trade is tried at the maker's question, for what the
taker may still take, and the taker's answer is kept; so whoever is to blame is the one to go. The
steps of a fill-or-kill order are only collected until the last, and tried as one trade then.

So after every record the open round could be sealed: what the book fills, the law has done.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from novate.book.admission import Candidate, PlannedFill, Stage, Verdict
from novate.book.events import Event, Filled
from novate.book.orders import SIGN, Flags, Side, TimeInForce
from novate.book.orders import Order as BookOrder
from novate.node.orders import OrderTable, Working
from novate.node.port import Engine
from novate.spec.errors import LawError, Reason
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import FeeTier
from novate.spec.presets import Preset
from novate.spec.state import Account

BATCH_FULL: Final = "batch_full"
"""The open batch has no room for one more fill or order: the taker stops."""
CAPS: Final = (Reason.POSITION_TOO_LARGE, Reason.GROSS_TOO_LARGE, Reason.TOO_MANY_POSITIONS)
OF_NOBODY: Final = frozenset(
    {
        Reason.OUTSIDE_BAND,
        Reason.FILL_OUT_OF_BOUNDS,
        Reason.NOTIONAL_TOO_LARGE,
        Reason.NEGATIVE_FEES,
        Reason.UNKNOWN_MARKET,
        Reason.UNKNOWN_INSTRUMENT,
        Reason.INSTRUMENT_EXPIRED,
        Reason.INSTRUMENT_SETTLED,
        Reason.NOT_LISTED,
        Reason.TOO_MANY_INSTRUMENTS,
    }
)
"""Reasons that lie in price, market or instrument: the taker stops, the maker may rest."""


class Clearing:
    """Answers the book's questions about one venue; holds what it knows of the open round."""

    def __init__(
        self,
        engine: Engine,
        preset: Preset,
        orders: OrderTable,
        enter: Callable[[Candidate], Verdict],
        identity: Callable[[int], Account],
    ) -> None:
        """`enter` judges orders and revisions before they rest or trade.

        `identity`: owner, keys, epochs and tier of an account.
        """
        self._identity = identity
        self._engine = engine
        self._preset = preset
        self._orders = orders
        self._enter = enter
        self._time = 0
        self._kept: tuple[int, int, str] | None = None
        """(maker, taker, the taker's answer: '' or a reason) of the question under way."""
        self._held: tuple[int, int, int] | None = None
        """(account, instrument, lots) of the taker before the trade under way."""
        self._order_places: dict[int, tuple[SignedOrder, int]] = {}
        self._sheet_places: dict[int, tuple[SignedSheet, int]] = {}
        self._read = [0, 0]
        self._tiers: tuple[FeeTier, ...] = ()
        self.fills = 0
        """Fills of the open batch."""
        self.fills_of_round = 0

    def begin_batch(self, tiers: tuple[FeeTier, ...]) -> None:
        """A batch has room for all its fills again; `tiers` are its parameters'."""
        self.fills = 0
        self._tiers = tiers

    def fee_rates(self, account: int) -> FeeTier:
        """The rates of an account's tier; one that parameters no longer list counts as tier 0."""
        tier = self._identity(account).tier
        return self._tiers[tier if tier < len(self._tiers) else 0]

    def open_round(self, time: int) -> None:
        """A round begins: orders have to be read again into its list."""
        self._time = time
        self._order_places.clear()
        self._sheet_places.clear()
        self._read = [0, 0]
        self.fills_of_round = 0

    @property
    def orders_of_round(self) -> int:
        """Orders or sheets the open round lists already, whichever are more."""
        return max(self._read)

    def admit(self, candidate: Candidate) -> Verdict:
        """The book's question; see `novate.book.admission`."""
        if candidate.stage != Stage.FILL:
            return self._enter(candidate)
        order, other = candidate.order, candidate.counterparty
        assert other is not None, "a fill has two sides"
        kept, self._kept = self._kept, None
        if kept is not None and kept[:2] == (other.order_id, order.order_id):
            return Verdict(0, kept[2]) if kept[2] else Verdict(candidate.quantity)
        if order.time_in_force == TimeInForce.FILL_OR_KILL:
            return self._fill_or_kill(candidate, other)
        if other.time_in_force == TimeInForce.FILL_OR_KILL:
            return Verdict(candidate.quantity)
        return self._maker(candidate, other)

    def position(self, account: int, instrument: int) -> int:
        """Signed lots, as the book knows them: a trade under way is not a fill yet."""
        if self._held is not None and self._held[:2] == (account, instrument):
            return self._held[2]
        return self._engine.position(account, instrument)

    def follow(self, event: Event) -> None:
        """A fill has come out of the book: positions are the engine's again."""
        if isinstance(event, Filled):
            self._held = None

    def _maker(self, candidate: Candidate, taker: BookOrder) -> Verdict:
        """Try the trade now; keep what the taker will be answered."""
        maker, lots = candidate.order, candidate.quantity
        held = self._engine.position(taker.account, taker.instrument)
        if taker.flags & Flags.REDUCE_ONLY:
            lots = min(lots, -SIGN[taker.side] * held)
        if lots <= 0:
            return Verdict(candidate.quantity)  # the book itself refuses the taker
        reason = self._try((PlannedFill(maker, taker, lots),))
        if reason and self._is_makers(reason, maker, taker, lots):
            return Verdict(0, reason)
        self._kept = maker.order_id, taker.order_id, reason
        if not reason:
            self._held = taker.account, taker.instrument, held
        return Verdict(candidate.quantity)

    def _fill_or_kill(self, candidate: Candidate, maker: BookOrder) -> Verdict:
        """The taker's question of one planned step; the last step tries them all."""
        taker = candidate.order
        planned = (*candidate.earlier, PlannedFill(maker, taker, candidate.quantity))
        if sum(fill.quantity for fill in planned) < taker.quantity:
            return Verdict(candidate.quantity)
        reason = self._try(planned)
        return Verdict(0, reason) if reason else Verdict(candidate.quantity)

    def _try(self, planned: tuple[PlannedFill, ...]) -> str:
        """Apply one trade to the open round; the reason if there is no room or the law refuses."""
        if self.fills + len(planned) > self._preset.fills_max:
            return BATCH_FULL
        try:
            self._engine.trade(Trade(tuple(map(self._fill, planned))))
        except NoRoom:
            return BATCH_FULL
        except LawError as error:
            return error.reason
        self.fills += len(planned)
        self.fills_of_round += len(planned)
        return ""

    def _fill(self, planned: PlannedFill) -> Fill:
        """A planned fill in the law's form; its orders are read into the round if need be."""
        maker, taker, lots = planned
        buyer, seller = (maker, taker) if maker.side == Side.BUY else (taker, maker)
        return Fill(
            instrument=maker.instrument,
            price=maker.price,
            quantity=lots,
            buyer=self._side(buyer),
            seller=self._side(seller),
            maker_is_buyer=maker.side == Side.BUY,
        )

    def _side(self, order: BookOrder) -> SideOf:
        """Where the law finds what this side signed."""
        working = self._orders.by_id[order.order_id]
        if working.sheet is not None:
            first = order.order_id - _number_in_sheet(working)
            found = self._sheet_places.get(first)
            if found is None or found[0] is not working.sheet:
                found = working.sheet, self._read_sheet(working.sheet)
                self._sheet_places[first] = found
            return SideOf(SideKind.QUOTE, found[1], working.quote)
        signed = working.signed
        if signed is None:
            return SideOf(SideKind.LIQUIDATION, working.account)
        known = self._order_places.get(order.order_id)
        if known is None or known[0] is not signed:
            known = signed, self._read_order(signed)
            self._order_places[order.order_id] = known
        return SideOf(SideKind.ORDER, known[1])

    def _read_order(self, signed: SignedOrder) -> int:
        """The order's place in the round's list."""
        self._count(0)
        return self._engine.read_order(signed)

    def _read_sheet(self, signed: SignedSheet) -> int:
        """The sheet's place in the round's list."""
        self._count(1)
        return self._engine.read_sheet(signed)

    def _count(self, which: int) -> None:
        """NoRoom if the round's list is full; those that no fill refers to are counted too."""
        if self._read[which] >= self._preset.records_max:
            raise NoRoom
        self._read[which] += 1

    def _is_makers(self, reason: str, maker: BookOrder, taker: BookOrder, lots: int) -> bool:
        """Whether the maker has to go: it is to blame, and the taker's own terms are not.

        A margin refusal names its account. Of the others some lie with nobody, and the rest is
        looked for at the taker first: one bad taker must not empty the book.
        """
        if reason == BATCH_FULL or reason in OF_NOBODY:
            return False
        blamed = self._engine.blamed
        if blamed is not None:
            return blamed == maker.account
        if reason == Reason.MARKET_HALTED:
            return not self._opens(taker, lots)
        if reason in CAPS:
            return self._size(maker, lots) > self._size(taker, lots)
        return not self._takers_fault(reason, taker)

    def _opens(self, order: BookOrder, lots: int) -> bool:
        """Whether a fill would open or turn the order's position."""
        before = self._engine.position(order.account, order.instrument)
        after = before + SIGN[order.side] * lots
        return abs(after) >= abs(before) or before * after < 0

    def _size(self, order: BookOrder, lots: int) -> int:
        """Positions held, then lots after the fill: what caps are about, larger is worse."""
        held = self._engine.account(order.account).positions
        after = self._engine.position(order.account, order.instrument) + SIGN[order.side] * lots
        return len(held) << 64 | abs(after)

    def _takers_fault(self, reason: str, taker: BookOrder) -> bool:
        """Whether what the taker signed explains the refusal."""
        working = self._orders.by_id[taker.order_id]
        match reason:
            case Reason.ORDER_EXPIRED:
                return taker.good_till <= self._time
            case Reason.FEE_TOO_HIGH:
                return working.max_fee_ppm < self.fee_rates(taker.account).taker_ppm
            case Reason.TRIGGER_NOT_MET:
                return working.signed is not None and working.signed.message.trigger_price != 0
            case _:
                return working.is_forced


class NoRoom(Exception):
    """The open round lists as many orders or sheets as it may."""


def _number_in_sheet(working: Working) -> int:
    """2k + s of one side of one quote."""
    return 2 * working.quote + int(working.side)
