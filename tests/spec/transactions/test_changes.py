"""Phase 3: keys, cancels and fee tiers."""

from __future__ import annotations

from novate.lab.wallets import wallet
from novate.spec.bounds import EPOCH_MAX, GOLDILOCKS
from novate.spec.errors import Reason
from novate.spec.messages.account import SetTier
from novate.spec.messages.orders import Scope
from tests.spec.kit import BTC_PRICE, Stage, user


def test_a_rotated_key_takes_the_place_of_the_old_one() -> None:
    stage, new = Stage(), wallet("new key")
    stage.apply(stage.round().rotate(1, new))
    assert (stage.account(1).key, stage.account(1).key_epoch) == (new.key, 2)
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().fill(1, 2, BTC_PRICE, 1))
    act = stage.round()
    stage.apply(act.fill(act.order(1, True, BTC_PRICE, 1, signer=new), 2, BTC_PRICE, 1))


def test_a_rotation_cannot_be_played_again() -> None:
    stage = Stage()
    act = stage.round().rotate(1, user(1))  # to the same key, so only the epoch differs
    stage.apply(act)
    act.time = stage.time + 5
    stage.refuse(Reason.INVALID_SIGNATURE, act)


def test_a_rotation_ends_session_keys() -> None:
    stage, session = Stage(), wallet("session")
    act = stage.round()
    old = act.certificate(1, session, Scope.TRADE)
    stage.play(stage.round().rotate(1, user(1)))
    for certificate, reason in (
        (old, Reason.INVALID_SIGNATURE),
        (stage.round().certificate(1, session, Scope.TRADE), None),
    ):
        act = stage.round()
        order = act.order(1, True, BTC_PRICE, 1, signer=session, certificate=certificate)
        act.fill(order, 2, BTC_PRICE, 1)
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_no_session_key_may_rotate_the_key() -> None:
    stage, session = Stage(), wallet("session")
    act = stage.round()
    certificate = act.certificate(1, session, Scope.TRADE | Scope.CANCEL)
    act.rotate(1, session, signer=session, certificate=certificate)
    stage.refuse(Reason.SESSION_KEY_OUT_OF_SCOPE, act)


def test_a_new_key_must_be_of_elements() -> None:
    stage, new = Stage(), wallet("new key")
    act = stage.round().rotate(1, new)
    [signed] = act.changes
    key = (*new.key[:4], GOLDILOCKS)
    act.changes[0] = signed._replace(message=signed.message._replace(key=key))
    stage.undecodable(act)


def test_cancel_all_kills_open_orders() -> None:
    stage = Stage()
    act = stage.round(10)
    act.fill(1, 2, BTC_PRICE, 1)
    stage.apply(stage.round().cancel_all(1))
    assert stage.account(1).cancel_epoch == 1
    stage.refuse(Reason.INVALID_SIGNATURE, act)
    stage.apply(stage.round().fill(1, 2, BTC_PRICE, 1))


def test_changes_come_before_the_round_s_trades() -> None:
    stage = Stage()
    act = stage.round().cancel_all(1)
    stage.refuse(Reason.INVALID_SIGNATURE, act.fill(1, 2, BTC_PRICE, 1))
    act = stage.round().cancel_all(1)
    order = act.order(1, True, BTC_PRICE, 1, epoch=1)
    stage.apply(act.fill(order, 2, BTC_PRICE, 1))


def test_a_session_key_with_the_scope_may_cancel() -> None:
    stage, session = Stage(), wallet("session")
    for scope, reason in ((Scope.TRADE, Reason.SESSION_KEY_OUT_OF_SCOPE), (Scope.CANCEL, None)):
        act = stage.round()
        certificate = act.certificate(1, session, scope)
        act.cancel_all(1, signer=session, certificate=certificate)
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)


def test_nobody_cancels_or_rotates_for_another() -> None:
    stage = Stage()
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().cancel_all(1, signer=user(2)))
    stage.refuse(Reason.INVALID_SIGNATURE, stage.round().rotate(1, user(2), signer=user(2)))


def test_epoch_exhausted() -> None:
    stage = Stage()
    stage.craft_account(1, cancel_epoch=EPOCH_MAX, key_epoch=EPOCH_MAX)
    stage.refuse(Reason.EPOCH_EXHAUSTED, stage.round().cancel_all(1))
    stage.refuse(Reason.EPOCH_EXHAUSTED, stage.round().rotate(1, user(1)))
    stage.craft_account(1, cancel_epoch=EPOCH_MAX - 1, key_epoch=EPOCH_MAX - 1)
    stage.apply(stage.round().cancel_all(1).rotate(1, user(1)))
    assert stage.account(1).key_epoch == stage.account(1).cancel_epoch == EPOCH_MAX


def test_unknown_tier() -> None:
    stage = Stage()
    for tier, reason in ((3, Reason.UNKNOWN_TIER), (-1, Reason.UNKNOWN_TIER), (2, None)):
        act = stage.round()
        act.changes.append(SetTier(1, tier))
        if reason:
            stage.refuse(reason, act)
        else:
            stage.apply(act)
    assert stage.account(1).tier == 2
    act = stage.round()
    act.changes.append(SetTier(9, 0))
    stage.refuse(Reason.UNKNOWN_ACCOUNT, act)
