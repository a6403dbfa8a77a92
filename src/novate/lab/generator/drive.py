"""The generator: worlds, moods, batches and rounds, filled with random actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from novate.lab.generator import moves, trades, upkeep
from novate.lab.generator.climate import (
    FOUNDER,
    GIANTS,
    VETERAN,
    first_prices,
    random_parameters,
    random_world,
)
from novate.lab.generator.count import count_journal
from novate.lab.generator.crowd import TrustingPrimitives
from novate.lab.generator.requests import Wanted, random_requests
from novate.lab.generator.stage import MakeVenue, Stage, Tally
from novate.lab.generator.weather import (
    MOODS,
    MarketPath,
    before_expiry,
    listed_days,
)
from novate.lab.generator.wrong_openings import (
    sign_reports,
    wrong_batch,
    wrong_header,
    wrong_reports,
    wrong_round,
)
from novate.lab.generator.wrong_steps import wrong_step_of_the_ill
from novate.lab.generator.wrong_trades import wrong_trade
from novate.lab.venue import Venue
from novate.native import NativePrimitives
from novate.spec.batch import open_round
from novate.spec.errors import LawError
from novate.spec.holders import touch_account
from novate.spec.journal import Journal, RequestOutcome
from novate.spec.messages.batch import Batch, MarketReports, Round
from novate.spec.messages.inbox import ForcedClose, ForcedLiquidation
from novate.spec.messages.oracle import Report
from novate.spec.state import State
from novate.spec.valuation import account_health

BATCHES_A_WORLD = 90
BATCHES_A_MOOD = 10
ACTIONS_A_ROUND = 22

CLOSING = (ForcedClose, ForcedLiquidation)
"""Requests that need fresh prices: without them a sequencer leaves them in the inbox."""

Action = Callable[[Stage], None]
PHASE_4: dict[str, Action] = {"touch": upkeep.touch, "hunt": upkeep.hunt}
PHASE_5: dict[str, Action] = {
    "trade": trades.trade,
    "legs": trades.legs,
    "reduce": trades.reduce,
    "trigger": trades.trigger,
    "rest": trades.rest,
    "refill": trades.refill,
    "step": trades.step,
    "fund_trade": trades.fund_trade,
}
PHASE_6: dict[str, Action] = {
    "transfer": moves.transfer,
    "move": moves.move_position,
    "withdraw": moves.withdraw,
}


class Generated(NamedTuple):
    """One sealed batch."""

    before: State
    batch: Batch
    journal: Journal
    world: int
    """Number of the world it belongs to; a new world begins with its own genesis."""


class Generator:
    """An endless stream of batches; a pure function of the seed."""

    def __init__(self, seed: int, make_venue: MakeVenue = Venue) -> None:
        """Nothing is generated before `batches` is asked for."""
        self.make_venue = make_venue
        self.rng = Random(seed)
        self.tally = Tally()
        self.worlds = 0
        self.real = NativePrimitives()

    def batches(self) -> Iterator[Generated]:
        """Batches of one world after the other."""
        while True:
            self.worlds += 1
            yield from self.world()

    def world(self) -> Iterator[Generated]:
        """One world from its genesis on."""
        stage = self._stage()
        for number in range(BATCHES_A_WORLD):
            if number % BATCHES_A_MOOD == 0:
                stage.mood = self.rng.choice(MOODS)
                for path in stage.paths:
                    path.direction = self.rng.choice((-1, 1))
            self._turn_against_funds(stage)
            before = stage.venue.state
            batch, journal = self._batch(stage, number)
            count_journal(self.tally, before, batch, journal)
            yield Generated(before, batch, journal, self.worlds)
            if self.rng.random() < stage.mood.wrong_share:
                wrong_batch(stage, before, batch)

    def _turn_against_funds(self, stage: Stage) -> None:
        """In a market that runs somewhere, let it run against what the fund has taken over."""
        for path, market in zip(stage.paths, stage.venue.state.markets, strict=True):
            net = sum(position.quantity for position in market.fund.positions)
            if net and stage.mood.drift_ppm and self.rng.random() < 0.8:
                path.direction = -1 if net > 0 else 1

    def _stage(self) -> Stage:
        """A fresh world."""
        primitives = TrustingPrimitives(self.real)
        world = random_world(self.rng, primitives)
        stage = Stage(self.rng, world, primitives, self.make_venue)
        stage.tally = self.tally
        stage.crowd.new_wallet(VETERAN)
        for name in (*GIANTS, FOUNDER):
            stage.crowd.new_wallet(name)
        prices = first_prices(stage.venue.state)
        stage.paths = [MarketPath(u, price) for u, price in enumerate(prices)]
        stage.mood = MOODS[0]
        return stage

    def _batch(self, stage: Stage, number: int) -> tuple[Batch, Journal]:
        """One batch of a few rounds."""
        if self.rng.random() < stage.mood.wrong_share / 2:
            wrong_header(stage, self.rng)
        self._begin(stage)
        preset = stage.draft.preset
        stage.fills_left = preset.fills_max
        rounds = preset.rounds_max if number < 2 else self.rng.randint(2, preset.rounds_max)
        for k in range(rounds):
            self._round(stage, self._next_time(stage, k == 0), k == 0)
        return stage.venue.seal()

    def _begin(self, stage: Stage) -> None:
        """Open a batch, rarely with a new fork, new parameters or empty slots."""
        rng, state = self.rng, stage.venue.state
        fork = state.system.fork + (rng.random() < 0.07)
        parameters = random_parameters(rng, state.parameters) if rng.random() < 0.07 else None
        stage.venue.begin(fork, parameters, reset_slots=rng.random() < 0.07)

    def _next_time(self, stage: Stage, first: bool) -> int:
        """When the next round opens."""
        rng, mood, now = self.rng, stage.mood, stage.draft.system.time
        if first and rng.random() < mood.expiry_chance:
            return before_expiry(rng, now)
        if first and rng.random() < mood.leap_chance:
            return now + 5 * rng.randint(60, 20_000)
        return now + 5 * rng.randint(0, max(1, mood.step_s_max // 5))

    def _round(self, stage: Stage, time: int, first: bool) -> None:
        """One round: opening, then random actions by phase."""
        quorums = self._quorums(stage, time)
        wanted = random_requests(stage, self._below(stage, time, quorums)) if first else []
        if self.rng.random() < stage.mood.wrong_share:
            wrong_round(stage, time, quorums, first)
        requests = [want.request for want in wanted]
        if not stage.attempt("open", lambda: stage.venue.open(time, quorums, requests)):
            wanted = [want for want in wanted if not isinstance(want.request, CLOSING)]
            stage.venue.open(time, quorums, [want.request for want in wanted])
        stage.begin_round()
        self._check_requests(wanted, stage)
        self._fill(stage)
        stage.venue.close()

    def _below(self, stage: Stage, time: int, quorums: list[MarketReports]) -> list[int]:
        """Accounts that will be below maintenance margin once the round is open."""
        draft = stage.draft
        checkpoint = draft.checkpoint()
        found = []
        try:
            views = open_round(draft, Round(time, tuple(quorums)), stage.primitives).views
            for index in stage.accounts():
                health = account_health(views, touch_account(draft, index))
                if health.equity < health.maintenance:
                    found.append(index)
        except LawError:
            found.clear()
        draft.rollback(checkpoint)
        return found

    def _quorums(self, stage: Stage, time: int) -> list[MarketReports]:
        """Reports of the markets that have a quorum now; spoiled ones are tried before."""
        quorums = []
        for path in stage.paths:
            path.move(self.rng, stage.mood, time)
            market = stage.draft.market(path.underlying)
            latest = max(market.current.time, market.halt.pending.time)
            if time <= latest or self.rng.random() > stage.mood.report_chance:
                continue
            reports = self._reports(stage, path, time)
            if self.rng.random() < stage.mood.wrong_share / 2:
                bad, reason = wrong_reports(stage, reports)
                stage.attempt("open", lambda: stage.venue.open(time, [bad]), reason)  # noqa: B023
            signed = sign_reports(stage.world, stage.primitives, reports)
            quorums.append(MarketReports(path.underlying, tuple(signed)))
        return quorums

    def _reports(self, stage: Stage, path: MarketPath, time: int) -> list[Report]:
        """A quorum of oracles that differ a little."""
        report = path.report(self.rng, time, listed_days(time))
        count = stage.draft.parameters.quorum
        return [
            report._replace(index_price=report.index_price + self.rng.randint(-3, 3))
            for _ in range(count)
        ]

    def _check_requests(self, wanted: list[Wanted], stage: Stage) -> None:
        """Compare what became of each request with what was expected."""
        entries = stage.draft.journal.requests
        for want, entry in zip(wanted, entries[len(entries) - len(wanted) :], strict=True):
            kind = type(entry.request).__name__
            if entry.outcome == RequestOutcome.NO_OP:
                self.tally.refuse(kind, entry.reason, want.expected)
            elif want.expected:
                self.tally.surprises.append(f"{kind}: expected {want.expected}, was carried out")

    def _fill(self, stage: Stage) -> None:
        """Random actions, phase by phase."""
        rng, mood = self.rng, stage.mood
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            (upkeep.wrong_change if rng.random() < mood.wrong_share else upkeep.change)(stage)
        upkeep.hunt_funds(stage)
        for phase, wrong in (
            (PHASE_4, (upkeep.wrong_due,)),
            (PHASE_5, (wrong_trade, wrong_trade, wrong_step_of_the_ill)),
            (PHASE_6, (moves.wrong_move,)),
        ):
            names = list(phase)
            weights = [mood.weights.get(name, 1) for name in names]
            many = max(1, int(ACTIONS_A_ROUND * PHASE_SHARE[len(names)]))
            for name in rng.choices(names, weights, k=rng.randint(many // 2, many)):
                if rng.random() < mood.wrong_share:
                    rng.choice(wrong)(stage)
                else:
                    phase[name](stage)


PHASE_SHARE = {len(PHASE_4): 0.2, len(PHASE_5): 0.9, len(PHASE_6): 0.25}
