"""Stores the session after each request, so that the next request may go to any node.

Tomcat: valves/PersistentValve.java. It is only useful with a manager that has a store.
"""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.java_pattern import pattern
from catalina.node_state import refuse_workers
from catalina.session.persistent_manager_base import PersistentManagerBase
from catalina.session.standard_session import StandardSession
from catalina.valves.semaphore_valve import acquire
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["PersistentValve"]

log = logging.getLogger("org.apache.catalina.valves.PersistentValve")

SERVER_ERROR, TOO_MANY_REQUESTS = 500, 429


class _InUse:
    """The lock of one session id, and the number of requests that hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0


class PersistentValve(ValveBase):
    """Lets one request at a time use a session: the next request loads what this one has stored."""

    filter: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of paths whose requests need no session (static files)."
    )
    semaphore_fairness = Attribute(bool, True, inert="the request that waits longest is served first")
    semaphore_block_on_acquire = Attribute(bool, True, doc="Wait while another request has the session; false is 429.")
    semaphore_acquire_uninterruptibly = Attribute(bool, True, inert="a waiting thread cannot be interrupted")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._in_use: dict[str, _InUse] = {}
        self._lock = threading.Lock()

    def _start(self) -> None:
        super()._start()
        refuse_workers(self, self.container)

    def invoke(self, request: Request, response: Response) -> None:
        """Pass the request on, then store the session; requests of one session run one after another."""
        if self.filter is not None and self.filter.fullmatch(request.decoded_uri):
            self.next.invoke(request, response)
            return
        if request.context is None:
            response.send_error(SERVER_ERROR, "No Context to process this request")
            return
        session_id = request.requested_session_id
        if session_id is None:
            self._run(request, response)
            return
        in_use = self._enter(session_id)
        try:
            if not acquire(in_use.lock, request, self.semaphore_block_on_acquire):
                response.send_error(TOO_MANY_REQUESTS)
                return
            try:
                self._run(request, response)
            finally:
                in_use.lock.release()
        finally:
            self._leave(session_id, in_use)

    def _enter(self, session_id: str) -> _InUse:
        with self._lock:
            in_use = self._in_use.setdefault(session_id, _InUse())
            in_use.users += 1
            return in_use

    def _leave(self, session_id: str, in_use: _InUse) -> None:
        with self._lock:
            in_use.users -= 1
            if in_use.users == 0:
                del self._in_use[session_id]

    def _run(self, request: Request, response: Response) -> None:
        """The manager fetches the session when it is first needed: between requests it is in no node's memory."""
        try:
            self.next.invoke(request, response)
        finally:
            session = request.get_session(False)
            if isinstance(session, StandardSession):
                _store(session)


def _store(session: StandardSession) -> None:
    manager = session.manager
    if isinstance(manager, PersistentManagerBase) and not manager.swap_out(session):
        log.warning("Saving session [%s] to the store failed", session.id)
