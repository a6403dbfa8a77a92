"""Two venues in one: the specification and the engine are given everything alike, and compared.

What it is asked for it answers as the specification's `Venue`, so a generator works on it unawares.
Each record goes to an engine with an open batch, and each batch, sealed or refused, to a second
engine that judges whole batches. A `Difference` is raised where either is not the specification's
equal: in what it refuses and why, in whom it blames, in journals, states, roots, bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TypeVar

from novate.engine import Engine
from novate.lab.venue import Venue
from novate.spec.errors import LawError
from novate.spec.journal import Journal
from novate.spec.messages.account import Change, Move
from novate.spec.messages.batch import Batch, Due, MarketReports, Trade
from novate.spec.messages.inbox import Request
from novate.spec.messages.orders import SignedOrder, SignedSheet
from novate.spec.parameters import Parameters
from novate.spec.primitives import Primitives
from novate.spec.public_data.full import encode_full
from novate.spec.state import State

T = TypeVar("T")

LISTS = tuple(field.name for field in fields(Journal) if field.name not in ("before", "after"))
"""What of a journal is compared by name; its states are compared apart."""
DUMP_EVERY = 10
"""One batch in so many has the whole state read out of the engine."""


class Difference(AssertionError):
    """The engine and the specification disagree."""


class Outcome:
    """What became of one call: a result, or the law's error."""

    def __init__(self, call: Callable[[], object]) -> None:
        """Make the call."""
        self.error: LawError | None = None
        self.result: object = None
        try:
            self.result = call()
        except LawError as error:
            self.error = error

    @property
    def name(self) -> str:
        """Family and reason of the error; '' for a result."""
        error = self.error
        return "" if error is None else f"{type(error).__name__} {error.reason}"


def require_equal(what: str, law: object, engine: object) -> None:
    """Difference naming what is not equal."""
    if law != engine:
        raise Difference(f"{what}:\n  specification {law}\n  engine        {engine}")


def require_same_outcome(what: str, law: Outcome, engine: Outcome) -> None:
    """Difference unless both did it, or both refused it by the same name."""
    if law.name != engine.name:
        raise Difference(f"{what}: specification {law.error!r}, engine {engine.error!r}")


def require_same_journal(law: Journal, engine: Journal) -> None:
    """Difference naming the first list that is not equal."""
    for name in LISTS:
        ours, theirs = getattr(law, name), getattr(engine, name)
        if ours == theirs:
            continue
        if isinstance(ours, list) and isinstance(theirs, list):
            pairs = zip(ours, theirs, strict=False)
            place = next((k for k, (a, b) in enumerate(pairs) if a != b), -1)
            require_equal(f"journal.{name}[{place}]", ours[place:], theirs[place:])
        require_equal(f"journal.{name}", ours, theirs)


class TwinVenue(Venue):
    """The specification's venue, shadowed by the engine."""

    def __init__(
        self, state: State, primitives: Primitives, admission: Primitives | None = None
    ) -> None:
        """Both start from a state."""
        super().__init__(state, primitives, admission)
        self.sequencer = Engine(state)
        self.judging = Engine(state)
        self.compared: Counter[str] = Counter()
        """Comparisons by kind."""
        self._sealed: tuple[Batch, bytes, Journal] | None = None

    def _both(self, what: str, law: Callable[[], T], engine: Callable[[], object]) -> T:
        """Run both, compare what became of it; the specification's result or error."""
        ours, theirs = Outcome(law), Outcome(engine)
        require_same_outcome(what, ours, theirs)
        self.compared[f"{what} {'refused' if ours.error else 'accepted'}"] += 1
        if ours.error is not None:
            raise ours.error
        return ours.result  # type: ignore[return-value]

    def _tried(self, what: str, law: Callable[[], None], engine: Callable[[], None]) -> None:
        """The same of a record that is tried; also whose margin refused it."""
        try:
            self._both(what, law, engine)
        finally:
            require_equal(f"{what}: blamed", self.blamed, self.sequencer.blamed)

    def begin(
        self, fork: int = 0, parameters: Parameters | None = None, reset_slots: bool = False
    ) -> None:
        """Open a batch in both."""
        self.catch_up()
        self._both(
            "begin",
            lambda: super(TwinVenue, self).begin(fork, parameters, reset_slots),
            lambda: self.sequencer.begin(fork, parameters, reset_slots),
        )

    def open(
        self,
        time: int,
        reports: Sequence[MarketReports] = (),
        requests: Sequence[Request] = (),
    ) -> None:
        """Open a round in both."""
        self._both(
            "open",
            lambda: super(TwinVenue, self).open(time, reports, requests),
            lambda: self.sequencer.open(time, reports, requests),
        )

    def change(self, change: Change) -> None:
        """Try a change in both."""
        self._tried(
            type(change).__name__,
            lambda: super(TwinVenue, self).change(change),
            lambda: self.sequencer.change(change),
        )

    def bring(self, due: Due) -> None:
        """Try a due transaction in both."""
        self._tried(
            type(due).__name__,
            lambda: super(TwinVenue, self).bring(due),
            lambda: self.sequencer.bring(due),
        )

    def read_order(self, order: SignedOrder) -> int:
        """Add an order to both books."""
        return self._both(
            "read order",
            lambda: super(TwinVenue, self).read_order(order),
            lambda: self.sequencer.read_order(order),
        )

    def read_sheet(self, sheet: SignedSheet) -> int:
        """Add a mass quote to both books."""
        return self._both(
            "read sheet",
            lambda: super(TwinVenue, self).read_sheet(sheet),
            lambda: self.sequencer.read_sheet(sheet),
        )

    def trade(self, trade: Trade) -> None:
        """Try a trade in both."""
        self._tried(
            "Trade",
            lambda: super(TwinVenue, self).trade(trade),
            lambda: self.sequencer.trade(trade),
        )

    def move(self, move: Move) -> None:
        """Try a move in both."""
        self._tried(
            type(move.message).__name__,
            lambda: super(TwinVenue, self).move(move),
            lambda: self.sequencer.move(move),
        )

    def close(self) -> None:
        """Seal the open round of both."""
        self._both("close", lambda: super(TwinVenue, self).close(), self.sequencer.close)

    def seal(self) -> tuple[Batch, Journal]:
        """Seal both batches; equal batches, bytes, journals and states."""
        batch, journal = super().seal()
        sealed = self.sequencer.seal()
        require_equal("sealed batch", batch, sealed.batch)
        require_equal("full data", encode_full(batch), sealed.data)
        require_same_journal(journal, sealed.journal)
        require_equal("state", self.state, self.sequencer.state())
        require_equal("roots", journal.roots_after, self.sequencer.roots())
        if batch.number % DUMP_EVERY == 0:
            require_equal("state read out", self.state, Engine.of(self.sequencer.dump()).state())
            self.compared["state read out"] += 1
        self.compared["sealed"] += 1
        self._sealed = batch, sealed.data, journal
        return batch, journal

    def judge_spoiled(self, before: State, batch: Batch) -> str:
        """Have a batch that is not the sealed one judged by both; '' or the name of the error.

        `before` is the state before the batch sealed last. Neither goes on from it.
        """
        ours = Outcome(lambda: Venue.judge(self, before, batch))
        judged = Engine.of(self.judging.dump())
        theirs = Outcome(lambda: judged.apply(batch))
        require_same_outcome("spoiled batch", ours, theirs)
        if isinstance(ours.result, Journal) and isinstance(theirs.result, Journal):
            require_same_journal(ours.result, theirs.result)
            require_equal("state after spoiled batch", ours.result.after, theirs.result.after)
        self.compared[f"spoiled batch {'refused' if ours.error else 'accepted'}"] += 1
        return ours.name

    def judge(self, before: State, batch: Batch) -> Journal:
        """What the law says of a whole batch; refused ones are refused by the engine as well."""
        ours = Outcome(lambda: super(TwinVenue, self).judge(before, batch))
        if ours.error is not None:
            theirs = Outcome(lambda: self.judging.apply(batch))
            require_same_outcome("whole batch", ours, theirs)
            self.compared["whole batch refused"] += 1
            raise ours.error
        assert isinstance(ours.result, Journal)
        return ours.result

    def catch_up(self) -> None:
        """Have the batch sealed last judged as a whole: every other one from its bytes."""
        if self._sealed is None:
            return
        batch, data, journal = self._sealed
        self._sealed = None
        from_bytes = batch.number % 2 == 0
        found = self.judging.apply_data(data) if from_bytes else self.judging.apply(batch)
        require_same_journal(journal, found)
        require_equal("journal.before", journal.before, found.before)
        require_equal("journal.after", journal.after, found.after)
        self.compared["whole batch from bytes" if from_bytes else "whole batch"] += 1
