"""The door: a Unix socket, many clients, nonsense, told time, notices."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from novate.lab.play.scene import FIRST, INDEX, PERPETUAL, USDC, Scene, open_venue, start_node
from novate.node.client import Client
from novate.node.door import Door
from novate.node.protocol import FRAME_MAX, Clock, RequestsFrom, RewindTo, frame
from novate.node.sequencer import Ack, Stand

NOW_MS = 1_000 * (FIRST + 20)


class Served:
    """An open venue behind a door, served by a thread."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene()
        self.node = start_node(folder, self.scene.world.state)
        open_venue(self.scene, self.node)
        self.path = folder / "door"
        self.door = Door(self.path, self.node.sequencer, None)
        self.stop = Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while not self.stop.is_set():
            self.door.serve_once(0.01)

    def client(self) -> Client:
        return Client(self.path, self.scene.world.state.preset, 10)

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.door.close()
        self.node.log.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path)
    yield found
    found.close()


def test_orders_of_two_clients_meet(served: Served) -> None:
    with served.client() as maker, served.client() as taker:
        rests = maker.ask(served.scene.order(1, PERPETUAL, 10, INDEX))
        fills = taker.ask(served.scene.order(2, PERPETUAL, -4, INDEX))
    assert isinstance(rests, Ack)
    assert isinstance(fills, Ack)
    assert (rests.open, fills.filled) == (10, 4)
    assert rests.receipt is not None
    assert fills.receipt is not None
    assert fills.receipt.sequence > rests.receipt.sequence


def test_many_sent_ahead_are_answered_in_order(served: Served) -> None:
    orders = [
        served.scene.order(k % 6 + 1, PERPETUAL, 1, INDEX - k, slot=k // 6) for k in range(36)
    ]
    before = served.node.log.sequence
    with served.client() as client:
        client.send(orders)
        answers = [client.receive() for _ in orders]
    sequences = [a.receipt.sequence for a in answers if isinstance(a, Ack) and a.receipt]
    assert sequences == list(range(before + 1, before + 37))


def test_the_socket_is_this_users_alone(served: Served) -> None:
    mode = served.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_nonsense_is_answered_and_too_much_is_cut_off(served: Served) -> None:
    with served.client() as honest:
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(str(served.path))
        peer.sendall(frame(b"\x09nonsense") + frame(b"") + frame(b"\0\0"))
        answer = peer.recv(1 << 16)
        assert b"unknown_tag" in answer
        assert b"truncated" in answer
        peer.sendall((FRAME_MAX + 1).to_bytes(4, "big"))
        assert peer.recv(1) == b""
        peer.close()
        assert isinstance(honest.stand(), Stand)


def test_a_client_that_goes_away_leaves_its_record(served: Served) -> None:
    before = served.node.log.sequence
    with served.client() as client:
        client.send([served.scene.order(1, PERPETUAL, 10, INDEX)])
    with served.client() as other:
        while other.stand().sequence == before:
            pass
        fills = other.ask(served.scene.order(2, PERPETUAL, -4, INDEX))
    assert isinstance(fills, Ack)
    assert fills.filled == 4


def test_time_passes_when_it_is_told_and_moves_are_notified(served: Served) -> None:
    with served.client() as client, served.client() as other:
        ack = client.ask(served.scene.withdrawal(1, 1_000 * USDC))
        assert isinstance(ack, Ack)
        assert ack.receipt is not None
        for reports in served.scene.reports(FIRST + 40):
            assert client.tell(reports) == ""
        stand = other.ask(Clock(NOW_MS + 20_000))
        assert isinstance(stand, Stand)
        assert stand.time_ms == NOW_MS + 20_000
        while not client.notices:
            client.stand()
    assert [(n.sequence, n.reason) for n in client.notices] == [(ack.receipt.sequence, "")]
    assert other.notices == []


def test_forged_reports_and_gaps_of_requests_are_refused(served: Served) -> None:
    [reports, _] = served.scene.reports(FIRST + 40)
    first = reports.reports[0]
    forged = first._replace(report=first.report._replace(index_price=1))
    with served.client() as client:
        assert "signature" in client.tell(reports._replace(reports=(forged, *reports.reports[1:])))
        requests = tuple(served.scene.requests())
        assert client.tell(RequestsFrom(0, requests)) == "", "known ones are passed over"
        assert "before request 14" in client.tell(RequestsFrom(15, requests))
        assert client.stand().inbox_next == 14


def test_a_rewind_to_a_batch_that_is_not_kept_changes_nothing(served: Served) -> None:
    with served.client() as client:
        before = client.stand()
        assert "No such file" in client.tell(RewindTo(1, (1, 2, 3, 4), 1))
        assert client.stand() == before
        assert client.tell(RewindTo(before.batch, before.root, 1)) == ""
        after = client.stand()
    assert after.sequence == before.sequence + 3, "the rewind, a batch and its round begun"
    assert (after.batch, after.root, after.fork) == (before.batch, before.root, 1)


def test_without_a_sequencer_a_client_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client(tmp_path / "door", Scene().world.state.preset, 0.05)
