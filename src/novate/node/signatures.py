"""Whether what users send is signed by whom it says, judged for a whole group in one call.

The same claims as the law's (`novate.spec.authorization`), asked at the door, so that nothing
forged is ever logged; the law asks again when an order first fills.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from novate.node.records import (
    CANCEL_ORDER_TAG,
    CancelIn,
    ChangeIn,
    Input,
    MoveIn,
    OrderIn,
    SheetIn,
)
from novate.spec.authorization import hash_by_tag
from novate.spec.errors import Reason, Rejection
from novate.spec.messages.account import (
    CANCEL_TAG,
    ROTATE_TAG,
    Change,
    Move,
    SetTier,
    SignedCancelAll,
)
from novate.spec.messages.domain import Domain
from novate.spec.messages.orders import CERTIFICATE_TAG, ORDER_TAG, SHEET_TAG, Authorization, Scope
from novate.spec.primitives import Digest, Primitives, SignatureCheck
from novate.spec.state import Account
from novate.spec.transactions.moves import tag_of

AccountOf = Callable[[int], Account]
"""An account by index; Rejection if there is none."""


class Claim(NamedTuple):
    """A message that claims to speak for an account."""

    account: Account
    number: int
    tag: str
    elements: tuple[int, ...]
    authorization: Authorization
    scope: Scope
    """What a session key needs; NONE: session keys may not sign this."""


def claim_of(record: Input, domain: Domain, account_of: AccountOf) -> Claim | None:
    """The claim of a record; None if it needs none. Rejection `unknown_account`."""
    match record:
        case OrderIn():
            order, authorization = record.signed
            account = account_of(order.account)
            elements = order.elements(domain, account.cancel_epoch)
            return Claim(account, order.account, ORDER_TAG, elements, authorization, Scope.TRADE)
        case SheetIn():
            sheet, authorization = record.signed
            account = account_of(sheet.account)
            elements = sheet.elements(domain, account.cancel_epoch)
            return Claim(account, sheet.account, SHEET_TAG, elements, authorization, Scope.TRADE)
        case CancelIn():
            message, authorization = record
            account = account_of(message.account)
            elements = message.elements(domain, account.cancel_epoch)
            return Claim(
                account, message.account, CANCEL_ORDER_TAG, elements, authorization, Scope.CANCEL
            )
        case ChangeIn():
            return _claim_of_change(record.change, domain, account_of)
        case MoveIn():
            return _claim_of_move(record.move, domain, account_of)


def _claim_of_change(change: Change, domain: Domain, account_of: AccountOf) -> Claim | None:
    """Key rotations and cancels are signed under the epoch they raise."""
    account = account_of(change.account if isinstance(change, SetTier) else change.message.account)
    if isinstance(change, SetTier):
        return None
    message, authorization = change
    if isinstance(change, SignedCancelAll):
        elements = change.message.elements(domain, account.cancel_epoch)
        tag, scope = CANCEL_TAG, Scope.CANCEL
    else:
        elements = change.message.elements(domain, account.key_epoch)
        tag, scope = ROTATE_TAG, Scope.NONE
    return Claim(account, message.account, tag, elements, authorization, scope)


def _claim_of_move(move: Move, domain: Domain, account_of: AccountOf) -> Claim:
    """Moves are signed by the trading key alone."""
    message, authorization = move
    account = account_of(message.account)
    elements = message.elements(domain, account.cancel_epoch)
    return Claim(account, message.account, tag_of(message), elements, authorization, Scope.NONE)


def objections(
    records: Sequence[Input],
    domain: Domain,
    account_of: AccountOf,
    now: int,
    primitives: Primitives,
) -> list[str]:
    """For each record '' if it is signed by whom it says, else the reason."""
    reasons = [""] * len(records)
    rows: list[tuple[int, str, tuple[int, ...]]] = []
    claims: dict[int, Claim] = {}
    for place, record in enumerate(records):
        try:
            claim = claim_of(record, domain, account_of)
        except Rejection as error:
            reasons[place] = error.reason
            continue
        if claim is None:
            continue
        reasons[place] = _obstacle(claim, now)
        if not reasons[place]:
            claims[place] = claim
            rows.append((place, claim.tag, claim.elements))
            rows.extend(_certificate_row(place, claim, domain))
    digests = hash_by_tag(primitives, [(tag, elements) for _, tag, elements in rows])
    checks = [
        _check(claims[place], tag, digest)
        for (place, tag, _), digest in zip(rows, digests, strict=True)
    ]
    for (place, _, _), valid in zip(rows, primitives.verify_many(checks), strict=True):
        if not valid:
            reasons[place] = str(Reason.INVALID_SIGNATURE)
    return reasons


def _obstacle(claim: Claim, now: int) -> str:
    """What is wrong with a claim before any signature is looked at."""
    certificate = claim.authorization.certificate
    if certificate is None:
        return ""
    if claim.scope == Scope.NONE or not certificate.scope & claim.scope:
        return str(Reason.SESSION_KEY_OUT_OF_SCOPE)
    return str(Reason.SESSION_KEY_EXPIRED) if certificate.expiry <= now else ""


def _certificate_row(
    place: int, claim: Claim, domain: Domain
) -> list[tuple[int, str, tuple[int, ...]]]:
    """The certificate's own message, if the claim has one."""
    certificate = claim.authorization.certificate
    if certificate is None:
        return []
    elements = certificate.elements(domain, claim.number, claim.account.key_epoch)
    return [(place, CERTIFICATE_TAG, elements)]


def _check(claim: Claim, tag: str, digest: Digest) -> SignatureCheck:
    """Certificates are signed by the trading key, messages by it or by the certified key."""
    certificate = claim.authorization.certificate
    if certificate is None:
        return SignatureCheck(claim.account.key, digest, claim.authorization.signature)
    if tag == CERTIFICATE_TAG:
        return SignatureCheck(claim.account.key, digest, certificate.signature)
    return SignatureCheck(certificate.key, digest, claim.authorization.signature)
