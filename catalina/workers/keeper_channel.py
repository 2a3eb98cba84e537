"""A worker's way to the keeper of its node."""

from __future__ import annotations

import base64
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from catalina.errors import CatalinaError, ProtocolError
from catalina.reactor import Reactor
from catalina.tribes.channel import Delivery
from catalina.workers.frames import (
    Frame,
    Hello,
    Kind,
    decode_keyed,
    decode_messages,
    encode_forgotten,
    encode_frame,
    encode_hello,
    encode_messages,
)
from catalina.workers.link import Link
from catalina.workers.services import Services
from catalina.workers.session_tellers import TELL_ENDS

if TYPE_CHECKING:
    from catalina.ha.session.session_message import SessionMessage

__all__ = ["KeeperChannel", "LeftSessions"]

log = logging.getLogger("org.apache.catalina.workers.KeeperChannel")

#: Seconds between two tries to reach a keeper that is being replaced.
AGAIN_SECONDS = 0.05
#: After this number of seconds the worker posts again what was not acknowledged, even if a manager has not yet given
#: all its sessions.
GIVE_SECONDS = 10.0


class Hearer(Protocol):
    """A manager of this worker."""

    def hear(self, message: SessionMessage, *, tells: bool = False) -> None: ...

    def tell_ends(self, messages: Sequence[bytes]) -> None: ...

    def share(self, name: str) -> None: ...

    def outdate(self, name: str) -> None: ...

    def give_all(self, given: Callable[[], None]) -> None: ...


class LeftSessions(NamedTuple):
    """Sessions that stay with their worker while their application is reloaded or exchanged, and has no manager.

    Args:
        ids: their ids.
        messages: as the manager would give them, and the ends that it knows, to the next keeper.
    """

    ids: Sequence[str]
    messages: Sequence[bytes]


class _Giving:
    """Counts the managers that have given their sessions; when the last has, or the time is over, it says so once."""

    def __init__(self, managers: int, say: Callable[[], None]) -> None:
        self._left = managers
        self._say = say
        self._lock = threading.Lock()
        self._ended = False
        if managers == 0:
            self.end()

    def done(self) -> None:
        with self._lock:
            self._left -= 1
            is_last = self._left == 0
        if is_last:
            self.end()

    def end(self) -> None:
        with self._lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._say()


def _nothing() -> None:
    """Nothing follows."""


class KeeperChannel:
    """Posts the changes of requests to the keeper, and takes changes that come from elsewhere.

    The keeper may die and be replaced at any time. This worker goes on serving sessions meanwhile. It gives the next
    keeper all sessions that it has, and posts again what was not acknowledged.

    Args:
        address: of the keeper's listening Unix socket.
        index: of this worker, from 0.
        on_stop: called in the runner when the keeper says that the node stops.
        token: of a process with a user of its own.
    """

    def __init__(
        self, address: bytes | str, index: int, reactor: Reactor, on_stop: Callable[[], None], token: str = ""
    ) -> None:
        self.address = address
        self._token = token
        self.index = index
        self.reactor = reactor
        #: The managers of this worker's applications, by the key that both sides know them by.
        self.managers: dict[bytes, Hearer] = {}
        #: Sessions of applications that are reloaded or exchanged, by the same key, until their next manager has them.
        self.left: dict[bytes, LeftSessions] = {}
        #: The services that this worker offers the keeper.
        self.services = Services(reactor)
        #: Called in a thread when another keeper is there, before it gets the sessions; its result is called, in a
        #: thread, too, when the keeper has got them.
        self.on_next_keeper: Callable[[], Callable[[], None]] = lambda: _nothing
        #: The keeper is being given the sessions.
        self._gives = False
        self.services.add(TELL_ENDS, self._tell_ends)
        self._on_stop = on_stop
        self._link: Link | None = None
        #: A keeper is there and hears.
        self.is_up = False
        self._ready = threading.Event()
        self._closed = False
        self._was_up = False
        self._lock = threading.Lock()
        self._number = 0
        #: POSTs that the keeper has not acknowledged, in the order of their numbers.
        self._unacknowledged: dict[int, tuple[Delivery, bytes]] = {}

    # -- the link ------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Reach the keeper, now or as soon as it is there."""
        self.reactor.call_soon(self._connect)

    def wait_ready(self, seconds: float) -> bool:
        """Wait until the keeper has deployed everything; False when the time is over."""
        return self._ready.wait(seconds)

    def close(self) -> None:
        """Close the link. Answers that wait for an acknowledgement wait no longer."""
        self._closed = True
        self.is_up = False
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self.reactor.call_soon(self._finish_all)

    def _finish_all(self) -> None:
        with self._lock:
            waiting, self._unacknowledged = list(self._unacknowledged.values()), {}
        for delivery, _ in waiting:
            delivery.finish()

    def _connect(self) -> None:
        if self._closed:
            return
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.connect(self.address)
        except OSError as error:  # the keeper's queue of connections is full
            sock.close()
            log.debug("The keeper cannot be reached yet: %s", error)
            self.reactor.call_later(AGAIN_SECONDS, self._connect)
            return
        link = self._link = Link(sock, self.reactor, "keeper", self._on_frame, self._on_lost)
        link.open()
        link.send(encode_hello(Hello(False, self.index, os.getpid(), self._token)))

    def _on_lost(self) -> None:
        if self.is_up:
            log.warning("The keeper of this node has gone; sessions are served on until another one is there")
        self.is_up = False
        self._link = None
        self.reactor.call_later(AGAIN_SECONDS, self._connect)

    def _on_frame(self, frame: Frame) -> None:
        match frame.kind:
            case Kind.ACKNOWLEDGE:
                with self._lock:
                    delivery, _ = self._unacknowledged.pop(frame.number, (None, b""))
                if delivery is not None:
                    delivery.succeeded()
            case Kind.SHOW:
                key, messages = decode_messages(frame.payload)
                manager = self.managers.get(key)
                if manager is not None:  # else the application has just stopped here
                    for message in messages:
                        manager.hear(message, tells=frame.number == 1)
            case Kind.SHARED | Kind.OUTDATED:
                key, name = decode_keyed(frame.payload)
                manager = self.managers.get(key)
                if manager is not None:
                    told = manager.share if frame.kind is Kind.SHARED else manager.outdate
                    told(name.decode("utf-8", "surrogatepass"))
            case Kind.CALL:
                link, number = self._link, frame.number
                self.services.call(
                    frame.payload, None, lambda result: link and link.send(encode_frame(Kind.RESULT, result, number))
                )
            case Kind.READY:
                self._on_ready()
            case Kind.STOP:
                self._on_stop()
            case _:
                raise ProtocolError(f"expected a frame of a keeper, got {frame.kind.name}")

    def _tell_ends(self, _: int | None, argument: tuple[str, Sequence[str]]) -> None:
        """Sessions have ended of which no worker had a copy: this one tells its listeners."""
        key, messages = argument
        manager = self.managers.get(key.encode())
        if manager is None:
            raise CatalinaError(f"[{key}] does not run in worker [{self.index}]")
        manager.tell_ends([base64.b64decode(message) for message in messages])

    def _on_ready(self) -> None:
        self.is_up = True
        if self._was_up:
            log.info("Another keeper is there and gets the sessions of this worker")
            self.reactor.submit(partial(self._meet, self._link))
        else:
            self._give((), self._link, _nothing)
        self._was_up = True
        self._ready.set()

    def _meet(self, link: Link | None) -> None:
        then = _nothing
        try:
            then = self.on_next_keeper()
        except CatalinaError as error:
            log.error("The next keeper cannot be followed: %s", error)
        self._gives = True
        self._give(tuple(self.managers.values()), link, then)

    def _give(self, managers: Sequence[Hearer], link: Link | None, then: Callable[[], None]) -> None:
        for key, left in tuple(self.left.items()):
            self._post_left(key, left)
        giving = _Giving(len(managers), lambda: self._say_given(link, then))
        for manager in managers:
            manager.give_all(giving.done)
        self.reactor.call_later(GIVE_SECONDS, giving.end)

    def _post_left(self, key: bytes, left: LeftSessions) -> None:
        for message in left.messages:
            self.post(key, (message,), acknowledged=False)

    def _say_given(self, link: Link | None, then: Callable[[], None]) -> None:
        """All sessions are on their way: now post again what was not acknowledged, because it is about them."""
        if link is None or link is not self._link:
            return  # it has broken meanwhile
        self._gives = False
        with self._lock:
            again = [frame for _, frame in self._unacknowledged.values()]
        link.send(encode_frame(Kind.GIVEN))
        for frame in again:
            link.send(frame)
        self.reactor.submit(then)

    def _send(self, frame: bytes, written: Callable[[], None] | None = None) -> bool:
        link = self._link
        return link is None or link.send(frame, written)

    # -- what is posted ------------------------------------------------------------------------------------------

    def post(self, key: bytes, messages: Iterable[bytes], acknowledged: bool) -> Delivery:
        """Hand messages, as frames have them, to the keeper. Any thread.

        Args:
            acknowledged: the delivery is done when the group has them as the cluster's send options want it; else when
                they cannot be lost with this process.
        """
        payload = encode_messages(key, messages)
        if acknowledged:
            with self._lock:
                self._number = number = self._number % 0xFFFFFFFF + 1
                delivery = Delivery(1, reactor=self.reactor)
                frame = encode_frame(Kind.POST, payload, number)
                self._unacknowledged[number] = (delivery, frame)
            if self.is_up:
                self._send(frame)
            return delivery
        if not self.is_up:
            return Delivery(0)  # the next keeper gets the whole session
        delivery = Delivery(1, reactor=self.reactor)
        if self._send(encode_frame(Kind.POST, payload), delivery.succeeded):
            delivery.finish()
        return delivery

    def leave(self, key: bytes, left: LeftSessions) -> None:
        """A manager has gone, and its sessions stay; a keeper that is just being given all gets them now."""
        self.left[key] = left
        if self._gives:
            self._post_left(key, left)

    def leave_alone(self, key: bytes) -> None:
        """The application does not run here any more: the sessions that it has left are the keeper's alone."""
        left = self.left.pop(key, None)
        if left is not None:
            self.forget(key, [(session_id, 0) for session_id in left.ids])

    def forget(self, key: bytes, sessions: Sequence[tuple[str, int]]) -> None:
        """Tell the keeper that this worker has dropped copies; each with the time in ms since its last use."""
        if self.is_up:
            self._send(encode_frame(Kind.FORGET, encode_forgotten(key, sessions)))
