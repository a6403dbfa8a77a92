"""Random transfers, position moves and withdrawals, well-meant and wrong."""

from __future__ import annotations

from typing import Any

from novate.lab.generator.plans import FOREVER, forged, free_slot, room_for
from novate.lab.generator.stage import Stage
from novate.spec.bounds import CASH_MAX
from novate.spec.errors import Reason
from novate.spec.holders import underlying_of
from novate.spec.messages.account import (
    Move,
    MovePosition,
    SignedMovePosition,
    SignedTransfer,
    SignedWithdrawal,
    Transfer,
    Withdrawal,
)
from novate.spec.transactions.moves import tag_of
from novate.spec.valuation import is_expired, withdrawable, withdrawal_obstacle

SIGNED = {Transfer: SignedTransfer, MovePosition: SignedMovePosition, Withdrawal: SignedWithdrawal}
Message = Transfer | MovePosition | Withdrawal


def sign_move(stage: Stage, message: Message, session: int = -1) -> Move:
    """The move with its account's authorization."""
    draft = stage.draft
    elements = message.elements(draft.domain(), draft.account(message.account).cancel_epoch)
    tag = tag_of(message)
    authorization = stage.crowd.authorize(draft, message.account, tag, elements, session)
    made: Move = SIGNED[type(message)](message, authorization)
    return made


def submit(stage: Stage, move: Move, expected: str = "") -> None:
    """Hand a move to the venue."""
    kind = type(move.message).__name__
    if stage.attempt(kind, lambda: stage.venue.move(move), expected):
        message = move.message
        stage.acted(message.account, getattr(message, "recipient", message.account))


def free_cash(stage: Stage, account: int) -> int:
    """What may leave an account now."""
    return withdrawable(stage.draft, stage.venue.round.state, stage.up_to_date(account))


def partners(stage: Stage, account: int) -> list[int]:
    """Accounts that may receive a transfer."""
    draft = stage.draft
    allowed = draft.account(account).allowed_owner
    friends = [k for k in stage.accounts() if allowed and draft.account(k).owner == allowed]
    return [k for k in stage.siblings(account) + friends if k != account]


def transfer(stage: Stage) -> None:
    """Cash to a sub-account or to an allowed owner."""
    senders = [k for k in stage.traders() if partners(stage, k)]
    if not senders:
        return
    account = stage.rng.choice(senders)
    free = free_cash(stage, account)
    if free <= 0 and stage.rng.random() < 0.8:
        return
    amount = int(max(1, free) * stage.rng.choice((0.01, 0.1, 0.5, 1.0)))
    recipient = stage.rng.choice(partners(stage, account))
    fields = free_slot(stage, account)
    message = Transfer(account, recipient, max(1, amount), *fields, FOREVER)
    submit(stage, sign_move(stage, message))


def move_position(stage: Stage) -> None:
    """Part of a position to a sub-account at mark."""
    senders = [k for k in stage.traders() if stage.draft.account(k).positions and stage.siblings(k)]
    if not senders:
        return
    account = stage.rng.choice(senders)
    position = stage.rng.choice(stage.draft.account(account).positions)
    if stage.is_halted(underlying_of(position.instrument)) and stage.rng.random() < 0.8:
        return
    lots = max(1, int(abs(position.quantity) * stage.rng.choice((0.1, 0.5, 1.0))))
    lots = lots if position.quantity > 0 else -lots
    siblings = stage.siblings(account)
    roomy = [k for k in siblings if room_for(stage, k, position.instrument)]
    recipient = stage.rng.choice(roomy or siblings)
    slot, nonce = free_slot(stage, account)
    message = MovePosition(account, recipient, position.instrument, lots, slot, nonce, FOREVER)
    submit(stage, sign_move(stage, message))


def withdraw(stage: Stage) -> None:
    """Cash to L1, at most what may leave."""
    traders = stage.traders()
    if not traders:
        return
    account = stage.rng.choice(traders)
    free = free_cash(stage, account)
    if free <= 0:
        return
    amount = max(1, int(free * stage.rng.choice((0.001, 0.01, 0.1, 1.0))))
    slot, nonce = free_slot(stage, account)
    submit(stage, sign_move(stage, Withdrawal(account, amount, amount // 2, slot, nonce, FOREVER)))


def wrong_move(stage: Stage) -> None:
    """One move that must be refused for a reason known beforehand."""
    traders = stage.traders()
    if traders:
        account = stage.rng.choice(traders)
        aim = stage.rng.choice((_wrong_field, _wrong_field, _wrong_recipient, _wrong_amount))
        aim(stage, account)


def _wrong_field(stage: Stage, account: int) -> None:
    """A withdrawal with one bad field, or a bad signature."""
    slot, nonce = free_slot(stage, account)
    used = [k for k in range(16) if stage.draft.slot(account, k).nonce]
    good = Withdrawal(account, 1, 0, slot, nonce, FOREVER)
    count = stage.draft.preset.slots_max
    wrong: list[tuple[dict[str, Any], Reason]] = [
        ({"good_till": stage.time}, Reason.ORDER_EXPIRED),
        ({"slot": count}, Reason.SLOT_OUT_OF_RANGE),
        ({"amount": 0}, Reason.AMOUNT_OUT_OF_BOUNDS),
        ({"amount": CASH_MAX + 1}, Reason.AMOUNT_OUT_OF_BOUNDS),
        ({"min_payout": 2}, Reason.PAYOUT_TOO_SMALL),
        ({"amount": CASH_MAX}, Reason.VAULT_TOO_SMALL),
    ]
    if used:
        stale = stage.draft.slot(account, used[0]).nonce
        wrong.append(({"slot": used[0], "nonce": stale}, Reason.STALE_NONCE))
    fields, reason = stage.rng.choice(wrong)
    chance = stage.rng.random()
    if chance < 0.1:
        move = sign_move(stage, good)
        bad = move._replace(authorization=forged(move.authorization))
        submit(stage, bad, Reason.INVALID_SIGNATURE)
    elif chance < 0.2:
        submit(stage, sign_move(stage, good, 0), Reason.SESSION_KEY_OUT_OF_SCOPE)
    else:
        submit(stage, sign_move(stage, good._replace(**fields)), reason)


def _wrong_recipient(stage: Stage, account: int) -> None:
    """A transfer or position move to itself, to nobody, to a stranger, or of nothing."""
    draft = stage.draft
    slot, nonce = free_slot(stage, account)
    allowed = (draft.account(account).owner, draft.account(account).allowed_owner)
    strangers = [k for k in stage.accounts() if draft.account(k).owner not in allowed]
    cash = Transfer(account, account, 1, slot, nonce, FOREVER)
    aim = stage.rng.choice(("self", "nobody", "stranger", "lots", "stranger lots", "market"))
    if aim == "self":
        submit(stage, sign_move(stage, cash), Reason.SELF_TRANSFER)
    elif aim == "nobody":
        nobody = cash._replace(recipient=draft.system.account_count)
        submit(stage, sign_move(stage, nobody), Reason.UNKNOWN_ACCOUNT)
    elif aim == "stranger" and strangers:
        stranger = cash._replace(recipient=stage.rng.choice(strangers))
        submit(stage, sign_move(stage, stranger), Reason.RECIPIENT_NOT_ALLOWED)
    else:
        _wrong_lots(stage, account, aim, strangers)


def _wrong_lots(stage: Stage, account: int, aim: str, strangers: list[int]) -> None:
    """A position move of lots not held, to a stranger, or where the market forbids it."""
    positions = stage.up_to_date(account).positions
    siblings = stage.siblings(account)
    if not positions:
        return
    position = stage.rng.choice(positions)
    slot, nonce = free_slot(stage, account)
    one = 1 if position.quantity > 0 else -1
    message = MovePosition(account, 0, position.instrument, one, slot, nonce, FOREVER)
    if aim == "stranger lots" and strangers:
        message = message._replace(recipient=stage.rng.choice(strangers))
        submit(stage, sign_move(stage, message), Reason.RECIPIENT_NOT_ALLOWED)
    elif aim == "lots" and siblings:
        lots = stage.rng.choice((0, -one, position.quantity + one))
        message = message._replace(recipient=stage.rng.choice(siblings), quantity=lots)
        submit(stage, sign_move(stage, message), Reason.NO_POSITION)
    elif aim == "market" and siblings:
        message = message._replace(recipient=stage.rng.choice(siblings))
        if stage.is_halted(underlying_of(position.instrument)):
            submit(stage, sign_move(stage, message), Reason.MARKET_HALTED)
        elif is_expired(position.instrument, stage.time):
            submit(stage, sign_move(stage, message), Reason.INSTRUMENT_EXPIRED)


def _wrong_amount(stage: Stage, account: int) -> None:
    """A withdrawal or transfer that margin, the reference, a halt or a bound forbids."""
    slot, nonce = free_slot(stage, account)
    draft, round_state = stage.draft, stage.venue.round.state
    up_to_date = stage.up_to_date(account)
    health = stage.health(account)
    spare = health.equity - health.initial
    free = free_cash(stage, account)
    vault = draft.system.vault
    siblings = stage.siblings(account)
    debt = sum(market.fund.debt for market in draft.markets.values())
    message = Withdrawal(account, 1, 0, slot, nonce, FOREVER)
    if up_to_date.cash < 0 and siblings and stage.rng.random() < 0.5:
        recipient = stage.rng.choice(siblings)
        flight = Transfer(account, recipient, CASH_MAX, slot, nonce, FOREVER)
        submit(stage, sign_move(stage, flight), Reason.CASH_OUT_OF_BOUNDS)
    elif (
        health.initial
        and health.initial <= health.equity < vault + debt
        and spare < vault + debt
        and _acted_not(stage, account)
    ):
        much = sign_move(stage, message._replace(amount=spare + 1))
        submit(stage, much, Reason.INSUFFICIENT_MARGIN)
    if spare > 0 and withdrawal_obstacle(draft, up_to_date.positions):
        submit(stage, sign_move(stage, message), Reason.WITHDRAWAL_BLOCKED)
    elif 0 <= free < spare <= vault + debt and round_state.references:
        slot, nonce = free_slot(stage, account)
        message = Withdrawal(account, free + 1, 0, slot, nonce, FOREVER)
        submit(stage, sign_move(stage, message), Reason.UNSAFE_AT_REFERENCE)


def _acted_not(stage: Stage, account: int) -> bool:
    """Whether the account has not acted in the round yet."""
    return account not in stage.venue.round.state.opening
