"""Phase 3: changes of key, cancel epoch and fee tier.

The sequencer logs them in the round before: matching obeys at once, the law from the next round on,
so no acknowledged fill is voided.
"""

from __future__ import annotations

from dataclasses import replace

from novate.spec.authorization import Claim, require
from novate.spec.bounds import EPOCH_MAX
from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.journal import ChangeEntry
from novate.spec.messages.account import (
    CANCEL_TAG,
    ROTATE_TAG,
    Change,
    SetTier,
    SignedCancelAll,
    SignedRotateKey,
    check_rotate,
)
from novate.spec.messages.orders import Scope
from novate.spec.primitives import Primitives


def apply_change(draft: Draft, time: int, change: Change, primitives: Primitives) -> None:
    """Apply one change; Rejection if it is not authorized or out of range."""
    match change:
        case SignedRotateKey():
            rotate_key(draft, time, change, primitives)
        case SignedCancelAll():
            cancel_all(draft, time, change, primitives)
        case SetTier():
            set_tier(draft, change)


def rotate_key(draft: Draft, time: int, signed: SignedRotateKey, primitives: Primitives) -> None:
    """Replace the trading key and raise the key epoch, which ends every session key."""
    message, authorization = signed
    check_rotate(message)
    account = draft.account(message.account)
    elements = message.elements(draft.domain(), account.key_epoch)
    claim = Claim(message.account, ROTATE_TAG, elements, authorization, Scope.NONE)
    require(draft, time, claim, primitives)
    epoch = next_epoch(account.key_epoch)
    draft.put_account(message.account, replace(account, key=message.key, key_epoch=epoch))
    draft.record(draft.journal.changes, ChangeEntry(message.account, "key", epoch))


def cancel_all(draft: Draft, time: int, signed: SignedCancelAll, primitives: Primitives) -> None:
    """Raise the cancel epoch: every order signed before dies."""
    message, authorization = signed
    account = draft.account(message.account)
    elements = message.elements(draft.domain(), account.cancel_epoch)
    claim = Claim(message.account, CANCEL_TAG, elements, authorization, Scope.CANCEL)
    require(draft, time, claim, primitives)
    epoch = next_epoch(account.cancel_epoch)
    draft.put_account(message.account, replace(account, cancel_epoch=epoch))
    draft.record(draft.journal.changes, ChangeEntry(message.account, "cancel", epoch))


def set_tier(draft: Draft, change: SetTier) -> None:
    """Put an account into one of the parameters' fee tiers."""
    account = draft.account(change.account)
    if not 0 <= change.tier < len(draft.parameters.fee_tiers):
        tiers = len(draft.parameters.fee_tiers)
        raise Rejection(Reason.UNKNOWN_TIER, f"tier = {change.tier}, {tiers} tiers")
    draft.put_account(change.account, replace(account, tier=change.tier))
    draft.record(draft.journal.changes, ChangeEntry(change.account, "tier", change.tier))


def next_epoch(epoch: int) -> int:
    """epoch + 1, while it has room."""
    if epoch >= EPOCH_MAX:
        raise Rejection(Reason.EPOCH_EXHAUSTED, f"epoch = {epoch}, max {EPOCH_MAX}")
    return epoch + 1
