"""Shows progress on a terminal."""

from __future__ import annotations

import shutil
from typing import TextIO

__all__ = ["ProgressBar"]


class ProgressBar:
    """One line that is drawn again and again, only on a terminal.

    Args:
        out: the stream of the terminal.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._on = out.isatty()
        self._drawn = False

    def show(self, what: str, done: int, total: int) -> None:
        """Draw: ``copying [#####     ]  50%  10.0/20.0 MB``."""
        if not self._on:
            return
        text = f"{what} ..."
        if total > 0:
            width = max(10, min(40, shutil.get_terminal_size().columns - 45))
            filled = width * min(done, total) // total
            bar = "#" * filled + " " * (width - filled)
            text = f"{what:8} [{bar}] {100 * done // total:3}%  {done / 1e6:.1f}/{total / 1e6:.1f} MB"
        self._out.write(f"\r\x1b[K{text}")
        self._out.flush()
        self._drawn = True

    def clear(self) -> None:
        """Remove the line."""
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._drawn = False
