"""The sequencer's door: a Unix socket that only this user may open.

Everything that has arrived is taken as one group, so many clients share one sync of the log. A
client that sends nonsense is answered with the reason; one that does not read its answers is
dropped when too many wait.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from novate.native import NativePrimitives
from novate.node.files import DamagedFile
from novate.node.outcome import Notice
from novate.node.protocol import (
    Answer,
    AskStand,
    Clock,
    Frames,
    Message,
    NewParameters,
    RequestsFrom,
    RewindTo,
    decode_message,
    encode_answer,
    encode_notice,
    frame,
)
from novate.node.records import CancelIn, ChangeIn, Input, MoveIn, OrderIn, SheetIn
from novate.node.reports import signed_by_its_oracle
from novate.node.sequencer import Ack, Sequencer
from novate.spec.errors import DecodeError
from novate.spec.messages.batch import MarketReports

READ_BYTES: Final = 1 << 18
UNREAD_MAX: Final = 16 << 20
"""Bytes of answers that may wait for a client."""
NOT_SIGNED: Final = "invalid_report_signature"
NOT_TOLD: Final = "clock_is_not_told"
INPUTS: Final = (OrderIn, SheetIn, CancelIn, ChangeIn, MoveIn)


class Connection:
    """One client."""

    def __init__(self, peer: socket.socket) -> None:
        """A fresh connection."""
        self.peer = peer
        self.frames = Frames()
        self.unsent = bytearray()

    def send(self, body: bytes) -> None:
        """Queue an answer."""
        self.unsent += frame(body)


class Door:
    """Serves one sequencer over one socket, in one thread."""

    def __init__(self, path: Path, sequencer: Sequencer, clock: Callable[[], int] | None) -> None:
        """`clock`: unix milliseconds; None: clients tell the time. OSError if the path is taken."""
        self._sequencer = sequencer
        self._clock = clock
        self._told_ms = sequencer.stand().time_ms
        self._selector = selectors.DefaultSelector()
        self._queued: dict[int, Connection] = {}
        """Who is to be told of a record that waits, by its sequence."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # the log's lock says that nobody else serves here
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._listener.bind(str(path))
        finally:
            os.umask(before)
        self._listener.listen()
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)

    def now_ms(self) -> int:
        """The time."""
        return self._told_ms if self._clock is None else self._clock()

    def serve_once(self, timeout_s: float) -> None:
        """Wait for clients, take what they sent as one group, answer, let time pass."""
        arrived: list[tuple[Connection, bytes]] = []
        for key, events in self._selector.select(timeout_s):
            if key.data is None:
                self._accept()
                continue
            connection: Connection = key.data
            if events & selectors.EVENT_READ:
                arrived += [(connection, body) for body in self._read(connection)]
        self._answer(arrived)
        if self._clock is not None or self._told_ms:
            self._sequencer.tick(self.now_ms())
        self._tell()
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                self._flush(key.data)

    def _accept(self) -> None:
        """A new client."""
        peer, _ = self._listener.accept()
        peer.setblocking(False)
        self._selector.register(peer, selectors.EVENT_READ, Connection(peer))

    def _read(self, connection: Connection) -> list[bytes]:
        """What a client sent; it is dropped if it has gone or its frames make no sense."""
        try:
            data = connection.peer.recv(READ_BYTES)
            if data:
                return connection.frames.feed(data)
        except BlockingIOError:
            return []
        except (ConnectionError, DecodeError):
            pass
        self._drop(connection)
        return []

    def _drop(self, connection: Connection) -> None:
        """Close a connection; its records stand."""
        self._selector.unregister(connection.peer)
        connection.peer.close()
        self._queued = {n: c for n, c in self._queued.items() if c is not connection}

    def _answer(self, arrived: Sequence[tuple[Connection, bytes]]) -> None:
        """Answer every body in order; inputs that follow each other are one group."""
        group: list[tuple[Connection, Input]] = []
        for connection, body in arrived:
            try:
                message = decode_message(body, self._sequencer.desk.preset)
            except DecodeError as error:
                self._take(group)
                connection.send(encode_answer(refusal(f"{error}")))
                continue
            if isinstance(message, INPUTS):
                group.append((connection, message))
                continue
            self._take(group)
            connection.send(encode_answer(self._other(message)))
        self._take(group)

    def _take(self, group: list[tuple[Connection, Input]]) -> None:
        """Give a group to the sequencer; it is empty afterwards."""
        if not group:
            return
        acks = self._sequencer.take([record for _, record in group], self.now_ms())
        for (connection, record), ack in zip(group, acks, strict=True):
            connection.send(encode_answer(ack))
            if isinstance(record, ChangeIn | MoveIn) and ack.receipt is not None and not ack.reason:
                self._queued[ack.receipt.sequence] = connection
        group.clear()

    def _other(self, message: Message) -> Answer:
        """The answer to what is not a user's input."""
        match message:
            case MarketReports():
                return self._reports(message)
            case RequestsFrom():
                return self._requests(message)
            case RewindTo():
                return self._rewind(message)
            case NewParameters():
                self._sequencer.follow_parameters(message.parameters)
                return refusal("")
            case Clock():
                if self._clock is not None:
                    return refusal(NOT_TOLD)
                self._told_ms = max(self._told_ms, message.time_ms)
                self._sequencer.tick(self._told_ms)
                return self._sequencer.stand()
            case AskStand():
                return self._sequencer.stand()
            case _:
                raise TypeError(f"{type(message).__name__} is an input")

    def _reports(self, message: MarketReports) -> Ack:
        """Keep what is signed by its oracle."""
        parameters = self._sequencer.desk.parameters
        verdicts = signed_by_its_oracle(message.reports, parameters, NativePrimitives())
        for signed, verdict in zip(message.reports, verdicts, strict=True):
            if verdict:
                self._sequencer.report(signed)
        return refusal("" if all(verdicts) else NOT_SIGNED)

    def _requests(self, message: RequestsFrom) -> Ack:
        """Queue what L1 asks."""
        for number, request in enumerate(message.requests, message.first):
            reason = self._sequencer.request(number, request)
            if reason:
                return refusal(reason)
        return refusal("")

    def _rewind(self, message: RewindTo) -> Ack:
        """Go back to a batch, if it is kept."""
        try:
            self._sequencer.rewind(message.number, message.root, message.fork, self.now_ms())
        except (DamagedFile, DecodeError, OSError) as error:
            return refusal(f"{error}")
        return refusal("")

    def _tell(self) -> None:
        """Pass on what became of queued records."""
        for notice in self._sequencer.notices:
            connection = self._queued.pop(notice.sequence, None)
            if connection is not None:
                connection.send(encode_notice(Notice(notice.sequence, notice.reason)))
        self._sequencer.notices.clear()

    def _flush(self, connection: Connection) -> None:
        """Send what a client takes; drop one that takes nothing for too long."""
        try:
            while connection.unsent:
                sent = connection.peer.send(connection.unsent)
                del connection.unsent[:sent]
        except BlockingIOError:
            if len(connection.unsent) > UNREAD_MAX:
                self._drop(connection)
        except ConnectionError:
            self._drop(connection)

    def close(self) -> None:
        """Close every connection and the socket."""
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.peer.close()
        self._listener.close()
        self._selector.close()


def refusal(reason: str) -> Ack:
    """An answer without a record: why not, or ''."""
    return Ack(reason, 0, 0, 0, None)
