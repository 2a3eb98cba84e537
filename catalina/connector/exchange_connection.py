"""Connections that carry one request after the other: who runs a request, and when its answer may leave."""

from __future__ import annotations

import logging
import math
import socket
from typing import TYPE_CHECKING, Any

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.stream_connection import StreamConnection

if TYPE_CHECKING:
    from catalina.connector.endpoint import Endpoint
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ExchangeConnection"]

log = logging.getLogger("org.apache.catalina.connector.Connection")


class ExchangeConnection(StreamConnection):
    """Runs requests of a connection, each in the loop's thread if it is quick.

    A subclass parses in :meth:`_advance` and calls :meth:`_dispatch` with a request; when that returns True the answer
    has been handed to the kernel and the next request can be parsed. When it returns False somebody else goes on: in
    the loop's thread the request runs when all connections have been read, and its answer leaves when all their
    requests have run (:mod:`catalina.reactor` says why).
    """

    __slots__ = ("_request", "_response", "_unanswered")

    _request: Request
    _response: Response

    def __init__(self, endpoint: Endpoint, sock: socket.socket, peer: tuple[str, int]) -> None:
        super().__init__(endpoint, sock, peer)
        #: True when the request gets no answer here: its client has gone, or another process goes on with it.
        self._unanswered = False

    def _advance(self) -> None:
        """Parse what has come and dispatch it; at the end wait for input."""
        raise NotImplementedError

    def _next(self) -> bool:
        """An answer has left: prepare for the next request. False when there is none (closed, or more to read away)."""
        raise NotImplementedError

    # Running

    def running_requests(self) -> list[Request]:
        """The request that runs now, if one does."""
        return [self._request] if self.running else []

    def _dispatch(self, request: Request, response: Response) -> bool:
        self._request, self._response = request, response
        self._unanswered = False
        self.running = True
        self.deadline = math.inf
        if self._attached:
            self.reactor.after_input(self._run_in_loop)
            return False
        self._exchange()  # this thread is not the loop's, so it may take its time
        return self._conclude()

    def _run_in_loop(self) -> None:
        """Run the request in the loop's thread, or in another one when its path was slow lately."""
        if self.closed:
            return
        executor = self.endpoint.executor
        path = self._request.request_uri
        all_quick = executor.all_quick
        if not all_quick and not executor.runs_inline(path, self._body_is_here()):
            self._detach()
            if not executor.submit(self._run_in_pool):
                self.endpoint.messages.log(
                    logging.WARNING, "requests too many for maxQueueSize",
                    "%s: too many requests wait for a thread, closing %r", self.endpoint.connector, self,
                )  # fmt: skip
                self.close()
        elif self.reactor.run_call(self._exchange, self._on_handover):
            if not all_quick:
                executor.was_quick(path)
            if self._may_leave():
                self.reactor.after_work(self._release)
        else:
            self._guard()
            executor.run_waiting()

    def _on_handover(self) -> None:
        """The request is slow: its thread is no longer the loop's. Called by the monitor."""
        self._detach()
        self.endpoint.executor.handed_over(self, self._request.request_uri)

    def _run_in_pool(self) -> None:
        self._exchange()
        self._guard()

    def _guard(self) -> None:
        """Go on outside of the loop; a fault here costs this connection only."""
        try:
            if self._conclude():
                self._advance()
        except BaseException:  # noqa: BLE001 - log_fault logs it
            self.endpoint.log_fault(self)
            self.close()

    def _exchange(self) -> None:
        """The request through the container; its end follows when the loop, or this thread, comes to it."""
        try:
            try:
                self.endpoint.adapter.service(self._request, self._response)
            except ClientAbortException as exc:
                self._on_abort(exc)
        except BaseException:  # noqa: BLE001 - log_fault logs what foreign code did where nobody expects it
            self.endpoint.log_fault(self)
            self._unanswered = True

    def _on_abort(self, exc: ClientAbortException) -> None:
        log.debug("%r: %s", self, exc)
        self._unanswered = True
        if exc.status is None or self._response.committed:
            return
        try:
            self.endpoint.adapter.refuse(self._request, self._response, exc.status, str(exc))
            self._response.finish()
            self._unanswered = False
        except ClientAbortException:
            log.debug("%r has gone", self)

    def _body_is_here(self) -> bool:
        """True when the request can be read without waiting for the client."""
        return True

    # Answering

    def _conclude(self) -> bool:
        """After an exchange outside of the loop's thread: True when the next request may be parsed."""
        return self._may_leave() and self._finish()

    def _may_leave(self) -> bool:
        """Whether nothing holds the answer; when something does, the loop's thread goes on once that is over."""
        if self._unanswered:
            self._end_unanswered()
            return False
        delivery = None if self._response.finished else self._response.held_by
        if delivery is not None:
            delivery.add_done_callback(self._on_delivered)  # last: it may call back at once
        return delivery is None

    def _end_unanswered(self) -> None:
        """There is no answer to this request, and no way to begin another one."""
        self.close()

    def _on_delivered(self, _: Any) -> None:
        self.reactor.after_work(self._release)

    def _release(self) -> None:
        """Nothing holds the answer any more. In the loop's thread, which must not wait for the client."""
        if self.closed:
            return
        if not self._attached:
            self._attach(self._interest)
        self._may_wait = False
        try:
            if self._finish():
                self._advance()
        except BaseException:  # noqa: BLE001 - log_fault logs it
            self.endpoint.log_fault(self)
            self.close()
        finally:
            self._may_wait = True

    def _finish(self) -> bool:
        """Send what is left of the answer: True when the next request may be parsed."""
        try:
            self._response.finish()
        except ClientAbortException as exc:
            log.debug("%r: %s", self, exc)
            self.close()
            return False
        return self._answered()

    def _answered(self) -> bool:
        if self._out:
            self._await_output()
            return False
        self.running = False
        self._request.release()
        return self._next()

    def _on_output_sent(self) -> None:
        self.running = False
        self._request.release()
        if self._next():
            self._advance()
