"""Passes a request on to another worker, and its answer back, over the streams of ``relay_frames.py``.

A plain HTTP/1.1 connection goes to the other worker as a whole (``connection_moves.py``). This is for all others: TLS,
HTTP/2, AJP, a balancer's connections, and requests of which a part has been read. Bytes go on as they come, in both
directions; whoever is slow holds the other one up.
"""

from __future__ import annotations

import logging
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.errors import CatalinaError, ProtocolError
from catalina.polling import is_ready
from catalina.workers.frames import Frame, FrameReader, Kind, encode_frame
from catalina.workers.relay_frames import ToldRequest, decode_answer, encode_told, encode_trailers

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.reactor import Reactor
    from catalina.workers.connection_moves import ConnectionMoves

__all__ = ["RelayError", "RequestRelay"]

log = logging.getLogger("org.apache.catalina.workers.RequestRelay")

#: Seconds that a worker which is being replaced may take until its successor serves.
ACCEPT_SECONDS = 20.0
#: Most answers begin within this number of seconds. A thread that waits longer first hands the event loop to another
#: thread.
USUAL_SECONDS = 0.002
#: Seconds before a request is offered again to a worker that has ended before it has begun it.
AGAIN_SECONDS = 0.05
#: Streams to one worker that are kept when nobody uses them.
MAX_IDLE = 4
RECEIVE_BYTES = 256 * 1024
#: Bytes of a frame of an answer: a head, or a piece of the body.
MAX_FRAME = 4 * 2**20


class RelayError(CatalinaError):
    """The other worker has not answered, and the client has got nothing yet.

    Args:
        status: 503 when the request was not begun, 502 when the worker has ended in the middle.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class _NotBegunError(Exception):
    """The other worker has ended, or closed the stream, before it has read the request."""


class _Stream:
    """The end of one stream at the worker that has the client's connection."""

    def __init__(self, sock: socket.socket, reactor: Reactor) -> None:
        self.sock = sock
        self._reactor = reactor
        self._reader = FrameReader(MAX_FRAME)
        self._frames: deque[Frame] = deque()
        self.is_accepted = False

    def send(self, data: bytes) -> None:
        """Send; waits while the other worker does not read, and it reads whatever it asks for.

        Raises:
            _NotBegunError: nobody is there.
        """
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise _NotBegunError(str(error)) from error

    def receive(self, deadline: float | None = None) -> Frame | None:
        """The next frame; None when the other worker has ended.

        Args:
            deadline: monotonic, for the whole wait; None for as long as the other worker lives.

        Raises:
            _NotBegunError: it has ended without reading all that was sent.
            TimeoutError: the time is over.
            ProtocolError: it sends no frames.
        """
        while not self._frames:
            if not is_ready(self.sock, select.POLLIN, USUAL_SECONDS):
                with self._reactor.blocking():
                    left = float("inf") if deadline is None else deadline - time.monotonic()
                    if not is_ready(self.sock, select.POLLIN, left):
                        raise TimeoutError
            try:
                data = self.sock.recv(RECEIVE_BYTES)
            except OSError as error:  # ECONNRESET: unread bytes were lost with the other end
                raise _NotBegunError(str(error)) from error
            if not data:
                return None
            self._frames.extend(self._reader.feed(data))
        return self._frames.popleft()

    def await_accepted(self, deadline: float) -> None:
        """Wait until a worker serves the stream. Raises as :meth:`receive`."""
        frame = self.receive(deadline)
        if frame is None:
            raise _NotBegunError("the worker has ended")
        if frame.kind is not Kind.ACCEPTED:
            raise ProtocolError(f"expected ACCEPTED, got {frame.kind.name}")
        self.is_accepted = True


class RequestRelay:
    """This worker's way to have others answer requests. Any thread that runs a request.

    Args:
        moves: knows the other workers.
    """

    def __init__(self, moves: ConnectionMoves, reactor: Reactor) -> None:
        self._moves = moves
        self._reactor = reactor
        self._idle: dict[tuple[int, int], list[_Stream]] = {}
        self._lock = threading.Lock()

    def relay(self, choose: Callable[[], int], connector: int, request: Request, response: Response) -> None:
        """Let another worker answer. Returns when the answer is complete, but for the end of it that
        :meth:`Response.finish` sends.

        Args:
            choose: gives the worker's index; asked again when that worker has ended before it has begun the request.
            connector: the number of the request's connector.

        Raises:
            RelayError: there is no answer, and nothing was sent to the client.
            ClientAbortException: the client has gone.
            CatalinaError: ``choose`` finds none.
        """
        first = request.input.take_ready()
        told = encode_told(Kind.REQUEST, _told(request), first, is_all=request.input.is_over)
        deadline = time.monotonic() + ACCEPT_SECONDS
        while not self._try(choose(), connector, told, deadline, request, response):
            with self._reactor.blocking():
                time.sleep(AGAIN_SECONDS)

    def _try(
        self, worker: int, connector: int, told: bytes, deadline: float, request: Request, response: Response
    ) -> bool:
        """Do so once; False when the worker has certainly not begun the request."""
        try:
            stream = self._stream(worker, connector)
        except OSError as error:
            raise RelayError(503, f"worker [{worker}] takes no request: {error}") from error
        try:
            frame = self._begin(stream, told, deadline)
            self._follow(stream, worker, frame, request, response)
        except _NotBegunError as error:
            stream.sock.close()
            if time.monotonic() > deadline:
                raise RelayError(503, f"worker [{worker}] begins no request: {error}") from error
            return False
        except TimeoutError as error:
            stream.sock.close()
            text = f"worker [{worker}] has not begun the request within {ACCEPT_SECONDS:g} seconds"
            raise RelayError(503, text) from error
        except BaseException:
            stream.sock.close()
            raise
        if not response.broken:
            self._keep(worker, connector, stream)
        return True

    def _stream(self, worker: int, connector: int) -> _Stream:
        """A stream to a worker: one that is idle, or another one. Raises OSError: the worker has no room."""
        with self._lock:
            idle = self._idle.get((worker, connector), [])
            while idle:
                stream = idle.pop()
                if not is_ready(stream.sock, select.POLLIN, 0.0):
                    return stream
                stream.sock.close()  # its worker has ended
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            try:
                self._moves.give_stream(worker, connector, theirs)
            except BaseException:
                ours.close()
                raise
        return _Stream(ours, self._reactor)

    def _keep(self, worker: int, connector: int, stream: _Stream) -> None:
        with self._lock:
            idle = self._idle.setdefault((worker, connector), [])
            if len(idle) < MAX_IDLE:
                idle.append(stream)
                return
        stream.sock.close()

    def close(self) -> None:
        """Close the streams that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for streams in idle.values():
            for stream in streams:
                stream.sock.close()

    @staticmethod
    def _begin(stream: _Stream, told: bytes, deadline: float) -> Frame | None:
        """Send the request; returns the first frame of the answer."""
        if not stream.is_accepted:
            stream.await_accepted(deadline)
        stream.send(told)
        return stream.receive()

    def _follow(self, stream: _Stream, worker: int, frame: Frame | None, request: Request, response: Response) -> None:
        """Do what the frames of the answer say, to its end."""
        known = len(request.headers.raw)
        try:
            while frame is not None and not self._is_last(stream, frame, known, request, response):
                frame = stream.receive()
            if frame is not None:
                return
            why = "it has ended"
        except (_NotBegunError, ProtocolError) as error:
            why = str(error)
        log.error("Worker [%d] has not finished the answer to [%s]: %s", worker, request.request_uri, why)
        if not response.committed:
            raise RelayError(502, f"worker [{worker}] has begun the request and not answered: {why}")
        response.broken, response.handed_over = True, False  # this worker logs it: the other one cannot
        stream.sock.close()

    @staticmethod
    def _is_last(stream: _Stream, frame: Frame, known: int, request: Request, response: Response) -> bool:
        """Do what a frame says; True for the last one."""
        match frame.kind:
            case Kind.HEAD:
                told, data = decode_answer(frame.payload)
                response.handed_over = True
                response.pass_head(told.status, told.reason, told.headers, data, complete=frame.number == 1)
                return frame.number == 1
            case Kind.BODY:
                response.pass_body(frame.payload)
            case Kind.FLUSH:
                response.outlet.flushed()
            case Kind.PULL:
                data = request.input.take_portion()
                trailers = [] if data else [_as_text(each) for each in request.headers.raw[known:]]
                stream.send(encode_frame(Kind.BODY, data) if data else encode_trailers(trailers))
            case Kind.CONTINUE:
                request.acknowledge()
            case Kind.END:
                return True
            case _:
                raise ProtocolError(f"expected a frame of an answer, got {frame.kind.name}")
        return False


def _told(request: Request) -> ToldRequest:
    return ToldRequest(
        method=request.method,
        request_uri=request.request_uri,
        query_string=request.query_string,
        protocol=request.protocol,
        headers=[_as_text(each) for each in request.headers.raw],
        content_length=request.content_length,
        expects_continue=request.expects_continue,
        remote_addr=request.remote_addr,
        remote_port=request.remote_port,
        remote_host=request.known_remote_host,
        local_addr=request.local_addr,
        local_name=request.local_name,
        local_port=request.local_port,
        scheme=request.scheme,
        secure=request.secure,
        server_name=request.server_name,
        server_port=request.server_port,
        connection_id=request.connection_id,
        user=request.proxy_user,
        auth_type=request.auth_type,
        needs_authorization=request.remote_user_needs_authorization,
        attributes={name: value for name, value in request.attributes.items() if _is_plain(value)},
    )


def _as_text(field: tuple[bytes, bytes]) -> tuple[str, str]:
    return field[0].decode("latin-1"), field[1].decode("latin-1")


def _is_plain(value: object) -> bool:
    """True for a value that JSON can say: those of TLS and of AJP."""
    if isinstance(value, tuple):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str | int | bool)
