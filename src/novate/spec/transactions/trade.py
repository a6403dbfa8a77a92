"""Phase 5: trades. Two signed orders or quotes of different accounts meet at a legal price.

An account in liquidation, or a market's fund, may stand on one side without a signature; the rules
that then protect it are in `unsigned.py`. Signatures were judged when the round's orders were read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from novate.spec.bounds import (
    FILL_NOTIONAL_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
)
from novate.spec.caps import require_room
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.fees import Fees, fill_fees
from novate.spec.holders import (
    Positions,
    change_position,
    fund_holder,
    put_fund,
    quantity_of,
    underlying_of,
)
from novate.spec.journal import FillEntry
from novate.spec.ledger import record_row
from novate.spec.listing import require_tradable
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.orders import Order, OrderFlags, SignedOrder, SignedSheet
from novate.spec.rounding import div_down, ppm_down
from novate.spec.state import Slot
from novate.spec.transactions.unsigned import (
    after_step,
    before_step,
    begin_fund,
)
from novate.spec.valuation import RoundState, add_to, begin_act, mark_of_id


@dataclass
class RoundBook:
    """The orders and sheets a round's trades refer to, with the verdict on each signature."""

    orders: list[SignedOrder] = field(default_factory=list)
    order_verdicts: list[Reason | None] = field(default_factory=list)
    sheets: list[SignedSheet] = field(default_factory=list)
    sheet_verdicts: list[Reason | None] = field(default_factory=list)


class Terms(NamedTuple):
    """What one side of a fill agreed to; `None` limits: an unsigned side."""

    holder: int
    """Account, or −1 − underlying for a fund."""
    order: Order | None


def apply_trade(draft: Draft, round_state: RoundState, book: RoundBook, trade: Trade) -> None:
    """Apply all fills of a trade, or none."""
    checkpoint = draft.checkpoint()
    try:
        if not trade.fills:
            raise Rejection(Reason.EMPTY_TRADE, "a trade has at least one fill")
        for fill in trade.fills:
            apply_fill(draft, round_state, book, fill)
    except Rejection:
        draft.rollback(checkpoint)
        raise


def apply_fill(draft: Draft, round_state: RoundState, book: RoundBook, fill: Fill) -> None:
    """Check every rule of one fill, then move position, cash, fees and slots."""
    _check_size(fill)
    buyer = resolve(draft, book, fill, fill.buyer, True)
    seller = resolve(draft, book, fill, fill.seller, False)
    if buyer.holder == seller.holder:
        raise Rejection(Reason.SELF_TRADE, f"account = {buyer.holder}")
    require_tradable(draft, round_state, fill.instrument)
    _check_band(round_state, fill)
    for terms, is_buyer in ((buyer, True), (seller, False)):
        _begin(draft, round_state, terms.holder)
        if terms.order is not None:
            check_order_terms(draft, round_state, terms.order, fill)
        _check_position(draft, round_state, terms, fill, is_buyer)
    fees = fill_fees(draft, round_state, fill, buyer.holder, seller.holder)
    _check_fees(draft, buyer, seller, fill, fees)
    sides = (buyer, seller)
    healths = [
        before_step(draft, round_state, side.holder, side.order, fill.instrument) for side in sides
    ]
    _move(draft, round_state, buyer, fill, fill.quantity, fees.buyer)
    _move(draft, round_state, seller, fill, -fill.quantity, fees.seller)
    for terms, health in zip(sides, healths, strict=True):
        after_step(draft, round_state, terms.holder, fill, health)
    entry = FillEntry(fill, buyer.holder, seller.holder, fees.buyer, fees.seller)
    draft.record(draft.journal.fills, entry)


def _check_size(fill: Fill) -> None:
    """Price, quantity and notional within their bounds."""
    if not 0 <= fill.price <= PRICE_MAX or not 1 <= fill.quantity <= QUANTITY_MAX:
        raise Rejection(Reason.FILL_OUT_OF_BOUNDS, f"price {fill.price}, lots {fill.quantity}")
    if fill.price * fill.quantity > FILL_NOTIONAL_MAX:
        detail = f"notional = {fill.price * fill.quantity}, max {FILL_NOTIONAL_MAX}"
        raise Rejection(Reason.NOTIONAL_TOO_LARGE, detail)


def resolve(draft: Draft, book: RoundBook, fill: Fill, side: SideOf, is_buyer: bool) -> Terms:
    """Who stands on a side and by which order; a quote's side is read as an order of its slot."""
    match side.kind:
        case SideKind.ORDER:
            _require_index(side.number, len(book.orders), "order")
            _require_verdict(book.order_verdicts[side.number], f"order {side.number}")
            order = book.orders[side.number].message
            if order.is_buy != is_buyer:
                raise Rejection(Reason.WRONG_SIDE, f"order {side.number} buys: {order.is_buy}")
            return Terms(order.account, order)
        case SideKind.QUOTE:
            _require_index(side.number, len(book.sheets), "sheet")
            _require_verdict(book.sheet_verdicts[side.number], f"sheet {side.number}")
            return _quote_terms(book.sheets[side.number], side.quote, is_buyer)
        case SideKind.LIQUIDATION:
            draft.account(side.number)
            return Terms(side.number, None)
        case SideKind.FUND:
            underlying = underlying_of(fill.instrument)
            draft.market(underlying)
            return Terms(fund_holder(underlying), None)


def _require_index(index: int, count: int, what: str) -> None:
    """A fill names an order or sheet of its round."""
    if not 0 <= index < count:
        raise Rejection(Reason.NO_SUCH_ORDER, f"{what} = {index}, the round has {count}")


def _require_verdict(verdict: Reason | None, what: str) -> None:
    """The order's or sheet's signature was found good."""
    if verdict is not None:
        raise Rejection(verdict, what)


def _quote_terms(signed: SignedSheet, number: int, is_buyer: bool) -> Terms:
    """One side of one quote of a sheet, as an order."""
    sheet = signed.message
    _require_index(number, len(sheet.quotes), "quote")
    quote = sheet.quotes[number]
    order = Order(
        account=sheet.account,
        instrument=quote.instrument,
        is_buy=is_buyer,
        limit_price=quote.bid_price if is_buyer else quote.ask_price,
        quantity=quote.bid_quantity if is_buyer else quote.ask_quantity,
        slot=sheet.slot(number, is_buyer),
        nonce=sheet.nonce,
        good_till=sheet.good_till,
        max_fee_ppm=sheet.max_fee_ppm,
    )
    return Terms(sheet.account, order)


def _check_band(round_state: RoundState, fill: Fill) -> None:
    """|price − mark| <= max(band of index, mark / 2)."""
    view = round_state.views[underlying_of(fill.instrument)]
    price = mark_of_id(round_state.views, fill.instrument)
    band = max(ppm_down(view.snapshot.index_price, view.parameters.band_ppm), div_down(price, 2))
    if abs(fill.price - price) > band:
        raise Rejection(Reason.OUTSIDE_BAND, f"price = {fill.price}, mark {price}, band {band}")


def check_order_terms(draft: Draft, round_state: RoundState, order: Order, fill: Fill) -> None:
    """The fill is what the order asked for, and the order is alive."""
    if order.instrument != fill.instrument:
        detail = f"order {order.instrument}, fill {fill.instrument}"
        raise Rejection(Reason.OTHER_INSTRUMENT, detail)
    is_buyer = order.is_buy
    if (fill.price > order.limit_price) if is_buyer else (fill.price < order.limit_price):
        raise Rejection(Reason.OUTSIDE_LIMIT, f"price = {fill.price}, limit {order.limit_price}")
    if order.good_till <= round_state.time:
        raise Rejection(Reason.ORDER_EXPIRED, f"good_till = {order.good_till}")
    filled = filled_of(draft, order)
    if filled + fill.quantity > order.quantity:
        detail = f"filled {filled} + {fill.quantity}, total {order.quantity}"
        raise Rejection(Reason.OVERFILLED, detail)
    _check_trigger(round_state, order, filled)


def filled_of(draft: Draft, order: Order) -> int:
    """Lots filled of the order's (slot, nonce); Rejection if a newer nonce took the slot."""
    slot = draft.slot(order.account, order.slot)
    if order.nonce < slot.nonce:
        raise Rejection(Reason.STALE_NONCE, f"nonce = {order.nonce}, slot has {slot.nonce}")
    return slot.filled if order.nonce == slot.nonce else 0


def _check_trigger(round_state: RoundState, order: Order, filled: int) -> None:
    """A trigger is met by the mark at the opening snapshot, or was met before (filled > 0)."""
    if order.trigger_price == 0 or filled > 0:
        return
    price = mark_of_id(round_state.views, order.instrument)
    above = bool(order.flags & OrderFlags.TRIGGER_ABOVE)
    if (price < order.trigger_price) if above else (price > order.trigger_price):
        raise Rejection(Reason.TRIGGER_NOT_MET, f"mark = {price}, trigger {order.trigger_price}")


def _begin(draft: Draft, round_state: RoundState, holder: int) -> None:
    """Bring the holder up to date and remember it as it was before its first act."""
    if holder < 0:
        begin_fund(draft, round_state, -1 - holder)
    else:
        begin_act(draft, round_state, holder)


def positions_of(draft: Draft, holder: int) -> Positions:
    """The positions of an account or fund."""
    if holder < 0:
        return draft.market(-1 - holder).fund.positions
    return draft.account(holder).positions


def _check_position(
    draft: Draft, round_state: RoundState, terms: Terms, fill: Fill, is_buyer: bool
) -> None:
    """Reduce-only, halts and caps, read from the running position."""
    before = quantity_of(positions_of(draft, terms.holder), fill.instrument)
    after = before + (fill.quantity if is_buyer else -fill.quantity)
    reduces = abs(after) < abs(before) and after * before >= 0
    if terms.order is not None and terms.order.flags & OrderFlags.REDUCE_ONLY and not reduces:
        raise Rejection(Reason.REDUCE_ONLY, f"position from {before} to {after}")
    if draft.market(underlying_of(fill.instrument)).halt.since:
        if not reduces:
            raise Rejection(Reason.MARKET_HALTED, f"position from {before} to {after}")
        if terms.holder >= 0:
            draft.assign(round_state.must_reduce, terms.holder, True)
    if terms.holder >= 0 and abs(after) > abs(before):
        positions = draft.account(terms.holder).positions
        require_room(draft, round_state, positions, fill.instrument, after)


def _check_fees(draft: Draft, buyer: Terms, seller: Terms, fill: Fill, fees: Fees) -> None:
    """Each signed side accepted its rate, and the venue does not pay to trade."""
    for terms, rate in ((buyer, fees.buyer_ppm), (seller, fees.seller_ppm)):
        if terms.order is not None and rate > terms.order.max_fee_ppm:
            detail = f"rate = {rate} ppm, order accepts {terms.order.max_fee_ppm}"
            raise Rejection(Reason.FEE_TOO_HIGH, detail)
    if fees.buyer + fees.seller < 0:
        raise Rejection(Reason.NEGATIVE_FEES, f"fees = {fees.buyer} + {fees.seller}")


def _move(
    draft: Draft, round_state: RoundState, terms: Terms, fill: Fill, change: int, fee: int
) -> None:
    """The effects of a fill on one side: position, cash, fee, slot, sums of the round."""
    cash = -change * fill.price
    if terms.holder < 0:
        underlying = -1 - terms.holder
        fund = draft.market(underlying).fund
        positions = change_position(draft, fund.positions, fill.instrument, change)
        put_fund(draft, underlying, replace(fund, positions=positions, cash=fund.cash + cash))
    else:
        account = draft.account(terms.holder)
        positions = change_position(draft, account.positions, fill.instrument, change)
        draft.put_account(
            terms.holder,
            replace(
                account,
                positions=positions,
                cash=account.cash + cash - fee,
                last_underlying=underlying_of(fill.instrument),
            ),
        )
        add_to(draft, round_state.paid, terms.holder, fee)
        draft.assign(round_state.fees, "total", round_state.fees.get("total", 0) + fee)
    if terms.order is not None:
        filled = filled_of(draft, terms.order) + fill.quantity
        draft.put_slot(terms.order.account, terms.order.slot, Slot(terms.order.nonce, filled))
    record_row(draft, round_state, terms.holder, fill.instrument, change, cash)
