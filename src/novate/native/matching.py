"""The typed door to the compiled order books; `novate.book.compiled` is what to use of them."""

from novate.native._native import MatchingCore

__all__ = ["MatchingCore"]
