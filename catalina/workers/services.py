"""The services that one process of a node offers the others: each has a name and is a function of one JSON value."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from catalina.errors import CatalinaError
from catalina.reactor import Reactor
from catalina.workers.frames import CallError, decode_call, decode_result, encode_result

__all__ = [
    "CHANGES",
    "CONTAINER_CLOSE",
    "CONTAINER_NEXT",
    "CONTAINER_REQUEST",
    "DISTRIBUTABLE",
    "DRAIN",
    "HOLDER",
    "JOIN",
    "JOINED",
    "KNOWS_SESSION",
    "LAUNCH",
    "LOGIN",
    "MADE",
    "MAY_FORGET",
    "MAY_MAKE_SESSION",
    "MAY_TELL_END",
    "RELOAD",
    "REPLACE_ME",
    "SEAT",
    "SEAT_FAILED",
    "SESSION_LISTENERS",
    "SIGN_ON",
    "STATE",
    "Calls",
    "Services",
]

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

#: Services of the keeper: it says whether a worker tells the end of a session of the manager with that key; it hears
#: that the application with that key has listeners.
MAY_TELL_END, SESSION_LISTENERS = "may-tell-end", "session-listeners"

#: Services of the keeper about applications: a worker gets the table; has started; knows if an application is
#: distributable; wants it reloaded; wants another worker in its place.
JOIN, JOINED, DISTRIBUTABLE, RELOAD, REPLACE_ME = "join", "joined", "distributable", "reload", "replace-me"

#: The keeper's service: what a pool's process with a user of its own begins with; None for one without.
LAUNCH = "launch"

#: The keeper's service: the changes of beans since the start.
CHANGES = "bean-changes"
#: The keeper's service: a worker tells it the changes that another keeper has told the worker.
MADE = "bean-changes-made"

#: The keeper's service: the key of an application, how somebody logs in, and with what; who it is.
LOGIN = "login"

#: The keeper's service: kind, name, method and arguments of a state of the node; the method's result.
STATE = "state"

#: The keeper's service: the valve's place, what to do, the login's id, and more; returns the login where it is asked.
SIGN_ON = "sign-on"

#: Services of the keeper: a request; the next piece of an answer that has more; the end of such an answer.
CONTAINER_REQUEST = "container-request"
CONTAINER_NEXT, CONTAINER_CLOSE = "container-request-next", "container-request-close"

#: A worker's service: drain (true), serve as before (false) or go on (null); returns how many requests run. The
#: keeper's of the same name says if the node drains.
DRAIN = "drain"

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
