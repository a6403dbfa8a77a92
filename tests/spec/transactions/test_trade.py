"""Phase 5: what a fill must satisfy, reason by reason, and what it does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.wallets import wallet
from novate.lab.worlds import future, option
from novate.spec.bounds import CASH_MAX, FILL_NOTIONAL_MAX, QUANTITY_MAX
from novate.spec.errors import Fault, Reason
from novate.spec.instruments import Kind
from novate.spec.messages.batch import SideKind, SideOf, Trade
from novate.spec.messages.inbox import Deposit
from novate.spec.messages.orders import OrderFlags, Quote, Scope
from novate.spec.state import Slot
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    CASH,
    DAY,
    ETH,
    ETH_PERP,
    ETH_PRICE,
    OWNERS,
    Stage,
    user,
)

FAR_CALL = option(BTC, DAY + 7, Kind.CALL, 200_000)
"""Twice the price away: its mark is 0."""


def test_a_fill_moves_cash_positions_and_fees() -> None:
    stage = Stage()
    journal = stage.apply(stage.round().fill(1, 2, BTC_PRICE, 100))
    assert (stage.lots(1), stage.lots(2)) == (100, -100)
    # notional 1,000 USDC: the maker pays 200 ppm, the taker 500 ppm
    assert stage.cash(1) == -1_000_000_000 - 200_000
    assert stage.cash(2) == 1_000_000_000 - 500_000
    assert stage.account(0).cash == 700_000
    assert [row.running for row in journal.ledger] == [100, -100]
    assert stage.instrument().open_interest == 100


def test_several_legs_happen_all_or_not_at_all() -> None:
    stage = Stage()
    act = stage.round()
    legs = (
        act.leg(1, 2, BTC_PRICE, 10),
        act.leg(2, 1, ETH_PRICE, 50, ETH_PERP),
    )
    act.trades.append(Trade(legs))
    good = act.content
    act.trades[0] = Trade((legs[0], legs[1]._replace(price=ETH_PRICE - 1)))
    stage.refuse(Reason.OUTSIDE_LIMIT, act)
    act.trades[0] = good.trades[0]
    stage.apply(act)
    assert (stage.lots(1), stage.lots(1, ETH_PERP)) == (10, -50)


def test_empty_trade() -> None:
    stage = Stage()
    act = stage.round()
    act.trades.append(Trade(()))
    stage.refuse(Reason.EMPTY_TRADE, act)


def test_no_such_order() -> None:
    stage = Stage()
    for missing in (SideOf(SideKind.ORDER, 5), SideOf(SideKind.ORDER, -1)):
        stage.refuse(Reason.NO_SUCH_ORDER, stage.round().fill(missing, 2, BTC_PRICE, 1))
    act = stage.round()
    sheet = act.sheet(1, Quote(BTC_PERP, BTC_PRICE, 5, BTC_PRICE, 5))
    stage.refuse(Reason.NO_SUCH_ORDER, act.fill(SideOf(SideKind.QUOTE, sheet, 1), 2, BTC_PRICE, 1))


def test_wrong_side() -> None:
    stage = Stage()
    act = stage.round()
    sells = act.order(1, False, BTC_PRICE, 1)
    stage.refuse(Reason.WRONG_SIDE, act.fill(sells, 2, BTC_PRICE, 1))


def test_other_instrument() -> None:
    stage = Stage()
    act = stage.round()
    buys_eth = act.order(1, True, BTC_PRICE, 1, ETH_PERP)
    stage.refuse(Reason.OTHER_INSTRUMENT, act.fill(buys_eth, 2, BTC_PRICE, 1))


def test_self_trade() -> None:
    stage = Stage()
    stage.refuse(Reason.SELF_TRADE, stage.round().fill(1, 1, BTC_PRICE, 1))
    stage.apply(stage.round().fill(3, 4, BTC_PRICE, 1))  # sub-accounts of one owner may


def test_fill_out_of_bounds() -> None:
    stage = Stage()
    for price, quantity in ((BTC_PRICE, 0), (BTC_PRICE, -1), (-1, 1), (0, QUANTITY_MAX + 1)):
        act = stage.round()
        sides = act.order(1, True, BTC_PRICE, 1), act.order(2, False, BTC_PRICE, 1)
        stage.refuse(Reason.FILL_OUT_OF_BOUNDS, act.fill(*sides, price, quantity))


def rich_stage() -> Stage:
    """Accounts 1 and 2 hold a tenth of what any account can."""
    stage = Stage()
    for account in (1, 2):
        stage.request(Deposit(account, OWNERS[account], 9, CASH_MAX // 10))
    return stage


def test_notional_too_large() -> None:
    stage = rich_stage()
    lots = FILL_NOTIONAL_MAX // BTC_PRICE
    act = stage.round().fill(1, 2, BTC_PRICE, lots + 1)
    stage.refuse(Reason.NOTIONAL_TOO_LARGE, act)
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, lots))


def test_outside_limit() -> None:
    stage = Stage()
    for buy, sell in ((BTC_PRICE - 1, BTC_PRICE), (BTC_PRICE, BTC_PRICE + 1)):
        act = stage.round()
        sides = act.order(1, True, buy, 1), act.order(2, False, sell, 1)
        stage.refuse(Reason.OUTSIDE_LIMIT, act.fill(*sides, BTC_PRICE, 1))


def test_outside_band() -> None:
    stage = Stage()
    edge = BTC_PRICE + BTC_PRICE // 2  # half the mark is more than 5 % of the index
    stage.refuse(Reason.OUTSIDE_BAND, stage.round().fill(1, 2, edge + 1, 1))
    stage.apply(stage.round().fill(1, 2, edge, 1))
    cheap = 500_000  # the far call is worth 0, and 5 % of the index is 500,000
    stage.refuse(Reason.OUTSIDE_BAND, stage.round().fill(1, 2, cheap + 1, 1, FAR_CALL))
    stage.apply(stage.round().fill(1, 2, cheap, 1, FAR_CALL))


def test_order_expired() -> None:
    stage = Stage()
    act = stage.round()
    expired = act.order(1, True, BTC_PRICE, 1, good_till=act.time)
    stage.refuse(Reason.ORDER_EXPIRED, act.fill(expired, 2, BTC_PRICE, 1))
    act = stage.round()
    alive = act.order(1, True, BTC_PRICE, 1, good_till=act.time + 1)
    stage.apply(act.fill(alive, 2, BTC_PRICE, 1))


def test_overfilled() -> None:
    stage = Stage()
    act = stage.round()
    order = act.order(1, True, BTC_PRICE, 10)
    act.fill(order, 2, BTC_PRICE, 4).fill(order, 2, BTC_PRICE, 6)
    more = stage.round()
    more.orders, more.trades = list(act.orders), list(act.trades)
    stage.refuse(Reason.OVERFILLED, more.fill(order, 2, BTC_PRICE, 1))
    stage.apply(act)
    assert stage.state.slots[1, 0] == Slot(1, 10)


def test_an_edit_shares_what_is_filled() -> None:
    stage = Stage()
    act = stage.round()
    stage.play(act.fill(act.order(1, True, BTC_PRICE, 10, nonce=7), 2, BTC_PRICE, 8))
    act = stage.round()
    smaller = act.order(1, True, BTC_PRICE + 5, 9, nonce=7)
    stage.refuse(Reason.OVERFILLED, act.fill(smaller, 2, BTC_PRICE + 5, 2))
    act = stage.round()
    larger = act.order(1, True, BTC_PRICE + 5, 12, nonce=7)
    stage.apply(act.fill(larger, 2, BTC_PRICE + 5, 4))
    assert stage.state.slots[1, 0] == Slot(7, 12)


def test_stale_nonce() -> None:
    stage = Stage()
    act = stage.round()
    stage.play(act.fill(act.order(1, True, BTC_PRICE, 10, nonce=7), 2, BTC_PRICE, 8))
    act = stage.round()
    newer = act.order(1, True, BTC_PRICE, 10, nonce=8)
    stage.apply(act.fill(newer, 2, BTC_PRICE, 1))
    assert stage.state.slots[1, 0] == Slot(8, 1)  # what nonce 7 had filled counts no more
    act = stage.round()
    older = act.order(1, True, BTC_PRICE, 10, nonce=7)
    stage.refuse(Reason.STALE_NONCE, act.fill(older, 2, BTC_PRICE, 1))


def test_slot_out_of_range() -> None:
    stage = Stage()
    last = stage.state.preset.slots_max - 1
    act = stage.round()
    beyond = act.order(1, True, BTC_PRICE, 1, slot=last + 1)
    stage.refuse(Reason.SLOT_OUT_OF_RANGE, act.fill(beyond, 2, BTC_PRICE, 1))
    act = stage.round()
    stage.apply(act.fill(act.order(1, True, BTC_PRICE, 1, slot=last), 2, BTC_PRICE, 1))


def test_trigger_not_met() -> None:
    stage = Stage()
    for trigger, flags in ((BTC_PRICE - 1, 0), (BTC_PRICE + 1, OrderFlags.TRIGGER_ABOVE)):
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 2, trigger_price=trigger, flags=flags)
        stage.refuse(Reason.TRIGGER_NOT_MET, act.fill(order, 2, BTC_PRICE, 1))
    for flags in (0, OrderFlags.TRIGGER_ABOVE):
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 2, trigger_price=BTC_PRICE, flags=flags)
        stage.apply(act.fill(order, 2, BTC_PRICE, 1))


def test_a_trigger_once_met_stays_met() -> None:
    stage = Stage()
    terms = {"trigger_price": BTC_PRICE, "flags": OrderFlags.TRIGGER_ABOVE, "nonce": 9}
    act = stage.round()
    stage.play(act.fill(act.order(1, True, BTC_PRICE, 2, **terms), 2, BTC_PRICE, 1))
    act = stage.round().prices(BTC, BTC_PRICE - 100_000)
    order = act.order(1, True, BTC_PRICE, 2, **terms)
    stage.apply(act.fill(order, 2, BTC_PRICE, 1))


def test_reduce_only() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10))
    for quantity in (11, 1):
        act = stage.round()
        is_buy = quantity == 1  # buying more of what is held, or selling past zero
        order = act.order(1, is_buy, BTC_PRICE, quantity, flags=OrderFlags.REDUCE_ONLY)
        sides = (order, 2) if is_buy else (2, order)
        stage.refuse(Reason.REDUCE_ONLY, act.fill(*sides, BTC_PRICE, quantity))
    act = stage.round()
    order = act.order(1, False, BTC_PRICE, 10, flags=OrderFlags.REDUCE_ONLY)
    stage.apply(act.fill(2, order, BTC_PRICE, 10))
    assert stage.lots(1) == 0


def test_fee_too_high() -> None:
    stage = Stage()
    for maker_is_buyer, accepted in ((True, 199), (False, 499)):
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 1, max_fee_ppm=accepted)
        act.fill(order, 2, BTC_PRICE, 1, maker_is_buyer=maker_is_buyer)
        stage.refuse(Reason.FEE_TOO_HIGH, act)
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 1, max_fee_ppm=accepted + 1)
        stage.apply(act.fill(order, 2, BTC_PRICE, 1, maker_is_buyer=maker_is_buyer))


def test_unknown_market() -> None:
    stage = Stage()
    stage.refuse(Reason.UNKNOWN_MARKET, stage.round().fill(1, 2, BTC_PRICE, 1, 2 << 42))
    stage.refuse(
        Reason.UNKNOWN_MARKET,
        stage.round().fill(1, SideOf(SideKind.FUND), BTC_PRICE, 1, 2 << 42),
    )


def test_unknown_instrument() -> None:
    stage = Stage()
    perpetual_with_a_strike = BTC_PERP + 1
    stage.refuse(
        Reason.UNKNOWN_INSTRUMENT, stage.round().fill(1, 2, BTC_PRICE, 1, perpetual_with_a_strike)
    )


def test_not_listed() -> None:
    stage = Stage()
    today = DAY - 1
    for instrument in (
        future(BTC, today + 401),
        option(BTC, today + 401, Kind.CALL, 100_000),
        option(BTC, DAY, Kind.CALL, 100_050),  # strikes are multiples of 100
    ):
        stage.refuse(Reason.NOT_LISTED, stage.round().fill(1, 2, 0, 1, instrument))
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1, future(BTC, today + 400)))
    stage.craft_parameters({"strike_tick": 1_000})
    beyond_every_price = option(BTC, DAY, Kind.CALL, 2_147_500)
    stage.refuse(Reason.NOT_LISTED, stage.round().fill(1, 2, 0, 1, beyond_every_price))


def test_too_many_instruments() -> None:
    stage = Stage()
    stage.craft(preset=replace(stage.state.preset, instrument_depth=1))
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.apply(stage.round().fill(1, 2, ETH_PRICE, 1, ETH_PERP))
    stage.refuse(
        Reason.TOO_MANY_INSTRUMENTS, stage.round().fill(1, 2, BTC_PRICE, 1, future(BTC, DAY))
    )
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1))


def test_market_halted() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 10))
    stage.play(stage.round().prices(BTC, 12_000_000))
    stage.refuse(Reason.MARKET_HALTED, stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.refuse(Reason.MARKET_HALTED, stage.round().fill(2, 1, BTC_PRICE, 11))
    stage.apply(stage.round().fill(2, 1, BTC_PRICE, 9))  # reducing goes on, at the last mark
    stage.apply(stage.round().fill(1, 2, ETH_PRICE, 1, ETH_PERP))


def test_position_too_large() -> None:
    stage = rich_stage()
    most = (2**52 - 1) // BTC_PRICE
    stage.refuse(Reason.POSITION_TOO_LARGE, stage.round().fill(1, 2, 0, most + 1, FAR_CALL))
    stage.apply(stage.round().fill(1, 2, 0, most, FAR_CALL))
    stage.refuse(Reason.POSITION_TOO_LARGE, stage.round().fill(1, 2, 0, 1, FAR_CALL))
    stage.apply(stage.round().fill(2, 1, 0, 1, FAR_CALL))


def test_a_position_of_too_many_lots_is_refused_at_any_price() -> None:
    stage = rich_stage()
    stage.jump(1_000)
    call = option(BTC, DAY + 7, Kind.CALL, 100)
    stage.play(stage.round().fill(1, 2, 0, QUANTITY_MAX, call))
    stage.refuse(Reason.POSITION_TOO_LARGE, stage.round().fill(1, 2, 0, 1, call))


def test_gross_too_large() -> None:
    stage = rich_stage()
    stage.jump(2_000_000)
    stage.play(stage.round().fill(1, 2, 0, QUANTITY_MAX, FAR_CALL))
    stage.jump(2**58 // QUANTITY_MAX + 1)  # the price rose until the position alone is too much
    act = stage.round().fill(1, 3, ETH_PRICE, 1, ETH_PERP)
    stage.refuse(Reason.GROSS_TOO_LARGE, act)
    stage.jump(2**58 // QUANTITY_MAX - 1)
    stage.apply(stage.round().fill(1, 3, ETH_PRICE, 1, ETH_PERP))


def test_too_many_positions() -> None:
    stage = Stage()
    stage.craft(preset=replace(stage.state.preset, positions_max=2))
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 1))
    stage.apply(stage.round().fill(1, 2, ETH_PRICE, 1, ETH_PERP))
    act = stage.round().fill(1, 2, BTC_PRICE, 1, future(BTC, DAY))
    stage.refuse(Reason.TOO_MANY_POSITIONS, act)
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1))


def test_cash_out_of_bounds() -> None:
    stage = Stage()
    room = BTC_PRICE  # the vault as a whole cannot hold more than one account
    stage.craft_account(2, cash=CASH_MAX - room)
    stage.refuse(Reason.CASH_OUT_OF_BOUNDS, stage.round().fill(1, 2, BTC_PRICE, 2))
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1))


def test_invalid_signature() -> None:
    stage = Stage()
    act = stage.round()
    forged = act.order(1, True, BTC_PRICE, 1, signer=user(2))
    stage.refuse(Reason.INVALID_SIGNATURE, act.fill(forged, 2, BTC_PRICE, 1))
    act = stage.round()
    other_epoch = act.order(1, True, BTC_PRICE, 1, epoch=1)
    stage.refuse(Reason.INVALID_SIGNATURE, act.fill(other_epoch, 2, BTC_PRICE, 1))
    act = stage.round(fork=1)
    stage.refuse(Reason.INVALID_SIGNATURE, act.fill(1, 2, BTC_PRICE, 1))
    stage.apply(act, fork=1)
    act = stage.round()
    act.fill(1, 2, BTC_PRICE, 1)
    act.orders[0] = act.orders[0]._replace(
        message=act.orders[0].message._replace(limit_price=BTC_PRICE + 1)
    )
    stage.refuse(Reason.INVALID_SIGNATURE, act)


def test_unknown_account() -> None:
    stage = Stage()
    act = stage.round()
    nobody = act.order(9, True, BTC_PRICE, 1)
    stage.refuse(Reason.UNKNOWN_ACCOUNT, act.fill(nobody, 2, BTC_PRICE, 1))
    act = stage.round()
    stage.refuse(Reason.UNKNOWN_ACCOUNT, act.fill(SideOf(SideKind.LIQUIDATION, 9), 2, BTC_PRICE, 1))


def test_unused_order() -> None:
    stage = Stage()
    act = stage.round()
    act.order(1, True, BTC_PRICE, 1)
    stage.refuse(Fault.UNUSED_ORDER, act)
    act = stage.round()
    act.sheet(1, Quote(BTC_PERP, 1, 1, 1, 1))
    stage.refuse(Fault.UNUSED_ORDER, act)


def test_session_key_out_of_scope() -> None:
    stage, session = Stage(), wallet("session")
    for scope, reason in ((Scope.CANCEL, Reason.SESSION_KEY_OUT_OF_SCOPE), (Scope.TRADE, None)):
        act = stage.round()
        certificate = act.certificate(1, session, scope)
        order = act.order(1, True, BTC_PRICE, 1, signer=session, certificate=certificate)
        act.fill(order, 2, BTC_PRICE, 1)
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_session_key_expired() -> None:
    stage, session = Stage(), wallet("session")
    for later, reason in ((0, Reason.SESSION_KEY_EXPIRED), (1, None)):
        act = stage.round()
        certificate = act.certificate(1, session, Scope.TRADE, act.time + later)
        order = act.order(1, True, BTC_PRICE, 1, signer=session, certificate=certificate)
        act.fill(order, 2, BTC_PRICE, 1)
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_a_certificate_by_anyone_else_is_worth_nothing() -> None:
    stage, session = Stage(), wallet("session")
    act = stage.round()
    certificate = act.certificate(2, session, Scope.TRADE)
    order = act.order(1, True, BTC_PRICE, 1, signer=session, certificate=certificate)
    stage.refuse(Reason.INVALID_SIGNATURE, act.fill(order, 2, BTC_PRICE, 1))


def test_a_sheet_is_many_orders_under_one_signature() -> None:
    stage = Stage()
    quotes = (
        Quote(BTC_PERP, BTC_PRICE - 10, 5, BTC_PRICE + 10, 6),
        Quote(ETH_PERP, ETH_PRICE - 1, 7, ETH_PRICE + 1, 0),
    )
    act = stage.round()
    sheet = act.sheet(1, *quotes, base_slot=8, nonce=3)
    act.fill(SideOf(SideKind.QUOTE, sheet, 0), 2, BTC_PRICE - 10, 5)
    act.fill(3, SideOf(SideKind.QUOTE, sheet, 0), BTC_PRICE + 10, 6)
    act.fill(SideOf(SideKind.QUOTE, sheet, 1), 2, ETH_PRICE - 1, 3, ETH_PERP)
    stage.apply(act)
    slots = {key: slot for key, slot in stage.state.slots.items() if key[0] == 1}
    assert slots == {(1, 8): Slot(3, 5), (1, 9): Slot(3, 6), (1, 10): Slot(3, 3)}
    act = stage.round()
    act.sheet(1, *quotes, base_slot=8, nonce=3)
    absent_side = SideOf(SideKind.QUOTE, 0, 1)
    stage.refuse(Reason.OVERFILLED, act.fill(2, absent_side, ETH_PRICE + 1, 1, ETH_PERP))


def test_fields_out_of_their_bounds_are_no_order() -> None:
    stage = Stage()
    for fields in (
        {"nonce": 0},
        {"good_till": 2**32},
        {"max_fee_ppm": 2**24},
        {"trigger_price": 2**31},
        {"flags": 32},
    ):
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 1, **fields)
        stage.undecodable(act.fill(order, 2, BTC_PRICE, 1))
    act = stage.round()
    order = act.order(1, True, BTC_PRICE, 1, 1 << 50)
    stage.undecodable(act.fill(order, 2, BTC_PRICE, 1))


@pytest.mark.parametrize("slot", [-1, 2**32, 2**64])
def test_a_slot_that_is_no_word_is_no_order(slot: int) -> None:
    """It would share an element with the nonce, or be none."""
    stage = Stage()
    act = stage.round()
    order = act.order(1, True, BTC_PRICE, 1)
    [signed] = act.orders
    act.orders[0] = signed._replace(message=signed.message._replace(slot=slot))
    stage.undecodable(act.fill(order, 2, BTC_PRICE, 1))
    act = stage.round()
    act.sheet(1, Quote(BTC_PERP, 1, 1, 1, 1))
    [sheet] = act.sheets
    act.sheets[0] = sheet._replace(message=sheet.message._replace(base_slot=slot))
    stage.undecodable(act.fill(SideOf(SideKind.QUOTE, 0, 0), 2, 1, 1))


def test_an_account_pays_the_spread_when_it_gives_little_away() -> None:
    stage = Stage()
    stage.apply(stage.round().fill(1, 2, BTC_PRICE + 20_000, 100))  # 2,000 ppm: tolerated
    assert CASH + stage.cash(1) + 100 * BTC_PRICE == CASH - 2_000_000 - 200_400


def test_expired_and_settled_are_told_apart() -> None:
    """See also test_instrument_expired and test_instrument_settled in test_expiry."""
    stage = Stage()
    stage.refuse(
        Reason.INSTRUMENT_EXPIRED, stage.round().fill(1, 2, BTC_PRICE, 1, future(BTC, DAY - 1))
    )
    assert ETH_PERP not in stage.state.instruments
    assert stage.state.markets[ETH].halt.since == 0
