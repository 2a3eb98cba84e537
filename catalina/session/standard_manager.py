"""Keeps sessions in memory and, if wanted, in a file across a restart (Tomcat: session/StandardManager.java)."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from catalina.attributes import Attribute
from catalina.errors import ProtocolError
from catalina.session.manager_base import ManagerBase
from catalina.session.session_record import read_session, write_session
from catalina.session.standard_session import StandardSession
from catalina.tribes.io.java.descriptors import INTEGER, new_object
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

__all__ = ["StandardManager", "store_sessions", "stored_sessions", "write_privately"]

log = logging.getLogger("org.apache.catalina.session.StandardManager")


class StandardManager(ManagerBase):
    """The manager of an application that is not distributable and names no other."""

    pathname = Attribute(
        str,
        None,
        doc="File that keeps the sessions over a restart or reload, relative to the context's work directory; unset or "
        "empty: none are kept. The file is in Tomcat's own form.",
    )

    @property
    def file(self) -> Path | None:
        """The file for the sessions, None when they are not kept."""
        if not self.pathname:
            return None
        return (self.context.work_path if self.context is not None else Path()) / self.pathname

    def _start(self) -> None:
        super()._start()
        file = self.file
        if file is not None:
            self.load(file)

    def _stop(self) -> None:
        file = self.file
        if file is not None:
            self.unload(file)
        for session in self.find_sessions():
            if session.is_valid:
                session.expire()
        super()._stop()

    def load(self, file: Path) -> None:
        """Take the sessions out of the file and delete it. In a broken file, the sessions behind the break are lost."""
        for session in stored_sessions(file, self.new_session):
            self._activate(session)

    def _activate(self, session: StandardSession) -> None:
        self.add(session)
        self.session_counter += 1
        if session.is_valid:  # reading is_valid expires sessions that have become too old
            session.fire_session_event("activateSession")

    def unload(self, file: Path) -> None:
        """Write the valid sessions to the file, all or none, readable by this user only, and remove them from
        memory.
        """
        sessions = [session for session in self.find_sessions() if session.is_valid]
        if not sessions:
            log.debug("No persisted sessions to unload")
            return
        if store_sessions(file, sessions):
            for session in sessions:
                session.expire(notify=False)


def stored_sessions(file: Path, make: Callable[[str], StandardSession]) -> Iterator[StandardSession]:
    """Take the sessions out of a file and delete it. In a broken file, the sessions behind the break are lost.

    Args:
        make: an empty session.
    """
    if not file.exists():
        log.debug("Persisted data file [%s] was not found", file)
        return
    log.debug("Loading persisted sessions from [%s]", file)
    try:
        stream = ObjectInputStream(file.read_bytes())
        for _ in range(stream.read_boxed_int()):
            session = make("")
            read_session(stream, session)
            yield session
    except (OSError, ProtocolError) as error:
        log.error("Exception while loading persisted sessions: %s: %s", file, error)
    finally:
        _delete(file)


def _delete(file: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        log.warning(
            "Unable to delete [%s] after reading the persisted sessions. The continued presence of this file may "
            "cause future attempts to persist sessions to fail. (%s)", file, error,
        )  # fmt: skip


def store_sessions(file: Path, sessions: Sequence[StandardSession]) -> bool:
    """Write sessions to a file, all or none, readable by this user only; True when they are there."""
    log.debug("Saving persisted sessions to [%s]", file)
    out = ObjectOutputStream()
    out.write_node(new_object(INTEGER, value=len(sessions)))
    for session in sessions:
        session.passivate()
        write_session(out, session)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_privately(file, out.getvalue())
    except OSError as error:
        log.error("Exception unloading sessions to persistent storage: %s: %s", file, error)
        return False
    return True


def write_privately(file: Path, data: bytes) -> None:
    """Replace the file in one step; nobody but this user can read it.

    Raises:
        OSError: the file cannot be written; the old one stays.
    """
    # A name that nobody can foresee, because others may be able to write into the directory and place a link there.
    descriptor, name = tempfile.mkstemp(".tmp", f".{file.name}.", file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
