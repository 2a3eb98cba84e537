"""Which messages a request has sent, so that its answer can wait for them.

A request may create a session, change its id, end another one: each sends at once, from wherever in the container it
happens, and always in the request's own thread. The cluster notes each delivery here; ReplicationValve puts a list in
place and reads it. It does so by hand: a context manager would cost every request two calls more. A thread's own
attributes cost ten times as much as others, so a thread has one, with the list in it.

What the loop sends for all requests of a round together is nobody's in this sense: each of them holds its answer for a
delivery that :func:`settle` lets be done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.tribes.channel import Delivery

__all__ = ["current", "note", "settle"]


class _Noted:
    """What the request of one thread has sent so far; None outside of one.

    A valve in a Host inside an Engine that has one too keeps a list of its own.
    """

    __slots__ = ("deliveries",)

    def __init__(self) -> None:
        self.deliveries: list[Delivery] | None = None


class _Current(threading.local):
    def __init__(self) -> None:  # once in each thread
        self.noted = _Noted()


current = _Current()


def note(delivery: Delivery) -> None:
    """A message was sent; outside of a request nobody waits for it."""
    deliveries = current.noted.deliveries
    if deliveries is not None and not delivery.done:
        deliveries.append(delivery)


def settle(held: Iterable[Delivery], deliveries: Iterable[Delivery]) -> None:
    """Let each of ``held``, made for one report, be done when all of ``deliveries`` are."""
    waiting = [delivery for delivery in deliveries if not delivery.done]
    for each in held:
        each.expect(len(waiting))
        for delivery in waiting:
            delivery.add_done_callback(lambda _, each=each: each.succeeded())  # type: ignore[misc]
        each.succeeded()  # what was sent is known now
