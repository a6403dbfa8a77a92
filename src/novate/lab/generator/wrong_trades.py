"""Trades that must be refused, each aimed at one reason and at nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from novate.lab.generator.crowd import wallet_of
from novate.lab.generator.plans import (
    FOREVER,
    REDUCE_ONLY,
    Plan,
    build_order,
    fill_of,
    forged,
    gross_of,
    index_at,
    mark_at,
    order_side,
    quiet_plan,
    quote_side,
    room_for,
    sign_order,
    signed_side,
    submit,
)
from novate.lab.generator.stage import Stage
from novate.lab.worlds import future, option, perpetual
from novate.spec.bounds import ACCOUNT_GROSS_MAX, PRICE_MAX, QUANTITY_MAX
from novate.spec.errors import Reason
from novate.spec.holders import quantity_of, underlying_of
from novate.spec.instruments import ID_BITS, Kind, day_of, decode, is_linear, is_option
from novate.spec.messages.batch import SideKind, SideOf, Trade
from novate.spec.messages.orders import OrderFlags, Scope, SignedOrder
from novate.spec.rounding import div_down
from novate.spec.valuation import is_expired

Aim = Callable[[Stage, Plan], None]


def wrong_trade(stage: Stage) -> None:
    """Take a plan that nothing speaks against, spoil one thing, and expect that reason."""
    plan = quiet_plan(stage)
    if plan is not None and stage.fills_left:
        stage.rng.choice(AIMS)(stage, plan)


def attempt(stage: Stage, plan: Plan, expected: Reason) -> None:
    """Both sides by orders."""
    fill = fill_of(plan, signed_side(stage, plan, True), signed_side(stage, plan, False))
    submit(stage, [fill], "unexpected", (plan.buyer, plan.seller), expected)


def wrong_size(stage: Stage, plan: Plan) -> None:
    """A fill out of bounds."""
    which = stage.rng.randrange(3)
    expected = Reason.FILL_OUT_OF_BOUNDS
    if which == 0:
        plan.quantity = 0
    elif which == 1:
        plan.quantity = QUANTITY_MAX
        plan.price, expected = PRICE_MAX, Reason.NOTIONAL_TOO_LARGE
    sides = signed_side(stage, plan, True), signed_side(stage, plan, False)
    if which == 2:
        plan.price = stage.rng.choice((-1, PRICE_MAX + 1))
    submit(stage, [fill_of(plan, *sides)], "unexpected", (), expected)


def wrong_reference(stage: Stage, plan: Plan) -> None:
    """A side that is no order, or an order of the other side, or no fill at all."""
    good = signed_side(stage, plan, False)
    which = stage.rng.randrange(4)
    if which == 0:
        stage.attempt("Trade", lambda: submit_empty(stage), Reason.EMPTY_TRADE)
        return
    if which == 3:
        plan.seller = plan.buyer
        attempt(stage, plan, Reason.SELF_TRADE)
        return
    bad = SideOf(SideKind.ORDER, good.number + 9_999) if which == 1 else good
    expected = Reason.NO_SUCH_ORDER if which == 1 else Reason.WRONG_SIDE
    submit(stage, [fill_of(plan, bad, good)], "unexpected", (), expected)


def submit_empty(stage: Stage) -> None:
    """A trade without fills."""
    stage.venue.trade(Trade(()))


def wrong_signature(stage: Stage, plan: Plan) -> None:
    """A forged order, a session key without scope or past its time, an account nobody opened."""
    order = build_order(stage, plan, True)
    which = stage.rng.randrange(4)
    signer = stage.crowd.wallet(stage.draft, order.account)
    assert signer is not None
    signed = sign_order(stage, order, 1 if which in (1, 2) else -1)
    expected = Reason.INVALID_SIGNATURE
    if which == 0:
        signed = signed._replace(authorization=forged(signed.authorization))
    elif which == 3:
        account = stage.draft.system.account_count + stage.rng.randrange(3)
        signed = SignedOrder(order._replace(account=account), signed.authorization)
        expected = Reason.UNKNOWN_ACCOUNT
    else:
        scope, expiry = (Scope.CANCEL, FOREVER) if which == 1 else (Scope.TRADE, stage.time)
        expected = Reason.SESSION_KEY_OUT_OF_SCOPE if which == 1 else Reason.SESSION_KEY_EXPIRED
        session = wallet_of("session 1")
        certificate = stage.crowd.certificate(
            stage.draft, order.account, signer, session, scope, expiry
        )
        authorization = signed.authorization._replace(certificate=certificate)
        signed = signed._replace(authorization=authorization)
    sides = order_side(stage, signed), signed_side(stage, plan, False)
    submit(stage, [fill_of(plan, *sides)], "unexpected", (), expected)


def wrong_terms(stage: Stage, plan: Plan) -> None:
    """One field of the buyer's order contradicts the fill."""
    mark = plan.price
    slots = stage.draft.preset.slots_max
    used = [k for k in range(slots) if stage.draft.slot(plan.buyer, k).nonce > 1]
    wrong: list[tuple[dict[str, Any], Reason]] = [
        ({"instrument": perpetual(7)}, Reason.OTHER_INSTRUMENT),
        ({"good_till": stage.time}, Reason.ORDER_EXPIRED),
        ({"slot": slots}, Reason.SLOT_OUT_OF_RANGE),
        ({"max_fee_ppm": -1_000_000}, Reason.FEE_TOO_HIGH),
    ]
    if mark > 0:
        wrong.append(({"limit_price": mark - 1}, Reason.OUTSIDE_LIMIT))
        wrong.append(({"trigger_price": mark - 1}, Reason.TRIGGER_NOT_MET)) if mark > 1 else None
    if mark < PRICE_MAX:
        fields = {"trigger_price": mark + 1, "flags": int(OrderFlags.TRIGGER_ABOVE)}
        wrong.append((fields, Reason.TRIGGER_NOT_MET))
    if used:
        nonce = stage.draft.slot(plan.buyer, used[0]).nonce - 1
        wrong.append(({"slot": used[0], "nonce": nonce}, Reason.STALE_NONCE))
    plan.buyer_order, expected = stage.rng.choice(wrong)
    attempt(stage, plan, expected)


def wrong_quantity(stage: Stage, plan: Plan) -> None:
    """More lots than the order has left."""
    plan.buyer_order = {"quantity": plan.quantity}
    plan.quantity += 1
    attempt(stage, plan, Reason.OVERFILLED)


def wrong_reduction(stage: Stage, plan: Plan) -> None:
    """A reduce-only order that would open, enlarge or turn a position."""
    held = quantity_of(stage.up_to_date(plan.buyer).positions, plan.instrument)
    if held < 0:
        plan.quantity = -held + 1
    plan.buyer_order = dict(REDUCE_ONLY)
    if plan.price * plan.quantity < 2**47 and plan.quantity <= QUANTITY_MAX:
        attempt(stage, plan, Reason.REDUCE_ONLY)


def wrong_price(stage: Stage, plan: Plan) -> None:
    """A price outside the band."""
    mark = plan.price
    view = stage.venue.round.state.views[underlying_of(plan.instrument)]
    band = max(
        div_down(view.snapshot.index_price * view.parameters.band_ppm, 1_000_000),
        div_down(mark, 2),
    )
    prices = [price for price in (mark + band + 1, mark - band - 1) if 0 <= price <= PRICE_MAX]
    plan.price = stage.rng.choice(prices)
    attempt(stage, plan, Reason.OUTSIDE_BAND)


def wrong_instrument(stage: Stage, plan: Plan) -> None:
    """An instrument that does not exist, is not listed, has expired or is settled."""
    underlying = underlying_of(plan.instrument)
    draft = stage.draft
    today = day_of(stage.time)
    parameters = draft.market_parameters(underlying)
    beyond = today + parameters.horizon_days + 1
    wrong = [
        (perpetual(underlying) + 5, Reason.UNKNOWN_INSTRUMENT),
        (perpetual(200), Reason.UNKNOWN_MARKET),
        (future(underlying, beyond), Reason.NOT_LISTED),
        (option(underlying, today + 2, Kind.CALL, parameters.strike_step + 1), Reason.NOT_LISTED),
        (future(underlying, today - 1), Reason.INSTRUMENT_EXPIRED),
    ]
    wrong = [(key, why) for key, why in wrong if key not in draft.instruments]
    late = [k for k, s in draft.instruments.items() if not s.settled and is_expired(k, stage.time)]
    wrong += [(key, Reason.INSTRUMENT_EXPIRED) for key in late[:1]]
    settled = [key for key, state in draft.instruments.items() if state.settled]
    wrong += [(key, Reason.INSTRUMENT_SETTLED) for key in settled[:1]]
    plan.instrument, expected = stage.rng.choice(wrong)
    attempt(stage, plan, expected)


def one_instrument_too_many(stage: Stage, plan: Plan) -> None:
    """A new instrument while the list is full."""
    if not stage.list_is_full():
        return
    day = day_of(stage.time) + 3
    plan.instrument = future(underlying_of(plan.instrument), day)
    if plan.instrument not in stage.draft.instruments:
        attempt(stage, plan, Reason.TOO_MANY_INSTRUMENTS)


def one_position_too_many(stage: Stage, plan: Plan) -> None:
    """An account with all its positions opens one more."""
    most = stage.draft.preset.positions_max
    full = [
        k
        for k in stage.traders()
        if not room_for(stage, k, plan.instrument) and len(stage.up_to_date(k).positions) == most
    ]
    if full:
        plan.buyer = full[0]
        if plan.seller != plan.buyer:
            attempt(stage, plan, Reason.TOO_MANY_POSITIONS)


def too_large(stage: Stage, plan: Plan) -> None:
    """More lots of something cheap than one position may have."""
    underlying = underlying_of(plan.instrument)
    index = index_at(stage, underlying)
    step = stage.draft.market_parameters(underlying).strike_step
    plan.instrument = option(underlying, day_of(stage.time) + 2, Kind.PUT, step)
    held = plan.instrument in stage.draft.instruments
    full = stage.list_is_full()
    plan.price, plan.quantity = 1, QUANTITY_MAX
    rooms = all(room_for(stage, k, plan.instrument) for k in (plan.buyer, plan.seller))
    cheap = rooms and (held or not full) and mark_at(stage, plan.instrument) < 100
    if cheap and QUANTITY_MAX * index > 2**52:
        attempt(stage, plan, Reason.POSITION_TOO_LARGE)


def too_large_together(stage: Stage, plan: Plan) -> None:
    """An account whose positions have grown past the cap of gross notional opens one more lot."""
    for account in stage.traders():
        positions = stage.up_to_date(account).positions
        held = quantity_of(positions, plan.instrument)
        small = (held + 1) * index_at(stage, underlying_of(plan.instrument)) < 2**50
        grown = gross_of(stage, account) > ACCOUNT_GROSS_MAX
        if grown and held >= 0 and small and account != plan.seller:
            plan.buyer = account
            attempt(stage, plan, Reason.GROSS_TOO_LARGE)
            return


def too_poor(stage: Stage, plan: Plan) -> None:
    """A size that nobody's margin covers."""
    if not is_linear(decode(plan.instrument)) or any(
        is_option(decode(position.instrument))
        for account in (plan.buyer, plan.seller)
        for position in stage.draft.account(account).positions
    ):
        return
    index = index_at(stage, underlying_of(plan.instrument))
    most = max(stage.health(k).equity for k in (plan.buyer, plan.seller))
    plan.quantity = 40 * most // index + 10
    if plan.price * plan.quantity >= 2**47 or plan.quantity > QUANTITY_MAX:
        return
    held = [
        abs(position.quantity)
        for account in (plan.buyer, plan.seller)
        for position in stage.draft.account(account).positions
    ]
    acted = stage.venue.round.state.opening
    if plan.quantity > 4 * sum(held) and not {plan.buyer, plan.seller} & set(acted):
        attempt(stage, plan, Reason.INSUFFICIENT_MARGIN)


def wrong_rebate(stage: Stage, plan: Plan) -> None:
    """A maker's rebate that nobody pays: against a fund, or by parameters that give too much."""
    tiers = stage.draft.parameters.fee_tiers
    buyer, seller = (stage.draft.account(k).tier for k in (plan.buyer, plan.seller))
    if tiers[buyer].maker_ppm + tiers[seller].taker_ppm < 0 and mark_at(stage, plan.instrument):
        plan.maker_is_buyer = True
        plan.quantity = 200
        if plan.instrument == perpetual(underlying_of(plan.instrument)):
            attempt(stage, plan, Reason.NEGATIVE_FEES)


def wrong_fund(stage: Stage, plan: Plan) -> None:
    """A fund would enlarge or open a position."""
    if underlying_of(plan.instrument) in stage.venue.round.state.fund_opening:
        return
    fund = stage.draft.market(underlying_of(plan.instrument)).fund
    buys = quantity_of(fund.positions, plan.instrument) >= 0
    signed = signed_side(stage, plan, not buys)
    plan.maker_is_buyer = buys
    sides = (SideOf(SideKind.FUND), signed) if buys else (signed, SideOf(SideKind.FUND))
    fresh = stage.is_fresh(underlying_of(plan.instrument))
    expected = Reason.FUND_MAY_ONLY_REDUCE if fresh else Reason.SNAPSHOT_TOO_OLD
    submit(stage, [fill_of(plan, *sides)], "unexpected", (), expected)


def wrong_step(stage: Stage, plan: Plan) -> None:
    """An account that is not in liquidation would be traded without its signature."""
    signed = signed_side(stage, plan, False)
    sides = SideOf(SideKind.LIQUIDATION, plan.buyer), signed
    submit(stage, [fill_of(plan, *sides)], "unexpected", (), Reason.WATERFALL_NOT_OPEN)


def wrong_market(stage: Stage, plan: Plan) -> None:
    """A position is opened in a halted market."""
    halted = [u for u in stage.draft.markets if stage.is_halted(u) and index_at(stage, u)]
    if not halted:
        return
    plan.instrument = perpetual(halted[0])
    plan.price = mark_at(stage, plan.instrument)
    if quantity_of(stage.up_to_date(plan.buyer).positions, plan.instrument) < 0:
        return
    known = stage.draft.instruments.get(plan.instrument)
    if not known.settled if known else not stage.list_is_full():
        attempt(stage, plan, Reason.MARKET_HALTED)


def unreadable(stage: Stage, plan: Plan) -> None:
    """An order with a field beyond its width is refused before anything else."""
    order = build_order(stage, plan, True)
    fields: dict[str, Any] = stage.rng.choice(
        (
            {"instrument": 1 << ID_BITS},
            {"quantity": 0},
            {"quantity": QUANTITY_MAX + 1},
            {"limit_price": -1},
            {"nonce": 0},
            {"good_till": 1 << 32},
            {"flags": 32},
        )
    )
    bad = SignedOrder(order._replace(**fields), sign_order(stage, order).authorization)
    stage.attempt("SignedOrder", lambda: stage.venue.read_order(bad), "out_of_range")


def wrong_quote(stage: Stage, plan: Plan) -> None:
    """A quote that the sheet does not have."""
    side = quote_side(stage, plan, True)
    bad = side._replace(quote=stage.draft.preset.sheet_quotes_max)
    fill = fill_of(plan, bad, signed_side(stage, plan, False))
    submit(stage, [fill], "unexpected", (), Reason.NO_SUCH_ORDER)


AIMS: tuple[Aim, ...] = (
    wrong_size,
    wrong_reference,
    wrong_signature,
    wrong_terms,
    wrong_terms,
    wrong_quantity,
    wrong_reduction,
    wrong_price,
    wrong_instrument,
    wrong_instrument,
    one_instrument_too_many,
    one_position_too_many,
    too_large,
    too_large_together,
    too_poor,
    wrong_rebate,
    wrong_fund,
    wrong_step,
    wrong_market,
    wrong_quote,
    unreadable,
)
