"""Random requests from L1: deposits, keys, forced withdrawals, closes, liquidations and cancels."""

from __future__ import annotations

from typing import NamedTuple

from novate.lab.generator.crowd import BROKEN_KEY
from novate.lab.generator.stage import Stage
from novate.lab.worlds import future
from novate.spec.bounds import CASH_MAX
from novate.spec.errors import Reason
from novate.spec.messages.inbox import (
    AllowOwner,
    Deposit,
    ForcedCancel,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    FundDeposit,
    RegisterKey,
    Request,
)
from novate.spec.state import Account

FIRST_OWNER = 100
OWNERS = 7
STRANGER = 0xBAD
ACCOUNTS_WANTED = 22


class Wanted(NamedTuple):
    """A request with the reason for which it must be a no-op ('' if it need not be one)."""

    request: Request
    expected: str = ""


def random_requests(stage: Stage, below: list[int]) -> list[Wanted]:
    """The requests of one batch: more accounts while there are few, then some of every kind.

    `below`: accounts that will be below maintenance margin; most get a forced liquidation.
    """
    room = stage.draft.preset.inbox_max
    count = stage.draft.system.account_count
    if count < 8:
        return [_open_account(stage, count + k) for k in range(room)]
    keyless = [k for k in stage.accounts() if stage.crowd.wallet(stage.draft, k) is None]
    chosen = [_register(stage, account) for account in keyless[:6] if stage.rng.random() < 0.9]
    for account in below[: room - len(chosen)]:
        if stage.rng.random() < 0.8:
            chosen.append(Wanted(ForcedLiquidation(account)))
    weight = stage.mood.weights.get("request", 2)
    many = min(room - len(chosen), stage.rng.randint(0, weight))
    if count < ACCOUNTS_WANTED and many and stage.rng.random() < 0.3:
        chosen.append(_open_account(stage, count))
        many -= 1
    return chosen + [_any_request(stage) for _ in range(many)]


def _open_account(stage: Stage, index: int) -> Wanted:
    """A deposit that opens the next account of some owner."""
    owner = FIRST_OWNER + stage.rng.randrange(OWNERS)
    return Wanted(Deposit(index, owner, owner, _amount(stage)))


def _amount(stage: Stage) -> int:
    """Some hundred to some million USDC."""
    return int(10 ** stage.rng.uniform(9, 12.3))


def _register(stage: Stage, account: int) -> Wanted:
    """A fresh trading key for an account."""
    key = stage.crowd.new_wallet(stage.fresh_wallet()).key
    return Wanted(RegisterKey(account, stage.draft.account(account).owner, key))


def _any_request(stage: Stage) -> Wanted:
    """One request of any kind, now and then one that must be a no-op."""
    account = stage.rng.choice(stage.accounts())
    state = stage.draft.account(account)
    if stage.rng.random() < stage.mood.wrong_share / 2:
        return _wrong_request(stage, account, state)
    kind = stage.rng.choices(
        ("deposit", "fund", "refund", "key", "allow", "withdraw", "close", "liquidate", "cancel"),
        (4, 3, 1, 1, 2, 3, 6, 4, 2),
    )[0]
    owner = state.owner
    if kind == "fund":
        underlying = stage.rng.choice((*stage.draft.markets, 99))
        return Wanted(FundDeposit(underlying, FIRST_OWNER, stage.rng.choice((1, 10**7, 10**9))))
    if kind == "deposit":
        return Wanted(Deposit(account, owner, FIRST_OWNER, _amount(stage)))
    if kind == "refund":
        return Wanted(_refundable(stage, account, owner))
    if kind == "key":
        return _key_request(stage, account, owner)
    if kind == "allow":
        allowed = stage.rng.choice((0, FIRST_OWNER + stage.rng.randrange(OWNERS)))
        return Wanted(AllowOwner(account, owner, allowed))
    if kind == "withdraw":
        amount = stage.rng.choice((1, 10**6, 10**9, CASH_MAX // 4))
        return Wanted(ForcedWithdrawal(account, owner, amount))
    if kind == "close":
        return _close(stage, account)
    if kind == "cancel":
        return Wanted(ForcedCancel(account, owner))
    ill = [k for k in stage.accounts() if stage.draft.account(k).liquidation_since]
    return Wanted(ForcedLiquidation(stage.rng.choice(ill) if ill else account))


def _refundable(stage: Stage, account: int, owner: int) -> Deposit:
    """A deposit that cannot be credited: wrong owner, too far ahead, or beyond the vault's room."""
    count = stage.draft.system.account_count
    return stage.rng.choice(
        (
            Deposit(account, owner + 1, FIRST_OWNER, 10**6),
            Deposit(count + 3, FIRST_OWNER, FIRST_OWNER, 10**6),
            Deposit(count, 0, FIRST_OWNER, 10**6),
            Deposit(account, owner, FIRST_OWNER, CASH_MAX),
        )
    )


def _key_request(stage: Stage, account: int, owner: int) -> Wanted:
    """A new key; rarely one that nobody can sign with."""
    if stage.rng.random() < 0.1:
        return Wanted(RegisterKey(account, owner, BROKEN_KEY))
    return _register(stage, account)


def _close(stage: Stage, account: int) -> Wanted:
    """A forced close of a position, preferably of one deferred before."""
    draft = stage.draft
    deferred = [k for k in stage.accounts() if draft.account(k).forced_close_time]
    if deferred and stage.rng.random() < 0.6:
        chosen = stage.rng.choice(deferred)
        state = draft.account(chosen)
        return Wanted(ForcedClose(chosen, state.owner, state.forced_close_instrument))
    holders = [k for k in stage.accounts() if draft.account(k).positions]
    if not holders:
        return Wanted(ForcedCancel(account, draft.account(account).owner))
    chosen = stage.rng.choice(holders)
    position = stage.rng.choice(draft.account(chosen).positions)
    return Wanted(ForcedClose(chosen, draft.account(chosen).owner, position.instrument))


def _wrong_request(stage: Stage, account: int, state: Account) -> Wanted:
    """A request that must be a no-op."""
    nobody = stage.draft.preset.accounts_max - 1
    not_held = future(0, 20_000)
    key = stage.crowd.new_wallet(stage.fresh_wallet()).key
    return stage.rng.choice(
        (
            Wanted(RegisterKey(account, STRANGER, key), Reason.NOT_THE_OWNER),
            Wanted(AllowOwner(account, STRANGER, STRANGER), Reason.NOT_THE_OWNER),
            Wanted(ForcedWithdrawal(account, STRANGER, 1), Reason.NOT_THE_OWNER),
            Wanted(ForcedClose(account, STRANGER, not_held), Reason.NOT_THE_OWNER),
            Wanted(ForcedCancel(account, STRANGER), Reason.NOT_THE_OWNER),
            Wanted(ForcedLiquidation(nobody), Reason.UNKNOWN_ACCOUNT),
            Wanted(ForcedWithdrawal(nobody, STRANGER, 1), Reason.UNKNOWN_ACCOUNT),
            Wanted(ForcedClose(account, state.owner, not_held), Reason.NO_POSITION),
            Wanted(ForcedWithdrawal(account, state.owner, 0), Reason.NOTHING_WITHDRAWABLE),
        )
    )
