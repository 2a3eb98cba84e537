"""The poll of a keeper's links to its workers: of all of them together, and not at once while nobody waits.

A worker writes once for the requests of a round. Each write would wake the keeper, for two or three requests: it would
use more processor time to wake up, with cold caches, than for the changes, and take the processor from the workers in
between. So while posts come all the time, the keeper reads the links of all workers every PAUSE_SECONDS. (Drivers of
network cards do the same with interrupts.)

Somebody waits for nearly everything else: for posts that are acknowledged, and so for what follows them for a while
(:meth:`LinkPoll.hurry`). Questions come by other connections. Whoever must know what a worker has posted so far reads
its link (:meth:`Link.catch_up`).
"""

from __future__ import annotations

import logging
import select
from collections.abc import Callable
from math import inf

from catalina.reactor import FAILED, READ, HasFileno, Reactor

__all__ = ["LinkPoll"]

log = logging.getLogger("org.apache.catalina.workers.LinkPoll")

#: Seconds between two looks while posts come all the time. The other nodes hear of changes so much later.
PAUSE_SECONDS = 0.002
#: Seconds without a post that somebody waits for, after which there are pauses.
CALM_SECONDS = 0.1


class LinkPoll:
    """Takes the place of the loop where links register. Only the runner calls it, but for :meth:`modify`.

    Args:
        reactor: the loop.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callable[[int], None]] = {}
        self._read_at = self._hurried_at = -inf
        self._closed = False
        reactor.register(self._epoll, READ, self._on_ready, first=True)

    def close(self) -> None:
        """Forget all links."""
        if not self._closed:
            self._closed = True
            self._reactor.unregister(self._epoll)
            self._epoll.close()

    def hurry(self) -> None:
        """Somebody waits for what comes."""
        self._hurried_at = self._reactor.now()

    # -- as a loop -----------------------------------------------------------------------------------------------

    def register(self, sock: HasFileno, events: int, callback: Callable[[int], None], *, first: bool = False) -> None:
        """See :meth:`Reactor.register`; all links are among the first."""
        self._callbacks[sock.fileno()] = callback
        self._epoll.register(sock.fileno(), events)

    def modify(self, sock: HasFileno, events: int) -> None:
        """See :meth:`Reactor.modify`."""
        if not self._closed:
            self._epoll.modify(sock.fileno(), events)

    def unregister(self, sock: HasFileno) -> None:
        """See :meth:`Reactor.unregister`."""
        if self._callbacks.pop(sock.fileno(), None) is not None and not self._closed:
            self._epoll.unregister(sock.fileno())

    def call_soon(self, callback: Callable[[], None]) -> None:
        """See :meth:`Reactor.call_soon`."""
        self._reactor.call_soon(callback)

    # -- looking -------------------------------------------------------------------------------------------------

    def _on_ready(self, _: int) -> None:
        now = self._reactor.now()
        is_busy = now - self._read_at < PAUSE_SECONDS
        self._read_at = now
        if self._read() and is_busy and self._is_calm:
            self._reactor.modify(self._epoll, 0)
            self._reactor.call_later(PAUSE_SECONDS, self._look)

    def _look(self) -> None:
        if self._closed:
            return
        if self._read() and self._is_calm:
            self._reactor.call_later(PAUSE_SECONDS, self._look)
        elif not self._closed:
            self._reactor.modify(self._epoll, READ)

    @property
    def _is_calm(self) -> bool:
        return not self._closed and self._reactor.now() - self._hurried_at > CALM_SECONDS

    def _read(self) -> bool:
        """Read what is there; False when there was nothing, or a callback has handed the loop on."""
        ready = self._epoll.poll(0)
        for fd, events in ready:
            callback = self._callbacks.get(fd)
            if callback is None:
                continue  # an earlier one has closed it
            try:
                callback(events)
            except BaseException:
                log.exception(FAILED, callback)
            if self._closed or not self._reactor.in_runner:
                return False
        return bool(ready)
