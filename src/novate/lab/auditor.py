"""An auditor of generated worlds: money, lots and leaves recounted from outside the law.

It sees what L1 sees (requests, payments owed) and the states before and after; it keeps its own
books and raises `Violation` where they differ. It has its own arithmetic; only
the rounding of deleveraged lots is, and must be, the formula of the law again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

from novate.spec.batch import apply_batch
from novate.spec.bounds import CASH_MAX, QUANTITY_MAX
from novate.spec.commitment import commit
from novate.spec.journal import Journal, LiquidationStage, RequestOutcome, WithdrawalEntry
from novate.spec.messages.account import Withdrawal
from novate.spec.messages.batch import Batch, SideKind
from novate.spec.messages.inbox import Deposit, ForcedWithdrawal, FundDeposit
from novate.spec.primitives import Primitives
from novate.spec.state import FEE_ACCOUNT, Position, State

PAYMENTS_A_BATCH = 3
"""L1 pays this many of the withdrawals it owes after each batch; the others stay pending."""
RESOLVED = (LiquidationStage.TAKEOVER, LiquidationStage.DELEVERAGE, LiquidationStage.FUND_DEBT)


class Violation(AssertionError):
    """The law's books and the auditor's differ."""


def require(condition: bool, what: str) -> None:
    """Violation naming what does not hold."""
    if not condition:
        raise Violation(what)


class Auditor:
    """Books of one world from its genesis on."""

    def __init__(self, genesis: State) -> None:
        """Whatever genesis holds was deposited before it."""
        self.deposited = balances(genesis)
        self.paid = 0
        self.pending: list[int] = []
        self.dust_max: Counter[tuple[int, bool]] = Counter()
        """Most lots that rounding can have left over, by instrument and side (long?)."""

    def check(self, before: State, batch: Batch, journal: Journal) -> None:
        """Violation if anything in the batch does not add up."""
        after = journal.after
        require(after is not None, "no state after the batch")
        assert after is not None
        self._check_money(batch, journal, after)
        check_requests(before, batch, journal)
        check_leaves(before, after, journal)
        self._check_lots(before, after, journal)
        check_quantities(before, after, journal)
        check_cash(before, after, batch, journal)

    def _check_money(self, batch: Batch, journal: Journal, after: State) -> None:
        """Users, funds, fees, clearing balances and pending withdrawals = deposits − paid."""
        for request in batch.rounds[0].requests:
            if isinstance(request, Deposit | FundDeposit):
                self.deposited += request.amount
        self.pending += [entry.payout for entry in journal.withdrawals]
        for _ in range(min(PAYMENTS_A_BATCH, len(self.pending))):
            self.paid += self.pending.pop(0)
        owed = sum(self.pending)
        inside = balances(after)
        require(
            inside + owed == self.deposited - self.paid,
            f"{inside} inside + {owed} pending is not {self.deposited} in − {self.paid} paid",
        )
        require(after.system.vault == inside, f"vault {after.system.vault}, balances {inside}")
        require(all(m.fund.debt >= 0 for m in after.markets), "a fund's debt is negative")

    def _check_lots(self, before: State, after: State, journal: Journal) -> None:
        """Long lots and short lots held are open interest less what rounding has dropped."""
        self._widen_dust(before, journal)
        held, holders = lots_held(after)
        for key, state in after.instruments.items():
            require(
                state.holders == holders[key] > 0,
                f"instrument {key}: {state.holders} holders, counted {holders[key]}",
            )
            if state.settled:
                continue
            for is_long in (True, False):
                dust = state.open_interest - held[key, is_long]
                most = self.dust_max[key, is_long] + state.holders
                require(0 <= dust <= most, f"instrument {key}: dust {dust} of at most {most}")
        for key in set(before.instruments) - set(after.instruments):
            require(not holders[key], f"instrument {key} was removed with {holders[key]} holders")
            self.dust_max.pop((key, True), None)
            self.dust_max.pop((key, False), None)

    def _widen_dust(self, before: State, journal: Journal) -> None:
        """One lot for each position rounded, and what rounding a factor can cost."""
        for flow in journal.flows:
            if flow.quantity_before != flow.quantity_after:
                self.dust_max[flow.instrument, flow.quantity_before > 0] += 1
        traded: Counter[int] = Counter()
        for row in journal.ledger:
            traded[row.instrument] += abs(row.quantity)
        for entry in journal.deleverages:
            known = before.instruments.get(entry.instrument)
            most = traded[entry.instrument] + (known.open_interest if known else 0)
            lost = 1 + most // max(1, entry.factor_after)
            self.dust_max[entry.instrument, entry.quantity < 0] += lost


def balances(state: State) -> int:
    """Cash of users, fee account and funds, clearing balances, less fund debts."""
    return (
        sum(account.cash for account in state.accounts.values())
        + sum(market.fund.cash - market.fund.debt for market in state.markets)
        + sum(instrument.clearing for instrument in state.instruments.values())
    )


def lots_held(state: State) -> tuple[Counter[tuple[int, bool]], Counter[int]]:
    """Lots by instrument and side as a touch would leave them, and the number of holders."""
    held: Counter[tuple[int, bool]] = Counter()
    holders: Counter[int] = Counter()
    holdings = [account.positions for account in state.accounts.values()]
    holdings += [market.fund.positions for market in state.markets]
    for positions in holdings:
        for position in positions:
            instrument = state.instruments[position.instrument]
            is_long = position.quantity > 0
            side = instrument.long if is_long else instrument.short
            lots = abs(position.quantity) * side.factor // position.factor
            held[position.instrument, is_long] += lots
            holders[position.instrument] += 1
    return held, holders


def check_requests(before: State, batch: Batch, journal: Journal) -> None:
    """Requests in order, none skipped; deposits credited or paid back; payments as asked for."""
    requests = batch.rounds[0].requests
    after = journal.after
    assert after is not None
    require(
        tuple(entry.request for entry in journal.requests) == requests
        and after.system.inbox_cursor == before.system.inbox_cursor + len(requests),
        "requests were skipped or reordered",
    )
    count = before.system.account_count
    owners = {index: account.owner for index, account in before.accounts.items()}
    expected: list[tuple[int, int, int, int]] = []  # account, recipient, most debited, least paid
    for request, outcome, _ in journal.requests:
        if isinstance(request, Deposit):
            opens = request.account == count < before.preset.accounts_max and request.owner != 0
            credit = opens or owners.get(request.account) == request.owner
            large = before.system.vault + request.amount > CASH_MAX // 2
            done = outcome == RequestOutcome.DONE
            require(done == credit or (large and not done), f"{request} became {outcome}")
            if done and opens:
                owners[count] = request.owner
                count += 1
        if isinstance(request, Deposit | FundDeposit) and outcome == RequestOutcome.REFUNDED:
            expected.append((-1, request.sender, request.amount, request.amount))
        if isinstance(request, ForcedWithdrawal) and outcome == RequestOutcome.DONE:
            expected.append((request.account, request.owner, request.amount, 0))
    for content in batch.rounds:
        for move in content.moves:
            message = move.message
            if isinstance(message, Withdrawal):
                owner = owners[message.account]
                expected.append((message.account, owner, message.amount, message.min_payout))
    require(len(expected) == len(journal.withdrawals), "not every payment was asked for")
    debt = any(market.fund.debt for market in (*before.markets, *after.markets)) or any(
        entry.stage == LiquidationStage.FUND_DEBT for entry in journal.liquidations
    )
    for asked, entry in zip(expected, journal.withdrawals, strict=True):
        _check_payment(asked, entry, debt)


def _check_payment(asked: tuple[int, int, int, int], entry: WithdrawalEntry, debt: bool) -> None:
    """To whom it was asked for, no more than asked for, cut only while there is fund debt."""
    account, recipient, most, least = asked
    require(
        (entry.account, entry.recipient) == (account, recipient)
        and least <= entry.payout <= entry.debit <= most
        and entry.payout >= 0
        and (debt or entry.payout == entry.debit),
        f"{entry} for {asked}, debt {debt}",
    )


def check_leaves(before: State, after: State, journal: Journal) -> None:
    """Leaves the journal does not name are unchanged; those it has are of the right form."""
    for index, account in after.accounts.items():
        old = before.accounts.get(index)
        if index not in journal.accounts_before:
            require(account is old, f"account {index} changed unseen")
            continue
        require(journal.accounts_before[index] == old, f"account {index}: wrong leaf before")
        ids = [position.instrument for position in account.positions]
        require(
            ids == sorted(set(ids))
            and all(position.quantity for position in account.positions)
            and len(ids) <= before.preset.positions_max
            and abs(account.cash) <= CASH_MAX,
            f"account {index} is malformed: {account}",
        )
    require(len(after.accounts) == after.system.account_count, "accounts are not dense")
    require(
        all(0 <= slot.filled <= QUANTITY_MAX for slot in after.slots.values()), "slot overfilled"
    )


def check_quantities(before: State, after: State, journal: Journal) -> None:
    """Every position is the one before plus ledger rows, lazy flows, moves and deleveraging."""
    expected: Counter[tuple[int, int]] = Counter()
    for state, sign in ((before, 1), (after, -1)):
        for holder, positions in holdings_of(state):
            for position in positions:
                expected[holder, position.instrument] += sign * position.quantity
    for row in journal.ledger:
        expected[row.holder, row.instrument] += row.quantity
    for flow in journal.flows:
        expected[flow.holder, flow.instrument] += flow.quantity_after - flow.quantity_before
    for entry in journal.transfers:
        if entry.instrument >= 0:
            expected[entry.sender, entry.instrument] -= entry.quantity
            expected[entry.recipient, entry.instrument] += entry.quantity
    for closed in journal.deleverages:
        expected[closed.holder, closed.instrument] -= closed.quantity
    wrong = {key: lots for key, lots in expected.items() if lots}
    require(not wrong, f"lots unaccounted for by (holder, instrument): {wrong}")


def holdings_of(state: State) -> list[tuple[int, tuple[Position, ...]]]:
    """Holders, funds as −1 − underlying, with their positions."""
    funds = [(-1 - u, market.fund.positions) for u, market in enumerate(state.markets)]
    return [(index, account.positions) for index, account in state.accounts.items()] + funds


def check_cash(before: State, after: State, batch: Batch, journal: Journal) -> None:
    """Cash of every account that no fund resolved: the cash before plus every entry."""
    change: defaultdict[int, int] = defaultdict(int)
    fees = 0
    for row in journal.ledger:
        change[row.holder] += row.cash
    for fill in journal.fills:
        change[fill.buyer] -= fill.buyer_fee
        change[fill.seller] -= fill.seller_fee
        fees += fill.buyer_fee + fill.seller_fee
        require(fill.buyer_fee + fill.seller_fee >= 0, f"negative fees: {fill}")
    change[FEE_ACCOUNT] += fees
    for flow in journal.flows:
        change[flow.holder] += flow.cash
    for entry in journal.transfers:
        change[entry.sender] -= entry.amount
        change[entry.recipient] += entry.amount
    for payment in journal.withdrawals:
        change[payment.account] -= payment.debit if payment.account >= 0 else 0
    for request, outcome, _ in journal.requests:
        if isinstance(request, Deposit) and outcome == RequestOutcome.DONE:
            change[request.account] += request.amount
    for closed in journal.deleverages:
        change[closed.holder] += closed.quantity * closed.price
    resolved = {entry.holder for entry in journal.liquidations if entry.stage in RESOLVED}
    for index, account in after.accounts.items():
        old = before.accounts.get(index)
        moved = account.cash - (old.cash if old else 0)
        require(
            index in resolved or moved == change[index],
            f"account {index}: cash moved by {moved}, entries say {change[index]}",
        )
    fills = [fill for r in batch.rounds for trade in r.trades for fill in trade.fills]
    signed = sum(side.kind != SideKind.FUND for f in fills for side in (f.buyer, f.seller))
    accounts = sum((fill.buyer >= 0) + (fill.seller >= 0) for fill in journal.fills)
    require(signed == accounts, f"{accounts} accounts in fills, {signed} asked for")


def check_roots(journal: Journal, primitives: Primitives) -> None:
    """The updated trees' roots are those of the state built from scratch."""
    assert journal.after is not None
    require(commit(journal.after, primitives) == journal.roots_after, "roots differ from scratch")


def check_again(before: State, batch: Batch, journal: Journal, primitives: Primitives) -> None:
    """The same batch, applied with other primitives from a state without trees, ends the same."""
    again = apply_batch(replace(before, trees=None, roots=None), batch, primitives)
    require(
        again.roots_before == journal.roots_before
        and again.roots_after == journal.roots_after
        and again.after == journal.after,
        "other primitives give another state",
    )
