"""Where sessions are kept outside of memory (Tomcat: Store.java, session/StoreBase.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError, LimitError, ProtocolError
from catalina.lifecycle import Lifecycle
from catalina.session.session_record import load_session

if TYPE_CHECKING:
    from catalina.session.persistent_manager_base import PersistentManagerBase
    from catalina.session.standard_session import StandardSession

__all__ = ["BrokenSessionError", "StoreBase", "StoreError"]

log = logging.getLogger("org.apache.catalina.session.StoreBase")


class StoreError(CatalinaError):
    """The store cannot be read or written, or what is in it is not a session."""


class BrokenSessionError(StoreError):
    """Something that is in the store under an id is not a session, and will not be one later."""


class StoreBase(Lifecycle):
    """Sessions by id. A subclass does the five operations; each may raise StoreError. Any thread may call."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.manager: PersistentManagerBase | None = None

    def keys(self) -> list[str]:
        """The ids in the store."""
        raise NotImplementedError

    def load(self, session_id: str) -> StandardSession | None:
        """A new session object with the stored state, None when there is none."""
        raise NotImplementedError

    def save(self, session: StandardSession) -> None:
        """Write the session, replacing an older copy."""
        raise NotImplementedError

    def remove(self, session_id: str) -> None:
        """Forget the session; an unknown id is ignored."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget all sessions."""
        for session_id in self.keys():
            self.remove(session_id)

    def expired_keys(self) -> list[str]:
        """The ids worth looking at for expiry; a store that knows the times returns fewer than all."""
        return self.keys()

    def process_expires(self) -> None:
        """Expire what is stored and due: its listeners are told, as for a session in memory."""
        manager = self.manager
        if manager is None:
            return
        try:
            keys = self.expired_keys()
        except StoreError as error:
            log.error("Error getting keys: %s", error)
            return
        for session_id in keys:
            if session_id in manager.sessions:
                continue
            try:
                self._expire(session_id)
            except StoreError as error:
                log.error("Error processing session expiration for key [%s]: %s", session_id, error)
                if isinstance(error, BrokenSessionError):
                    self._remove_broken(session_id)

    def _remove_broken(self, session_id: str) -> None:
        """Nobody can ever read it, and it has no time after which it would go; as in Tomcat."""
        try:
            self.remove(session_id)
        except StoreError as error:
            log.error("Error removing key [%s]: %s", session_id, error)

    def _read(self, data: bytes, session_id: str, place: str) -> StandardSession:
        """The session in the bytes that the store had under its id.

        Args:
            place: where they were, for the error.

        Raises:
            StoreError: it cannot be read; BrokenSessionError: by nobody.
        """
        if self.manager is None:
            raise StoreError(f"{place}: the store has no manager")
        session = self.manager.new_session(session_id)
        try:
            load_session(data, session)
        except LimitError as error:  # a Java node that shares the store may have other limits
            raise StoreError(f"{place}: not a session: {error}") from error
        except ProtocolError as error:
            raise BrokenSessionError(f"{place}: not a session: {error}") from error
        if session.id != session_id:
            raise StoreError(f"{place}: expected session {session_id!r}, got {session.id!r}")
        return session

    def _expire(self, session_id: str) -> None:
        session = self.load(session_id)
        if session is None or session.max_inactive_interval <= 0:
            return
        if session.idle_ms() >= session.max_inactive_interval * 1000:
            session.expire()
            self.remove(session_id)
