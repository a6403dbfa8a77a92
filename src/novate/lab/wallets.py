"""Keys and signatures for simulated users and oracles."""

from __future__ import annotations

from dataclasses import dataclass

from novate.native import key_of_secret, secret_of_seed, sign
from novate.spec.messages.domain import Domain
from novate.spec.messages.oracle import REPORT_TAG, Report, SignedReport
from novate.spec.messages.orders import (
    CERTIFICATE_TAG,
    Authorization,
    Certificate,
    Scope,
)
from novate.spec.primitives import Primitives, PublicKey, Signature


@dataclass(frozen=True)
class Wallet:
    """A Schnorr key pair derived from a seed."""

    secret: int
    key: PublicKey

    def sign(self, primitives: Primitives, tag: str, elements: tuple[int, ...]) -> Signature:
        """A signature of one message's digest."""
        return sign(self.secret, primitives.hash_many(tag, [elements])[0])

    def authorize(
        self, primitives: Primitives, tag: str, elements: tuple[int, ...]
    ) -> Authorization:
        """An authorization by this key itself."""
        return Authorization(self.sign(primitives, tag, elements))


def wallet(seed: str) -> Wallet:
    """The wallet of a seed text; equal seeds, equal keys."""
    secret = secret_of_seed(seed.encode())
    return Wallet(secret, key_of_secret(secret))


def certify(
    owner: Wallet,
    session: Wallet,
    domain: Domain,
    account: int,
    key_epoch: int,
    scope: Scope,
    expiry: int,
    primitives: Primitives,
) -> Certificate:
    """The owner's certificate for a session key."""
    unsigned = Certificate(session.key, int(scope), expiry, Signature(0, 0, 0))
    elements = unsigned.elements(domain, account, key_epoch)
    return unsigned._replace(signature=owner.sign(primitives, CERTIFICATE_TAG, elements))


def sign_report(
    oracles: tuple[Wallet, ...],
    oracle: int,
    report: Report,
    chain_id: int,
    settlement_contract: int,
    primitives: Primitives,
) -> SignedReport:
    """One oracle's signed report; oracles in the order of the parameters' keys."""
    elements = report.elements(chain_id, settlement_contract)
    return SignedReport(oracle, report, oracles[oracle].sign(primitives, REPORT_TAG, elements))
