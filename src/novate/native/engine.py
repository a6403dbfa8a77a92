"""The typed door to the compiled engine; `novate.engine` is what to use of it."""

from novate.native._native import Engine

__all__ = ["Engine"]
