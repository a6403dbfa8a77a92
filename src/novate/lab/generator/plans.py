"""Plans of trades: who meets whom, in what, at which price; and how a plan becomes records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from novate.lab.generator.stage import Stage
from novate.lab.worlds import future, next_expiry, option, perpetual
from novate.spec.bounds import ACCOUNT_GROSS_MAX
from novate.spec.holders import underlying_of
from novate.spec.instruments import Kind, decode, is_linear
from novate.spec.messages.batch import Fill, SideKind, SideOf, Trade
from novate.spec.messages.orders import (
    ORDER_TAG,
    SHEET_TAG,
    Authorization,
    Order,
    OrderFlags,
    Quote,
    Sheet,
    SignedOrder,
    SignedSheet,
)
from novate.spec.valuation import is_expired, mark_of_id

FEE_MAX_PPM = 1_000
FOREVER = 2**32 - 1
MARGIN_PPM = 165_000
"""About what a linear lot needs, of index; plans are sized by it, the law decides."""
OPTION_MARGIN_PPM = 230_000
"""The same of an option."""
QUOTE_KINDS = ("order", "order", "order", "quote")


@dataclass
class Plan:
    """One intended fill between two accounts, and what is special about each side."""

    instrument: int
    price: int
    quantity: int
    buyer: int
    seller: int
    buyer_order: dict[str, Any] = field(default_factory=dict)
    """Fields of the buyer's order that differ from what the plan implies."""
    seller_order: dict[str, Any] = field(default_factory=dict)
    maker_is_buyer: bool = True

    def side(self, is_buy: bool) -> tuple[int, dict[str, Any]]:
        """Account and order fields of one side."""
        return (self.buyer, self.buyer_order) if is_buy else (self.seller, self.seller_order)


def mark_at(stage: Stage, instrument: int) -> int:
    """The mark at the round's snapshot."""
    return mark_of_id(stage.venue.round.state.views, instrument)


def index_at(stage: Stage, underlying: int) -> int:
    """The index at the round's snapshot."""
    return stage.venue.round.state.views[underlying].snapshot.index_price


def menu(stage: Stage, underlying: int) -> list[int]:
    """Instruments that make sense now: perpetual, futures, options near the money."""
    near = next_expiry(stage.time)
    tick = stage.draft.market_parameters(underlying).strike_tick
    money = index_at(stage, underlying) // tick
    step = max(100, money // 10 // 100 * 100)
    middle = max(step, (money + step // 2) // step * step)
    linear = [perpetual(underlying), perpetual(underlying), future(underlying, near + 7)]
    days = (near, near + 1)
    strikes = [middle, middle + step, max(step, middle - step)]
    return linear + [
        option(underlying, day, kind, strike)
        for day in days
        for kind in (Kind.CALL, Kind.PUT)
        for strike in strikes
    ]


def live_instruments(stage: Stage) -> list[int]:
    """Open instruments that may be traded freely: not settled, not expired, market not halted."""
    return [
        key
        for key, state in stage.draft.instruments.items()
        if not state.settled
        and not stage.is_halted(underlying_of(key))
        and not is_expired(key, stage.time)
    ]


def choose_instrument(stage: Stage) -> int | None:
    """An instrument of a market that is not halted; None if all are."""
    rng = stage.rng
    open_markets = [u for u in stage.draft.markets if not stage.is_halted(u)]
    if not open_markets:
        return None
    live = live_instruments(stage)
    if live and rng.random() < 0.5:
        return rng.choice(live)
    return rng.choice(menu(stage, rng.choice(open_markets)))


def room_for(stage: Stage, account: int, instrument: int) -> bool:
    """Whether the account holds the instrument already or may hold one more."""
    positions = stage.draft.account(account).positions
    held = any(position.instrument == instrument for position in positions)
    return held or len(positions) < stage.draft.preset.positions_max


def gross_of(stage: Stage, account: int) -> int:
    """Sum of |quantity| · index of an account, as if it were touched now."""
    return sum(
        abs(position.quantity) * index_at(stage, underlying_of(position.instrument))
        for position in stage.up_to_date(account).positions
    )


def margin_of_one(stage: Stage, instrument: int) -> int:
    """About the margin of one lot, micro-USDC; at least 1."""
    rate = MARGIN_PPM if is_linear(decode(instrument)) else OPTION_MARGIN_PPM
    return max(1, index_at(stage, underlying_of(instrument)) * rate // 1_000_000)


def lots_for(stage: Stage, instrument: int, share: float, *accounts: int) -> int:
    """Lots that use about a share of the least free margin of these accounts; at least 1."""
    free = min(stage.health(account).equity - stage.health(account).initial for account in accounts)
    lots = int(free * share / margin_of_one(stage, instrument)) if free > 0 else 1
    return max(1, min(lots, 5_000_000))


def can_afford_one(stage: Stage, instrument: int, account: int) -> bool:
    """Whether an account's free margin carries about one lot."""
    health = stage.health(account)
    return health.equity - health.initial >= margin_of_one(stage, instrument)


def near_mark(stage: Stage, instrument: int) -> int:
    """A price a little off the mark, mostly inside what does not count as given away."""
    price = mark_at(stage, instrument)
    if stage.rng.random() < 0.1:
        return max(0, int(price * stage.rng.uniform(0.985, 1.015)))
    return max(0, int(price * stage.rng.uniform(0.9995, 1.0005)))


def random_plan(stage: Stage) -> Plan | None:
    """Two traders meet in an instrument at a fair price, in a size they can probably afford."""
    instrument = choose_instrument(stage)
    traders = stage.traders()
    if instrument is None or len(traders) < 2:
        return None
    rng = stage.rng
    able = [
        index
        for index in rng.sample(traders, min(5, len(traders)))
        if room_for(stage, index, instrument) and can_afford_one(stage, instrument, index)
    ]
    if len(able) < 2:
        return None
    buyer, seller = able[:2]
    share = stage.mood.leverage * rng.choice((0.02, 0.1, 0.3, 0.7))
    quantity = lots_for(stage, instrument, share, buyer, seller)
    plan = Plan(instrument, near_mark(stage, instrument), quantity, buyer, seller)
    return with_maker(stage, plan)


def with_maker(stage: Stage, plan: Plan) -> Plan | None:
    """The plan with a maker whose rebate the taker's fee covers; None if neither side can be."""
    tiers = stage.draft.parameters.fee_tiers
    rates = [
        tiers[min(stage.draft.account(k).tier, len(tiers) - 1)] for k in (plan.buyer, plan.seller)
    ]
    choices = [
        maker_is_buyer
        for maker_is_buyer, (maker, taker) in ((True, rates), (False, rates[::-1]))
        if maker.maker_ppm + taker.taker_ppm >= 0
    ]
    if not choices:
        return None
    plan.maker_is_buyer = stage.rng.choice(choices)
    return plan


def quiet_plan(stage: Stage) -> Plan | None:
    """One lot at mark in a live instrument between two sound accounts: nothing to object to."""
    live = live_instruments(stage)
    if not live:
        return None
    instrument = stage.rng.choice(live)
    traders = stage.traders()
    sound = [
        index
        for index in stage.rng.sample(traders, min(6, len(traders)))
        if room_for(stage, index, instrument)
        and gross_of(stage, index) <= ACCOUNT_GROSS_MAX
        and stage.health(index).equity > 2 * stage.health(index).initial
        and stage.health(index).equity > 2 * index_at(stage, underlying_of(instrument))
    ]
    if len(sound) < 2:
        return None
    return with_maker(stage, Plan(instrument, mark_at(stage, instrument), 1, sound[0], sound[1]))


def free_slot(stage: Stage, account: int) -> tuple[int, int]:
    """A slot of an account and a nonce newer than the slot's."""
    slot = stage.rng.randrange(stage.draft.preset.slots_max)
    return slot, stage.draft.slot(account, slot).nonce + 1


def build_order(stage: Stage, plan: Plan, is_buy: bool) -> Order:
    """The order that one side of a plan signs."""
    account, fields = plan.side(is_buy)
    slot, nonce = (0, 1) if "slot" in fields else free_slot(stage, account)
    order = Order(
        account=account,
        instrument=plan.instrument,
        is_buy=is_buy,
        limit_price=plan.price,
        quantity=max(1, plan.quantity),
        slot=slot,
        nonce=nonce,
        good_till=FOREVER,
        max_fee_ppm=FEE_MAX_PPM,
    )
    return order._replace(**fields)


def sign_order(stage: Stage, order: Order, session: int = -1) -> SignedOrder:
    """The order with its account's authorization."""
    draft = stage.draft
    elements = order.elements(draft.domain(), draft.account(order.account).cancel_epoch)
    authorization = stage.crowd.authorize(draft, order.account, ORDER_TAG, elements, session)
    return SignedOrder(order, authorization)


def order_side(stage: Stage, signed: SignedOrder) -> SideOf:
    """A side of a fill by an order, read into the round's book once."""
    if signed not in stage.places:
        stage.places[signed] = stage.venue.read_order(signed)
    return SideOf(SideKind.ORDER, stage.places[signed])


def signed_side(stage: Stage, plan: Plan, is_buy: bool) -> SideOf:
    """A freshly signed order for one side of a plan."""
    session = stage.rng.randrange(3) if stage.rng.random() < 0.1 else -1
    return order_side(stage, sign_order(stage, build_order(stage, plan, is_buy), session))


def quote_side(stage: Stage, plan: Plan, is_buy: bool) -> SideOf:
    """A freshly signed sheet of a few quotes, one of which is this side of the plan."""
    account, _ = plan.side(is_buy)
    rng = stage.rng
    count = rng.randint(1, stage.draft.preset.sheet_quotes_max)
    chosen = rng.randrange(count)
    mine = Quote(plan.instrument, plan.price, plan.quantity, plan.price, plan.quantity)
    other = Quote(plan.instrument, max(0, plan.price - 2), 5, plan.price + 2, 0)
    quotes = tuple(mine if k == chosen else other for k in range(count))
    base = rng.randrange(stage.draft.preset.slots_max - 2 * count + 1)
    newest = max(stage.draft.slot(account, base + k).nonce for k in range(2 * count))
    sheet = Sheet(account, base, newest + 1, FOREVER, FEE_MAX_PPM, quotes)
    number = stage.venue.read_sheet(sign_sheet(stage, sheet))
    return SideOf(SideKind.QUOTE, number, chosen)


def sign_sheet(stage: Stage, sheet: Sheet) -> SignedSheet:
    """The sheet with its account's authorization."""
    draft = stage.draft
    elements = sheet.elements(draft.domain(), draft.account(sheet.account).cancel_epoch)
    return SignedSheet(sheet, stage.crowd.authorize(draft, sheet.account, SHEET_TAG, elements))


def forged(authorization: Authorization) -> Authorization:
    """The same authorization with another response: a wrong signature."""
    signature = authorization.signature
    return authorization._replace(signature=signature._replace(s=signature.s ^ 1))


def fill_of(plan: Plan, buyer: SideOf, seller: SideOf) -> Fill:
    """The plan as a fill."""
    return Fill(plan.instrument, plan.price, plan.quantity, buyer, seller, plan.maker_is_buyer)


def submit(
    stage: Stage, fills: Sequence[Fill], feature: str, accounts: Sequence[int], expected: str = ""
) -> bool:
    """Hand a trade to the venue; whether it was accepted."""
    if len(fills) > stage.fills_left:
        return False
    trade = Trade(tuple(fills))
    if not stage.attempt("Trade", lambda: stage.venue.trade(trade), expected):
        return False
    stage.fills_left -= len(fills)
    stage.acted(*accounts)
    stage.tally.features[feature] += 1
    return True


REDUCE_ONLY = {"flags": int(OrderFlags.REDUCE_ONLY)}
