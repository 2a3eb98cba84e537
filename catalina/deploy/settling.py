"""When a file that somebody copies is complete: its size has settled and, for a zip, its directory can be read.

A zip's directory stands at its end, so a copy that has stopped half way never looks complete.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass

__all__ = ["Settling", "Stamp", "stamp_of"]

#: Seconds without a change after which a file counts as complete.
QUIET = 0.3
#: Seconds without a change after which a zip that cannot be read is no longer taken for half a copy.
GIVEN_UP = 5.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one state of a file from another."""

    mtime_ns: int
    size: int
    inode: int


def stamp_of(path: str) -> Stamp | None:
    """The state of a file or directory, None when it is not there. A directory counts only with its time."""
    try:
        stat = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if os.path.isdir(path):
        return Stamp(stat.st_mtime_ns, 0, 0)
    return Stamp(stat.st_mtime_ns, stat.st_size, stat.st_ino)


class Settling:
    """Remembers when the state of files was first seen.

    Times are seconds on one clock that the caller reads; ``wall`` is ``time.time()`` at the same moment, to see that
    an old file need not be waited for.
    """

    def __init__(self, quiet: float = QUIET, given_up: float = GIVEN_UP) -> None:
        self.quiet = quiet
        self.given_up = given_up
        self._seen: dict[str, tuple[Stamp, float]] = {}

    def quiet_for(self, path: str, now: float, wall: float) -> float:
        """Seconds since the file last changed, as far as is known; 0.0 for a file that is not there."""
        stamp = stamp_of(path)
        if stamp is None:
            self._seen.pop(path, None)
            return 0.0
        seen = self._seen.get(path)
        if seen is None or seen[0] != stamp:
            seen = self._seen[path] = (stamp, now)
        return max(now - seen[1], min(wall - stamp.mtime_ns / 1e9, self.given_up))

    def is_complete(self, path: str, now: float, wall: float) -> bool:
        """Whether the archive can be looked at: complete, or broken for so long that it is said to be broken."""
        quiet = self.quiet_for(path, now, wall)
        if quiet < self.quiet:
            return False
        return quiet >= self.given_up or _has_directory(path)

    def forget(self, path: str) -> None:
        """The file is of no further interest."""
        self._seen.pop(path, None)


def _has_directory(path: str) -> bool:
    try:
        with zipfile.ZipFile(path):
            return True
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
