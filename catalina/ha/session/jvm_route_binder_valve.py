"""Keeps a client sticky to its new node after a failover (Tomcat: ha/session/JvmRouteBinderValve.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.connector.request_session import send_session_cookie
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.session.persistent_manager import PersistentManager
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.session.manager_base import ManagerBase
    from catalina.session.standard_session import StandardSession

__all__ = ["JvmRouteBinderValve"]

log = logging.getLogger("org.apache.catalina.ha.session.JvmRouteBinderValve")

DEFAULT_ATTRIBUTE = "org.apache.catalina.ha.session.JvmRouteOriginalSessionID"
#: The attribute in the HOW-TO's spelling, which applications that follow the HOW-TO look for.
HOWTO_ATTRIBUTE = "org.apache.catalina.ha.session.JvmRouteOrignalSessionID"


class JvmRouteBinderValve(ValveBase):
    """Replaces another node's jvmRoute in a session id by this node's, and tells the cookie and all other nodes."""

    bean_operations = ("start", "stop")

    enabled = Attribute(bool, True, doc="Rewrite the node name in the session id after a failover.")
    session_id_attribute = Attribute(
        str, DEFAULT_ATTRIBUTE, doc="Request attribute that keeps the id the client came with; empty for none."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.cluster: SimpleTcpCluster | None = None
        self.number_of_sessions = 0
        self._suffix: str | None = None

    def invoke(self, request: Request, response: Response) -> None:
        """Replace the route of the id if necessary, then let the request through."""
        requested = request.requested_session_id
        if requested is not None and self.enabled:
            manager = self._manager(request)
            if manager is not None and (
                not requested.endswith(self._suffix or self._suffix_of(manager))
                or (session := manager.find_session(requested)) is None
                or session.id != requested
            ):
                self._rebind(request, requested, manager)
        self.next.invoke(request, response)

    def _suffix_of(self, manager: ManagerBase) -> str:
        """The end of this node's ids: a dot and the jvmRoute, which stays the same as long as the engine runs."""
        self._suffix = f".{manager.jvm_route}"
        return self._suffix

    def _manager(self, request: Request) -> ManagerBase | None:
        context = request.context
        if context is None or not context.distributable:
            return None
        manager = context.manager
        if isinstance(manager, PersistentManager):
            return manager
        return manager if isinstance(manager, ClusterManagerBase) and manager.cluster is not None else None

    def _rebind(self, request: Request, requested: str, manager: ManagerBase) -> None:
        bare, dot, route = requested.partition(".")
        if not dot or not bare:
            return
        local = manager.jvm_route
        if not local:
            log.debug("No engine jvmRoute attribute configured!")
            return
        if route == local:
            self._take_back(requested, manager)
            return
        if self._is_at_home(request, requested, route, manager):
            return
        log.debug("Detected a failover with different jvmRoute - original route: [%s] new one: [%s] at session id [%s]",
                  route, local, requested)  # fmt: skip
        new_id = f"{bare}.{local}"
        session = manager.find_session(requested)
        if session is not None:
            self._move(session, new_id)
        elif manager.find_session(new_id) is None:
            moved_to = self._moved_to(requested, manager)
            if moved_to is None:
                log.debug("Cannot find session [%s]", requested)
                return
            self._move(moved_to, new_id)
        self._tell_client(request, requested, new_id)

    @staticmethod
    def _is_at_home(request: Request, requested: str, route: str, manager: ManagerBase) -> bool:
        """True for a session of another worker of this node that accepts: the balancer will find that worker again."""
        if request.context is None or not request.context.serves_route(route):
            return False
        session = manager.find_session(requested)
        return session is not None and session.id == requested

    def _take_back(self, requested: str, manager: ManagerBase) -> None:
        """The session of a request that carries the cookie from before a turnover: the session has another route now.

        Tomcat makes a new session here, so that parallel requests of one page lose the user's session.
        """
        session = manager.find_session(requested) or self._moved_to(requested, manager)
        if session is not None and session.id != requested:
            self._move(session, requested)

    @staticmethod
    def _moved_to(requested: str, manager: ManagerBase) -> StandardSession | None:
        new_id = manager.moved_to(requested) if isinstance(manager, ClusterManagerBase) else None
        return manager.find_session(new_id) if new_id is not None else None

    def _move(self, session: StandardSession, new_id: str) -> None:
        old_id = session.id
        self.fire_lifecycle_event("Before session migration", session)
        session.manager.change_session_id(session, new_id)
        self.fire_lifecycle_event("After session migration", session)
        self.number_of_sessions += 1
        log.debug("Changed session from [%s] to [%s]", old_id, new_id)

    def _tell_client(self, request: Request, old_id: str, new_id: str) -> None:
        request.requested_session_id = new_id
        send_session_cookie(request, new_id)
        if self.session_id_attribute:
            request.attributes[self.session_id_attribute] = old_id
            if self.session_id_attribute == DEFAULT_ATTRIBUTE:
                request.attributes[HOWTO_ATTRIBUTE] = old_id

    def _start(self) -> None:
        self.settle_attributes()
        self._suffix = None
        log.info("JvmRouteBinderValve started")
        if self.cluster is None and (self.container is None or self.container.cluster is None):
            log.info("The JvmRouterBinderValve is configured, but clustering is not being used. Fail over will still "
                     "work, providing a PersistentManager is used.")  # fmt: skip

    def _stop(self) -> None:
        log.info("JvmRouteBinderValve stopped")
