"""Phase 6: transfers, position moves and withdrawals; each exhausts an order slot."""

from __future__ import annotations

from dataclasses import replace

from novate.spec.authorization import Claim
from novate.spec.bounds import CASH_MAX, QUANTITY_MAX
from novate.spec.caps import require_room
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.holders import change_position, quantity_of, touch_account, underlying_of
from novate.spec.journal import TransferEntry
from novate.spec.messages.account import (
    MOVE_TAG,
    TRANSFER_TAG,
    WITHDRAW_TAG,
    Move,
    MovePosition,
    Transfer,
    Withdrawal,
    check_move,
)
from novate.spec.messages.orders import Scope
from novate.spec.payments import pay_out
from novate.spec.state import Account, Slot
from novate.spec.valuation import (
    RoundState,
    add_to,
    begin_act,
    is_expired,
    mark_of_id,
    mark_touched,
)


def tag_of(message: Transfer | MovePosition | Withdrawal) -> str:
    """The domain tag a move is signed under."""
    match message:
        case Transfer():
            return TRANSFER_TAG
        case MovePosition():
            return MOVE_TAG
        case Withdrawal():
            return WITHDRAW_TAG


def move_claim(draft: Draft, move: Move) -> Claim:
    """What the move claims to be authorized for; session keys may not move value."""
    message = move.message
    check_move(message)
    epoch = draft.account(message.account).cancel_epoch
    elements = message.elements(draft.domain(), epoch)
    return Claim(message.account, tag_of(message), elements, move.authorization, Scope.NONE)


def apply_move(draft: Draft, round_state: RoundState, move: Move, verdict: Reason | None) -> None:
    """Apply one move whose signature was judged; the margin rule follows when the round closes."""
    message = move.message
    if verdict is not None:
        raise Rejection(verdict, f"account = {message.account}")
    checkpoint = draft.checkpoint()
    try:
        _use_slot(draft, round_state, message)
        match message:
            case Transfer():
                transfer(draft, round_state, message)
            case MovePosition():
                move_position(draft, round_state, message)
            case Withdrawal():
                withdraw(draft, round_state, message)
    except Rejection:
        draft.rollback(checkpoint)
        raise


def _use_slot(
    draft: Draft, round_state: RoundState, message: Transfer | MovePosition | Withdrawal
) -> None:
    """The nonce must be newer than the slot's; afterwards nothing more fits into it."""
    if message.good_till <= round_state.time:
        raise Rejection(Reason.ORDER_EXPIRED, f"good_till = {message.good_till}")
    slot = draft.slot(message.account, message.slot)
    if message.nonce <= slot.nonce:
        raise Rejection(Reason.STALE_NONCE, f"nonce = {message.nonce}, slot has {slot.nonce}")
    draft.put_slot(message.account, message.slot, Slot(message.nonce, QUANTITY_MAX))


def transfer(draft: Draft, round_state: RoundState, message: Transfer) -> None:
    """Move cash between accounts of one owner, or to the owner allowed on L1."""
    if not 1 <= message.amount <= CASH_MAX:
        raise Rejection(Reason.AMOUNT_OUT_OF_BOUNDS, f"amount = {message.amount}")
    sender = begin_act(draft, round_state, message.account)
    recipient = _recipient(draft, message.account, message.recipient)
    if recipient.owner not in (sender.owner, sender.allowed_owner):
        raise Rejection(Reason.RECIPIENT_NOT_ALLOWED, f"recipient = {message.recipient}")
    draft.put_account(message.account, replace(sender, cash=sender.cash - message.amount))
    draft.put_account(message.recipient, replace(recipient, cash=recipient.cash + message.amount))
    draft.assign(round_state.moved_out, message.account, True)
    add_to(draft, round_state.inflow, message.account, -message.amount)
    if message.recipient in round_state.opening:  # else its first act will find the amount there
        add_to(draft, round_state.inflow, message.recipient, message.amount)
    mark_touched(draft, round_state, message.recipient)
    entry = TransferEntry(message.account, message.recipient, message.amount, -1, 0)
    draft.record(draft.journal.transfers, entry)


def _recipient(draft: Draft, sender: int, recipient: int) -> Account:
    """Another open account, up to date."""
    if sender == recipient:
        raise Rejection(Reason.SELF_TRANSFER, f"account = {sender}")
    draft.account(recipient)
    return touch_account(draft, recipient)


def move_position(draft: Draft, round_state: RoundState, message: MovePosition) -> None:
    """Move lots to a sub-account at mark: the recipient pays quantity · mark; both are judged."""
    sender = begin_act(draft, round_state, message.account)
    _recipient(draft, message.account, message.recipient)
    recipient = begin_act(draft, round_state, message.recipient)
    if recipient.owner != sender.owner:
        raise Rejection(Reason.RECIPIENT_NOT_ALLOWED, f"recipient = {message.recipient}")
    _check_lots(draft, round_state, sender, recipient, message)
    price = mark_of_id(round_state.views, message.instrument)
    cash = message.quantity * price
    given = change_position(draft, sender.positions, message.instrument, -message.quantity)
    draft.put_account(message.account, replace(sender, positions=given, cash=sender.cash + cash))
    taken = change_position(draft, recipient.positions, message.instrument, message.quantity)
    draft.put_account(
        message.recipient, replace(recipient, positions=taken, cash=recipient.cash - cash)
    )
    entry = TransferEntry(
        message.account, message.recipient, -cash, message.instrument, message.quantity
    )
    draft.record(draft.journal.transfers, entry)


def _check_lots(
    draft: Draft,
    round_state: RoundState,
    sender: Account,
    recipient: Account,
    message: MovePosition,
) -> None:
    """Part of a position of the sender, in a market that is not halted, and room for it."""
    held = quantity_of(sender.positions, message.instrument)
    if message.quantity == 0 or message.quantity * held <= 0 or abs(message.quantity) > abs(held):
        raise Rejection(Reason.NO_POSITION, f"lots = {message.quantity}, held {held}")
    if draft.market(underlying_of(message.instrument)).halt.since:
        raise Rejection(Reason.MARKET_HALTED, f"instrument = {message.instrument}")
    if is_expired(message.instrument, round_state.time):
        raise Rejection(Reason.INSTRUMENT_EXPIRED, f"instrument = {message.instrument}")
    after = quantity_of(recipient.positions, message.instrument) + message.quantity
    require_room(draft, round_state, recipient.positions, message.instrument, after)


def withdraw(draft: Draft, round_state: RoundState, message: Withdrawal) -> None:
    """Debit the account and owe its owner the payout on L1."""
    if not 1 <= message.amount <= CASH_MAX:
        raise Rejection(Reason.AMOUNT_OUT_OF_BOUNDS, f"amount = {message.amount}")
    begin_act(draft, round_state, message.account)
    pay_out(draft, message.account, message.amount, message.min_payout)
    draft.assign(round_state.moved_out, message.account, True)
    add_to(draft, round_state.inflow, message.account, -message.amount)
