"""The law at speed: the compiled engine over the specification's types."""

from __future__ import annotations

from novate.engine.changes import EngineJournal
from novate.engine.door import Engine, EngineError, Sealed, TooWide

__all__ = ["Engine", "EngineError", "EngineJournal", "Sealed", "TooWide"]
