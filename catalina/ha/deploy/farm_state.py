"""Remembers, across restarts, which version of each farmed file counts and which files were removed.

All nodes arrive at the same state, because on all of them the newer stamp wins, whatever the order of the messages.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass

from catalina.ha.deploy.file_message_factory import FarmFile

__all__ = ["FarmState", "Removal"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")

#: The number of removals that are remembered; a node that was away for longer keeps its files.
MAX_REMOVALS = 1000


@dataclass(frozen=True, slots=True)
class Removal:
    """A context that the farm has removed."""

    context: str
    stamp_ms: int


class FarmState:
    """Files by name and removals by context. Any thread.

    Args:
        path: the JSON file with the state; None keeps it in memory only.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._files: dict[str, FarmFile] = {}
        self._removals: dict[str, Removal] = {}
        self._own: set[str] = set()
        if path is not None:
            self._load(path)

    @property
    def files(self) -> list[FarmFile]:
        """The files that count at present."""
        with self._lock:
            return list(self._files.values())

    @property
    def removals(self) -> list[Removal]:
        """The files that were removed and have not come again."""
        with self._lock:
            return list(self._removals.values())

    @property
    def own(self) -> frozenset[str]:
        """Names of files that came from this node's watched directory."""
        with self._lock:
            return frozenset(self._own & self._files.keys())

    def is_news(self, file: FarmFile) -> bool:
        """True when a file is newer than everything known of its name and its context."""
        with self._lock:
            known, removal = self._files.get(file.name), self._removals.get(file.context)
            return (known is None or file.order > known.order) and (removal is None or file.stamp_ms > removal.stamp_ms)

    def put(self, file: FarmFile, own: bool = False) -> None:
        """Let this version of the file count from now on.

        Args:
            own: it came from this node's watched directory. Only the node whose version counts may end it by removing
                the file there.
        """
        with self._lock:
            if own:
                self._own.add(file.name)
            else:
                self._own.discard(file.name)
            self._files[file.name] = file
            self._removals.pop(file.context, None)
            self._save()

    def remove(self, removal: Removal) -> bool:
        """Note that the context is removed.

        Returns:
            False when a newer file of it counts, or the removal is known.
        """
        with self._lock:
            files = [file for file in self._files.values() if file.context == removal.context]
            known = self._removals.get(removal.context)
            if any(file.stamp_ms > removal.stamp_ms for file in files):
                return False
            if known is not None and known.stamp_ms >= removal.stamp_ms:
                return False
            for file in files:
                del self._files[file.name]
            self._removals.pop(removal.context, None)
            self._removals[removal.context] = removal
            while len(self._removals) > MAX_REMOVALS:
                del self._removals[next(iter(self._removals))]
            self._save()
            return True

    def _load(self, path: str) -> None:
        try:
            with open(path, encoding="utf-8") as source:
                stored = json.load(source)
            for each in stored["files"]:
                file = FarmFile(
                    each["name"], each["context"], each["size"], bytes.fromhex(each["sha256"]), each["stamp"]
                )
                self._files[file.name] = file
            for each in stored["removals"]:
                self._removals[each["context"]] = Removal(each["context"], each["stamp"])
            self._own = set(stored["own"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as exc:
            log.warning("[%s] cannot be read, the farm's files are taken for new: %s", path, exc)
            self._files, self._removals, self._own = {}, {}, set()

    def _save(self) -> None:
        if self._path is None:
            return
        stored = {
            "files": [
                {"name": each.name, "context": each.context, "size": each.size, "sha256": each.sha256.hex(),
                 "stamp": each.stamp_ms}
                for each in self._files.values()
            ],
            "removals": [{"context": each.context, "stamp": each.stamp_ms} for each in self._removals.values()],
            "own": sorted(self._own & self._files.keys()),
        }  # fmt: skip
        partial = f"{self._path}.partial"
        with open(partial, "w", encoding="utf-8") as sink:
            json.dump(stored, sink, indent=1)
        os.replace(partial, self._path)
