"""Keeps sessions in memory and in a Store (Tomcat: session/PersistentManagerBase.java)."""

from __future__ import annotations

import logging
import threading
from typing import Any

from catalina.attributes import Attribute, Element
from catalina.errors import TooManyActiveSessionsError
from catalina.session.manager_base import ManagerBase
from catalina.session.standard_session import StandardSession
from catalina.session.store_base import StoreBase, StoreError

__all__ = ["PersistentManagerBase"]

log = logging.getLogger("org.apache.catalina.session.PersistentManagerBase")


def _set_store(manager: PersistentManagerBase, store: StoreBase) -> None:
    manager.store = store
    store.manager = manager


class PersistentManagerBase(ManagerBase):
    """Copies idle sessions to the store and removes them from memory; a request brings its session back.

    Every processExpiresFrequency-th background tick checks the idle times.
    """

    elements = {"Store": Element(add=_set_store, role=StoreBase)}

    max_idle_backup = Attribute(
        int,
        -1,
        unit="seconds",
        doc="Idleness after which a copy goes to the store; -1 never. A crash loses what came later.",
    )
    max_idle_swap = Attribute(
        int, -1, unit="seconds", doc="Idleness after which a session leaves memory for the store; -1 never."
    )
    min_idle_swap = Attribute(
        int, -1, unit="seconds", doc="Least idleness of a session that leaves memory to get below maxActiveSessions."
    )
    save_on_restart = Attribute(
        bool, True, doc="true: all sessions go to the store at the stop. false: the store is emptied at the start."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.store: StoreBase | None = None
        self._swap_lock = threading.Lock()
        #: The time of each session's last copy in the store: its ``this_accessed_time_ms`` then.
        self._saved_at: dict[str, int] = {}

    def find_session(self, session_id: str) -> StandardSession | None:
        """The session with that id, fetched from the store when it is not in memory."""
        session = super().find_session(session_id)
        return session if session is not None else self.swap_in(session_id)

    def create_session(self, session_id: str | None = None) -> StandardSession:
        """Make a session; when maxActiveSessions is reached, swap out an idle session that may go.

        Raises:
            TooManyActiveSessionsError: no session may go.
        """
        if 0 <= self.max_active_sessions <= len(self.sessions):
            self.process_max_active_swaps()
        try:
            return super().create_session(session_id)
        except TooManyActiveSessionsError:
            log.warning("Too many active sessions, [%d], and none idle enough to swap out", len(self.sessions))
            raise

    # -- between memory and store --------------------------------------------------------------------------------

    def swap_in(self, session_id: str) -> StandardSession | None:
        """Take the session out of the store; returns None when it is not there, cannot be read or has expired."""
        if self.store is None:
            return None
        with self._swap_lock:  # two requests with one id must get the same session
            session = self.sessions.get(session_id)
            if session is not None:
                return session
            try:
                session = self.store.load(session_id)
            except StoreError as error:
                log.error("Exception in the Store during swapIn: [%s]: %s", session_id, error)
                return None
            if session is None:
                return None
            log.debug("Swapping session [%s] in from Store", session_id)
            self._saved_at[session_id] = session.this_accessed_time_ms
            self.add(session)
        if not session.is_valid:
            log.error("Swapped session [%s] is invalid", session_id)
            self.remove(session)
            return None
        session.fire_session_event("activateSession")
        return session

    def swap_out(self, session: StandardSession) -> bool:
        """Write the session and remove it from memory; returns False, and keeps it, when the store fails."""
        if self.store is None or not session.is_valid:
            return False
        session.passivate()
        if not self.write_session(session):
            return False
        super().remove(session)
        self._saved_at.pop(session.id, None)
        return True

    def write_session(self, session: StandardSession) -> bool:
        """Copy the session to the store; returns True if it is there now."""
        if self.store is None or not session.is_valid:
            return False
        accessed_ms = session.this_accessed_time_ms
        try:
            self.store.save(session)
        except StoreError as error:
            log.error("Error serializing Session [%s]: %s", session.id, error)
            return False
        self._saved_at[session.id] = accessed_ms
        return True

    def remove(self, session: StandardSession, update: bool = False) -> None:
        """Remove the session, from the store too."""
        super().remove(session, update)
        self._saved_at.pop(session.id, None)
        self._remove_from_store(session.id)

    def rename(self, session: StandardSession, new_id: str, notify: bool = True, notify_container: bool = True) -> None:
        """Move the session to ``new_id``, and delete its copy under the old id."""
        old_id = session.id
        super().rename(session, new_id, notify, notify_container)
        self._saved_at.pop(old_id, None)
        self._remove_from_store(old_id)

    def _remove_from_store(self, session_id: str) -> None:
        if self.store is None:
            return
        try:
            self.store.remove(session_id)
        except StoreError as error:
            log.error("Error removing session [%s] from the store: %s", session_id, error)

    # -- background ----------------------------------------------------------------------------------------------

    def process_expires(self) -> int:
        """Expire sessions in memory and in the store, then move idle sessions as configured."""
        expired = super().process_expires()
        self.process_max_idle_swaps()
        self.process_max_active_swaps()
        self.process_max_idle_backups()
        if self.store is not None:
            self.store.process_expires()
        return expired

    def process_max_idle_swaps(self) -> None:
        """Swap out sessions that are idle for maxIdleSwap seconds, but none younger than minIdleSwap."""
        if self.max_idle_swap < 0:
            return
        for session in self.find_sessions():
            idle = session.idle_ms() // 1000
            if idle >= self.max_idle_swap and idle >= self.min_idle_swap and self.swap_out(session):
                log.debug("Swapping session [%s] to Store, idle for [%d] seconds", session.id, idle)

    def process_max_active_swaps(self) -> None:
        """Swap out the most idle sessions until another one fits under maxActiveSessions."""
        limit = self.max_active_sessions
        if limit < 0 or len(self.sessions) < limit:
            return
        log.debug("Too many active sessions, [%d], looking for idle sessions to swap out", len(self.sessions))
        for session in sorted(self.find_sessions(), key=lambda session: session.this_accessed_time_ms):
            if len(self.sessions) < limit:
                return
            idle = session.idle_ms() // 1000
            if idle >= max(0, self.min_idle_swap) and self.swap_out(session):
                log.debug("Swapping out session [%s], idle for [%d] seconds too many sessions active", session.id, idle)

    def process_max_idle_backups(self) -> None:
        """Copy sessions that are idle for maxIdleBackup seconds and were used since their last copy."""
        if self.max_idle_backup < 0:
            return
        for session in self.find_sessions():
            idle = session.idle_ms() // 1000
            if idle >= self.max_idle_backup and self._saved_at.get(session.id) != session.this_accessed_time_ms:
                log.debug("Backing up session [%s] to Store, idle for [%d] seconds", session.id, idle)
                self.write_session(session)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        super()._start()
        if self.store is None:
            log.error("No Store configured, persistence disabled")
            return
        self.store.start()
        if not self.save_on_restart:
            self.store.clear()

    def _stop(self) -> None:
        store = self.store
        if store is not None and self.save_on_restart:
            log.debug("Saving [%d] persisted sessions", len(self.sessions))
            for session in self.find_sessions():
                self.swap_out(session)
        for session in self.find_sessions():
            if session.is_valid:
                session.expire()
        if store is not None:
            store.stop()
        super()._stop()
