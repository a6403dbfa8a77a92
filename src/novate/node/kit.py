"""The engine that a node runs on: the compiled one, its states in the border encoding."""

from __future__ import annotations

from novate.engine import Engine
from novate.engine.border import decode, encode
from novate.spec.state import State


class CompiledKit:
    """`novate.node.port.EngineKit` by `novate.engine`."""

    def start(self, state: State) -> Engine:
        """An engine at a state."""
        return Engine(state)

    def encode_state(self, state: State) -> bytes:
        """The canonical bytes of a state."""
        return encode(State, state)

    def decode_state(self, data: bytes) -> State:
        """The state of exactly these bytes; DecodeError if there is none."""
        state: State = decode(State, data)
        return state
