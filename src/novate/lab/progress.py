"""Progress of long work on a terminal or in a log: one line that moves, or a line now and then."""

from __future__ import annotations

import sys
from time import monotonic

LOG_EVERY_S = 10.0
SHOW_EVERY_S = 0.2


class Progress:
    """Says what is going on, to standard error."""

    def __init__(self) -> None:
        """Starts its clock."""
        self._started = monotonic()
        self._shown = 0.0
        self._is_terminal = sys.stderr.isatty()

    def stage(self, title: str) -> None:
        """A new stage begins."""
        self._write(f"[{monotonic() - self._started:6.1f} s] {title}\n")

    def say(self, text: str) -> None:
        """A fact worth a line."""
        self._write(f"           {text}\n")

    def at(self, done: int, total: int, text: str) -> None:
        """How far the stage is; shown now and then."""
        now = monotonic()
        if now - self._shown < (SHOW_EVERY_S if self._is_terminal else LOG_EVERY_S):
            return
        self._shown = now
        line = f"           {100 * done // max(total, 1):3d} %  {text}"
        self._write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")

    def _write(self, text: str) -> None:
        """Write at once; a finished line clears the moving one."""
        if self._is_terminal and not text.startswith("\r"):
            text = f"\r\x1b[K{text}"
        sys.stderr.write(text)
        sys.stderr.flush()
