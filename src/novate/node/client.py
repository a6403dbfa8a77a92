"""The other end of the sequencer's socket."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from novate.node.outcome import Notice
from novate.node.protocol import (
    Answer,
    AskStand,
    Frames,
    Message,
    decode_answer,
    encode_message,
    frame,
)
from novate.node.sequencer import Ack, Stand
from novate.spec.presets import Preset

READ_BYTES: Final = 1 << 18
RETRY_S: Final = 0.02


class Client:
    """One connection. Messages may be sent ahead; answers come in their order."""

    def __init__(self, path: Path, preset: Preset, timeout_s: float = 30.0) -> None:
        """Connect; waits up to the timeout for the socket to be there. OSError then.

        Every later wait has the same limit (TimeoutError).
        """
        self._preset = preset
        self._frames = Frames()
        self._answers: deque[Answer] = deque()
        self.notices: list[Notice] = []
        """What became of queued records, as it came in."""
        end = time.monotonic() + timeout_s
        while True:
            self._peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._peer.connect(str(path))
                break
            except (FileNotFoundError, ConnectionRefusedError):
                self._peer.close()
                if time.monotonic() >= end:
                    raise
                time.sleep(RETRY_S)
        self._peer.settimeout(timeout_s)

    def send(self, messages: Sequence[Message]) -> None:
        """Send messages without waiting. ConnectionError if the sequencer is gone."""
        bodies = (frame(encode_message(message, self._preset)) for message in messages)
        self._peer.sendall(b"".join(bodies))

    def receive(self) -> Answer:
        """The next answer. ConnectionError if the sequencer is gone before it comes."""
        while not self._answers:
            data = self._peer.recv(READ_BYTES)
            if not data:
                raise ConnectionError("the sequencer closed the connection")
            for body in self._frames.feed(data):
                answer = decode_answer(body)
                if isinstance(answer, Notice):
                    self.notices.append(answer)
                else:
                    self._answers.append(answer)
        return self._answers.popleft()

    def ask(self, message: Message) -> Answer:
        """Send one message and wait for its answer; none may be outstanding."""
        self.send([message])
        return self.receive()

    def tell(self, message: Message) -> str:
        """The reason with which a message was refused; '' if it was taken."""
        answer = self.ask(message)
        return answer.reason if isinstance(answer, Ack) else ""

    def stand(self) -> Stand:
        """Where the sequencer stands."""
        answer = self.ask(AskStand())
        if not isinstance(answer, Stand):
            raise ConnectionError(f"asked for its stand, the sequencer says {answer}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._peer.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
