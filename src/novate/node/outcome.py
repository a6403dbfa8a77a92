"""What became of a log record, and the node's own reasons for refusing one."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from novate.book.events import Event
from novate.node.port import Sealed


class NodeReason(StrEnum):
    """Why the node refused or cancelled; law and book have reasons of their own."""

    NO_ROUND = "no_round"
    """No round is open."""
    ROUND_FULL = "round_full"
    """The open round has no room for one more change or move."""
    CHANGE_PENDING = "change_pending"
    """A change of the account waits for the next round: nothing signed before or after it fills."""
    REVISION_DIFFERS = "revision_differs"
    """The same slot and nonce with another instrument, side, trigger or flag."""
    NOTHING_IN_SLOT = "nothing_in_slot"
    SIGNED_ANEW = "signed_anew"
    """A newer nonce took the slot."""
    NO_LONGER_FITS = "no_longer_fits"
    """At the new snapshot the account cannot carry the order."""
    TRIGGER_NOT_MET = "trigger_not_met"
    KEY_OR_EPOCH_CHANGED = "key_or_epoch_changed"
    """What it was signed under is over."""


class Notice(NamedTuple):
    """What became later of a record that could only be queued."""

    sequence: int
    reason: str
    """'' if it was done."""


class Outcome(NamedTuple):
    """What became of a record."""

    reason: str = ""
    """'' if it was taken; otherwise nothing has changed but what ended by time."""
    order_id: int = 0
    filled: int = 0
    """Lots that the record's own order traded at once."""
    open: int = 0
    """Lots of it that still may trade."""
    events: tuple[Event, ...] = ()
    notices: tuple[Notice, ...] = ()
    sealed: Sealed | None = None
    """The batch, of the record that seals it."""


def refused(reason: str, events: tuple[Event, ...] = ()) -> Outcome:
    """A record that was not taken."""
    return Outcome(reason=str(reason), events=events)
