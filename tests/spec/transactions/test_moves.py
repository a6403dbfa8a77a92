"""Phase 6: transfers, position moves and withdrawals."""

from __future__ import annotations

from novate.lab.wallets import wallet
from novate.lab.worlds import future
from novate.spec.bounds import CASH_MAX, QUANTITY_MAX
from novate.spec.errors import Reason
from novate.spec.journal import TransferEntry, WithdrawalEntry
from novate.spec.messages.account import Withdrawal
from novate.spec.messages.inbox import AllowOwner
from novate.spec.messages.orders import Scope
from novate.spec.state import Slot
from tests.spec.kit import BTC, BTC_PERP, BTC_PRICE, CASH, DAY, FOREVER, USDC, Stage, user


def test_a_transfer_to_a_sub_account() -> None:
    stage = Stage()
    journal = stage.apply(stage.round().transfer(3, 4, 5 * USDC, slot=2, nonce=8))
    assert (stage.cash(3), stage.cash(4)) == (-5 * USDC, 5 * USDC)
    assert journal.transfers == [TransferEntry(3, 4, 5 * USDC, -1, 0)]
    assert stage.state.slots[3, 2] == Slot(8, QUANTITY_MAX)


def test_a_transfer_cannot_be_played_again() -> None:
    stage = Stage()
    act = stage.round().transfer(3, 4, 5 * USDC, slot=2, nonce=8)
    stage.apply(act)
    act.time = stage.time + 5
    stage.refuse(Reason.STALE_NONCE, act)
    act = stage.round()
    order = act.order(3, True, BTC_PRICE, 1, slot=2, nonce=8)
    stage.refuse(Reason.OVERFILLED, act.fill(order, 1, BTC_PRICE, 1))


def test_a_move_expires_and_needs_a_slot() -> None:
    stage = Stage()
    act = stage.round()
    act.transfer(3, 4, USDC, good_till=act.time)
    stage.refuse(Reason.ORDER_EXPIRED, act)
    stage.refuse(Reason.SLOT_OUT_OF_RANGE, stage.round().transfer(3, 4, USDC, slot=16))
    stage.apply(stage.round().transfer(3, 4, USDC, slot=15))


def test_amount_out_of_bounds() -> None:
    stage = Stage()
    for amount in (0, CASH_MAX + 1):
        stage.refuse(Reason.AMOUNT_OUT_OF_BOUNDS, stage.round().transfer(3, 4, amount))
        stage.refuse(Reason.AMOUNT_OUT_OF_BOUNDS, stage.round().withdraw(3, amount))
    stage.apply(stage.round().transfer(3, 4, 1).withdraw(3, 1, slot=2))
    stage.undecodable(stage.round().transfer(3, 4, 2**63))
    stage.undecodable(stage.round().withdraw(3, 2**63))


def test_self_transfer() -> None:
    stage = Stage()
    stage.refuse(Reason.SELF_TRANSFER, stage.round().transfer(3, 3, USDC))
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 10))
    stage.refuse(Reason.SELF_TRANSFER, stage.round().move(3, 3, BTC_PERP, 5))


def test_recipient_not_allowed() -> None:
    stage = Stage()
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 10))
    stage.refuse(Reason.RECIPIENT_NOT_ALLOWED, stage.round().transfer(3, 1, USDC))
    stage.refuse(Reason.RECIPIENT_NOT_ALLOWED, stage.round().move(3, 1, BTC_PERP, 5))
    stage.refuse(Reason.UNKNOWN_ACCOUNT, stage.round().transfer(3, 9, USDC))
    stage.request(AllowOwner(3, 103, 101))
    stage.apply(stage.round().transfer(3, 1, USDC))  # cash may go to an allowed owner,
    stage.refuse(Reason.RECIPIENT_NOT_ALLOWED, stage.round().move(3, 1, BTC_PERP, 5))


def test_no_session_key_may_move_value() -> None:
    stage, session = Stage(), wallet("session")
    act = stage.round()
    certificate = act.certificate(3, session, Scope.TRADE | Scope.CANCEL)
    message = Withdrawal(3, USDC, 0, 1, 1, FOREVER)
    act.sign(message, signer=session, certificate=certificate)
    stage.refuse(Reason.SESSION_KEY_OUT_OF_SCOPE, act)
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().sign(message, signer=user(1)))
    stage.apply(stage.round().sign(message))


def test_a_position_move_is_at_mark() -> None:
    stage = Stage()
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 10))
    stage.drift(10_200_000)
    journal = stage.apply(stage.round().move(3, 4, BTC_PERP, 4))
    assert (stage.lots(3), stage.lots(4)) == (6, 4)
    assert stage.cash(4) == -4 * 10_200_000
    assert stage.cash(3) == -10 * BTC_PRICE - 20_000 + 4 * 10_200_000
    assert journal.transfers == [TransferEntry(3, 4, -4 * 10_200_000, BTC_PERP, 4)]
    assert stage.instrument().open_interest == 10


def test_a_short_moves_likewise() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 3, BTC_PRICE, 10))
    stage.apply(stage.round().move(3, 4, BTC_PERP, -10))
    assert (stage.lots(3), stage.lots(4)) == (0, -10)
    assert stage.cash(4) == 10 * BTC_PRICE


def test_a_move_needs_a_position_of_that_side_and_size() -> None:
    stage = Stage()
    stage.refuse(Reason.NO_POSITION, stage.round().move(3, 4, BTC_PERP, 1))
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 10))
    for lots in (0, -1, 11):
        stage.refuse(Reason.NO_POSITION, stage.round().move(3, 4, BTC_PERP, lots))
    stage.apply(stage.round().move(3, 4, BTC_PERP, 10))


def test_positions_do_not_move_in_a_halted_market_or_after_expiry() -> None:
    stage = Stage()
    instrument = future(BTC, DAY)
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 10).fill(3, 1, BTC_PRICE, 10, instrument))
    until = 1_577_836_800 + DAY * 86_400 + 28_800 - stage.time
    stage.play(stage.round(until - 5).prices(BTC))
    stage.refuse(Reason.INSTRUMENT_EXPIRED, stage.round().move(3, 4, instrument, 5))
    stage.play(stage.round().prices(BTC, 12_000_000))
    stage.refuse(Reason.MARKET_HALTED, stage.round().move(3, 4, BTC_PERP, 5))


def test_both_ends_of_a_move_are_judged() -> None:
    stage = Stage()
    stage.craft_account(4, cash=0)
    stage.play(stage.round().fill(3, 1, BTC_PRICE, 100))
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().move(3, 4, BTC_PERP, 50))
    act = stage.round().move(3, 4, BTC_PERP, 50)
    stage.apply(act.transfer(3, 4, 78 * USDC, slot=2))  # 15.6 % of 500


def test_a_withdrawal_is_owed_to_the_owner() -> None:
    stage = Stage()
    vault = stage.state.system.vault
    journal = stage.apply(stage.round().withdraw(1, 7 * USDC, 7 * USDC))
    assert journal.withdrawals == [WithdrawalEntry(1, 101, 7 * USDC, 7 * USDC)]
    assert stage.state.system.vault == vault - 7 * USDC
    assert stage.cash(1) == -7 * USDC


def test_a_withdrawal_leaves_initial_margin() -> None:
    stage = Stage()
    stage.play(stage.round().fill(1, 2, BTC_PRICE, 100))
    free = CASH - 200_000 - 156 * USDC
    stage.refuse(Reason.INSUFFICIENT_MARGIN, stage.round().withdraw(1, free + 1))
    stage.apply(stage.round().withdraw(1, free))


def test_what_came_in_before_the_first_act_is_counted_once() -> None:
    """4 is between margins; its parent sends money, and it hands part of its risk to 3."""
    stage = Stage()
    stage.play(stage.round().fill(4, 1, BTC_PRICE, 100))
    poor = 100 * BTC_PRICE  # equity 125 then, of 120 needed and 156 to begin with
    stage.craft_account(4, cash=125 * USDC - poor)
    act = stage.round().transfer(3, 4, 20 * USDC).move(4, 3, BTC_PERP, 5)
    stage.apply(act)
    assert stage.account(4).cash == 145 * USDC - poor + 5 * BTC_PRICE


def test_payout_too_small() -> None:
    stage = Stage()
    stage.refuse(Reason.PAYOUT_TOO_SMALL, stage.round().withdraw(1, USDC, USDC + 1))
    stage.craft_fund(BTC, 0, debt=CASH)  # every payout is three quarters now
    stage.refuse(Reason.PAYOUT_TOO_SMALL, stage.round().withdraw(1, 4 * USDC, 3 * USDC + 1))
    journal = stage.apply(stage.round().withdraw(1, 4 * USDC, 3 * USDC))
    assert journal.withdrawals == [WithdrawalEntry(1, 101, 4 * USDC, 3 * USDC)]
