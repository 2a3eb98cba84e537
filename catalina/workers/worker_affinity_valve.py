"""Sends a connection to the worker that has the session of its request."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from catalina.errors import CatalinaError
from catalina.valves.valve_base import ValveBase
from catalina.workers.away_manager import AwayManager
from catalina.workers.relay_connection import RELAYED
from catalina.workers.request_relay import RelayError
from catalina.workers.worker_manager import WorkerManager

if TYPE_CHECKING:
    from catalina.connector.carried import Context
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.workers.connection_moves import ConnectionMoves
    from catalina.workers.request_relay import RequestRelay

__all__ = ["WorkerAffinityValve"]

#: Seconds that a request waits in a worker that is about to run its application.
AGREE_SECONDS = 5.0
AGAIN_SECONDS = 0.05

log = logging.getLogger("org.apache.catalina.workers.WorkerAffinityValve")


class WorkerAffinityValve(ValveBase):
    """The first valve of an Engine in a worker.

    This worker may serve a request whose session is with another worker: it then gets the session from the keeper. But
    then two workers have the session, and tell each other of each change. Instead, a plain HTTP/1.1 connection can go
    once to the worker that has the session, with the bytes that were read; its next requests then arrive there. This
    worker itself serves a connection that cannot move (TLS, HTTP/2, AJP, a balancer's connections for many sessions).

    Args:
        number_of: a connector's number among the node's connectors.
        worker_of: the worker that has a key of an application.
        runs_in: True when an application runs in the worker of an index. One that has a session may be about to end.
    """

    def __init__(
        self,
        moves: ConnectionMoves,
        relay: RequestRelay,
        number_of: Callable[[object], int],
        worker_of: Callable[[Any, str], int | None],
        runs_in: Callable[[Context, int], bool],
    ) -> None:
        super().__init__()
        self._worker_of = worker_of
        self._moves = moves
        self._relay = relay
        self._number_of = number_of
        self._runs_in = runs_in

    def invoke(self, request: Request, response: Response) -> None:
        """Let the request through, or let it or its connection go."""
        session_id = request.requested_session_id
        context = request.context
        if context is not None:
            if context.affinity is not None and self._has_gone_to_its_key(context, request, response):
                return
            manager = context.manager
            if isinstance(manager, AwayManager) and context.user is not None:
                self.next.invoke(request, response)  # the operator's valves come before the application's processes
                return
            if isinstance(manager, AwayManager):
                self._pass_to_its_worker(manager, request, response)
                return
            if (
                session_id is not None
                and isinstance(manager, WorkerManager)
                and session_id not in manager.sessions
                and self._can_move(request, response)
            ):
                worker = manager.locate(session_id)
                if worker is not None and self._runs_in(context, worker):
                    self._move(worker, request, response)
                    return
        self.next.invoke(request, response)

    def _has_gone_to_its_key(self, context: Context, request: Request, response: Response) -> bool:
        """Let the worker answer that has the request's key; False for a request without one, or that was sent here."""
        key = None if context.affinity is None else _key_of(request, context.affinity)
        worker = None if key is None or RELAYED in request.notes else self._worker_of(context, key)
        if worker is None:
            return False
        if worker == self._moves.index:
            self.next.invoke(request, response)
        else:
            self.pass_on(lambda: worker, request, response)
        return True

    def _can_move(self, request: Request, response: Response) -> bool:
        if not response.can_hand_over or request.connector.has_own_port:
            return False
        return self._moves.may_move((request.remote_addr, request.remote_port))

    def _move(self, worker: int, request: Request, response: Response) -> None:
        response.hand_over(partial(self._moves.move, worker, self._number_of(request.connector)))

    def _pass_to_its_worker(self, manager: AwayManager, request: Request, response: Response) -> None:
        """Let a worker answer that runs the application.

        A request that another worker has sent here stays here, because this worker is about to hear that it runs the
        application; otherwise workers that disagree would send it to and fro.
        """
        if RELAYED in request.notes:
            if self._comes_here(request, response):
                self.next.invoke(request, response)
            else:
                self._refuse(503, "this worker was expected to run the application", request, response)
            return
        self.pass_on(lambda: manager.worker_for(request.requested_session_id), request, response)

    @staticmethod
    def _comes_here(request: Request, response: Response) -> bool:
        """Wait for the application to be here."""
        connector = request.connector
        deadline = time.monotonic() + AGREE_SECONDS
        with connector.reactor.blocking():
            while time.monotonic() < deadline:
                time.sleep(AGAIN_SECONDS)
                if not connector.map_request(request, response) or request.context is None:
                    return False
                if not isinstance(request.context.manager, AwayManager):
                    return True
        return False

    def pass_on(self, choose: Callable[[], int], request: Request, response: Response) -> None:
        """Let another worker answer: the connection goes there when it can, else the request does.

        Args:
            choose: gives the worker's index; asked again when that worker ends before it has begun the request.
        """
        try:
            if self._can_move(request, response):
                self._move(choose(), request, response)
            else:
                self._relay.relay(choose, self._number_of(request.connector), request, response)
        except RelayError as error:
            self._refuse(error.status, str(error), request, response)
        except CatalinaError as error:
            self._refuse(503, str(error), request, response)

    def _refuse(self, status: int, why: str, request: Request, response: Response) -> None:
        """Answer in the name of the host, whose valves write the error page."""
        log.warning("[%s] gets %d: %s", request.request_uri, status, why)
        response.send_error(status)
        if status == 503:
            response.set_header("Retry-After", "1")
        request.context = request.wrapper = None
        self.next.invoke(request, response)


def _key_of(request: Request, affinity: tuple[str, str]) -> str | None:
    """The text of the cookie, parameter or header field; None without one."""
    kind, name = affinity
    if kind == "cookie":
        values = request.cookies.get(name)
        return values[0] if values else None
    if kind == "header":
        return request.headers.get(name.lower())
    for pair in (request.query_string or "").split("&"):
        found, _, value = pair.partition("=")
        if unquote_plus(found) == name:
            return unquote_plus(value)
    return None
