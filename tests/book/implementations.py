"""The implementations of the exchange that the tests of this folder compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from novate.book.admission import Admit, Listen, PositionOf, Positions, admit_all
from novate.book.compiled import CompiledExchange
from novate.book.exchange import Exchange

AnyExchange: TypeAlias = Exchange | CompiledExchange
MakeExchange: TypeAlias = Callable[[Admit, PositionOf, Listen], AnyExchange]


def without_callables(admit: Admit, position: PositionOf, listen: Listen) -> CompiledExchange:
    """The compiled exchange that is not told what it does by itself."""
    counted = isinstance(getattr(position, "__self__", None), Positions)
    unheard = isinstance(getattr(listen, "__self__", None), Positions)
    return CompiledExchange(
        None if admit is admit_all else admit,
        None if counted else position,
        None if unheard else listen,
    )


IMPLEMENTATIONS: dict[str, MakeExchange] = {
    "reference": Exchange,
    "compiled": CompiledExchange,
    "compiled-alone": without_callables,
}
