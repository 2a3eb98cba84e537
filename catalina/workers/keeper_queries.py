"""Questions of a worker for which a request waits: each asks for a session that the worker does not have.

Each question in progress has a connection of its own, so an answer comes without the event loop.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from catalina.errors import CatalinaError, ProtocolError
from catalina.reactor import Reactor
from catalina.workers.frames import (
    Frame,
    FrameReader,
    Hello,
    Kind,
    decode_result,
    encode_call,
    encode_frame,
    encode_hello,
    encode_keyed,
)

__all__ = ["Answer", "KeeperGoneError", "KeeperQueries"]

log = logging.getLogger("org.apache.catalina.workers.KeeperQueries")

#: Seconds that a question may take. In less time a keeper that has died is replaced, and its successor has the
#: sessions.
ANSWER_SECONDS = 20.0
#: Most answers come within this number of seconds. A thread that waits longer first hands the event loop to another
#: thread.
USUAL_SECONDS = 0.002
#: Seconds before a question is asked again when a connection has broken.
AGAIN_SECONDS = 0.05
#: Connections that are kept when nobody uses them.
MAX_IDLE = 4


class KeeperGoneError(CatalinaError):
    """The keeper did not answer in time, so nobody knows the state of the session."""


class Answer(NamedTuple):
    """The keeper's answer.

    Args:
        message: the ledger's; empty when nobody knows the session, or another worker has it.
        is_shared: other workers have a copy, too.
        worker: the one to which the request shall go, None to serve it here.
    """

    message: bytes
    is_shared: bool
    worker: int | None


class _Connection:
    """One connection; one question at a time."""

    def __init__(self, address: bytes | str, hello: bytes, deadline: float) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._frames = FrameReader()
        try:
            self._limit(deadline)
            self.sock.connect(address)
            self.sock.sendall(hello)
        except BaseException:
            self.sock.close()
            raise

    def ask(self, question: bytes, deadline: float) -> Iterator[Frame | None]:
        """Send a question. Yields None each time that no byte has come for a moment, then yields the answer.

        Raises:
            OSError: the connection has broken, or the time is over (TimeoutError).
        """
        self._limit(deadline)
        self.sock.sendall(question)
        self.sock.settimeout(USUAL_SECONDS)
        while True:
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                yield None
                self._limit(deadline)
                continue
            if not data:
                raise ConnectionResetError("the keeper has closed the connection")
            for frame in self._frames.feed(data):
                if frame.kind in (Kind.ANSWER, Kind.RESULT):
                    yield frame
                    return
                if frame.kind is not Kind.READY:
                    raise ProtocolError(f"expected an ANSWER, got {frame.kind.name}")

    def _limit(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)


class KeeperQueries:
    """Asks the keeper and waits for the answer. Any thread.

    Args:
        address: of the keeper's listening Unix socket.
        index: of this worker.
        token: of a process with a user of its own.
    """

    def __init__(self, address: bytes | str, index: int, reactor: Reactor, token: str = "") -> None:
        self._address = address
        self._hello = encode_hello(Hello(True, index, os.getpid(), token))
        self._reactor = reactor
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def ask(self, key: bytes, question: bytes, *, may_go: bool = False) -> Answer:
        """The keeper's answer to a question for the manager ``key``.

        Args:
            may_go: the request can go to another worker that has the session.

        Raises:
            KeeperGoneError: there is none in time.
        """
        answer = self._until(encode_frame(Kind.ASK, encode_keyed(key, question), int(may_go)), ANSWER_SECONDS)
        worker = answer.number - 2 if answer.number >= 2 else None
        return Answer(answer.payload, answer.number == 1, worker)

    def _until(self, frame: bytes, seconds: float) -> Frame:
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self._ask_once(frame, deadline)
            except TimeoutError as error:
                raise KeeperGoneError(f"the keeper of this node has not answered within {seconds:g} seconds") from error
            except OSError as error:
                log.debug("The keeper did not answer: %s", error)
                if time.monotonic() + AGAIN_SECONDS > deadline:
                    raise KeeperGoneError(f"the keeper of this node cannot be reached: {error}") from error
                with self._waiting():
                    time.sleep(AGAIN_SECONDS)

    def call(self, service: str, argument: object, seconds: float = ANSWER_SECONDS) -> object:
        """Call a service of the keeper and wait for its result. Any thread.

        Raises:
            KeeperGoneError: there is none in time. It may have been done all the same.
            CallError: the keeper could not do it.
        """
        frame = encode_frame(Kind.CALL, encode_call(service, argument))
        return decode_result(self._until(frame, seconds).payload)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.sock.close()

    def _ask_once(self, frame: bytes, deadline: float) -> Frame:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _Connection(self._address, self._hello, deadline)
        try:
            answers = connection.ask(frame, deadline)
            answer = next(answers)
            if answer is None:
                with self._waiting():
                    answer = next(each for each in answers if each is not None)
        except BaseException:
            connection.sock.close()
            raise
        with self._lock:
            if len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
                connection = None
        if connection is not None:
            connection.sock.close()
        return answer

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        if self._reactor.in_runner:
            with self._reactor.blocking():
                yield
        else:
            yield
