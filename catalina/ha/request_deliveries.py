"""Which messages a request has sent, so that its answer can wait for them.

A request may create a session, change its id, end another one: each sends at once, from wherever in the container it
happens, and always in the request's own thread. The cluster notes each delivery here; ReplicationValve opens and reads
the list.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from catalina.tribes.channel import Delivery

__all__ = ["CollectedDeliveries", "note"]


class _Current(threading.local):
    deliveries: list[Delivery] | None = None


_current = _Current()


def note(delivery: Delivery) -> None:
    """A message was sent; outside of a request nobody waits for it."""
    deliveries = _current.deliveries
    if deliveries is not None and not delivery.done:
        deliveries.append(delivery)


class CollectedDeliveries:
    """Context: the deliveries that this thread notes inside. Nested contexts (Host inside Engine) keep their own."""

    __slots__ = ("_deliveries", "_outer")

    def __enter__(self) -> list[Delivery]:
        self._outer = _current.deliveries
        self._deliveries: list[Delivery] = []
        _current.deliveries = self._deliveries
        return self._deliveries

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _current.deliveries = self._outer
