"""The search: chunks of episodes by seed, each half fresh and half bred from its best so far.

A chunk is a pure function of its seed, so a search resumes where it stopped. What extracts
anything inside the grid is a theft: it is shrunk to a minimal episode and kept as JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from novate.lab.adversary.actions import Action
from novate.lab.adversary.arena import Setup, base_parameters
from novate.lab.adversary.episode import Episode, Outcome, Step, play
from novate.lab.adversary.families import FAMILIES, fresh, mutated_numbers, some_action, spots
from novate.spec.parameters import Parameters

CORPUS = 8
"""Episodes a chunk breeds from."""
BRED_PART = 0.45
JUMPS_PART = 0.12
"""Part of the episodes whose prices may leave the grid; reported, not judged."""
SHRINK_PLAYS = 400


@dataclass
class Findings:
    """What some episodes came to."""

    episodes: int = 0
    accepted: int = 0
    largest: int | None = None
    """Largest extraction inside the grid, micro-USDC."""
    largest_allowed: int = 0
    largest_honest_loss: int | None = None
    """Largest loss of maker and users beyond what the law promises them."""
    largest_liquidated: int = 0
    """Most that maker and users paid for their liquidations."""
    re_aimed: int = 0
    """Episodes in which a colluder below maintenance margin changed its portfolio."""
    largest_re_aimed: int = 0
    """Largest extraction of those; not a theft, see `episode`."""
    largest_jump_loss: int = 0
    """Most that funds lost to jumps beyond the grid."""
    families: Counter[str] = field(default_factory=Counter)
    best: dict[str, int] = field(default_factory=dict)
    """Largest extraction of each family inside the grid."""
    stages: Counter[str] = field(default_factory=Counter)
    unprovable: Counter[str] = field(default_factory=Counter)
    thefts: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The findings as JSON values."""
        return {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in vars(self).items()
        }

    @staticmethod
    def from_json(data: dict[str, Any]) -> Findings:
        """The findings that `to_json` wrote."""
        counters = ("families", "stages", "unprovable")
        return Findings(**data | {name: Counter(data[name]) for name in counters})

    def note(self, episode: Episode, outcome: Outcome) -> None:
        """Add one outcome."""
        self.episodes += 1
        self.accepted += outcome.accepted
        self.families[episode.family] += 1
        self.stages.update(outcome.stages or {})
        if outcome.unprovable:
            self.unprovable[outcome.unprovable.split(":")[0]] += 1
            return
        if not episode.within_grid:
            self.largest_jump_loss = max(self.largest_jump_loss, outcome.fund_loss)
            return
        if outcome.re_aimed:
            self.re_aimed += 1
            self.largest_re_aimed = max(self.largest_re_aimed, outcome.extraction)
            return
        known = self.best.get(episode.family, outcome.extraction)
        self.best[episode.family] = max(known, outcome.extraction)
        self.largest = max(self.best.values())
        self.largest_allowed = max(self.largest_allowed, outcome.allowed)
        self._note_loss(outcome.honest_loss)
        self.largest_liquidated = max(self.largest_liquidated, outcome.liquidated)

    def _note_loss(self, loss: int | None) -> None:
        """Keep the largest loss."""
        if loss is not None:
            known = self.largest_honest_loss
            self.largest_honest_loss = loss if known is None else max(known, loss)

    def add(self, other: Findings) -> None:
        """Add another chunk's."""
        self.episodes += other.episodes
        self.accepted += other.accepted
        self.families.update(other.families)
        self.stages.update(other.stages)
        self.unprovable.update(other.unprovable)
        self.thefts += other.thefts
        for family, value in other.best.items():
            self.best[family] = max(self.best.get(family, value), value)
        self.largest = max(self.best.values(), default=None)
        self.largest_allowed = max(self.largest_allowed, other.largest_allowed)
        self._note_loss(other.largest_honest_loss)
        self.largest_liquidated = max(self.largest_liquidated, other.largest_liquidated)
        self.re_aimed += other.re_aimed
        self.largest_re_aimed = max(self.largest_re_aimed, other.largest_re_aimed)
        self.largest_jump_loss = max(self.largest_jump_loss, other.largest_jump_loss)


def is_theft(episode: Episode, outcome: Outcome) -> bool:
    """Inside the grid nothing may be taken, from anybody, and every round must be provable."""
    judged = episode.within_grid and not outcome.re_aimed
    taken = max(outcome.extraction, outcome.honest_loss)
    return bool(outcome.unprovable) or (judged and taken > 0)


def mutated(rng: Random, episode: Episode, mate: Episode) -> Episode:
    """An episode a little different, or crossed with another."""
    steps = list(episode.steps)
    setup = episode.setup
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(steps))
        match rng.randrange(6):
            case 0:
                steps[place] = steps[place]._replace(spots_ppm=spots(rng))
            case 1:
                steps.insert(place, steps[rng.randrange(len(steps))])
            case 2 if len(steps) > 1:
                del steps[place]
            case 3:
                setup = rng.choice((setup, mate.setup))
            case 4:
                at = rng.randrange(len(mate.steps))
                steps = [*steps[:place], *mate.steps[at : at + 3], *steps[place:]][:24]
            case _:
                steps[place] = _mutated_step(rng, steps[place])
    return episode._replace(setup=setup, steps=tuple(steps))


def _mutated_step(rng: Random, step: Step) -> Step:
    """A step with one action added, changed or taken away."""
    actions = list(step.actions)
    choice = rng.randrange(3)
    if choice == 0 or not actions:
        actions.insert(rng.randint(0, len(actions)), some_action(rng))
    elif choice == 1:
        place = rng.randrange(len(actions))
        new = mutated_numbers(rng, actions[place])
        keep = [rng.random() < 0.6 for _ in new.numbers]
        old = actions[place]
        numbers = tuple(
            old.number(k) if kept else value
            for k, (kept, value) in enumerate(zip(keep, new.numbers, strict=True))
        )
        actions[place] = Action(old.name, numbers)
    else:
        del actions[rng.randrange(len(actions))]
    return step._replace(actions=tuple(actions))


def chunk_episodes(
    rng: Random, count: int, judge: Callable[[Episode], Outcome], families: tuple[str, ...]
) -> Iterator[tuple[Episode, Outcome]]:
    """Episodes of a chunk with their outcomes; breeding follows what `judge` says."""
    corpus: list[tuple[tuple[int, ...], Episode]] = []
    for number in range(count):
        if corpus and rng.random() < BRED_PART:
            episode = mutated(rng, rng.choice(corpus)[1], rng.choice(corpus)[1])
        else:
            family = families[number % len(families)]
            episode = fresh(rng, family, rng.random() >= JUMPS_PART)
        outcome = judge(episode)
        yield episode, outcome
        if episode.within_grid and not outcome.unprovable:
            corpus.append((promise(outcome, number), episode))
            corpus = sorted(corpus, key=lambda entry: entry[0], reverse=True)[:CORPUS]


def promise(outcome: Outcome, number: int) -> tuple[int, ...]:
    """How near an episode came to a theft: what it took, then how much of the law it touched."""
    stages = outcome.stages or Counter()
    events = sum(min(count, 3) for count in stages.values())
    return outcome.extraction, len(stages), events, outcome.accepted, -number


def search_chunk(
    seed: int,
    count: int,
    law: Parameters | None = None,
    families: tuple[str, ...] = tuple(FAMILIES),
    thefts_max: int = 3,
    stops: bool = False,
) -> Findings:
    """A chunk of episodes; the first few thefts are shrunk. `stops`: at the first of them."""
    rules = law or base_parameters()
    findings = Findings()
    rng = Random(f"theft {seed}")
    for episode, outcome in chunk_episodes(rng, count, lambda e: play(e, rules), families):
        findings.note(episode, outcome)
        if is_theft(episode, outcome) and len(findings.thefts) < thefts_max:
            small = shrunk(episode, rules)
            final = play(small, rules)
            findings.thefts.append(
                {
                    "seed": seed,
                    "extraction": final.extraction,
                    "fund_loss": final.fund_loss,
                    "honest_loss": final.honest_loss,
                    "unprovable": final.unprovable,
                    "episode": to_json(small),
                }
            )
            if stops:
                break
    return findings


def shrunk(episode: Episode, law: Parameters) -> Episode:
    """A smaller episode that is still a theft of at least half as much: fewer steps and actions."""
    first = play(episode, law)
    goal = max(max(first.extraction, first.honest_loss) // 2, 1)
    plays = 0

    def still(candidate: Episode) -> bool:
        nonlocal plays
        plays += 1
        outcome = play(candidate, law)
        if first.unprovable:
            return bool(outcome.unprovable)
        return not outcome.re_aimed and max(outcome.extraction, outcome.honest_loss) >= goal

    best = episode
    progress = True
    while progress and plays < SHRINK_PLAYS:
        progress = False
        for candidate in _smaller(best):
            if plays >= SHRINK_PLAYS:
                break
            if still(candidate):
                best, progress = candidate, True
                break
    return best


def _smaller(episode: Episode) -> Iterator[Episode]:
    """Episodes with one thing less."""
    for place in range(len(episode.steps)):
        if len(episode.steps) > 1:
            yield episode._replace(steps=episode.steps[:place] + episode.steps[place + 1 :])
    for place, step in enumerate(episode.steps):
        options = [
            step._replace(actions=step.actions[:k] + step.actions[k + 1 :])
            for k in range(len(step.actions))
        ]
        if step.spots_ppm != (0, 0):
            options.append(step._replace(spots_ppm=(0, 0)))
        if step.vol_ppm:
            options.append(step._replace(vol_ppm=0))
        for option in options:
            yield episode._replace(
                steps=(*episode.steps[:place], option, *episode.steps[place + 1 :])
            )


def to_json(episode: Episode) -> dict[str, Any]:
    """An episode as JSON values."""
    steps = [
        step._asdict() | {"actions": [[a.name, *a.numbers] for a in step.actions]}
        for step in episode.steps
    ]
    return episode._asdict() | {"setup": asdict(episode.setup), "steps": steps}


def from_json(data: dict[str, Any]) -> Episode:
    """The episode that `to_json` wrote."""
    setup: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data["setup"].items()
    }
    steps = tuple(
        Step(
            step["seconds"],
            tuple(step["spots_ppm"]),
            step["vol_ppm"],
            step["tells"],
            step["seals"],
            tuple(Action(name, tuple(numbers)) for name, *numbers in step["actions"]),
        )
        for step in data["steps"]
    )
    return Episode(data["family"], data["within_grid"], Setup(**setup), steps)
