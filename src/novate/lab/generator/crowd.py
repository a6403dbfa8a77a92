"""The users of a random world: keys, session keys, and signatures that admission may trust."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from novate.lab.wallets import Wallet, wallet
from novate.native import NativePrimitives, sign
from novate.spec.draft import Draft
from novate.spec.messages.orders import (
    CERTIFICATE_TAG,
    Authorization,
    Certificate,
    Scope,
)
from novate.spec.primitives import Digest, Primitives, PublicKey, Signature, SignatureCheck

SESSION_KEYS = 3
BROKEN_KEY: PublicKey = (3, 1, 4, 1, 5)
"""Five elements that are no point of the curve: L1 may bind them, nobody can sign."""


@cache
def wallet_of(seed: str) -> Wallet:
    """A wallet by its seed, derived once in a process."""
    return wallet(seed)


class TrustingPrimitives:
    """Native primitives that remember the signatures made here instead of checking them again.

    For admission only: a sealed batch is judged with the real ones. What is not remembered, such
    as a signature corrupted on purpose, is really verified.
    """

    def __init__(self, real: Primitives | None = None) -> None:
        """Nothing is trusted yet."""
        self.real: Primitives = real or NativePrimitives()
        self.genuine: set[SignatureCheck] = set()

    def hash_many(self, tag: str, rows: Sequence[Sequence[int]]) -> list[Digest]:
        """As the real ones."""
        return self.real.hash_many(tag, rows)

    def compress_many(self, pairs: Sequence[tuple[Digest, Digest]]) -> list[Digest]:
        """As the real ones."""
        return self.real.compress_many(pairs)

    def verify_many(self, checks: Sequence[SignatureCheck]) -> list[bool]:
        """True for signatures made by `sign`; the rest is verified."""
        unknown = [check for check in checks if check not in self.genuine]
        if not unknown:
            return [True] * len(checks)
        found = iter(self.real.verify_many(unknown))
        return [True if check in self.genuine else next(found) for check in checks]

    def sign(self, signer: Wallet, tag: str, elements: Sequence[int]) -> Signature:
        """A signature of a message, remembered as genuine."""
        digest = self.real.hash_many(tag, [elements])[0]
        signature = sign(signer.secret, digest)
        self.genuine.add(SignatureCheck(signer.key, digest, signature))
        return signature


class Crowd:
    """Wallets of every account, found by the key that the state holds."""

    def __init__(self, primitives: TrustingPrimitives) -> None:
        """No wallet is known yet."""
        self.primitives = primitives
        self._keyring: dict[PublicKey, Wallet] = {}
        self._certificates: dict[tuple[object, ...], Certificate] = {}

    def new_wallet(self, seed: str) -> Wallet:
        """A wallet that the crowd can sign with from now on."""
        made = wallet_of(seed)
        self._keyring[made.key] = made
        return made

    def wallet(self, draft: Draft, account: int) -> Wallet | None:
        """The wallet of an account's trading key; None if nobody has it."""
        return self._keyring.get(draft.account(account).key)

    def authorize(
        self, draft: Draft, account: int, tag: str, elements: tuple[int, ...], session: int = -1
    ) -> Authorization:
        """An authorization by the trading key, or by a session key if `session` >= 0."""
        signer = self.wallet(draft, account)
        assert signer is not None, "the account has no wallet"
        if session < 0:
            return Authorization(self.primitives.sign(signer, tag, elements))
        key = wallet_of(f"session {session}")
        certificate = self.certificate(draft, account, signer, key)
        return Authorization(self.primitives.sign(key, tag, elements), certificate)

    def certificate(
        self,
        draft: Draft,
        account: int,
        signer: Wallet,
        session: Wallet,
        scope: Scope = Scope.TRADE | Scope.CANCEL,
        expiry: int = 2**32 - 1,
    ) -> Certificate:
        """The trading key's certificate for a session key, signed once a domain and epoch."""
        epoch = draft.account(account).key_epoch
        unsigned = Certificate(session.key, int(scope), expiry, Signature(0, 0, 0))
        elements = unsigned.elements(draft.domain(), account, epoch)
        known = (signer.key, elements)
        if known not in self._certificates:
            signature = self.primitives.sign(signer, CERTIFICATE_TAG, elements)
            self._certificates[known] = unsigned._replace(signature=signature)
        return self._certificates[known]
