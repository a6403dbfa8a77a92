"""One episode: how it begins, what happens in each round, and what it came to.

Inside the grid (`within_grid`) prices move, from one accepted snapshot to the next, by at most
5.2 % and volatility by 2 %: an account at its maintenance margin when one snapshot is taken gets
its status at the next and is taken over at the one after, so two moves, 10.7 % together, stay
inside the margin grid's 12 %. Then nobody may be left owing anything, and extraction must be 0 or
less.

That argument is about a portfolio that stands still. Who is below maintenance margin may trade into
another one of no more margin before takeover comes (`re_aimed`), and then the second move starts
a new count: a residual with a figure of its own.
Otherwise prices jump as they like: accounts go bankrupt, the funds pay, and the figure is reported.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from novate.lab.adversary.actions import (
    BEFORE_TRADES,
    MOVES,
    REQUESTS,
    TRADES,
    Action,
    request_of,
)
from novate.lab.adversary.arena import Arena, Setup
from novate.spec.errors import LawError
from novate.spec.parameters import Parameters
from novate.spec.rounding import PPM, clamp

SPOT_MAX_PPM = 52_000
VOL_MAX_PPM = 20_000
JUMP_MAX_PPM = 400_000
LAST_ROUNDS = 6
"""Quiet rounds at the end: everybody is touched, and what is due is done."""


class Step(NamedTuple):
    """One round."""

    seconds: int
    spots_ppm: tuple[int, int] = (0, 0)
    vol_ppm: int = 0
    tells: bool = True
    """Whether the round has a snapshot."""
    seals: bool = True
    """Whether the batch ends with it."""
    actions: tuple[Action, ...] = ()


class Episode(NamedTuple):
    """Everything an episode is made of."""

    family: str
    within_grid: bool
    setup: Setup
    steps: tuple[Step, ...]


@dataclass
class Outcome:
    """What came of an episode; micro-USDC, rounded up."""

    extraction: int = 0
    """Of the colluders, see `accounting`."""
    allowed: int = 0
    """What the law promises liquidators, and dust: taken off already."""
    honest_loss: int = 0
    """What maker and users lost beyond markets, fees and the price of their liquidations."""
    liquidated: int = 0
    """The price of their liquidations: steps, penalties and dust."""
    fund_loss: int = 0
    """Funds and clearing balances, less debt: what they had minus what they have."""
    re_aimed: bool = False
    """A colluder below maintenance margin traded into another portfolio before takeover."""
    accepted: int = 0
    """Records that the law took."""
    unprovable: str = ""
    """Why a round made of accepted records could not be sealed; must be empty."""
    stages: Counter[str] | None = None
    """Events of the liquidation waterfall."""


def play(episode: Episode, law: Parameters) -> Outcome:
    """Play an episode under a law's parameters."""
    arena = Arena(episode.setup, law)
    outcome = Outcome()
    try:
        for step in episode.steps:
            _play_step(arena, step, episode.within_grid)
        arena.hold_users = False
        for _ in range(LAST_ROUNDS):
            _play_step(arena, Step(5), episode.within_grid)
    except LawError as error:
        outcome.unprovable = str(error)
        return outcome
    draft, truth = arena.venue.draft, arena.truth
    outcome.extraction = -(-arena.colluders.extraction(draft, truth) // 1)
    outcome.allowed = int(sum(arena.colluders.allowed.values()))
    outcome.honest_loss = -(arena.honest.extraction(draft, truth) // 1)
    outcome.liquidated = int(-sum(arena.honest.allowed.values()))
    outcome.fund_loss = arena.fund_started - arena.rest()
    outcome.accepted = arena.accepted
    outcome.re_aimed = arena.re_aimed
    outcome.stages = arena.stages
    return outcome


def _play_step(arena: Arena, step: Step, within_grid: bool) -> None:
    """One round, phase by phase."""
    arena.pass_time(step.seconds, _moves(arena, step, within_grid), step.tells)
    requests = [request_of(arena, act) for act in step.actions if act.name in REQUESTS]
    arena.open_round(step.seconds, step.tells, [each for each in requests if each is not None])
    for act in step.actions:
        if act.name in BEFORE_TRADES:
            BEFORE_TRADES[act.name](arena, act)
    if step.tells:
        arena.watch()
    for table in (TRADES, MOVES):
        for act in step.actions:
            if act.name in table:
                table[act.name](arena, act)
    arena.close_round()
    if step.seals:
        arena.seal()


def _moves(arena: Arena, step: Step, within_grid: bool) -> tuple[tuple[int, int], int]:
    """The step's moves of both indices and of volatility, ppm, kept within the episode's bounds."""
    limit = SPOT_MAX_PPM if within_grid else JUMP_MAX_PPM
    spots = []
    for underlying, spot in enumerate(step.spots_ppm):
        now = arena.truth.quotes[underlying].index_price
        told = arena.venue.draft.market(underlying).current.index_price or now
        target = clamp(
            now + now * spot // PPM, told - told * limit // PPM, told + told * limit // PPM
        )
        spots.append((target - now) * PPM // now)
    vol = clamp(step.vol_ppm, -VOL_MAX_PPM, VOL_MAX_PPM) if within_grid else step.vol_ppm
    if not step.tells:
        vol = 0
    return (spots[0], spots[1]), vol
