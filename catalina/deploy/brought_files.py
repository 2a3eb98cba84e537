"""Records the files and directories that the deployer itself puts into a host's directories.

The deployer deletes or replaces without an order only files that stand in this record and are still the same.
Everything else belongs to somebody else: it stays, or is moved aside under a name that is logged. A path alone proves
nothing.

The record is ``.brought.json`` in the host's work directory. A directory is recognised by a token in its
``META-INF/war-tracker``, a file by inode, time and size, so that an operator's replacement or edited file is not taken
for it. Without the record (somebody emptied ``work``) nothing counts as ours, so nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import stat
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from catalina.deploy.removal import check_removable, remove
from catalina.errors import DeploymentError
from catalina.util.path_names import RESERVED_PREFIX, checked_name

__all__ = ["ARCHIVE", "COMMAND", "COPY_XML", "FARM", "TRACKER", "BroughtFiles", "token_of", "write_tracker"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: The origins of an entry: unpacked from an archive, the farm, the command line, copyXML.
ARCHIVE, FARM, COMMAND, COPY_XML = "archive", "farm", "command", "copyXML"
#: The file with the time of the archive that a directory was made from (Tomcat: Constants.WarTracker), and our token.
TRACKER = "META-INF/war-tracker"
_TRACKER_BYTES = 200


def write_tracker(directory: str, size: int, mtime_ns: int) -> None:
    """Note in a directory that it was made from an archive of that size and time; its token stays, or is made."""
    tracker = os.path.join(directory, TRACKER)
    token = token_of(directory) or uuid.uuid4().hex
    os.makedirs(os.path.dirname(tracker), exist_ok=True)
    with open(tracker, "w", encoding="utf-8") as sink:
        sink.write(f"{size}\n{token}\n")
    os.utime(tracker, ns=(mtime_ns, mtime_ns))


def token_of(directory: str) -> str | None:
    """The token in a directory's tracker; None for a link, or a directory of another origin."""
    if os.path.islink(directory):
        return None
    try:
        with open(os.path.join(directory, TRACKER), "rb") as source:
            lines = source.read(_TRACKER_BYTES).decode("ascii", "replace").split("\n")
    except OSError:
        return None
    return lines[1] if len(lines) > 1 and len(lines[1]) == 32 else None


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file or directory: its origin, and the marks by which it is recognised."""

    by: str
    token: str = ""
    inode: int = 0
    mtime_ns: int = 0
    size: int = 0

    @classmethod
    def of(cls, path: str, by: str) -> _Entry | None:
        """The entry for the file or directory at a path; None for anything that we could not have put there."""
        try:
            status = os.lstat(path)
        except OSError:
            return None
        if stat.S_ISDIR(status.st_mode):
            token = token_of(path)
            return cls(by, token) if token is not None else None
        if stat.S_ISREG(status.st_mode):
            return cls(by, "", status.st_ino, status.st_mtime_ns, status.st_size)
        return None


class BroughtFiles:
    """The record of one host. Any thread.

    Args:
        record: the file of the record.
        places: name in the record -> the directory that the deployer puts files into: appBase, xmlBase.
        keep: the server's own directories, which are never deleted even if appBase contains them.
    """

    def __init__(self, record: str, places: Mapping[str, str], keep: Iterable[str] = ()) -> None:
        self._record = record
        self._places = dict(places)
        self._keep = tuple(keep)
        self._lock = threading.RLock()
        self._entries: dict[str, _Entry] = {}
        self._staging: set[str] = set()
        self._load()
        _records.add(self)

    # -- files of the deployer ------------------------------------------------------------------------------------

    def note(self, path: str, by: str, staged: str | None = None) -> None:
        """Record a file or directory before it appears at its path.

        Args:
            path: its future path, directly in one of the places.
            by: its origin.
            staged: its present path, if it is not there yet.

        Raises:
            DeploymentError: the path lies in none of the places, or the record cannot be written.
        """
        entry = _Entry.of(staged or path, by)
        key = self._key(path)
        if entry is None or key is None:
            raise DeploymentError(f"{path}: cannot be noted as brought by the deployer")
        with self._lock:
            self._entries[key] = entry
            self._save()

    def brought_by(self, path: str) -> str | None:
        """The origin of the file at a path; None when it is somebody else's, was changed since, or does not exist.

        Hosts of one process that share an appBase know each other's records.
        """
        for record in (self, *tuple(_records)):
            entry = record._entry(path)
            if entry is not None and _Entry.of(path, entry.by) == entry:
                return entry.by
        return None

    def _entry(self, path: str) -> _Entry | None:
        key = self._key(path)
        with self._lock:
            return self._entries.get(key) if key is not None else None

    def discard(self, path: str) -> bool:
        """Delete a file or directory of the deployer; any other stays.

        Returns:
            True when nothing is there any more.
        """
        if self.brought_by(path) is None:
            return not os.path.lexists(path)
        return self.remove(path)

    def remove(self, path: str) -> bool:
        """Delete a file or directory directly in one of the places, whatever its origin, at an operator's request.

        Returns:
            True when nothing is there any more.
        """
        inside = self._place(path)
        if inside is None:
            log.error("[%r] is not deleted: it lies in no directory that is deployed from", path)
            return False
        gone = remove(path, inside, self._keep)
        if gone:
            self._forget(path)
        return gone

    def set_aside(self, path: str) -> str:
        """Move somebody else's file or directory out of the way, within the same directory; returns its new path.

        Raises:
            DeploymentError: it cannot be moved.
        """
        directory, name = os.path.split(path)
        inside = self._place(path)
        if inside is None:
            raise DeploymentError(f"{path}: lies in no directory that is deployed from")
        check_removable(path, inside, self._keep)
        when = time.strftime("%Y%m%d-%H%M%S")
        kept = os.path.join(directory, f"{RESERVED_PREFIX}kept-{name}-{when}-{uuid.uuid4().hex[:6]}")
        try:
            os.rename(path, kept)
        except OSError as exc:
            raise DeploymentError(f"{path}: is in the way and cannot be moved aside: {exc.strerror}") from exc
        log.warning("[%s] was not brought by this server; it is now [%s]", path, kept)
        return kept

    def _forget(self, path: str) -> None:
        key = self._key(path)
        with self._lock:
            if key is not None and self._entries.pop(key, None) is not None:
                with contextlib.suppress(DeploymentError):  # the entry no longer fits anything
                    self._save()

    # -- work in progress ----------------------------------------------------------------------------------------

    def stage(self, beside: str, purpose: str) -> str:
        """Make a directory for work in progress in ``beside``, which the next start removes if it is left over.

        Raises:
            DeploymentError: the record cannot be written.
            OSError: the directory cannot be made.
        """
        os.makedirs(beside, exist_ok=True)
        directory = os.path.join(beside, f"{RESERVED_PREFIX}{purpose}-{uuid.uuid4().hex}")
        with self._lock:
            self._staging.add(directory)
            self._save()
        os.mkdir(directory, 0o700)
        return directory

    def end_stage(self, directory: str) -> None:
        """Remove a directory that :meth:`stage` made."""
        with self._lock:
            if directory in self._staging and remove(directory, os.path.dirname(directory), self._keep):
                self._staging.discard(directory)
                self._save()

    def clear_stages(self) -> None:
        """Remove the directories that a process has left that ended in the middle of a deployment."""
        for directory in list(self._staging):
            if os.path.basename(directory).startswith(RESERVED_PREFIX):
                self.end_stage(directory)

    # -- the record ----------------------------------------------------------------------------------------------

    def _find(self, path: str) -> tuple[str, str] | None:
        """The place that a path lies directly in, by label and directory; None for other paths."""
        try:
            where = os.path.realpath(os.path.dirname(path))
            checked_name(os.path.basename(path).removeprefix(RESERVED_PREFIX), "file", "deployment", limit=255)
        except (DeploymentError, ValueError):
            return None
        return next((each for each in self._places.items() if os.path.realpath(each[1]) == where), None)

    def _place(self, path: str) -> str | None:
        found = self._find(path)
        return found[1] if found is not None else None

    def _key(self, path: str) -> str | None:
        """The key of a path, such as ``appBase/shop.war``, which stays the same when the CATALINA_BASE is moved; None
        for paths outside the places.
        """
        found = self._find(path)
        return f"{found[0]}/{os.path.basename(path)}" if found is not None else None

    def _load(self) -> None:
        try:
            with open(self._record, encoding="utf-8") as source:
                stored: dict[str, Any] = json.load(source)
            entries = {str(key): _Entry(**values) for key, values in stored["brought"].items()}
            staging = {str(each) for each in stored["staging"]}
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            log.warning("[%s] cannot be read, so what lies in the host's directories is taken for the operator's: %s",
                        self._record, exc)  # fmt: skip
            return
        self._entries, self._staging = entries, staging

    def _save(self) -> None:
        stored = {
            "brought": {key: asdict(entry) for key, entry in sorted(self._entries.items())},
            "staging": sorted(self._staging),
        }
        directory = os.path.dirname(self._record)
        try:
            os.makedirs(directory, exist_ok=True)
            descriptor, partial = tempfile.mkstemp(prefix=".brought-", dir=directory)
            with os.fdopen(descriptor, "w", encoding="utf-8") as sink:
                json.dump(stored, sink, indent=1)
                sink.flush()
                os.fsync(sink.fileno())
            os.replace(partial, self._record)
        except OSError as exc:
            raise DeploymentError(f"{self._record}: cannot be written: {exc}") from exc


#: The records of this process.
_records: weakref.WeakSet[BroughtFiles] = weakref.WeakSet()
