"""Keeps sessions outside memory (Tomcat: Store.java, session/StoreBase.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

from catalina.errors import CatalinaError, LimitError, ProtocolError
from catalina.lifecycle import Lifecycle
from catalina.session.session_record import load_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from catalina.session.attribute_codec import AttributeCodec
    from catalina.session.manager import ManagerContext
    from catalina.session.standard_session import StandardSession

__all__ = ["BrokenSessionError", "StoreBase", "StoreError"]

log = logging.getLogger("org.apache.catalina.session.StoreBase")


class StoreError(CatalinaError):
    """The store cannot be read or written, or its content is no session."""


class BrokenSessionError(StoreError):
    """The content of the store under an id is no session, and will never be one."""


class StoringManager(Protocol):
    """The part of its manager that a store needs."""

    @property
    def context(self) -> ManagerContext | None: ...

    @property
    def codec(self) -> AttributeCodec: ...

    @property
    def now_ms(self) -> Callable[[], int]: ...

    @property
    def sessions(self) -> Mapping[str, StandardSession]: ...

    def new_session(self, session_id: str) -> StandardSession: ...


class StoreBase(Lifecycle):
    """Sessions by id. A subclass implements the five operations, which may raise StoreError. Any thread may call
    them.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.manager: StoringManager | None = None

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
        """Delete the session; an unknown id is ignored."""
        raise NotImplementedError

    def clear(self) -> None:
        """Delete all sessions."""
        for session_id in self.keys():
            self.remove(session_id)

    def expired_keys(self) -> list[str]:
        """The ids to check for expiry; a store that knows the times returns only some of all ids."""
        return self.keys()

    def process_expires(self) -> None:
        """Expire stored sessions whose time is over, and tell their listeners as for a session in memory."""
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
        """Delete an entry that nobody can ever read, and that has no time at which it would expire; as in Tomcat."""
        try:
            self.remove(session_id)
        except StoreError as error:
            log.error("Error removing key [%s]: %s", session_id, error)

    def _read(self, data: bytes, session_id: str, place: str) -> StandardSession:
        """Decode the bytes that the store has under an id.

        Args:
            place: the place of the bytes, for the error.

        Raises:
            StoreError: this node cannot read the session.
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
