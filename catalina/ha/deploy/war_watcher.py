"""Finds changes in the watched directory (Tomcat: ha/deploy/WarWatcher.java)."""

from __future__ import annotations

import os
import time

from catalina.deploy.archive import is_archive_name
from catalina.deploy.settling import Settling, Stamp, stamp_of

__all__ = ["WarWatcher"]


class WarWatcher:
    """Compares the archives in a directory with those of the last look; half-copied ones are left for later.

    Args:
        directory: the watched directory.
    """

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.settling = Settling()
        #: An archive is still being copied, so look again soon.
        self.unsettled = False
        self._known: dict[str, Stamp] = {}
        self._gone_since: dict[str, float] = {}

    def look(self) -> list[str]:
        """Names of archives that are new or changed since the last look."""
        self.unsettled = False
        present = self._present()
        changed = [name for name in present if self._has_changed(name)]
        for name in self._known.keys() - set(present):
            del self._known[name]
        return changed

    def is_gone(self, name: str) -> bool:
        """True when a file that this node has farmed, perhaps before its last start, is no longer here."""
        if not os.path.isdir(self.directory) or os.path.lexists(os.path.join(self.directory, name)):
            self._gone_since.pop(name, None)
            return False
        if time.monotonic() - self._gone_since.setdefault(name, time.monotonic()) < self.settling.quiet:
            self.unsettled = True  # an editor that saves also removes the file for a moment
            return False
        del self._gone_since[name]
        return True

    def _present(self) -> list[str]:
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(name for name in names if is_archive_name(name) and not name.startswith("."))

    def _has_changed(self, name: str) -> bool:
        path = os.path.join(self.directory, name)
        stamp = stamp_of(path)
        if stamp is None or (name in self._known and self._known[name] == stamp):
            return False
        if not self.settling.is_complete(path, time.monotonic(), time.time()):
            self.unsettled = True
            return False
        self._known[name] = stamp
        return True
