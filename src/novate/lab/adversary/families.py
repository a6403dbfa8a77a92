"""Families of attacks: templates with random parameters. Pure chance finds little.

Each family is a plan somebody would try; the search then mutates and mixes the plans that came
nearest to extracting something.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from novate.lab.adversary.actions import (
    BEFORE_TRADES,
    MOVES,
    REQUESTS,
    TRADES,
    Action,
)
from novate.lab.adversary.arena import Setup
from novate.lab.adversary.episode import Episode, Step

SECONDS = (5, 5, 5, 30, 60, 120, 240)
DAYS_3_S = 259_200
MENU_SIZE = 28


def act(name: str, *numbers: int) -> Action:
    """An action."""
    return Action(name, numbers)


def some_setup(rng: Random) -> Setup:
    """Cash of very different sizes, funds with and without capital."""

    def four(*choices: int) -> tuple[int, int, int, int]:
        return tuple(rng.choice(choices) for _ in range(4))  # type: ignore[return-value]

    return Setup(
        before_expiry_s=rng.choice((79_200, 79_200, 7_200, 1_900, 600, 60)),
        cash=four(20, 500, 10_000, 1_000_000),
        users=four(20, 1_000, 100_000)[:3],
        funds=four(0, 0, 50, 5_000, 1_000_000)[:2],
        vol_ppm=rng.choice((300_000, 600_000, 1_500_000)),
        premium_ppm=rng.choice((0, 0, 0, 0, 3_000, -3_000)),
        tiers=four(0, 0, 2),
    )


def spots(rng: Random) -> tuple[int, int]:
    """A move of both indices: none, small, or as far as the episode allows."""
    sizes = (0, 0, 1_000, 10_000, 30_000, 52_000, 300_000)
    return rng.choice((-1, 1)) * rng.choice(sizes), rng.choice((-1, 1)) * rng.choice(sizes)


def step(rng: Random, *actions: Action, moves: bool = True, **changed: object) -> Step:
    """A round at a random distance with these actions."""
    usual = {
        "seconds": rng.choice(SECONDS),
        "spots_ppm": spots(rng) if moves else (0, 0),
        "vol_ppm": rng.choice((0, 0, -20_000, 20_000)),
        "seals": rng.random() < 0.7,
    }
    return Step(actions=actions, **(usual | changed))  # type: ignore[arg-type]


def some_action(rng: Random) -> Action:
    """Any action with any numbers."""
    names = (*REQUESTS, *BEFORE_TRADES, *TRADES, *TRADES, *TRADES, *MOVES)
    return mutated_numbers(rng, act(rng.choice(names), *(0,) * 6))


def mutated_numbers(rng: Random, action: Action) -> Action:
    """The same act with other numbers."""
    ranges = ((0, 6), (0, 6), (0, MENU_SIZE), (-8, 8), (0, 24), (0, 24))
    return Action(action.name, tuple(rng.randint(*bounds) for bounds in ranges))


def pair(rng: Random) -> tuple[int, int]:
    """Two different colluders, by place."""
    first, second = rng.sample(range(4), 2)
    return first, second


def opened(rng: Random, a: int, b: int, count: int = 2) -> list[Action]:
    """a and b take opposite positions of each other, at or off the mark."""
    return [
        act(
            "trade",
            *rng.sample((a, b), 2),
            rng.randrange(MENU_SIZE),
            rng.choice((0, 0, 0, -8, 8, 3)),
            rng.choice((24, rng.randint(2, 24))),
        )
        for _ in range(rng.randint(1, count))
    ]


def off_market(rng: Random) -> list[Step]:
    """Give value from the loser to the winner, and leave."""
    a, b = pair(rng)
    sweep = [act("trade", a, b, rng.randrange(MENU_SIZE), 8, rng.randint(2, 24)) for _ in range(3)]
    steps = [step(rng, *opened(rng, a, b, 4), moves=False), step(rng), step(rng, *sweep)]
    steps += [step(rng, act("withdraw", b), act("withdraw", a)), step(rng), step(rng)]
    return steps


def self_liquidation(rng: Random) -> list[Step]:
    """Lose on one account, be stepped on or taken over, and buy back from the fund."""
    a, b = pair(rng)
    other = rng.randrange(4)
    back = [act("fund_trade", other, u, rng.randrange(3), rng.randint(1, 8), 0) for u in (0, 1)]
    fall = rng.choice((-1, 1)) * 45_000
    falls = [
        step(
            rng,
            act("step", 3 + a, b, 0, rng.randint(0, 8), rng.randint(0, 4)),
            spots_ppm=(fall, fall),
            seconds=120,
        )
        for _ in range(3)
    ]
    return [
        step(rng, *opened(rng, a, b), moves=False),
        step(rng, act("withdraw", a), act("withdraw", b), moves=False),
        *falls,
        step(rng, *back),
        step(rng, *back, act("withdraw", b), act("withdraw", other)),
    ]


def fund_inventory(rng: Random) -> list[Step]:
    """Hand a position to the fund by a forced close, and buy it back on bad terms."""
    a, b = pair(rng)
    c = rng.randrange(4)
    back = [
        act("fund_trade", k, u, 0, rng.randint(1, 8), rng.randrange(3)) for k, u in ((b, 0), (c, 1))
    ]
    chosen = rng.choice((0, 0, 1, 2, rng.randrange(MENU_SIZE)))
    trade = act("trade", *rng.sample((a, b), 2), chosen, 0, rng.randint(3, 20))
    return [
        step(rng, trade, moves=False),
        step(rng, act("ask_close", a, 0), *back),
        step(rng, *back),
        step(rng, *back, act("ask_close", b, 0)),
    ]


def step_on_users(rng: Random) -> list[Step]:
    """Hold takeover back and step on users at bad prices."""
    victim = rng.randrange(3)
    chosen = rng.choice((0, 1, 2, 5, 8, 12))
    enter = act("user", victim, chosen, rng.randrange(2), 24)
    way = rng.choice((-1, 1))
    fall = {"spots_ppm": (way * 45_000, way * 45_000), "seconds": 120}
    steps = [act("step", victim, rng.randrange(4), 0, rng.randint(0, 8), n) for n in (3, 2, 0)]
    return [
        step(rng, enter, act("hold", 1), moves=False, tells=True),
        step(rng, moves=False, **fall),
        step(rng, *steps, moves=False, **fall),
        step(rng, *steps),
        step(rng, *steps),
    ]


def dust(rng: Random) -> list[Step]:
    """Positions of a few lots, and deleveraging of part of a side: what is a fraction worth?"""
    a, b, c, d = rng.sample(range(4), 4)
    chosen = rng.sample(range(MENU_SIZE), 2) if rng.random() < 0.5 else [rng.randrange(2)]
    way = rng.choice((-1, 1))

    def with_(account: int, other: int, k: int, size: int) -> Action:
        """The account takes the side that loses, the other one the side that is deleveraged."""
        return act("trade", *((account, other) if way < 0 else (other, account)), k, 0, size)

    acts = []
    for k in chosen:
        acts += [with_(a, b, k, 24), with_(d, b, k, rng.randint(8, 20))]
        acts += [with_(d, c, k, rng.randint(0, 2)) for _ in range(2)]
    falls = [step(rng, spots_ppm=(way * 50_000, way * 50_000), seconds=120) for _ in range(4)]
    leave = step(rng, act("withdraw", a), moves=False)
    return [step(rng, *acts, moves=False), leave, *falls]


def by_factor(rng: Random) -> list[Step]:
    """Close by factor after the wait; empty a side; low factors."""
    a, b = pair(rng)
    c = rng.choice([k for k in range(4) if k not in (a, b)])
    chosen = rng.randrange(MENU_SIZE)
    ask = act("ask_close", c, 0)
    return [
        step(
            rng,
            act("user", 0, chosen, rng.randrange(2), rng.randint(0, 10)),
            act("maker", b, chosen, rng.randrange(2), rng.randint(0, 10)),
            act("trade", *rng.sample((c, b), 2), chosen, 0, rng.randint(0, 24)),
            moves=False,
        ),
        step(rng, ask, seals=True),
        step(rng, seconds=DAYS_3_S, seals=True),
        *[step(rng, moves=False, seconds=5) for _ in range(3)],
        step(rng, ask, act("withdraw", a)),
        step(rng, act("ask_close", b, 0)),
    ]


def low_factor(rng: Random) -> list[Step]:
    """Drive a side's factor low, grow it again, then close a little, or most of it, by factor."""
    a, b, c = rng.sample(range(4), 3)
    d = ({0, 1, 2, 3} - {a, b, c}).pop()
    large, chosen = rng.randint(16, 18), rng.choice((0, 0, 1, 4))
    less = rng.randint(12, 15)
    longs = rng.random() < 0.5  # the sides of a, c and d; b is on the other one

    def against(account: int, size: int) -> Action:
        return act("trade", *((account, b) if longs else (b, account)), chosen, 0, size)

    last = rng.choice((a, d))
    wait = [
        step(rng, seconds=DAYS_3_S, moves=False, seals=True),
        *[step(rng, moves=False, seconds=5, seals=True) for _ in range(4)],
    ]
    honest = act("maker", b, chosen, int(not longs), rng.randint(large - 4, large))
    grow = [against(a, 0), against(d, rng.choice((large, 0))), *rng.choice(([], [honest]))]
    return [
        step(rng, against(c, large), against(d, large - less), moves=False),
        step(rng, act("ask_close", c, 0), moves=False),
        *wait,
        step(rng, act("ask_close", c, 0), moves=False, seals=True),
        step(rng, *rng.sample(grow, len(grow)), moves=False),
        step(rng, act("ask_close", last, 0), moves=False),
        *wait,
        step(rng, act("ask_close", last, 0), moves=False, seals=True),
    ]


def old_prices(rng: Random) -> list[Step]:
    """Let the market run away from the last snapshot, then act at it."""
    a, b = pair(rng)
    asks = [act("ask_close", a, 0), act("ask_close", b, 0)]
    buys = [act("fund_trade", k, 0, 0, rng.randint(0, 8), 0) for k in range(2)]
    away: dict[str, Any] = {
        "seconds": rng.choice((35, 60, 200, 290)),
        "tells": False,
        "moves": True,
    }
    trade = act("trade", a, b, rng.choice((0, 1, rng.randrange(MENU_SIZE))), 0, rng.randint(3, 20))
    acts = rng.choice((asks, buys, [*asks, *buys]))
    return [
        step(rng, trade, moves=False, seals=True),
        step(rng, *rng.choice(([], asks[:1])), moves=False, seals=True),
        step(rng, *acts, spots_ppm=(rng.choice((-1, 1)) * 45_000, 45_000), **away),
        step(rng, act("liquidate", 3 + a), act("liquidate", 3 + b), tells=False, seconds=5),
        step(rng, act("withdraw", a), act("withdraw", b), tells=False, seconds=5),
        step(rng),
    ]


def expiry(rng: Random) -> list[Step]:
    """Trade in the last half hour and at the boundary, with and without a snapshot."""
    a, b = pair(rng)
    rounds = [
        step(rng, *opened(rng, a, b, 3), seconds=rng.choice((5, 30, 120, 240, 290)), tells=tells)
        for tells in (True, True, rng.random() < 0.5, True, rng.random() < 0.5, True)
    ]
    return [*rounds, step(rng, act("withdraw", a), act("withdraw", b)), step(rng)]


def around_marks(rng: Random) -> list[Step]:
    """Open, wait for the reference to age, move, withdraw, move back."""
    a, b = pair(rng)
    quiet = [step(rng, seconds=290, moves=False) for _ in range(rng.choice((1, 13, 26)))]
    return [
        step(rng, *opened(rng, a, b, 4), moves=False),
        *quiet,
        step(rng),
        step(rng, act("withdraw", a), act("withdraw", b), act("transfer", a, b)),
        step(rng, act("ask_withdrawal", a)),
        step(rng, *opened(rng, b, a)),
        step(rng, act("withdraw", b)),
    ]


def rounding(rng: Random) -> list[Step]:
    """One lot, many times, with rebates and funding."""
    a, b = pair(rng)
    chosen = rng.randrange(MENU_SIZE)
    away = rng.choice((0, 0, 1, -1))
    tiny = [
        act("trade", *rng.sample((a, b), 2), chosen, away, rng.randint(0, 1)) for _ in range(20)
    ]
    return [step(rng, *tiny) for _ in range(3)]


def split(rng: Random) -> list[Step]:
    """One portfolio over several accounts; move positions and cash between them."""
    legs = [
        act("legs", *pair(rng), *rng.sample(range(MENU_SIZE), 2), rng.randint(-8, 8), 20)
        for _ in range(3)
    ]
    moves = [act("move", *pair(rng), rng.randrange(4), rng.randrange(3)) for _ in range(4)]
    cash = [act("transfer", *pair(rng)) for _ in range(2)]
    return [
        step(rng, *opened(rng, *pair(rng), 3), *legs, moves=False),
        step(rng, *moves, *cash),
        step(rng, *moves, act("withdraw", rng.randrange(4))),
        step(rng),
        step(rng, *cash),
    ]


def re_aim(rng: Random) -> list[Step]:
    """Below maintenance margin, change the portfolio before takeover comes, at a friend's cost."""
    a, b = pair(rng)

    def swaps() -> list[Action]:
        better = [
            act("trade", *sides, rng.randrange(MENU_SIZE), way * rng.choice((0, 1, 2)), 24)
            for sides, way in [rng.choice((((a, b), -1), ((b, a), 1))) for _ in range(6)]
        ]
        return [act("close", a, b, rng.randrange(4), rng.choice((0, 1, -1)), 0), *better]

    return [
        step(rng, *opened(rng, a, b, 4), moves=False),
        step(rng, act("withdraw", a), act("withdraw", b), moves=False),
        *[
            step(rng, *swaps(), spots_ppm=(way * 52_000, way * 52_000), seconds=120)
            for way in [rng.choice((-1, 1)) for _ in range(4)]
        ],
    ]


def halted(rng: Random) -> list[Step]:
    """A jump that halts; trade, transfer and withdraw at the old marks."""
    a, b = pair(rng)
    jump = rng.choice((-1, 1)) * rng.choice((33_000, 45_000, 52_000, 250_000))
    return [
        step(rng, *opened(rng, a, b, 4), moves=False),
        step(rng, spots_ppm=(jump, 0), seconds=5),
        step(rng, *opened(rng, a, b, 3), moves=False, seconds=5),
        step(rng, act("close", a, b, 0, 8, 0), act("withdraw", a), act("withdraw", b), seconds=5),
        step(rng, moves=False, seconds=5),
        step(rng, *opened(rng, b, a), act("withdraw", b)),
    ]


def crowding(rng: Random) -> list[Step]:
    """Raise open interest with worthless options, to raise the margin of others."""
    a, b = pair(rng)
    wash = [act("trade", a, b, k, 0, 28) for k in (11, 18, 25, 0)]
    users = [act("user", k, rng.randrange(MENU_SIZE), rng.randrange(2), 24) for k in range(3)]
    return [
        step(rng, *users, act("hold", 1), moves=False),
        step(rng, *wash, moves=False),
        *[step(rng, seconds=290) for _ in range(4)],
        step(rng, *[act("step", k, a, 0, 4, 1) for k in range(3)]),
    ]


def soup(rng: Random) -> list[Step]:
    """Anything."""
    return [
        step(rng, *(some_action(rng) for _ in range(rng.randint(0, 6))), tells=rng.random() < 0.9)
        for _ in range(rng.randint(3, 9))
    ]


FAMILIES: dict[str, Callable[[Random], list[Step]]] = {
    family.__name__: family
    for family in (
        off_market,
        self_liquidation,
        fund_inventory,
        step_on_users,
        dust,
        by_factor,
        low_factor,
        old_prices,
        expiry,
        around_marks,
        rounding,
        split,
        re_aim,
        halted,
        crowding,
        soup,
    )
}


NEEDS = {
    "fund_inventory": {"funds": (1_000_000, 1_000_000)},
    "old_prices": {"funds": (1_000_000, 1_000_000)},
    "low_factor": {"funds": (0, 0), "cash": (1_000_000,) * 4, "before_expiry_s": 79_200},
    "by_factor": {"funds": (0, 0)},
    "dust": {"funds": (0, 0), "cash": (10_000,) * 4},
}
"""What a family's plan needs to begin with, three times in four."""


def fresh(rng: Random, family: str, within_grid: bool) -> Episode:
    """A new episode of a family."""
    steps = FAMILIES[family](rng)
    setup = some_setup(rng)
    if rng.random() < 0.75:
        setup = replace(setup, **NEEDS.get(family, {}))  # type: ignore[arg-type]
    if rng.random() < 0.5:  # somebody honest is there too
        crowd = [
            act("user", k, rng.choice((0, 1, rng.randrange(MENU_SIZE))), rng.randrange(2), 24)
            for k in range(3)
        ]
        steps = [step(rng, *crowd, moves=False), *steps]
    return Episode(family, within_grid, setup, tuple(steps))
