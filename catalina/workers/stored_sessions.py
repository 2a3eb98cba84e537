"""Managers of a keeper that keep sessions over a restart of the node: in StandardManager's file, or in a Store.

Workers keep nothing on disk: the keeper has every session, as bytes.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from catalina.ha.session.cluster_manager_base import copy_component
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.delta_session import DeltaSession
from catalina.session.manager_base import ManagerBase
from catalina.session.persistent_manager_base import PersistentManagerBase
from catalina.session.standard_manager import StandardManager, store_sessions, stored_sessions
from catalina.session.store_base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from catalina.reactor import Reactor
    from catalina.session.manager import Manager
    from catalina.session.standard_session import StandardSession
    from catalina.workers.session_copies import SessionCopies

__all__ = ["FileKeepingManager", "StoreKeepingManager", "keeping_manager"]

log = logging.getLogger("org.apache.catalina.session.ManagerBase")


def keeping_manager(declared: Manager | None, reactor: Reactor) -> DeltaManager:
    """The keeper's manager for an application without a group. It keeps sessions as the declared manager would."""
    if isinstance(declared, StandardManager) and declared.pathname:
        return FileKeepingManager(declared)
    if isinstance(declared, PersistentManagerBase) and declared.store is not None:
        return StoreKeepingManager(declared, reactor)
    manager = DeltaManager()
    if isinstance(declared, ManagerBase):
        copy_component(declared, manager)
    return manager


def _take(manager: DeltaManager, stored: StandardSession) -> DeltaSession | None:
    """Make a session from a stored one; None when the session is there already, or its time is up."""
    with manager.lock:
        if manager.ledger.addressed(stored.id) is not None:
            return None
    if not stored.is_valid:
        return None
    session = manager.new_session(stored.id)
    session.max_inactive_interval = stored.max_inactive_interval
    if stored.auth_type is not None:
        session.auth_type = stored.auth_type
    if stored.principal is not None:
        session.principal = stored.principal
    session.take_delta()
    found = [(name, stored.encoded_attribute(name)) for name in stored.attribute_names()]
    manager.commit(session, [(name, encoded) for name, encoded in found if encoded is not None])
    now_ms = manager.now_ms()
    session.adopt(now_ms, stored.creation_time_ms, max(0, now_ms - stored.last_accessed_time_ms), stored.is_new)
    session.is_primary = True
    manager.add(session)
    return session


class FileKeepingManager(DeltaManager):
    """The keeper's manager for a StandardManager with a ``pathname``.

    Args:
        declared: what server.xml says. It reads and writes the file's form.
    """

    def __init__(self, declared: StandardManager) -> None:
        super().__init__()
        copy_component(declared, self)
        self._declared = declared

    def _start(self) -> None:
        super()._start()
        self._declared.context = self.context
        file = self._declared.file
        if file is not None and not self.sessions:
            for stored in stored_sessions(file, self._declared.new_session):
                if _take(self, stored) is not None:
                    self.session_counter += 1

    def _stop(self) -> None:
        file = self._declared.file
        sessions = [session for session in self.find_sessions() if session.is_valid]
        if file is not None and sessions and (self.context is None or not self.context.paused):
            store_sessions(file, sessions)
        super()._stop()


class StoreKeepingManager(PersistentManagerBase, DeltaManager):
    """The keeper's manager for a PersistentManager.

    Sessions that workers have copies of stay in memory; others go to the store, and come back when a worker asks.

    Args:
        declared: what server.xml says, with its store. Stored sessions are read as its own.
        reactor: a worker's question that needs the store is answered in one of its other threads.
    """

    copies: SessionCopies | None

    def __init__(self, declared: PersistentManagerBase, reactor: Reactor) -> None:
        super().__init__()
        copy_component(declared, self)
        self._declared = declared
        self._reactor = reactor
        self.store = declared.store
        declared.sessions = self.sessions  # the store does not touch sessions in memory
        self.resync_on_rejoin = False

    def claim(self, session_id: str, then: Callable[[], None]) -> None:
        """Get a session from the store, if it is there, and go on in the runner."""

        def fetch() -> None:
            try:
                self.swap_in(session_id)
            finally:
                self._reactor.call_soon(then)

        self._reactor.submit(fetch)

    def keep(self, session: DeltaSession) -> None:
        """Store a session that no worker has a copy of any more, so that it outlives this process."""

        def write() -> None:
            self.write_session(session)

        if not self._stopping:
            self._reactor.submit(write)

    def swap_in(self, session_id: str) -> StandardSession | None:
        """See :meth:`PersistentManagerBase.swap_in`."""
        if self.store is None:
            return None
        with self._swap_lock:
            session = self.sessions.get(session_id)
            if session is not None:
                return session
            try:
                stored = self.store.load(session_id)
            except StoreError as error:
                log.error("Exception in the Store during swapIn: [%s]: %s", session_id, error)
                return None
            if stored is None:
                return None
            log.debug("Swapping session [%s] in from Store", session_id)
            self._saved_at[session_id] = stored.this_accessed_time_ms
            return _take(self, stored)

    def swap_out(self, session: StandardSession) -> bool:
        """See :meth:`PersistentManagerBase.swap_out`. A session of which a worker has a copy stays in memory until the
        stop.
        """
        if not isinstance(session, DeltaSession):
            return False
        copies = self.copies
        if not self._stopping and copies is not None and copies.is_held(session.record):
            return False
        if not super().swap_out(session):
            return False
        with self.lock:
            self.ledger.drop(session.record)
        return True

    def _remove_from_store(self, session_id: str) -> None:
        """Remove it in another thread: a database may take its time, and the keeper must not wait."""
        if self._reactor.in_runner:
            self._reactor.submit(partial(super()._remove_from_store, session_id))
        else:
            super()._remove_from_store(session_id)

    def _start(self) -> None:
        self._declared.context = self.context
        if self.copies is not None:
            self.copies.claim = self.claim
            self.copies.keep = self.keep
        super()._start()

    def _stop(self) -> None:
        if (
            self.context is not None and self.context.paused
        ):  # a reload: the sessions stay in memory, for the workers have copies
            DeltaManager._stop(self)
            if self.store is not None:
                self.store.stop()
            return
        self._stopping = True
        super()._stop()
