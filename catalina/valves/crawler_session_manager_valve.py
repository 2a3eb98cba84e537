"""Gives each crawler one session instead of one for each of its requests (Tomcat: CrawlerSessionManagerValve.java)."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import CatalinaError
from catalina.java_pattern import compile_pattern, pattern
from catalina.node_state import NodeState, node_state
from catalina.valves.valve_base import ValveBase, position_of

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.session.session import Session

__all__ = ["CrawlerSessionManagerValve", "CrawlerSessions"]

log = logging.getLogger("org.apache.catalina.valves.CrawlerSessionManagerValve")

#: The number of crawlers that are remembered. An entry ends with its session; the limit stops attackers with many
#: addresses.
MAX_CRAWLERS = 10_000


class CrawlerSessions(NodeState):
    """The sessions of crawlers, in all processes of a node."""

    shared = frozenset({"forget", "note", "of"})

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def of(self, client: str) -> str | None:
        """The id of a crawler's session, None for one that has none."""
        return self._ids.get(client)

    def note(self, client: str, session_id: str) -> None:
        """A crawler has made a session."""
        with self._lock:
            while len(self._ids) >= MAX_CRAWLERS:
                del self._ids[next(iter(self._ids))]
            self._ids[client] = session_id

    def forget(self, client: str, session_id: str) -> None:
        """A crawler's session has ended."""
        with self._lock:
            if self._ids.get(client) == session_id:
                del self._ids[client]


class CrawlerSessionManagerValve(ValveBase):
    """Crawlers send no cookies back, so this valve gives them the session of their last request."""

    crawler_user_agents: Attribute[re.Pattern[str] | None] = Attribute(
        pattern,
        compile_pattern(r".*[bB]ot.*|.*Yahoo! Slurp.*|.*Feedfetcher-Google.*"),
        doc="Regular expression of User-Agent values of crawlers.",
    )
    crawler_ips: Attribute[re.Pattern[str] | None] = Attribute(
        pattern, None, doc="Regular expression of addresses of crawlers."
    )
    host_aware = Attribute(bool, True, doc="A session for each host.")
    context_aware = Attribute(bool, True, doc="A session for each application.")
    session_inactive_interval = Attribute(int, 60, unit="seconds", doc="Idle life of a crawler's session.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._sessions = CrawlerSessions()

    def _start(self) -> None:
        super()._start()
        shared = node_state(CrawlerSessions, self.container, f"CrawlerSessionManagerValve{position_of(self)}")
        if shared is not None:
            self._sessions = shared

    def invoke(self, request: Request, response: Response) -> None:
        """Give a known crawler its session; remember the session that a new crawler makes."""
        is_crawler = request.host is not None and request.get_session(False) is None and self._is_crawler(request)
        if not is_crawler:
            self.next.invoke(request, response)
            return
        client = self._identifier(request)
        known = self._sessions.of(client)
        if known is not None:
            request.requested_session_id = known
        self.next.invoke(request, response)
        session = request.get_session(False)
        if session is not None and session.id != known:  # the known one may have ended, and nobody has said so here
            self._remember(client, session)

    def _is_crawler(self, request: Request) -> bool:
        if self.crawler_ips is not None and self.crawler_ips.fullmatch(request.remote_addr):
            return True
        agents = request.headers.get_all("user-agent")
        # A client with two User-Agent fields is no crawler that plays by the rules.
        return (
            self.crawler_user_agents is not None
            and len(agents) == 1
            and bool(self.crawler_user_agents.fullmatch(agents[0]))
        )

    def _identifier(self, request: Request) -> str:
        host = f"-{request.host.name}" if self.host_aware and request.host is not None else ""
        context = request.context.name if self.context_aware and request.context is not None else ""
        return f"{request.remote_addr}{host}{context}"

    def _remember(self, client: str, session: Session) -> None:
        session.max_inactive_interval = self.session_inactive_interval
        self._sessions.note(client, session.id)
        session.add_session_listener(lambda ended, event: self._forget(client, ended, event))

    def _forget(self, client: str, session: Session, event: str) -> None:
        if event == "destroySession":
            try:
                self._sessions.forget(client, session.id)
            except CatalinaError as error:  # the keeper has gone, and what it knew of crawlers with it
                log.debug("The session of a crawler is not forgotten: %s", error)
