"""The services that one process of a node offers the others: each has a name and is a function of one JSON value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from catalina.errors import CatalinaError
from catalina.reactor import Reactor
from catalina.workers.frames import CallError, decode_call, decode_result, encode_result

__all__ = ["HOLDER", "KNOWS_SESSION", "MAY_FORGET", "MAY_MAKE_SESSION", "SEAT", "SEAT_FAILED", "Calls", "Services"]

log = logging.getLogger("org.apache.catalina.workers.Services")

#: Service of the keeper: it says whether a worker may make a session of the manager with that key.
MAY_MAKE_SESSION = "may-make-session"

#: Service of the keeper: it gives the ids of the sessions of that manager whose copies a worker may drop.
MAY_FORGET = "may-forget"

#: Service of the keeper: it says whether a session of the application with that key exists.
KNOWS_SESSION = "knows-session"

#: Service of the keeper: the index of a worker that has a copy of a session of the manager with that key, or None.
HOLDER = "holder"

#: Service of the keeper: what the process in the caller's seat is to run; None while no application has the seat.
SEAT = "seat"
#: Service of the keeper: the reason why the process in the caller's seat cannot begin.
SEAT_FAILED = "seat-failed"

#: A service: the caller's worker (None for the keeper) and the argument; the result, as JSON can say it.
Service = Callable[["int | None", Any], Any]


class Services:
    """The services of this process.

    A quick service answers in the runner; a service that may take its time runs in a thread of the pool.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._quick: dict[str, Service] = {}
        self._slow: dict[str, Service] = {}

    def add(self, name: str, service: Service, *, is_quick: bool = False) -> None:
        """Offer a service. A quick one must not wait."""
        (self._quick if is_quick else self._slow)[name] = service

    def call(self, payload: bytes, caller: int | None, reply: Callable[[bytes], object]) -> None:
        """Do what a CALL asks for.

        Args:
            caller: the worker that calls, None for the keeper.
            reply: takes the payload of the RESULT, in whatever thread.

        Raises:
            ProtocolError: it is no call.
        """
        name, argument = decode_call(payload)
        quick = self._quick.get(name)
        if quick is not None:
            reply(_outcome(name, quick, caller, argument))
            return
        slow = self._slow.get(name)
        if slow is None:
            reply(encode_result(error=f"no service [{name}] in this process"))
            return

        def work() -> None:
            reply(_outcome(name, slow, caller, argument))

        self._reactor.submit(work)


def _outcome(name: str, service: Service, caller: int | None, argument: object) -> bytes:
    try:
        return encode_result(service(caller, argument))
    except CatalinaError as error:
        return encode_result(error=str(error))
    except Exception as error:
        log.exception("The service [%s] has failed", name)
        return encode_result(error=f"{name}: {type(error).__name__}: {error}")


class Calls:
    """Calls to the other side that wait for their results."""

    def __init__(self) -> None:
        self._number = 0
        self._waiting: dict[int, Future[Any]] = {}

    def begin(self) -> tuple[int, Future[Any]]:
        """The number of a call, and what will have its result."""
        self._number = self._number % 0xFFFFFFFF + 1
        future: Future[Any] = Future()
        self._waiting[self._number] = future
        return self._number, future

    def end(self, number: int, payload: bytes) -> None:
        """The result of a call has come. Raises ProtocolError."""
        future = self._waiting.pop(number, None)
        if future is None:
            return
        try:
            future.set_result(decode_result(payload))
        except CallError as error:
            future.set_exception(error)

    def lose(self, why: str) -> None:
        """The other side has gone: no call has a result any more."""
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(CallError(why))
