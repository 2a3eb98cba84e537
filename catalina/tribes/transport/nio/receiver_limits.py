"""Limits what peers may leave unfinished: half packages, silent connections, ever more connections.

A package may be large, and half of one must be kept until the rest comes. So each connection must keep a pace, all
connections together have a budget, and those on which no member has spoken yet have a small budget of their own:
members are served whatever strangers leave unfinished.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from catalina.errors import LimitError, ProtocolError
from catalina.reactor import Reactor, Timer
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.member import Member

__all__ = ["ReceiverLimits"]

log = logging.getLogger("org.apache.catalina.tribes.transport.nio.NioReceiver")

#: Seconds that half a package may wait for the rest, and the bytes a second that it must grow by after that.
PATIENCE_SECONDS = 30.0
LEAST_RATE = 256 * 1024
#: Seconds after which a connection is closed on which no member has sent a message.
SILENCE_SECONDS = 60.0
#: Seconds between two checks.
LOOK_SECONDS = 5.0
#: The share of the budget, and of the connections, for connections on which no member has spoken.
_STRANGERS_BYTES, _STRANGERS_CONNECTIONS = 8, 2


class _Task(Protocol):
    peer: str
    #: True when a member has spoken on the connection; and that member, if it was identified.
    proven: bool
    sender: Member | None
    #: Bytes of the incomplete package, and the time since when it is incomplete.
    half_bytes: int
    half_since: float
    #: The time at which the connection was accepted.
    since: float

    def refuse(self, error: ProtocolError) -> None: ...

    def close(self) -> None: ...


class ReceiverLimits:
    """Counts the unfinished things of one receiver's connections. All methods are called in the runner.

    Args:
        max_buffered: bytes of all half packages.
        max_connections: connections at a time.
        members: gives the present members, whose addresses are compared.
        is_member: tells whether somebody belongs to the group now.
        now: the channel's clock.
    """

    def __init__(
        self,
        max_buffered: int,
        max_connections: int,
        members: Callable[[], Iterable[Member]],
        is_member: Callable[[Member], bool],
        now: Callable[[], float],
    ) -> None:
        self.now = now
        #: Log lines that any peer can cause, so that they are not repeated without end.
        self.repeated = RepeatedMessages(log)
        self.tasks: set[_Task] = set()
        self._max_buffered = max_buffered
        self._max_connections = max_connections
        self._members = members
        self._is_member = is_member
        self._buffered = 0
        self._buffered_by_strangers = 0
        self._timer: Timer | None = None

    def admits(self, address: str) -> bool:
        """True when one more connection may be taken from ``address``; logged when not."""
        count, limit = len(self.tasks), self._max_connections
        if count < limit and not any(member.address == address for member in self._members()):
            count, limit = sum(not task.proven for task in self.tasks), max(1, limit // _STRANGERS_CONNECTIONS)
        if count < limit:
            return True
        self.repeated.log(
            logging.WARNING,
            "refused connections",
            "Connection from %s refused: %d are open, limit %d (maxConnections)",
            address,
            count,
            limit,
        )
        return False

    def add(self, task: _Task, reactor: Reactor) -> None:
        """A connection was accepted."""
        self.tasks.add(task)
        if self._timer is None:
            self._timer = reactor.call_later(LOOK_SECONDS, lambda: self._look(reactor))

    def discard(self, task: _Task) -> None:
        """A connection is closed."""
        self.tasks.discard(task)
        self._charge(task, 0)

    def stop(self) -> None:
        """Stop checking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def prove(self, task: _Task) -> None:
        """Somebody has spoken on a connection that was not trusted yet: if it is a member, the connection is
        trusted.
        """
        if task.sender is not None and self._is_member(task.sender):
            before = task.half_bytes
            self._charge(task, 0)
            task.proven = True
            self._charge(task, before)

    def buffered(self, task: _Task, size: int, is_new: bool) -> None:
        """``size`` bytes of an incomplete package now wait on the connection.

        Args:
            is_new: it is a different package from the one before.

        Raises:
            LimitError: that is too much; close the connection.
        """
        if is_new or not task.half_bytes:
            task.half_since = self.now()
        self._charge(task, size)
        used, limit = self._buffered, self._max_buffered
        if not task.proven:
            used, limit = self._buffered_by_strangers, limit // _STRANGERS_BYTES
        if used > limit:
            raise LimitError(f"packages that came in part take {used} bytes, limit {limit} (maxBuffered)")

    def _charge(self, task: _Task, size: int) -> None:
        more = size - task.half_bytes
        task.half_bytes = size
        self._buffered += more
        if not task.proven:
            self._buffered_by_strangers += more

    def _look(self, reactor: Reactor) -> None:
        now = self.now()
        for task in tuple(self.tasks):
            waited = now - task.half_since - PATIENCE_SECONDS
            if task.half_bytes and waited > 0 and task.half_bytes < waited * LEAST_RATE:
                task.refuse(ProtocolError(f"{task.half_bytes} bytes of a package, and the rest does not come"))
                continue
            if not task.proven:
                self.prove(task)  # it may have joined after it spoke
            if not task.proven and now - task.since > SILENCE_SECONDS:
                task.refuse(ProtocolError(f"no member has spoken for {SILENCE_SECONDS:g} s"))
        self._timer = reactor.call_later(LOOK_SECONDS, lambda: self._look(reactor)) if self.tasks else None
