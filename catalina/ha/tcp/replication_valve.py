"""Replicates a session at the end of its request (Tomcat: ha/tcp/ReplicationValve.java)."""

from __future__ import annotations

import logging
import re
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from catalina.attributes import Attribute
from catalina.ha.request_deliveries import current
from catalina.ha.session.cluster_manager_base import ClusterManagerBase, CompletedRequest
from catalina.java_pattern import pattern
from catalina.operations import Long, operation, readable
from catalina.tribes.channel import Delivery
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.reactor import Reactor

__all__ = ["ReplicationValve"]

log = logging.getLogger("org.apache.catalina.ha.tcp.ReplicationValve")

#: The number of requests after which the averages are logged, with statistics on.
_REPORT_EVERY = 100


class _Channel(Protocol):
    @property
    def reactor(self) -> Reactor | None: ...


class ReplicatingCluster(Protocol):
    """The cluster that the valve stands in, as far as the valve needs it."""

    @property
    def channel(self) -> _Channel | None: ...


class ReplicationValve(ValveBase):
    """Asks the manager of the request's context for the changes, and holds the answer until they are acknowledged.

    When this valve sends, the application has run and the response is complete. The valve sends the changes of all
    requests of one round of the loop together. With a synchronous channel the finished response leaves when the other
    nodes have the changes (or have failed); no thread waits.
    """

    filter = Attribute[re.Pattern[str] | None](
        pattern,
        None,
        doc="After requests whose decoded URI matches as a whole nothing is replicated: static files, for example.",
    )
    primary_indicator = Attribute(
        bool, False, doc="Tell the application in a request attribute whether this node is the session's primary."
    )
    primary_indicator_name = Attribute(
        str, "org.apache.catalina.ha.tcp.isPrimarySession", doc="The name of that request attribute."
    )
    bean_names: ClassVar[dict[str, str]] = {"statistics": "doProcessingStats"}
    bean_hidden: ClassVar[frozenset[str]] = frozenset({"total_request_ms", "total_send_ms", "last_send_time"})

    statistics = Attribute(bool, False, doc="Count requests and the time that replication takes.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.cluster: ReplicatingCluster | None = None
        self.total_request_ms = 0.0
        self.total_send_ms = 0.0
        self.nr_of_requests = 0
        self.nr_of_send_requests = 0
        self.nr_of_filter_requests = 0
        self.nr_of_cross_context_send_requests = 0
        self.last_send_time = 0.0
        #: Guards what follows: a thread that has just lost the loop's role may still add a session.
        self._noting = threading.Lock()
        #: Sessions to look at after the round.
        self._waiting: list[tuple[ClusterManagerBase, CompletedRequest]] = []
        #: The answers of this round wait for these, one for each manager that sends the changes of a round as one.
        self._held: dict[ClusterManagerBase, Delivery] = {}
        self._scheduled = False

    def _start(self) -> None:
        self.settle_attributes()

    def invoke(self, request: Request, response: Response) -> None:
        """Let the request through, then send its changes; with statistics immediately, so that the sending can be
        timed.
        """
        if self.primary_indicator:
            self._indicate_primary(request)
        statistics = self.statistics
        began = sending = time.perf_counter() if statistics else 0.0
        deliveries: list[Delivery] = []
        noted = current.noted
        outer, noted.deliveries = noted.deliveries, deliveries
        try:
            self.next.invoke(request, response)
            if statistics:
                sending = time.perf_counter()
            sent = self._replicate(request, response, statistics)
        finally:
            noted.deliveries = outer
        if statistics:
            self._count(began, sending, sent)
        for delivery in deliveries:
            if not delivery.done:
                response.hold(delivery)

    def _replicate(self, request: Request, response: Response, at_once: bool) -> bool:
        """Send the changes of a request; in the loop's thread, together with the changes of the round's other requests.

        Returns:
            True when something was sent, as far as that is known now.
        """
        context = request.context
        manager = None if context is None else context.manager
        if not isinstance(manager, ClusterManagerBase):
            return False
        session = request.get_session(False)
        if session is None:
            return False
        if self.filter is not None and self.filter.fullmatch(request.decoded_uri):
            self.nr_of_filter_requests += 1
            return False
        channel = None if self.cluster is None else self.cluster.channel
        reactor = None if channel is None else channel.reactor
        if at_once or reactor is None or not reactor.in_runner:
            return manager.replicate(session, request)
        with self._noting:
            held = self._held_for(manager) if manager.answers_wait else None
            self._waiting.append((manager, (session, request, held)))
            is_first, self._scheduled = not self._scheduled, True
        if held is not None:
            response.hold(held)
        if is_first:
            reactor.after_work(self._replicate_waiting)
        return False

    def _held_for(self, manager: ClusterManagerBase) -> Delivery:
        if not manager.sends_as_one:
            return Delivery(1)
        held = self._held.get(manager)
        if held is None:
            held = self._held[manager] = Delivery(1)
        return held

    def _replicate_waiting(self) -> None:
        with self._noting:
            self._scheduled = False
            waiting, self._waiting = self._waiting, []
            self._held.clear()
        by_manager: dict[ClusterManagerBase, list[CompletedRequest]] = {}
        for manager, entry in waiting:
            by_manager.setdefault(manager, []).append(entry)
        for manager, entries in by_manager.items():
            manager.requests_completed(entries)

    def _count(self, began: float, sending: float, sent: bool) -> None:
        ended = time.perf_counter()
        self.nr_of_requests += 1
        self.total_request_ms += (ended - began) * 1000
        if sent:
            self.nr_of_send_requests += 1
            self.total_send_ms += (ended - sending) * 1000
            self.last_send_time = time.time()
        if self.nr_of_requests % _REPORT_EVERY == 0:
            self._report()

    def _indicate_primary(self, request: Request) -> None:
        session_id = request.requested_session_id
        context = request.context
        if session_id and context is not None and context.manager is not None:
            session = context.manager.find_session(session_id)
            request.attributes[self.primary_indicator_name] = session is not None and session.is_primary

    def _report(self) -> None:
        log.info(
            "Average request time=[%.2f] ms with cluster overhead time=[%.2f] ms for [%d] requests, [%d] send "
            "requests, [%d] cross context requests, and [%d] filter requests (Total request=[%d] ms, total cluster "
            "request=[%d] ms).",
            self.total_request_ms / self.nr_of_requests,
            self.total_send_ms / max(1, self.nr_of_send_requests),
            self.nr_of_requests,
            self.nr_of_send_requests,
            self.nr_of_cross_context_send_requests,
            self.nr_of_filter_requests,
            self.total_request_ms,
            self.total_send_ms,
        )

    @property
    @readable("totalRequestTime", doc="Time of all requests, in ms.")
    def _total_request_time(self) -> Long:
        return int(self.total_request_ms)

    @property
    @readable("totalSendTime", doc="Time that replication took of that, in ms.")
    def _total_send_time(self) -> Long:
        return int(self.total_send_ms)

    @property
    @readable("lastSendTime", doc="When something was last replicated, in ms since 1970; 0 for never.")
    def _last_send_ms(self) -> Long:
        return int(self.last_send_time * 1000)

    @operation
    def reset_statistics(self) -> None:
        """Start to count anew."""
        self.total_request_ms = self.total_send_ms = 0.0
        self.nr_of_requests = self.nr_of_send_requests = self.nr_of_filter_requests = 0
        self.nr_of_cross_context_send_requests = 0
