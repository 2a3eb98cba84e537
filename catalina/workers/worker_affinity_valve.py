"""Sends a connection to the worker that has the session of its request."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from catalina.valves.valve_base import ValveBase
from catalina.workers.worker_manager import WorkerManager

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.workers.connection_moves import ConnectionMoves

__all__ = ["WorkerAffinityValve"]


class WorkerAffinityValve(ValveBase):
    """The first valve of an Engine in a worker.

    This worker may serve a request whose session is with another worker: it then gets the session from the keeper. But
    then two workers have the session, and tell each other of each change. Instead, a plain HTTP/1.1 connection can go
    once to the worker that has the session, with the bytes that were read; its next requests then arrive there. This
    worker itself serves a connection that cannot move (TLS, HTTP/2, AJP, a balancer's connections for many sessions).

    Args:
        number_of: a connector's number among the node's connectors.
    """

    def __init__(self, moves: ConnectionMoves, number_of: Callable[[object], int]) -> None:
        super().__init__()
        self._moves = moves
        self._number_of = number_of

    def invoke(self, request: Request, response: Response) -> None:
        """Let the request through, or its connection go."""
        session_id = request.requested_session_id
        if session_id is not None and request.context is not None:
            manager = request.context.manager
            if (
                isinstance(manager, WorkerManager)
                and session_id not in manager.sessions
                and response.can_hand_over
                and self._moves.may_move((request.remote_addr, request.remote_port))
            ):
                worker = manager.locate(session_id)
                if worker is not None:
                    response.hand_over(partial(self._moves.move, worker, self._number_of(request.connector)))
                    return
        self.next.invoke(request, response)
