"""Typed buses: a message sent by one row must be received by another, as often as it is sent."""

from __future__ import annotations

from typing import Final, NamedTuple

from novate.circuit.expressions import Expression, lift


class BusField(NamedTuple):
    """A field of a message."""

    name: str
    bits: int | None
    """The value is below 2^bits; None: any element."""


class Bus:
    """A kind of message."""

    def __init__(self, name: str, **fields: int | None) -> None:
        """Fields by name with their width in bits (None: any element)."""
        self.name = name
        self.fields = tuple(BusField(field, bits) for field, bits in fields.items())

    def message(self, values: dict[str, Expression | int]) -> tuple[Expression, ...]:
        """The fields in order. ValueError unless exactly these, each within its width."""
        names = [field.name for field in self.fields]
        if sorted(values) != sorted(names):
            raise ValueError(f"bus {self.name}: fields {sorted(values)}, expected {sorted(names)}")
        message = tuple(lift(values[name]) for name in names)
        for field, value in zip(self.fields, message, strict=True):
            if field.bits is None:
                continue
            if value.interval is None or not value.interval.fits(field.bits):
                detail = f"{value.interval}, below 2^{field.bits} expected"
                raise ValueError(f"bus {self.name}: field {field.name} is {detail}")
        return message


class Interaction(NamedTuple):
    """What each row of a table adds to a bus."""

    bus: Bus
    message: tuple[Expression, ...]
    times: Expression
    """How many times the row sends the message; negative: receives it."""
    weight: int
    """Bound of what a row sends; 0: the row receives what others send."""


def send(bus: Bus, times: Expression | int = 1, **values: Expression | int) -> Interaction:
    """Each row sends the message `times` times: a number, or an expression with a bound."""
    sent = lift(times)
    if sent.interval is None or sent.interval.low < 0:
        raise ValueError(f"bus {bus.name}: a sender's count is bounded and not negative")
    return Interaction(bus, bus.message(values), sent, sent.interval.high)


def receive(bus: Bus, times: Expression | int = 1, **values: Expression | int) -> Interaction:
    """Each row receives the message `times` times."""
    return Interaction(bus, bus.message(values), -lift(times), 0)


RANGE: Final = Bus("range16", value=16)
"""A value below 2^16: received by the table `range16`."""
