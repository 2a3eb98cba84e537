"""Notifications for clients of Jolokia: listeners, the store from which they are pulled, and streams of them.

A listener is a place in the hub's numbers: nothing is copied for it, and a client that never comes again costs only its
names (Jolokia: service/jmx/handler/notification, service/notif). Clients are forgotten after an hour without a sign of
life; with Jolokia they stay for ever.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from catalina.attributes import Component
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import BadRequest, NotificationCommand, Parameters
from catalina.manager.jolokia.serializer import JsonText, Serializer
from catalina.mbeans.notification_hub import Notification
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry
from catalina.operations import Impact, operation

__all__ = ["Notifications", "TooManyStreams"]

PULL, SSE = "pull", "sse"
#: Clients, listeners of all of them, and bytes of JSON that a listener may have as its config and handback.
MAX_CLIENTS, MAX_LISTENERS, MAX_GIVEN_BACK = 1000, 1000, 8192
#: Notifications that a pull gives, the newest ones, as in Jolokia.
MAX_ENTRIES = 100
#: Open streams; each holds a thread.
MAX_STREAMS = 8
#: Seconds after which a client that gave no sign of life is forgotten.
IDLE_SECONDS = 3600.0
#: Seconds between two signs of life of a stream, so that a client that has gone, and the end of a worker that passes it
#: on, are noticed.
HEARTBEAT_SECONDS = 2.0
HEARTBEAT = b": \r\n"


class TooManyStreams(Exception):
    """There are :data:`MAX_STREAMS` already, or as many as the threads allow."""


@dataclass(slots=True)
class _Listener:
    """One listener.

    Args:
        begin: the number of the first notification that it hears.
    """

    command: NotificationCommand
    bean: ObjectName
    begin: int

    def hears(self, one: Notification) -> bool:
        types = self.command.filter
        named = self.bean == one.source or (self.bean.is_pattern and self.bean.matches(one.source))
        return named and one.number >= self.begin and (types is None or one.type.startswith(types))

    def to_json(self) -> dict[str, Any]:
        shown = self.command.to_json()
        return {name: shown[name] for name in ("mbean", "filter", "handback", "config") if name in shown}


@dataclass(slots=True)
class _Client:
    """One client.

    Args:
        used: time.monotonic() of its last sign of life.
        made: listeners so far; the number of the last one is its handle.
        streams: streams so far; a new one ends the one before.
        told: the number of the first notification that no stream has told.
    """

    used: float
    listeners: dict[str, _Listener] = field(default_factory=dict)
    made: int = 0
    streams: int = 0
    told: int = 0


class Notifications(Component):
    """The clients, and the bean ``jolokia:type=NotificationStore``. Any thread.

    Args:
        policy: hides beans and attributes, also in notifications.
        clock: seconds.
    """

    bean_class = "org.jolokia.service.notif.pull.PullNotificationStore"

    def __init__(self, registry: Registry, policy: Policy, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._registry = registry
        self._hub = registry.notifications
        self._policy = policy
        self._clock = clock
        self._lock = threading.Lock()
        self._clients: dict[str, _Client] = {}
        self._open = 0

    # -- commands

    def register(self, store: ObjectName) -> dict[str, Any]:
        """Make a client.

        Args:
            store: the name of this bean.
        """
        now = self._clock()
        with self._lock:
            self._clients = {key: each for key, each in self._clients.items() if now - each.used < IDLE_SECONDS}
            if len(self._clients) >= MAX_CLIENTS:
                raise ValueError(f"{MAX_CLIENTS} clients are registered already")
            key = str(uuid.uuid4())
            self._clients[key] = _Client(now)
        stream = {"backChannel.contentType": "text/event-stream", "backChannel.encoding": "UTF-8"}
        return {"id": key, "backend": {PULL: {"store": str(store), "maxEntries": MAX_ENTRIES}, SSE: stream}}

    def unregister(self, client: str | None) -> None:
        """Forget a client and its listeners, and end its stream."""
        with self._lock:
            self._client(client).streams += 1
            del self._clients[str(client)]

    def add(self, command: NotificationCommand) -> str:
        """Add a listener; returns its handle.

        Raises:
            BadRequest: the mode or the bean is missing.
            InstanceNotFound: there is no such bean.
            ValueError: the client or the mode is unknown, or a limit is reached.
        """
        with self._lock:
            self._client(command.client)
        if command.mode is None:
            raise BadRequest("No mode give for add")
        if command.bean is None:
            raise BadRequest("No MBean name given for add")
        if command.mode.lower() not in (PULL, SSE):
            raise ValueError(f"No notification backend of type '{command.mode}' registered. Known backends: pull, sse")
        if len(json.dumps([command.config, command.handback])) > MAX_GIVEN_BACK:
            raise ValueError(f"config and handback of a listener: expected at most {MAX_GIVEN_BACK} bytes of JSON")
        if all(self._policy.hides(name) for name, _ in self._registry.query(command.bean)):
            raise InstanceNotFound(str(command.bean))
        self._hub.watch()
        with self._lock:
            client = self._client(command.client)
            if sum(len(each.listeners) for each in self._clients.values()) >= MAX_LISTENERS:
                raise ValueError(f"{MAX_LISTENERS} listeners are registered already")
            client.made += 1
            client.listeners[str(client.made)] = _Listener(command, command.bean, self._hub.next_number)
            return str(client.made)

    def remove(self, client: str | None, handle: str | None) -> None:
        """Remove a listener. Raises ValueError for an unknown one."""
        if handle is None:
            raise BadRequest("No notification handle given for remove")
        with self._lock:
            self._listener(self._client(client), handle)
            del self._client(client).listeners[handle]

    def ping(self, client: str | None) -> None:
        """A client is there."""
        with self._lock:
            self._client(client)

    def list(self, client: str | None) -> dict[str, Any]:
        """The listeners of a client, by their handles."""
        with self._lock:
            return {handle: one.to_json() for handle, one in self._client(client).listeners.items()}

    def _client(self, key: str | None) -> _Client:
        found = self._clients.get(key or "")
        if found is None:
            raise ValueError(f"No client {'<null>' if key is None else key} registered")
        found.used = self._clock()
        return found

    def _listener(self, client: _Client, handle: str) -> _Listener:
        if handle not in client.listeners:
            raise ValueError(f"No listener with handle {handle} created")
        return client.listeners[handle]

    # -- to pull

    @operation(impact=Impact.INFO, client="its id", handle="of its listener")
    def pull(self, client: str, handle: str) -> str | None:
        """Notifications that a listener has heard since the last pull, as JSON."""
        with self._lock:
            known = self._clients.get(client)
            listener = known.listeners.get(handle) if known is not None else None
            if known is None or listener is None or (listener.command.mode or "").lower() != PULL:
                return None
            known.used = self._clock()
        begin = listener.begin
        earliest, following, found = self._hub.fetch(begin, self._hub.capacity, 0, self._wanted(listener.hears))
        listener.begin = following
        # nobody knows what the lost ones were
        dropped = max(0, earliest - begin) + max(0, len(found) - MAX_ENTRIES)
        return JsonText(_result(handle, listener, found[-MAX_ENTRIES:], dropped))

    def _wanted(self, hears: Callable[[Notification], bool]) -> Callable[[Notification], bool]:
        return lambda one: hears(one) and self._may_be_seen(one)

    def _may_be_seen(self, one: Notification) -> bool:
        policy = self._policy
        if policy.hides(one.source) or (one.bean is not None and policy.hides(one.bean)):
            return False
        return one.change is None or policy.allows("read", one.source, one.change.name)

    # -- to stream

    def open(
        self, command: NotificationCommand, last: int | None, most: int
    ) -> Callable[[Callable[[], bool]], Iterator[bytes]]:
        """Begin a client's stream, in place of an earlier one; until :meth:`leave`.

        Args:
            last: the number of the last notification that the client has had; None for one that cannot say.
            most: streams that may be open.

        Returns:
            A function that makes the events; it is given one that says if the stream has to end.

        Raises:
            BadRequest: the mode is missing.
            ValueError: the client is unknown, or has another mode.
            TooManyStreams: there are as many as may be.
        """
        if command.mode is None:
            raise BadRequest("No mode give for open")
        with self._lock:
            client = self._client(command.client)
            if command.mode.lower() != SSE:
                raise ValueError(f"mode '{command.mode}' has no stream: expected sse")
            if self._open >= most:
                raise TooManyStreams
            self._open += 1
            client.streams += 1
            if last is not None:
                client.told = last + 1
            number = client.streams
        return lambda ended: self._frames(client, lambda: ended() or client.streams != number)

    def leave(self) -> None:
        """A stream has ended."""
        with self._lock:
            self._open -= 1

    def _frames(self, client: _Client, ended: Callable[[], bool]) -> Iterator[bytes]:
        while not ended():
            client.used = self._clock()
            _, following, found = self._hub.fetch(
                client.told, MAX_ENTRIES, HEARTBEAT_SECONDS,
                self._wanted(lambda one: any(True for _ in _hearers(client, one))), ended,
            )  # fmt: skip
            for one in found:
                for handle, listener in _hearers(client, one):
                    data = json.dumps(_result(handle, listener, [one], 0))
                    yield f"id: {one.number}\r\ndata: {data}\r\n\r\n".encode()
                client.told = one.number + 1
            client.told = following
            if not found:
                yield HEARTBEAT


def _hearers(client: _Client, one: Notification) -> Iterator[tuple[str, _Listener]]:
    for handle, listener in list(client.listeners.items()):
        if (listener.command.mode or "").lower() == SSE and listener.hears(one):
            yield handle, listener


def _result(handle: str, listener: _Listener, notifications: list[Notification], dropped: int) -> dict[str, Any]:
    return {
        "handle": handle,
        "handback": listener.command.handback,
        "dropped": dropped,
        "notifications": [_shown(one) for one in notifications],
    }


def _shown(one: Notification) -> dict[str, Any]:
    """As Java's class has it (MBeanServerNotification, AttributeChangeNotification)."""
    found: dict[str, Any] = {
        "timeStamp": one.time_ms, "sequenceNumber": one.number, "userData": None, "message": one.message,
        "type": one.type, "source": {"objectName": str(one.source)},
    }  # fmt: skip
    if one.bean is not None:
        found["mBeanName"] = {"objectName": str(one.bean)}
    if one.change is not None:
        plain = Serializer(Parameters())
        found |= {"attributeName": one.change.name, "attributeType": one.change.type,
                  "oldValue": plain.json_of(one.change.old), "newValue": plain.json_of(one.change.new)}  # fmt: skip
    return found
