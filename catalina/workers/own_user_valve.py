"""Passes the requests of an application with a user of its own on to its processes: the first valve of its Context in
the node's other workers.

The valves of Engine and Host, and the access logs, have worked here then: they are the operator's, and the processes
have none. The connection stays here, as the next request on it may be for another application: a process gets one
request at a time, and never a client's connection or what TLS knows of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.errors import CatalinaError
from catalina.valves.valve_base import ValveBase
from catalina.workers.relay_connection import RELAYED
from catalina.workers.request_relay import RelayError

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.workers.away_manager import AwayManager
    from catalina.workers.request_relay import RequestRelay

__all__ = ["OwnUserValve"]

log = logging.getLogger("org.apache.catalina.workers.OwnUserValve")


class OwnUserValve(ValveBase):
    """See above.

    Args:
        manager: knows the application's workers.
        number_of: a connector's number among the node's connectors.
    """

    def __init__(self, manager: AwayManager, relay: RequestRelay, number_of: Callable[[object], int]) -> None:
        super().__init__()
        self._manager = manager
        self._relay = relay
        self._number_of = number_of

    def invoke(self, request: Request, response: Response) -> None:
        """Let one of the application's processes answer."""
        if RELAYED in request.notes:  # a worker that knows less than this one would send it to and fro
            self._refuse(503, "no other worker was expected to send it here", request, response)
            return
        requested = request.requested_session_id
        try:
            self._relay.relay(
                lambda: self._manager.worker_for(requested), self._number_of(request.connector), request, response
            )
            response.handed_over = False  # this worker logs it
        except RelayError as error:
            self._refuse(error.status, str(error), request, response)
        except CatalinaError as error:
            self._refuse(503, str(error), request, response)

    @staticmethod
    def _refuse(status: int, why: str, request: Request, response: Response) -> None:
        log.warning("[%s] gets %d: %s", request.request_uri, status, why)
        response.send_error(status)
        if status == 503:
            response.set_header("Retry-After", "1")
