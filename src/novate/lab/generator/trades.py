"""Random trades that mean well: orders, quotes, legs, triggers, edits, liquidations, funds."""

from __future__ import annotations

from novate.lab.generator.plans import (
    FEE_MAX_PPM,
    QUOTE_KINDS,
    REDUCE_ONLY,
    Plan,
    build_order,
    fill_of,
    lots_for,
    mark_at,
    near_mark,
    order_side,
    quote_side,
    random_plan,
    room_for,
    sign_order,
    signed_side,
    submit,
)
from novate.lab.generator.stage import Stage
from novate.lab.worlds import perpetual
from novate.spec.holders import underlying_of
from novate.spec.messages.batch import SideKind, SideOf
from novate.spec.messages.orders import Order, OrderFlags
from novate.spec.valuation import is_expired


def counterparty(stage: Stage, account: int, instrument: int) -> int | None:
    """The best funded of a few others with room for an instrument; None mostly if it is halted."""
    rng = stage.rng
    if stage.is_halted(underlying_of(instrument)) and rng.random() < 0.8:
        return None
    others = [k for k in stage.traders() if k != account and room_for(stage, k, instrument)]
    few = rng.sample(others, min(3, len(others)))
    return max(few, key=lambda k: stage.health(k).equity - stage.health(k).initial, default=None)


def trade(stage: Stage) -> None:
    """Two accounts meet, each by an order or a quote."""
    plan = random_plan(stage)
    if plan is None or stage.fills_left < 1:
        return
    kinds = [stage.rng.choice(QUOTE_KINDS) for _ in range(2)]
    sides = [
        quote_side(stage, plan, is_buy) if kind == "quote" else signed_side(stage, plan, is_buy)
        for kind, is_buy in zip(kinds, (True, False), strict=True)
    ]
    feature = f"trade of {' and '.join(sorted(kinds))}"
    submit(stage, [fill_of(plan, *sides)], feature, (plan.buyer, plan.seller))


def legs(stage: Stage) -> None:
    """Several fills that happen all or not at all."""
    fills = []
    accounts: set[int] = set()
    for _ in range(stage.rng.randint(2, 3)):
        plan = random_plan(stage)
        if plan is None:
            return
        plan.quantity = max(1, plan.quantity // 4)
        fills.append(fill_of(plan, signed_side(stage, plan, True), signed_side(stage, plan, False)))
        accounts |= {plan.buyer, plan.seller}
    submit(stage, fills, "multi-leg trade", sorted(accounts))


def reduce(stage: Stage) -> None:
    """An account closes part of a position, mostly by a reduce-only order."""
    rng = stage.rng
    holders = [k for k in stage.traders() if stage.draft.account(k).positions]
    if not holders:
        return
    account = rng.choice(holders)
    position = rng.choice(stage.draft.account(account).positions)
    other = counterparty(stage, account, position.instrument)
    if other is None:
        return
    closes_long = position.quantity > 0
    lots = max(1, int(abs(position.quantity) * rng.choice((0.3, 0.6, 1.0))))
    fields = dict(REDUCE_ONLY) if rng.random() < 0.8 else {}
    buyer, seller = (other, account) if closes_long else (account, other)
    plan = Plan(position.instrument, near_mark(stage, position.instrument), lots, buyer, seller)
    if closes_long:
        plan.seller_order = fields
    else:
        plan.buyer_order = fields
    fill = fill_of(plan, signed_side(stage, plan, True), signed_side(stage, plan, False))
    submit(stage, [fill], "reduce-only trade" if fields else "closing trade", (buyer, seller))


def trigger(stage: Stage) -> None:
    """A stop or take-profit order whose trigger is met by the mark."""
    plan = random_plan(stage)
    if plan is None:
        return
    price = mark_at(stage, plan.instrument)
    if stage.rng.random() < 0.5:
        fields = {"trigger_price": max(1, price - stage.rng.randint(0, 50))}
        fields["flags"] = int(OrderFlags.TRIGGER_ABOVE)
        if price < fields["trigger_price"]:
            return
    else:
        fields = {"trigger_price": max(1, price + stage.rng.randint(0, 50))}
    plan.buyer_order = fields
    fill = fill_of(plan, signed_side(stage, plan, True), signed_side(stage, plan, False))
    submit(stage, [fill], "triggered trade", (plan.buyer, plan.seller))


def rest(stage: Stage) -> None:
    """An order is filled in part and stays."""
    plan = random_plan(stage)
    if plan is None:
        return
    total = plan.quantity * stage.rng.randint(2, 5)
    if total > 2**31 - 1:
        return
    plan.buyer_order = {"quantity": total, "limit_price": plan.price + plan.price // 50}
    signed = sign_order(stage, build_order(stage, plan, True))
    sides = order_side(stage, signed), signed_side(stage, plan, False)
    if submit(stage, [fill_of(plan, *sides)], "first part of an order", (plan.buyer, plan.seller)):
        stage.resting.append((signed, total - plan.quantity))
        del stage.resting[:-40]


def refill(stage: Stage) -> None:
    """A resting order is filled further, perhaps after an edit of price and total quantity."""
    if not stage.resting:
        return
    rng = stage.rng
    signed, left = stage.resting.pop(rng.randrange(len(stage.resting)))
    order = signed.message
    edits = rng.random() < 0.4
    other = counterparty(stage, order.account, order.instrument)
    signer = stage.crowd.wallet(stage.draft, order.account)
    if signer is None or other is None or is_expired(order.instrument, stage.time):
        return
    if edits:
        order = _edited(stage, order)
        signed, left = sign_order(stage, order), left + order.quantity - signed.message.quantity
    price = near_mark(stage, order.instrument)
    quantity = max(1, int(left * rng.choice((0.5, 1.0))))
    plan = Plan(order.instrument, price, quantity, order.account, other)
    sides = order_side(stage, signed), signed_side(stage, plan, False)
    feature = "edited order" if edits else "further part of an order"
    done = submit(stage, [fill_of(plan, *sides)], feature, (plan.buyer, plan.seller))
    if left > (quantity if done else 0):
        stage.resting.append((signed, left - quantity if done else left))


def _edited(stage: Stage, order: Order) -> Order:
    """The same slot and nonce with another limit and a larger total."""
    price = mark_at(stage, order.instrument)
    total = min(2**31 - 1, order.quantity + stage.rng.randint(1, order.quantity))
    return order._replace(limit_price=price + price // 40, quantity=total)


def step(stage: Stage) -> None:
    """A liquidation step: an account in liquidation trades without its signature."""
    rng = stage.rng
    ill = [k for k in stage.accounts() if stage.draft.account(k).liquidation_since]
    if not ill:
        return
    account = rng.choice(ill)
    positions = stage.up_to_date(account).positions
    others = [k for k in stage.traders() if k != account]
    if not positions or not others:
        return
    position = rng.choice(positions)
    hedges = rng.random() < 0.15
    instrument = position.instrument
    if hedges:
        instrument = perpetual(underlying_of(position.instrument))
    lots = max(1, int(abs(position.quantity) * rng.choice((0.05, 0.15, 0.3, 0.6, 1.0))))
    sells = (position.quantity > 0) != (hedges and rng.random() < 0.3)
    other = max(rng.sample(others, min(3, len(others))), key=lambda k: stage.health(k).equity)
    free = lots_for(stage, instrument, 0.9, other)
    lots = min(lots, free)
    buyer, seller = (other, account) if sells else (account, other)
    plan = Plan(instrument, near_mark(stage, instrument), lots, buyer, seller)
    unsigned = SideOf(SideKind.LIQUIDATION, account)
    signed = signed_side(stage, plan, sells)
    sides = (signed, unsigned) if sells else (unsigned, signed)
    submit(stage, [fill_of(plan, *sides)], "liquidation step", (buyer, seller))


def fund_trade(stage: Stage) -> None:
    """A fund sells or buys back part of what it took over."""
    rng = stage.rng
    held = [
        position for market in stage.draft.markets.values() for position in market.fund.positions
    ]
    traders = stage.traders()
    if not held or not traders:
        return
    position = rng.choice(held)
    account = rng.choice(traders)
    sells = position.quantity > 0
    lots = max(1, int(abs(position.quantity) * rng.choice((0.2, 0.5, 0.9))))
    lots = min(lots, lots_for(stage, position.instrument, 0.9, account))
    plan = Plan(position.instrument, near_mark(stage, position.instrument), lots, account, account)
    plan.maker_is_buyer = not sells
    fields = {"max_fee_ppm": FEE_MAX_PPM}
    plan.buyer_order = plan.seller_order = fields
    signed = signed_side(stage, plan, sells)
    fund = SideOf(SideKind.FUND)
    sides = (signed, fund) if sells else (fund, signed)
    submit(stage, [fill_of(plan, *sides)], "trade of a fund", (account,))
