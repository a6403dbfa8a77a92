"""What came of a batch, read when somebody asks: the journal's lists, and the states around it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, get_type_hints

from novate.engine.border import STATES, decode
from novate.spec.journal import Journal
from novate.spec.parameters import Parameters
from novate.spec.state import Account, InstrumentState, Market, Slot, State, System

CHAIN_MAX = 64
"""Batches whose changes are kept before they are put into a state: each costs memory, putting them
in costs a copy of the whole state's tables."""
TYPES = get_type_hints(Journal)
LISTS = tuple(field.name for field in fields(Journal) if field.name not in STATES)
"""What of a journal the engine encodes, in order."""


class Changes(NamedTuple):
    """The leaves a batch changed, as they are after it."""

    parameters: Parameters | None
    """None: unchanged."""
    system: System
    markets: Mapping[int, Market]
    instruments: Mapping[int, InstrumentState | None]
    """None: gone."""
    accounts: Mapping[int, Account]
    slots: Mapping[tuple[int, int], Slot]
    slots_reset: bool
    """Every slot was emptied before those in `slots` were written."""


def after_all(state: State, batches: Iterable[Changes]) -> State:
    """The state after the changes of some batches in a row; every table is copied once."""
    parameters, system = state.parameters, state.system
    markets = dict(enumerate(state.markets))
    instruments, accounts = dict(state.instruments), dict(state.accounts)
    slots = dict(state.slots)
    for changes in batches:
        parameters = changes.parameters or parameters
        system = changes.system
        markets.update(changes.markets)
        for key, instrument in changes.instruments.items():
            if instrument is None:
                instruments.pop(key, None)
            else:
                instruments[key] = instrument
        accounts.update(changes.accounts)
        if changes.slots_reset:
            slots = {}
        slots.update(changes.slots)
    return State(
        preset=state.preset,
        parameters=parameters,
        system=system,
        markets=tuple(markets[underlying] for underlying in sorted(markets)),
        instruments=instruments,
        accounts=accounts,
        slots=slots,
    )


class KeptState:
    """A state (or its bytes), or one before it and the bytes of what has changed since."""

    def __init__(self, base: State | KeptState | bytes, changes: bytes = b"") -> None:
        """`changes` lead from `base` to this state; empty: it is this state."""
        self._base = base
        self._changes = changes
        self._length: int = 1 + base._length if isinstance(base, KeptState) else 0
        if self._length > CHAIN_MAX:
            self.get()

    def get(self) -> State:
        """The state; made once."""
        waiting: list[Changes] = []
        kept: State | KeptState | bytes = self
        while isinstance(kept, KeptState):
            if kept._changes:
                waiting.append(decode(Changes, kept._changes))
            kept = kept._base
        state: State = decode(State, kept) if isinstance(kept, bytes) else kept
        if waiting:
            state = after_all(state, reversed(waiting))
        self._base, self._changes, self._length = state, b"", 0
        return state


class EngineJournal(Journal):
    """A journal whose lists are decoded, and whose states are made, when they are asked for."""

    def __init__(self, parts: Sequence[bytes], before: KeptState, after: KeptState) -> None:
        """`parts`: the lists, encoded each by itself, in order."""
        self._parts = dict(zip(LISTS, parts, strict=True))
        self.kept_before, self.kept_after = before, after

    def __getattribute__(self, name: str) -> Any:
        """A field of the journal, made now if it never was."""
        if name not in TYPES:
            return super().__getattribute__(name)
        made = self.__dict__
        if name in STATES:
            kept: KeptState = made[f"kept_{name}"]
            return kept.get()
        if name not in made:
            made[name] = decode(TYPES[name], made["_parts"].pop(name))
        return made[name]
