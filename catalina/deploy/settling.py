"""Decides when a copied file or directory is complete: its size has settled and, for a zip, its directory can be read.

A zip's directory stands at its end, so a copy that has stopped half way never looks complete. A directory tree has
settled when nothing in it has come, gone or changed for twice as long as a file.
"""

from __future__ import annotations

import errno
import os
import struct
import zipfile
from dataclasses import dataclass

__all__ = ["ABSENT", "Settling", "Stamp", "TreeStamp", "stamp_of", "tree_of"]

#: Seconds without a change after which a file counts as complete.
QUIET = 0.3
#: Seconds without a change after which an unreadable zip no longer counts as a half copy.
GIVEN_UP = 5.0


#: The errors that the reader raises for a zip that is cut off, or made to be broken.
_BROKEN = (
    OSError,
    zipfile.BadZipFile,
    ValueError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    MemoryError,
    struct.error,
)
#: Errors that mean that a name does not exist; other errors do not prove that.
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


@dataclass(frozen=True, slots=True)
class Stamp:
    """The marks that tell one state of a file from another."""

    mtime_ns: int
    size: int
    inode: int


def stamp_of(path: str) -> Stamp | None:
    """The state of a file or directory, None when it does not exist. For a directory only its time counts."""
    try:
        stat = os.stat(path)
    except OSError as exc:
        if exc.errno in _NOTHING_THERE:
            return None
        raise
    if os.path.isdir(path):
        return Stamp(stat.st_mtime_ns, 0, 0)
    return Stamp(stat.st_mtime_ns, stat.st_size, stat.st_ino)


@dataclass(frozen=True, slots=True)
class TreeStamp:
    """The marks that tell one state of a directory tree from another: entries, the newest file's ctime, bytes."""

    entries: int
    newest_ns: int
    size: int


#: The state of a directory that does not exist.
ABSENT = TreeStamp(-1, 0, 0)
#: Entries that are looked at; the rest of a larger tree counts as unchanged.
MAX_ENTRIES = 50_000
_CACHES = frozenset({"__pycache__"})


def tree_of(directory: str) -> TreeStamp:
    """The state of a directory and everything below it, without the interpreter's caches. Links are not followed.

    A file counts by its ctime, which a copy that keeps modification times sets, too. A tree without files counts by
    the ctime of its top.
    """
    entries = newest = size = 0
    if not os.path.isdir(directory):
        return ABSENT
    for place, names, files in os.walk(directory):
        names[:] = [name for name in names if name not in _CACHES]
        entries += len(names) + len(files)
        for name in files:
            try:
                stat = os.lstat(os.path.join(place, name))
            except OSError:
                continue  # the file went after the listing; another look will find another count
            newest, size = max(newest, stat.st_ctime_ns), size + stat.st_size
        if entries > MAX_ENTRIES:
            break
    if newest == 0:
        stat_of_top = os.stat(directory) if os.path.isdir(directory) else None
        newest = stat_of_top.st_ctime_ns if stat_of_top is not None else 0
    return TreeStamp(entries, newest, size)


class Settling:
    """Remembers when each state of a file was first seen.

    Times are in seconds, by one clock that the caller reads; ``wall`` is ``time.time()`` at the same moment, which
    shows that an old file need not be waited for.
    """

    def __init__(self, quiet: float = QUIET, given_up: float = GIVEN_UP) -> None:
        self.quiet = quiet
        self.given_up = given_up
        self._seen: dict[str, tuple[Stamp, float]] = {}
        self._trees: dict[str, tuple[TreeStamp, float]] = {}

    def quiet_for(self, path: str, now: float, wall: float) -> float:
        """Seconds since the file last changed, as far as is known; 0.0 for a file that does not exist."""
        stamp = stamp_of(path)
        if stamp is None:
            self._seen.pop(path, None)
            return 0.0
        seen = self._seen.get(path)
        if seen is None or seen[0] != stamp:
            seen = self._seen[path] = (stamp, now)
        return max(now - seen[1], min(wall - stamp.mtime_ns / 1e9, self.given_up))

    def is_complete(self, path: str, now: float, wall: float) -> bool:
        """True when the archive can be read now: it is complete, or has been broken for so long that it counts as
        broken.
        """
        quiet = self.quiet_for(path, now, wall)
        if quiet < self.quiet:
            return False
        return quiet >= self.given_up or _has_directory(path)

    def tree_is_quiet(self, path: str, tree: TreeStamp, now: float, wall: float, going: bool = False) -> bool:
        """True when a directory tree, whose state is ``tree`` now, has not changed for a while.

        Args:
            going: files have gone from it. The remaining files do not show that, so the caller must have seen it.
        """
        seen = self._trees.get(path)
        if seen is None or seen[0] != tree:
            seen = self._trees[path] = (tree, now)
        age = now - seen[1]
        return (age if going else max(age, wall - tree.newest_ns / 1e9)) >= 2 * self.quiet

    def forget(self, path: str) -> None:
        """Forget the file or directory."""
        self._seen.pop(path, None)
        self._trees.pop(path, None)


def _has_directory(path: str) -> bool:
    try:
        with zipfile.ZipFile(path):
            return True
    except _BROKEN:  # the deployer will give the reason of its refusal
        return False
