"""What the adversary can do in a round. An action is a name and small integers.

The integers are read relative to the state: an account by its place, an instrument by its place in
a menu, a price as eighths of the band from the mark, a size as a power of two that is halved until
the law accepts. So any list of integers means something, and mutations of it stay meaningful.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from novate.lab.adversary.arena import COLLUDERS, MAKER, OWNERS, USERS, Arena
from novate.lab.adversary.truth import UNSIGNED
from novate.lab.worlds import future, option, perpetual
from novate.spec.bounds import QUANTITY_MAX
from novate.spec.instruments import Kind, decode
from novate.spec.journal import Health
from novate.spec.messages.account import (
    MovePosition,
    SetTier,
    SignedMovePosition,
    SignedTransfer,
    SignedWithdrawal,
    Transfer,
    Withdrawal,
)
from novate.spec.messages.batch import Fill, Liquidate, SideKind, SideOf, Trade
from novate.spec.messages.inbox import (
    Deposit,
    ForcedClose,
    ForcedLiquidation,
    ForcedWithdrawal,
    Request,
)
from novate.spec.messages.orders import Authorization, Order, OrderFlags, SignedOrder
from novate.spec.rounding import PPM, clamp
from novate.spec.state import Position
from novate.spec.valuation import account_health, health, mark_of_id

FOREVER = 2**32 - 1
FEE_MAX_PPM = 100_000
TRIES = 10
EIGHTHS = 8
SPREAD_PPM = 200
"""The maker's half spread, ppm of index."""


class Action(NamedTuple):
    """One act of the adversary."""

    name: str
    numbers: tuple[int, ...]

    def number(self, place: int) -> int:
        """A number, 0 where there are fewer."""
        return self.numbers[place] if place < len(self.numbers) else 0


def menu(arena: Arena) -> list[int]:
    """Instruments an episode may trade, the same ones throughout it."""
    day = arena.day
    found = [perpetual(0), perpetual(1), future(0, day), future(0, day + 7), future(1, day + 1)]
    for expiry in (day, day + 1, day + 7):
        found += [
            option(0, expiry, kind, strike)
            for kind, strike in (
                (Kind.CALL, 100_000),
                (Kind.CALL, 97_000),
                (Kind.CALL, 106_000),
                (Kind.PUT, 94_000),
                (Kind.PUT, 103_000),
                (Kind.PUT, 100_000),
                (Kind.CALL, 150_000),
            )
        ]
    return [*found, option(1, day, Kind.CALL, 4_000), option(1, day + 7, Kind.PUT, 4_000)]


def pick(arena: Arena, number: int) -> int:
    """An instrument of the menu."""
    listed = menu(arena)
    return listed[number % len(listed)]


def position_of(arena: Arena, account: int, number: int) -> Position | None:
    """One of an account's positions, or None."""
    held = arena.venue.draft.account(account).positions
    return held[number % len(held)] if held else None


def colluder(number: int) -> int:
    """A colluding account."""
    return COLLUDERS[number % len(COLLUDERS)]


def signed_order(
    arena: Arena, account: int, fill: tuple[int, int, int], is_buy: bool, flags: int = 0
) -> SideOf:
    """An order of an account for exactly (instrument, price, quantity), read into the round."""
    instrument, price, quantity = fill
    nonce = arena.next_nonce()
    order = Order(
        account, instrument, is_buy, price, quantity, 0, nonce, FOREVER, FEE_MAX_PPM, 0, flags
    )
    place = arena.venue.read_order(SignedOrder(order, Authorization(UNSIGNED)))
    return SideOf(SideKind.ORDER, place)


def law_mark(arena: Arena, instrument: int) -> int:
    """The mark at the round's snapshot."""
    return mark_of_id(arena.venue.round.state.views, instrument)


def priced(arena: Arena, instrument: int, eighths: int) -> int:
    """A price so many eighths of the band from the mark."""
    mark = law_mark(arena, instrument)
    view = arena.venue.round.state.views[decode(instrument).underlying]
    band = max(view.snapshot.index_price * view.parameters.band_ppm // PPM, mark // 2)
    return max(0, mark + band * clamp(eighths, -EIGHTHS, EIGHTHS) // EIGHTHS)


def halving(size: int, act: Callable[[int], bool]) -> bool:
    """Try 2^size lots, then half of it, until one is accepted."""
    quantity = min(1 << clamp(size, 0, 30), QUANTITY_MAX)
    for _ in range(TRIES):
        if act(quantity):
            return True
        if quantity == 1:
            return False
        quantity = max(1, quantity >> 2 if quantity > 1 << 12 else quantity >> 1)
    return False


def attempt(arena: Arena, fills: list[Fill]) -> bool:
    """Whether the law takes a trade of these fills."""
    return arena.try_(partial(arena.venue.trade, Trade(tuple(fills))))


def trade(arena: Arena, action: Action) -> None:
    """buyer, seller, instrument, eighths, size: colluders trade with each other."""
    buyer, seller = colluder(action.number(0)), colluder(action.number(1))
    instrument = pick(arena, action.number(2))
    price = priced(arena, instrument, action.number(3))

    def once(quantity: int) -> bool:
        terms = (instrument, price, quantity)
        sides = signed_order(arena, buyer, terms, True), signed_order(arena, seller, terms, False)
        return attempt(arena, [Fill(instrument, price, quantity, *sides, True)])

    halving(action.number(4), once)


def close(arena: Arena, action: Action) -> None:
    """account, other, position, eighths, part: reduce a position against another colluder."""
    account, other = colluder(action.number(0)), colluder(action.number(1))
    held = position_of(arena, account, action.number(2))
    if held is None:
        return
    price = priced(arena, held.instrument, action.number(3))
    quantity = max(1, abs(held.quantity) >> abs(action.number(4)) % 4)
    terms = (held.instrument, price, quantity)
    mine = signed_order(arena, account, terms, held.quantity < 0, OrderFlags.REDUCE_ONLY)
    theirs = signed_order(arena, other, terms, held.quantity > 0)
    sides = (theirs, mine) if held.quantity > 0 else (mine, theirs)
    attempt(arena, [Fill(held.instrument, price, quantity, *sides, False)])


def legs(arena: Arena, action: Action) -> None:
    """buyer, seller, two instruments, eighths, size: one dear and one cheap, all or nothing."""
    buyer, seller = colluder(action.number(0)), colluder(action.number(1))
    pair = pick(arena, action.number(2)), pick(arena, action.number(3))

    def once(quantity: int) -> bool:
        fills = []
        for instrument, sign in zip(pair, (1, -1), strict=True):
            price = priced(arena, instrument, sign * action.number(4))
            terms = (instrument, price, quantity)
            sides = (
                signed_order(arena, buyer if sign > 0 else seller, terms, True),
                signed_order(arena, seller if sign > 0 else buyer, terms, False),
            )
            fills.append(Fill(instrument, price, quantity, *sides, True))
        return attempt(arena, fills)

    halving(action.number(5), once)


def with_maker(arena: Arena, account: int, instrument: int, buys: bool, size: int) -> bool:
    """Trade with the honest maker at fair price ± spread; it quotes only what it knows."""
    if not arena.is_fair:
        return False
    fair = arena.truth.mark_of_id(instrument)
    underlying = decode(instrument).underlying
    spread = arena.truth.quotes[underlying].index_price * SPREAD_PPM // PPM + 1
    price = fair + spread if buys else max(0, fair - spread)

    def once(quantity: int) -> bool:
        terms = (instrument, price, quantity)
        mine = signed_order(arena, account, terms, buys)
        theirs = signed_order(arena, MAKER, terms, not buys)
        sides = (mine, theirs) if buys else (theirs, mine)
        return attempt(arena, [Fill(instrument, price, quantity, *sides, not buys)])

    return halving(size, once)


def maker(arena: Arena, action: Action) -> None:
    """account, instrument, buys, size: a colluder takes the maker's quote."""
    account, instrument = colluder(action.number(0)), pick(arena, action.number(1))
    with_maker(arena, account, instrument, bool(action.number(2) % 2), action.number(3))


def user(arena: Arena, action: Action) -> None:
    """user, instrument, buys, size: an honest user takes the maker's quote."""
    account, instrument = USERS[action.number(0) % len(USERS)], pick(arena, action.number(1))
    with_maker(arena, account, instrument, bool(action.number(2) % 2), action.number(3))


def step(arena: Arena, action: Action) -> None:
    """account stepped on (any), colluder, position, eighths, part: a side without a signature."""
    everyone = (*USERS, *COLLUDERS)
    account, other = everyone[action.number(0) % len(everyone)], colluder(action.number(1))
    held = position_of(arena, account, action.number(2))
    if held is None:
        return
    sign = -1 if held.quantity > 0 else 1
    penalty = arena.promised.markets[decode(held.instrument).underlying].penalty_ppm
    for eighths in (action.number(3), action.number(3) - 2, 1, 0):
        price = priced(arena, held.instrument, sign * abs(eighths))
        quantity = max(1, abs(held.quantity) >> abs(action.number(4)) % 6)
        terms = (held.instrument, price, quantity)
        mine = SideOf(SideKind.LIQUIDATION, account)
        theirs = signed_order(arena, other, terms, sign < 0)
        sides = (theirs, mine) if sign < 0 else (mine, theirs)
        before = _health(arena, account)
        if attempt(arena, [Fill(held.instrument, price, quantity, *sides, False)]):
            if account not in COLLUDERS:
                after = _health(arena, account)
                freed = max(before.maintenance - after.maintenance, 0) * penalty // PPM
                loss = max(before.equity - after.equity, 0)
                arena.colluders.allow("liquidation", Fraction(min(loss, freed)))
                entry = arena.venue.draft.journal.fills[-1]
                fee = entry.buyer_fee if entry.buyer == account else entry.seller_fee
                arena.honest.allow("liquidation", Fraction(min(loss, freed) - fee))
            return


def _health(arena: Arena, account: int) -> Health:
    """An account's health at the round's snapshot."""
    return account_health(arena.venue.round.state.views, arena.venue.draft.account(account))


def fund_trade(arena: Arena, action: Action) -> None:
    """colluder, underlying, position, eighths, part: buy from, or sell to, a fund."""
    account, underlying = colluder(action.number(0)), action.number(1) % 2
    views = arena.venue.round.state.views
    fund = arena.venue.draft.market(underlying).fund
    if not fund.positions:
        return
    held = fund.positions[action.number(2) % len(fund.positions)]
    sign = -1 if held.quantity > 0 else 1
    before = health(views, fund.cash, fund.positions)
    fair = arena.truth.mark_of_id(held.instrument)
    index = arena.truth.quotes[underlying].index_price
    for part in range(7):
        shift = index * abs(action.number(3)) >> 7 + 2 * part
        price = max(0, law_mark(arena, held.instrument) + sign * shift)
        quantity = max(1, abs(held.quantity) >> abs(action.number(4)) % 3)
        terms = (held.instrument, price, quantity)
        mine = SideOf(SideKind.FUND)
        theirs = signed_order(arena, account, terms, sign < 0)
        sides = (theirs, mine) if sign < 0 else (mine, theirs)
        if attempt(arena, [Fill(held.instrument, price, quantity, *sides, False)]):
            fund = arena.venue.draft.market(underlying).fund
            after = health(views, fund.cash, fund.positions)
            loss, freed = arena.fund_round.get(underlying, (0, 0))
            arena.fund_round[underlying] = (
                loss + sign * (price - fair) * quantity,
                freed + before.maintenance - after.maintenance,
            )
            return


def _once(arena: Arena) -> dict[str, int]:
    """Slot, nonce and good-till of a message that uses a slot."""
    return {"slot": 1, "nonce": arena.next_nonce(), "good_till": FOREVER}


def _amounts(arena: Arena, account: int) -> list[int]:
    """What could leave an account: its equity over initial margin, then less and less."""
    now = _health(arena, account)
    free = max(now.equity - now.initial, 1)
    return [max(1, free * part // 16) for part in (16, 15, 12, 8, 4, 1)]


def withdraw(arena: Arena, action: Action) -> None:
    """account: withdraw as much as the law lets go."""
    account = colluder(action.number(0))
    for amount in _amounts(arena, account):
        message = Withdrawal(account, amount, 0, **_once(arena))
        signed = SignedWithdrawal(message, Authorization(UNSIGNED))
        if arena.try_(partial(arena.venue.move, signed)):
            return


def transfer(arena: Arena, action: Action) -> None:
    """account, other: transfer as much as the law lets go."""
    account, other = colluder(action.number(0)), colluder(action.number(1))
    for amount in _amounts(arena, account):
        signed = SignedTransfer(
            Transfer(account, other, amount, **_once(arena)), Authorization(UNSIGNED)
        )
        if arena.try_(partial(arena.venue.move, signed)):
            return


def move(arena: Arena, action: Action) -> None:
    """account, other, position, part: move lots to a sub-account."""
    account, other = colluder(action.number(0)), colluder(action.number(1))
    held = position_of(arena, account, action.number(2))
    if held is None:
        return
    quantity = max(1, abs(held.quantity) >> abs(action.number(3)) % 4)
    quantity = quantity if held.quantity > 0 else -quantity
    message = MovePosition(account, other, held.instrument, quantity, **_once(arena))
    signed = SignedMovePosition(message, Authorization(UNSIGNED))
    arena.try_(partial(arena.venue.move, signed))


def liquidate(arena: Arena, action: Action) -> None:
    """account (any): takeover or deleveraging, ahead of the watchers."""
    everyone = (*USERS, *COLLUDERS)
    due = Liquidate(everyone[action.number(0) % len(everyone)])
    arena.try_(partial(arena.venue.bring, due))


def tier(arena: Arena, action: Action) -> None:
    """account, tier: the operator grants a fee tier."""
    change = SetTier(colluder(action.number(0)), action.number(1) % 3)
    if not arena.venue.round.book.orders:
        arena.try_(partial(arena.venue.change, change))


def hold(arena: Arena, action: Action) -> None:
    """on or off: the operator holds takeover back from users, to step on them."""
    arena.hold_users = bool(action.number(0) % 2)


def request_of(arena: Arena, action: Action) -> Request | None:
    """What the action asks for on L1, or None if it is no request."""
    account = colluder(action.number(0))
    owner = OWNERS[account]
    held = position_of(arena, account, action.number(1))
    match action.name:
        case "ask_close" if held is not None:
            return ForcedClose(account, owner, held.instrument)
        case "ask_withdrawal":
            return ForcedWithdrawal(account, owner, 10**15)
        case "ask_liquidation":
            everyone = (*USERS, *COLLUDERS)
            return ForcedLiquidation(everyone[action.number(0) % len(everyone)])
        case "deposit":
            amount = 1 << 10 + action.number(1) % 24
            arena.colluders.deposits += amount
            return Deposit(account, owner, owner, amount)
    return None


REQUESTS = ("ask_close", "ask_withdrawal", "ask_liquidation", "deposit")
BEFORE_TRADES: dict[str, Callable[[Arena, Action], None]] = {
    "tier": tier,
    "hold": hold,
    "liquidate": liquidate,
}
TRADES: dict[str, Callable[[Arena, Action], None]] = {
    "trade": trade,
    "close": close,
    "legs": legs,
    "maker": maker,
    "user": user,
    "step": step,
    "fund_trade": fund_trade,
}
MOVES: dict[str, Callable[[Arena, Action], None]] = {
    "withdraw": withdraw,
    "transfer": transfer,
    "move": move,
}
NAMES = (*REQUESTS, *BEFORE_TRADES, *TRADES, *MOVES)
