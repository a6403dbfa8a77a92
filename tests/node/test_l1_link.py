"""Between L1 and the sequencer: what is passed on, what is refused, what follows a revert."""

from __future__ import annotations

from typing import Any

import pytest

from novate.l1.history import History
from novate.l1.inbox_reader import Arrived, Dropped
from novate.l1.rpc import L1Error
from novate.lab.play.scene import Scene
from novate.node.l1_link import L1Link
from novate.node.protocol import Message, NewParameters, RequestsFrom, RewindTo
from novate.node.sequencer import Stand
from novate.spec.presets import MINIMAL
from novate.spec.public_data.codec import encode
from novate.spec.public_data.parameters import parameters_codec

REQUESTS = Scene().requests()
ROOT = (1, 2, 3, 4)


class FakeInbox:
    """Events as they are put in."""

    def __init__(self) -> None:
        self.events: list[Arrived | Dropped] = []

    def poll(self) -> list[Arrived | Dropped]:
        found, self.events = self.events, []
        return found


class FakeHistory(History):
    """A history that is told what L1 says."""

    def follow(self, follower: Any) -> bool:
        return False


class FakeClient:
    """A sequencer that takes everything, or refuses it."""

    def __init__(self) -> None:
        self.taken = 0
        self.fork = 0
        self.said: list[Message] = []
        self.reason = ""

    def stand(self) -> Stand:
        return Stand(1, 5, ROOT, self.taken, 0, self.fork, 0, 0)

    def tell(self, message: Message) -> str:
        self.said.append(message)
        if isinstance(message, RequestsFrom) and not self.reason:
            self.taken = message.first + len(message.requests)
        return self.reason


def link() -> tuple[L1Link, FakeInbox, FakeClient, FakeHistory]:
    inbox, client, history = FakeInbox(), FakeClient(), FakeHistory()
    made: Any = L1Link
    return made(inbox, None, history, client, [], MINIMAL), inbox, client, history


def arrived(*numbers: int) -> list[Arrived | Dropped]:
    return [Arrived(number, REQUESTS[number], bytes(32), 1) for number in numbers]


def test_requests_are_passed_on_once() -> None:
    made, inbox, client, _ = link()
    inbox.events = arrived(0, 1, 2)
    assert made.step() == "3 requests from 0"
    assert made.step() == ""
    inbox.events = arrived(3)
    made.step()
    assert client.said == [
        RequestsFrom(0, tuple(REQUESTS[:3])),
        RequestsFrom(3, (REQUESTS[3],)),
    ]


def test_a_restarted_sequencer_is_told_again() -> None:
    made, inbox, client, _ = link()
    inbox.events = arrived(0, 1, 2)
    made.step()
    client.taken = 1
    made.step()
    assert client.said[-1] == RequestsFrom(1, tuple(REQUESTS[1:3]))


def test_what_a_reorganisation_drops_is_replaced_before_it_is_passed_on() -> None:
    made, inbox, client, _ = link()
    inbox.events = [*arrived(0, 1), Dropped(1), Arrived(1, REQUESTS[5], bytes(32), 2)]
    made.step()
    assert client.said == [RequestsFrom(0, (REQUESTS[0], REQUESTS[5]))]
    inbox.events = [Dropped(0)]
    with pytest.raises(L1Error, match="took 2 requests, L1 has 0"):
        made.step()


def test_a_revert_takes_the_sequencer_back() -> None:
    made, _, client, history = link()
    header: Any = type("Header", (), {"root_after": ROOT})()
    commit: Any = type("Commit", (), {"header": header})()
    history.standing[3] = commit
    history.fork = 2
    assert "back to batch 3, fork 2" in made.step()
    assert client.said == [RewindTo(3, ROOT, 2)]
    client.fork = 2
    assert made.step() == ""
    client.fork, client.reason = 0, "No such file"
    with pytest.raises(L1Error, match="No such file"):
        made.step()


def test_parameters_in_force_are_told_once() -> None:
    made, _, client, history = link()
    parameters = Scene().world.state.parameters
    history.parameters.append((b"digest", encode(parameters_codec(MINIMAL), parameters)))
    assert "in force" in made.step()
    assert made.step() == ""
    assert client.said == [NewParameters(parameters)]
    client.reason = "no"
    history.parameters.append((b"other", history.parameters[0][1]))
    with pytest.raises(L1Error, match="the sequencer says no"):
        made.step()
    history.parameters.append((b"bad", b"bytes"))
    with pytest.raises(L1Error, match="parameters on L1"):
        made.step()
