"""Random changes of keys, epochs and tiers; touches, liquidations, deleveraging of funds."""

from __future__ import annotations

from novate.lab.generator.crowd import wallet_of
from novate.lab.generator.plans import forged
from novate.lab.generator.stage import Stage
from novate.spec.bounds import EPOCH_MAX
from novate.spec.errors import Reason
from novate.spec.messages.account import (
    CANCEL_TAG,
    ROTATE_TAG,
    CancelAll,
    Change,
    RotateKey,
    SetTier,
    SignedCancelAll,
    SignedRotateKey,
)
from novate.spec.messages.batch import DeleverageFund, Due, Liquidate, Touch
from novate.spec.messages.orders import Scope

NOBODY = 60
"""An account index that stays unopened in most worlds; checked where it is used."""


def change(stage: Stage) -> None:
    """One change of phase 3 that should be accepted."""
    traders = stage.traders()
    if not traders:
        return
    account = stage.rng.choice(traders)
    kind = stage.rng.choice(("tier", "tier", "cancel", "cancel", "rotate"))
    if kind == "tier":
        tier = stage.rng.randrange(len(stage.draft.parameters.fee_tiers))
        _try_change(stage, SetTier(account, tier))
    elif kind == "cancel":
        if stage.draft.account(account).cancel_epoch < EPOCH_MAX:
            session = stage.rng.randrange(3) if stage.rng.random() < 0.3 else -1
            _try_change(stage, signed_cancel(stage, account, session))
    elif stage.draft.account(account).key_epoch < EPOCH_MAX:
        _try_change(stage, signed_rotation(stage, account))


def _try_change(stage: Stage, wanted: Change, expected: str = "") -> None:
    """Hand a change to the venue."""
    stage.attempt(type(wanted).__name__, lambda: stage.venue.change(wanted), expected)


def signed_cancel(stage: Stage, account: int, session: int = -1) -> SignedCancelAll:
    """A cancel-all under the account's present epoch."""
    draft = stage.draft
    message = CancelAll(account)
    elements = message.elements(draft.domain(), draft.account(account).cancel_epoch)
    return SignedCancelAll(
        message, stage.crowd.authorize(draft, account, CANCEL_TAG, elements, session)
    )


def signed_rotation(stage: Stage, account: int, session: int = -1) -> SignedRotateKey:
    """A rotation to another key of the crowd."""
    draft = stage.draft
    message = RotateKey(account, stage.crowd.new_wallet(stage.fresh_wallet()).key)
    elements = message.elements(draft.domain(), draft.account(account).key_epoch)
    return SignedRotateKey(
        message, stage.crowd.authorize(draft, account, ROTATE_TAG, elements, session)
    )


def wrong_change(stage: Stage) -> None:
    """One change that must be refused for a reason known beforehand."""
    traders = stage.traders()
    if not traders:
        return
    draft = stage.draft
    account = stage.rng.choice(traders)
    spent = [k for k in traders if draft.account(k).cancel_epoch >= EPOCH_MAX]
    aim = stage.rng.choice(
        ("tier", "unknown", "forged", "scope", "session scope", "expired", "spent", "spent")
    )
    if aim == "tier":
        tiers = len(draft.parameters.fee_tiers)
        _try_change(stage, SetTier(account, stage.rng.choice((-1, tiers))), Reason.UNKNOWN_TIER)
    elif aim == "unknown":
        _try_change(stage, SetTier(draft.system.account_count, 0), Reason.UNKNOWN_ACCOUNT)
    elif aim == "forged":
        good = signed_cancel(stage, account)
        bad = good._replace(authorization=forged(good.authorization))
        _try_change(stage, bad, Reason.INVALID_SIGNATURE)
    elif aim == "scope":
        _try_change(stage, signed_rotation(stage, account, 0), Reason.SESSION_KEY_OUT_OF_SCOPE)
    elif aim == "session scope":
        _with_session(stage, account, Scope.TRADE, 2**32 - 1, Reason.SESSION_KEY_OUT_OF_SCOPE)
    elif aim == "expired":
        _with_session(stage, account, Scope.CANCEL, stage.time, Reason.SESSION_KEY_EXPIRED)
    elif spent:
        wanted: Change = signed_cancel(stage, spent[0])
        if stage.rng.random() < 0.5 and draft.account(spent[0]).key_epoch >= EPOCH_MAX:
            wanted = signed_rotation(stage, spent[0])
        _try_change(stage, wanted, Reason.EPOCH_EXHAUSTED)


def _with_session(stage: Stage, account: int, scope: Scope, expiry: int, expected: Reason) -> None:
    """A cancel-all by a session key with another certificate than it needs."""
    signer = stage.crowd.wallet(stage.draft, account)
    assert signer is not None
    good = signed_cancel(stage, account, 1)
    certificate = stage.crowd.certificate(
        stage.draft, account, signer, wallet_of("session 1"), scope, expiry
    )
    bad = good.authorization._replace(certificate=certificate)
    _try_change(stage, good._replace(authorization=bad), expected)


def _bring(stage: Stage, due: Due, expected: str = "") -> bool:
    """Hand a touch, liquidation or deleveraging to the venue."""
    done = stage.attempt(type(due).__name__, lambda: stage.venue.bring(due), expected)
    if done and not isinstance(due, Touch):
        stage.begin_round()
    return done


def touch(stage: Stage) -> None:
    """Bring some account up to date."""
    accounts = stage.accounts()
    if accounts:
        _bring(stage, Touch(stage.rng.choice(accounts)))


def hunt(stage: Stage) -> None:
    """Look for accounts and funds below maintenance margin; touch them, liquidate some."""
    for account in list(stage.accounts()):
        found = stage.health(account)
        if found.equity >= found.maintenance:
            continue
        since = stage.draft.account(account).liquidation_since
        if not since:
            _bring(stage, Touch(account))
        elif stage.rng.random() < 0.5:
            _bring(stage, Liquidate(account))
    hunt_funds(stage)


def hunt_funds(stage: Stage) -> None:
    """Deleverage funds below their own maintenance margin."""
    for underlying, market in list(stage.draft.markets.items()):
        if market.fund.positions and not stage.is_halted(underlying) and stage.is_fresh(underlying):
            found = stage.fund_health(underlying)
            if found.equity < found.maintenance:
                _bring(stage, DeleverageFund(underlying))


def wrong_due(stage: Stage) -> None:
    """One transaction of phase 4 that must be refused for a reason known beforehand."""
    draft = stage.draft
    healthy = [k for k in stage.accounts() if stage.health(k).equity >= stage.health(k).maintenance]
    aim = stage.rng.choice(("unknown", "healthy", "market", "fund", "halted"))
    if aim == "unknown":
        _bring(stage, Touch(draft.system.account_count), Reason.UNKNOWN_ACCOUNT)
    elif aim == "healthy" and healthy:
        _bring(stage, Liquidate(stage.rng.choice(healthy)), Reason.WATERFALL_NOT_OPEN)
    elif aim == "market":
        _bring(stage, DeleverageFund(len(draft.markets)), Reason.UNKNOWN_MARKET)
    elif aim in ("fund", "halted"):
        underlying = stage.rng.randrange(len(draft.markets))
        found = stage.fund_health(underlying)
        if stage.is_halted(underlying):
            _bring(stage, DeleverageFund(underlying), Reason.MARKET_HALTED)
        elif not stage.is_fresh(underlying):
            _bring(stage, DeleverageFund(underlying), Reason.SNAPSHOT_TOO_OLD)
        elif found.equity >= found.maintenance or not draft.market(underlying).fund.positions:
            _bring(stage, DeleverageFund(underlying), Reason.FUND_NOT_BELOW_MARGIN)
