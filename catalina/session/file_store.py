"""One file per session (Tomcat: session/FileStore.java)."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.session.session_record import dump_session
from catalina.session.standard_manager import write_privately
from catalina.session.store_base import StoreBase, StoreError

if TYPE_CHECKING:
    from catalina.session.standard_session import StandardSession

__all__ = ["FileStore"]

log = logging.getLogger("org.apache.catalina.session.FileStore")

_SUFFIX = ".session"
#: Ids that may be names of files; a client chooses the id that is looked up.
_SAFE_ID = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z._-]{0,200}")


class FileStore(StoreBase):
    """``<directory>/<id>.session``, in the form of Tomcat's own files."""

    directory = Attribute(
        str, ".", doc="Where the files go, relative to the context's work directory. Several nodes may share it."
    )
    check_interval = Attribute(
        int, 60, unit="seconds", inert="the manager's background tick looks for expired sessions"
    )

    @property
    def path(self) -> Path:
        """The directory."""
        context = None if self.manager is None else self.manager.context
        return (context.work_path if context is not None else Path()) / self.directory

    def _file(self, session_id: str) -> Path | None:
        if _SAFE_ID.fullmatch(session_id) is None:
            log.warning("Invalid persistence file for session ID [%r]", session_id)
            return None
        return self.path / (session_id + _SUFFIX)

    def keys(self) -> list[str]:
        """The ids in the store."""
        try:
            return [
                file.name[: -len(_SUFFIX)] for file in self.path.glob("*" + _SUFFIX) if not file.name.startswith(".")
            ]
        except OSError as error:
            raise StoreError(f"FileStore {self.path}: {error}") from error

    def load(self, session_id: str) -> StandardSession | None:
        """The stored session, None when there is none."""
        file = self._file(session_id)
        if file is None or self.manager is None:
            return None
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"FileStore {file}: {error}") from error
        log.debug("Loading Session [%s] from file [%s]", session_id, file)
        return self._read(data, session_id, f"FileStore {file}")

    def save(self, session: StandardSession) -> None:
        """Write the session's file in one step."""
        file = self._file(session.id)
        if file is None:
            raise StoreError(f"FileStore: the id {session.id!r} cannot be a file's name")
        log.debug("Saving Session [%s] to file [%s]", session.id, file)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            write_privately(file, dump_session(session))
        except OSError as error:
            raise StoreError(f"FileStore {file}: {error}") from error

    def remove(self, session_id: str) -> None:
        """Delete the session's file."""
        file = self._file(session_id)
        if file is None:
            return
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"FileStore {file}: {error}") from error
