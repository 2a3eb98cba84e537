"""Collects the messages that a request has sent, so that its answer can wait for them.

A request may create a session, change its id, or end another one. Each sends a message immediately, from anywhere in
the container, but always in the request's own thread. The cluster notes each Delivery here; ReplicationValve puts a
list in place and reads it. It does so by hand, because a context manager would cost every request two more calls.
Attributes of a ``threading.local`` cost ten times as much as others, so each thread has a single one, an object with
the list.

A message that the loop sends for all requests of a round together belongs to no single request: each request holds its
answer for a Delivery of its own, and :func:`settle` finishes them together.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.tribes.channel import Delivery

__all__ = ["current", "note", "settle"]


class _Noted:
    """The Deliveries of the request in one thread so far; None outside a request.

    When a Host and its Engine both have the valve, each keeps a list of its own.
    """

    __slots__ = ("deliveries",)

    def __init__(self) -> None:
        self.deliveries: list[Delivery] | None = None


class _Current(threading.local):
    def __init__(self) -> None:  # once for each thread
        self.noted = _Noted()


current = _Current()


def note(delivery: Delivery) -> None:
    """Note the Delivery of a message. Outside a request nobody waits for it."""
    deliveries = current.noted.deliveries
    if deliveries is not None and not delivery.done:
        deliveries.append(delivery)


def settle(held: Iterable[Delivery], deliveries: Iterable[Delivery]) -> None:
    """Finish each Delivery in ``held``, which expects one report, when all of ``deliveries`` are done."""
    waiting = [delivery for delivery in deliveries if not delivery.done]
    if len(waiting) == 1:  # the usual case: the changes of a round have left together
        waiting[0].add_done_callback(partial(_finish, tuple(held)))
        return
    for each in held:
        each.expect(len(waiting))
        for delivery in waiting:
            delivery.add_done_callback(lambda _, each=each: each.succeeded())  # type: ignore[misc]
        each.succeeded()  # the outcome is known, whatever it is


def _finish(held: tuple[Delivery, ...], _: Delivery) -> None:
    for each in held:
        each.finish()
