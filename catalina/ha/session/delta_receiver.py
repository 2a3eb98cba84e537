"""What other nodes say about sessions, applied (Tomcat: DeltaManager.messageReceived and its handlers).

Everything here runs in the thread that reads the group's messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.errors import ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_data import SessionData, decode_sessions
from catalina.ha.session.session_message import (
    EVT_ALL_SESSION_DATA,
    EVT_ALL_SESSION_NOCONTEXTMANAGER,
    EVT_ALL_SESSION_TRANSFERCOMPLETE,
    EVT_CHANGE_SESSION_ID,
    EVT_GET_ALL_SESSIONS,
    EVT_SESSION_ACCESSED,
    EVT_SESSION_CREATED,
    EVT_SESSION_DELTA,
    EVT_SESSION_EXPIRED,
    SessionMessage,
    decode_session_id,
)
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager
    from catalina.tribes.member import Member

__all__ = ["DeltaReceiver"]

log = logging.getLogger("org.apache.catalina.ha.session.DeltaManager")


class DeltaReceiver:
    """Changes the sessions of ``manager`` as the messages say."""

    def __init__(self, manager: DeltaManager) -> None:
        self._manager = manager

    def apply(self, message: SessionMessage, sender: Member) -> None:
        """Act on a message. One that cannot be read costs only itself; its sender gets a positive ACK all the same."""
        handle = _HANDLERS.get(message.event)
        if handle is None:
            log.debug("Manager [%s]: unknown event %s from [%s]", self._manager.name, message.event, sender.name)
            return
        try:
            handle(self, message, sender)
        except ProtocolError as error:
            log.error(
                "Manager [%s]: Unable to receive message through TCP channel: %s from [%s]: %s",
                self._manager.name, message.event_name, sender.name, error,
            )  # fmt: skip

    def _find_delta_session(self, session_id: str) -> DeltaSession | None:
        session = self._manager.sessions.get(session_id)
        if session is None:
            new_id = self._manager.recent.new_id(session_id, time.monotonic())
            session = self._manager.sessions.get(new_id) if new_id is not None else None
        return session if isinstance(session, DeltaSession) else None

    def _handle_created(self, message: SessionMessage, sender: Member) -> None:
        session_id = message.session_id or ""
        created_ms = message.timestamp_ms if message.timestamp_ms is not None else self._manager.now_ms()
        if not session_id or session_id in self._manager.sessions:
            return  # a resend; Tomcat would empty the session (wire reference 8.6)
        if self._manager.recent.is_gone(session_id, created_ms, time.monotonic()):
            return
        session = self._manager.new_session(session_id)
        session.creation_time_ms = created_ms
        session.be_backup()
        self._manager.recent.born(session_id)
        self._manager.session_counter += 1
        self._manager.add(session)
        if self._manager.notify_session_listeners_on_replication:
            session.tell_new()
        for early in self._manager.recent.take_early(session_id):
            self.apply(early, sender)

    def _handle_delta(self, message: SessionMessage, sender: Member) -> None:
        session = self._find_delta_session(message.session_id or "")
        if session is None:
            self._not_here(message)
        elif message.session is not None:
            in_order = keeps_order(sender) or message.timestamp_ms is None
            sent = None if in_order else (sender, message.timestamp_ms or 0)
            session.apply(DeltaRequest.decode(message.session), self._manager.notify_listeners_on_replication, sent)

    def _handle_accessed(self, message: SessionMessage, sender: Member) -> None:
        session = self._find_delta_session(message.session_id or "")
        if session is not None:
            session.touched_elsewhere()

    def _handle_expired(self, message: SessionMessage, sender: Member) -> None:
        session_id = message.session_id or ""
        session = self._find_delta_session(session_id)
        timestamp_ms = message.timestamp_ms if message.timestamp_ms is not None else self._manager.now_ms()
        self._manager.recent.expired(session_id, timestamp_ms, time.monotonic())
        if session is not None:
            self._manager.recent.expired(session.id, timestamp_ms, time.monotonic())
            session.expire(self._manager.notify_session_listeners_on_replication, notify_cluster=False)

    def _handle_change_id(self, message: SessionMessage, sender: Member) -> None:
        old_id = message.session_id or ""
        session = self._find_delta_session(old_id)
        if session is None:
            self._not_here(message)
            return
        new_id = decode_session_id(message.session or b"")
        if session.id == new_id or not new_id:
            return
        timestamp_ms = message.timestamp_ms if message.timestamp_ms is not None else self._manager.now_ms()
        self._manager.rename(
            session,
            new_id,
            self._manager.notify_session_listeners_on_replication,
            self._manager.notify_container_listeners_on_replication,
        )
        self._manager.recent.born(new_id)
        self._manager.recent.renamed(old_id, new_id, timestamp_ms, time.monotonic())
        session.is_primary = False
        for early in self._manager.recent.take_early(new_id):
            self.apply(early, sender)

    def _not_here(self, message: SessionMessage) -> None:
        """About a session that this node does not have: not any more, or not yet."""
        session_id = message.session_id or ""
        now = time.monotonic()
        if self._manager.recent.has_ended(session_id, now) or not self._manager.recent.keep_early(message, now):
            log.debug("Manager [%s]: received session delta for unknown session [%s]", self._manager.name, session_id)

    def _handle_get_all(self, message: SessionMessage, sender: Member) -> None:
        self._manager.state_sender.answer(sender)

    def _handle_all_data(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s]: received all session state data", self._manager.name)
        self._manager.transfer.received_data()
        for data in decode_sessions(message.session or b""):
            self._take_over(data, sender)

    def _take_over(self, data: SessionData, sender: Member) -> None:
        """Become a backup of a session of the state, unless this node knows something newer."""
        known = self._manager.sessions.get(data.id)
        now = time.monotonic()
        if known is None:
            if self._manager.recent.is_gone(data.id, data.last_accessed_time_ms, now):
                return
            self._manager.session_counter += 1
        else:
            if known.last_accessed_time_ms >= data.last_accessed_time_ms and getattr(known, "is_primary", True):
                return
            if known.last_accessed_time_ms > data.last_accessed_time_ms:
                return
            log.debug("overload existing session [%s]", data.id)
            self._manager.session_replace_counter += 1
        session = self._manager.new_session(data.id)
        session.restore(data)
        self._manager.add(session)
        if known is None and self._manager.notify_session_listeners_on_replication:
            session.tell_new()
        for early in self._manager.recent.take_early(data.id):
            self.apply(early, sender)

    def _handle_complete(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s] received from node [%s] session state transferred.", self._manager.name, sender.name)
        self._manager.state_transferred = True
        self._manager.transfer.received_complete(message.timestamp_ms)

    def _handle_no_context(self, message: SessionMessage, sender: Member) -> None:
        log.debug("Manager [%s] received from node [%s] no context manager.", self._manager.name, sender.name)
        self._manager.no_context_manager_received = True
        self._manager.transfer.received_no_context()


_HANDLERS: dict[int, Callable[[DeltaReceiver, SessionMessage, Member], None]] = {
    EVT_SESSION_CREATED: DeltaReceiver._handle_created,
    EVT_SESSION_DELTA: DeltaReceiver._handle_delta,
    EVT_SESSION_ACCESSED: DeltaReceiver._handle_accessed,
    EVT_SESSION_EXPIRED: DeltaReceiver._handle_expired,
    EVT_CHANGE_SESSION_ID: DeltaReceiver._handle_change_id,
    EVT_GET_ALL_SESSIONS: DeltaReceiver._handle_get_all,
    EVT_ALL_SESSION_DATA: DeltaReceiver._handle_all_data,
    EVT_ALL_SESSION_TRANSFERCOMPLETE: DeltaReceiver._handle_complete,
    EVT_ALL_SESSION_NOCONTEXTMANAGER: DeltaReceiver._handle_no_context,
}
