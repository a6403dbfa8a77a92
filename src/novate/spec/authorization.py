"""Who may speak for an account: its trading key, or a session key the trading key certified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from novate.spec.draft import Draft
from novate.spec.errors import Reason, Rejection
from novate.spec.messages.orders import (
    CERTIFICATE_TAG,
    Authorization,
    Scope,
    check_certificate,
)
from novate.spec.primitives import Digest, Primitives, SignatureCheck


class Claim(NamedTuple):
    """A message that claims to be authorized by an account."""

    account: int
    tag: str
    elements: tuple[int, ...]
    authorization: Authorization
    scope: Scope
    """What a session key needs; `Scope.NONE`: session keys may not sign this."""


def verdicts(
    draft: Draft, time: int, claims: Sequence[Claim], primitives: Primitives
) -> list[Reason | None]:
    """For each claim, None if it is authorized, else why not. All signatures in one call."""
    results = [_obstacle(draft, time, claim) for claim in claims]
    rows: list[tuple[int, str, tuple[int, ...]]] = []
    for position, claim in enumerate(claims):
        if results[position] is None:
            rows.append((position, claim.tag, claim.elements))
            rows.extend(_certificate_row(draft, position, claim))
    digests = hash_by_tag(primitives, [(tag, elements) for _, tag, elements in rows])
    checks = [
        _signature_check(draft, claims[position], tag, digest)
        for (position, tag, _), digest in zip(rows, digests, strict=True)
    ]
    for (position, _, _), valid in zip(rows, primitives.verify_many(checks), strict=True):
        if not valid:
            results[position] = Reason.INVALID_SIGNATURE
    return results


def require(draft: Draft, time: int, claim: Claim, primitives: Primitives) -> None:
    """Rejection unless the claim is authorized."""
    reason = verdicts(draft, time, [claim], primitives)[0]
    if reason is not None:
        raise Rejection(reason, f"account = {claim.account}, kind {claim.tag}")


def hash_by_tag(
    primitives: Primitives, rows: Sequence[tuple[str, tuple[int, ...]]]
) -> list[Digest]:
    """Digest of each (tag, elements), one primitive call a tag, results in the order given."""
    places: dict[str, list[int]] = {}
    for place, (tag, _) in enumerate(rows):
        places.setdefault(tag, []).append(place)
    digests: dict[int, Digest] = {}
    for tag, members in places.items():
        hashed = primitives.hash_many(tag, [rows[place][1] for place in members])
        digests.update(zip(members, hashed, strict=True))
    return [digests[place] for place in range(len(rows))]


def _obstacle(draft: Draft, time: int, claim: Claim) -> Reason | None:
    """What is wrong with a claim before any signature is looked at."""
    if not draft.has_account(claim.account):
        return Reason.UNKNOWN_ACCOUNT
    certificate = claim.authorization.certificate
    if certificate is None:
        return None
    check_certificate(certificate)
    if claim.scope == Scope.NONE or not certificate.scope & claim.scope:
        return Reason.SESSION_KEY_OUT_OF_SCOPE
    if certificate.expiry <= time:
        return Reason.SESSION_KEY_EXPIRED
    return None


def _certificate_row(
    draft: Draft, position: int, claim: Claim
) -> list[tuple[int, str, tuple[int, ...]]]:
    """The certificate's own message, if the claim has one."""
    certificate = claim.authorization.certificate
    if certificate is None:
        return []
    epoch = draft.account(claim.account).key_epoch
    elements = certificate.elements(draft.domain(), claim.account, epoch)
    return [(position, CERTIFICATE_TAG, elements)]


def _signature_check(draft: Draft, claim: Claim, tag: str, digest: Digest) -> SignatureCheck:
    """Certificates are signed by the trading key, messages by it or by the certified key."""
    trading_key = draft.account(claim.account).key
    certificate = claim.authorization.certificate
    if certificate is None:
        return SignatureCheck(trading_key, digest, claim.authorization.signature)
    if tag == CERTIFICATE_TAG:
        return SignatureCheck(trading_key, digest, certificate.signature)
    return SignatureCheck(certificate.key, digest, claim.authorization.signature)
