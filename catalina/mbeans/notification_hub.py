"""Notifications of all beans, kept for a while so that clients can fetch them at their own pace.

A bean that registers itself causes a notification at once. Most beans come from sources, which do not report when beans
come or go: while a client waits, the hub compares the names about once a second.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catalina.mbeans.object_name import ObjectName

__all__ = ["DELEGATE", "AttributeChange", "Notification", "NotificationHub"]

#: The bean that reports beans that come and go.
DELEGATE = ObjectName("JMImplementation", {"type": "MBeanServerDelegate"})

REGISTERED = "JMX.mbean.registered"
UNREGISTERED = "JMX.mbean.unregistered"
ATTRIBUTE_CHANGE = "jmx.attribute.change"

#: Notifications that are kept, as in Java (jmx.remote.x.notification.buffer.size).
CAPACITY = 1000
#: Seconds between two comparisons of the names, while a client waits.
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """The old and the new value of an attribute; ``type`` is Java's."""

    name: str
    type: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification.

    Args:
        number: in the hub; counts without gaps.
        type: such as ``jmx.attribute.change``.
        source: the bean that sends it.
        time_ms: since 1970.
        bean: the bean that came or went, for the delegate's notifications.
        change: for a changed attribute.
    """

    number: int
    type: str
    source: ObjectName
    time_ms: int
    message: str
    bean: ObjectName | None = None
    change: AttributeChange | None = None


class NotificationHub:
    """Collects notifications and hands them out. Any thread.

    Args:
        names: lists the beans that are there now.
    """

    def __init__(self, names: Callable[[], Iterable[ObjectName]], capacity: int = CAPACITY) -> None:
        self._names = names
        #: Notifications that are kept.
        self.capacity = capacity
        self._kept: deque[Notification] = deque(maxlen=capacity)
        self._next = 0
        self._changed = threading.Condition()
        self._seen: set[ObjectName] | None = None
        self._looked = 0.0
        self._looking = threading.Lock()

    @property
    def next_number(self) -> int:
        """The number of the next notification."""
        return self._next

    @property
    def earliest_number(self) -> int:
        """The number of the oldest that is kept."""
        with self._changed:
            return self._kept[0].number if self._kept else self._next

    def send(
        self, kind: str, source: ObjectName, message: str, *,
        bean: ObjectName | None = None, change: AttributeChange | None = None,
    ) -> None:  # fmt: skip
        """Keep a notification, and wake waiting clients."""
        with self._changed:
            made = Notification(self._next, kind, source, int(time.time() * 1000), message, bean, change)
            self._kept.append(made)
            self._next += 1
            self._changed.notify_all()

    def watch(self) -> None:
        """Begin to report beans that come and go."""
        with self._looking:
            if self._seen is None:
                self._seen = set(self._names())

    def look(self) -> None:
        """Compare the names with those of the last look."""
        with self._looking:
            if self._seen is None:
                return
            names = set(self._names())
            come, gone = names - self._seen, self._seen - names
            self._seen = names
        for name in sorted(gone, key=str):
            self.send(UNREGISTERED, DELEGATE, "", bean=name)
        for name in sorted(come, key=str):
            self.send(REGISTERED, DELEGATE, "", bean=name)

    def fetch(
        self, start: int, most: int, seconds: float, wanted: Callable[[Notification], bool] = lambda _: True,
        stopped: Callable[[], bool] = lambda: False,
    ) -> tuple[int, int, list[Notification]]:  # fmt: skip
        """Notifications from number ``start`` on; waits for the first.

        Args:
            start: negative: none of those before now.
            most: the largest number of notifications.
            seconds: how long to wait.
            stopped: ends the waiting; it is checked about once a second.

        Returns:
            The earliest number that is kept, the number to continue with, and the notifications. A ``start`` below the
            earliest number means that the client has lost some.
        """
        if start < 0:
            return self.earliest_number, self._next, []
        ends = time.monotonic() + seconds
        while True:
            self._look_sometimes()
            with self._changed:
                earliest = self._kept[0].number if self._kept else self._next
                found = [one for one in self._kept if one.number >= start and wanted(one)][:most]
                cut = len(found) == most and bool(found)
                following = found[-1].number + 1 if cut else self._next
                left = ends - time.monotonic()
                if found or left <= 0 or stopped():
                    return earliest, following, found
                start = self._next
                self._changed.wait(min(left, LOOK_SECONDS))

    def _look_sometimes(self) -> None:
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self.look()
