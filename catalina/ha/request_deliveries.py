"""Which messages a request has sent, so that its answer can wait for them.

A request may create a session, change its id, end another one: each sends at once, from wherever in the container it
happens, and always in the request's own thread. The cluster notes each delivery here; ReplicationValve puts a list in
place and reads it. It does so by hand: a context manager would cost every request two calls more.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.tribes.channel import Delivery

__all__ = ["current", "note"]


class _Current(threading.local):
    #: What this thread's request has sent so far; None outside of one. A valve in a Host inside an Engine that has one
    #: too keeps a list of its own.
    deliveries: list[Delivery] | None = None


current = _Current()


def note(delivery: Delivery) -> None:
    """A message was sent; outside of a request nobody waits for it."""
    deliveries = current.deliveries
    if deliveries is not None and not delivery.done:
        deliveries.append(delivery)
