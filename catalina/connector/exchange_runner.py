"""The runner of a connection that carries one request after the other: it decides in which thread a request runs, and
when its answer may leave."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.connection import Connection, ConnectionHost
from catalina.connector.stream import Stream

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ExchangeConnection", "ExchangeRunner"]

log = logging.getLogger("org.apache.catalina.connector.Connection")


class ExchangeRunner:
    """Runs the requests of one connection, each in the loop's thread if it is quick.

    When :meth:`run` returns True, the kernel has the answer, and the next request can be parsed. When it returns False,
    the request is continued elsewhere: in the loop's thread it runs when all connections have been read, and its answer
    leaves when all their requests have run (:mod:`catalina.reactor` says why).

    Args:
        host: the endpoint.
        stream: the stream of the connection.
        user: the connection.
    """

    __slots__ = ("_host", "_reactor", "_stream", "_user", "request", "response", "running", "unanswered")

    #: The exchange in progress, or the last one; the parsing code sets both.
    request: Request
    response: Response

    def __init__(self, host: ConnectionHost, stream: Stream, user: ExchangeConnection) -> None:
        self._host = host
        self._stream = stream
        self._reactor = stream.reactor
        self._user = user
        #: True while a request is processed or held, or its answer on the way.
        self.running = False
        #: True when the request gets no answer here: its client has gone, or another process continues it.
        self.unanswered = False

    def stop(self) -> None:
        """The connection has closed. It may be that a thread is still in its request, and finds out by itself."""
        if not self.running:  # these refer back to this, and the garbage collection has enough to do
            del self._user
            self.response = None  # type: ignore[assignment]  # nobody asks for it any more
        self.running = False

    # Running

    def run(self) -> bool:
        """Run the request that was begun."""
        self.running = True
        stream = self._stream
        stream.deadline = inf
        if stream.attached:
            self._reactor.after_input(self._run_in_loop)
            return False
        self._exchange()  # this thread is not the loop's, so it may take its time
        return self._conclude()

    def _run_in_loop(self) -> None:
        """Run the request in the loop's thread, or in another one if its path was slow lately."""
        if self._stream.closed:
            return
        executor = self._host.executor
        path = self.request.request_uri
        all_quick = executor.all_quick
        if not all_quick and not executor.runs_inline(path, self._user.body_is_here):
            self._stream.detach()
            if not executor.submit(self._run_in_pool):
                self._host.messages.log(
                    logging.WARNING, "requests too many for maxQueueSize",
                    "%s: too many requests wait for a thread, closing %r", self._host, self._user,
                )  # fmt: skip
                self._user.close()
        elif self._reactor.run_call(self._exchange, self._on_handover):
            if not all_quick:
                executor.was_quick(path)
            if self._may_leave():
                self._reactor.after_work(self._release)
        else:
            self._guard()
            executor.run_waiting()

    def refuse(self, status: int, text: str) -> None:
        """Answer the current, invalid request through the engine's valves; it must be the last one."""
        self.running = True
        self._stream.deadline = inf
        user = self._user  # deleted when it closes
        try:
            self._host.adapter.refuse(self.request, self.response, status, text)
        except ClientAbortException:
            user.close()
            return
        if self._finish():  # never: the connection is closing
            user.close()

    def _on_handover(self) -> None:
        """The request is slow: its thread is no longer the loop's. Called by the monitor."""
        self._stream.detach()
        self._host.executor.handed_over(self._stream, self.request.request_uri)

    def _run_in_pool(self) -> None:
        self._exchange()
        self._guard()

    def _guard(self) -> None:
        """Continue outside the loop; a fault here affects only this connection."""
        user = self._user  # deleted when it closes
        try:
            if self._conclude():
                user.advance()
        except BaseException:  # noqa: BLE001 - log_fault logs it
            self._host.log_fault(user)
            user.close()

    def _exchange(self) -> None:
        """Run the request through the container; its end follows when the loop, or this thread, comes to it."""
        try:
            try:
                self._host.adapter.service(self.request, self.response)
            except ClientAbortException as exc:
                self._on_abort(exc)
        except BaseException:  # noqa: BLE001 - log_fault logs what foreign code did where nobody expects it
            self._host.log_fault(self._user)
            self.unanswered = True

    def _on_abort(self, exc: ClientAbortException) -> None:
        log.debug("%r: %s", self._user, exc)
        self.unanswered = True
        if exc.status is None or self.response.committed:
            return
        try:
            self._host.adapter.refuse(self.request, self.response, exc.status, str(exc))
            self.response.finish()
            self.unanswered = False
        except ClientAbortException:
            log.debug("%r has gone", self._user)

    # Answering

    def _conclude(self) -> bool:
        """Finish an exchange outside the loop's thread; returns True when the next request may be parsed."""
        return self._may_leave() and self._finish()

    def _may_leave(self) -> bool:
        """True when nothing holds the answer; otherwise the loop's thread continues once nothing does."""
        if self.unanswered:
            self._user.end_unanswered()
            return False
        response = self.response
        delivery = response.delivery
        if delivery is None or delivery.done or response.finished:
            return True
        delivery.add_done_callback(self._on_delivered)  # last, because it may call back at once
        return False

    def _on_delivered(self, _: object) -> None:
        self._reactor.after_work(self._release)

    def _release(self) -> None:
        """Nothing holds the answer any more. In the loop's thread, which must not wait for the client."""
        stream = self._stream
        if stream.closed:
            return
        if not stream.attached:
            stream.attach(stream.interest)
        stream.may_wait = False
        user = self._user  # deleted when it closes
        try:
            if self._finish():
                user.advance()
        except BaseException:  # noqa: BLE001 - log_fault logs it
            self._host.log_fault(user)
            user.close()
        finally:
            stream.may_wait = True

    def _finish(self) -> bool:
        """Send the rest of the answer; returns True when the next request may be parsed."""
        try:
            self.response.finish()
        except ClientAbortException as exc:
            log.debug("%r: %s", self._user, exc)
            self._user.close()
            return False
        if self._stream.out:
            self._stream.await_output()
            return False
        self.running = False
        self.request.release()
        return self._user.next()

    def output_sent(self) -> None:
        """The client has taken the rest of the answer: continue."""
        self.running = False
        self.request.release()
        if self._user.next():
            self._user.advance()


class ExchangeConnection(Connection):
    """A connection that carries one request after another. A subclass parses, and is the outlet of the responses."""

    __slots__ = ("runner",)

    def __init__(self, host: ConnectionHost, stream: Stream) -> None:
        super().__init__(host, stream)
        self.runner = ExchangeRunner(host, stream, self)

    def take_input(self) -> bytes:
        """The bytes that have come; empty when there is nothing to do. It closes when the client has gone. While an
        answer is held, what comes waits in the socket.
        """
        if self.runner.running:
            self.stream.detach()
            return b""
        data = self.stream.receive()
        if data is None:
            return b""
        if not data:
            self.close()
        return data

    # For a subclass to do

    @property
    def body_is_here(self) -> bool:
        """True when the request can be read without waiting for the client."""
        raise NotImplementedError

    def advance(self) -> None:
        """Parse the received bytes and run requests; at the end wait for input."""
        raise NotImplementedError

    def next(self) -> bool:
        """An answer has left; returns True when the next request can be parsed, False when that must wait or never
        comes.
        """
        raise NotImplementedError

    def end_unanswered(self) -> None:
        """The request in progress gets no answer, and no other request can begin."""
        self.close()

    # The same for all

    @property
    def is_running(self) -> bool:
        """True while a request is processed or held, or its answer on the way."""
        return self.runner.running

    def running_requests(self) -> list[Request]:
        """The request that runs now, if one does."""
        return [self.runner.request] if self.runner.running else []

    def on_output_sent(self) -> None:
        """The client has taken the rest of the answer."""
        self.runner.output_sent()

    def close(self) -> None:
        """Close now, whatever runs."""
        if not self.stream.closed:
            super().close()
            self.runner.stop()
